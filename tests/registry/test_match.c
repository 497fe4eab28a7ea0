#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "registry/match.h"

static void test_fitting_key_counts_only_where_it_is_accepted(void **state)
{
    (void)state;
    struct registry_match match = {.verdict = REGISTRY_ACCEPTED, .accepted_if_matched = {true, false, true, false}};
    assert_int_equal(registry_match_result(&match, 0), REGISTRY_ACCEPTED);
    assert_int_equal(registry_match_result(&match, 1), REGISTRY_EXPIRED);
    assert_int_equal(registry_match_result(&match, 2), REGISTRY_ACCEPTED);
    assert_int_equal(registry_match_result(&match, REGISTRY_CANDIDATES), REGISTRY_WRONG_KEY);
}

static void test_verdict_on_the_device_goes_before_its_keys(void **state)
{
    (void)state;
    static const enum registry_verdict refusals[] = {REGISTRY_UNKNOWN, REGISTRY_REVOKED, REGISTRY_EXPIRED,
                                                     REGISTRY_WRONG_WIRE};
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct registry_match match = {.verdict = refusals[i]};
        for (size_t matched = 0; matched <= REGISTRY_CANDIDATES; matched++) {
            assert_int_equal(registry_match_result(&match, matched), refusals[i]);
        }
    }
}

static void test_verdicts_have_texts_of_their_own(void **state)
{
    (void)state;
    for (int one = REGISTRY_ACCEPTED; one <= REGISTRY_WRONG_KEY; one++) {
        const char *text = registry_verdict_text((enum registry_verdict)one);
        assert_true(strlen(text) > 0);
        for (int other = REGISTRY_ACCEPTED; other < one; other++) {
            assert_string_not_equal(text, registry_verdict_text((enum registry_verdict)other));
        }
    }
    assert_string_equal(registry_verdict_text(REGISTRY_WRONG_KEY), "wrong PSK");
}

static void test_wiping_leaves_no_byte(void **state)
{
    (void)state;
    struct registry_match match;
    memset(&match, 0xA5, sizeof(match));
    registry_match_wipe(&match);
    static const struct registry_match zeros;
    assert_memory_equal(&match, &zeros, sizeof(match));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fitting_key_counts_only_where_it_is_accepted),
        cmocka_unit_test(test_verdict_on_the_device_goes_before_its_keys),
        cmocka_unit_test(test_verdicts_have_texts_of_their_own),
        cmocka_unit_test(test_wiping_leaves_no_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
