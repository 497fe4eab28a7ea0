/* The recorded UDP conversations of tests/data/vectors, datagram by datagram, once with our gateway in the place of the
 * SDK's and once with our device: each gets what the other side is recorded to have sent, and has to send what is
 * recorded, byte for byte and in the same order.
 *
 * Our gateway asks for no cookie here (docs/protocol.md section 4), so for it a conversation begins with the HELLO that
 * is answered by CHALLENGE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <usmp/device.h>
#include <usmp/gateway_handshake.h>
#include <usmp/keys.h>
#include <usmp/start.h>
#include <usmp/utack.h>

#include "support/hex.h"

#define SENT_MAX 8
#define DATAGRAM_MAX USMP_FRAME_MAX

struct datagram {
    size_t size;
    uint8_t bytes[DATAGRAM_MAX];
};

/* A recording being played. */
static struct {
    json_t *root;
    uint8_t version;
    uint64_t now;
    struct datagram sent[SENT_MAX]; /* by our end, not compared yet */
    size_t sent_count;
    struct usmp_psk psk;
    uint8_t long_message[1000]; /* as our gateway has received it */
    size_t messages;
} tape;

static uint8_t scratch[USMP_PLAINTEXT_MAX];
static struct usmp_device device;
static struct usmp_gateway_handshake handshake;
static struct usmp_session session;

static void keep(void *context, struct usmp_session *from, enum usmp_send_kind kind, const uint8_t *bytes, size_t size)
{
    (void)context;
    (void)from;
    (void)kind;
    assert_true(tape.sent_count < SENT_MAX && size <= DATAGRAM_MAX);
    tape.sent[tape.sent_count].size = size;
    memcpy(tape.sent[tape.sent_count++].bytes, bytes, size);
}

static void *take_block(void *context, enum usmp_block block)
{
    (void)context;
    static const size_t sizes[] = {USMP_MESSAGE_MAX, sizeof(struct usmp_rekey_record), sizeof(struct usmp_sent_tags)};
    return malloc(sizes[block]);
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    (void)context;
    (void)block;
    free(bytes);
}

static const struct usmp_session_owner owner = {NULL, keep, take_block, give_block};

static void field(const char *name, uint8_t *out, size_t size)
{
    const char *hex = json_string_value(json_object_get(tape.root, name));
    assert_non_null(hex);
    assert_int_equal(hex_read(hex, out, size + 1), size);
}

static void open_tape(const char *name)
{
    char path[512];
    json_error_t error;
    snprintf(path, sizeof path, "%s/vectors/%s", USMPD_TEST_DATA_DIR, name);
    assert_null(usmp_start());
    memset(&tape, 0, sizeof tape);
    tape.root = json_load_file(path, 0, &error);
    if (tape.root == NULL)
        fail_msg("%s: %s", path, error.text);
    tape.version = (uint8_t)json_integer_value(json_object_get(tape.root, "wire_version"));
    tape.now = 1000000;
    uint8_t psk[32];
    field("psk", psk, sizeof psk);
    usmp_psk_init(&tape.psk, psk, sizeof psk);
}

static struct datagram read_datagram(const json_t *entry)
{
    struct datagram datagram;
    const char *hex = json_string_value(json_object_get(entry, "datagram"));
    assert_non_null(hex);
    datagram.size = hex_read(hex, datagram.bytes, sizeof datagram.bytes);
    return datagram;
}

static bool is_from(const json_t *entry, const char *who)
{
    return strcmp(json_string_value(json_object_get(entry, "from")), who) == 0;
}

/* The next thing our end has sent is this. */
static void expect_sent(const struct datagram *recorded)
{
    assert_true(tape.sent_count > 0);
    assert_int_equal(tape.sent[0].size, recorded->size);
    assert_memory_equal(tape.sent[0].bytes, recorded->bytes, recorded->size);
    memmove(&tape.sent[0], &tape.sent[1], --tape.sent_count * sizeof tape.sent[0]);
}

static bool is_utack(const struct datagram *datagram)
{
    return datagram->bytes[0] == USMP_UTACK_MAGIC;
}

static struct usmp_frame parse(const struct datagram *datagram)
{
    struct usmp_frame frame;
    assert_int_equal(usmp_frame_parse_datagram(datagram->bytes, datagram->size, &frame), USMP_FRAME_COMPLETE);
    return frame;
}

/* What a step says in quotes. */
static size_t quoted(const char *step, char *text, size_t room)
{
    const char *begin = strchr(step, '\'');
    assert_non_null(begin);
    size_t size = strcspn(begin + 1, "'");
    assert_true(size < room);
    memcpy(text, begin + 1, size);
    text[size] = '\0';
    return size;
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Our gateway. */

static void gateway_answers_hello(const struct usmp_frame *frame, const struct usmp_hello *hello)
{
    struct usmp_gateway_secrets secrets;
    struct datagram utack;
    struct datagram challenge = {.size = USMP_CHALLENGE_FRAME};
    field("gateway_private_key", secrets.private_key, sizeof secrets.private_key);
    usmp_public_key(secrets.private_key, secrets.public_key);
    field("nonce", secrets.nonce, sizeof secrets.nonce);
    field("session_id", secrets.session_id, sizeof secrets.session_id);
    usmp_gateway_handshake_begin(&handshake, USMP_UDP, frame->version, hello, &secrets, 2, tape.now);
    utack.size = usmp_utack_write_plain(frame->type, frame->seq, utack.bytes);
    usmp_gateway_handshake_challenge(&handshake, challenge.bytes);
    keep(NULL, NULL, USMP_SEND_ANSWER, utack.bytes, utack.size);
    keep(NULL, NULL, USMP_SEND_FRAME, challenge.bytes, challenge.size);
}

static void gateway_answers_hello_ack(const struct usmp_frame *frame, const struct usmp_hello_ack *hello_ack)
{
    size_t matched;
    struct usmp_session_start start;
    struct datagram utack;
    assert_int_equal(usmp_gateway_handshake_verify(&handshake, hello_ack, &tape.psk, 1, &matched),
                     USMP_HANDSHAKE_RIGHT);
    utack.size = usmp_utack_write_plain(frame->type, frame->seq, utack.bytes);
    keep(NULL, NULL, USMP_SEND_ANSWER, utack.bytes, utack.size);
    assert_int_equal(usmp_gateway_handshake_complete(&handshake, hello_ack, &tape.psk, &start),
                     USMP_HANDSHAKE_COMPLETE);
    start.may_send = true;
    start.confirm_within = 10000000;
    usmp_session_begin(&session, &owner, NULL, &start, tape.now);
}

static void gateway_takes(const char *step)
{
    char text[64];
    const struct usmp_offer offer = session.offer;
    if (begins_with(step, "device sends 1000 bytes")) {
        assert_int_equal(offer.size, sizeof tape.long_message);
        memcpy(tape.long_message, offer.bytes, offer.size);
    } else {
        assert_int_equal(offer.size, quoted(step, text, sizeof text));
        assert_memory_equal(offer.bytes, text, offer.size);
    }
    usmp_session_accept(&session, tape.now);
    tape.messages++;
}

static void gateway_receives(const char *step, const struct datagram *datagram)
{
    if (is_utack(datagram)) {
        enum usmp_session_verdict verdict =
            usmp_session_receive_utack(&session, datagram->bytes, datagram->size, tape.now);
        if (begins_with(step, "gateway sends"))
            assert_int_equal(verdict, USMP_SESSION_SENT);
        else if (!begins_with(step, "handshake")) /* where that of CHALLENGE has no session yet */
            assert_int_equal(verdict, USMP_SESSION_NOTHING);
        return;
    }
    struct usmp_frame frame = parse(datagram);
    struct usmp_hello hello;
    struct usmp_hello_ack hello_ack;
    if (usmp_hello_read(&frame, &hello)) {
        gateway_answers_hello(&frame, &hello);
    } else if (usmp_hello_ack_read(&frame, &hello_ack)) {
        gateway_answers_hello_ack(&frame, &hello_ack);
    } else {
        enum usmp_session_verdict verdict = usmp_session_receive(&session, &frame, scratch, tape.now);
        if (verdict == USMP_SESSION_OFFER)
            gateway_takes(step);
        else
            assert_true(verdict == USMP_SESSION_NOTHING || verdict == USMP_SESSION_DUPLICATE ||
                        (verdict == USMP_SESSION_OVER && frame.type == USMP_BYE));
        assert_int_equal(usmp_session_advance(&session, tape.now), USMP_SESSION_NOTHING); /* PONG */
    }
}

static void gateway_acts(const char *step)
{
    static char text[64];
    if (!begins_with(step, "gateway sends"))
        return;
    size_t size = quoted(step, text, sizeof text);
    assert_int_equal(usmp_session_send(&session, (const uint8_t *)text, size, tape.now), USMP_SEND_STARTED);
}

/* The first HELLO that gets CHALLENGE: without what came before it. */
static size_t first_for_gateway(const json_t *datagrams)
{
    size_t index;
    const json_t *entry;
    size_t first = 0;
    json_array_foreach(datagrams, index, entry) {
        struct datagram datagram = read_datagram(entry);
        if (!is_utack(&datagram) && datagram.bytes[3] == USMP_HELLO)
            first = index;
    }
    return first;
}

static void play_gateway(void)
{
    size_t step_index;
    const json_t *step;
    json_array_foreach(json_object_get(tape.root, "steps"), step_index, step) {
        const char *what = json_string_value(json_object_get(step, "do"));
        const json_t *datagrams = json_object_get(step, "datagrams");
        gateway_acts(what);
        for (size_t index = step_index == 0 ? first_for_gateway(datagrams) : 0; index < json_array_size(datagrams);
             index++) {
            const json_t *entry = json_array_get(datagrams, index);
            struct datagram datagram = read_datagram(entry);
            if (is_from(entry, "gateway"))
                expect_sent(&datagram);
            else
                gateway_receives(what, &datagram);
        }
        assert_int_equal(tape.sent_count, 0);
        tape.now += 1000;
    }
}

/* Our device. */

static void device_acts(const char *step)
{
    static char text[64];
    uint8_t salt[USMP_REKEY_SALT_SIZE];
    if (begins_with(step, "handshake")) {
        struct usmp_device_start start = {
            .transport = USMP_UDP, .version = tape.version, .psk = tape.psk, .give_up_after = 10000000};
        field("device_id", start.device_id, sizeof start.device_id);
        field("device_private_key", start.private_key, sizeof start.private_key);
        usmp_device_begin(&device, &owner, NULL, &start, tape.now);
    } else if (begins_with(step, "device sends 1000 bytes")) {
        assert_int_equal(usmp_session_send(&device.session, tape.long_message, sizeof tape.long_message, tape.now),
                         USMP_SEND_STARTED);
    } else if (begins_with(step, "device sends")) {
        size_t size = quoted(step, text, sizeof text);
        assert_int_equal(usmp_session_send(&device.session, (const uint8_t *)text, size, tape.now), USMP_SEND_STARTED);
    } else if (begins_with(step, "device pings")) {
        assert_int_equal(usmp_session_ping(&device.session, tape.now), USMP_SEND_STARTED);
    } else if (begins_with(step, "device rekeys")) {
        field("rekey_salt", salt, sizeof salt);
        assert_int_equal(usmp_session_rekey(&device.session, salt, tape.now), USMP_SEND_STARTED);
    } else if (begins_with(step, "device says bye")) {
        usmp_session_close(&device.session, tape.now);
    } else {
        assert_true(begins_with(step, "gateway sends"));
    }
}

static void device_receives(const char *step, const struct datagram *datagram)
{
    enum usmp_session_verdict verdict;
    if (is_utack(datagram)) {
        verdict = usmp_device_receive_utack(&device, datagram->bytes, datagram->size, tape.now);
    } else {
        struct usmp_frame frame = parse(datagram);
        verdict = usmp_device_receive(&device, &frame, scratch, tape.now);
    }
    if (verdict == USMP_SESSION_OFFER) {
        char text[64];
        assert_int_equal(device.session.offer.size, quoted(step, text, sizeof text));
        assert_memory_equal(device.session.offer.bytes, text, device.session.offer.size);
        usmp_session_accept(&device.session, tape.now);
        tape.messages++;
    } else {
        assert_true(verdict == USMP_SESSION_NOTHING || verdict == USMP_SESSION_SENT ||
                    (verdict == USMP_SESSION_OVER && begins_with(step, "device says bye")));
    }
    (void)!usmp_device_advance(&device, tape.now); /* the next fragment */
}

static void play_device(void)
{
    size_t step_index;
    size_t index;
    const json_t *step;
    const json_t *entry;
    json_array_foreach(json_object_get(tape.root, "steps"), step_index, step) {
        const char *what = json_string_value(json_object_get(step, "do"));
        device_acts(what);
        json_array_foreach(json_object_get(step, "datagrams"), index, entry) {
            struct datagram datagram = read_datagram(entry);
            if (is_from(entry, "device")) {
                expect_sent(&datagram);
            } else if (json_is_true(json_object_get(entry, "lost"))) {
                tape.now = usmp_device_deadline(&device);
                assert_int_equal(usmp_device_advance(&device, tape.now), USMP_SESSION_NOTHING);
            } else {
                device_receives(what, &datagram);
            }
        }
        assert_int_equal(tape.sent_count, 0);
        tape.now += 1000;
    }
}

static void play_both(const char *name, size_t messages_up)
{
    open_tape(name);
    play_gateway();
    assert_int_equal(tape.messages, messages_up);
    assert_int_equal(session.state, USMP_SESSION_ENDED);
    assert_int_equal(session.end, USMP_END_BYE);
    usmp_session_wipe(&session);

    tape.messages = 0;
    play_device();
    assert_int_equal(tape.messages, 1);
    assert_int_equal(device.session.state, USMP_SESSION_ENDED);
    assert_int_equal(device.session.end, USMP_END_CLOSED);
    usmp_device_wipe(&device);
    json_decref(tape.root);
}

static void wire_1(void **state)
{
    (void)state;
    play_both("wire1-udp.json", 3);
}

static void wire_2(void **state)
{
    (void)state;
    play_both("wire2-udp.json", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wire_1),
        cmocka_unit_test(wire_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
