/* Who may come in (docs/security.md rules 7, 13 and 14). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admission/admission.h"
#include "platform/address_text.h"

#define SECOND UINT64_C(1000000)
#define LOCKOUT (60 * SECOND)

static const uint8_t hash_key[16] = "a key of sixteen";
static const uint8_t first_id[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t second_id[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t third_id[6] = {2, 0, 0, 0, 0, 3};

static unsigned calls;
static unsigned failing_call;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    calls++;
    return calls == failing_call ? NULL : __real_calloc(count, size);
}

static struct address at(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static const struct admission_limits generous = {.sessions = 1000,
                                                 .sessions_per_address = 0,
                                                 .default_psk_sessions = 1000,
                                                 .handshakes = 1000,
                                                 .handshakes_per_address = 0,
                                                 .lockout_after = 5,
                                                 .lockout = LOCKOUT};

static struct admission *opened(const struct admission_limits *limits)
{
    struct admission *admission = admission_open(limits, hash_key);
    assert_non_null(admission);
    return admission;
}

static enum admission_verdict shake(struct admission *admission, const char *peer)
{
    struct address address = at(peer);
    return admission_handshake_begin(admission, &address, first_id, 0);
}

static void end_handshake(struct admission *admission, const char *peer)
{
    struct address address = at(peer);
    admission_handshake_end(admission, &address);
}

static enum admission_verdict begin(struct admission *admission, const char *peer, bool uses_default, bool replaces)
{
    struct address address = at(peer);
    return admission_session_begin(admission, &address, uses_default, replaces, 0);
}

static void end(struct admission *admission, const char *peer, bool uses_default)
{
    struct address address = at(peer);
    admission_session_end(admission, &address, uses_default);
}

static enum admission_lock failed(struct admission *admission, const char *peer, const uint8_t *id, uint64_t now)
{
    struct address address = at(peer);
    return admission_failed(admission, &address, id, now);
}

static bool locked(struct admission *admission, const char *peer, const uint8_t *id, uint64_t now)
{
    struct address address = at(peer);
    bool locked_out = admission_is_locked_out(admission, &address, id, now);
    if (id != NULL) {
        enum admission_verdict verdict = admission_handshake_begin(admission, &address, id, now);
        assert_int_equal(verdict, locked_out ? ADMISSION_LOCKED_OUT : ADMISSION_WELCOME);
        if (!locked_out)
            admission_handshake_end(admission, &address);
    }
    return locked_out;
}

static void succeed(struct admission *admission, const char *peer, const uint8_t *id)
{
    struct address address = at(peer);
    admission_succeeded(admission, &address, id);
}

static void fail_times(struct admission *admission, const char *peer, const uint8_t *id, unsigned times)
{
    for (unsigned time = 0; time < times; time++)
        assert_int_equal(failed(admission, peer, id, 0), ADMISSION_NOT_LOCKED);
}

/* Places. */

static void limits_handshakes(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    limits.handshakes = 2;
    struct admission *admission = opened(&limits);
    assert_int_equal(shake(admission, "192.0.2.1:1"), ADMISSION_WELCOME);
    assert_int_equal(shake(admission, "192.0.2.2:1"), ADMISSION_WELCOME);
    assert_int_equal(shake(admission, "192.0.2.3:1"), ADMISSION_LIMITED);
    end_handshake(admission, "192.0.2.1:7");
    assert_int_equal(shake(admission, "192.0.2.3:1"), ADMISSION_WELCOME);
    admission_close(admission);
}

static void limits_handshakes_of_an_address(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    limits.handshakes_per_address = 2;
    struct admission *admission = opened(&limits);
    assert_int_equal(shake(admission, "192.0.2.1:1"), ADMISSION_WELCOME);
    assert_int_equal(shake(admission, "192.0.2.1:2"), ADMISSION_WELCOME);
    assert_int_equal(shake(admission, "192.0.2.1:3"), ADMISSION_LIMITED);
    assert_int_equal(shake(admission, "192.0.2.2:1"), ADMISSION_WELCOME);
    end_handshake(admission, "192.0.2.1:1");
    assert_int_equal(shake(admission, "192.0.2.1:3"), ADMISSION_WELCOME);
    admission_close(admission);
}

static void limits_sessions(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    limits.sessions = 3;
    limits.sessions_per_address = 2;
    limits.default_psk_sessions = 1;
    struct admission *admission = opened(&limits);
    assert_int_equal(begin(admission, "192.0.2.1:1", true, false), ADMISSION_WELCOME);
    assert_int_equal(begin(admission, "192.0.2.2:1", true, false), ADMISSION_LIMITED);
    assert_int_equal(begin(admission, "192.0.2.1:2", false, false), ADMISSION_WELCOME);
    assert_int_equal(begin(admission, "192.0.2.1:3", false, false), ADMISSION_LIMITED);
    assert_int_equal(begin(admission, "192.0.2.2:1", false, false), ADMISSION_WELCOME);
    assert_int_equal(begin(admission, "192.0.2.3:1", false, false), ADMISSION_LIMITED);

    /* Whoever replaces his own session needs no further place in any of them. */
    assert_int_equal(begin(admission, "192.0.2.1:9", true, true), ADMISSION_WELCOME);
    end(admission, "192.0.2.1:1", true);
    assert_int_equal(begin(admission, "192.0.2.3:1", false, false), ADMISSION_LIMITED);
    end(admission, "192.0.2.1:9", true);
    assert_int_equal(begin(admission, "192.0.2.3:1", true, false), ADMISSION_WELCOME);
    admission_close(admission);
}

static void counts_a_customer_as_one(void **state)
{
    static const char *const same[][2] = {
        {"192.0.2.1:1", "[::ffff:192.0.2.1]:2"},
        {"192.0.2.1:1", "[64:ff9b::c000:201]:2"},
        {"[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff:ffff:ffff:ffff]:2"},
    };
    static const char *const different[][2] = {
        {"192.0.2.1:1", "192.0.2.2:1"},
        {"[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1"},
        {"[2001:db8:1:2::1]:1", "192.0.2.1:1"},
        {"[::1]:1", "127.0.0.1:1"},
    };
    (void)state;
    struct admission_limits limits = generous;
    limits.sessions_per_address = 1;
    limits.lockout_after = 1;
    for (size_t index = 0; index < sizeof same / sizeof same[0]; index++) {
        struct admission *admission = opened(&limits);
        assert_int_equal(begin(admission, same[index][0], false, false), ADMISSION_WELCOME);
        assert_int_equal(begin(admission, same[index][1], false, false), ADMISSION_LIMITED);
        end(admission, same[index][1], false);
        assert_int_equal(failed(admission, same[index][0], NULL, 0), ADMISSION_ADDRESS_LOCKED);
        assert_true(locked(admission, same[index][1], first_id, 1));
        admission_close(admission);
    }
    for (size_t index = 0; index < sizeof different / sizeof different[0]; index++) {
        struct admission *admission = opened(&limits);
        assert_int_equal(begin(admission, different[index][0], false, false), ADMISSION_WELCOME);
        assert_int_equal(begin(admission, different[index][1], false, false), ADMISSION_WELCOME);
        end(admission, different[index][0], false);
        assert_int_equal(failed(admission, different[index][0], NULL, 0), ADMISSION_ADDRESS_LOCKED);
        assert_false(locked(admission, different[index][1], first_id, 1));
        admission_close(admission);
    }
}

static void trusts_whom_it_is_told_to(void **state)
{
    (void)state;
    struct address_prefix trusted[2];
    assert_true(address_prefix_parse("192.0.2.0/24", &trusted[0]));
    assert_true(address_prefix_parse("2001:db8::/32", &trusted[1]));
    struct admission_limits limits = generous;
    limits.sessions = 3;
    limits.sessions_per_address = 1;
    limits.handshakes_per_address = 1;
    limits.trusted = trusted;
    limits.trusted_count = 2;
    struct admission *admission = opened(&limits);
    memset(trusted, 0, sizeof trusted); /* they were copied */
    assert_int_equal(begin(admission, "192.0.2.1:1", false, false), ADMISSION_WELCOME);
    assert_int_equal(begin(admission, "192.0.2.1:2", false, false), ADMISSION_WELCOME);
    assert_int_equal(begin(admission, "[2001:db8::1]:1", false, false), ADMISSION_WELCOME);
    assert_int_equal(begin(admission, "192.0.2.1:3", false, false), ADMISSION_LIMITED); /* all addresses together */
    assert_int_equal(shake(admission, "192.0.2.1:1"), ADMISSION_WELCOME);
    assert_int_equal(shake(admission, "192.0.2.1:2"), ADMISSION_WELCOME);
    for (unsigned time = 0; time < 100; time++)
        assert_int_equal(failed(admission, "192.0.2.1:1", first_id, 0), ADMISSION_NOT_LOCKED);
    assert_false(locked(admission, "192.0.2.1:1", first_id, 1));
    assert_int_equal(shake(admission, "203.0.113.1:1"), ADMISSION_WELCOME);
    assert_int_equal(shake(admission, "203.0.113.1:2"), ADMISSION_LIMITED);
    admission_close(admission);
}

/* Lockout. */

static void locks_after_as_many_in_a_row(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    fail_times(admission, "192.0.2.1:1", first_id, 4);
    assert_false(locked(admission, "192.0.2.1:1", first_id, 0));
    assert_int_equal(failed(admission, "192.0.2.1:1", first_id, 0), ADMISSION_ADDRESS_LOCKED);
    assert_true(locked(admission, "192.0.2.1:9", first_id, LOCKOUT - 1));
    assert_true(locked(admission, "192.0.2.1:9", second_id, LOCKOUT - 1));
    assert_true(locked(admission, "192.0.2.1:9", NULL, LOCKOUT - 1));
    assert_false(locked(admission, "192.0.2.2:9", first_id, LOCKOUT - 1));
    assert_int_equal(admission_lockouts(admission, LOCKOUT - 1), 2);
    assert_false(locked(admission, "192.0.2.1:9", first_id, LOCKOUT));
    assert_int_equal(admission_lockouts(admission, LOCKOUT), 0);
    admission_close(admission);
}

static void does_not_prolong_a_lockout(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    fail_times(admission, "192.0.2.1:1", first_id, 4);
    assert_int_equal(failed(admission, "192.0.2.1:1", first_id, 0), ADMISSION_ADDRESS_LOCKED);
    for (uint64_t second = 1; second < 60; second++)
        assert_int_equal(failed(admission, "192.0.2.1:1", first_id, second * SECOND), ADMISSION_NOT_LOCKED);
    assert_false(locked(admission, "192.0.2.1:1", first_id, LOCKOUT));
    /* And then the count starts at 0. */
    for (unsigned time = 0; time < 4; time++)
        assert_int_equal(failed(admission, "192.0.2.1:1", first_id, LOCKOUT), ADMISSION_NOT_LOCKED);
    assert_int_equal(failed(admission, "192.0.2.1:1", first_id, LOCKOUT), ADMISSION_ADDRESS_LOCKED);
    admission_close(admission);
}

static void locks_only_the_device_while_a_session_is_live_there(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    assert_int_equal(begin(admission, "192.0.2.1:1", false, false), ADMISSION_WELCOME);
    fail_times(admission, "192.0.2.1:1", first_id, 4);
    assert_int_equal(failed(admission, "192.0.2.1:1", first_id, 0), ADMISSION_DEVICE_LOCKED);
    assert_true(locked(admission, "192.0.2.1:1", first_id, 0));
    assert_false(locked(admission, "192.0.2.1:1", second_id, 0));
    assert_false(locked(admission, "192.0.2.1:1", NULL, 0));
    assert_false(locked(admission, "192.0.2.2:1", first_id, 0));
    for (unsigned device = 0; device < 44; device++) {
        uint8_t id[6] = {4, 0, 0, 0, 0, (uint8_t)device};
        assert_int_equal(failed(admission, "192.0.2.1:1", id, 0), ADMISSION_NOT_LOCKED);
    }
    assert_int_equal(failed(admission, "192.0.2.1:1", NULL, 0), ADMISSION_ADDRESS_LOCKED);
    assert_true(locked(admission, "192.0.2.1:1", second_id, 0));
    admission_close(admission);
}

/* With the last session the address falls back to the lower number. */
static void locks_sooner_when_the_session_is_gone(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    assert_int_equal(begin(admission, "192.0.2.1:1", false, false), ADMISSION_WELCOME);
    for (unsigned device = 0; device < 10; device++) {
        uint8_t id[6] = {4, 0, 0, 0, 0, (uint8_t)device};
        assert_int_equal(failed(admission, "192.0.2.1:1", id, 0), ADMISSION_NOT_LOCKED);
    }
    end(admission, "192.0.2.1:1", false);
    assert_int_equal(failed(admission, "192.0.2.1:1", first_id, 0), ADMISSION_ADDRESS_LOCKED);
    admission_close(admission);
}

static void forgets_what_a_device_contributed_when_it_succeeds(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    fail_times(admission, "192.0.2.1:1", first_id, 2);
    fail_times(admission, "192.0.2.1:1", second_id, 2);
    succeed(admission, "192.0.2.1:1", first_id);
    fail_times(admission, "192.0.2.1:1", third_id, 2); /* four, with two of the second */
    succeed(admission, "192.0.2.1:1", first_id);       /* nothing of it is its own */
    assert_int_equal(failed(admission, "192.0.2.1:1", third_id, 0), ADMISSION_ADDRESS_LOCKED);
    admission_close(admission);
}

/* Also those failures that led to its own lockout in the meantime. */
static void forgets_them_over_a_lockout_of_the_device(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    assert_int_equal(begin(admission, "192.0.2.1:1", false, false), ADMISSION_WELCOME);
    uint64_t now = 0;
    for (unsigned round = 0; round < 9; round++) {
        for (unsigned time = 0; time < 4; time++)
            assert_int_equal(failed(admission, "192.0.2.1:1", first_id, now), ADMISSION_NOT_LOCKED);
        assert_int_equal(failed(admission, "192.0.2.1:1", first_id, now), ADMISSION_DEVICE_LOCKED);
        now += LOCKOUT;
    }
    succeed(admission, "192.0.2.1:1", first_id); /* it has its key at last */
    for (unsigned device = 0; device < 49; device++) {
        uint8_t id[6] = {4, 0, 0, 0, 0, (uint8_t)device};
        assert_int_equal(failed(admission, "192.0.2.1:1", id, now), ADMISSION_NOT_LOCKED);
    }
    assert_int_equal(failed(admission, "192.0.2.1:1", second_id, now), ADMISSION_ADDRESS_LOCKED);
    admission_close(admission);
}

/* And nothing of what others did since the address was locked and began to count afresh. */
static void forgets_nothing_of_others(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    fail_times(admission, "192.0.2.1:1", first_id, 4);
    assert_int_equal(failed(admission, "192.0.2.1:1", second_id, 0), ADMISSION_ADDRESS_LOCKED);
    for (unsigned time = 0; time < 4; time++)
        assert_int_equal(failed(admission, "192.0.2.1:1", third_id, LOCKOUT), ADMISSION_NOT_LOCKED);
    succeed(admission, "192.0.2.1:1", first_id);
    assert_int_equal(failed(admission, "192.0.2.1:1", second_id, LOCKOUT), ADMISSION_ADDRESS_LOCKED);
    admission_close(admission);
}

/* Nor more than its own part of the new count. */
static void forgets_only_its_part_of_the_new_count(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    fail_times(admission, "192.0.2.1:1", first_id, 4);
    assert_int_equal(failed(admission, "192.0.2.1:1", second_id, 0), ADMISSION_ADDRESS_LOCKED);
    assert_int_equal(failed(admission, "192.0.2.1:1", third_id, LOCKOUT), ADMISSION_NOT_LOCKED);
    assert_int_equal(failed(admission, "192.0.2.1:1", third_id, LOCKOUT), ADMISSION_NOT_LOCKED);
    assert_int_equal(failed(admission, "192.0.2.1:1", second_id, LOCKOUT), ADMISSION_NOT_LOCKED);
    succeed(admission, "192.0.2.1:1", second_id);
    for (unsigned time = 0; time < 2; time++)
        assert_int_equal(failed(admission, "192.0.2.1:1", third_id, LOCKOUT), ADMISSION_NOT_LOCKED);
    assert_int_equal(failed(admission, "192.0.2.1:1", second_id, LOCKOUT), ADMISSION_ADDRESS_LOCKED);
    admission_close(admission);
}

static void may_be_off(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    limits.lockout_after = 0;
    struct admission *admission = opened(&limits);
    fail_times(admission, "192.0.2.1:1", first_id, 1000);
    assert_false(locked(admission, "192.0.2.1:1", first_id, 0));
    admission_close(admission);
}

/* A bound on memory: who is locked out stays so, whoever else fails. */
static void keeps_lockouts_when_it_is_full(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    fail_times(admission, "192.0.2.1:1", first_id, 4);
    assert_int_equal(failed(admission, "192.0.2.1:1", first_id, 0), ADMISSION_ADDRESS_LOCKED);
    for (uint32_t number = 0; number < 2 * ADMISSION_FAILURES; number++) {
        char peer[40];
        snprintf(peer, sizeof peer, "[2001:db8:%x:%x::1]:1", number >> 16, number & 0xffff);
        assert_int_equal(failed(admission, peer, second_id, 0), ADMISSION_NOT_LOCKED);
    }
    assert_true(locked(admission, "192.0.2.1:1", first_id, 1));
    assert_int_equal(admission_lockouts(admission, 1), 2);
    admission_close(admission);
}

/* Completed handshakes (rule 18). */

static bool may_complete(struct admission *admission, const uint8_t *id, uint64_t now)
{
    return admission_may_complete(admission, id, now);
}

static void limits_completed_handshakes_of_a_device(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    for (unsigned time = 0; time < 10; time++)
        assert_true(may_complete(admission, first_id, SECOND));
    assert_false(may_complete(admission, first_id, SECOND));
    assert_true(may_complete(admission, second_id, SECOND)); /* another device is not concerned */
    assert_false(may_complete(admission, first_id, 3 * SECOND - 1));
    assert_true(may_complete(admission, first_id, 3 * SECOND));
    assert_false(may_complete(admission, first_id, 3 * SECOND));
    assert_true(may_complete(admission, first_id, 60 * SECOND)); /* full again, and no fuller than that */
    for (unsigned time = 0; time < 9; time++)
        assert_true(may_complete(admission, first_id, 60 * SECOND));
    assert_false(may_complete(admission, first_id, 60 * SECOND));
    admission_close(admission);
}

/* New limits. */

static void takes_over_lower_limits(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    for (unsigned count = 0; count < 5; count++) {
        assert_int_equal(begin(admission, "192.0.2.1:1", false, false), ADMISSION_WELCOME);
        assert_int_equal(shake(admission, "192.0.2.1:1"), ADMISSION_WELCOME);
    }
    struct admission_limits limits = generous;
    limits.sessions = 3;
    limits.handshakes = 2;
    assert_true(admission_configure(admission, &limits));
    /* Who is there stays; places are free again below the new limit. */
    for (unsigned count = 0; count < 3; count++) {
        assert_int_equal(begin(admission, "192.0.2.2:1", false, false), ADMISSION_LIMITED);
        end(admission, "192.0.2.1:1", false);
    }
    assert_int_equal(begin(admission, "192.0.2.2:1", false, false), ADMISSION_WELCOME);
    for (unsigned count = 0; count < 4; count++) {
        assert_int_equal(shake(admission, "192.0.2.2:1"), ADMISSION_LIMITED);
        end_handshake(admission, "192.0.2.1:1");
    }
    assert_int_equal(shake(admission, "192.0.2.2:1"), ADMISSION_WELCOME);
    admission_close(admission);
}

static void takes_over_higher_limits_with_all_that_is_there(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    limits.sessions = 10;
    limits.handshakes = 10;
    limits.sessions_per_address = 2;
    struct admission *admission = opened(&limits);
    for (unsigned number = 0; number < 10; number++) {
        char peer[24];
        snprintf(peer, sizeof peer, "192.0.2.%u:1", number);
        assert_int_equal(begin(admission, peer, false, false), ADMISSION_WELCOME);
        assert_int_equal(shake(admission, peer), ADMISSION_WELCOME);
    }
    fail_times(admission, "203.0.113.1:1", first_id, 4);
    limits.sessions = 5000;
    limits.handshakes = 5000;
    assert_true(admission_configure(admission, &limits));
    for (unsigned number = 0; number < 10; number++) {
        char peer[24];
        snprintf(peer, sizeof peer, "192.0.2.%u:1", number);
        assert_int_equal(begin(admission, peer, false, false), ADMISSION_WELCOME);
        assert_int_equal(begin(admission, peer, false, false), ADMISSION_LIMITED);
        end(admission, peer, false);
        end(admission, peer, false);
        end_handshake(admission, peer);
    }
    assert_int_equal(failed(admission, "203.0.113.1:1", first_id, 0), ADMISSION_ADDRESS_LOCKED);
    for (unsigned number = 0; number < 5000; number++) {
        char peer[40];
        snprintf(peer, sizeof peer, "[2001:db8:0:%x::1]:1", number);
        assert_int_equal(begin(admission, peer, false, false), ADMISSION_WELCOME);
        assert_int_equal(shake(admission, peer), ADMISSION_WELCOME);
    }
    admission_close(admission);
}

static void keeps_the_old_limits_when_memory_is_short(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    limits.sessions = 1;
    struct admission *admission = opened(&limits);
    struct admission_limits more = generous;
    more.sessions = 100000;
    for (failing_call = 1; failing_call <= 3; failing_call++) {
        calls = 0;
        assert_false(admission_configure(admission, &more));
    }
    failing_call = 0;
    assert_int_equal(begin(admission, "192.0.2.1:1", false, false), ADMISSION_WELCOME);
    assert_int_equal(begin(admission, "192.0.2.2:1", false, false), ADMISSION_LIMITED);
    assert_true(admission_configure(admission, &more));
    assert_int_equal(begin(admission, "192.0.2.2:1", false, false), ADMISSION_WELCOME);
    admission_close(admission);
}

static void says_when_memory_is_short(void **state)
{
    (void)state;
    for (failing_call = 1; failing_call <= 10; failing_call++) {
        calls = 0;
        assert_null(admission_open(&generous, hash_key));
    }
    failing_call = 0;
    admission_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_handshakes),
        cmocka_unit_test(limits_handshakes_of_an_address),
        cmocka_unit_test(limits_sessions),
        cmocka_unit_test(counts_a_customer_as_one),
        cmocka_unit_test(trusts_whom_it_is_told_to),
        cmocka_unit_test(locks_after_as_many_in_a_row),
        cmocka_unit_test(does_not_prolong_a_lockout),
        cmocka_unit_test(locks_only_the_device_while_a_session_is_live_there),
        cmocka_unit_test(locks_sooner_when_the_session_is_gone),
        cmocka_unit_test(forgets_what_a_device_contributed_when_it_succeeds),
        cmocka_unit_test(forgets_them_over_a_lockout_of_the_device),
        cmocka_unit_test(forgets_nothing_of_others),
        cmocka_unit_test(forgets_only_its_part_of_the_new_count),
        cmocka_unit_test(may_be_off),
        cmocka_unit_test(keeps_lockouts_when_it_is_full),
        cmocka_unit_test(limits_completed_handshakes_of_a_device),
        cmocka_unit_test(takes_over_lower_limits),
        cmocka_unit_test(takes_over_higher_limits_with_all_that_is_there),
        cmocka_unit_test(keeps_the_old_limits_when_memory_is_short),
        cmocka_unit_test(says_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
