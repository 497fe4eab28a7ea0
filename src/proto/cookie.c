#include <usmp/cookie.h>

#include <assert.h>
#include <string.h>

#include "crypto/memory.h"
#include "proto/keyed_hash.h"
#include "proto/little_endian.h"

static void make_for_slot(const struct usmp_cookie_secret *secret, const struct usmp_cookie_claim *claim, uint64_t slot,
                          uint8_t out[USMP_COOKIE_SIZE])
{
    assert(claim->peer_address_size <= USMP_COOKIE_ADDRESS_MAX);
    assert(claim->local_address_size <= USMP_COOKIE_ADDRESS_MAX);
    /* The sizes of what varies come first: no two claims make the same bytes. */
    uint8_t fixed[1 + 1 + 1 + 2 + 8];
    fixed[0] = (uint8_t)claim->peer_address_size;
    fixed[1] = (uint8_t)claim->local_address_size;
    fixed[2] = claim->version;
    usmp_store_le16(fixed + 3, claim->peer_port);
    usmp_store_le64(fixed + 5, slot);
    const struct crypto_part parts[] = {
        {fixed, sizeof fixed},
        {claim->peer_address, claim->peer_address_size},
        {claim->local_address, claim->local_address_size},
        {claim->device_id, USMP_DEVICE_ID_SIZE},
        {claim->public_key, USMP_PUBLIC_KEY_SIZE},
    };
    uint8_t hash[CRYPTO_HMAC_SIZE];
    usmp_keyed_hash(secret->state, parts, sizeof parts / sizeof *parts, hash);
    memcpy(out, hash, USMP_COOKIE_SIZE);
}

void usmp_cookie_secret_init(struct usmp_cookie_secret *secret, const uint8_t bytes[USMP_COOKIE_SECRET_SIZE])
{
    usmp_keyed_hash_init(secret->state, bytes, USMP_COOKIE_SECRET_SIZE);
}

void usmp_cookie_secret_wipe(struct usmp_cookie_secret *secret)
{
    usmp_keyed_hash_wipe(secret->state);
}

void usmp_cookie_make(const struct usmp_cookie_secret *secret, const struct usmp_cookie_claim *claim, uint64_t now,
                      uint8_t out[USMP_COOKIE_SIZE])
{
    make_for_slot(secret, claim, now / USMP_COOKIE_SLOT, out);
}

bool usmp_cookie_is_right(const struct usmp_cookie_secret *secret, const struct usmp_cookie_claim *claim, uint64_t now,
                          const uint8_t cookie[USMP_COOKIE_SIZE])
{
    uint64_t slot = now / USMP_COOKIE_SLOT;
    uint8_t current[USMP_COOKIE_SIZE];
    uint8_t before[USMP_COOKIE_SIZE];
    make_for_slot(secret, claim, slot, current);
    /* In the first slot of a clock there is none before; the number 2^64 − 1 belongs to no time. */
    make_for_slot(secret, claim, slot - 1, before);
    bool is_current = crypto_equal(current, cookie, USMP_COOKIE_SIZE);
    bool is_before = crypto_equal(before, cookie, USMP_COOKIE_SIZE);
    return is_current || is_before;
}
