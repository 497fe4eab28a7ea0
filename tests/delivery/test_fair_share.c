/* docs/security.md rule 22: who is denied credit, and from when to when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "delivery/fair_share.h"
#include "gateway/random_numbers.h"

#define LIMIT (UINT64_C(1) << 20)
#define EMPTY SEAM_EVENT_OVERHEAD /* what an event without payload costs */

static const uint8_t KEY[DEVICE_TABLE_KEY_SIZE] = {1};

static struct event_queue queue;
static struct fair_share share;
static size_t allocations_allowed = SIZE_MAX;
static bool only_small;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

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
    return (only_small && size > 1024) || is_allowed() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_allowed() ? __real_calloc(count, size) : NULL;
}

static int setup(void **state)
{
    (void)state;
    allocations_allowed = SIZE_MAX;
    only_small = false;
    event_queue_open(&queue, LIMIT);
    fair_share_open(&share, LIMIT, KEY);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    allocations_allowed = SIZE_MAX;
    fair_share_close(&share);
    event_queue_close(&queue);
    return 0;
}

static void push(uint16_t device, uint16_t size)
{
    static const uint8_t payload[SEAM_PAYLOAD_MAX];
    struct seam_event event = {.kind = SEAM_MESSAGE, .backends = 1, .size = size};
    memcpy(event.device, &device, sizeof device);
    assert_true(event_queue_push(&queue, &event, payload));
    fair_share_pushed(&share, &queue, &event);
    fair_share_check(&share, &queue);
}

static void push_bytes(uint16_t device, uint64_t bytes)
{
    for (; bytes >= EMPTY + 1024; bytes -= EMPTY + 1024)
        push(device, 1024);
    for (; bytes >= EMPTY; bytes -= EMPTY)
        push(device, 0);
}

static uint16_t take(void)
{
    struct queued_event taken;
    assert_int_equal(event_queue_take(&queue, &taken), EVENT_QUEUE_EVENT);
    fair_share_left(&share, &queue, &taken.event);
    fair_share_check(&share, &queue);
    uint16_t device;
    memcpy(&device, taken.event.device, sizeof device);
    return device;
}

static bool is_denied(uint16_t device)
{
    uint8_t id[6] = {0};
    memcpy(id, &device, sizeof device);
    return seam_denied_contains(&share.denied, id);
}

/* What was in the queue before the count is nobody's: a little of device 0, to begin it. */
static void begin(void)
{
    while (!share.counting)
        push(0, 0);
}

static void one_that_holds_more_than_its_share_gets_no_more(void **state)
{
    (void)state;
    begin();
    for (uint16_t device = 1; device <= 50; device++)
        push(device, 100);
    push_bytes(99, LIMIT / 2);
    assert_true(fair_share_decide(&share, true));
    assert_int_equal(share.denied.count, 1);
    assert_true(is_denied(99));
    assert_false(fair_share_decide(&share, true)); /* nothing new */
}

static void half_of_the_queue_is_everybodys(void **state)
{
    (void)state;
    begin();
    push(1, 100);
    push_bytes(99, LIMIT / 2 - EMPTY * 20);
    assert_false(fair_share_decide(&share, false));
    assert_true(fair_share_decide(&share, true));
    assert_true(is_denied(99));
    /* Less than half full again. */
    assert_true(fair_share_decide(&share, false));
    assert_int_equal(share.denied.count, 0);
}

static void a_sixteenth_is_never_too_much(void **state)
{
    (void)state;
    begin();
    push_bytes(99, LIMIT / 16);
    for (uint16_t device = 1; device <= 50; device++)
        push(device, 0);
    assert_false(fair_share_decide(&share, true));
    push(99, 0);
    assert_true(fair_share_decide(&share, true));
    assert_true(is_denied(99));
    while (take() != 99)
        assert_false(fair_share_decide(&share, true));
    assert_true(fair_share_decide(&share, true));
    assert_false(is_denied(99));
    const struct fair_share_holder *holder = device_table_find(&share.holders, (const uint8_t[6]){99});
    assert_in_range(holder->bytes, 1, LIMIT / 16);
}

static void the_average_is_never_too_much(void **state)
{
    (void)state;
    begin();
    for (uint16_t device = 1; device <= 5; device++)
        push_bytes(device, LIMIT / 8);
    while (device_table_find(&share.holders, (const uint8_t[6]){0}) != NULL)
        (void)take();
    /* All hold the same, twice a sixteenth. */
    assert_false(fair_share_decide(&share, true));
    push(3, 0);
    assert_true(fair_share_decide(&share, true));
    assert_int_equal(share.denied.count, 1);
    assert_true(is_denied(3));
    push(4, 0);
    assert_true(fair_share_decide(&share, true));
    assert_int_equal(share.denied.count, 2);
    /* The others come up to them. */
    push(1, 0);
    push(2, 0);
    push(5, 0);
    assert_true(fair_share_decide(&share, true));
    assert_int_equal(share.denied.count, 0);
}

static void one_alone_has_all_of_it(void **state)
{
    (void)state;
    push_bytes(1, LIMIT - LIMIT / 16);
    assert_false(fair_share_decide(&share, true));
    push(2, 0);
    assert_true(fair_share_decide(&share, true));
    assert_true(is_denied(1));
}

static void fifteen_may_be_denied(void **state)
{
    (void)state;
    begin();
    for (uint16_t device = 101; device <= 115; device++)
        push_bytes(device, LIMIT / 16 + EMPTY);
    for (uint16_t device = 1; device <= 10; device++)
        push(device, 0);
    assert_true(fair_share_decide(&share, true));
    assert_int_equal(share.denied.count, 15);
    for (uint16_t device = 101; device <= 115; device++)
        assert_true(is_denied(device));
}

/* What waits when counting begins is less than a quarter of what a device may hold in any case. */
static void counting_begins_early_and_ends_with_the_queue(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        while (!share.counting)
            push(7, 0);
        assert_in_range(queue.cost, LIMIT / 64 + 1, LIMIT / 64 + EMPTY);
        push_bytes(8, LIMIT / 2);
        push(9, 0);
        assert_true(fair_share_decide(&share, true));
        assert_true(is_denied(8));
        while (queue.events > 0)
            (void)take();
        assert_false(share.counting);
        assert_true(fair_share_decide(&share, true));
        assert_int_equal(share.denied.count, 0);
    }
    /* A large queue does not begin any later. */
    fair_share_open(&share, UINT64_C(1) << 40, KEY);
    while (!share.counting)
        push(7, 0);
    assert_in_range(queue.cost, FAIR_SHARE_BEGIN + 1, FAIR_SHARE_BEGIN + EMPTY);
}

static void the_count_follows_the_queue(void **state)
{
    (void)state;
    enum { DEVICES = 300 };
    static uint64_t bytes[DEVICES];
    memset(bytes, 0, sizeof bytes);
    struct random_numbers numbers = {.state = 3};
    begin();
    while (share.before > 0)
        (void)take();
    const struct fair_share_holder *zero = device_table_find(&share.holders, (const uint8_t[6]){0});
    bytes[0] = zero->bytes;
    for (unsigned step = 0; step < 20000; step++) {
        uint16_t device = (uint16_t)(random_below(&numbers, 2) * random_below(&numbers, DEVICES));
        if (queue.events < 2 || (queue.cost < LIMIT - 4096 && random_chance(&numbers, 520))) {
            push(device, 0);
            bytes[device] += EMPTY;
        } else {
            bytes[take()] -= EMPTY;
        }
        bool changed = fair_share_decide(&share, true);
        assert_false(changed && fair_share_decide(&share, true));
        size_t holders = 0;
        for (unsigned i = 0; i < DEVICES; i++)
            holders += bytes[i] > 0;
        for (unsigned i = 0; i < DEVICES; i++) {
            bool expected = bytes[i] > LIMIT / 16 && bytes[i] * holders > queue.cost;
            if (expected != is_denied((uint16_t)i))
                fail_msg("step %u, device %u with %u bytes", step, i, (unsigned)bytes[i]);
        }
    }
}

/* Whatever found no memory is nobody's, the rest is counted, and the books balance all the time. */
static void memory_may_be_short(void **state)
{
    (void)state;
    only_small = true; /* the queue itself has memory */
    allocations_allowed = 0;
    for (int i = 0; i < 200; i++)
        push(1, 0);
    assert_false(share.counting);
    allocations_allowed = 1;
    push(1, 0);
    assert_true(share.counting);
    assert_int_equal(share.counted, 0);
    for (uint16_t device = 0; device < 400; device++) {
        allocations_allowed = device % 3 == 0 ? 1 : 0;
        push(device % 200, 10);
    }
    allocations_allowed = SIZE_MAX;
    for (uint16_t device = 0; device < 400; device++)
        push(device, 20);
    push_bytes(99, LIMIT / 4);
    assert_true(fair_share_decide(&share, true));
    assert_true(is_denied(99));
    while (queue.events > 0)
        (void)take();
    assert_false(share.counting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_that_holds_more_than_its_share_gets_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(half_of_the_queue_is_everybodys, setup, teardown),
        cmocka_unit_test_setup_teardown(a_sixteenth_is_never_too_much, setup, teardown),
        cmocka_unit_test_setup_teardown(the_average_is_never_too_much, setup, teardown),
        cmocka_unit_test_setup_teardown(one_alone_has_all_of_it, setup, teardown),
        cmocka_unit_test_setup_teardown(fifteen_may_be_denied, setup, teardown),
        cmocka_unit_test_setup_teardown(counting_begins_early_and_ends_with_the_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(the_count_follows_the_queue, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_may_be_short, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
