/* Whom failed handshakes lock out (docs/security.md rules 7 and 14). */
#include "admission/fixture.h"

#include <stdio.h>

static const uint8_t second_id[6] = {2, 0, 0, 0, 0, 2};
static const uint8_t third_id[6] = {2, 0, 0, 0, 0, 3};

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

/* Another device each time. */
static uint8_t *device(unsigned number)
{
    static uint8_t id[6] = {4};
    id[4] = (uint8_t)(number >> 8);
    id[5] = (uint8_t)number;
    return id;
}

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
    for (unsigned number = 0; number < 44; number++)
        assert_int_equal(failed(admission, "192.0.2.1:1", device(number), 0), ADMISSION_NOT_LOCKED);
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
    for (unsigned number = 0; number < 10; number++)
        assert_int_equal(failed(admission, "192.0.2.1:1", device(number), 0), ADMISSION_NOT_LOCKED);
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
    for (unsigned number = 0; number < 49; number++)
        assert_int_equal(failed(admission, "192.0.2.1:1", device(number), now), ADMISSION_NOT_LOCKED);
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
        snprintf(peer, sizeof peer, "[2001:%x:%x::1]:1", 0xdb8 + (number >> 16), number & 0xffff);
        assert_int_equal(failed(admission, peer, second_id, 0), ADMISSION_NOT_LOCKED);
    }
    assert_true(locked(admission, "192.0.2.1:1", first_id, 1));
    assert_int_equal(admission_lockouts(admission, 1), 2);
    admission_close(admission);
}

/* A site has 65,536 customers' worth of addresses, so it has a count of its own. */
static void locks_a_site_at_ten_times_the_number(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    char peer[40];
    for (unsigned network = 0; network < 49; network++) {
        snprintf(peer, sizeof peer, "[2001:db8:1:%x::1]:1", network);
        assert_int_equal(failed(admission, peer, first_id, 0), ADMISSION_NOT_LOCKED);
    }
    assert_false(locked(admission, "[2001:db8:1:ffff::1]:1", second_id, 1));
    assert_int_equal(failed(admission, "[2001:db8:1:100::1]:1", first_id, 0), ADMISSION_SITE_LOCKED);
    assert_true(locked(admission, "[2001:db8:1:ffff::1]:1", second_id, LOCKOUT - 1));
    assert_true(locked(admission, "[2001:db8:1:ffff::1]:1", NULL, LOCKOUT - 1));
    assert_false(locked(admission, "[2001:db8:2:ffff::1]:1", second_id, 1));
    assert_int_equal(admission_lockouts(admission, 1), 1);
    assert_false(locked(admission, "[2001:db8:1:ffff::1]:1", second_id, LOCKOUT));
    /* And its count starts at 0. */
    for (unsigned network = 0; network < 49; network++) {
        snprintf(peer, sizeof peer, "[2001:db8:1:%x::1]:1", 0x200 + network);
        assert_int_equal(failed(admission, peer, first_id, LOCKOUT), ADMISSION_NOT_LOCKED);
    }
    admission_close(admission);
}

/* A live session anywhere in it makes it a hundred times; its /64 is for itself. */
static void locks_a_site_with_a_live_session_at_a_hundred_times_the_number(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    assert_int_equal(begin(admission, "[2001:db8:1:eeee::1]:1", false, false), ADMISSION_WELCOME);
    char peer[40];
    for (unsigned network = 0; network < 499; network++) {
        snprintf(peer, sizeof peer, "[2001:db8:1:%x::1]:1", network);
        assert_int_equal(failed(admission, peer, first_id, 0), ADMISSION_NOT_LOCKED);
    }
    assert_int_equal(failed(admission, "[2001:db8:1:1000::1]:1", first_id, 0), ADMISSION_SITE_LOCKED);
    assert_int_equal(failed(admission, "[2001:db8:1:1001::1]:1", first_id, 0), ADMISSION_NOT_LOCKED);
    admission_close(admission);
}

static void forgets_in_the_site_too_what_a_device_contributed(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    for (unsigned network = 0; network < 48; network++) {
        char peer[40];
        snprintf(peer, sizeof peer, "[2001:db8:1:%x::1]:1", network);
        assert_int_equal(failed(admission, peer, first_id, 0), ADMISSION_NOT_LOCKED);
    }
    succeed(admission, "[2001:db8:1:7::1]:1", first_id);  /* 47 are left */
    succeed(admission, "[2001:db8:1:8::1]:1", second_id); /* which did nothing */
    assert_int_equal(failed(admission, "[2001:db8:1:7::2]:1", second_id, 0), ADMISSION_NOT_LOCKED); /* 48 */
    assert_int_equal(failed(admission, "[2001:db8:1:7::2]:1", second_id, 0), ADMISSION_NOT_LOCKED);
    assert_int_equal(failed(admission, "[2001:db8:1:7::2]:1", second_id, 0), ADMISSION_SITE_LOCKED);
    admission_close(admission);
}

/* A handshake that began before its device was locked may fail afterwards. That is the device's own, too. */
static void takes_back_what_failed_while_the_device_was_locked(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    assert_int_equal(begin(admission, "192.0.2.1:1", false, false), ADMISSION_WELCOME);
    fail_times(admission, "192.0.2.1:1", first_id, 4);
    assert_int_equal(failed(admission, "192.0.2.1:1", first_id, 0), ADMISSION_DEVICE_LOCKED);
    fail_times(admission, "192.0.2.1:1", first_id, 3);
    succeed(admission, "192.0.2.1:1", first_id);
    for (unsigned number = 0; number < 49; number++)
        assert_int_equal(failed(admission, "192.0.2.1:1", device(number), 0), ADMISSION_NOT_LOCKED);
    assert_int_equal(failed(admission, "192.0.2.1:1", device(49), 0), ADMISSION_ADDRESS_LOCKED);
    admission_close(admission);
}

/* Nobody is known yet when a connection breaks the protocol at once: that is the address's alone. */
static void counts_failures_of_nobody_in_particular(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    fail_times(admission, "192.0.2.1:1", NULL, 4);
    succeed(admission, "192.0.2.1:1", first_id);
    assert_int_equal(failed(admission, "192.0.2.1:1", NULL, 0), ADMISSION_ADDRESS_LOCKED);
    assert_int_equal(admission_lockouts(admission, 1), 1);
    admission_close(admission);
}

/* Whose count was forgotten for want of room has nothing to take back of a count that began later. */
static void takes_back_nothing_of_a_count_that_began_later(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    assert_int_equal(begin(admission, "192.0.2.1:1", false, false), ADMISSION_WELCOME);
    fail_times(admission, "192.0.2.1:1", first_id, 4);
    assert_int_equal(failed(admission, "192.0.2.1:1", first_id, 0), ADMISSION_DEVICE_LOCKED); /* and stays */
    for (unsigned number = 0; number < ADMISSION_FAILURES; number++) {
        struct address address = at("10.0.0.0:1");
        address.bytes[13] = (uint8_t)(number >> 16);
        address.bytes[14] = (uint8_t)(number >> 8);
        address.bytes[15] = (uint8_t)number;
        assert_int_equal(admission_failed(admission, &address, NULL, 0), ADMISSION_NOT_LOCKED);
    }
    end(admission, "192.0.2.1:1", false);
    fail_times(admission, "192.0.2.1:1", second_id, 4);
    succeed(admission, "192.0.2.1:1", first_id);
    assert_int_equal(failed(admission, "192.0.2.1:1", third_id, 0), ADMISSION_ADDRESS_LOCKED);
    admission_close(admission);
}

/* With all records locked there is no room for anybody new: he is not counted. As soon as they are over, he is. */
static void counts_nobody_new_while_all_records_are_locked(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    limits.lockout_after = 1;
    struct admission *admission = opened(&limits);
    for (unsigned number = 0; number < ADMISSION_FAILURES; number++) {
        struct address address = at("10.0.0.0:1");
        address.bytes[13] = (uint8_t)(number >> 16);
        address.bytes[14] = (uint8_t)(number >> 8);
        address.bytes[15] = (uint8_t)number;
        assert_int_equal(admission_failed(admission, &address, NULL, 0), ADMISSION_ADDRESS_LOCKED);
    }
    assert_int_equal(admission_lockouts(admission, 1), ADMISSION_FAILURES);
    assert_int_equal(failed(admission, "192.0.2.1:1", first_id, 1), ADMISSION_NOT_LOCKED);
    assert_false(locked(admission, "192.0.2.1:1", first_id, 2));
    assert_true(locked(admission, "10.0.0.77:1", first_id, 2));
    assert_int_equal(failed(admission, "192.0.2.1:1", first_id, LOCKOUT), ADMISSION_ADDRESS_LOCKED);
    assert_int_equal(admission_lockouts(admission, LOCKOUT), 2);
    admission_close(admission);
}

/* The new length concerns new lockouts. */
static void takes_over_a_shorter_lockout(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    limits.lockout_after = 1;
    struct admission *admission = opened(&limits);
    assert_int_equal(failed(admission, "192.0.2.1:1", NULL, 0), ADMISSION_ADDRESS_LOCKED);
    limits.lockout = SECOND;
    assert_true(admission_configure(admission, &limits));
    assert_int_equal(failed(admission, "192.0.2.2:1", NULL, 0), ADMISSION_ADDRESS_LOCKED);
    assert_true(locked(admission, "192.0.2.1:1", NULL, LOCKOUT - 1));
    assert_false(locked(admission, "192.0.2.2:1", NULL, SECOND));
    assert_int_equal(admission_lockouts(admission, SECOND), 1);
    assert_int_equal(failed(admission, "192.0.2.2:1", NULL, SECOND), ADMISSION_ADDRESS_LOCKED);
    assert_int_equal(admission_lockouts(admission, SECOND), 2);
    admission_close(admission);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(locks_a_site_at_ten_times_the_number),
        cmocka_unit_test(locks_a_site_with_a_live_session_at_a_hundred_times_the_number),
        cmocka_unit_test(forgets_in_the_site_too_what_a_device_contributed),
        cmocka_unit_test(takes_back_what_failed_while_the_device_was_locked),
        cmocka_unit_test(counts_failures_of_nobody_in_particular),
        cmocka_unit_test(takes_back_nothing_of_a_count_that_began_later),
        cmocka_unit_test(counts_nobody_new_while_all_records_are_locked),
        cmocka_unit_test(takes_over_a_shorter_lockout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
