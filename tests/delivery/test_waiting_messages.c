#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/waiting_messages.h"
#include "gateway/random_numbers.h"

static const uint8_t KEY[DEVICE_TABLE_KEY_SIZE] = {1, 2, 3};

static struct waiting_messages waiting;
static struct pending_commands commands;
static struct command_budget budget;
static size_t allocations_allowed;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool is_allowed(void)
{
    if (allocations_allowed == 0)
        return false;
    if (allocations_allowed != SIZE_MAX)
        allocations_allowed--;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return is_allowed() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_allowed() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *memory, size_t size)
{
    return is_allowed() ? __real_realloc(memory, size) : NULL;
}

static int setup(void **state)
{
    (void)state;
    allocations_allowed = SIZE_MAX;
    assert_true(waiting_messages_open(&waiting, KEY));
    pending_commands_open(&commands);
    budget = (struct command_budget){.commands_max = UINT32_MAX, .bytes_max = SIZE_MAX};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    allocations_allowed = SIZE_MAX;
    waiting_messages_close(&waiting);
    pending_commands_close(&commands);
    return 0;
}

static struct pending_command *command_for(uint16_t device, uint64_t deadline)
{
    static struct command_request request = {.operation = COMMAND_SEND, .ttl_given = true};
    memcpy(request.device, &device, sizeof device);
    struct pending_command *command = pending_command_new(&commands, &budget, &request);
    assert_non_null(command);
    command->seam.deadline = deadline;
    return command;
}

static const uint8_t *id(uint16_t device)
{
    static uint8_t bytes[6];
    memcpy(bytes, &device, sizeof device);
    return bytes;
}

static void messages_of_a_device_leave_in_order(void **state)
{
    (void)state;
    struct pending_command *first = command_for(1, 300);
    struct pending_command *other = command_for(2, 300);
    struct pending_command *second = command_for(1, 100);
    struct pending_command *third = command_for(1, 200);
    assert_true(waiting_messages_add(&waiting, first));
    assert_true(waiting_messages_add(&waiting, other));
    assert_true(waiting_messages_add(&waiting, second));
    assert_true(waiting_messages_add(&waiting, third));
    assert_int_equal(waiting_messages_count(&waiting, id(1)), 3);
    assert_int_equal(waiting_messages_count(&waiting, id(2)), 1);
    assert_int_equal(waiting_messages_count(&waiting, id(3)), 0);
    assert_ptr_equal(waiting_messages_take(&waiting, id(1)), first);
    assert_ptr_equal(waiting_messages_take(&waiting, id(1)), second);
    assert_ptr_equal(waiting_messages_take(&waiting, id(1)), third);
    assert_null(waiting_messages_take(&waiting, id(1)));
    assert_int_equal(waiting_messages_deadline(&waiting), 300);
    assert_ptr_equal(waiting_messages_take(&waiting, id(2)), other);
    assert_int_equal(waiting_messages_deadline(&waiting), DEADLINE_NEVER);
}

static void what_came_back_stands_where_it_stood(void **state)
{
    (void)state;
    struct pending_command *made[5];
    for (size_t i = 0; i < 5; i++)
        made[i] = command_for(1, 100);
    static const size_t ORDER[] = {3, 0, 4, 1, 2};
    for (size_t i = 0; i < 5; i++)
        assert_true(waiting_messages_add(&waiting, made[ORDER[i]]));
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(waiting_messages_take(&waiting, id(1)), made[i]);
}

static void what_is_due_first_leaves_first(void **state)
{
    (void)state;
    struct pending_command *late = command_for(1, 300);
    struct pending_command *early = command_for(1, 100);
    struct pending_command *between = command_for(2, 200);
    assert_true(waiting_messages_add(&waiting, late));
    assert_true(waiting_messages_add(&waiting, early));
    assert_true(waiting_messages_add(&waiting, between));
    assert_int_equal(waiting_messages_deadline(&waiting), 100);
    assert_null(waiting_messages_take_due(&waiting, 99));
    assert_ptr_equal(waiting_messages_take_due(&waiting, 200), early);
    assert_ptr_equal(waiting_messages_take_due(&waiting, 200), between);
    assert_null(waiting_messages_take_due(&waiting, 200));
    assert_int_equal(waiting_messages_count(&waiting, id(2)), 0);
    assert_ptr_equal(waiting_messages_take(&waiting, id(1)), late);
}

enum { COMMANDS = 4000, DEVICES = 1500, STEPS = 30000 };

static struct pending_command *made[COMMANDS];
static bool waits[COMMANDS];

/* What waits for this device and was made first. */
static struct pending_command *first_for(const uint8_t *device)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (waits[i] && memcmp(made[i]->seam.device, device, 6) == 0)
            return made[i];
    }
    return NULL;
}

static uint64_t earliest_deadline(void)
{
    uint64_t earliest = DEADLINE_NEVER;
    for (size_t i = 0; i < COMMANDS; i++)
        earliest = waits[i] && made[i]->seam.deadline < earliest ? made[i]->seam.deadline : earliest;
    return earliest;
}

/* Thousands of devices: what leaves is the first of its device, or the first that is due. */
static void it_agrees_with_a_plain_array(void **state)
{
    (void)state;
    struct random_numbers numbers = {.state = 11};
    for (size_t i = 0; i < COMMANDS; i++) {
        made[i] = command_for((uint16_t)random_below(&numbers, DEVICES), random_below(&numbers, 1000000));
        waits[i] = false;
    }
    for (unsigned step = 0; step < STEPS; step++) {
        size_t index = (size_t)random_below(&numbers, COMMANDS);
        if (!waits[index]) {
            assert_true(waiting_messages_add(&waiting, made[index]));
            waits[index] = true;
            continue;
        }
        const struct pending_command *taken;
        if (random_chance(&numbers, 500)) {
            const struct pending_command *expected = first_for(made[index]->seam.device);
            taken = waiting_messages_take(&waiting, made[index]->seam.device);
            assert_ptr_equal(taken, expected);
        } else {
            assert_int_equal(waiting_messages_deadline(&waiting), earliest_deadline());
            taken = waiting_messages_take_due(&waiting, earliest_deadline());
            assert_int_equal(taken->seam.deadline, earliest_deadline());
        }
        waits[taken->number - 1] = false;
    }
}

static void short_of_memory_nothing_has_changed(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 200; i++) {
        struct pending_command *command = command_for(i, i);
        size_t allowed = 0;
        do {
            allocations_allowed = allowed++;
        } while (!waiting_messages_add(&waiting, command));
        allocations_allowed = SIZE_MAX;
        assert_in_range(allowed, 2, 4); /* one for the device at least */
        assert_int_equal(waiting_messages_count(&waiting, id(i)), 1);
        assert_int_equal(waiting.deadlines.reserved, i + 1u);
    }
    for (uint16_t i = 0; i < 200; i++)
        assert_int_equal(waiting_messages_take_due(&waiting, DEADLINE_NEVER)->number, i + 1u);
}

/* A sanitizer looks for leaks. */
static void it_may_be_closed_with_messages_in_it(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 100; i++)
        assert_true(waiting_messages_add(&waiting, command_for(i / 2, i)));
    waiting_messages_close(&waiting);
    assert_true(waiting_messages_open(&waiting, KEY));
    assert_int_equal(waiting_messages_count(&waiting, id(3)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_of_a_device_leave_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(what_came_back_stands_where_it_stood, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_due_first_leaves_first, setup, teardown),
        cmocka_unit_test_setup_teardown(it_agrees_with_a_plain_array, setup, teardown),
        cmocka_unit_test_setup_teardown(short_of_memory_nothing_has_changed, setup, teardown),
        cmocka_unit_test_setup_teardown(it_may_be_closed_with_messages_in_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
