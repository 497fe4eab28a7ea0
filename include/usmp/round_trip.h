/* How long to wait for a UTACK before a frame is repeated: docs/protocol.md section 4, as RFC 6298 has it.
 *
 * What is measured goes from the only send of a frame to its UTACK. A frame that was repeated is no measurement (Karn):
 * its copies are identical, so nobody can tell which of them a UTACK answers.
 *
 * Times are in microseconds. Small, since every session has one; all zeros is the beginning.
 */
#ifndef USMP_ROUND_TRIP_H
#define USMP_ROUND_TRIP_H

#include <stdint.h>

#include <usmp/wire.h>

#define USMP_TIME_OUT_FIRST 500000u /* before anything was measured */
#define USMP_TIME_OUT_MIN 200000u
#define USMP_TIME_OUT_MAX 4000000u
#define USMP_TIME_OUT_DOUBLINGS_MAX 5u /* from the shortest to beyond the longest */

struct usmp_round_trip {
    uint16_t smoothed;  /* eighths of a millisecond; 0: nothing was measured yet */
    uint16_t deviation; /* quarters of a millisecond */
};

/* A frame that was sent once was acknowledged after `elapsed`. */
void usmp_round_trip_measured(struct usmp_round_trip *round_trip, uint64_t elapsed);

/* For a send, doubled so many times: USMP_TIME_OUT_MIN to USMP_TIME_OUT_MAX. */
uint64_t usmp_round_trip_time_out(const struct usmp_round_trip *round_trip, unsigned doublings) USMP_MUST_USE;

#endif
