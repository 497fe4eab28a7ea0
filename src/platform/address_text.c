#include "platform/address_text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PORT_DIGITS_MAX 5

void address_format_host(const struct address *address, char text[static ADDRESS_TEXT_SIZE])
{
    const char *written = address_is_ipv4(address)
                              ? inet_ntop(AF_INET, address_ipv4_bytes(address), text, ADDRESS_TEXT_SIZE)
                              : inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT_SIZE);
    assert(written != NULL);
}

void address_format(const struct address *address, char text[static ADDRESS_TEXT_SIZE])
{
    char host[ADDRESS_TEXT_SIZE];
    address_format_host(address, host);
    const char *form = address_is_ipv4(address) ? "" : "[]";
    int length = snprintf(text, ADDRESS_TEXT_SIZE, "%.1s%.39s%s:%u", form, host, form[0] != '\0' ? form + 1 : "",
                          (unsigned)address->port);
    assert(length > 0 && length < ADDRESS_TEXT_SIZE);
}

bool address_parse_host(const char *text, struct address *address)
{
    uint8_t bytes[16];
    if (inet_pton(AF_INET, text, bytes) == 1) {
        *address = address_from_ipv4(bytes, 0);
        return true;
    }
    if (inet_pton(AF_INET6, text, bytes) == 1) {
        memcpy(address->bytes, bytes, sizeof bytes);
        address->port = 0;
        return true;
    }
    return false;
}

static bool parse_port(const char *text, uint16_t *port)
{
    unsigned value = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > PORT_DIGITS_MAX || text[digits] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (unsigned)(text[i] - '0');
    if (value > UINT16_MAX)
        return false;
    *port = (uint16_t)value;
    return true;
}

bool address_parse(const char *text, struct address *address)
{
    bool bracketed = text[0] == '[';
    const char *host = bracketed ? text + 1 : text;
    const char *host_end = strchr(host, bracketed ? ']' : ':');
    if (host_end == NULL)
        return false;
    const char *colon = bracketed ? host_end + 1 : host_end;
    uint16_t port;
    if (*colon != ':' || !parse_port(colon + 1, &port))
        return false;

    char host_text[ADDRESS_TEXT_SIZE];
    size_t host_size = (size_t)(host_end - host);
    if (host_size >= sizeof host_text)
        return false;
    memcpy(host_text, host, host_size);
    host_text[host_size] = '\0';

    struct address result;
    bool has_colon = strchr(host_text, ':') != NULL;
    if (has_colon != bracketed || !address_parse_host(host_text, &result))
        return false;
    result.port = port;
    *address = result;
    return true;
}
