#include "crypto/random.h"

#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/memory.h"

/* Lives in memory that a fork gives to the child as zeros, and zeros are an empty pool. Where the kernel cannot do
 * that (before Linux 4.14), the process that filled it is compared. */
struct crypto_random_pool {
    uint64_t filled_at; /* microseconds */
    size_t left;        /* bytes at the end of `bytes` that have not been handed out */
    pid_t filled_by;
    bool wiped_on_fork;
    uint8_t bytes[CRYPTO_RANDOM_POOL_SIZE];
};

void crypto_random(void *out, size_t size)
{
    randombytes_buf(out, size);
}

struct crypto_random_pool *crypto_random_pool_open(void)
{
    void *memory =
        mmap(NULL, sizeof(struct crypto_random_pool), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    struct crypto_random_pool *pool = memory;
    /* Both are hardening beyond what the pool needs; where the limit or the kernel forbids them it works without. */
    (void)mlock(pool, sizeof *pool);
    (void)madvise(pool, sizeof *pool, MADV_DONTDUMP);
    pool->wiped_on_fork = madvise(pool, sizeof *pool, MADV_WIPEONFORK) == 0;
    return pool;
}

void crypto_random_pool_close(struct crypto_random_pool *pool)
{
    if (pool == NULL)
        return;
    crypto_wipe(pool, sizeof *pool);
    (void)munmap(pool, sizeof *pool);
}

static void refill(struct crypto_random_pool *pool, uint64_t now)
{
    crypto_random(pool->bytes, sizeof pool->bytes);
    pool->left = sizeof pool->bytes;
    pool->filled_at = now;
    pool->filled_by = getpid();
}

static bool is_stale(const struct crypto_random_pool *pool, uint64_t now)
{
    if (now - pool->filled_at > CRYPTO_RANDOM_POOL_AGE)
        return true;
    return !pool->wiped_on_fork && pool->filled_by != getpid();
}

void crypto_random_take(struct crypto_random_pool *pool, uint64_t now, void *out, size_t size)
{
    if (size > sizeof pool->bytes) {
        crypto_random(out, size);
        return;
    }
    if (pool->left < size || is_stale(pool, now))
        refill(pool, now);
    uint8_t *taken = pool->bytes + sizeof pool->bytes - pool->left;
    memcpy(out, taken, size);
    crypto_wipe(taken, size);
    pool->left -= size;
}
