/* How many may come in (docs/security.md rules 7 and 9), and what new limits change. */
#include "admission/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission/limiter_table.h"
#include "admission/places.h"

static unsigned calls;
static unsigned failing_call;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    calls++;
    return calls == failing_call ? NULL : __real_calloc(count, size);
}

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
    for (unsigned time = 0; time < 4; time++)
        assert_int_equal(failed(admission, "203.0.113.1:1", first_id, 0), ADMISSION_NOT_LOCKED);
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
        snprintf(peer, sizeof peer, "[2001:db8:%x::1]:1", number);
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
    for (failing_call = 1; failing_call <= 16; failing_call++) {
        calls = 0;
        assert_null(admission_open(&generous, hash_key));
    }
    failing_call = 0;
    admission_close(NULL);
}

/* A /48 has sixteen times the places of an address, spread over it as it likes. */
static void limits_what_a_site_has(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    limits.sessions_per_address = 2;
    limits.handshakes_per_address = 1;
    struct admission *admission = opened(&limits);
    char peer[40];
    for (unsigned network = 0; network < 16; network++) {
        snprintf(peer, sizeof peer, "[2001:db8:1:%x::1]:1", network);
        assert_int_equal(begin(admission, peer, false, false), ADMISSION_WELCOME);
        assert_int_equal(begin(admission, peer, false, false), ADMISSION_WELCOME);
        assert_int_equal(begin(admission, peer, false, false), ADMISSION_LIMITED);
        assert_int_equal(shake(admission, peer), ADMISSION_WELCOME);
        assert_int_equal(shake(admission, peer), ADMISSION_LIMITED);
    }
    assert_int_equal(begin(admission, "[2001:db8:1:ffff::1]:1", false, false), ADMISSION_LIMITED);
    assert_int_equal(shake(admission, "[2001:db8:1:ffff::1]:1"), ADMISSION_LIMITED);
    assert_int_equal(begin(admission, "[2001:db8:1:ffff::1]:1", false, true), ADMISSION_WELCOME);
    end(admission, "[2001:db8:1:ffff::1]:1", false);
    assert_int_equal(begin(admission, "[2001:db8:2:ffff::1]:1", false, false), ADMISSION_WELCOME);
    assert_int_equal(shake(admission, "[2001:db8:2:ffff::1]:1"), ADMISSION_WELCOME);
    end(admission, "[2001:db8:1:3::9]:9", false);
    end_handshake(admission, "[2001:db8:1:3::9]:9");
    assert_int_equal(begin(admission, "[2001:db8:1:ffff::1]:1", false, false), ADMISSION_WELCOME);
    assert_int_equal(shake(admission, "[2001:db8:1:ffff::1]:1"), ADMISSION_WELCOME);
    admission_close(admission);
}

/* What is refused has taken no place, however often and in whichever limit. */
static void takes_nothing_when_it_refuses(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    limits.sessions = 1;
    limits.handshakes = 1;
    limits.sessions_per_address = 1;
    limits.handshakes_per_address = 1;
    struct admission *admission = opened(&limits);
    assert_int_equal(begin(admission, "192.0.2.1:1", false, false), ADMISSION_WELCOME);
    assert_int_equal(shake(admission, "192.0.2.1:1"), ADMISSION_WELCOME);
    limits.sessions = 1000;
    limits.handshakes = 1000;
    assert_true(admission_configure(admission, &limits));
    for (unsigned time = 0; time < 10000; time++) {
        assert_int_equal(begin(admission, "192.0.2.1:1", false, false), ADMISSION_LIMITED);
        assert_int_equal(shake(admission, "192.0.2.1:1"), ADMISSION_LIMITED);
    }
    for (unsigned number = 0; number < 999; number++) {
        char peer[40];
        snprintf(peer, sizeof peer, "[2001:db8:%x::1]:1", number);
        assert_int_equal(begin(admission, peer, false, false), ADMISSION_WELCOME);
        assert_int_equal(shake(admission, peer), ADMISSION_WELCOME);
    }
    assert_int_equal(begin(admission, "192.0.2.2:1", false, false), ADMISSION_LIMITED);
    assert_int_equal(shake(admission, "192.0.2.2:1"), ADMISSION_LIMITED);
    admission_close(admission);
}

/* A site that is full does not fill the table with networks in it that have nothing. */
static void keeps_no_network_that_was_refused(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    limits.sessions_per_address = 1;
    limits.handshakes_per_address = 1;
    struct places places = {0};
    assert_true(places_configure(&places, &limits, hash_key));
    struct address peer = at("[2001:db8:1::1]:1");
    for (unsigned network = 0; network < 100; network++) {
        peer.bytes[7] = (uint8_t)network;
        assert_int_equal(places_take_session(&places, &limits, &peer, false, false, false), network < 16);
    }
    assert_int_equal(limiter_table_count(places.networks), 16 + 1);
    for (unsigned network = 0; network < 100; network++) {
        peer.bytes[7] = (uint8_t)network;
        assert_int_equal(places_take_handshake(&places, &limits, &peer, false), network < 16);
    }
    assert_int_equal(limiter_table_count(places.networks), 16 + 1);
    for (unsigned network = 0; network < 16; network++) {
        peer.bytes[7] = (uint8_t)network;
        places_give_session(&places, &peer, false);
        places_give_handshake(&places, &peer);
    }
    assert_int_equal(limiter_table_count(places.networks), 0);
    places_close(&places);
}

/* The highest limits that the configuration takes do not ask for more memory than that. */
static void has_a_bound_of_its_own(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    limits.sessions = INT32_MAX;
    limits.handshakes = INT32_MAX;
    struct places places = {0};
    assert_true(places_configure(&places, &limits, hash_key));
    assert_int_equal(limiter_table_capacity(places.networks), PLACES_NETWORKS_MAX);
    places_close(&places);
}

/* A full table of networks refuses what needs a new one, and leaves nothing of it behind. */
static void refuses_networks_that_find_no_room(void **state)
{
    (void)state;
    struct admission_limits limits = generous;
    struct places places = {.networks = limiter_table_open(3, 64, hash_key)};
    assert_non_null(places.networks);
    struct address first = at("[2001:db8:1::1]:1");
    struct address second = at("[2001:db8:2::1]:1");
    struct address third = at("192.0.2.1:1");
    assert_true(places_take_session(&places, &limits, &first, false, false, false));
    assert_false(places_take_session(&places, &limits, &second, false, false, false));
    assert_false(places_take_handshake(&places, &limits, &second, false));
    assert_true(places_take_handshake(&places, &limits, &third, false));
    assert_false(places_take_handshake(&places, &limits, &second, false));
    places_give_session(&places, &first, false);
    assert_true(places_take_session(&places, &limits, &second, false, false, false));
    places_close(&places);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_handshakes),
        cmocka_unit_test(limits_handshakes_of_an_address),
        cmocka_unit_test(limits_sessions),
        cmocka_unit_test(counts_a_customer_as_one),
        cmocka_unit_test(trusts_whom_it_is_told_to),
        cmocka_unit_test(takes_over_lower_limits),
        cmocka_unit_test(takes_over_higher_limits_with_all_that_is_there),
        cmocka_unit_test(keeps_the_old_limits_when_memory_is_short),
        cmocka_unit_test(says_when_memory_is_short),
        cmocka_unit_test(limits_what_a_site_has),
        cmocka_unit_test(takes_nothing_when_it_refuses),
        cmocka_unit_test(keeps_no_network_that_was_refused),
        cmocka_unit_test(has_a_bound_of_its_own),
        cmocka_unit_test(refuses_networks_that_find_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
