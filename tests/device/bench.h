/* A strict device on a bench: what it sends and tells is kept, and the test plays the gateway by hand. Included after
 * cmocka.h by test_*.c only. */
#ifndef TESTS_DEVICE_BENCH_H
#define TESTS_DEVICE_BENCH_H

#include "device/device.h"

#define BENCH_KEPT_MAX 64u
#define BENCH_START UINT64_C(5000000)
#define MILLISECONDS(n) ((uint64_t)(n)*1000u)

struct bench_sent {
    size_t size;
    uint8_t bytes[STRICT_FRAME_MAX];
};

struct bench {
    struct strict_device device;
    struct strict_owner owner;
    struct strict_era era; /* a copy: a test may change it before bench_begin() */
    struct strict_start start;
    uint64_t now;
    struct bench_sent sent[BENCH_KEPT_MAX];
    size_t sent_count;
    struct strict_event events[BENCH_KEPT_MAX];
    size_t event_count;
    uint8_t message[STRICT_MESSAGE_MAX]; /* of the last STRICT_MESSAGE */
    const uint8_t *next_random;          /* NULL: a count */
    uint8_t random_count;
    /* The gateway. */
    struct strict_handshake_secrets handshake;
    uint8_t gateway_private_key[STRICT_KEY_SIZE];
    uint8_t session_id[STRICT_SESSION_ID_SIZE];
    struct strict_session_keys keys; /* as the device has them */
    uint32_t seq;                    /* the next of ours */
};

void bench_open(struct bench *bench, const char *era, const struct strict_port *port, enum strict_transport transport);
void bench_begin(struct bench *bench);
void bench_close(struct bench *bench);
/* The whole handshake, and what it sent and told is forgotten. */
void bench_connect(struct bench *bench);

/* Lets time pass, deadline by deadline. */
void bench_wait(struct bench *bench, uint64_t microseconds);

/* The next thing that the device sent. */
struct bench_sent bench_take(struct bench *bench);
/* A frame of this type; its payload stays in `kept`. */
struct strict_frame bench_take_frame(struct bench *bench, struct bench_sent *kept, uint8_t type);
void bench_expect_utack(struct bench *bench, uint8_t type, uint32_t seq, const uint8_t *key);
void bench_expect_silence(struct bench *bench);
void bench_forget(struct bench *bench);

/* STRICT_OPENED and STRICT_REPEATED are passed over unless they are what is expected. */
struct strict_event bench_expect_event(struct bench *bench, enum strict_event_kind kind);
void bench_expect_over(struct bench *bench, enum strict_end end);
void bench_expect_no_event(struct bench *bench);

/* The gateway sends. */
void bench_send(struct bench *bench, const uint8_t *bytes, size_t size);
void bench_send_utack(struct bench *bench, uint8_t type, uint32_t seq, const uint8_t *key);
/* Answers a HELLO that has been taken. */
void bench_make_challenge(struct bench *bench, const struct strict_frame *hello, struct bench_sent *out);
void bench_make_hello_retry(struct bench *bench, struct bench_sent *out);
/* After CHALLENGE. */
void bench_make_session_ok(struct bench *bench, struct bench_sent *out);
void bench_make_sealed(struct bench *bench, uint8_t type, uint32_t seq, const void *plain, size_t size,
                       struct bench_sent *out);
/* A sealed frame with the next seq, at once. */
void bench_send_sealed(struct bench *bench, uint8_t type, const void *plain, size_t size);
void bench_give(struct bench *bench, const struct bench_sent *frame);

#endif
