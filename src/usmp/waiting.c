#define _GNU_SOURCE
#include "usmp/waiting.h"

#include <time.h>

#include "platform/clock.h"

#define MICROSECONDS 1000000u

void waiting_poll(struct pollfd *descriptors, nfds_t count, uint64_t deadline)
{
    uint64_t now = clock_monotonic_us();
    uint64_t left = deadline > now ? deadline - now : 0;
    struct timespec timeout = {(time_t)(left / MICROSECONDS), (long)(left % MICROSECONDS) * 1000};
    if (ppoll(descriptors, count, deadline == WAITING_FOR_EVER ? NULL : &timeout, NULL) > 0)
        return;
    for (nfds_t i = 0; i < count; i++)
        descriptors[i].revents = 0;
}
