#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "device/bench.h"

static const char psk[] = "a key for the bench, long enough";

static void keep_sent(void *context, const uint8_t *bytes, size_t size)
{
    struct bench *bench = context;
    assert_true(bench->sent_count < BENCH_KEPT_MAX && size <= STRICT_FRAME_MAX);
    bench->sent[bench->sent_count].size = size;
    memcpy(bench->sent[bench->sent_count++].bytes, bytes, size);
}

static void give_random(void *context, uint8_t *bytes, size_t size)
{
    struct bench *bench = context;
    if (bench->next_random != NULL)
        memcpy(bytes, bench->next_random, size);
    else
        memset(bytes, ++bench->random_count, size);
}

static void keep_event(void *context, const struct strict_event *event)
{
    struct bench *bench = context;
    assert_true(bench->event_count < BENCH_KEPT_MAX);
    bench->events[bench->event_count] = *event;
    if (event->size > 0)
        memcpy(bench->message, event->bytes, event->size);
    bench->events[bench->event_count++].bytes = bench->message;
}

void bench_open(struct bench *bench, const char *era, const struct strict_port *port, enum strict_transport transport)
{
    assert_true(sodium_init() >= 0);
    memset(bench, 0, sizeof *bench);
    assert_non_null(strict_era_find(era));
    bench->era = *strict_era_find(era);
    bench->owner = (struct strict_owner){bench, keep_sent, give_random, keep_event};
    bench->start = (struct strict_start){.era = &bench->era,
                                         .port = port,
                                         .transport = transport,
                                         .id = {2, 0, 0, 0, 0, 9},
                                         .psk = (const uint8_t *)psk,
                                         .psk_size = sizeof psk - 1};
    bench->now = BENCH_START;
    memset(bench->gateway_private_key, 0x77, sizeof bench->gateway_private_key);
    memset(bench->session_id, 0x55, sizeof bench->session_id);
}

void bench_begin(struct bench *bench)
{
    strict_device_begin(&bench->device, &bench->owner, &bench->start, bench->now);
}

void bench_close(struct bench *bench)
{
    strict_device_wipe(&bench->device);
}

void bench_wait(struct bench *bench, uint64_t microseconds)
{
    uint64_t end = bench->now + microseconds;
    while (strict_device_deadline(&bench->device) <= end) {
        bench->now = strict_device_deadline(&bench->device);
        strict_device_advance(&bench->device, bench->now);
    }
    bench->now = end;
    strict_device_advance(&bench->device, bench->now);
}

struct bench_sent bench_take(struct bench *bench)
{
    assert_true(bench->sent_count > 0);
    struct bench_sent first = bench->sent[0];
    memmove(bench->sent, bench->sent + 1, --bench->sent_count * sizeof bench->sent[0]);
    return first;
}

struct strict_frame bench_take_frame(struct bench *bench, struct bench_sent *kept, uint8_t type)
{
    struct strict_frame frame;
    *kept = bench_take(bench);
    assert_true(strict_frame_read(kept->bytes, kept->size, bench->era.version, &frame));
    assert_int_equal(frame.type, type);
    return frame;
}

void bench_expect_utack(struct bench *bench, uint8_t type, uint32_t seq, const uint8_t *key)
{
    uint8_t expected[STRICT_UTACK_FULL];
    struct bench_sent sent = bench_take(bench);
    strict_utack_write(type, seq, expected);
    if (key != NULL)
        strict_utack_mac(key, expected, expected + STRICT_UTACK_PLAIN);
    assert_int_equal(sent.size, key == NULL ? STRICT_UTACK_PLAIN : STRICT_UTACK_FULL);
    assert_memory_equal(sent.bytes, expected, sent.size);
}

void bench_expect_silence(struct bench *bench)
{
    assert_int_equal(bench->sent_count, 0);
}

void bench_forget(struct bench *bench)
{
    bench->sent_count = 0;
    bench->event_count = 0;
}

static struct strict_event take_event(struct bench *bench)
{
    assert_true(bench->event_count > 0);
    struct strict_event first = bench->events[0];
    memmove(bench->events, bench->events + 1, --bench->event_count * sizeof bench->events[0]);
    return first;
}

struct strict_event bench_expect_event(struct bench *bench, enum strict_event_kind kind)
{
    struct strict_event event = take_event(bench);
    while (event.kind != kind && (event.kind == STRICT_OPENED || event.kind == STRICT_REPEATED))
        event = take_event(bench);
    assert_int_equal(event.kind, kind);
    return event;
}

void bench_expect_over(struct bench *bench, enum strict_end end)
{
    assert_int_equal(bench_expect_event(bench, STRICT_OVER).end, end);
    assert_true(bench->device.over);
    assert_true(strict_device_deadline(&bench->device) == UINT64_MAX);
}

void bench_expect_no_event(struct bench *bench)
{
    for (size_t i = 0; i < bench->event_count; i++)
        assert_true(bench->events[i].kind == STRICT_OPENED || bench->events[i].kind == STRICT_REPEATED);
    bench->event_count = 0;
}

void bench_send(struct bench *bench, const uint8_t *bytes, size_t size)
{
    if (bench->start.transport == STRICT_UDP)
        strict_device_datagram(&bench->device, bytes, size, bench->now);
    else
        assert_int_equal(strict_device_stream(&bench->device, bytes, size, bench->now), size);
}

void bench_give(struct bench *bench, const struct bench_sent *frame)
{
    bench_send(bench, frame->bytes, frame->size);
}

void bench_send_utack(struct bench *bench, uint8_t type, uint32_t seq, const uint8_t *key)
{
    uint8_t utack[STRICT_UTACK_FULL];
    strict_utack_write(type, seq, utack);
    if (key != NULL)
        strict_utack_mac(key, utack, utack + STRICT_UTACK_PLAIN);
    bench_send(bench, utack, key == NULL ? STRICT_UTACK_PLAIN : STRICT_UTACK_FULL);
}

static void make(struct bench *bench, uint8_t type, uint32_t seq, const uint8_t *payload, size_t size,
                 struct bench_sent *out)
{
    out->size = strict_frame_write(bench->era.version, type, seq, payload, size, out->bytes);
}

void bench_make_challenge(struct bench *bench, const struct strict_frame *hello, struct bench_sent *out)
{
    struct strict_handshake_secrets *handshake = &bench->handshake;
    uint8_t payload[2 * STRICT_KEY_SIZE];
    memset(handshake->nonce, 0x33, sizeof handshake->nonce);
    memcpy(handshake->public_key, hello->payload + STRICT_DEVICE_ID_SIZE, STRICT_KEY_SIZE);
    strict_public_key(bench->gateway_private_key, handshake->gateway_key);
    memcpy(payload, handshake->nonce, STRICT_KEY_SIZE);
    memcpy(payload + STRICT_KEY_SIZE, handshake->gateway_key, STRICT_KEY_SIZE);
    make(bench, STRICT_TYPE_CHALLENGE, 0, payload, sizeof payload, out);
}

void bench_make_hello_retry(struct bench *bench, struct bench_sent *out)
{
    uint8_t cookie[16];
    memset(cookie, 0xc0, sizeof cookie);
    make(bench, STRICT_TYPE_HELLO_RETRY, 0, cookie, sizeof cookie, out);
}

void bench_make_session_ok(struct bench *bench, struct bench_sent *out)
{
    uint8_t payload[STRICT_SESSION_ID_SIZE + STRICT_HMAC_SIZE];
    memcpy(payload, bench->session_id, STRICT_SESSION_ID_SIZE);
    strict_handshake_hmac(bench->start.psk, bench->start.psk_size, bench->era.version, STRICT_TYPE_SESSION_OK,
                          &bench->handshake, bench->session_id, sizeof bench->session_id,
                          payload + STRICT_SESSION_ID_SIZE);
    make(bench, STRICT_TYPE_SESSION_OK, 0, payload, sizeof payload, out);
}

void bench_make_sealed(struct bench *bench, uint8_t type, uint32_t seq, const void *plain, size_t size,
                       struct bench_sent *out)
{
    uint8_t aad[STRICT_AAD_SIZE];
    uint8_t sealed[STRICT_PAYLOAD_MAX];
    strict_frame_header(bench->era.version, type, seq, size + STRICT_SEALED_EXTRA, aad);
    strict_seal(bench->start.cipher, bench->keys.receive, bench->session_id, seq, aad, sizeof aad, plain, size, sealed);
    make(bench, type, seq, sealed, size + STRICT_SEALED_EXTRA, out);
}

void bench_send_sealed(struct bench *bench, uint8_t type, const void *plain, size_t size)
{
    struct bench_sent frame;
    bench_make_sealed(bench, type, bench->seq++, plain, size, &frame);
    bench_give(bench, &frame);
}

void bench_connect(struct bench *bench)
{
    struct bench_sent kept;
    struct bench_sent answer;
    bool udp = bench->start.transport == STRICT_UDP;
    bench_begin(bench);
    struct strict_frame hello = bench_take_frame(bench, &kept, STRICT_TYPE_HELLO);
    if (udp)
        bench_send_utack(bench, STRICT_TYPE_HELLO, hello.seq, NULL);
    bench_make_challenge(bench, &hello, &answer);
    bench_give(bench, &answer);
    if (udp)
        bench_expect_utack(bench, STRICT_TYPE_CHALLENGE, 0, NULL);
    uint32_t seq = bench_take_frame(bench, &kept, STRICT_TYPE_HELLO_ACK).seq;
    if (udp)
        bench_send_utack(bench, STRICT_TYPE_HELLO_ACK, seq, NULL);
    bench_make_session_ok(bench, &answer);
    bench_give(bench, &answer);
    bench_expect_event(bench, STRICT_CONNECTED);
    bench->keys = bench->device.keys;
    bench_forget(bench);
}
