#include "usmp/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "usmp/number.h"

static enum endpoint_verdict take_apart(const char *host, size_t host_length, const char *port,
                                        struct endpoint *endpoint)
{
    uint32_t number;
    if (host_length == 0 || host_length >= sizeof endpoint->host)
        return ENDPOINT_BAD_HOST;
    if (!number_parse_count(port, 1, UINT16_MAX, &number))
        return ENDPOINT_BAD_PORT;
    memcpy(endpoint->host, host, host_length);
    endpoint->host[host_length] = '\0';
    snprintf(endpoint->port, sizeof endpoint->port, "%u", (unsigned)(uint16_t)number);
    return ENDPOINT_GOOD;
}

static enum endpoint_verdict parse_bracketed(const char *text, struct endpoint *endpoint)
{
    const char *bracket = strchr(text, ']');
    if (bracket == NULL)
        return ENDPOINT_BAD_HOST;
    if (bracket[1] != ':')
        return bracket[1] == '\0' ? ENDPOINT_NO_PORT : ENDPOINT_BAD_HOST;
    return take_apart(text + 1, (size_t)(bracket - text) - 1, bracket + 2, endpoint);
}

enum endpoint_verdict endpoint_parse(const char *text, struct endpoint *endpoint)
{
    if (text[0] == '[')
        return parse_bracketed(text, endpoint);
    const char *colon = strchr(text, ':');
    if (colon == NULL)
        return ENDPOINT_NO_PORT;
    if (strchr(colon + 1, ':') != NULL)
        return ENDPOINT_BARE_IPV6;
    return take_apart(text, (size_t)(colon - text), colon + 1, endpoint);
}

const char *endpoint_explain(enum endpoint_verdict verdict)
{
    switch (verdict) {
    case ENDPOINT_GOOD:
        break;
    case ENDPOINT_NO_PORT:
        return "has no port: write HOST:PORT";
    case ENDPOINT_BAD_PORT:
        return "has no port from 1 to 65535 behind its colon";
    case ENDPOINT_BAD_HOST:
        return "is no HOST:PORT";
    case ENDPOINT_BARE_IPV6:
        return "is no HOST:PORT; an IPv6 address stands in brackets: [2001:db8::1]:9000";
    }
    return "is good";
}
