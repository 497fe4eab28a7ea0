/* Which HELLOs were seen a moment ago, in fixed memory (docs/protocol.md section 4, "Cookie").
 *
 * HELLO_RETRY goes out without a UTACK at first sight and with it on the repeat, so that no lost datagram leaves a
 * device waiting for ever. What was seen is a keyed hash of address, port and public key; one that is overwritten or
 * older than SIGHTINGS_AGE counts as first sight again.
 */
#ifndef GATEWAY_SIGHTINGS_H
#define GATEWAY_SIGHTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGHTINGS_SIZE 8192u
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
