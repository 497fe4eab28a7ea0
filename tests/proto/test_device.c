#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/device.h>
#include <usmp/handshake_hmac.h>
#include <usmp/keys.h>
#include <usmp/record.h>
#include <usmp/start.h>
#include <usmp/transcript.h>
#include <usmp/utack.h>

/* docs/protocol.md sections 2 and 4, "the device role"; the gateway here is made of the low layers. */

#define START UINT64_C(7000000)
#define GIVE_UP_AFTER UINT64_C(10000000)
#define SENT_MAX 32

static struct usmp_device device;
static struct usmp_device_start start;
static struct usmp_challenge challenge;
static struct usmp_session_ok session_ok;
static uint8_t gateway_private[USMP_PRIVATE_KEY_SIZE];
static uint8_t scratch[USMP_PLAINTEXT_MAX];
static uint64_t now;
static struct {
    size_t size;
    enum usmp_send_kind kind;
    uint8_t bytes[USMP_FRAME_MAX];
} sent[SENT_MAX];
static size_t sent_count;
static size_t seen_count;

static void keep_sent(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                      size_t size)
{
    assert_ptr_equal(context, sent);
    assert_ptr_equal(session, &device.session);
    assert_ptr_equal(session->user, &start);
    assert_true(sent_count < SENT_MAX && size <= USMP_FRAME_MAX);
    sent[sent_count].kind = kind;
    sent[sent_count].size = size;
    memcpy(sent[sent_count++].bytes, bytes, size);
}

static struct usmp_sent_tags tags_block;

static void *take_block(void *context, enum usmp_block block)
{
    assert_ptr_equal(context, sent);
    assert_int_equal(block, USMP_BLOCK_REFLECTED);
    return &tags_block;
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    assert_ptr_equal(context, sent);
    assert_int_equal(block, USMP_BLOCK_REFLECTED);
    assert_ptr_equal(bytes, &tags_block);
}

static const struct usmp_session_owner owner = {sent, keep_sent, take_block, give_block};

static void assert_silence(void)
{
    assert_int_equal(sent_count, seen_count);
    sent_count = seen_count = 0;
}

static struct usmp_frame see_frame(uint8_t type, uint32_t seq)
{
    struct usmp_frame frame;
    assert_true(seen_count < sent_count);
    assert_int_equal(sent[seen_count].kind, USMP_SEND_FRAME);
    assert_int_equal(usmp_frame_parse_datagram(sent[seen_count].bytes, sent[seen_count].size, &frame),
                     USMP_FRAME_COMPLETE);
    seen_count++;
    assert_int_equal(frame.version, start.version);
    assert_int_equal(frame.type, type);
    assert_int_equal(frame.seq, seq);
    return frame;
}

static void see_utack(uint8_t type, uint32_t seq)
{
    uint8_t utack[USMP_UTACK_PLAIN_SIZE];
    size_t size = usmp_utack_write_plain(type, seq, utack);
    assert_true(seen_count < sent_count);
    assert_int_equal(sent[seen_count].kind, USMP_SEND_ANSWER);
    assert_int_equal(sent[seen_count].size, size);
    assert_memory_equal(sent[seen_count].bytes, utack, size);
    seen_count++;
}

static void see_hello(uint32_t seq, const uint8_t *cookie)
{
    struct usmp_frame frame = see_frame(USMP_HELLO, seq);
    struct usmp_hello hello;
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
    usmp_public_key(start.private_key, public_key);
    assert_true(usmp_hello_read(&frame, &hello));
    assert_memory_equal(hello.device_id, start.device_id, sizeof hello.device_id);
    assert_memory_equal(hello.public_key, public_key, sizeof public_key);
    assert_int_equal(hello.has_cookie, cookie != NULL);
    if (cookie != NULL)
        assert_memory_equal(hello.cookie, cookie, sizeof hello.cookie);
}

static struct usmp_transcript transcript(void)
{
    struct usmp_transcript transcript = {.version = start.version};
    memcpy(transcript.nonce, challenge.nonce, sizeof transcript.nonce);
    usmp_public_key(start.private_key, transcript.device_public);
    memcpy(transcript.gateway_public, challenge.public_key, sizeof transcript.gateway_public);
    return transcript;
}

static void see_hello_ack(uint32_t seq)
{
    struct usmp_frame frame = see_frame(USMP_HELLO_ACK, seq);
    struct usmp_hello_ack hello_ack;
    struct usmp_transcript seen = transcript();
    assert_true(usmp_hello_ack_read(&frame, &hello_ack));
    assert_true(usmp_device_hmac_matches(&start.psk, &seen, start.device_id, hello_ack.hmac));
}

static enum usmp_session_verdict receive(const uint8_t *bytes, size_t size)
{
    struct usmp_frame frame;
    assert_int_equal(usmp_frame_parse_datagram(bytes, size, &frame), USMP_FRAME_COMPLETE);
    return usmp_device_receive(&device, &frame, scratch, now);
}

static enum usmp_session_verdict receive_challenge(uint32_t seq)
{
    uint8_t frame[USMP_CHALLENGE_FRAME];
    size_t size = usmp_challenge_write(start.version, seq, &challenge, frame);
    return receive(frame, size);
}

static enum usmp_session_verdict receive_session_ok(uint32_t seq)
{
    uint8_t frame[USMP_SESSION_OK_FRAME];
    size_t size = usmp_session_ok_write(start.version, seq, &session_ok, frame);
    return receive(frame, size);
}

static enum usmp_session_verdict receive_hello_retry(uint32_t seq, uint8_t filling)
{
    struct usmp_hello_retry hello_retry;
    memset(hello_retry.cookie, filling, sizeof hello_retry.cookie);
    uint8_t frame[USMP_HELLO_RETRY_FRAME];
    size_t size = usmp_hello_retry_write(seq, &hello_retry, frame);
    return receive(frame, size);
}

static enum usmp_session_verdict receive_utack(uint8_t type, uint32_t seq)
{
    uint8_t utack[USMP_UTACK_PLAIN_SIZE];
    size_t size = usmp_utack_write_plain(type, seq, utack);
    return usmp_device_receive_utack(&device, utack, size, now);
}

static void begin(uint8_t version, enum usmp_transport transport)
{
    assert_null(usmp_start());
    now = START;
    sent_count = seen_count = 0;
    start = (struct usmp_device_start){
        .transport = transport,
        .version = version,
        .device_id = {1, 2, 3, 4, 5, 6},
        .give_up_after = GIVE_UP_AFTER,
    };
    memset(start.private_key, 0x77, sizeof start.private_key);
    usmp_psk_init(&start.psk, "a key of at least sixteen bytes", 31);
    memset(gateway_private, 0x99, sizeof gateway_private);
    memset(challenge.nonce, 0x31, sizeof challenge.nonce);
    usmp_public_key(gateway_private, challenge.public_key);
    memset(session_ok.session_id, 0x51, sizeof session_ok.session_id);
    struct usmp_transcript seen = transcript();
    usmp_gateway_hmac(&start.psk, &seen, session_ok.session_id, session_ok.hmac);
    usmp_device_begin(&device, &owner, &start, &start, now);
    see_hello(0, NULL);
    assert_silence();
}

static void end(void)
{
    assert_silence();
    usmp_device_wipe(&device);
    static const struct usmp_device wiped;
    assert_memory_equal(&device, &wiped, sizeof wiped);
}

/* Wire 1 and SDKs up to 1.0.x say 0 in every handshake frame, later ones 0, 1, 2. */
static uint32_t hello_ack_seq(void)
{
    return start.version == USMP_WIRE_2 ? 2 : 0;
}

static void connect_device(uint8_t version, enum usmp_transport transport)
{
    begin(version, transport);
    assert_int_equal(receive_challenge(0), USMP_SESSION_NOTHING);
    if (transport == USMP_UDP)
        see_utack(USMP_CHALLENGE, 0);
    see_hello_ack(hello_ack_seq());
    assert_int_equal(device.state, USMP_DEVICE_HELLO_ACK_SENT);
    assert_int_equal(receive_session_ok(0), USMP_SESSION_NOTHING);
    if (transport == USMP_UDP)
        see_utack(USMP_SESSION_OK, 0);
    assert_int_equal(device.state, USMP_DEVICE_CONNECTED);
    assert_silence();
}

static void a_handshake_ends_in_a_session(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (int index = 0; index < 4; index++) {
        connect_device(index < 2 ? USMP_WIRE_1 : USMP_WIRE_2, transports[index % 2]);
        struct usmp_transcript seen = transcript();
        struct usmp_keys keys;
        assert_int_equal(usmp_keys_derive(USMP_GATEWAY, gateway_private, &seen, &keys), USMP_KEYS_DERIVED);

        assert_true(usmp_session_can_send(&device.session));
        enum usmp_send_verdict verdict = usmp_session_send(&device.session, (const uint8_t *)"up", 2, now);
        assert_int_equal(verdict, transports[index % 2] == USMP_TCP ? USMP_SEND_WRITTEN : USMP_SEND_STARTED);
        struct usmp_frame frame = see_frame(USMP_DATA, 0);
        const struct usmp_record_context context = {keys.device_to_gateway, session_ok.session_id, USMP_AES_256_GCM};
        uint8_t plaintext[USMP_PLAINTEXT_MAX];
        size_t size;
        assert_int_equal(usmp_record_open(&context, &frame, plaintext, &size), USMP_RECORD_OPENED);
        assert_memory_equal(plaintext, "up", 2);
        end();
    }
}

static void secrets_of_the_handshake_do_not_outlive_it(void **state)
{
    (void)state;
    connect_device(USMP_WIRE_2, USMP_UDP);
    static const uint8_t zeros[sizeof start.psk];
    assert_memory_equal(device.start.private_key, zeros, sizeof device.start.private_key);
    assert_memory_equal(&device.start.psk, zeros, sizeof device.start.psk);
    end();
}

/* "500 ms, five sends" */
static void hello_is_repeated_until_acknowledged(void **state)
{
    (void)state;
    begin(USMP_WIRE_2, USMP_UDP);
    for (int repeat = 1; repeat < 5; repeat++) {
        assert_int_equal(usmp_device_deadline(&device), now + 500000);
        now += 499999;
        assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_NOTHING);
        assert_silence();
        now++;
        assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_NOTHING);
        see_hello(0, NULL);
        assert_silence();
    }
    now += 500000;
    assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_OVER);
    assert_int_equal(device.state, USMP_DEVICE_FAILED);
    assert_int_equal(device.failure, USMP_DEVICE_NO_ANSWER);
    assert_int_equal(usmp_device_deadline(&device), USMP_NEVER);
    assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_NOTHING);
    assert_int_equal(receive_challenge(0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(receive_utack(USMP_HELLO, 0), USMP_SESSION_UNEXPECTED);
    end();
}

static void an_acknowledged_hello_waits_for_its_answer(void **state)
{
    (void)state;
    begin(USMP_WIRE_2, USMP_UDP);
    assert_int_equal(receive_utack(USMP_HELLO, 1), USMP_SESSION_UNEXPECTED);
    assert_int_equal(receive_utack(USMP_HELLO_ACK, 0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(usmp_device_receive_utack(&device, (const uint8_t *)"no utack", 8, now), USMP_SESSION_UNEXPECTED);
    assert_int_equal(usmp_device_deadline(&device), START + 500000);
    assert_int_equal(receive_utack(USMP_HELLO, 0), USMP_SESSION_NOTHING);
    assert_int_equal(usmp_device_deadline(&device), START + GIVE_UP_AFTER);
    now = START + GIVE_UP_AFTER - 1;
    assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_NOTHING);
    assert_int_equal(receive_challenge(0), USMP_SESSION_NOTHING);
    see_utack(USMP_CHALLENGE, 0);
    see_hello_ack(2);
    /* Time is up for the whole handshake, acknowledged or not. */
    assert_int_equal(usmp_device_deadline(&device), START + GIVE_UP_AFTER);
    now++;
    assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_OVER);
    assert_int_equal(device.failure, USMP_DEVICE_NO_ANSWER);
    end();
}

static void hello_ack_is_repeated_until_acknowledged(void **state)
{
    (void)state;
    begin(USMP_WIRE_1, USMP_UDP);
    assert_int_equal(receive_challenge(0), USMP_SESSION_NOTHING);
    see_utack(USMP_CHALLENGE, 0);
    see_hello_ack(0);
    now += 500000;
    assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_NOTHING);
    see_hello_ack(0);
    assert_int_equal(receive_utack(USMP_HELLO_ACK, 0), USMP_SESSION_NOTHING);
    assert_int_equal(usmp_device_deadline(&device), START + GIVE_UP_AFTER);
    end();
}

static void each_frame_has_sends_of_its_own(void **state)
{
    (void)state;
    begin(USMP_WIRE_2, USMP_UDP);
    for (int repeat = 1; repeat < 5; repeat++) {
        now += 500000;
        assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_NOTHING);
    }
    seen_count = sent_count;
    assert_int_equal(receive_utack(USMP_HELLO, 0), USMP_SESSION_NOTHING);
    assert_int_equal(receive_challenge(0), USMP_SESSION_NOTHING);
    see_utack(USMP_CHALLENGE, 0);
    see_hello_ack(2);
    for (int repeat = 1; repeat < 5; repeat++) {
        assert_int_equal(usmp_device_deadline(&device), now + 500000);
        now += 500000;
        assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_NOTHING);
        see_hello_ack(2);
    }
    now += 500000;
    assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_OVER);
    assert_int_equal(device.failure, USMP_DEVICE_NO_ANSWER);
    end();
}

/* "follows HELLO_RETRY", once, and "UTACKs 0x0A in the plain form". */
static void hello_retry_is_followed_once(void **state)
{
    (void)state;
    uint8_t cookie[USMP_COOKIE_SIZE];
    memset(cookie, 0xC0, sizeof cookie);
    begin(USMP_WIRE_2, USMP_UDP);
    assert_int_equal(receive_hello_retry(9, 0xC0), USMP_SESSION_NOTHING);
    see_utack(USMP_HELLO_RETRY, 9);
    see_hello(1, cookie);
    assert_int_equal(receive_hello_retry(9, 0xC0), USMP_SESSION_DUPLICATE);
    see_utack(USMP_HELLO_RETRY, 9);
    assert_int_equal(receive_hello_retry(10, 0xC1), USMP_SESSION_DUPLICATE);
    see_utack(USMP_HELLO_RETRY, 10);
    assert_silence();
    /* The cookie HELLO is the one that is repeated now, and acknowledged by its own seq. */
    assert_int_equal(receive_utack(USMP_HELLO, 0), USMP_SESSION_UNEXPECTED);
    now += 500000;
    assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_NOTHING);
    see_hello(1, cookie);
    assert_int_equal(receive_utack(USMP_HELLO, 1), USMP_SESSION_NOTHING);
    assert_int_equal(receive_challenge(0), USMP_SESSION_NOTHING);
    see_utack(USMP_CHALLENGE, 0);
    see_hello_ack(2);
    /* A late copy is answered in every state. */
    assert_int_equal(receive_hello_retry(9, 0xC0), USMP_SESSION_DUPLICATE);
    see_utack(USMP_HELLO_RETRY, 9);
    assert_int_equal(receive_session_ok(0), USMP_SESSION_NOTHING);
    see_utack(USMP_SESSION_OK, 0);
    assert_int_equal(receive_hello_retry(9, 0xC0), USMP_SESSION_DUPLICATE);
    see_utack(USMP_HELLO_RETRY, 9);
    end();
}

/* "answers and filters copies of […] 2 and 4" */
static void copies_of_challenge_and_session_ok_are_answered(void **state)
{
    (void)state;
    begin(USMP_WIRE_2, USMP_UDP);
    assert_int_equal(receive_challenge(0), USMP_SESSION_NOTHING);
    see_utack(USMP_CHALLENGE, 0);
    see_hello_ack(2);
    assert_int_equal(receive_challenge(3), USMP_SESSION_DUPLICATE);
    see_utack(USMP_CHALLENGE, 3);
    assert_int_equal(receive_session_ok(0), USMP_SESSION_NOTHING);
    see_utack(USMP_SESSION_OK, 0);
    assert_int_equal(receive_session_ok(4), USMP_SESSION_DUPLICATE);
    see_utack(USMP_SESSION_OK, 4);
    assert_int_equal(receive_challenge(0), USMP_SESSION_DUPLICATE);
    see_utack(USMP_CHALLENGE, 0);

    challenge.nonce[0] ^= 1;
    assert_int_equal(receive_challenge(0), USMP_SESSION_UNEXPECTED);
    session_ok.hmac[31] ^= 1;
    assert_int_equal(receive_session_ok(0), USMP_SESSION_UNEXPECTED);
    session_ok.hmac[31] ^= 1;
    session_ok.session_id[0] ^= 1;
    assert_int_equal(receive_session_ok(0), USMP_SESSION_UNEXPECTED);
    session_ok.session_id[0] ^= 1;
    start.version = USMP_WIRE_1;
    assert_int_equal(receive_session_ok(0), USMP_SESSION_UNEXPECTED);
    end();
}

static void another_challenge_is_not_answered_twice(void **state)
{
    (void)state;
    begin(USMP_WIRE_2, USMP_UDP);
    assert_int_equal(receive_challenge(0), USMP_SESSION_NOTHING);
    see_utack(USMP_CHALLENGE, 0);
    see_hello_ack(2);
    challenge.public_key[0] ^= 1;
    assert_int_equal(receive_challenge(0), USMP_SESSION_UNEXPECTED);
    end();
}

static void what_does_not_belong_is_dropped_over_udp_and_fatal_over_tcp(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (int index = 0; index < 10; index++) {
        enum usmp_transport transport = transports[index % 2];
        enum usmp_session_verdict verdict;
        begin(USMP_WIRE_2, transport);
        if (index / 2 == 0) {
            verdict = receive_session_ok(0); /* before CHALLENGE */
        } else if (index / 2 == 1) {
            start.version = USMP_WIRE_1;
            verdict = receive_challenge(0);
        } else if (index / 2 == 2) {
            uint8_t payload[USMP_CONTROL_PAYLOAD] = {0};
            uint8_t frame[USMP_FRAME_MAX];
            size_t size = usmp_frame_write(USMP_WIRE_2, USMP_DATA, 0, payload, sizeof payload, frame);
            verdict = receive(frame, size);
        } else if (index / 2 == 3) {
            struct usmp_hello hello = {.has_cookie = false};
            uint8_t frame[USMP_HELLO_COOKIE_FRAME];
            size_t size = usmp_hello_write(USMP_WIRE_2, 0, &hello, frame);
            verdict = receive(frame, size);
        } else {
            assert_int_equal(receive_challenge(0), USMP_SESSION_NOTHING);
            challenge.nonce[0] ^= 1;
            verdict = receive_challenge(0);
            seen_count = sent_count;
        }
        if (transport == USMP_UDP) {
            assert_int_equal(verdict, USMP_SESSION_UNEXPECTED);
            assert_int_not_equal(device.state, USMP_DEVICE_FAILED);
        } else {
            assert_int_equal(verdict, USMP_SESSION_OVER);
            assert_int_equal(device.state, USMP_DEVICE_FAILED);
            assert_int_equal(device.failure, USMP_DEVICE_PROTOCOL);
        }
        end();
    }
}

static void over_tcp_there_is_no_hello_retry(void **state)
{
    (void)state;
    begin(USMP_WIRE_2, USMP_TCP);
    assert_int_equal(usmp_device_deadline(&device), START + GIVE_UP_AFTER);
    assert_int_equal(receive_utack(USMP_HELLO, 0), USMP_SESSION_UNEXPECTED);
    assert_int_equal(receive_hello_retry(0, 0xC0), USMP_SESSION_OVER);
    assert_int_equal(device.failure, USMP_DEVICE_PROTOCOL);
    end();
}

static void a_gateway_with_another_key_is_refused(void **state)
{
    (void)state;
    begin(USMP_WIRE_2, USMP_TCP);
    assert_int_equal(receive_challenge(0), USMP_SESSION_NOTHING);
    see_hello_ack(2);
    session_ok.hmac[0] ^= 1;
    assert_int_equal(receive_session_ok(0), USMP_SESSION_OVER);
    assert_int_equal(device.state, USMP_DEVICE_FAILED);
    assert_int_equal(device.failure, USMP_DEVICE_WRONG_GATEWAY);
    end();
}

/* Over UDP anybody could have sent it. */
static void over_udp_a_wrong_session_ok_is_dropped_and_remembered(void **state)
{
    (void)state;
    for (int right_one_follows = 0; right_one_follows < 2; right_one_follows++) {
        begin(USMP_WIRE_2, USMP_UDP);
        assert_int_equal(receive_challenge(0), USMP_SESSION_NOTHING);
        see_utack(USMP_CHALLENGE, 0);
        see_hello_ack(2);
        session_ok.hmac[0] ^= 1;
        assert_int_equal(receive_session_ok(0), USMP_SESSION_NOT_AUTHENTIC);
        session_ok.hmac[0] ^= 1;
        if (right_one_follows) {
            assert_int_equal(receive_session_ok(0), USMP_SESSION_NOTHING);
            see_utack(USMP_SESSION_OK, 0);
            assert_int_equal(device.state, USMP_DEVICE_CONNECTED);
        } else {
            now = START + GIVE_UP_AFTER;
            assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_OVER);
            assert_int_equal(device.failure, USMP_DEVICE_WRONG_GATEWAY);
        }
        end();
    }
}

static void a_public_key_of_low_order_is_refused(void **state)
{
    (void)state;
    const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
    for (int index = 0; index < 2; index++) {
        begin(USMP_WIRE_2, transports[index]);
        memset(challenge.public_key, 0, sizeof challenge.public_key);
        struct usmp_transcript seen = transcript();
        usmp_gateway_hmac(&start.psk, &seen, session_ok.session_id, session_ok.hmac);
        assert_int_equal(receive_challenge(0), USMP_SESSION_NOTHING);
        seen_count = sent_count;
        assert_int_equal(receive_session_ok(0), USMP_SESSION_OVER);
        assert_int_equal(device.state, USMP_DEVICE_FAILED);
        assert_int_equal(device.failure, USMP_DEVICE_BAD_PUBLIC_KEY);
        end();
    }
}

static void once_connected_the_session_speaks(void **state)
{
    (void)state;
    connect_device(USMP_WIRE_2, USMP_UDP);
    assert_int_equal(usmp_device_deadline(&device), USMP_NEVER);
    assert_int_equal(usmp_session_ping(&device.session, now), USMP_SEND_STARTED);
    see_frame(USMP_PING, 0);
    assert_int_equal(usmp_device_deadline(&device), now + 500000);
    now += 500000;
    assert_int_equal(usmp_device_advance(&device, now), USMP_SESSION_NOTHING);
    see_frame(USMP_PING, 0);
    struct usmp_transcript seen = transcript();
    struct usmp_keys keys;
    struct usmp_utack_key key;
    uint8_t utack[USMP_UTACK_KEYED_SIZE];
    assert_int_equal(usmp_keys_derive(USMP_GATEWAY, gateway_private, &seen, &keys), USMP_KEYS_DERIVED);
    usmp_utack_key_init(&key, keys.device_to_gateway);
    size_t size = usmp_utack_write_keyed(&key, USMP_PING, 0, utack);
    assert_int_equal(usmp_device_receive_utack(&device, utack, size, now), USMP_SESSION_NOTHING);
    assert_int_equal(usmp_device_deadline(&device), USMP_NEVER);

    uint8_t frame[USMP_FRAME_MAX];
    const struct usmp_record_context context = {keys.gateway_to_device, session_ok.session_id, USMP_AES_256_GCM};
    size = usmp_record_seal(&context, USMP_WIRE_2, USMP_BYE, 0, NULL, 0, frame);
    assert_int_equal(receive(frame, size), USMP_SESSION_OVER);
    assert_int_equal(device.session.end, USMP_END_BYE);
    seen_count = sent_count;
    end();
}

static void over_tcp_a_handshake_frame_in_the_session_ends_it(void **state)
{
    (void)state;
    connect_device(USMP_WIRE_2, USMP_TCP);
    assert_int_equal(receive_session_ok(0), USMP_SESSION_OVER);
    assert_int_equal(device.session.end, USMP_END_PROTOCOL);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_ends_in_a_session),
        cmocka_unit_test(secrets_of_the_handshake_do_not_outlive_it),
        cmocka_unit_test(hello_is_repeated_until_acknowledged),
        cmocka_unit_test(an_acknowledged_hello_waits_for_its_answer),
        cmocka_unit_test(hello_ack_is_repeated_until_acknowledged),
        cmocka_unit_test(each_frame_has_sends_of_its_own),
        cmocka_unit_test(hello_retry_is_followed_once),
        cmocka_unit_test(copies_of_challenge_and_session_ok_are_answered),
        cmocka_unit_test(another_challenge_is_not_answered_twice),
        cmocka_unit_test(what_does_not_belong_is_dropped_over_udp_and_fatal_over_tcp),
        cmocka_unit_test(over_tcp_there_is_no_hello_retry),
        cmocka_unit_test(a_gateway_with_another_key_is_refused),
        cmocka_unit_test(over_udp_a_wrong_session_ok_is_dropped_and_remembered),
        cmocka_unit_test(a_public_key_of_low_order_is_refused),
        cmocka_unit_test(once_connected_the_session_speaks),
        cmocka_unit_test(over_tcp_a_handshake_frame_in_the_session_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
