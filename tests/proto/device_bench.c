#include "proto/device_bench.h"

#include <string.h>

#include <usmp/handshake_hmac.h>
#include <usmp/keys.h>
#include <usmp/start.h>
#include <usmp/utack.h>

struct device_bench device_bench;

static void keep_sent(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                      size_t size)
{
    assert_ptr_equal(context, device_bench.sent);
    assert_ptr_equal(session, &device_bench.device.session);
    assert_ptr_equal(session->user, &device_bench.start);
    assert_true(device_bench.sent_count < DEVICE_BENCH_SENT_MAX && size <= USMP_FRAME_MAX);
    device_bench.sent[device_bench.sent_count].kind = kind;
    device_bench.sent[device_bench.sent_count].size = size;
    memcpy(device_bench.sent[device_bench.sent_count++].bytes, bytes, size);
}

static struct usmp_sent_tags tags_block;

static void *take_block(void *context, enum usmp_block block)
{
    assert_ptr_equal(context, device_bench.sent);
    assert_int_equal(block, USMP_BLOCK_REFLECTED);
    return &tags_block;
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    assert_ptr_equal(context, device_bench.sent);
    assert_int_equal(block, USMP_BLOCK_REFLECTED);
    assert_ptr_equal(bytes, &tags_block);
}

static const struct usmp_session_owner owner = {device_bench.sent, keep_sent, take_block, give_block};

void device_bench_assert_silence(void)
{
    assert_int_equal(device_bench.sent_count, device_bench.seen_count);
    device_bench.sent_count = device_bench.seen_count = 0;
}

struct usmp_frame device_bench_see_frame(uint8_t type, uint32_t seq)
{
    struct usmp_frame frame;
    assert_true(device_bench.seen_count < device_bench.sent_count);
    assert_int_equal(device_bench.sent[device_bench.seen_count].kind, USMP_SEND_FRAME);
    assert_int_equal(usmp_frame_parse_datagram(device_bench.sent[device_bench.seen_count].bytes,
                                               device_bench.sent[device_bench.seen_count].size, &frame),
                     USMP_FRAME_COMPLETE);
    device_bench.seen_count++;
    assert_int_equal(frame.version, device_bench.start.version);
    assert_int_equal(frame.type, type);
    assert_int_equal(frame.seq, seq);
    return frame;
}

void device_bench_see_utack(uint8_t type, uint32_t seq)
{
    uint8_t utack[USMP_UTACK_PLAIN_SIZE];
    size_t size = usmp_utack_write_plain(type, seq, utack);
    assert_true(device_bench.seen_count < device_bench.sent_count);
    assert_int_equal(device_bench.sent[device_bench.seen_count].kind, USMP_SEND_ANSWER);
    assert_int_equal(device_bench.sent[device_bench.seen_count].size, size);
    assert_memory_equal(device_bench.sent[device_bench.seen_count].bytes, utack, size);
    device_bench.seen_count++;
}

void device_bench_see_hello(uint32_t seq, const uint8_t *cookie)
{
    struct usmp_frame frame = device_bench_see_frame(USMP_HELLO, seq);
    struct usmp_hello hello;
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
    usmp_public_key(device_bench.start.private_key, public_key);
    assert_true(usmp_hello_read(&frame, &hello));
    assert_memory_equal(hello.device_id, device_bench.start.device_id, sizeof hello.device_id);
    assert_memory_equal(hello.public_key, public_key, sizeof public_key);
    assert_int_equal(hello.has_cookie, cookie != NULL);
    if (cookie != NULL)
        assert_memory_equal(hello.cookie, cookie, sizeof hello.cookie);
}

struct usmp_transcript device_bench_transcript(void)
{
    struct usmp_transcript transcript = {.version = device_bench.start.version};
    memcpy(transcript.nonce, device_bench.challenge.nonce, sizeof transcript.nonce);
    usmp_public_key(device_bench.start.private_key, transcript.device_public);
    memcpy(transcript.gateway_public, device_bench.challenge.public_key, sizeof transcript.gateway_public);
    return transcript;
}

void device_bench_see_hello_ack(uint32_t seq)
{
    struct usmp_frame frame = device_bench_see_frame(USMP_HELLO_ACK, seq);
    struct usmp_hello_ack hello_ack;
    struct usmp_transcript seen = device_bench_transcript();
    assert_true(usmp_hello_ack_read(&frame, &hello_ack));
    assert_true(usmp_device_hmac_matches(&device_bench.start.psk, &seen, device_bench.start.device_id, hello_ack.hmac));
}

enum usmp_session_verdict device_bench_receive(const uint8_t *bytes, size_t size)
{
    struct usmp_frame frame;
    assert_int_equal(usmp_frame_parse_datagram(bytes, size, &frame), USMP_FRAME_COMPLETE);
    return usmp_device_receive(&device_bench.device, &frame, device_bench.scratch, device_bench.now);
}

enum usmp_session_verdict device_bench_receive_challenge(uint32_t seq)
{
    uint8_t frame[USMP_CHALLENGE_FRAME];
    size_t size = usmp_challenge_write(device_bench.start.version, seq, &device_bench.challenge, frame);
    return device_bench_receive(frame, size);
}

enum usmp_session_verdict device_bench_receive_session_ok(uint32_t seq)
{
    uint8_t frame[USMP_SESSION_OK_FRAME];
    size_t size = usmp_session_ok_write(device_bench.start.version, seq, &device_bench.session_ok, frame);
    return device_bench_receive(frame, size);
}

enum usmp_session_verdict device_bench_receive_hello_retry(uint32_t seq, uint8_t filling)
{
    struct usmp_hello_retry hello_retry;
    memset(hello_retry.cookie, filling, sizeof hello_retry.cookie);
    uint8_t frame[USMP_HELLO_RETRY_FRAME];
    size_t size = usmp_hello_retry_write(seq, &hello_retry, frame);
    return device_bench_receive(frame, size);
}

enum usmp_session_verdict device_bench_receive_utack(uint8_t type, uint32_t seq)
{
    uint8_t utack[USMP_UTACK_PLAIN_SIZE];
    size_t size = usmp_utack_write_plain(type, seq, utack);
    return usmp_device_receive_utack(&device_bench.device, utack, size, device_bench.now);
}

void device_bench_begin(uint8_t version, enum usmp_transport transport)
{
    assert_null(usmp_start());
    device_bench.now = DEVICE_BENCH_START;
    device_bench.sent_count = device_bench.seen_count = 0;
    device_bench.start = (struct usmp_device_start){
        .transport = transport,
        .version = version,
        .device_id = {1, 2, 3, 4, 5, 6},
        .give_up_after = DEVICE_BENCH_GIVE_UP_AFTER,
    };
    memset(device_bench.start.private_key, 0x77, sizeof device_bench.start.private_key);
    usmp_psk_init(&device_bench.start.psk, "a key of at least sixteen bytes", 31);
    memset(device_bench.gateway_private, 0x99, sizeof device_bench.gateway_private);
    memset(device_bench.challenge.nonce, 0x31, sizeof device_bench.challenge.nonce);
    usmp_public_key(device_bench.gateway_private, device_bench.challenge.public_key);
    memset(device_bench.session_ok.session_id, 0x51, sizeof device_bench.session_ok.session_id);
    struct usmp_transcript seen = device_bench_transcript();
    usmp_gateway_hmac(&device_bench.start.psk, &seen, device_bench.session_ok.session_id, device_bench.session_ok.hmac);
    usmp_device_begin(&device_bench.device, &owner, &device_bench.start, &device_bench.start, device_bench.now);
    device_bench_see_hello(0, NULL);
    device_bench_assert_silence();
}

void device_bench_end(void)
{
    device_bench_assert_silence();
    usmp_device_wipe(&device_bench.device);
    static const struct usmp_device wiped;
    assert_memory_equal(&device_bench.device, &wiped, sizeof wiped);
}

uint32_t device_bench_hello_ack_seq(void)
{
    return device_bench.start.version == USMP_WIRE_2 ? 2 : 0;
}

void device_bench_connect(uint8_t version, enum usmp_transport transport)
{
    device_bench_begin(version, transport);
    assert_int_equal(device_bench_receive_challenge(0), USMP_SESSION_NOTHING);
    if (transport == USMP_UDP)
        device_bench_see_utack(USMP_CHALLENGE, 0);
    device_bench_see_hello_ack(device_bench_hello_ack_seq());
    assert_int_equal(device_bench.device.state, USMP_DEVICE_HELLO_ACK_SENT);
    assert_int_equal(device_bench_receive_session_ok(0), USMP_SESSION_NOTHING);
    if (transport == USMP_UDP)
        device_bench_see_utack(USMP_SESSION_OK, 0);
    assert_int_equal(device_bench.device.state, USMP_DEVICE_CONNECTED);
    device_bench_assert_silence();
}
