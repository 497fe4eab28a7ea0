#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/pending_command.h"

static bool memory_is_short;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return memory_is_short ? NULL : __real_malloc(size);
}

static struct command_budget unused_budget(void)
{
    return (struct command_budget){.commands_max = 1000, .bytes_max = 1u << 20};
}

static struct command_request send_of(size_t size)
{
    struct command_request request = {
        .operation = COMMAND_SEND, .ref = {.given = true, .size = 2, .bytes = "r1"}, .device = {1, 2, 3}, .size = size};
    memset(request.payload, 'p', size);
    return request;
}

static void a_command_has_what_the_shard_needs(void **state)
{
    (void)state;
    struct pending_commands commands;
    struct command_budget budget = unused_budget();
    pending_commands_open(&commands);
    struct command_request request = send_of(100);
    request.session_given = true;
    memset(request.session, 0x5f, sizeof request.session);

    struct pending_command *command = pending_command_new(&commands, &budget, &request);
    assert_non_null(command);
    memset(&request.payload, 0, sizeof request.payload);
    assert_int_equal(command->seam.operation, SEAM_SEND);
    assert_int_equal(command->seam.outcome, SEAM_PENDING);
    assert_memory_equal(command->seam.device, "\1\2\3\0\0\0", 6);
    assert_true(command->seam.session_given);
    assert_int_equal(command->seam.session[15], 0x5f);
    assert_int_equal(command->seam.size, 100);
    assert_int_equal(command->seam.payload[99], 'p');
    assert_memory_equal(command->ref.bytes, "r1", 2);
    assert_ptr_equal(pending_command_of(&command->seam), command);
    pending_command_free(&commands, command);
    assert_null(commands.first);

    request = (struct command_request){.operation = COMMAND_CLOSE};
    command = pending_command_new(&commands, &budget, &request);
    assert_non_null(command);
    assert_int_equal(command->seam.operation, SEAM_CLOSE);
    assert_false(command->seam.session_given);
    assert_int_equal(command->seam.size, 0);
    pending_command_free(&commands, command);
}

static void the_number_of_commands_is_bounded(void **state)
{
    (void)state;
    struct pending_commands commands;
    struct command_budget budget = unused_budget();
    pending_commands_open(&commands);
    struct command_request request = send_of(0);
    struct pending_command *last = NULL;
    for (unsigned i = 0; i < budget.commands_max; i++) {
        assert_true(command_budget_has_room(&budget, 0));
        last = pending_command_new(&commands, &budget, &request);
        assert_non_null(last);
    }
    assert_false(command_budget_has_room(&budget, 0));
    pending_command_free(&commands, last);
    assert_true(command_budget_has_room(&budget, 0));
    pending_commands_close(&commands);
    assert_null(commands.first);
}

static void their_bytes_are_bounded(void **state)
{
    (void)state;
    struct command_budget budget = unused_budget();
    budget.commands = 1;
    budget.bytes = budget.bytes_max - 1000 - sizeof(struct pending_command);
    assert_true(command_budget_has_room(&budget, 1000));
    assert_false(command_budget_has_room(&budget, 1001));
}

static void each_counts_in_the_budget_that_it_was_made_of(void **state)
{
    (void)state;
    struct pending_commands commands;
    struct command_budget one = unused_budget();
    struct command_budget other = unused_budget();
    pending_commands_open(&commands);
    struct command_request request = send_of(10);
    struct pending_command *first = pending_command_new(&commands, &one, &request);
    request.ttl_given = true;
    struct pending_command *second = pending_command_new(&commands, &other, &request);
    assert_non_null(first);
    assert_non_null(second);
    assert_false(first->may_wait);
    assert_true(second->may_wait);
    assert_true(first->number < second->number);
    pending_command_free(&commands, first);
    assert_int_equal(one.commands, 0);
    assert_int_equal(other.commands, 1);
    pending_command_free(&commands, second);
    assert_int_equal(other.bytes, 0);
}

static void commands_are_freed_in_any_order(void **state)
{
    (void)state;
    struct pending_commands commands;
    struct command_budget budget = unused_budget();
    pending_commands_open(&commands);
    struct pending_command *made[5];
    struct command_request request = send_of(SEAM_PAYLOAD_MAX);
    for (size_t i = 0; i < 5; i++) {
        made[i] = pending_command_new(&commands, &budget, &request);
        assert_non_null(made[i]);
    }
    static const size_t ORDER[] = {2, 0, 4, 3, 1};
    for (size_t i = 0; i < 5; i++)
        pending_command_free(&commands, made[ORDER[i]]);
    assert_null(commands.first);
    assert_int_equal(budget.commands, 0);
    assert_int_equal(budget.bytes, 0);
}

static void short_of_memory_nothing_is_charged(void **state)
{
    (void)state;
    struct pending_commands commands;
    struct command_budget budget = unused_budget();
    pending_commands_open(&commands);
    struct command_request request = send_of(1);
    memory_is_short = true;
    assert_null(pending_command_new(&commands, &budget, &request));
    memory_is_short = false;
    assert_null(commands.first);
    assert_int_equal(budget.commands, 0);
    assert_int_equal(budget.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_has_what_the_shard_needs),
        cmocka_unit_test(the_number_of_commands_is_bounded),
        cmocka_unit_test(their_bytes_are_bounded),
        cmocka_unit_test(each_counts_in_the_budget_that_it_was_made_of),
        cmocka_unit_test(commands_are_freed_in_any_order),
        cmocka_unit_test(short_of_memory_nothing_is_charged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
