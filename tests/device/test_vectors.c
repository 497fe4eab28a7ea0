/* The strict device against the conversations recorded with released SDKs (tests/data/vectors): its bytes are right
 * whatever usmpd makes of them. The recorded devices are the Python SDK, so a row of the era table is bent where that one
 * differs from the C core. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "device/bench.h"
#include "support/hex.h"

static struct bench bench;
static struct bench_sent long_frames[4];

static json_t *load(const char *name)
{
    char path[512];
    json_error_t error;
    snprintf(path, sizeof path, "%s/vectors/%s", USMPD_TEST_DATA_DIR, name);
    json_t *root = json_load_file(path, 0, &error);
    if (root == NULL)
        fail_msg("%s: %s", path, error.text);
    return root;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

static size_t bytes_of(const json_t *object, const char *name, uint8_t *out, size_t room)
{
    return hex_read(text_of(object, name), out, room);
}

static struct bench_sent frame_of(const char *hex)
{
    struct bench_sent frame;
    frame.size = hex_read(hex, frame.bytes, sizeof frame.bytes);
    return frame;
}

static void expect_sent(const char *hex)
{
    struct bench_sent sent = bench_take(&bench);
    assert_hex_equal(sent.bytes, sent.size, hex);
}

static uint8_t recorded_psk[STRICT_PSK_MAX];
static uint8_t recorded_random[STRICT_KEY_SIZE];

/* The device that was recorded, with its key pair. */
static void open_recorded(const json_t *recording, enum strict_transport transport)
{
    bool first = json_integer_value(json_object_get(recording, "wire_version")) == 1;
    bench_open(&bench, first ? "0.5" : "1.2.2", &strict_port_arduino, transport);
    bench.era.says_bye = true;
    bench.start.psk = recorded_psk;
    bench.start.psk_size = bytes_of(recording, "psk", recorded_psk, sizeof recorded_psk);
    bytes_of(recording, "device_id", bench.start.id, sizeof bench.start.id);
    bytes_of(recording, "device_private_key", recorded_random, sizeof recorded_random);
    bench.next_random = recorded_random;
}

static void play_handshake(const json_t *steps)
{
    size_t index;
    const json_t *step;
    bench_begin(&bench);
    json_array_foreach(steps, index, step) {
        if (strcmp(text_of(step, "from"), "device") == 0) {
            expect_sent(text_of(step, "frame"));
        } else {
            struct bench_sent frame = frame_of(text_of(step, "frame"));
            bench_give(&bench, &frame);
        }
    }
    bench_expect_event(&bench, STRICT_CONNECTED);
}

static void expect_frames(const json_t *step)
{
    size_t index;
    const json_t *frame;
    json_array_foreach(json_object_get(step, "frames"), index, frame)
        expect_sent(json_string_value(frame));
}

static void give_frames(const json_t *step, const char *name)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(json_object_get(step, name), index, entry) {
        struct bench_sent frame = frame_of(json_string_value(entry));
        bench_give(&bench, &frame);
    }
}

static void play_stream_step(const json_t *step)
{
    uint8_t plain[STRICT_MESSAGE_MAX];
    const char *what = text_of(step, "do");
    if (strcmp(what, "device sends") == 0) {
        size_t size = bytes_of(step, "plaintext", plain, sizeof plain);
        assert_int_equal(strict_device_send(&bench.device, plain, size, bench.now), STRICT_BEGUN);
        bench_expect_event(&bench, STRICT_SENT);
        expect_frames(step);
    } else if (strcmp(what, "gateway sends") == 0) {
        size_t size = bytes_of(step, "plaintext", plain, sizeof plain);
        assert_int_equal(strict_device_read(&bench.device, bench.now), STRICT_BEGUN);
        give_frames(step, "frames");
        struct strict_event event = bench_expect_event(&bench, STRICT_MESSAGE);
        assert_int_equal(event.size, size);
        assert_memory_equal(bench.message, plain, size);
    } else if (strcmp(what, "device pings") == 0) {
        assert_int_equal(strict_device_ping(&bench.device, bench.now), STRICT_BEGUN);
        bench_expect_event(&bench, STRICT_SENT);
        expect_frames(step);
        assert_int_equal(strict_device_read(&bench.device, bench.now), STRICT_BEGUN);
        give_frames(step, "gateway answers");
        assert_int_equal(bench_expect_event(&bench, STRICT_OPENED).type, STRICT_TYPE_PONG);
    } else if (strcmp(what, "device rekeys") == 0) {
        bytes_of(step, "salt", recorded_random, sizeof recorded_random);
        assert_int_equal(strict_device_rekey(&bench.device, bench.now), STRICT_BEGUN);
        expect_frames(step);
    } else {
        assert_string_equal(what, "device says bye");
        assert_int_equal(strict_device_close(&bench.device, bench.now), STRICT_BEGUN);
        expect_frames(step);
        assert_true(bench.device.over);
    }
    bench.event_count = 0;
}

static void play_streams(const char *name)
{
    size_t index;
    size_t step_index;
    const json_t *transcript;
    const json_t *step;
    json_t *root = load(name);
    const json_t *transcripts = json_object_get(root, "transcripts");
    assert_true(json_array_size(transcripts) > 0);
    json_array_foreach(transcripts, index, transcript) {
        open_recorded(transcript, STRICT_TCP);
        play_handshake(json_object_get(transcript, "handshake"));
        json_array_foreach(json_object_get(transcript, "session"), step_index, step)
            play_stream_step(step);
        bench_expect_silence(&bench);
        bench_close(&bench);
    }
    json_decref(root);
}

static void streams_of_wire_1(void **state)
{
    (void)state;
    play_streams("wire1.json");
}

static void streams_of_wire_2(void **state)
{
    (void)state;
    play_streams("wire2.json");
}

static bool begins(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* What the step says in quotes. */
static size_t quoted(const char *what, uint8_t *out)
{
    const char *first = strchr(what, '\'');
    assert_non_null(first);
    size_t size = strcspn(first + 1, "'");
    memcpy(out, first + 1, size);
    return size;
}

/* The thousand bytes are nowhere but in the recorded frames. */
static size_t recorded_message(const json_t *datagrams, uint8_t *out)
{
    size_t size = 0;
    size_t index;
    const json_t *entry;
    json_array_foreach(datagrams, index, entry) {
        struct strict_frame frame;
        struct bench_sent *datagram = &long_frames[0];
        *datagram = frame_of(text_of(entry, "datagram"));
        if (!strict_frame_read(datagram->bytes, datagram->size, bench.era.version, &frame))
            continue;
        assert_true(strict_open(STRICT_AES_256_GCM, bench.device.keys.send, bench.device.session_id, frame.seq,
                                frame.header, STRICT_AAD_SIZE, frame.payload, frame.size, out + size));
        size += frame.size - STRICT_SEALED_EXTRA;
    }
    assert_int_equal(size, 1000);
    return size;
}

static void device_acts(const json_t *root, const json_t *step)
{
    uint8_t plain[STRICT_MESSAGE_MAX];
    const char *what = text_of(step, "do");
    enum strict_verdict verdict = STRICT_BEGUN;
    if (begins(what, "handshake")) {
        bench_begin(&bench);
    } else if (begins(what, "device sends 1000")) {
        size_t size = recorded_message(json_object_get(step, "datagrams"), plain);
        verdict = strict_device_send(&bench.device, plain, size, bench.now);
    } else if (begins(what, "device sends")) {
        verdict = strict_device_send(&bench.device, plain, quoted(what, plain), bench.now);
    } else if (begins(what, "device pings")) {
        verdict = strict_device_ping(&bench.device, bench.now);
    } else if (begins(what, "device rekeys")) {
        bytes_of(root, "rekey_salt", recorded_random, sizeof recorded_random);
        verdict = strict_device_rekey(&bench.device, bench.now);
    } else if (begins(what, "device says bye")) {
        verdict = strict_device_close(&bench.device, bench.now);
    } else {
        assert_true(begins(what, "gateway sends"));
        verdict = strict_device_read(&bench.device, bench.now);
    }
    assert_int_equal(verdict, STRICT_BEGUN);
}

static void play_datagrams(const json_t *step)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(json_object_get(step, "datagrams"), index, entry) {
        struct bench_sent datagram = frame_of(text_of(entry, "datagram"));
        if (strcmp(text_of(entry, "from"), "device") == 0) {
            expect_sent(text_of(entry, "datagram"));
        } else if (json_is_true(json_object_get(entry, "lost"))) {
            bench_wait(&bench, strict_device_deadline(&bench.device) - bench.now);
        } else {
            /* PONG, for which the application of the recorded device was waiting. */
            if (begins(text_of(step, "do"), "device pings") && !strict_is_utack(datagram.bytes, datagram.size))
                assert_int_equal(strict_device_read(&bench.device, bench.now), STRICT_BEGUN);
            bench_give(&bench, &datagram);
        }
    }
    bench_wait(&bench, MILLISECONDS(600));
    bench_expect_silence(&bench);
}

static void expect_message(const char *what)
{
    uint8_t plain[64];
    size_t size = quoted(what, plain);
    struct strict_event event = bench_expect_event(&bench, STRICT_MESSAGE);
    assert_int_equal(event.size, size);
    assert_memory_equal(bench.message, plain, size);
}

static void play_conversation(const char *name)
{
    size_t index;
    const json_t *step;
    json_t *root = load(name);
    open_recorded(root, STRICT_UDP);
    json_array_foreach(json_object_get(root, "steps"), index, step) {
        device_acts(root, step);
        play_datagrams(step);
        if (begins(text_of(step, "do"), "gateway sends"))
            expect_message(text_of(step, "do"));
        else if (begins(text_of(step, "do"), "device says bye"))
            bench_expect_event(&bench, STRICT_CLOSED);
        bench.event_count = 0;
    }
    assert_int_equal(index, json_array_size(json_object_get(root, "steps")));
    bench_close(&bench);
    json_decref(root);
}

static void datagrams_of_wire_1(void **state)
{
    (void)state;
    play_conversation("wire1-udp.json");
}

static void datagrams_of_wire_2(void **state)
{
    (void)state;
    play_conversation("wire2-udp.json");
}

static bool opens(const json_t *root, const json_t *entry, enum strict_cipher cipher, uint8_t *plain, size_t *size)
{
    uint8_t key[STRICT_KEY_SIZE];
    uint8_t session_id[STRICT_SESSION_ID_SIZE];
    struct strict_frame frame;
    struct bench_sent bytes = frame_of(text_of(entry, "frame"));
    bytes_of(root, "key", key, sizeof key);
    bytes_of(root, "session_id", session_id, sizeof session_id);
    if (!strict_frame_read(bytes.bytes, bytes.size, 2, &frame) ||
        !strict_open(cipher, key, session_id, frame.seq, frame.header, STRICT_AAD_SIZE, frame.payload, frame.size,
                     plain))
        return false;
    *size = frame.size - STRICT_SEALED_EXTRA;
    return true;
}

static void single_frames(void **state)
{
    (void)state;
    size_t index;
    size_t size;
    const json_t *entry;
    uint8_t plain[STRICT_PAYLOAD_MAX];
    json_t *root = load("cases.json");
    json_array_foreach(json_object_get(root, "good"), index, entry) {
        bool aes = strcmp(text_of(entry, "suite"), "AES256_GCM") == 0;
        assert_true(opens(root, entry, aes ? STRICT_AES_256_GCM : STRICT_CHACHA20_POLY1305, plain, &size));
        assert_hex_equal(plain, size, text_of(entry, "plaintext"));
        assert_false(opens(root, entry, aes ? STRICT_CHACHA20_POLY1305 : STRICT_AES_256_GCM, plain, &size));
    }
    assert_true(index > 0);
    uint8_t untouched[sizeof plain];
    memset(plain, 0x5a, sizeof plain);
    memcpy(untouched, plain, sizeof plain);
    json_array_foreach(json_object_get(root, "bad"), index, entry) {
        assert_false(opens(root, entry, STRICT_AES_256_GCM, plain, &size));
        assert_memory_equal(plain, untouched, sizeof plain);
    }
    assert_true(index > 0);
    json_decref(root);
}

static void utack(void **state)
{
    (void)state;
    uint8_t key[STRICT_KEY_SIZE];
    uint8_t bytes[STRICT_UTACK_FULL];
    json_t *root = load("cases.json");
    const json_t *recorded = json_object_get(root, "utack");
    bytes_of(recorded, "receiver_rx_key", key, sizeof key);
    strict_utack_write(5, 7, bytes);
    strict_utack_mac(key, bytes, bytes + STRICT_UTACK_PLAIN);
    assert_hex_equal(bytes, sizeof bytes, text_of(recorded, "utack"));
    json_decref(root);
}

static void keys_that_nobody_can_own(void **state)
{
    (void)state;
    size_t index;
    const json_t *key;
    struct strict_session_keys keys;
    struct strict_handshake_secrets handshake = {.private_key = {1, 2, 3}};
    json_t *root = load("cases.json");
    strict_public_key(handshake.private_key, handshake.public_key);
    json_array_foreach(json_object_get(root, "low_order_public_keys"), index, key) {
        hex_read(json_string_value(key), handshake.gateway_key, sizeof handshake.gateway_key);
        assert_false(strict_session_keys_derive(2, &handshake, &keys));
    }
    assert_true(index > 0);
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_of_wire_1),
        cmocka_unit_test(streams_of_wire_2),
        cmocka_unit_test(datagrams_of_wire_1),
        cmocka_unit_test(datagrams_of_wire_2),
        cmocka_unit_test(single_frames),
        cmocka_unit_test(utack),
        cmocka_unit_test(keys_that_nobody_can_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
