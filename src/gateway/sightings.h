/* Which HELLOs were seen a moment ago, in fixed memory (docs/protocol.md section 4, "Cookie").
 *
 * HELLO_RETRY goes out without a UTACK at first sight and with it on the repeat, so that no lost datagram leaves a
 * device waiting for ever. What was seen is a keyed hash of address, port and public key; one that is overwritten or
 * was seen last longer than SIGHTINGS_AGE ago counts as first sight again. The table is large enough that in a flood of
 * 10,000 HELLOs a second a device's own survives the 500 ms until its repeat nine times in ten.
 */
#ifndef GATEWAY_SIGHTINGS_H
#define GATEWAY_SIGHTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGHTINGS_SIZE 65536u
#define SIGHTINGS_AGE 3000000u /* microseconds */

struct sighting {
    uint64_t fingerprint;
    uint64_t seen; /* microseconds, monotonic */
};

struct sightings {
    struct sighting *entries; /* SIGHTINGS_SIZE */
};

/* False: memory is short. */
bool sightings_open(struct sightings *sightings) __attribute__((warn_unused_result));
void sightings_close(struct sightings *sightings);

/* Notes a fingerprint; true when it was seen before, not long ago. The hash that makes the fingerprint is keyed, so
 * which one it overwrites is as good as random. */
bool sightings_note(struct sightings *sightings, uint64_t fingerprint, uint64_t now);

#endif
