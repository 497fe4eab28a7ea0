#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/hub.h"
#include "delivery/pending_command.h"

static bool memory_is_short;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return memory_is_short ? NULL : __real_malloc(size);
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
    struct command_budget budget = {0, 0};
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
    pending_command_free(&commands, &budget, command);
    assert_null(commands.first);

    request = (struct command_request){.operation = COMMAND_CLOSE};
    command = pending_command_new(&commands, &budget, &request);
    assert_non_null(command);
    assert_int_equal(command->seam.operation, SEAM_CLOSE);
    assert_false(command->seam.session_given);
    assert_int_equal(command->seam.size, 0);
    pending_command_free(&commands, &budget, command);
}

static void the_number_of_commands_is_bounded(void **state)
{
    (void)state;
    struct pending_commands commands;
    struct command_budget budget = {0, 0};
    pending_commands_open(&commands);
    struct command_request request = send_of(0);
    struct pending_command *last = NULL;
    for (unsigned i = 0; i < HUB_COMMANDS_MAX; i++) {
        assert_true(command_budget_has_room(&budget, 0));
        last = pending_command_new(&commands, &budget, &request);
        assert_non_null(last);
    }
    assert_false(command_budget_has_room(&budget, 0));
    pending_command_free(&commands, &budget, last);
    assert_true(command_budget_has_room(&budget, 0));
    pending_commands_close(&commands);
    assert_null(commands.first);
}

static void their_bytes_are_bounded(void **state)
{
    (void)state;
    struct command_budget budget = {.commands = 1,
                                    .bytes = HUB_COMMAND_BYTES_MAX - 1000 - sizeof(struct pending_command)};
    assert_true(command_budget_has_room(&budget, 1000));
    assert_false(command_budget_has_room(&budget, 1001));
}

static void commands_are_freed_in_any_order(void **state)
{
    (void)state;
    struct pending_commands commands;
    struct command_budget budget = {0, 0};
    pending_commands_open(&commands);
    struct pending_command *made[5];
    struct command_request request = send_of(SEAM_PAYLOAD_MAX);
    for (size_t i = 0; i < 5; i++) {
        made[i] = pending_command_new(&commands, &budget, &request);
        assert_non_null(made[i]);
    }
    static const size_t ORDER[] = {2, 0, 4, 3, 1};
    for (size_t i = 0; i < 5; i++)
        pending_command_free(&commands, &budget, made[ORDER[i]]);
    assert_null(commands.first);
    assert_int_equal(budget.commands, 0);
    assert_int_equal(budget.bytes, 0);
}

static void short_of_memory_nothing_is_charged(void **state)
{
    (void)state;
    struct pending_commands commands;
    struct command_budget budget = {0, 0};
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
        cmocka_unit_test(commands_are_freed_in_any_order),
        cmocka_unit_test(short_of_memory_nothing_is_charged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
