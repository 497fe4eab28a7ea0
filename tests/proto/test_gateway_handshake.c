#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/gateway_handshake.h>
#include <usmp/handshake_hmac.h>
#include <usmp/keys.h>
#include <usmp/start.h>
#include <usmp/transcript.h>

/* docs/protocol.md section 2, seen from the gateway; the device here is made of the low layers. */

#define NOW UINT64_C(5000000)

static const uint8_t device_id[USMP_DEVICE_ID_SIZE] = {0xDE, 0xAD, 0xBE, 0xEF, 0x00, 0x01};
static uint8_t device_private[USMP_PRIVATE_KEY_SIZE];
static struct usmp_hello hello;
static struct usmp_gateway_secrets secrets;
static struct usmp_psk psks[3];

static int setup(void **state)
{
    (void)state;
    assert_null(usmp_start());
    memset(device_private, 0x11, sizeof device_private);
    memcpy(hello.device_id, device_id, sizeof device_id);
    usmp_public_key(device_private, hello.public_key);
    memset(secrets.private_key, 0x22, sizeof secrets.private_key);
    usmp_public_key(secrets.private_key, secrets.public_key);
    memset(secrets.nonce, 0x33, sizeof secrets.nonce);
    memset(secrets.session_id, 0x44, sizeof secrets.session_id);
    for (size_t index = 0; index < 3; index++) {
        uint8_t psk[32];
        memset(psk, (int)(0xA0 + index), sizeof psk);
        usmp_psk_init(&psks[index], psk, sizeof psk);
    }
    return 0;
}

static void begin(struct usmp_gateway_handshake *handshake, enum usmp_transport transport, uint8_t version,
                  unsigned repeats)
{
    usmp_gateway_handshake_begin(handshake, transport, version, &hello, &secrets, repeats, NOW);
}

static struct usmp_transcript transcript_of(uint8_t version)
{
    struct usmp_transcript transcript = {.version = version};
    memcpy(transcript.nonce, secrets.nonce, sizeof transcript.nonce);
    memcpy(transcript.device_public, hello.public_key, sizeof transcript.device_public);
    memcpy(transcript.gateway_public, secrets.public_key, sizeof transcript.gateway_public);
    return transcript;
}

static struct usmp_hello_ack answer(uint8_t version, const struct usmp_psk *psk)
{
    struct usmp_transcript transcript = transcript_of(version);
    struct usmp_hello_ack hello_ack;
    usmp_device_hmac(psk, &transcript, device_id, hello_ack.hmac);
    return hello_ack;
}

static void challenge_is_the_same_each_time(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct usmp_gateway_handshake handshake;
        begin(&handshake, USMP_UDP, version, 2);
        uint8_t first[USMP_CHALLENGE_FRAME];
        uint8_t second[USMP_CHALLENGE_FRAME];
        usmp_gateway_handshake_challenge(&handshake, first);
        usmp_gateway_handshake_challenge(&handshake, second);
        assert_memory_equal(first, second, sizeof first);

        struct usmp_frame frame;
        struct usmp_challenge challenge;
        assert_int_equal(usmp_frame_parse_datagram(first, sizeof first, &frame), USMP_FRAME_COMPLETE);
        assert_int_equal(frame.version, version);
        assert_int_equal(frame.seq, 0);
        assert_true(usmp_challenge_read(&frame, &challenge));
        assert_memory_equal(challenge.nonce, secrets.nonce, sizeof challenge.nonce);
        assert_memory_equal(challenge.public_key, secrets.public_key, sizeof challenge.public_key);
    }
}

static void a_copy_of_its_hello_is_known_with_or_without_cookie(void **state)
{
    (void)state;
    struct usmp_gateway_handshake handshake;
    begin(&handshake, USMP_UDP, USMP_WIRE_2, 2);
    struct usmp_hello other = hello;
    assert_true(usmp_gateway_handshake_matches(&handshake, USMP_WIRE_2, &other));
    other.has_cookie = true;
    memset(other.cookie, 0xCC, sizeof other.cookie);
    assert_true(usmp_gateway_handshake_matches(&handshake, USMP_WIRE_2, &other));
    assert_false(usmp_gateway_handshake_matches(&handshake, USMP_WIRE_1, &other));
    other = hello;
    other.device_id[5] ^= 1;
    assert_false(usmp_gateway_handshake_matches(&handshake, USMP_WIRE_2, &other));
    other = hello;
    other.public_key[0] ^= 1;
    assert_false(usmp_gateway_handshake_matches(&handshake, USMP_WIRE_2, &other));
}

/* docs/security.md rule 11: "at most two repeats". */
static void challenge_is_repeated_as_often_as_allowed(void **state)
{
    (void)state;
    struct usmp_gateway_handshake handshake;
    begin(&handshake, USMP_UDP, USMP_WIRE_2, 2);
    assert_int_equal(handshake.begun, NOW);
    assert_int_equal(handshake.repeat_due, NOW + 500000);
    assert_false(usmp_gateway_handshake_repeat(&handshake, NOW + 499999));
    assert_true(usmp_gateway_handshake_repeat(&handshake, NOW + 500000));
    assert_false(usmp_gateway_handshake_repeat(&handshake, NOW + 999999));
    assert_true(usmp_gateway_handshake_repeat(&handshake, NOW + 1000000));
    assert_int_equal(handshake.repeat_due, USMP_NEVER);
    assert_false(usmp_gateway_handshake_repeat(&handshake, NOW + 100000000));

    begin(&handshake, USMP_UDP, USMP_WIRE_2, 0);
    assert_int_equal(handshake.repeat_due, USMP_NEVER);
    begin(&handshake, USMP_TCP, USMP_WIRE_2, 2);
    assert_int_equal(handshake.repeat_due, USMP_NEVER);
    assert_false(usmp_gateway_handshake_repeat(&handshake, NOW + 100000000));
}

static void the_key_that_fits_is_found(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        for (size_t right = 0; right < 3; right++) {
            struct usmp_gateway_handshake handshake;
            begin(&handshake, USMP_UDP, version, 2);
            struct usmp_hello_ack hello_ack = answer(version, &psks[right]);
            size_t matched = 99;
            assert_int_equal(usmp_gateway_handshake_verify(&handshake, &hello_ack, psks, 3, &matched),
                             USMP_HANDSHAKE_RIGHT);
            assert_int_equal(matched, right);
        }
    }
}

static void the_first_of_equal_keys_is_named(void **state)
{
    (void)state;
    const struct usmp_psk same[] = {psks[1], psks[0], psks[0]};
    struct usmp_gateway_handshake handshake;
    begin(&handshake, USMP_TCP, USMP_WIRE_2, 0);
    struct usmp_hello_ack hello_ack = answer(USMP_WIRE_2, &psks[0]);
    size_t matched = 99;
    assert_int_equal(usmp_gateway_handshake_verify(&handshake, &hello_ack, same, 3, &matched), USMP_HANDSHAKE_RIGHT);
    assert_int_equal(matched, 1);
}

/* docs/security.md rule 13: "A wrong HELLO_ACK over UDP is dropped and the handshake stays, at most 8 checks". */
static void wrong_answers_are_looked_at_eight_times(void **state)
{
    (void)state;
    struct usmp_gateway_handshake handshake;
    begin(&handshake, USMP_UDP, USMP_WIRE_2, 2);
    struct usmp_hello_ack right = answer(USMP_WIRE_2, &psks[0]);
    struct usmp_hello_ack wrong = answer(USMP_WIRE_1, &psks[0]);
    size_t matched = 99;
    for (int check = 0; check < 7; check++)
        assert_int_equal(usmp_gateway_handshake_verify(&handshake, &wrong, psks, 3, &matched), USMP_HANDSHAKE_WRONG);
    assert_int_equal(matched, 99);
    struct usmp_gateway_handshake at_last = handshake;
    assert_int_equal(usmp_gateway_handshake_verify(&at_last, &right, psks, 3, &matched), USMP_HANDSHAKE_RIGHT);
    assert_int_equal(matched, 0);
    matched = 99;
    assert_int_equal(usmp_gateway_handshake_verify(&handshake, &wrong, psks, 3, &matched), USMP_HANDSHAKE_WRONG);
    assert_int_equal(usmp_gateway_handshake_verify(&handshake, &right, psks, 3, &matched), USMP_HANDSHAKE_SPENT);
    assert_int_equal(matched, 99);
}

static void every_part_of_the_transcript_counts(void **state)
{
    (void)state;
    struct usmp_hello_ack hello_ack = answer(USMP_WIRE_2, &psks[0]);
    for (int part = 0; part < 4; part++) {
        struct usmp_gateway_handshake handshake;
        begin(&handshake, USMP_UDP, USMP_WIRE_2, 2);
        uint8_t *parts[] = {handshake.device_id, handshake.device_public, handshake.secrets.public_key,
                            handshake.secrets.nonce};
        parts[part][0] ^= 1;
        size_t matched = 99;
        assert_int_equal(usmp_gateway_handshake_verify(&handshake, &hello_ack, psks, 1, &matched),
                         USMP_HANDSHAKE_WRONG);
    }
}

static void completion_gives_a_session_both_sides_agree_on(void **state)
{
    (void)state;
    for (uint8_t version = USMP_WIRE_1; version <= USMP_WIRE_2; version++) {
        struct usmp_gateway_handshake handshake;
        begin(&handshake, USMP_UDP, version, 2);
        struct usmp_hello_ack hello_ack = answer(version, &psks[1]);
        struct usmp_session_start start;
        memset(&start, 0xFF, sizeof start);
        assert_int_equal(usmp_gateway_handshake_complete(&handshake, &hello_ack, &psks[1], &start),
                         USMP_HANDSHAKE_COMPLETE);
        assert_int_equal(start.role, USMP_GATEWAY);
        assert_int_equal(start.transport, USMP_UDP);
        assert_int_equal(start.version, version);
        assert_false(start.may_send); /* the caller allows it */
        assert_memory_equal(start.session_id, secrets.session_id, sizeof start.session_id);
        assert_memory_equal(start.device_public, hello.public_key, sizeof start.device_public);
        assert_memory_equal(start.hello_ack_hmac, hello_ack.hmac, sizeof start.hello_ack_hmac);

        struct usmp_transcript transcript = transcript_of(version);
        struct usmp_keys keys;
        assert_int_equal(usmp_keys_derive(USMP_DEVICE, device_private, &transcript, &keys), USMP_KEYS_DERIVED);
        assert_memory_equal(&start.keys, &keys, sizeof keys);
        assert_true(usmp_gateway_hmac_matches(&psks[1], &transcript, start.session_id, start.session_ok_hmac));

        static const struct usmp_gateway_handshake wiped;
        assert_memory_equal(&handshake, &wiped, sizeof wiped);
    }
}

/* "An all-zero shared secret is refused." */
static void a_public_key_of_low_order_is_refused(void **state)
{
    (void)state;
    struct usmp_gateway_handshake handshake;
    begin(&handshake, USMP_UDP, USMP_WIRE_2, 2);
    memset(handshake.device_public, 0, sizeof handshake.device_public);
    struct usmp_hello_ack hello_ack = answer(USMP_WIRE_2, &psks[0]);
    struct usmp_session_start start;
    struct usmp_session_start untouched;
    memset(&start, 0x5A, sizeof start);
    untouched = start;
    assert_int_equal(usmp_gateway_handshake_complete(&handshake, &hello_ack, &psks[0], &start), USMP_HANDSHAKE_REFUSED);
    assert_memory_equal(&start, &untouched, sizeof start);
    /* docs/security.md rule 6: the key pair has been used, whatever came of it. */
    static const struct usmp_gateway_handshake wiped;
    assert_memory_equal(&handshake, &wiped, sizeof wiped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenge_is_the_same_each_time),
        cmocka_unit_test(a_copy_of_its_hello_is_known_with_or_without_cookie),
        cmocka_unit_test(challenge_is_repeated_as_often_as_allowed),
        cmocka_unit_test(the_key_that_fits_is_found),
        cmocka_unit_test(the_first_of_equal_keys_is_named),
        cmocka_unit_test(wrong_answers_are_looked_at_eight_times),
        cmocka_unit_test(every_part_of_the_transcript_counts),
        cmocka_unit_test(completion_gives_a_session_both_sides_agree_on),
        cmocka_unit_test(a_public_key_of_low_order_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
