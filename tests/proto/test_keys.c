#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/keys.h>

#include "crypto/start.h"
#include "platform/child.h"
#include "support/hex.h"

#include "proto/recorded.h"

static void private_key_of(enum usmp_role role, uint8_t private_key[USMP_PRIVATE_KEY_SIZE])
{
    hex_read(role == USMP_DEVICE ? RECORDED_DEVICE_PRIVATE_KEY : RECORDED_GATEWAY_PRIVATE_KEY, private_key,
             USMP_PRIVATE_KEY_SIZE);
}

static struct usmp_keys derive(enum usmp_role role, const struct usmp_transcript *transcript)
{
    uint8_t private_key[USMP_PRIVATE_KEY_SIZE];
    struct usmp_keys keys;
    private_key_of(role, private_key);
    assert_int_equal(usmp_keys_derive(role, private_key, transcript, &keys), USMP_KEYS_DERIVED);
    return keys;
}

static void test_public_keys(void **state)
{
    (void)state;
    const struct usmp_transcript transcript = recorded_transcript(2);
    uint8_t private_key[USMP_PRIVATE_KEY_SIZE];
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
    private_key_of(USMP_DEVICE, private_key);
    usmp_public_key(private_key, public_key);
    assert_memory_equal(public_key, transcript.device_public, sizeof public_key);
    private_key_of(USMP_GATEWAY, private_key);
    usmp_public_key(private_key, public_key);
    assert_memory_equal(public_key, transcript.gateway_public, sizeof public_key);
}

static void test_recorded_keys(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        const struct usmp_transcript transcript = recorded_transcript(version);
        for (int role = USMP_DEVICE; role <= USMP_GATEWAY; role++) {
            struct usmp_keys keys = derive((enum usmp_role)role, &transcript);
            assert_hex_equal(keys.device_to_gateway, USMP_KEY_SIZE, recorded_device_to_gateway[version]);
            assert_hex_equal(keys.gateway_to_device, USMP_KEY_SIZE, recorded_gateway_to_device[version]);
        }
    }
}

/* Keys are bound to the nonce and to both public keys, to one's own as well. */
static void test_every_byte_of_the_transcript_counts(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        struct usmp_transcript transcript = recorded_transcript(version);
        const struct usmp_keys right = derive(USMP_DEVICE, &transcript);
        uint8_t *const fields[] = {transcript.nonce, transcript.device_public, transcript.gateway_public};
        for (size_t f = 0; f < 3; f++) {
            for (size_t byte = 0; byte < 32; byte++) {
                fields[f][byte] ^= 1;
                struct usmp_keys wrong = derive(USMP_DEVICE, &transcript);
                assert_memory_not_equal(wrong.device_to_gateway, right.device_to_gateway, USMP_KEY_SIZE);
                assert_memory_not_equal(wrong.gateway_to_device, right.gateway_to_device, USMP_KEY_SIZE);
                fields[f][byte] ^= 1;
            }
        }
    }
}

/* tests/data/vectors/cases.json has more of them; crypto's tests have all. */
static void test_low_order_is_refused(void **state)
{
    (void)state;
    uint8_t private_key[USMP_PRIVATE_KEY_SIZE];
    struct usmp_keys keys;
    struct usmp_keys untouched;
    memset(&keys, 0xEE, sizeof keys);
    memset(&untouched, 0xEE, sizeof untouched);

    struct usmp_transcript transcript = recorded_transcript(2);
    memset(transcript.device_public, 0, sizeof transcript.device_public);
    private_key_of(USMP_GATEWAY, private_key);
    assert_int_equal(usmp_keys_derive(USMP_GATEWAY, private_key, &transcript, &keys), USMP_KEYS_REFUSED);

    transcript = recorded_transcript(1);
    memset(transcript.gateway_public, 0, sizeof transcript.gateway_public);
    transcript.gateway_public[0] = 1;
    private_key_of(USMP_DEVICE, private_key);
    assert_int_equal(usmp_keys_derive(USMP_DEVICE, private_key, &transcript, &keys), USMP_KEYS_REFUSED);
    assert_memory_equal(&keys, &untouched, sizeof keys);
}

static struct usmp_keys recorded_keys(void)
{
    struct usmp_keys keys;
    hex_read(recorded_device_to_gateway[2], keys.device_to_gateway, USMP_KEY_SIZE);
    hex_read(recorded_gateway_to_device[2], keys.gateway_to_device, USMP_KEY_SIZE);
    return keys;
}

static void test_recorded_rekey(void **state)
{
    (void)state;
    uint8_t session_id[USMP_SESSION_ID_SIZE];
    uint8_t salt[USMP_REKEY_SALT_SIZE];
    const struct usmp_keys keys = recorded_keys();
    struct usmp_keys next;
    hex_read(RECORDED_SESSION_ID, session_id, sizeof session_id);
    hex_read(RECORDED_REKEY_SALT, salt, sizeof salt);

    usmp_keys_rekey(&keys, USMP_DEVICE, session_id, salt, &next);
    assert_hex_equal(next.device_to_gateway, USMP_KEY_SIZE, RECORDED_REKEY_NEW_DEVICE_TO_GATEWAY_KEY);
    assert_hex_equal(next.gateway_to_device, USMP_KEY_SIZE, RECORDED_REKEY_NEW_GATEWAY_TO_DEVICE_KEY);

    struct usmp_keys in_place = keys;
    usmp_keys_rekey(&in_place, USMP_DEVICE, session_id, salt, &in_place);
    assert_memory_equal(&in_place, &next, sizeof next);
}

/* T and R are the sender's: a gateway that rekeys sends under what a device in its place would send under. */
static void test_rekey_goes_by_its_sender(void **state)
{
    (void)state;
    static const uint8_t session_id[USMP_SESSION_ID_SIZE] = {1};
    static const uint8_t salt[USMP_REKEY_SALT_SIZE] = {2};
    const struct usmp_keys keys = recorded_keys();
    struct usmp_keys swapped;
    memcpy(swapped.device_to_gateway, keys.gateway_to_device, USMP_KEY_SIZE);
    memcpy(swapped.gateway_to_device, keys.device_to_gateway, USMP_KEY_SIZE);

    struct usmp_keys by_device;
    struct usmp_keys by_gateway;
    usmp_keys_rekey(&keys, USMP_DEVICE, session_id, salt, &by_device);
    usmp_keys_rekey(&swapped, USMP_GATEWAY, session_id, salt, &by_gateway);
    assert_memory_equal(by_gateway.gateway_to_device, by_device.device_to_gateway, USMP_KEY_SIZE);
    assert_memory_equal(by_gateway.device_to_gateway, by_device.gateway_to_device, USMP_KEY_SIZE);

    usmp_keys_rekey(&keys, USMP_GATEWAY, session_id, salt, &by_gateway);
    assert_memory_not_equal(by_gateway.device_to_gateway, by_device.device_to_gateway, USMP_KEY_SIZE);
}

static void test_wipe(void **state)
{
    (void)state;
    static const struct usmp_keys zeros;
    struct usmp_keys keys = recorded_keys();
    usmp_keys_wipe(&keys);
    assert_memory_equal(&keys, &zeros, sizeof zeros);
}

static int use_wire_0(void *context)
{
    (void)context;
    static const uint8_t private_key[USMP_PRIVATE_KEY_SIZE];
    struct usmp_transcript transcript = recorded_transcript(1);
    struct usmp_keys keys;
    transcript.version = 0;
    return (int)usmp_keys_derive(USMP_DEVICE, private_key, &transcript, &keys);
}

static void test_there_is_no_wire_0(void **state)
{
    (void)state;
    assert_int_equal(child_run(use_wire_0, NULL), 128 + SIGABRT);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_public_keys),
        cmocka_unit_test(test_recorded_keys),
        cmocka_unit_test(test_every_byte_of_the_transcript_counts),
        cmocka_unit_test(test_low_order_is_refused),
        cmocka_unit_test(test_recorded_rekey),
        cmocka_unit_test(test_rekey_goes_by_its_sender),
        cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_there_is_no_wire_0),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
