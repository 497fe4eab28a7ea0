#include "proto/session_bench.h"

#include <stdlib.h>
#include <string.h>

#include <usmp/frame.h>
#include <usmp/handshake_messages.h>
#include <usmp/keys.h>
#include <usmp/record.h>
#include <usmp/start.h>
#include <usmp/utack.h>

static const size_t block_size[] = {
    [USMP_BLOCK_MESSAGE] = USMP_MESSAGE_MAX,
    [USMP_BLOCK_REKEY] = sizeof(struct usmp_rekey_record),
    [USMP_BLOCK_REFLECTED] = sizeof(struct usmp_sent_tags),
};

static void keep_sent(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                      size_t size)
{
    struct bench *bench = context;
    assert_ptr_equal(session, &bench->session);
    assert_true(bench->sent_count < BENCH_SENT_MAX);
    struct bench_sent *sent = &bench->sent[bench->sent_count++];
    assert_true(size <= sizeof sent->bytes);
    sent->kind = kind;
    sent->size = size;
    memcpy(sent->bytes, bytes, size);
}

static void *take_block(void *context, enum usmp_block block)
{
    struct bench *bench = context;
    if (bench->blocks_left[block] == 0)
        return NULL;
    bench->blocks_left[block]--;
    bench->blocks_out[block]++;
    uint8_t *bytes = malloc(block_size[block]);
    assert_non_null(bytes);
    memset(bytes, 0xA5, block_size[block]); /* a block comes with whatever was in it */
    return bytes;
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    struct bench *bench = context;
    assert_non_null(bytes);
    assert_true(bench->blocks_out[block] > 0);
    bench->blocks_out[block]--;
    bench->blocks_left[block]++;
    free(bytes);
}

void bench_prepare(struct bench *bench, enum usmp_role role, uint8_t version, enum usmp_transport transport)
{
    assert_null(usmp_start());
    *bench = (struct bench){
        .now = 1000 * BENCH_SECONDS,
        .blocks_left = {100, 100, 100},
        .suite = USMP_AES_256_GCM,
        .start = {.role = role,
                  .transport = transport,
                  .version = version,
                  .may_send = true,
                  .confirm_within = BENCH_CONFIRM_WITHIN},
    };
    bench->owner = (struct usmp_session_owner){bench, keep_sent, take_block, give_block};
    memset(bench->start.keys.device_to_gateway, 0xD6, USMP_KEY_SIZE);
    memset(bench->start.keys.gateway_to_device, version == USMP_WIRE_1 ? 0xD6 : 0x6D, USMP_KEY_SIZE);
    for (size_t index = 0; index < USMP_SESSION_ID_SIZE; index++)
        bench->start.session_id[index] = (uint8_t)(0x50 + index);
    memset(bench->start.device_public, 0xDE, USMP_PUBLIC_KEY_SIZE);
    memset(bench->start.hello_ack_hmac, 0xAC, USMP_HANDSHAKE_HMAC_SIZE);
    memset(bench->start.session_ok_hmac, 0x0C, USMP_HANDSHAKE_HMAC_SIZE);
}

void bench_begin_prepared(struct bench *bench)
{
    bench->keys = bench->start.keys;
    usmp_session_begin(&bench->session, &bench->owner, bench, &bench->start, bench->now);
    if (bench->start.role == USMP_GATEWAY)
        bench_assert_session_ok(bench);
    bench_assert_silence(bench);
}

void bench_begin(struct bench *bench, enum usmp_role role, uint8_t version, enum usmp_transport transport)
{
    bench_prepare(bench, role, version, transport);
    bench_begin_prepared(bench);
}

void bench_begin_confirmed(struct bench *bench, enum usmp_role role, uint8_t version, enum usmp_transport transport)
{
    bench_begin(bench, role, version, transport);
    if (role == USMP_GATEWAY && transport == USMP_UDP)
        assert_int_equal(bench_receive_utack(bench, USMP_SESSION_OK, 0), USMP_SESSION_NOTHING);
    assert_true(bench->session.confirmed);
}

void bench_end(struct bench *bench)
{
    bench_assert_silence(bench);
    usmp_session_wipe(&bench->session);
    bench_assert_silence(bench);
    for (size_t block = 0; block < 3; block++)
        assert_int_equal(bench->blocks_out[block], 0);
    static const struct usmp_session wiped;
    assert_memory_equal(&bench->session, &wiped, sizeof wiped);
}

static bool is_gateway(const struct bench *bench)
{
    return bench->start.role == USMP_GATEWAY;
}

static const uint8_t *peer_key(const struct bench *bench, const struct usmp_keys *keys)
{
    return is_gateway(bench) ? keys->device_to_gateway : keys->gateway_to_device;
}

static const uint8_t *our_key(const struct bench *bench, const struct usmp_keys *keys)
{
    return is_gateway(bench) ? keys->gateway_to_device : keys->device_to_gateway;
}

void bench_make(struct bench *bench, uint8_t type, uint32_t seq, const void *plaintext, size_t size)
{
    const struct usmp_record_context context = {peer_key(bench, &bench->keys), bench->start.session_id, bench->suite};
    bench->frame_size =
        usmp_record_seal(&context, bench->start.version, type, seq, size > 0 ? plaintext : NULL, size, bench->frame);
}

enum usmp_session_verdict bench_receive_bytes(struct bench *bench, const uint8_t *bytes, size_t size)
{
    struct usmp_frame frame;
    assert_int_equal(usmp_frame_parse_datagram(bytes, size, &frame), USMP_FRAME_COMPLETE);
    return usmp_session_receive(&bench->session, &frame, bench->scratch, bench->now);
}

enum usmp_session_verdict bench_receive_frame(struct bench *bench)
{
    return bench_receive_bytes(bench, bench->frame, bench->frame_size);
}

enum usmp_session_verdict bench_receive(struct bench *bench, uint8_t type, uint32_t seq, const char *text)
{
    bench_make(bench, type, seq, text, strlen(text));
    return bench_receive_frame(bench);
}

void bench_assert_offer(const struct bench *bench, const void *bytes, size_t size)
{
    assert_non_null(bench->session.offer.bytes);
    assert_int_equal(bench->session.offer.size, size);
    assert_memory_equal(bench->session.offer.bytes, bytes, size);
}

void bench_deliver(struct bench *bench, uint32_t seq, const char *text)
{
    assert_int_equal(bench_receive(bench, USMP_DATA, seq, text), USMP_SESSION_OFFER);
    bench_assert_offer(bench, text, strlen(text));
    bench_assert_silence(bench);
    usmp_session_accept(&bench->session, bench->now);
    if (bench->start.transport == USMP_UDP)
        bench_assert_utack(bench, USMP_DATA, seq);
}

enum usmp_session_verdict bench_receive_utack(struct bench *bench, uint8_t type, uint32_t seq)
{
    uint8_t utack[USMP_UTACK_KEYED_SIZE];
    size_t size;
    if (type < USMP_DATA || bench->start.version == USMP_WIRE_1) {
        size = usmp_utack_write_plain(type, seq, utack);
    } else {
        struct usmp_utack_key key;
        usmp_utack_key_init(&key, our_key(bench, &bench->keys));
        size = usmp_utack_write_keyed(&key, type, seq, utack);
    }
    return usmp_session_receive_utack(&bench->session, utack, size, bench->now);
}

static const struct bench_sent *look_at_next(struct bench *bench, enum usmp_send_kind kind)
{
    assert_true(bench->seen_count < bench->sent_count);
    const struct bench_sent *sent = &bench->sent[bench->seen_count++];
    assert_int_equal(sent->kind, kind);
    return sent;
}

static void assert_answer(struct bench *bench, const uint8_t *utack, size_t size)
{
    const struct bench_sent *sent = look_at_next(bench, USMP_SEND_ANSWER);
    assert_int_equal(sent->size, size);
    assert_memory_equal(sent->bytes, utack, size);
}

void bench_assert_plain_utack(struct bench *bench, uint8_t type, uint32_t seq)
{
    uint8_t utack[USMP_UTACK_PLAIN_SIZE];
    assert_answer(bench, utack, usmp_utack_write_plain(type, seq, utack));
}

void bench_assert_utack_under(struct bench *bench, const struct usmp_keys *keys, uint8_t type, uint32_t seq)
{
    struct usmp_utack_key key;
    uint8_t utack[USMP_UTACK_KEYED_SIZE];
    usmp_utack_key_init(&key, peer_key(bench, keys));
    assert_answer(bench, utack, usmp_utack_write_keyed(&key, type, seq, utack));
}

void bench_assert_utack(struct bench *bench, uint8_t type, uint32_t seq)
{
    if (bench->start.version == USMP_WIRE_1)
        bench_assert_plain_utack(bench, type, seq);
    else
        bench_assert_utack_under(bench, &bench->keys, type, seq);
}

/* Over TCP several frames may come in one piece; they are looked at one by one. */
static struct usmp_frame look_at_next_frame(struct bench *bench)
{
    const struct bench_sent *sent = look_at_next(bench, USMP_SEND_FRAME);
    struct usmp_frame frame;
    size_t total = 0;
    assert_int_equal(
        usmp_frame_parse(sent->bytes + bench->seen_offset, sent->size - bench->seen_offset, &frame, &total),
        USMP_FRAME_COMPLETE);
    bench->seen_offset += total;
    if (bench->seen_offset == sent->size)
        bench->seen_offset = 0;
    else if (bench->start.transport == USMP_TCP)
        bench->seen_count--;
    else
        fail_msg("a datagram holds one frame");
    return frame;
}

void bench_assert_frame_bytes(struct bench *bench, uint8_t type, uint32_t seq, const void *plaintext, size_t size)
{
    struct usmp_frame frame = look_at_next_frame(bench);
    assert_int_equal(frame.version, bench->start.version);
    assert_int_equal(frame.type, type);
    assert_int_equal(frame.seq, seq);
    const struct usmp_record_context context = {our_key(bench, &bench->keys), bench->start.session_id, bench->suite};
    uint8_t opened[USMP_PLAINTEXT_MAX];
    size_t opened_size;
    assert_int_equal(usmp_record_open(&context, &frame, opened, &opened_size), USMP_RECORD_OPENED);
    assert_int_equal(opened_size, size);
    assert_memory_equal(opened, plaintext, size);
}

void bench_assert_frame(struct bench *bench, uint8_t type, uint32_t seq, const char *text)
{
    bench_assert_frame_bytes(bench, type, seq, text, strlen(text));
}

void bench_assert_session_ok(struct bench *bench)
{
    struct usmp_frame frame = look_at_next_frame(bench);
    struct usmp_session_ok session_ok;
    assert_int_equal(frame.version, bench->start.version);
    assert_int_equal(frame.seq, 0);
    assert_true(usmp_session_ok_read(&frame, &session_ok));
    assert_memory_equal(session_ok.session_id, bench->start.session_id, sizeof session_ok.session_id);
    assert_memory_equal(session_ok.hmac, bench->start.session_ok_hmac, sizeof session_ok.hmac);
}

void bench_assert_silence(const struct bench *bench)
{
    assert_int_equal(bench->sent_count - bench->seen_count, 0);
}

void bench_ignore_sent(struct bench *bench)
{
    bench->seen_count = bench->sent_count;
}

enum usmp_session_verdict bench_advance(struct bench *bench)
{
    if (bench->seen_count == bench->sent_count)
        bench->seen_count = bench->sent_count = 0;
    return usmp_session_advance(&bench->session, bench->now);
}

enum usmp_session_verdict bench_advance_to_deadline(struct bench *bench, uint64_t after)
{
    uint64_t deadline = usmp_session_deadline(&bench->session);
    uint64_t due = deadline > bench->now ? deadline : bench->now;
    assert_int_equal(due - bench->now, after);
    if (after > 0) { /* not a microsecond early */
        bench->now = due - 1;
        assert_int_equal(bench_advance(bench), USMP_SESSION_NOTHING);
        bench_assert_silence(bench);
    }
    bench->now = due;
    return bench_advance(bench);
}
