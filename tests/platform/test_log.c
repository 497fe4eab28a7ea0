#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "platform/log.h"
#include "platform/log_capture.h"

#define SECOND UINT64_C(1000000)

/* 2026-11-21T09:00:00.123456Z for everything that is logged here. */
uint64_t __wrap_clock_wall_us(void);
uint64_t __wrap_clock_wall_us(void)
{
    return UINT64_C(1795251600123456);
}

/* The journal of this test. */
static struct {
    int error; /* what sending to it ends with; 0: it takes the entry */
    char path[108];
    char entry[8192];
    unsigned entries;
} journal;

ssize_t __wrap_sendto(int descriptor, const void *data, size_t size, int flags, const struct sockaddr *address,
                      socklen_t length);
ssize_t __wrap_sendto(int descriptor, const void *data, size_t size, int flags, const struct sockaddr *address,
                      socklen_t length)
{
    (void)descriptor;
    assert_true(length == sizeof(struct sockaddr_un) && size < sizeof journal.entry);
    assert_true((flags & MSG_DONTWAIT) != 0);
    if (journal.error != 0) {
        errno = journal.error;
        return -1;
    }
    struct sockaddr_un local;
    memcpy(&local, address, sizeof local);
    strcpy(journal.path, local.sun_path);
    memcpy(journal.entry, data, size);
    journal.entry[size] = '\0';
    journal.entries++;
    return (ssize_t)size;
}

static struct log_capture capture;
static char written[65536 * 2];

static void assert_written(const char *expected)
{
    (void)log_capture_read(&capture, written, sizeof written);
    assert_string_equal(written, expected);
}

static int begin(void **state)
{
    (void)state;
    memset(&journal, 0, sizeof journal);
    (void)unsetenv("JOURNAL_STREAM");
    log_capture_begin(&capture);
    return 0;
}

static int end(void **state)
{
    (void)state;
    log_divert(NULL, NULL);
    log_close();
    log_capture_end(&capture);
    (void)unsetenv("JOURNAL_STREAM");
    return 0;
}

static void announce_journal_stream(void)
{
    struct stat status;
    char announced[64];
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    (void)snprintf(announced, sizeof announced, "%lu:%lu", (unsigned long)status.st_dev, (unsigned long)status.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", announced, 1), 0);
}

static void test_text_at_level_info_before_it_is_configured(void **state)
{
    (void)state;
    log_write(LOG_LEVEL_DEBUG, NULL, "no");
    log_write(LOG_LEVEL_INFO, LOG_FIELDS(log_number("count", 3)), "read %s", "a.yaml");
    assert_written("2026-11-21T09:00:00.123456Z info read a.yaml count=3\n");
}

static void test_levels(void **state)
{
    (void)state;
    static const enum log_level levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};
    static const char *const expected[] = {
        "2026-11-21T09:00:00.123456Z error x\n", "2026-11-21T09:00:00.123456Z warn x\n",
        "2026-11-21T09:00:00.123456Z info x\n", "2026-11-21T09:00:00.123456Z debug x\n"};
    for (size_t configured = 0; configured < 4; configured++) {
        log_configure(levels[configured], LOG_FORMAT_TEXT);
        for (size_t used = 0; used < 4; used++) {
            assert_int_equal(log_enabled(levels[used]), used <= configured);
            log_write(levels[used], NULL, "x");
            assert_written(used <= configured ? expected[used] : "");
        }
    }
}

static void test_json(void **state)
{
    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JSON);
    log_write(LOG_LEVEL_INFO, LOG_FIELDS(log_string("name", "a b")), "hello");
    assert_written(
        "{\"time\":\"2026-11-21T09:00:00.123456Z\",\"level\":\"info\",\"message\":\"hello\",\"name\":\"a b\"}\n");
}

static void test_auto_is_text_without_a_journal(void **state)
{
    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
    log_write(LOG_LEVEL_INFO, NULL, "hello");
    assert_written("2026-11-21T09:00:00.123456Z info hello\n");
    assert_int_equal(journal.entries, 0);
}

static void test_auto_is_the_journal_where_it_reads_standard_error(void **state)
{
    (void)state;
    announce_journal_stream();
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_AUTO);
    log_write(LOG_LEVEL_INFO, LOG_FIELDS(log_number("count", 3)), "hello");
    assert_written("");
    assert_int_equal(journal.entries, 1);
    assert_string_equal(journal.path, "/run/systemd/journal/socket");
    assert_string_equal(journal.entry, "MESSAGE=hello count=3\nPRIORITY=6\nSYSLOG_IDENTIFIER=usmpd\nUSMPD_COUNT=3\n");
}

static void test_text_that_the_journal_reads_has_priorities(void **state)
{
    (void)state;
    announce_journal_stream();
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    log_write(LOG_LEVEL_ERROR, NULL, "hello");
    assert_written("<3>hello\n");
    assert_int_equal(journal.entries, 0);
}

static void test_without_a_journal_its_messages_go_to_standard_error(void **state)
{
    (void)state;
    journal.error = ENOENT;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JOURNAL);
    log_write(LOG_LEVEL_INFO, NULL, "hello");
    assert_written("2026-11-21T09:00:00.123456Z info hello\n");
    assert_int_equal(log_dropped(), 0);
}

static void test_a_stuck_journal_costs_messages_and_they_are_counted(void **state)
{
    (void)state;
    log_configure(LOG_LEVEL_INFO, LOG_FORMAT_JOURNAL);
    journal.error = EAGAIN;
    log_write(LOG_LEVEL_INFO, NULL, "one");
    log_write(LOG_LEVEL_INFO, NULL, "two");
    assert_written("");
    assert_int_equal(log_dropped(), 2);
    journal.error = 0;
    log_write(LOG_LEVEL_INFO, NULL, "three");
    assert_int_equal(journal.entries, 2);
    assert_string_equal(journal.entry, "MESSAGE=three\nPRIORITY=6\nSYSLOG_IDENTIFIER=usmpd\n");
    log_write(LOG_LEVEL_INFO, NULL, "four");
    assert_int_equal(journal.entries, 3);
    assert_int_equal(log_dropped(), 2);
}

static void test_the_count_is_the_first_line_after_a_full_pipe(void **state)
{
    (void)state;
    assert_true(fcntl(STDERR_FILENO, F_SETPIPE_SZ, 4096) >= 4096);
    log_write(LOG_LEVEL_INFO, NULL, "one");
    log_write(LOG_LEVEL_INFO, NULL, "two");
    log_write(LOG_LEVEL_INFO, NULL, "three");
    uint64_t dropped = log_dropped();
    assert_in_range(dropped, 1, 2);
    (void)log_capture_read(&capture, written, sizeof written);
    assert_int_equal(fcntl(STDERR_FILENO, F_SETPIPE_SZ, 65536), 65536);
    log_write(LOG_LEVEL_INFO, NULL, "four");
    char expected[256];
    (void)snprintf(expected, sizeof expected,
                   "2026-11-21T09:00:00.123456Z warn log messages dropped because nobody took them count=%u\n"
                   "2026-11-21T09:00:00.123456Z info four\n",
                   (unsigned)dropped);
    assert_written(expected);
}

static void test_reload_changes_level_and_format(void **state)
{
    (void)state;
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_JOURNAL);
    log_write(LOG_LEVEL_ERROR, NULL, "one");
    assert_int_equal(journal.entries, 1);
    log_configure(LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
    log_write(LOG_LEVEL_DEBUG, NULL, "two");
    assert_int_equal(journal.entries, 1);
    assert_written("2026-11-21T09:00:00.123456Z debug two\n");
    log_close();
    log_write(LOG_LEVEL_DEBUG, NULL, "three");
    assert_written("");
}

static void test_a_long_message_is_cut(void **state)
{
    (void)state;
    char message[3000];
    memset(message, 'x', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    log_write(LOG_LEVEL_INFO, NULL, "%s", message);
    char expected[1200] = "2026-11-21T09:00:00.123456Z info ";
    memset(expected + strlen(expected), 'x', 1020);
    strcat(expected, "\xe2\x80\xa6\n");
    assert_written(expected);
}

static void test_a_flood_is_held_back_and_told(void **state)
{
    (void)state;
    struct log_limit limit = LOG_LIMIT_INITIALIZER("bad_frame", LOG_LEVEL_WARN);
    uint64_t now_us = 1000 * SECOND;
    for (unsigned i = 0; i < 50; i++)
        log_write_limited(&limit, now_us, NULL, "bad frame %u", i);
    (void)log_capture_read(&capture, written, sizeof written);
    assert_non_null(strstr(written, "warn bad frame 19\n"));
    assert_null(strstr(written, "bad frame 20\n"));

    log_settle(&limit, now_us + SECOND);
    assert_written("");
    log_settle(&limit, now_us + 2 * SECOND);
    assert_written("2026-11-21T09:00:00.123456Z warn 30 further messages of this kind suppressed kind=bad_frame\n");
    log_settle(&limit, now_us + 3 * SECOND);
    assert_written("");
}

static void test_the_next_message_settles_too(void **state)
{
    (void)state;
    struct log_limit limit = LOG_LIMIT_INITIALIZER("bad_frame", LOG_LEVEL_INFO);
    for (unsigned i = 0; i < 21; i++)
        log_write_limited(&limit, 0, NULL, "bad frame");
    (void)log_capture_read(&capture, written, sizeof written);
    log_write_limited(&limit, 60 * SECOND, LOG_FIELDS(log_number("size", 7)), "bad frame");
    assert_written("2026-11-21T09:00:00.123456Z info 1 further messages of this kind suppressed kind=bad_frame\n"
                   "2026-11-21T09:00:00.123456Z info bad frame size=7\n");
}

static void test_what_is_not_written_takes_no_tokens(void **state)
{
    (void)state;
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    struct log_limit limit = LOG_LIMIT_INITIALIZER("bad_frame", LOG_LEVEL_WARN);
    for (unsigned i = 0; i < 50; i++)
        log_write_limited(&limit, 0, NULL, "bad frame");
    assert_int_equal(limit.suppressed, 0);
    assert_written("");
}

static unsigned diverted;

static void count_diverted(void *context, const struct log_record *record)
{
    assert_ptr_equal(context, &diverted);
    assert_int_equal(record->level, LOG_LEVEL_WARN);
    assert_int_equal(record->wall_us, UINT64_C(1795251600123456));
    assert_string_equal(record->message, "raw \n text");
    assert_string_equal(record->fields[0].key, "count");
    assert_int_equal(record->fields[1].type, LOG_FIELD_END);
    diverted++;
}

static void test_a_simulation_can_listen(void **state)
{
    (void)state;
    diverted = 0;
    log_divert(count_diverted, &diverted);
    log_write(LOG_LEVEL_WARN, LOG_FIELDS(log_number("count", 1)), "raw \n text");
    log_write(LOG_LEVEL_DEBUG, NULL, "not of this level");
    assert_int_equal(diverted, 1);
    assert_written("");
    log_divert(NULL, NULL);
    log_write(LOG_LEVEL_WARN, NULL, "back");
    assert_written("2026-11-21T09:00:00.123456Z warn back\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_text_at_level_info_before_it_is_configured),
        TEST(test_levels),
        TEST(test_json),
        TEST(test_auto_is_text_without_a_journal),
        TEST(test_auto_is_the_journal_where_it_reads_standard_error),
        TEST(test_text_that_the_journal_reads_has_priorities),
        TEST(test_without_a_journal_its_messages_go_to_standard_error),
        TEST(test_a_stuck_journal_costs_messages_and_they_are_counted),
        TEST(test_the_count_is_the_first_line_after_a_full_pipe),
        TEST(test_reload_changes_level_and_format),
        TEST(test_a_long_message_is_cut),
        TEST(test_a_flood_is_held_back_and_told),
        TEST(test_the_next_message_settles_too),
        TEST(test_what_is_not_written_takes_no_tokens),
        TEST(test_a_simulation_can_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
