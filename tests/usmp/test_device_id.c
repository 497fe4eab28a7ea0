#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "usmp/device_id.h"

static const uint8_t expected[USMP_DEVICE_ID_SIZE] = {0xde, 0xad, 0xbe, 0xef, 0x00, 0x1a};

static void test_every_spelling(void **state)
{
    (void)state;
    const char *const spellings[] = {"de:ad:be:ef:00:1a", "DE:AD:BE:EF:00:1A", "De:aD:bE:Ef:00:1a", "deadbeef001a",
                                     "DEADBEEF001A"};
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        uint8_t id[USMP_DEVICE_ID_SIZE] = {0};
        assert_true(device_id_parse(spellings[i], id));
        assert_memory_equal(id, expected, sizeof id);
    }
}

static void test_what_is_no_id(void **state)
{
    (void)state;
    const char *const wrong[] = {
        "",
        "de",
        "deadbeef001",
        "deadbeef001a0",
        "de:ad:be:ef:00",
        "de:ad:be:ef:00:1",
        "de:ad:be:ef:00:1a:",
        "de:ad:be:ef:00:1a:00",
        "de:ad:be:ef:001a",
        "de:ad:be:ef:00-1a",
        "de-ad-be-ef-00-1a",
        ":de:ad:be:ef:00:1",
        "de:ad:be:ef:00:1g",
        "deadbeef001g",
        " deadbeef001",
        "deadbeef 01a",
        "0xdeadbeef01",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint8_t id[USMP_DEVICE_ID_SIZE];
        memcpy(id, expected, sizeof id);
        if (device_id_parse(wrong[i], id))
            fail_msg("taken: %s", wrong[i]);
        assert_memory_equal(id, expected, sizeof id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_spelling),
        cmocka_unit_test(test_what_is_no_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
