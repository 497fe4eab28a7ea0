/* One session on a bench: its peer is made of the low layers only (frames, records, UTACKs), everything it sends is
 * kept until a test has looked at it, blocks are counted and can be denied, time stands still unless moved.
 *
 * bench_end() fails a test that has not looked at everything that was sent, or whose session kept a block.
 */
#ifndef TESTS_PROTO_SESSION_BENCH_H
#define TESTS_PROTO_SESSION_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <usmp/session.h>

#define BENCH_SENT_MAX 64
#define BENCH_MILLISECONDS UINT64_C(1000)
#define BENCH_SECONDS UINT64_C(1000000)
#define BENCH_CONFIRM_WITHIN (10 * BENCH_SECONDS)

struct bench_sent {
    enum usmp_send_kind kind;
    size_t size;
    uint8_t bytes[USMP_FRAGMENTS_MAX * USMP_FRAME_MAX];
};

struct bench {
    struct usmp_session session;
    struct usmp_session_owner owner;
    struct usmp_session_start start;
    struct usmp_keys keys; /* the peer's idea of them */
    enum usmp_suite suite; /* the peer's */
    uint64_t now;
    struct bench_sent sent[BENCH_SENT_MAX];
    size_t sent_count;
    size_t seen_count;
    size_t seen_offset;      /* TCP: in the piece that is looked at frame by frame */
    unsigned blocks_left[3]; /* by enum usmp_block: how many more can be taken */
    unsigned blocks_out[3];
    uint8_t scratch[USMP_PLAINTEXT_MAX];
    uint8_t frame[USMP_FRAME_MAX]; /* of the peer, as made last */
    size_t frame_size;
};

/* A start as a finished handshake gives it, for tests that change it before bench_begin_with(). */
void bench_prepare(struct bench *bench, enum usmp_role role, uint8_t version, enum usmp_transport transport);
/* A gateway's SESSION_OK is looked at and taken away. */
void bench_begin_prepared(struct bench *bench);
void bench_begin(struct bench *bench, enum usmp_role role, uint8_t version, enum usmp_transport transport);
/* The same, and over UDP the device has acknowledged SESSION_OK. */
void bench_begin_confirmed(struct bench *bench, enum usmp_role role, uint8_t version, enum usmp_transport transport);
void bench_end(struct bench *bench);

/* The peer makes a frame (it stays in bench->frame), and the session receives it. */
void bench_make(struct bench *bench, uint8_t type, uint32_t seq, const void *plaintext, size_t size);
enum usmp_session_verdict bench_receive_frame(struct bench *bench);
enum usmp_session_verdict bench_receive(struct bench *bench, uint8_t type, uint32_t seq, const char *text);
/* The session receives any bytes that are a frame. */
enum usmp_session_verdict bench_receive_bytes(struct bench *bench, const uint8_t *bytes, size_t size);
/* A message in one frame is offered, is this one, and is accepted and acknowledged. */
void bench_deliver(struct bench *bench, uint32_t seq, const char *text);
/* The offer is this. */
void bench_assert_offer(const struct bench *bench, const void *bytes, size_t size);

/* The peer's UTACK for a frame of ours, in the form its wire has. */
enum usmp_session_verdict bench_receive_utack(struct bench *bench, uint8_t type, uint32_t seq);

/* The next thing that was sent and not looked at yet: a UTACK to the peer's frame, under these keys or those of now. */
void bench_assert_utack(struct bench *bench, uint8_t type, uint32_t seq);
void bench_assert_utack_under(struct bench *bench, const struct usmp_keys *keys, uint8_t type, uint32_t seq);
void bench_assert_plain_utack(struct bench *bench, uint8_t type, uint32_t seq);
/* A frame of ours with this content. */
void bench_assert_frame(struct bench *bench, uint8_t type, uint32_t seq, const char *text);
void bench_assert_frame_bytes(struct bench *bench, uint8_t type, uint32_t seq, const void *plaintext, size_t size);
void bench_assert_session_ok(struct bench *bench);
void bench_assert_silence(const struct bench *bench);
/* Whatever was sent is not this test's business. */
void bench_ignore_sent(struct bench *bench);

/* Moves time to the session's deadline, which must be `after` microseconds from now, and lets it do what is due. */
enum usmp_session_verdict bench_advance_to_deadline(struct bench *bench, uint64_t after);
/* Lets it do what is due now, though there may be nothing. */
enum usmp_session_verdict bench_advance(struct bench *bench);

#endif
