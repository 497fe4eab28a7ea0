#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seam/credit.h"

#define FIRST (1u << 0)
#define SECOND (1u << 1)
#define LAST (1u << (SEAM_BACKENDS_MAX - 1))

static void an_event_counts_for_its_payload_and_256_bytes(void **state)
{
    (void)state;
    assert_int_equal(seam_event_cost(0), 256);
    assert_int_equal(seam_event_cost(SEAM_PAYLOAD_MAX), 2064);
}

static void credit_is_taken_from_every_backend_of_the_set_only(void **state)
{
    (void)state;
    struct seam_credit credit = {.bytes = {1000, 1000, 1000}};
    credit.bytes[SEAM_BACKENDS_MAX - 1] = 300;

    assert_true(seam_credit_take(&credit, FIRST | LAST, 300));

    assert_int_equal(credit.bytes[0], 700);
    assert_int_equal(credit.bytes[1], 1000);
    assert_int_equal(credit.bytes[2], 1000);
    assert_int_equal(credit.bytes[SEAM_BACKENDS_MAX - 1], 0);
}

static void one_backend_without_room_leaves_all_as_they_were(void **state)
{
    (void)state;
    struct seam_credit credit = {.bytes = {1000, 299}};

    assert_false(seam_credit_take(&credit, FIRST | SECOND, 300));
    assert_int_equal(credit.bytes[0], 1000);
    assert_int_equal(credit.bytes[1], 299);

    assert_true(seam_credit_take(&credit, FIRST, 1000));
    assert_false(seam_credit_take(&credit, FIRST, 1));
    assert_int_equal(credit.bytes[0], 0);
}

static void what_was_not_spent_goes_back_where_it_came_from(void **state)
{
    (void)state;
    struct seam_credit credit = {.bytes = {512, 600}};

    assert_true(seam_credit_take(&credit, SECOND, 512));
    seam_credit_return(&credit, SECOND, 512);

    assert_int_equal(credit.bytes[0], 512);
    assert_int_equal(credit.bytes[1], 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_counts_for_its_payload_and_256_bytes),
        cmocka_unit_test(credit_is_taken_from_every_backend_of_the_set_only),
        cmocka_unit_test(one_backend_without_room_leaves_all_as_they_were),
        cmocka_unit_test(what_was_not_spent_goes_back_where_it_came_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
