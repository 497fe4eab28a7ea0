#include <usmp/utack.h>

#include <string.h>

#include "crypto/memory.h"
#include "proto/keyed_hash.h"
#include "proto/little_endian.h"

#define OFFSET_TYPE 2
#define OFFSET_SEQ 3

static void make_mac(const struct usmp_utack_key *key, const uint8_t plain[USMP_UTACK_PLAIN_SIZE],
                     uint8_t mac[USMP_UTACK_MAC_SIZE])
{
    uint8_t hash[CRYPTO_HMAC_SIZE];
    const struct crypto_part part = {plain, USMP_UTACK_PLAIN_SIZE};
    usmp_keyed_hash(key->state, &part, 1, hash);
    memcpy(mac, hash, USMP_UTACK_MAC_SIZE);
}

void usmp_utack_key_init(struct usmp_utack_key *key, const uint8_t record_key[USMP_KEY_SIZE])
{
    usmp_keyed_hash_init(key->state, record_key, USMP_KEY_SIZE);
}

void usmp_utack_key_wipe(struct usmp_utack_key *key)
{
    usmp_keyed_hash_wipe(key->state);
}

size_t usmp_utack_write_plain(uint8_t type, uint32_t seq, uint8_t out[USMP_UTACK_PLAIN_SIZE])
{
    out[0] = USMP_UTACK_MAGIC;
    out[1] = USMP_UTACK_MAGIC;
    out[OFFSET_TYPE] = type;
    usmp_store_le32(out + OFFSET_SEQ, seq);
    return USMP_UTACK_PLAIN_SIZE;
}

size_t usmp_utack_write_keyed(const struct usmp_utack_key *key, uint8_t type, uint32_t seq,
                              uint8_t out[USMP_UTACK_KEYED_SIZE])
{
    size_t plain_size = usmp_utack_write_plain(type, seq, out);
    make_mac(key, out, out + plain_size);
    return USMP_UTACK_KEYED_SIZE;
}

bool usmp_utack_read(const uint8_t *bytes, size_t size, struct usmp_utack *utack)
{
    if (size < USMP_UTACK_PLAIN_SIZE || bytes[0] != USMP_UTACK_MAGIC || bytes[1] != USMP_UTACK_MAGIC)
        return false;
    *utack = (struct usmp_utack){
        .type = bytes[OFFSET_TYPE],
        .seq = usmp_load_le32(bytes + OFFSET_SEQ),
        .has_mac = size >= USMP_UTACK_KEYED_SIZE,
    };
    if (utack->has_mac)
        memcpy(utack->mac, bytes + USMP_UTACK_PLAIN_SIZE, sizeof utack->mac);
    return true;
}

bool usmp_utack_is_authentic(const struct usmp_utack_key *key, const struct usmp_utack *utack)
{
    if (!utack->has_mac)
        return false;
    uint8_t plain[USMP_UTACK_PLAIN_SIZE];
    uint8_t mac[USMP_UTACK_MAC_SIZE];
    usmp_utack_write_plain(utack->type, utack->seq, plain);
    make_mac(key, plain, mac);
    return crypto_equal(mac, utack->mac, sizeof mac);
}
