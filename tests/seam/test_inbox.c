#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seam/inbox.h"

static void count(void *context)
{
    unsigned *wakes = context;
    (*wakes)++;
}

static void a_new_inbox_has_nothing(void **state)
{
    (void)state;
    unsigned wakes = 0;
    struct seam_inbox inbox;
    seam_inbox_open(&inbox, count, &wakes);

    struct seam_credit credit = {.bytes = {7}};
    bool credited = true;
    assert_null(seam_inbox_take(&inbox, &credit, &credited));
    assert_false(credited);
    assert_int_equal(credit.bytes[0], 0);
    assert_int_equal(wakes, 0);
}

static void commands_come_out_in_their_order(void **state)
{
    (void)state;
    unsigned wakes = 0;
    struct seam_inbox inbox;
    seam_inbox_open(&inbox, count, &wakes);
    struct seam_command commands[3] = {{.operation = SEAM_SEND}, {.operation = SEAM_CLOSE}, {.operation = SEAM_SEND}};

    for (size_t i = 0; i < 3; i++)
        seam_inbox_command(&inbox, &commands[i]);
    assert_int_equal(wakes, 3);

    struct seam_credit credit;
    bool credited;
    struct seam_command *command = seam_inbox_take(&inbox, &credit, &credited);
    assert_false(credited);
    for (size_t i = 0; i < 3; i++) {
        assert_ptr_equal(command, &commands[i]);
        command = command->next;
    }
    assert_null(command);
    assert_null(seam_inbox_take(&inbox, &credit, &credited));
}

static void an_emptied_inbox_takes_commands_again(void **state)
{
    (void)state;
    unsigned wakes = 0;
    struct seam_inbox inbox;
    seam_inbox_open(&inbox, count, &wakes);
    struct seam_command first = {.operation = SEAM_SEND};
    struct seam_command second = {.operation = SEAM_SEND, .next = &first};
    struct seam_credit credit;
    bool credited;

    seam_inbox_command(&inbox, &first);
    assert_ptr_equal(seam_inbox_take(&inbox, &credit, &credited), &first);
    seam_inbox_command(&inbox, &second);

    assert_ptr_equal(seam_inbox_take(&inbox, &credit, &credited), &second);
    assert_null(second.next);
}

static void credit_adds_up_until_it_is_taken(void **state)
{
    (void)state;
    unsigned wakes = 0;
    struct seam_inbox inbox;
    seam_inbox_open(&inbox, count, &wakes);

    seam_inbox_give_credit(&inbox, 0, 100);
    seam_inbox_give_credit(&inbox, 0, 23);
    seam_inbox_give_credit(&inbox, SEAM_BACKENDS_MAX - 1, 1);
    assert_int_equal(wakes, 3);

    struct seam_credit credit;
    bool credited;
    assert_null(seam_inbox_take(&inbox, &credit, &credited));
    assert_true(credited);
    assert_int_equal(credit.bytes[0], 123);
    assert_int_equal(credit.bytes[1], 0);
    assert_int_equal(credit.bytes[SEAM_BACKENDS_MAX - 1], 1);

    assert_null(seam_inbox_take(&inbox, &credit, &credited));
    assert_false(credited);
    assert_int_equal(credit.bytes[0], 0);
}

static void who_gets_no_credit_is_told_when_it_changes(void **state)
{
    (void)state;
    unsigned wakes = 0;
    struct seam_inbox inbox;
    seam_inbox_open(&inbox, count, &wakes);
    assert_null(seam_inbox_take_denied(&inbox));

    static const struct seam_denied_list one = {.count = 1, .devices = {{1, 2, 3, 4, 5, 6}}};
    static const struct seam_denied_list none = {.count = 0};
    seam_inbox_deny(&inbox, 0, &one);
    seam_inbox_deny(&inbox, SEAM_BACKENDS_MAX - 1, &one);
    seam_inbox_deny(&inbox, 0, &none);
    assert_int_equal(wakes, 3);

    const struct seam_denied *denied = seam_inbox_take_denied(&inbox);
    assert_non_null(denied);
    static const uint8_t other[6] = {1, 2, 3, 4, 5, 7};
    assert_true(seam_denied_contains(&denied->lists[SEAM_BACKENDS_MAX - 1], one.devices[0]));
    assert_false(seam_denied_contains(&denied->lists[SEAM_BACKENDS_MAX - 1], other));
    assert_false(seam_denied_contains(&denied->lists[0], one.devices[0]));
    assert_null(seam_inbox_take_denied(&inbox));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_inbox_has_nothing),
        cmocka_unit_test(commands_come_out_in_their_order),
        cmocka_unit_test(an_emptied_inbox_takes_commands_again),
        cmocka_unit_test(credit_adds_up_until_it_is_taken),
        cmocka_unit_test(who_gets_no_credit_is_told_when_it_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
