/* Several workers at once: the places add up, and ThreadSanitizer has something to look at. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admission/admission.h"
#include "platform/address_text.h"

#define WORKERS 4u
#define ROUNDS 3000u

static const uint8_t hash_key[16] = "a key of sixteen";

static const struct admission_limits low = {.sessions = 20,
                                            .sessions_per_address = 5,
                                            .default_psk_sessions = 10,
                                            .handshakes = 20,
                                            .handshakes_per_address = 5,
                                            .lockout_after = 50,
                                            .lockout = 1000};

struct work {
    struct admission *admission;
    uint32_t seed;
};

static uint32_t draw(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 16;
}

static struct address peer_of(uint32_t number)
{
    uint8_t bytes[4] = {192, 0, 2, (uint8_t)(number % 8)};
    return address_from_ipv4(bytes, (uint16_t)number);
}

static void handshake(struct work *work, uint64_t now)
{
    uint32_t number = draw(&work->seed);
    struct address peer = peer_of(number);
    uint8_t device[6] = {2, 0, 0, 0, 0, (uint8_t)(number % 50)};
    if (admission_is_locked_out(work->admission, &peer, device, now) ||
        admission_handshake_begin(work->admission, &peer, device, now) != ADMISSION_WELCOME)
        return;
    if (number % 3 == 0) {
        (void)admission_failed(work->admission, &peer, device, now);
    } else if (admission_session_begin(work->admission, &peer, number % 2 == 0, number % 7 == 0) == ADMISSION_WELCOME) {
        admission_succeeded(work->admission, &peer, device);
        admission_session_end(work->admission, &peer, number % 2 == 0);
    }
    admission_handshake_end(work->admission, &peer);
}

static void *work_on(void *argument)
{
    struct work *work = argument;
    for (unsigned round = 0; round < ROUNDS; round++) {
        handshake(work, round);
        if (round % 100 == 0) {
            struct admission_limits limits = low;
            limits.sessions += round;
            (void)!admission_configure(work->admission, &limits);
            (void)admission_lockouts(work->admission, round);
        }
    }
    return NULL;
}

static void workers_share_it(void **state)
{
    (void)state;
    struct admission *admission = admission_open(&low, hash_key);
    assert_non_null(admission);
    pthread_t threads[WORKERS];
    struct work work[WORKERS];
    for (unsigned index = 0; index < WORKERS; index++) {
        work[index] = (struct work){.admission = admission, .seed = index + 1};
        assert_int_equal(pthread_create(&threads[index], NULL, work_on, &work[index]), 0);
    }
    for (unsigned index = 0; index < WORKERS; index++)
        assert_int_equal(pthread_join(threads[index], NULL), 0);

    /* All has been given back: there is room for as many as the limits say, and for no more. */
    assert_true(admission_configure(admission, &low));
    for (unsigned number = 0; number < low.sessions; number++) {
        struct address peer = peer_of(number);
        assert_int_equal(admission_session_begin(admission, &peer, false, false), ADMISSION_WELCOME);
    }
    struct address one_more = peer_of(0);
    assert_int_equal(admission_session_begin(admission, &one_more, false, false), ADMISSION_LIMITED);
    admission_close(admission);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(workers_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
