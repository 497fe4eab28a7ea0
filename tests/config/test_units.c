#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/units.h"

static void assert_duration(const char *text, uint64_t microseconds)
{
    uint64_t value = 1;
    assert_null(config_units_duration(text, &value));
    assert_true(value == microseconds);
}

static void assert_no_duration(const char *text, const char *wrong)
{
    uint64_t value = 77;
    assert_string_equal(config_units_duration(text, &value), wrong);
    assert_true(value == 77);
}

static void durations(void **state)
{
    (void)state;
    assert_duration("100ms", 100000);
    assert_duration("1s", 1000000);
    assert_duration("15m", 900000000);
    assert_duration("24h", 86400000000ull);
    assert_duration("2d", 172800000000ull);
    assert_duration("0", 0);
    assert_duration("0s", 0);
    assert_duration("007s", 7000000);
    assert_duration("213503982d", 18446744044800000000ull);
}

static void no_durations(void **state)
{
    (void)state;
    static const char no_duration[] = "is no duration: a whole number and ms, s, m, h or d";
    static const char *const texts[] = {"",   "s",    "ms",  "-1s",  "+1s",  " 1s", "1 s",  "1s ", "1.5s",
                                        "1S", "1sec", "1us", "1m1s", "1_0s", "٣s",  "1\ns", "0x1s"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_no_duration(texts[i], no_duration);
    }
    assert_no_duration("10", "needs a unit: ms, s, m, h or d");
    assert_no_duration("213503983d", "is too large a number");
    assert_no_duration("18446744073709551616ms", "is too large a number");
    assert_no_duration("99999999999999999999999", "is too large a number");
}

static void sizes(void **state)
{
    (void)state;
    uint64_t value = 1;
    assert_null(config_units_size("64KiB", &value));
    assert_true(value == 65536);
    assert_null(config_units_size("64MiB", &value));
    assert_true(value == 67108864);
    assert_null(config_units_size("2GiB", &value));
    assert_true(value == 2147483648ull);
    assert_null(config_units_size("17179869183GiB", &value));
    assert_true(value == 18446744072635809792ull);
}

static void no_sizes(void **state)
{
    (void)state;
    static const char no_size[] = "is no size: a whole number and KiB, MiB or GiB";
    static const char *const texts[] = {"", "KiB", "1KB", "1kib", "1K", "1M", "-1MiB", "1.5MiB", "1 MiB", "1TiB"};
    uint64_t value = 77;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_string_equal(config_units_size(texts[i], &value), no_size);
    }
    assert_string_equal(config_units_size("65536", &value), "needs a unit: KiB, MiB or GiB");
    assert_string_equal(config_units_size("0", &value), "needs a unit: KiB, MiB or GiB");
    assert_string_equal(config_units_size("17179869184GiB", &value), "is too large a number");
    assert_true(value == 77);
}

static void counts(void **state)
{
    (void)state;
    uint64_t value = 1;
    assert_null(config_units_count("0", &value));
    assert_true(value == 0);
    assert_null(config_units_count("2147483647", &value));
    assert_true(value == 2147483647);
    assert_null(config_units_count("18446744073709551615", &value));
    assert_true(value == UINT64_MAX);
}

static void no_counts(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "-1", "+1", "1.0", "1e3", "0x10", "1_000", "many", " 1", "1 ", "auto"};
    uint64_t value = 77;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_string_equal(config_units_count(texts[i], &value), "is no whole number");
    }
    assert_string_equal(config_units_count("010", &value), "begins with a zero; it could be read as octal");
    assert_string_equal(config_units_count("00", &value), "begins with a zero; it could be read as octal");
    assert_string_equal(config_units_count("18446744073709551616", &value), "is too large a number");
    assert_true(value == 77);
}

static void modes(void **state)
{
    (void)state;
    mode_t mode = 1;
    assert_null(config_units_mode("0660", &mode));
    assert_int_equal(mode, 0660);
    assert_null(config_units_mode("600", &mode));
    assert_int_equal(mode, 0600);
    assert_null(config_units_mode("0000", &mode));
    assert_int_equal(mode, 0);
    assert_null(config_units_mode("0777", &mode));
    assert_int_equal(mode, 0777);
}

static void no_modes(void **state)
{
    (void)state;
    static const char no_mode[] = "is no mode: three octal digits, with or without a 0 before them, such as \"0660\"";
    static const char *const texts[] = {"", "66", "0680", "06600", "rw-rw----", "-660", "0o660", "u=rw", " 660"};
    mode_t mode = 077;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_string_equal(config_units_mode(texts[i], &mode), no_mode);
    }
    assert_string_equal(config_units_mode("4755", &mode), "has special bits: a mode goes to \"0777\"");
    assert_int_equal(mode, 077);
}

static void booleans(void **state)
{
    (void)state;
    bool value = false;
    assert_null(config_units_boolean("true", &value));
    assert_true(value);
    assert_null(config_units_boolean("false", &value));
    assert_false(value);
    static const char *const texts[] = {"", "yes", "no", "on", "off", "True", "TRUE", "1", "0", "y", "truer"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_string_equal(config_units_boolean(texts[i], &value), "is neither true nor false");
        assert_false(value);
    }
}

static void formats_in_the_largest_whole_unit(void **state)
{
    (void)state;
    char text[CONFIG_UNITS_TEXT];
    static const struct {
        uint64_t value;
        const char *duration;
    } durations_as_text[] = {{0, "0ms"},       {100000, "100ms"},      {1500000, "1500ms"},
                             {60000000, "1m"}, {90000000, "90s"},      {3600000000ull, "1h"},
                             {7, "0ms"},       {86400000000ull, "1d"}, {90000000000ull, "25h"}};
    for (size_t i = 0; i < sizeof durations_as_text / sizeof durations_as_text[0]; i++) {
        config_units_format_duration(durations_as_text[i].value, text);
        assert_string_equal(text, durations_as_text[i].duration);
    }
    config_units_format_size(64ull << 10, text);
    assert_string_equal(text, "64KiB");
    config_units_format_size(1ull << 40, text);
    assert_string_equal(text, "1024GiB");
    config_units_format_size(UINT64_MAX, text);
    assert_string_equal(text, "18014398509481983KiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations), cmocka_unit_test(no_durations),
        cmocka_unit_test(sizes),     cmocka_unit_test(no_sizes),
        cmocka_unit_test(counts),    cmocka_unit_test(no_counts),
        cmocka_unit_test(modes),     cmocka_unit_test(no_modes),
        cmocka_unit_test(booleans),  cmocka_unit_test(formats_in_the_largest_whole_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
