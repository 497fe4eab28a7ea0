#include "usmp/dial.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "platform/clock.h"
#include "platform/error_text.h"
#include "usmp/report.h"
#include "usmp/waiting.h"

static struct addrinfo *resolve(const struct endpoint *endpoint, enum usmp_transport transport)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = transport == USMP_UDP ? SOCK_DGRAM : SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV,
    };
    struct addrinfo *addresses;
    int problem = getaddrinfo(endpoint->host, endpoint->port, &hints, &addresses);
    if (problem == 0)
        return addresses;
    report("%s: %s", endpoint->host, problem == EAI_SYSTEM ? strerror(errno) : gai_strerror(problem));
    return NULL;
}

static void wait_for_verdict(struct link *link)
{
    while (link->state == LINK_CONNECTING || link->state == LINK_OPENING) {
        short events = link_events(link);
        struct pollfd descriptor = {.fd = events != 0 ? link->socket : -1, .events = events};
        waiting_poll(&descriptor, 1, link_deadline(link));
        link_service(link, descriptor.revents, clock_monotonic_us());
    }
}

/* Nobody there who speaks USMP; anything else comes from a gateway. */
static bool may_try_next(const struct link *link)
{
    return !link->was_challenged && link->end != LINK_END_HUNG_UP;
}

struct failure {
    char address[LINK_ADDRESS_SIZE];
    struct error_text reason;
};

static void note(struct failure *failure, const struct link *link)
{
    memcpy(failure->address, link->address, sizeof failure->address);
    link_explain(link, &failure->reason);
}

bool dial(const struct endpoint *endpoint, const struct link_identity *identity, struct link *link)
{
    struct failure failures[DIAL_ADDRESSES_MAX];
    size_t failed = 0;
    bool goes_on = true;
    struct addrinfo *addresses = resolve(endpoint, identity->transport);
    for (const struct addrinfo *address = addresses; address != NULL && goes_on; address = address->ai_next) {
        link_open(link, identity, address->ai_addr, address->ai_addrlen, clock_monotonic_us());
        wait_for_verdict(link);
        if (link->state == LINK_LIVE)
            break;
        note(&failures[failed++], link);
        goes_on = may_try_next(link) && failed < DIAL_ADDRESSES_MAX;
    }
    if (addresses != NULL)
        freeaddrinfo(addresses);
    if (link->state == LINK_LIVE)
        return true;
    for (size_t i = 0; i < failed; i++)
        report("%s over %s: %s", failures[i].address, identity->transport == USMP_UDP ? "UDP" : "TCP",
               failures[i].reason.text);
    return false;
}
