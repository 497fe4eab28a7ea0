/* What all together, an address or a device may cost (docs/security.md rules 10, 11 and 18). */
#include "admission/fixture.h"

#include "admission/token_bucket.h"

static const uint8_t second_id[6] = {2, 0, 0, 0, 0, 2};

/* The n-th address, each in a network of its own. */
static struct address nth(uint32_t number)
{
    struct address address = at("[2001:db8::1]:1");
    address.bytes[3] = (uint8_t)(number >> 16);
    address.bytes[4] = (uint8_t)(number >> 8);
    address.bytes[5] = (uint8_t)number;
    return address;
}

static void a_bucket_holds_its_burst_and_fills_by_its_interval(void **state)
{
    (void)state;
    static const struct token_rate rate = {.burst = 4, .interval = 10};
    struct token_bucket bucket = {0};
    assert_false(token_bucket_take(&bucket, &rate, 5, 1000));
    assert_true(token_bucket_take(&bucket, &rate, 3, 1000));
    assert_false(token_bucket_take(&bucket, &rate, 2, 1009)); /* a refusal takes nothing */
    assert_true(token_bucket_take(&bucket, &rate, 2, 1010));
    assert_false(token_bucket_take(&bucket, &rate, 1, 1019));
    assert_true(token_bucket_take(&bucket, &rate, 1, 1020));
    assert_true(token_bucket_take(&bucket, &rate, 4, 1000000));
    assert_false(token_bucket_take(&bucket, &rate, 1, 1000000));
}

static void a_bucket_takes_back_what_was_not_used(void **state)
{
    (void)state;
    static const struct token_rate rate = {.burst = 4, .interval = 10};
    struct token_bucket bucket = {0};
    assert_true(token_bucket_take(&bucket, &rate, 4, 1000));
    token_bucket_give_back(&bucket, &rate, 3);
    assert_true(token_bucket_take(&bucket, &rate, 3, 1000));
    assert_false(token_bucket_take(&bucket, &rate, 1, 1000));
    token_bucket_give_back(&bucket, &rate, 1000); /* no more than it holds */
    assert_true(token_bucket_take(&bucket, &rate, 4, 1000));
    assert_false(token_bucket_take(&bucket, &rate, 1, 1000));
}

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

/* A flood of other devices must not fill a bucket that somebody emptied a moment ago. */
static void remembers_a_device_among_very_many(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    for (unsigned time = 0; time < 10; time++)
        assert_true(may_complete(admission, first_id, SECOND));
    for (uint32_t number = 0; number < ADMISSION_COMPLETIONS - 1; number++) {
        uint8_t id[6] = {6, 0, 0, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
        assert_true(may_complete(admission, id, SECOND));
    }
    assert_false(may_complete(admission, first_id, SECOND));
    assert_true(may_complete(admission, second_id, SECOND)); /* one too many: the first is forgotten */
    assert_true(may_complete(admission, first_id, SECOND));
    admission_close(admission);
}

/* Asking in vain does not keep a device in mind. */
static void a_refusal_is_no_use(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    for (unsigned time = 0; time < 10; time++)
        assert_true(may_complete(admission, first_id, SECOND));
    for (uint32_t number = 0; number < ADMISSION_COMPLETIONS; number++) {
        uint8_t id[6] = {6, 0, 0, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
        if (number < ADMISSION_COMPLETIONS - 1)
            assert_false(may_complete(admission, first_id, SECOND));
        assert_true(may_complete(admission, id, SECOND));
    }
    assert_true(may_complete(admission, first_id, SECOND));
    admission_close(admission);
}

static void limits_challenges_to_unproved_addresses(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    for (unsigned time = 0; time < 66; time++)
        assert_true(admission_take_challenges(admission, 3, 0, SECOND));
    assert_false(admission_take_challenges(admission, 3, 0, SECOND));
    assert_true(admission_take_challenges(admission, 2, 0, SECOND));
    assert_false(admission_take_challenges(admission, 1, 0, SECOND));
    admission_give_back_challenges(admission, 2);
    assert_true(admission_take_challenges(admission, 2, 0, SECOND));
    assert_false(admission_take_challenges(admission, 1, 100, SECOND + 504999));
    assert_true(admission_take_challenges(admission, 1, 100, SECOND + 505000)); /* 101 were there */
    assert_true(admission_take_challenges(admission, 100, 0, SECOND + 505000));
    assert_false(admission_take_challenges(admission, 1, 0, SECOND + 505000));
    unsigned taken = 0;
    for (uint64_t now = SECOND + 505000; now < 11 * SECOND + 505000; now += 1000)
        taken += admission_take_challenges(admission, 1, 0, now) ? 1 : 0;
    assert_in_range(taken, 1998, 2000);
    admission_close(admission);
}

static bool suspect(struct admission *admission, const char *peer, uint64_t now)
{
    struct address address = at(peer);
    return admission_is_suspect(admission, &address, now);
}

static void claim(struct admission *admission, const char *peer, uint64_t now)
{
    struct address address = at(peer);
    admission_claim_failed(admission, &address, now);
}

static void two_failed_claims_in_a_minute_make_an_address_suspect(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    assert_false(suspect(admission, "192.0.2.1:1", 0));
    claim(admission, "192.0.2.1:1", 0);
    assert_false(suspect(admission, "192.0.2.1:1", 1));
    claim(admission, "192.0.2.1:2", 30 * SECOND);
    assert_true(suspect(admission, "[64:ff9b::192.0.2.1]:9", 30 * SECOND));
    assert_false(suspect(admission, "192.0.2.2:1", 30 * SECOND));
    assert_true(suspect(admission, "192.0.2.1:1", 60 * SECOND));
    assert_false(suspect(admission, "192.0.2.1:1", 60 * SECOND + 1)); /* only one is younger than a minute */
    claim(admission, "192.0.2.1:1", 80 * SECOND);
    assert_true(suspect(admission, "192.0.2.1:1", 90 * SECOND));
    assert_false(suspect(admission, "192.0.2.1:1", 90 * SECOND + 1));
    admission_close(admission);
}

/* Whoever forges claims can make others forgotten, which asks for fewer cookies, and nothing else. */
static void forged_claims_lock_nobody_out_and_need_no_memory(void **state)
{
    (void)state;
    struct admission *admission = opened(&generous);
    claim(admission, "192.0.2.1:1", 0);
    claim(admission, "192.0.2.1:1", 0);
    for (uint32_t number = 0; number < 100000; number++) {
        struct address address = nth(number);
        admission_claim_failed(admission, &address, 0);
        admission_claim_failed(admission, &address, 0);
        assert_true(admission_is_suspect(admission, &address, 0));
    }
    assert_false(suspect(admission, "192.0.2.1:1", 0));
    assert_int_equal(admission_lockouts(admission, 0), 0);
    assert_false(locked(admission, "192.0.2.1:1", first_id, 0));
    admission_close(admission);
}

static unsigned checks(struct admission *admission, const char *peer, uint64_t now)
{
    struct address address = at(peer);
    unsigned count = 0;
    while (count < 1000 && admission_may_check(admission, &address, now))
        count++;
    return count;
}

static void limits_checks_of_an_address(void **state)
{
    (void)state;
    struct address_prefix trusted;
    assert_true(address_prefix_parse("198.51.100.0/24", &trusted));
    struct admission_limits limits = generous;
    limits.trusted = &trusted;
    limits.trusted_count = 1;
    struct admission *admission = opened(&limits);
    assert_int_equal(checks(admission, "192.0.2.1:1", SECOND), 32);
    assert_int_equal(checks(admission, "192.0.2.1:2", SECOND), 0);
    assert_int_equal(checks(admission, "192.0.2.2:1", SECOND), 32);
    assert_int_equal(checks(admission, "192.0.2.1:1", 2 * SECOND), 8);
    assert_int_equal(checks(admission, "192.0.2.1:1", 60 * SECOND), 32);
    assert_int_equal(checks(admission, "198.51.100.7:1", SECOND), 1000);
    /* Very many addresses, and no more memory for them. */
    for (uint32_t number = 0; number < ADMISSION_CHECKED; number++) {
        struct address address = nth(number);
        assert_true(admission_may_check(admission, &address, 60 * SECOND));
    }
    assert_int_equal(checks(admission, "192.0.2.1:1", 60 * SECOND), 32);
    admission_close(admission);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_holds_its_burst_and_fills_by_its_interval),
        cmocka_unit_test(a_bucket_takes_back_what_was_not_used),
        cmocka_unit_test(limits_completed_handshakes_of_a_device),
        cmocka_unit_test(remembers_a_device_among_very_many),
        cmocka_unit_test(a_refusal_is_no_use),
        cmocka_unit_test(limits_challenges_to_unproved_addresses),
        cmocka_unit_test(two_failed_claims_in_a_minute_make_an_address_suspect),
        cmocka_unit_test(forged_claims_lock_nobody_out_and_need_no_memory),
        cmocka_unit_test(limits_checks_of_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
