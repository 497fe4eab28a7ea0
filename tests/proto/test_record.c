#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/record.h>

#include "crypto/start.h"
#include "platform/child.h"
#include "support/hex.h"

#include "proto/recorded.h"

/* Of tests/data/vectors/cases.json; test_cases.c goes through all of that file. */
static const char key_hex[] = "d6734e333caf533a0641a686dd34712f154a6043a4e526be71a0e5797fea1b45";
static const char session_id_hex[] = "201ac588f0a9b9541a5b471fea43ab8b";
static const char hello_world[] = "cdab0205070000002700988107000000201ac588f0a9b954199f36e42105fe898e24f475e120b9757d"
                                  "c16c51e6ce866cae841d";
static const char hello_world_chacha[] = "cdab0205000000002700b79a00000000201ac588f0a9b954d419f6ceb8a142ee583e40f6069f7"
                                         "08032514df2f1b7f50ca73cd2";

static uint8_t key[USMP_KEY_SIZE];
static uint8_t session_id[USMP_SESSION_ID_SIZE];

static struct usmp_record_context context_of(enum usmp_suite suite)
{
    return (struct usmp_record_context){key, session_id, suite};
}

static struct usmp_frame parsed(const uint8_t *bytes, size_t size)
{
    struct usmp_frame frame;
    assert_int_equal(usmp_frame_parse_datagram(bytes, size, &frame), USMP_FRAME_COMPLETE);
    return frame;
}

static void test_recorded_frames(void **state)
{
    (void)state;
    const struct {
        const char *hex;
        uint32_t seq;
        enum usmp_suite suite;
    } frames[] = {{hello_world, 7, USMP_AES_256_GCM}, {hello_world_chacha, 0, USMP_CHACHA20_POLY1305}};
    for (size_t i = 0; i < 2; i++) {
        const struct usmp_record_context context = context_of(frames[i].suite);
        uint8_t bytes[USMP_FRAME_MAX];
        uint8_t made[USMP_FRAME_MAX];
        uint8_t plaintext[USMP_PLAINTEXT_MAX];
        size_t plaintext_size = 0;
        size_t size = hex_read(frames[i].hex, bytes, sizeof bytes);
        struct usmp_frame frame = parsed(bytes, size);
        assert_int_equal(usmp_record_open(&context, &frame, plaintext, &plaintext_size), USMP_RECORD_OPENED);
        assert_int_equal(plaintext_size, 11);
        assert_memory_equal(plaintext, "hello world", 11);

        assert_int_equal(usmp_record_seal(&context, 2, USMP_DATA, frames[i].seq, plaintext, 11, made), size);
        assert_memory_equal(made, bytes, size);
    }
}

static void test_every_size_of_plaintext(void **state)
{
    (void)state;
    for (int suite = USMP_AES_256_GCM; suite <= USMP_CHACHA20_POLY1305; suite++) {
        const struct usmp_record_context context = context_of((enum usmp_suite)suite);
        for (size_t size = 0; size <= USMP_PLAINTEXT_MAX; size++) {
            uint8_t plaintext[USMP_PLAINTEXT_MAX];
            uint8_t opened[USMP_PLAINTEXT_MAX];
            uint8_t bytes[USMP_FRAME_MAX];
            size_t opened_size = 999;
            memset(plaintext, (int)size, sizeof plaintext);
            assert_int_equal(usmp_record_seal(&context, 2, USMP_DATA, 3, size == 0 ? NULL : plaintext, size, bytes),
                             12 + 28 + size);
            struct usmp_frame frame = parsed(bytes, 12 + 28 + size);
            assert_int_equal(usmp_record_open(&context, &frame, opened, &opened_size), USMP_RECORD_OPENED);
            assert_int_equal(opened_size, size);
            assert_memory_equal(opened, plaintext, size);
        }
    }
}

/* A changed frame with its CRC made right again: only the record's own checks are left. */
static enum usmp_record_verdict open_changed(size_t byte, uint8_t bits)
{
    const struct usmp_record_context context = context_of(USMP_AES_256_GCM);
    uint8_t bytes[USMP_FRAME_MAX];
    uint8_t plaintext[USMP_PLAINTEXT_MAX];
    size_t size = hex_read(hello_world, bytes, sizeof bytes);
    size_t plaintext_size = 999;
    bytes[byte] ^= bits;
    uint32_t seq = bytes[4] | (uint32_t)bytes[5] << 8 | (uint32_t)bytes[6] << 16 | (uint32_t)bytes[7] << 24;
    assert_int_equal(usmp_frame_write(bytes[2], bytes[3], seq, bytes + 12, size - 12, bytes), size);
    struct usmp_frame frame = parsed(bytes, size);
    enum usmp_record_verdict verdict = usmp_record_open(&context, &frame, plaintext, &plaintext_size);
    assert_int_equal(plaintext_size, verdict == USMP_RECORD_OPENED ? 11 : 999);
    return verdict;
}

static void test_every_bit_counts(void **state)
{
    (void)state;
    assert_int_equal(open_changed(20, 0), USMP_RECORD_OPENED);
    assert_int_equal(open_changed(2, 1 ^ 2), USMP_RECORD_WRONG_TAG); /* version 2 becomes 1 */
    assert_int_equal(open_changed(3, USMP_DATA ^ USMP_DATA_FRAG), USMP_RECORD_WRONG_TAG);
    for (size_t bit = 4 * 8; bit < 51 * 8; bit++) {
        size_t byte = bit / 8;
        if (byte >= 8 && byte < 12)
            continue; /* length and CRC, which the frame's own checks are for */
        bool is_nonce = byte < 8 || (byte >= 12 && byte < 24);
        assert_int_equal(open_changed(byte, (uint8_t)(1u << bit % 8)),
                         is_nonce ? USMP_RECORD_WRONG_NONCE : USMP_RECORD_WRONG_TAG);
    }
}

/* Sequence and nonce changed alike: the nonce is the computed one, the AAD tells. */
static void test_another_seq_in_both_places(void **state)
{
    (void)state;
    const struct usmp_record_context context = context_of(USMP_AES_256_GCM);
    uint8_t bytes[USMP_FRAME_MAX];
    uint8_t plaintext[USMP_PLAINTEXT_MAX];
    size_t plaintext_size;
    size_t size = hex_read(hello_world, bytes, sizeof bytes);
    bytes[12] = 8;
    usmp_frame_write(2, USMP_DATA, 8, bytes + 12, size - 12, bytes);
    struct usmp_frame frame = parsed(bytes, size);
    assert_int_equal(usmp_record_open(&context, &frame, plaintext, &plaintext_size), USMP_RECORD_WRONG_TAG);
}

static void test_wrong_key_session_and_suite(void **state)
{
    (void)state;
    uint8_t other_key[USMP_KEY_SIZE] = {1};
    uint8_t other_session[USMP_SESSION_ID_SIZE];
    uint8_t bytes[USMP_FRAME_MAX];
    uint8_t plaintext[USMP_PLAINTEXT_MAX];
    size_t plaintext_size;
    struct usmp_frame frame = parsed(bytes, hex_read(hello_world, bytes, sizeof bytes));

    struct usmp_record_context context = context_of(USMP_CHACHA20_POLY1305);
    assert_int_equal(usmp_record_open(&context, &frame, plaintext, &plaintext_size), USMP_RECORD_WRONG_TAG);
    context = (struct usmp_record_context){other_key, session_id, USMP_AES_256_GCM};
    assert_int_equal(usmp_record_open(&context, &frame, plaintext, &plaintext_size), USMP_RECORD_WRONG_TAG);

    memcpy(other_session, session_id, sizeof other_session);
    other_session[7] ^= 1;
    context = (struct usmp_record_context){key, other_session, USMP_AES_256_GCM};
    assert_int_equal(usmp_record_open(&context, &frame, plaintext, &plaintext_size), USMP_RECORD_WRONG_NONCE);
    /* Only half of the id is in the nonce. */
    other_session[7] ^= 1;
    other_session[8] ^= 1;
    assert_int_equal(usmp_record_open(&context, &frame, plaintext, &plaintext_size), USMP_RECORD_OPENED);
}

static void test_handshake_frames_are_no_records(void **state)
{
    (void)state;
    const struct usmp_record_context context = context_of(USMP_AES_256_GCM);
    const char *const frames[] = {recorded_hello[2], recorded_challenge[2], recorded_hello_ack[2],
                                  recorded_session_ok[2]};
    for (size_t i = 0; i < 4; i++) {
        uint8_t bytes[USMP_FRAME_MAX];
        uint8_t plaintext[USMP_PLAINTEXT_MAX];
        size_t plaintext_size;
        struct usmp_frame frame = parsed(bytes, hex_read(frames[i], bytes, sizeof bytes));
        assert_int_equal(usmp_record_open(&context, &frame, plaintext, &plaintext_size), USMP_RECORD_NOT_ENCRYPTED);
        assert_null(usmp_record_session(&frame));
    }
}

static void test_the_session_of_a_frame(void **state)
{
    (void)state;
    uint8_t bytes[USMP_FRAME_MAX];
    struct usmp_frame frame = parsed(bytes, hex_read(hello_world, bytes, sizeof bytes));
    assert_memory_equal(usmp_record_session(&frame), session_id, USMP_NONCE_SESSION_SIZE);
}

static void test_recorded_rekey_frame(void **state)
{
    (void)state;
    uint8_t device_key[USMP_KEY_SIZE];
    uint8_t device_session[USMP_SESSION_ID_SIZE];
    uint8_t salt[USMP_PLAINTEXT_MAX];
    uint8_t bytes[USMP_FRAME_MAX];
    size_t salt_size = 0;
    hex_read(recorded_device_to_gateway[2], device_key, sizeof device_key);
    hex_read(RECORDED_SESSION_ID, device_session, sizeof device_session);
    const struct usmp_record_context context = {device_key, device_session, USMP_AES_256_GCM};
    struct usmp_frame frame = parsed(bytes, hex_read(RECORDED_REKEY_FRAME, bytes, sizeof bytes));
    assert_int_equal(usmp_record_open(&context, &frame, salt, &salt_size), USMP_RECORD_OPENED);
    assert_hex_equal(salt, salt_size, RECORDED_REKEY_SALT);
}

struct nonsense {
    uint8_t version;
    uint8_t type;
    size_t size;
};

static int seal_it(void *argument)
{
    const struct nonsense *nonsense = argument;
    const struct usmp_record_context context = context_of(USMP_AES_256_GCM);
    static const uint8_t plaintext[USMP_PLAINTEXT_MAX + 1];
    static uint8_t out[USMP_FRAME_MAX + 1];
    usmp_record_seal(&context, nonsense->version, nonsense->type, 0, plaintext, nonsense->size, out);
    return 0;
}

static void test_sealing_nonsense_stops_the_program(void **state)
{
    (void)state;
    struct nonsense nonsense[] = {
        {2, USMP_DATA, USMP_PLAINTEXT_MAX + 1}, {2, USMP_HELLO, 10}, {2, USMP_PING, 1},
        {1, USMP_REKEY, USMP_REKEY_SALT_SIZE},  {2, USMP_REKEY, 31}, {0, USMP_DATA, 1},
    };
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        assert_int_equal(child_run(seal_it, &nonsense[i]), 128 + SIGABRT);
    struct nonsense sense = {2, USMP_REKEY, 32};
    assert_int_equal(child_run(seal_it, &sense), 0);
}

static int set_up(void **state)
{
    (void)state;
    hex_read(key_hex, key, sizeof key);
    hex_read(session_id_hex, session_id, sizeof session_id);
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_frames),
        cmocka_unit_test(test_every_size_of_plaintext),
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_another_seq_in_both_places),
        cmocka_unit_test(test_wrong_key_session_and_suite),
        cmocka_unit_test(test_handshake_frames_are_no_records),
        cmocka_unit_test(test_the_session_of_a_frame),
        cmocka_unit_test(test_recorded_rekey_frame),
        cmocka_unit_test(test_sealing_nonsense_stops_the_program),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
