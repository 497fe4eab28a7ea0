#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/handshake_hmac.h>
#include <usmp/psk.h>

#include "crypto/start.h"
#include "platform/child.h"
#include "support/hex.h"

#include "proto/recorded.h"

struct inputs {
    struct usmp_psk psk;
    struct usmp_transcript transcript;
    uint8_t device_id[USMP_DEVICE_ID_SIZE];
    uint8_t session_id[USMP_SESSION_ID_SIZE];
    uint8_t device_hmac[USMP_HANDSHAKE_HMAC_SIZE];  /* as recorded */
    uint8_t gateway_hmac[USMP_HANDSHAKE_HMAC_SIZE]; /* as recorded */
};

static struct inputs recorded_inputs(uint8_t version)
{
    struct inputs inputs = {.transcript = recorded_transcript(version)};
    uint8_t bytes[USMP_FRAME_MAX];
    size_t size = hex_read(RECORDED_PSK, bytes, sizeof bytes);
    usmp_psk_init(&inputs.psk, bytes, size);
    hex_read(RECORDED_DEVICE_ID, inputs.device_id, sizeof inputs.device_id);
    hex_read(RECORDED_SESSION_ID, inputs.session_id, sizeof inputs.session_id);
    hex_read(recorded_hello_ack[version], bytes, sizeof bytes);
    memcpy(inputs.device_hmac, bytes + 12, sizeof inputs.device_hmac);
    hex_read(recorded_session_ok[version], bytes, sizeof bytes);
    memcpy(inputs.gateway_hmac, bytes + 28, sizeof inputs.gateway_hmac);
    return inputs;
}

static bool device_matches(const struct inputs *inputs)
{
    return usmp_device_hmac_matches(&inputs->psk, &inputs->transcript, inputs->device_id, inputs->device_hmac);
}

static bool gateway_matches(const struct inputs *inputs)
{
    return usmp_gateway_hmac_matches(&inputs->psk, &inputs->transcript, inputs->session_id, inputs->gateway_hmac);
}

static void test_recorded_hmacs(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        const struct inputs inputs = recorded_inputs(version);
        uint8_t hmac[USMP_HANDSHAKE_HMAC_SIZE];
        usmp_device_hmac(&inputs.psk, &inputs.transcript, inputs.device_id, hmac);
        assert_memory_equal(hmac, inputs.device_hmac, sizeof hmac);
        usmp_gateway_hmac(&inputs.psk, &inputs.transcript, inputs.session_id, hmac);
        assert_memory_equal(hmac, inputs.gateway_hmac, sizeof hmac);
        assert_true(device_matches(&inputs));
        assert_true(gateway_matches(&inputs));
    }
}

/* One bit of anything that goes in, or of the HMAC, and it does not match. */
static void test_every_bit_counts(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        struct inputs inputs = recorded_inputs(version);
        const struct {
            uint8_t *bytes;
            size_t size;
            bool of_device;
            bool of_gateway;
        } fields[] = {
            {inputs.transcript.nonce, 32, true, true},
            {inputs.transcript.device_public, 32, true, true},
            {inputs.transcript.gateway_public, 32, true, true},
            {inputs.device_id, 6, true, false},
            {inputs.session_id, 16, false, true},
            {inputs.device_hmac, 32, true, false},
            {inputs.gateway_hmac, 32, false, true},
            {(uint8_t *)inputs.psk.state, sizeof inputs.psk.state, true, true},
        };
        for (size_t f = 0; f < sizeof fields / sizeof *fields; f++) {
            for (size_t bit = 0; bit < fields[f].size * 8; bit++) {
                fields[f].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
                assert_int_equal(device_matches(&inputs), !fields[f].of_device);
                assert_int_equal(gateway_matches(&inputs), !fields[f].of_gateway);
                fields[f].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
        }
        assert_true(device_matches(&inputs) && gateway_matches(&inputs));
    }
}

/* What one wire proves is nothing on the other, and a device's proof is none of a gateway. */
static void test_proofs_do_not_move(void **state)
{
    (void)state;
    for (uint8_t version = 1; version <= 2; version++) {
        struct inputs inputs = recorded_inputs(version);
        inputs.transcript.version = version == 1 ? 2 : 1;
        assert_false(device_matches(&inputs));
        assert_false(gateway_matches(&inputs));

        inputs = recorded_inputs(version);
        memcpy(inputs.gateway_hmac, inputs.device_hmac, sizeof inputs.gateway_hmac);
        memset(inputs.session_id, 0, sizeof inputs.session_id);
        memcpy(inputs.session_id, inputs.device_id, sizeof inputs.device_id);
        assert_false(gateway_matches(&inputs));
    }
}

static void test_wiping_a_psk(void **state)
{
    (void)state;
    static const struct usmp_psk zeros;
    struct inputs inputs = recorded_inputs(2);
    usmp_psk_wipe(&inputs.psk);
    assert_memory_equal(&inputs.psk, &zeros, sizeof zeros);
    assert_false(device_matches(&inputs));
}

static int use_wire_3(void *context)
{
    struct inputs *inputs = context;
    inputs->transcript.version = 3;
    return device_matches(inputs);
}

static void test_there_is_no_wire_3(void **state)
{
    (void)state;
    struct inputs inputs = recorded_inputs(2);
    assert_int_equal(child_run(use_wire_3, &inputs), 128 + SIGABRT);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_hmacs),     cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_proofs_do_not_move), cmocka_unit_test(test_wiping_a_psk),
        cmocka_unit_test(test_there_is_no_wire_3),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
