#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/device_id.h"
#include "config/device_pattern.h"

static void ids_in_every_spelling(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0xde, 0xad, 0xbe, 0xef, 0x00, 0x01};
    static const char *const texts[] = {"de:ad:be:ef:00:01", "DE:AD:BE:EF:00:01", "deadbeef0001", "DEadBEef0001"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint8_t id[CONFIG_DEVICE_ID_SIZE] = {0};
        assert_true(config_device_id_parse(texts[i], id));
        assert_memory_equal(id, expected, sizeof id);
    }
}

static void no_ids(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "de:ad:be:ef:00",
                                        "de:ad:be:ef:00:01:02",
                                        "deadbeef000",
                                        "deadbeef00010",
                                        "dead:beef:0001",
                                        "de-ad-be-ef-00-01",
                                        "de:ad:be:ef:00:0g",
                                        "de:ad:be:ef:00:1",
                                        "de:ad:be:ef:0:001",
                                        "de:ad:be:ef:00:01 ",
                                        " de:ad:be:ef:00:01",
                                        "0xdeadbeef01",
                                        "deadbeef 001",
                                        ":deadbeef0001",
                                        "de:adbe:ef00:01xx",
                                        "*",
                                        "+e:ad:be:ef:00:01"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint8_t id[CONFIG_DEVICE_ID_SIZE] = {7, 7, 7, 7, 7, 7};
        static const uint8_t untouched[] = {7, 7, 7, 7, 7, 7};
        assert_false(config_device_id_parse(texts[i], id));
        assert_memory_equal(id, untouched, sizeof id);
    }
}

static void printed_in_lower_case_with_colons(void **state)
{
    (void)state;
    static const uint8_t id[] = {0xDE, 0xAD, 0xBE, 0xEF, 0x00, 0x0A};
    char text[CONFIG_DEVICE_ID_TEXT];
    config_device_id_format(id, text);
    assert_string_equal(text, "de:ad:be:ef:00:0a");
}

static void every_byte_goes_both_ways(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t id[CONFIG_DEVICE_ID_SIZE];
        memset(id, (int)byte, sizeof id);
        char text[CONFIG_DEVICE_ID_TEXT];
        config_device_id_format(id, text);
        uint8_t again[CONFIG_DEVICE_ID_SIZE] = {0};
        assert_true(config_device_id_parse(text, again));
        assert_memory_equal(again, id, sizeof id);
    }
}

struct matching {
    const char *pattern;
    const char *id;
    bool matches;
};

static void patterns_match_by_hex_digit(void **state)
{
    (void)state;
    static const struct matching cases[] = {
        {"*", "00:00:00:00:00:00", true},
        {"*", "ff:ff:ff:ff:ff:ff", true},
        {"de:ad:be:*", "de:ad:be:ef:00:01", true},
        {"de:ad:be:*", "de:ad:bf:ef:00:01", false},
        {"DE:AD:BE*", "de:ad:be:ef:00:01", true},
        {"deadbe*", "de:ad:be:ef:00:01", true},
        {"deadb*", "de:ad:bf:ef:00:01", true},
        {"deadb*", "de:ad:cf:ef:00:01", false},
        {"de:ad:b*", "de:ad:b0:00:00:00", true},
        {"d*", "de:ad:be:ef:00:01", true},
        {"d*", "ed:ad:be:ef:00:01", false},
        {"0*", "00:ad:be:ef:00:01", true},
        {"0*", "10:ad:be:ef:00:01", false},
        {"de:ad:be:ef:00:0*", "de:ad:be:ef:00:0f", true},
        {"de:ad:be:ef:00:0*", "de:ad:be:ef:00:1f", false},
        {"deadbeef000*", "de:ad:be:ef:00:01", true},
        {"de:ad:be:ef:00:01", "de:ad:be:ef:00:01", true},
        {"deadbeef0001", "de:ad:be:ef:00:01", true},
        {"deadbeef0001", "de:ad:be:ef:00:02", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config_pattern pattern;
        uint8_t id[CONFIG_DEVICE_ID_SIZE];
        assert_true(config_pattern_parse(cases[i].pattern, &pattern));
        assert_true(config_device_id_parse(cases[i].id, id));
        if (config_pattern_matches(&pattern, id) != cases[i].matches) {
            fail_msg("%s and %s", cases[i].pattern, cases[i].id);
        }
    }
}

static void pattern_holds_digits_and_zeros(void **state)
{
    (void)state;
    struct config_pattern pattern;
    static const uint8_t expected[] = {0xde, 0xad, 0xb0, 0, 0, 0};
    memset(&pattern, 0xFF, sizeof pattern);
    assert_true(config_pattern_parse("de:ad:b*", &pattern));
    assert_int_equal(pattern.digits, 5);
    assert_memory_equal(pattern.bytes, expected, sizeof expected);
    assert_true(config_pattern_parse("*", &pattern));
    assert_int_equal(pattern.digits, 0);
    assert_true(config_pattern_parse("deadbeef0001", &pattern));
    assert_int_equal(pattern.digits, CONFIG_PATTERN_DIGITS);
}

static void no_patterns(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "**",
                                        "de*ad",
                                        "*de",
                                        "de:ad:be:",
                                        "de:ad",
                                        "dead",
                                        "dead:be*",
                                        "de:adbe*",
                                        "d:e*",
                                        ":*",
                                        "de::*",
                                        "xy:*",
                                        "de:ad:be:ef:00:01*",
                                        "de:ad:be:ef:00:01:*",
                                        "deadbeef0001*",
                                        "de:ad:be:ef:00:01:02:*",
                                        "de ad*",
                                        "?"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct config_pattern pattern = {.digits = 99};
        if (config_pattern_parse(texts[i], &pattern)) {
            fail_msg("\"%s\" is taken for a pattern", texts[i]);
        }
        assert_int_equal(pattern.digits, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_in_every_spelling),
        cmocka_unit_test(no_ids),
        cmocka_unit_test(printed_in_lower_case_with_colons),
        cmocka_unit_test(every_byte_goes_both_ways),
        cmocka_unit_test(patterns_match_by_hex_digit),
        cmocka_unit_test(pattern_holds_digits_and_zeros),
        cmocka_unit_test(no_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
