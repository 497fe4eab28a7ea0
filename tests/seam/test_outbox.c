#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "seam/outbox.h"

static bool memory_is_short;
static size_t allocations;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    if (memory_is_short)
        return NULL;
    allocations++;
    return __real_malloc(size);
}

/* Events are told apart by their time; a payload begins with it too. */
static struct seam_event message(int64_t number, uint16_t size)
{
    return (struct seam_event){
        .kind = SEAM_MESSAGE,
        .backends = 1,
        .time = number,
        .device = {1, 2, 3, 4, 5, 6},
        .session = {0xab},
        .size = size,
    };
}

static bool append(struct seam_outbox *outbox, int64_t number, uint16_t size)
{
    uint8_t payload[SEAM_PAYLOAD_MAX];
    memset(payload, (int)(number & 0xff), sizeof payload);
    struct seam_event event = message(number, size);
    return seam_outbox_append(outbox, &event, payload);
}

struct expectation {
    int64_t next;
    uint16_t (*size_of)(int64_t number);
};

static void expect_in_order(void *context, const struct seam_event *event, const uint8_t *payload)
{
    struct expectation *expectation = context;
    assert_int_equal(event->time, expectation->next);
    assert_int_equal(event->kind, SEAM_MESSAGE);
    assert_int_equal(event->device[5], 6);
    assert_int_equal(event->session[0], 0xab);
    assert_int_equal(event->size, expectation->size_of(event->time));
    for (size_t i = 0; i < event->size; i++)
        assert_int_equal(payload[i], event->time & 0xff);
    expectation->next++;
}

static uint16_t no_payload(int64_t number)
{
    (void)number;
    return 0;
}

static uint16_t various(int64_t number)
{
    return (uint16_t)(number * 37 % (SEAM_PAYLOAD_MAX + 1));
}

static uint16_t longest(int64_t number)
{
    (void)number;
    return SEAM_PAYLOAD_MAX;
}

static void fill_and_drain(struct seam_outbox *outbox, int64_t count, uint16_t (*size_of)(int64_t number))
{
    for (int64_t number = 0; number < count; number++)
        assert_true(append(outbox, number, size_of(number)));
    struct expectation expectation = {.size_of = size_of};
    seam_outbox_drain(outbox, expect_in_order, &expectation);
    assert_int_equal(expectation.next, count);
    assert_true(seam_outbox_is_empty(outbox));
}

static void events_come_out_as_they_went_in(void **state)
{
    (void)state;
    struct seam_outbox outbox;
    seam_outbox_open(&outbox);
    assert_true(seam_outbox_is_empty(&outbox));

    fill_and_drain(&outbox, 0, no_payload);
    fill_and_drain(&outbox, 1, no_payload);
    fill_and_drain(&outbox, 5000, no_payload);
    fill_and_drain(&outbox, 5000, various);
    fill_and_drain(&outbox, 500, longest);

    seam_outbox_close(&outbox);
}

static void batches_are_kept_for_the_next_turn_but_only_a_few(void **state)
{
    (void)state;
    struct seam_outbox outbox;
    seam_outbox_open(&outbox);
    fill_and_drain(&outbox, 1000, longest);
    assert_int_equal(outbox.spares, SEAM_BATCH_SPARES);

    size_t before = allocations;
    for (int turn = 0; turn < 10; turn++)
        fill_and_drain(&outbox, 100, longest);
    assert_int_equal(allocations, before);

    seam_outbox_close(&outbox);
    assert_int_equal(outbox.spares, 0);
}

static void short_of_memory_an_event_is_refused_and_the_others_stay(void **state)
{
    (void)state;
    struct seam_outbox outbox;
    seam_outbox_open(&outbox);

    memory_is_short = true;
    assert_false(append(&outbox, 0, 10));
    assert_true(seam_outbox_is_empty(&outbox));

    memory_is_short = false;
    assert_true(append(&outbox, 0, SEAM_PAYLOAD_MAX));
    memory_is_short = true;
    int64_t number = 1;
    while (append(&outbox, number, SEAM_PAYLOAD_MAX))
        number++;
    assert_true(number > 1);
    assert_false(append(&outbox, number, SEAM_PAYLOAD_MAX));
    memory_is_short = false;
    assert_true(append(&outbox, number, SEAM_PAYLOAD_MAX));

    struct expectation expectation = {.size_of = longest};
    seam_outbox_drain(&outbox, expect_in_order, &expectation);
    assert_int_equal(expectation.next, number + 1);
    seam_outbox_close(&outbox);
}

static void closing_frees_what_nobody_took(void **state)
{
    (void)state;
    struct seam_outbox outbox;
    seam_outbox_open(&outbox);
    for (int64_t number = 0; number < 100; number++)
        assert_true(append(&outbox, number, SEAM_PAYLOAD_MAX));
    seam_outbox_close(&outbox);
    assert_true(seam_outbox_is_empty(&outbox));
}

static void finished_commands_come_back_in_order_with_their_outcome(void **state)
{
    (void)state;
    struct seam_outbox outbox;
    seam_outbox_open(&outbox);
    struct seam_command first = {.operation = SEAM_SEND, .outcome = SEAM_PENDING};
    struct seam_command second = {.operation = SEAM_CLOSE, .outcome = SEAM_PENDING, .next = &first};

    seam_outbox_finish(&outbox, &first, SEAM_SENT_BY_DEVICE);
    seam_outbox_finish(&outbox, &second, SEAM_NOT_CONNECTED);
    assert_false(seam_outbox_is_empty(&outbox));

    struct seam_command *finished = seam_outbox_take_finished(&outbox);
    assert_ptr_equal(finished, &first);
    assert_int_equal(first.outcome, SEAM_SENT_BY_DEVICE);
    assert_ptr_equal(first.next, &second);
    assert_int_equal(second.outcome, SEAM_NOT_CONNECTED);
    assert_null(second.next);

    assert_true(seam_outbox_is_empty(&outbox));
    assert_null(seam_outbox_take_finished(&outbox));
    struct seam_command third = {.operation = SEAM_SEND};
    seam_outbox_finish(&outbox, &third, SEAM_EXPIRED);
    assert_ptr_equal(seam_outbox_take_finished(&outbox), &third);
    seam_outbox_close(&outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_as_they_went_in),
        cmocka_unit_test(batches_are_kept_for_the_next_turn_but_only_a_few),
        cmocka_unit_test(short_of_memory_an_event_is_refused_and_the_others_stay),
        cmocka_unit_test(closing_frees_what_nobody_took),
        cmocka_unit_test(finished_commands_come_back_in_order_with_their_outcome),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
