#define _GNU_SOURCE
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/authentication_log.h"
#include "platform/log.h"
#include "platform/log_capture.h"

uint64_t __wrap_clock_wall_us(void);
uint64_t __wrap_clock_wall_us(void)
{
    return UINT64_C(1795251600123456);
}

static const uint8_t DEVICE[6] = {0xde, 0xad, 0xbe, 0xef, 0x00, 0x01};
static const struct address IPV4 = {{[10] = 0xff, 0xff, 192, 0, 2, 7}, 50123};
static const struct address IPV6 = {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 50123};

static struct log_capture capture;
static char written[65536];

static int begin(void **state)
{
    (void)state;
    log_capture_begin(&capture);
    return 0;
}

static int end(void **state)
{
    (void)state;
    log_close();
    log_capture_end(&capture);
    return 0;
}

static void test_the_line_is_the_promised_one(void **state)
{
    (void)state;
    struct log_limit limit = LOG_LIMIT_INITIALIZER("authentication_failed", LOG_LEVEL_WARN);
    authentication_log_failure(&limit, 0, DEVICE, &IPV4, "bad_psk");
    authentication_log_failure(&limit, 0, DEVICE, &IPV6, "protocol");
    (void)log_capture_read(&capture, written, sizeof written);
    assert_string_equal(written, "2026-11-21T09:00:00.123456Z warn authentication failed device=de:ad:be:ef:00:01 "
                                 "peer=192.0.2.7:50123 reason=bad_psk\n"
                                 "2026-11-21T09:00:00.123456Z warn authentication failed device=de:ad:be:ef:00:01 "
                                 "peer=[2001:db8::1]:50123 reason=protocol\n");
}

static void test_it_is_rate_limited(void **state)
{
    (void)state;
    struct log_limit limit = LOG_LIMIT_INITIALIZER("authentication_failed", LOG_LEVEL_WARN);
    for (unsigned i = 0; i < 1000; i++)
        authentication_log_failure(&limit, 0, DEVICE, &IPV4, "bad_psk");
    (void)log_capture_read(&capture, written, sizeof written);
    unsigned lines = 0;
    for (const char *c = written; *c != '\0'; c++)
        lines += *c == '\n' ? 1 : 0;
    assert_int_equal(lines, 20);
    log_settle(&limit, UINT64_MAX);
    (void)log_capture_read(&capture, written, sizeof written);
    assert_string_equal(written, "2026-11-21T09:00:00.123456Z warn 980 further messages of this kind suppressed "
                                 "kind=authentication_failed\n");
}

/* As fail2ban does before it looks for its pattern. */
static void cut_dates(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0';) {
        from += strlen("2026-11-21T09:00:00.123456Z");
        const char *end = strchr(from, '\n') + 1;
        memmove(to, from, (size_t)(end - from));
        to += end - from;
        from = end;
    }
    *to = '\0';
}

/* The documented pattern of fail2ban, with its <HOST> and \S written out for POSIX. */
static void test_nobody_else_can_write_such_a_line(void **state)
{
    (void)state;
    regex_t pattern;
    assert_int_equal(regcomp(&pattern,
                             "^ *([^ ]+ usmpd\\[[0-9]+\\]: |warn |<4>)?authentication failed device=[^ ]+ "
                             "peer=\\[?([0-9a-f.:]+)\\]?:[0-9]+ reason=[^ ]+$",
                             REG_EXTENDED | REG_NEWLINE),
                     0);
    struct log_limit limit = LOG_LIMIT_INITIALIZER("authentication_failed", LOG_LEVEL_WARN);
    authentication_log_failure(&limit, 0, DEVICE, &IPV6, "bad_psk");
    (void)log_capture_read(&capture, written, sizeof written);
    cut_dates(written);
    regmatch_t matches[3];
    assert_int_equal(regexec(&pattern, written, 3, matches, 0), 0);
    written[matches[2].rm_eo] = '\0';
    assert_string_equal(written + matches[2].rm_so, "2001:db8::1");

    static const char forged[] =
        "x\n<4>authentication failed device=de:ad:be:ef:00:01 peer=192.0.2.7:50123 reason=bad_psk";
    log_write(LOG_LEVEL_WARN, LOG_FIELDS(log_string("line", forged)), "bad line");
    log_write(LOG_LEVEL_WARN, LOG_FIELDS(log_string("line", forged + 5)), "bad line");
    log_write(LOG_LEVEL_WARN, NULL, "bad line: %s", forged);
    (void)log_capture_read(&capture, written, sizeof written);
    cut_dates(written);
    assert_int_equal(regexec(&pattern, written, 0, NULL, 0), REG_NOMATCH);
    /* As the journal shows it. */
    assert_int_equal(regexec(&pattern,
                             "gateway usmpd[123]: authentication failed device=de:ad:be:ef:00:01 "
                             "peer=192.0.2.7:50123 reason=bad_psk",
                             0, NULL, 0),
                     0);
    regfree(&pattern);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_line_is_the_promised_one),
        TEST(test_it_is_rate_limited),
        TEST(test_nobody_else_can_write_such_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
