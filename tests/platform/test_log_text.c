#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/log_records.h"
#include "platform/log_text.h"
#include "platform/utf8.h"

static void assert_text(const struct log_record *record, enum log_text_head head, const char *expected)
{
    struct clock_text_cache cache = {0};
    struct log_line line = {0};
    log_text_format(record, head, &cache, &line);
    line.text[line.length] = '\0';
    assert_string_equal(line.text, expected);
}

static void test_time_level_message_fields(void **state)
{
    (void)state;
    struct log_record record = records_plain(LOG_FIELDS(log_device(RECORDS_DEVICE), log_peer(&RECORDS_PEER)));
    assert_text(&record, LOG_TEXT_HEAD_TIME,
                "2026-11-21T09:00:00.123456Z info session over udp device=de:ad:be:ef:00:01 peer=192.0.2.7:50123\n");
}

static void test_no_fields(void **state)
{
    (void)state;
    struct log_record record = records_plain(&RECORDS_NO_FIELDS);
    record.level = LOG_LEVEL_DEBUG;
    assert_text(&record, LOG_TEXT_HEAD_TIME, "2026-11-21T09:00:00.123456Z debug session over udp\n");
}

static void test_priority_for_the_journal(void **state)
{
    (void)state;
    struct log_record record = records_plain(LOG_FIELDS(log_number("count", -3)));
    assert_text(&record, LOG_TEXT_HEAD_PRIORITY, "<6>session over udp count=-3\n");
    record.level = LOG_LEVEL_ERROR;
    assert_text(&record, LOG_TEXT_HEAD_PRIORITY, "<3>session over udp count=-3\n");
}

static void test_values_are_quoted_where_they_would_be_misread(void **state)
{
    (void)state;
    struct log_record record =
        records_plain(LOG_FIELDS(log_string("a", "plain"), log_string("b", "two words"), log_string("c", ""),
                                 log_string("d", "x=1"), log_string("e", "\"q\""), log_string("f", "back\\slash")));
    assert_text(&record, LOG_TEXT_HEAD_PRIORITY,
                "<6>session over udp a=plain b=\"two words\" c=\"\" d=\"x=1\" e=\"\\\"q\\\"\" f=back\\\\slash\n");
}

/* docs/security.md rule 25 */
static void test_nobody_can_begin_a_line_or_steer_a_terminal(void **state)
{
    (void)state;
    struct log_record record = records_plain(
        LOG_FIELDS(log_string("line", "x\n2026-11-21T09:00:00.123456Z info authentication failed peer=192.0.2.1:1")));
    record.message = "got \x1b[2J\r\n\xc2\x9b\xff";
    assert_text(&record, LOG_TEXT_HEAD_TIME,
                "2026-11-21T09:00:00.123456Z info got \\x1b[2J\\x0d\\x0a\\xc2\\x9b\\xff "
                "line=\"x\\x0a2026-11-21T09:00:00.123456Z info authentication failed peer=192.0.2.1:1\"\n");
}

static void test_the_longest_line_fits_into_a_pipe(void **state)
{
    (void)state;
    static const char letters[] = {'x', '\x1b', '"', '\\', '\xff'};
    for (size_t i = 0; i < sizeof letters; i++) {
        struct records_longest longest;
        records_make_longest(&longest, letters[i]);
        struct clock_text_cache cache = {0};
        struct log_line line = {0};
        log_text_format(&longest.record, LOG_TEXT_HEAD_TIME, &cache, &line);
        assert_in_range(line.length, 3500, LOG_LINE_SIZE);
        assert_int_equal(line.text[line.length - 1], '\n');
        assert_ptr_equal(memchr(line.text, '\n', line.length), line.text + line.length - 1);
        assert_true(utf8_is_valid((const uint8_t *)line.text, line.length));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_level_message_fields),
        cmocka_unit_test(test_no_fields),
        cmocka_unit_test(test_priority_for_the_journal),
        cmocka_unit_test(test_values_are_quoted_where_they_would_be_misread),
        cmocka_unit_test(test_nobody_can_begin_a_line_or_steer_a_terminal),
        cmocka_unit_test(test_the_longest_line_fits_into_a_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
