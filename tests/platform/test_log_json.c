#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "platform/log_json.h"
#include "platform/log_records.h"

static void assert_json(const struct log_record *record, const char *expected)
{
    struct clock_text_cache cache = {0};
    struct log_line line = {0};
    log_json_format(record, &cache, &line);
    line.text[line.length] = '\0';
    assert_string_equal(line.text, expected);
}

static void test_members(void **state)
{
    (void)state;
    struct log_record record = records_plain(
        LOG_FIELDS(log_device(RECORDS_DEVICE), log_peer(&RECORDS_PEER), log_number("count", -3), log_string("x", "")));
    assert_json(&record,
                "{\"time\":\"2026-11-21T09:00:00.123456Z\",\"level\":\"info\",\"message\":\"session over udp\","
                "\"device\":\"de:ad:be:ef:00:01\",\"peer\":\"192.0.2.7:50123\",\"count\":-3,\"x\":\"\"}\n");
}

static void test_hostile_text(void **state)
{
    (void)state;
    struct log_record record = records_plain(LOG_FIELDS(log_bytes("line", "\"},{\\\n\0\xff\xe2\x80\xae", 11)));
    record.message = "\x1b[2J\"";
    record.level = LOG_LEVEL_WARN;
    assert_json(&record, "{\"time\":\"2026-11-21T09:00:00.123456Z\",\"level\":\"warn\",\"message\":\"\\u001b[2J\\\"\","
                         "\"line\":\"\\\"},{\\\\\\u000a\\u0000\\ufffd\\u202e\"}\n");
}

/* Another JSON reader gets back what went in. */
static void test_it_is_json(void **state)
{
    (void)state;
    struct log_record record = records_plain(LOG_FIELDS(log_string("text", "\x01\x1f\x7f\"\\/\xc3\xa4\xc2\x85")));
    struct clock_text_cache cache = {0};
    struct log_line line = {0};
    log_json_format(&record, &cache, &line);
    json_t *parsed = json_loadb(line.text, line.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(parsed);
    assert_string_equal(json_string_value(json_object_get(parsed, "text")), "\x01\x1f\x7f\"\\/\xc3\xa4\xc2\x85");
    json_decref(parsed);
}

static void test_the_longest_line_is_whole(void **state)
{
    (void)state;
    static const char letters[] = {'x', '\x1b', '"', '\\', '\xff'};
    for (size_t i = 0; i < sizeof letters; i++) {
        struct records_longest longest;
        records_make_longest(&longest, letters[i]);
        struct clock_text_cache cache = {0};
        struct log_line line = {0};
        log_json_format(&longest.record, &cache, &line);
        assert_in_range(line.length, 3500, LOG_LINE_SIZE);
        json_t *parsed = json_loadb(line.text, line.length, 0, NULL);
        assert_non_null(parsed);
        const char *message = json_string_value(json_object_get(parsed, "message"));
        assert_string_equal(message + strlen(message) - 3, "\xe2\x80\xa6");
        json_decref(parsed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_it_is_json),
        cmocka_unit_test(test_the_longest_line_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
