/* Waiting for descriptors up to a point in time. */
#ifndef USMP_WAITING_H
#define USMP_WAITING_H

#include <poll.h>
#include <stdint.h>

#define WAITING_FOR_EVER UINT64_MAX

/* Like poll(), until `deadline` of the monotonic clock in microseconds (in the past: does not wait). A signal that is
 * handled ends the wait as if nothing had happened; `revents` is set in every case. */
void waiting_poll(struct pollfd *descriptors, nfds_t count, uint64_t deadline);

#endif
