/* Key pairs for handshakes, made ahead in idle time (docs/security.md rules 5, 6).
 *
 * Each is handed out once, none is older than KEY_PAIRS_AGE. What is made ahead is what was used before: a gateway
 * with no handshakes makes none. Lives in secret memory; without any ahead, one is made on the spot.
 */
#ifndef GATEWAY_KEY_PAIRS_H
#define GATEWAY_KEY_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/wire.h>

#define KEY_PAIRS_MAX 64u
#define KEY_PAIRS_AGE 60000000u /* microseconds */

struct key_pair {
    uint8_t private_key[USMP_PRIVATE_KEY_SIZE];
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
    uint64_t made;
};

struct key_pairs {
    struct key_pair *pairs; /* secret memory, KEY_PAIRS_MAX of them */
    size_t count;           /* ready: pairs[0 … count) */
    size_t wanted;          /* how many were used and not made up for */
};

typedef void key_pairs_random(void *context, void *out, size_t size);

/* False: memory is short. */
bool key_pairs_open(struct key_pairs *pairs) __attribute__((warn_unused_result));
void key_pairs_close(struct key_pairs *pairs);

/* Writes one pair to `out`, which the caller wipes. */
void key_pairs_take(struct key_pairs *pairs, key_pairs_random *random, void *context, uint64_t now,
                    struct key_pair *out);

/* Makes one ahead if any is wanted. True while more are. */
bool key_pairs_make(struct key_pairs *pairs, key_pairs_random *random, void *context, uint64_t now);

#endif
