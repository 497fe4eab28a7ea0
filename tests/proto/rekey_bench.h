/* What the tests of REKEY share: a peer that sends REKEY and switches its keys, and a message of ours to cross it. */
#ifndef TESTS_PROTO_REKEY_BENCH_H
#define TESTS_PROTO_REKEY_BENCH_H

#include "proto/session_bench.h"

#include <usmp/keys.h>

static const uint8_t rekey_salt[USMP_REKEY_SALT_SIZE] = "thirty-two bytes that are random";
static uint8_t rekey_message[USMP_MESSAGE_MAX];

static inline int rekey_setup(void **state)
{
    (void)state;
    for (size_t index = 0; index < sizeof rekey_message; index++)
        rekey_message[index] = (uint8_t)(3 * index + (index >> 8));
    return 0;
}

static inline void rekey_begin(struct bench *bench)
{
    bench_begin_confirmed(bench, USMP_GATEWAY, USMP_WIRE_2, USMP_UDP);
}

static inline void rekey_peer_switches(struct bench *bench, enum usmp_role sender)
{
    usmp_keys_rekey(&bench->keys, sender, bench->start.session_id, rekey_salt, &bench->keys);
}

/* The peer sends REKEY, gets its UTACK under the old key and switches. */
static inline void rekey_receive(struct bench *bench, uint32_t seq)
{
    const struct usmp_keys old = bench->keys;
    bench_make(bench, USMP_REKEY, seq, rekey_salt, sizeof rekey_salt);
    assert_int_equal(bench_receive_frame(bench), USMP_SESSION_NOTHING);
    bench_assert_utack_under(bench, &old, USMP_REKEY, seq);
    rekey_peer_switches(bench, bench->start.role == USMP_GATEWAY ? USMP_DEVICE : USMP_GATEWAY);
}

static inline enum usmp_session_verdict rekey_receive_utack_under(struct bench *bench, const struct usmp_keys *keys,
                                                                  uint8_t type, uint32_t seq)
{
    const struct usmp_keys now = bench->keys;
    bench->keys = *keys;
    enum usmp_session_verdict verdict = bench_receive_utack(bench, type, seq);
    bench->keys = now;
    return verdict;
}

static inline void rekey_send_message(struct bench *bench, size_t size)
{
    assert_int_equal(usmp_session_send(&bench->session, rekey_message, size, bench->now), USMP_SEND_STARTED);
}

#endif
