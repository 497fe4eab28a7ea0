/* tests/data/vectors/cases.json: single frames that open or are refused, and public keys that are refused. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/frame.h>
#include <usmp/keys.h>
#include <usmp/record.h>
#include <usmp/start.h>
#include <usmp/utack.h>

#include "support/hex.h"

struct cases {
    json_t *root;
    uint8_t key[USMP_KEY_SIZE];
    uint8_t session_id[USMP_SESSION_ID_SIZE];
};

static const char *text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));
    assert_non_null(value);
    return value;
}

static size_t bytes(const json_t *object, const char *member, uint8_t *out, size_t room)
{
    return hex_read(text(object, member), out, room);
}

static struct usmp_record_context context_of(const struct cases *cases, enum usmp_suite suite)
{
    return (struct usmp_record_context){cases->key, cases->session_id, suite};
}

static enum usmp_suite suite_of(const json_t *entry)
{
    const char *name = text(entry, "suite");
    if (strcmp(name, "CHACHA20_POLY1305") == 0)
        return USMP_CHACHA20_POLY1305;
    assert_string_equal(name, "AES256_GCM");
    return USMP_AES_256_GCM;
}

static void test_good_frames_open_and_are_made(void **state)
{
    const struct cases *cases = *state;
    const json_t *good = json_object_get(cases->root, "good");
    assert_int_equal(json_array_size(good), 5);
    for (size_t i = 0; i < json_array_size(good); i++) {
        const json_t *entry = json_array_get(good, i);
        const struct usmp_record_context context = context_of(cases, suite_of(entry));
        uint8_t frame_bytes[USMP_FRAME_MAX];
        uint8_t plaintext[USMP_PLAINTEXT_MAX];
        uint8_t opened[USMP_PLAINTEXT_MAX];
        uint8_t made[USMP_FRAME_MAX];
        struct usmp_frame frame;
        size_t total = 0;
        size_t opened_size = 0;
        size_t size = bytes(entry, "frame", frame_bytes, sizeof frame_bytes);
        size_t plaintext_size = bytes(entry, "plaintext", plaintext, sizeof plaintext);

        assert_int_equal(usmp_frame_parse(frame_bytes, size, &frame, &total), USMP_FRAME_COMPLETE);
        assert_int_equal(total, size);
        assert_int_equal(frame.seq, json_integer_value(json_object_get(entry, "seq")));
        assert_int_equal(frame.type, json_integer_value(json_object_get(entry, "type")));
        assert_int_equal(usmp_record_open(&context, &frame, opened, &opened_size), USMP_RECORD_OPENED);
        assert_int_equal(opened_size, plaintext_size);
        assert_memory_equal(opened, plaintext, plaintext_size);

        assert_int_equal(usmp_record_seal(&context, 2, frame.type, frame.seq, plaintext, plaintext_size, made), size);
        assert_memory_equal(made, frame_bytes, size);
    }
}

/* Where each bad frame has to be noticed. */
struct refusal {
    const char *name;
    enum usmp_frame_verdict by_parser;
    enum usmp_record_verdict by_opening; /* of what the parser lets pass */
};

static const struct refusal refusals[] = {
    {"tag changed, CRC right", USMP_FRAME_COMPLETE, USMP_RECORD_WRONG_TAG},
    {"ciphertext changed, CRC right", USMP_FRAME_COMPLETE, USMP_RECORD_WRONG_TAG},
    {"CRC wrong", USMP_FRAME_BAD_CRC, USMP_RECORD_OPENED},
    {"nonce on the wire differs from the computed one", USMP_FRAME_COMPLETE, USMP_RECORD_WRONG_NONCE},
    {"type changed (AAD)", USMP_FRAME_BAD_LENGTH, USMP_RECORD_OPENED},
    {"seq changed (AAD)", USMP_FRAME_COMPLETE, USMP_RECORD_WRONG_NONCE},
    {"shorter than nonce and tag", USMP_FRAME_BAD_LENGTH, USMP_RECORD_OPENED},
    {"magic wrong", USMP_FRAME_BAD_MAGIC, USMP_RECORD_OPENED},
    {"version 3", USMP_FRAME_BAD_VERSION, USMP_RECORD_OPENED},
    {"length says 481", USMP_FRAME_BAD_LENGTH, USMP_RECORD_OPENED},
    {"type 0x0C, unknown", USMP_FRAME_BAD_TYPE, USMP_RECORD_OPENED},
};

static const struct refusal *refusal_of(const json_t *entry)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (strcmp(refusals[i].name, text(entry, "name")) == 0)
            return &refusals[i];
    }
    fail_msg("no refusal is named \"%s\"", text(entry, "name"));
    return NULL;
}

static void test_bad_frames_are_refused(void **state)
{
    const struct cases *cases = *state;
    const json_t *bad = json_object_get(cases->root, "bad");
    assert_int_equal(json_array_size(bad), sizeof refusals / sizeof *refusals);
    for (size_t i = 0; i < json_array_size(bad); i++) {
        const struct refusal *refusal = refusal_of(json_array_get(bad, i));
        uint8_t frame_bytes[USMP_FRAME_MAX];
        struct usmp_frame frame;
        size_t total = 0;
        size_t size = bytes(json_array_get(bad, i), "frame", frame_bytes, sizeof frame_bytes);
        assert_int_equal(usmp_frame_parse(frame_bytes, size, &frame, &total), refusal->by_parser);
        assert_int_equal(usmp_frame_parse_datagram(frame_bytes, size, &frame), refusal->by_parser);
        if (refusal->by_parser != USMP_FRAME_COMPLETE)
            continue;
        for (int suite = USMP_AES_256_GCM; suite <= USMP_CHACHA20_POLY1305; suite++) {
            const struct usmp_record_context context = context_of(cases, (enum usmp_suite)suite);
            uint8_t plaintext[USMP_PLAINTEXT_MAX];
            size_t plaintext_size = 0;
            assert_int_equal(usmp_record_open(&context, &frame, plaintext, &plaintext_size), refusal->by_opening);
        }
    }
}

static void test_the_utack(void **state)
{
    const struct cases *cases = *state;
    const json_t *entry = json_object_get(cases->root, "utack");
    uint8_t record_key[USMP_KEY_SIZE];
    uint8_t recorded[USMP_UTACK_KEYED_SIZE];
    uint8_t made[USMP_UTACK_KEYED_SIZE];
    struct usmp_utack_key key;
    struct usmp_utack utack;
    assert_int_equal(bytes(entry, "receiver_rx_key", record_key, sizeof record_key), sizeof record_key);
    assert_int_equal(bytes(entry, "utack", recorded, sizeof recorded), sizeof recorded);
    usmp_utack_key_init(&key, record_key);
    json_int_t type = json_integer_value(json_object_get(entry, "acknowledged_type"));
    json_int_t seq = json_integer_value(json_object_get(entry, "acknowledged_seq"));
    assert_int_equal(usmp_utack_write_keyed(&key, (uint8_t)type, (uint32_t)seq, made), sizeof recorded);
    assert_memory_equal(made, recorded, sizeof recorded);
    assert_true(usmp_utack_read(recorded, sizeof recorded, &utack));
    assert_true(usmp_utack_is_authentic(&key, &utack));

    /* It is of the receiver's key, not of the frames' one. */
    usmp_utack_key_init(&key, cases->key);
    assert_false(usmp_utack_is_authentic(&key, &utack));
}

static void test_low_order_public_keys_are_refused(void **state)
{
    const struct cases *cases = *state;
    const json_t *keys = json_object_get(cases->root, "low_order_public_keys");
    assert_int_equal(json_array_size(keys), 7);
    for (size_t i = 0; i < json_array_size(keys); i++) {
        for (uint8_t version = 1; version <= 2; version++) {
            static const uint8_t private_key[USMP_PRIVATE_KEY_SIZE] = {0x77, 0x07};
            struct usmp_transcript transcript = {.version = version};
            struct usmp_keys derived;
            const char *hex = json_string_value(json_array_get(keys, i));
            assert_non_null(hex);
            hex_read(hex, transcript.device_public, sizeof transcript.device_public);
            transcript.gateway_public[0] = 9;
            assert_int_equal(usmp_keys_derive(USMP_GATEWAY, private_key, &transcript, &derived), USMP_KEYS_REFUSED);
            assert_int_equal(usmp_keys_derive(USMP_DEVICE, private_key, &transcript, &derived), USMP_KEYS_DERIVED);

            hex_read(hex, transcript.gateway_public, sizeof transcript.gateway_public);
            assert_int_equal(usmp_keys_derive(USMP_DEVICE, private_key, &transcript, &derived), USMP_KEYS_REFUSED);
        }
    }
}

static int load(void **state)
{
    static struct cases cases;
    const char *problem = usmp_start();
    assert_null(problem);
    cases.root = json_load_file(USMPD_TEST_DATA_DIR "/vectors/cases.json", JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(cases.root);
    assert_int_equal(bytes(cases.root, "key", cases.key, sizeof cases.key), sizeof cases.key);
    assert_int_equal(bytes(cases.root, "session_id", cases.session_id, sizeof cases.session_id),
                     sizeof cases.session_id);
    *state = &cases;
    return 0;
}

static int unload(void **state)
{
    const struct cases *cases = *state;
    json_decref(cases->root);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_frames_open_and_are_made),
        cmocka_unit_test(test_bad_frames_are_refused),
        cmocka_unit_test(test_the_utack),
        cmocka_unit_test(test_low_order_public_keys_are_refused),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
