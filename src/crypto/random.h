/* Random bytes: straight from the kernel for what is drawn once, and from a pool for what is drawn per handshake.
 *
 * A pool belongs to one thread at a time. It holds CRYPTO_RANDOM_POOL_SIZE bytes ahead of use; each byte is handed out
 * once and wiped, those older than CRYPTO_RANDOM_POOL_AGE are thrown away, and a forked child finds none of its
 * parent's (docs/security.md rule 5). Needs crypto_start().
 */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/attributes.h"

#define CRYPTO_RANDOM_POOL_SIZE 4096u
#define CRYPTO_RANDOM_POOL_AGE 60000000u /* microseconds */

/* Cannot fail: where the kernel has no random bytes the process ends. */
void crypto_random(void *out, size_t size);

struct crypto_random_pool;

/* NULL when memory is short. The memory is locked as far as the limit goes and left out of core files. */
struct crypto_random_pool *crypto_random_pool_open(void) CRYPTO_MUST_USE;

/* Wipes and frees; NULL is allowed. */
void crypto_random_pool_close(struct crypto_random_pool *pool);

/* Any size; `now` in microseconds of a clock that does not go back. */
void crypto_random_take(struct crypto_random_pool *pool, uint64_t now, void *out, size_t size);

#endif
