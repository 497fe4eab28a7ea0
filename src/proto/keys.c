#include <usmp/keys.h>

#include <assert.h>
#include <string.h>

#include "crypto/hkdf.h"
#include "crypto/memory.h"
#include "crypto/x25519.h"

/* Without the NUL at the end. */
static const char label_wire_1[] = "usmp-v1";
static const char label_wire_2[] = "usmp-v2";
static const char label_rekey[] = "usmp-rekey";

_Static_assert(sizeof label_wire_1 == sizeof label_wire_2, "one size for both");

void usmp_public_key(const uint8_t private_key[USMP_PRIVATE_KEY_SIZE], uint8_t public_key[USMP_PUBLIC_KEY_SIZE])
{
    crypto_x25519_public(private_key, public_key);
}

enum usmp_keys_verdict usmp_keys_derive(enum usmp_role role, const uint8_t private_key[USMP_PRIVATE_KEY_SIZE],
                                        const struct usmp_transcript *transcript, struct usmp_keys *keys)
{
    assert(transcript->version == USMP_WIRE_1 || transcript->version == USMP_WIRE_2);
    uint8_t shared[CRYPTO_X25519_SIZE] CRYPTO_WIPED_32 = {0};
    const uint8_t *peer_public = role == USMP_DEVICE ? transcript->gateway_public : transcript->device_public;
    if (crypto_x25519_shared(private_key, peer_public, shared) != CRYPTO_X25519_AGREED)
        return USMP_KEYS_REFUSED;

    bool two_keys = transcript->version == USMP_WIRE_2;
    const struct crypto_part key_material = {shared, sizeof shared};
    const struct crypto_part info[] = {
        {two_keys ? label_wire_2 : label_wire_1, sizeof label_wire_1 - 1},
        {transcript->device_public, sizeof transcript->device_public},
        {transcript->gateway_public, sizeof transcript->gateway_public},
    };
    const struct crypto_hkdf_input input = {
        .key_material = &key_material,
        .key_material_count = 1,
        .salt = {transcript->nonce, sizeof transcript->nonce},
        .info = info,
        .info_count = sizeof info / sizeof *info,
    };
    uint8_t derived[2 * USMP_KEY_SIZE] CRYPTO_WIPED_64;
    crypto_hkdf(&input, derived, two_keys ? sizeof derived : USMP_KEY_SIZE);
    memcpy(keys->device_to_gateway, derived, USMP_KEY_SIZE);
    memcpy(keys->gateway_to_device, two_keys ? derived + USMP_KEY_SIZE : derived, USMP_KEY_SIZE);
    return USMP_KEYS_DERIVED;
}

void usmp_keys_rekey(const struct usmp_keys *keys, enum usmp_role sender,
                     const uint8_t session_id[USMP_SESSION_ID_SIZE], const uint8_t salt[USMP_REKEY_SALT_SIZE],
                     struct usmp_keys *next)
{
    const uint8_t *sending = sender == USMP_DEVICE ? keys->device_to_gateway : keys->gateway_to_device;
    const uint8_t *receiving = sender == USMP_DEVICE ? keys->gateway_to_device : keys->device_to_gateway;
    const struct crypto_part key_material[] = {{sending, USMP_KEY_SIZE}, {receiving, USMP_KEY_SIZE}};
    const struct crypto_part info[] = {{label_rekey, sizeof label_rekey - 1}, {session_id, USMP_SESSION_ID_SIZE}};
    const struct crypto_hkdf_input input = {
        .key_material = key_material,
        .key_material_count = 2,
        .salt = {salt, USMP_REKEY_SALT_SIZE},
        .info = info,
        .info_count = sizeof info / sizeof *info,
    };
    uint8_t derived[2 * USMP_KEY_SIZE] CRYPTO_WIPED_64;
    crypto_hkdf(&input, derived, sizeof derived);
    memcpy(sender == USMP_DEVICE ? next->device_to_gateway : next->gateway_to_device, derived, USMP_KEY_SIZE);
    memcpy(sender == USMP_DEVICE ? next->gateway_to_device : next->device_to_gateway, derived + USMP_KEY_SIZE,
           USMP_KEY_SIZE);
}

void usmp_keys_wipe(struct usmp_keys *keys)
{
    crypto_wipe(keys, sizeof *keys);
}
