/* One device on a bench: its gateway is made of the low layers only, everything the device sends is kept until a test
 * has looked at it, time stands still unless moved. There is one bench, and one device at a time.
 */
#ifndef TESTS_PROTO_DEVICE_BENCH_H
#define TESTS_PROTO_DEVICE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <usmp/device.h>
#include <usmp/transcript.h>

#define DEVICE_BENCH_START UINT64_C(7000000)
#define DEVICE_BENCH_GIVE_UP_AFTER UINT64_C(10000000)
#define DEVICE_BENCH_SENT_MAX 32

struct device_bench_sent {
    size_t size;
    enum usmp_send_kind kind;
    uint8_t bytes[USMP_FRAME_MAX];
};

struct device_bench {
    struct usmp_device device;
    struct usmp_device_start start;
    struct usmp_challenge challenge;   /* what the gateway says */
    struct usmp_session_ok session_ok; /* and this */
    uint8_t gateway_private[USMP_PRIVATE_KEY_SIZE];
    uint8_t scratch[USMP_PLAINTEXT_MAX];
    uint64_t now;
    struct device_bench_sent sent[DEVICE_BENCH_SENT_MAX];
    size_t sent_count;
    size_t seen_count;
};

extern struct device_bench device_bench;

/* HELLO has been sent and looked at. */
void device_bench_begin(uint8_t version, enum usmp_transport transport);
/* Everything that was sent has been looked at. */
void device_bench_end(void);
/* Begins and goes through the handshake. */
void device_bench_connect(uint8_t version, enum usmp_transport transport);

/* What both have seen of the handshake. */
struct usmp_transcript device_bench_transcript(void);
/* Wire 1 and SDKs up to 1.0.x say 0 in every handshake frame, later ones 0, 1, 2. */
uint32_t device_bench_hello_ack_seq(void);

/* The device receives. */
enum usmp_session_verdict device_bench_receive(const uint8_t *bytes, size_t size);
enum usmp_session_verdict device_bench_receive_challenge(uint32_t seq);
enum usmp_session_verdict device_bench_receive_session_ok(uint32_t seq);
enum usmp_session_verdict device_bench_receive_hello_retry(uint32_t seq, uint8_t filling);
enum usmp_session_verdict device_bench_receive_utack(uint8_t type, uint32_t seq);

/* The next thing that was sent and not looked at yet. */
struct usmp_frame device_bench_see_frame(uint8_t type, uint32_t seq);
void device_bench_see_utack(uint8_t type, uint32_t seq);
void device_bench_see_hello(uint32_t seq, const uint8_t *cookie);
void device_bench_see_hello_ack(uint32_t seq);
void device_bench_assert_silence(void);

#endif
