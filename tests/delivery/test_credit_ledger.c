#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "delivery/credit_ledger.h"

#define LIMIT 65536u

static bool memory_is_short;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_is_short ? NULL : __real_calloc(count, size);
}

static struct seam_event event_of(enum seam_event_kind kind, uint16_t size)
{
    return (struct seam_event){.kind = kind, .backends = 1, .size = size};
}

static void arrive(struct credit_ledger *ledger, unsigned shard, enum seam_event_kind kind, uint16_t size)
{
    struct seam_event event = event_of(kind, size);
    credit_ledger_arrive(ledger, shard, &event);
    credit_ledger_check(ledger, false);
}

static void block_grants_the_whole_queue(void **state)
{
    (void)state;
    struct credit_ledger ledger;
    assert_true(credit_ledger_open(&ledger, LIMIT, false, 1));
    assert_int_equal(credit_ledger_grant(&ledger, 0), LIMIT);
    assert_int_equal(credit_ledger_grant(&ledger, 0), 0);
    credit_ledger_check(&ledger, true);
    credit_ledger_close(&ledger);
}

static void block_gives_back_what_has_left(void **state)
{
    (void)state;
    struct credit_ledger ledger;
    assert_true(credit_ledger_open(&ledger, LIMIT, false, 1));
    assert_int_equal(credit_ledger_grant(&ledger, 0), LIMIT);

    arrive(&ledger, 0, SEAM_CONNECTED, 0);
    arrive(&ledger, 0, SEAM_MESSAGE, 100);
    assert_int_equal(ledger.queued, 256 + 356);
    assert_int_equal(ledger.reserved, 256);
    assert_int_equal(ledger.granted, LIMIT - 512 - 356);
    assert_int_equal(credit_ledger_grant(&ledger, 0), 0);
    assert_int_equal(credit_ledger_excess(&ledger), 0);

    credit_ledger_leave(&ledger, 256);
    assert_int_equal(credit_ledger_grant(&ledger, 0), 256);
    credit_ledger_leave(&ledger, 356);
    assert_int_equal(credit_ledger_grant(&ledger, 0), 356);
    credit_ledger_check(&ledger, true);

    /* The place of the session's end is given back only once that has been written. */
    arrive(&ledger, 0, SEAM_DISCONNECTED, 0);
    assert_int_equal(ledger.reserved, 0);
    assert_int_equal(credit_ledger_grant(&ledger, 0), 0);
    credit_ledger_leave(&ledger, 256);
    assert_int_equal(credit_ledger_grant(&ledger, 0), 256);
    assert_int_equal(ledger.granted, LIMIT);
    credit_ledger_close(&ledger);
}

static void block_is_full_when_nothing_is_granted(void **state)
{
    (void)state;
    struct credit_ledger ledger;
    assert_true(credit_ledger_open(&ledger, LIMIT, false, 1));
    assert_int_equal(credit_ledger_grant(&ledger, 0), LIMIT);
    for (unsigned i = 0; i < LIMIT / 512; i++)
        arrive(&ledger, 0, SEAM_MESSAGE, 256);
    assert_int_equal(ledger.granted, 0);
    assert_int_equal(credit_ledger_room(&ledger), 0);
    assert_int_equal(credit_ledger_grant(&ledger, 0), 0);
    credit_ledger_close(&ledger);
}

static void drop_oldest_grants_a_quarter_at_a_time(void **state)
{
    (void)state;
    struct credit_ledger ledger;
    assert_true(credit_ledger_open(&ledger, LIMIT, true, 1));
    assert_int_equal(credit_ledger_grant(&ledger, 0), LIMIT / 4);
    arrive(&ledger, 0, SEAM_CONNECTED, 0);
    assert_int_equal(ledger.reserved, 0);
    assert_int_equal(credit_ledger_grant(&ledger, 0), 512);
    credit_ledger_check(&ledger, true);
    credit_ledger_close(&ledger);
}

static void drop_oldest_asks_for_room_and_never_blocks(void **state)
{
    (void)state;
    struct credit_ledger ledger;
    assert_true(credit_ledger_open(&ledger, LIMIT, true, 1));
    assert_int_equal(credit_ledger_grant(&ledger, 0), LIMIT / 4);
    for (unsigned i = 0; i < LIMIT / 4 * 3 / 512; i++) {
        arrive(&ledger, 0, SEAM_MESSAGE, 256);
        assert_int_equal(credit_ledger_excess(&ledger), 0);
        assert_int_equal(credit_ledger_grant(&ledger, 0), 512);
    }
    for (unsigned i = 0; i < 1000; i++) {
        arrive(&ledger, 0, SEAM_MESSAGE, 256);
        assert_int_equal(credit_ledger_excess(&ledger), 512);
        credit_ledger_leave(&ledger, 512);
        assert_int_equal(credit_ledger_excess(&ledger), 0);
        assert_int_equal(credit_ledger_grant(&ledger, 0), 512);
        credit_ledger_check(&ledger, true);
    }
    /* The end of a session needs no credit, it displaces. */
    struct seam_event end = event_of(SEAM_DISCONNECTED, 0);
    credit_ledger_arrive(&ledger, 0, &end);
    assert_int_equal(credit_ledger_excess(&ledger), 256);
    credit_ledger_close(&ledger);
}

static void shards_share_and_none_is_starved(void **state)
{
    (void)state;
    struct credit_ledger ledger;
    assert_true(credit_ledger_open(&ledger, LIMIT, false, 4));
    for (unsigned shard = 0; shard < 4; shard++)
        assert_int_equal(credit_ledger_grant(&ledger, shard), LIMIT / 4);

    /* The first fills its quarter; what leaves is its again, the others keep theirs. */
    for (unsigned i = 0; i < LIMIT / 4 / 512; i++)
        arrive(&ledger, 0, SEAM_MESSAGE, 256);
    assert_int_equal(ledger.granted_to[0], 0);
    credit_ledger_leave(&ledger, 8192);
    for (unsigned shard = 1; shard < 4; shard++)
        assert_int_equal(credit_ledger_grant(&ledger, shard), 0);
    assert_int_equal(credit_ledger_grant(&ledger, 0), 8192);

    credit_ledger_leave(&ledger, 8192);
    uint64_t given = 0;
    for (unsigned shard = 0; shard < 4; shard++)
        given += credit_ledger_grant(&ledger, shard);
    assert_int_equal(given, 8192);
    assert_int_equal(ledger.granted, LIMIT);
    credit_ledger_check(&ledger, true);
    credit_ledger_close(&ledger);
}

struct shard_model {
    uint64_t credit;
    uint64_t sessions;
};

/* Shards that spend what they are given, at random, and a queue that forgets at random. */
static void random_traffic(bool drops_oldest, unsigned shards, uint64_t seed)
{
    struct credit_ledger ledger;
    assert_true(credit_ledger_open(&ledger, LIMIT, drops_oldest, shards));
    struct shard_model models[4] = {{0, 0}};
    uint64_t random = seed;
    uint64_t accepted = 0;
    for (int step = 0; step < 100000; step++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        unsigned shard = (unsigned)(random >> 34) % shards;
        struct shard_model *model = &models[shard];
        uint16_t size = (uint16_t)((random >> 40) % (SEAM_PAYLOAD_MAX + 1));
        switch ((random >> 60) & 7) {
        case 0:
            if (model->credit >= 512) {
                model->credit -= 512;
                model->sessions++;
                arrive(&ledger, shard, SEAM_CONNECTED, 0);
            }
            break;
        case 1:
            if (model->sessions > 0) {
                model->sessions--;
                struct seam_event end = event_of(SEAM_DISCONNECTED, 0);
                credit_ledger_arrive(&ledger, shard, &end);
            }
            break;
        case 2:
        case 3:
        case 4:
            if (model->credit >= 256u + size) {
                model->credit -= 256u + size;
                accepted++;
                arrive(&ledger, shard, SEAM_MESSAGE, size);
            }
            break;
        default:
            if (ledger.queued >= size)
                credit_ledger_leave(&ledger, size);
            break;
        }
        uint64_t excess = credit_ledger_excess(&ledger);
        if (excess > 0)
            credit_ledger_leave(&ledger, excess);
        for (unsigned i = 0; i < shards; i++)
            models[i].credit += credit_ledger_grant(&ledger, i);
        credit_ledger_check(&ledger, true);
        uint64_t sessions = 0;
        for (unsigned i = 0; i < shards; i++) {
            assert_int_equal(models[i].credit, ledger.granted_to[i]);
            sessions += models[i].sessions;
        }
        assert_int_equal(ledger.reserved, drops_oldest ? 0 : 256 * sessions);
    }
    assert_true(accepted > 1000);
    credit_ledger_close(&ledger);
}

static void the_books_balance_under_random_traffic(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        random_traffic(false, 1, seed);
        random_traffic(true, 1, seed);
        random_traffic(false, 4, seed);
        random_traffic(true, 3, seed);
    }
}

static void short_of_memory_it_does_not_open(void **state)
{
    (void)state;
    struct credit_ledger ledger;
    memory_is_short = true;
    assert_false(credit_ledger_open(&ledger, LIMIT, false, 1));
    memory_is_short = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_grants_the_whole_queue),
        cmocka_unit_test(block_gives_back_what_has_left),
        cmocka_unit_test(block_is_full_when_nothing_is_granted),
        cmocka_unit_test(drop_oldest_grants_a_quarter_at_a_time),
        cmocka_unit_test(drop_oldest_asks_for_room_and_never_blocks),
        cmocka_unit_test(shards_share_and_none_is_starved),
        cmocka_unit_test(the_books_balance_under_random_traffic),
        cmocka_unit_test(short_of_memory_it_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
