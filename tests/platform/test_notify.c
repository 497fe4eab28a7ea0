#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/notify.h"
#include "platform/scratch.h"

static int manager = -1;

static int begin(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    const struct scratch *scratch = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, scratch->path);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (manager < 0 || bind(manager, (const struct sockaddr *)&address, sizeof address) != 0)
        return -1;
    return setenv("NOTIFY_SOCKET", scratch->path, 1);
}

static int end(void **state)
{
    (void)close(manager);
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    return scratch_remove(state);
}

static void assert_told(const char *expected)
{
    char told[1024];
    ssize_t length = recv(manager, told, sizeof told - 1, MSG_DONTWAIT);
    assert_true(length >= 0);
    told[length] = '\0';
    assert_string_equal(told, expected);
    assert_int_equal(recv(manager, told, sizeof told, MSG_DONTWAIT), -1);
}

static void test_stages_of_life(void **state)
{
    (void)state;
    notify_ready();
    assert_told("READY=1");
    notify_reloading(UINT64_C(18446744073709551615));
    assert_told("RELOADING=1\nMONOTONIC_USEC=18446744073709551615");
    notify_stopping();
    assert_told("STOPPING=1");
    notify_watchdog();
    assert_told("WATCHDOG=1");
}

static void test_status_stays_one_line(void **state)
{
    (void)state;
    notify_status("%u sessions", 3);
    assert_told("STATUS=3 sessions");
    notify_status("bad name: %s", "x\nMAINPID=1");
    assert_told("STATUS=bad name: x\\x0aMAINPID=1");
}

static void test_long_status_is_cut(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    notify_status("%s", text);
    char told[2048];
    assert_int_equal(recv(manager, told, sizeof told, MSG_DONTWAIT), strlen("STATUS=") + 255);
}

static void test_watchdog_interval(void **state)
{
    (void)state;
    assert_int_equal(notify_watchdog_interval_us(), 0);
    assert_int_equal(setenv("WATCHDOG_USEC", "30000000", 1), 0);
    assert_int_equal(notify_watchdog_interval_us(), 15000000);
    /* Meant for another process. */
    assert_int_equal(setenv("WATCHDOG_PID", "1", 1), 0);
    assert_int_equal(notify_watchdog_interval_us(), 0);
    assert_int_equal(setenv("WATCHDOG_USEC", "rubbish", 1), 0);
    assert_int_equal(unsetenv("WATCHDOG_PID"), 0);
    assert_int_equal(notify_watchdog_interval_us(), 0);
}

static void test_without_a_manager_nothing_happens(void **state)
{
    (void)state;
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    notify_ready();
    notify_status("x");
    char told[16];
    assert_int_equal(recv(manager, told, sizeof told, MSG_DONTWAIT), -1);
    assert_int_equal(setenv("NOTIFY_SOCKET", "/nonexistent/socket", 1), 0);
    notify_ready();
    notify_stopping();
    assert_int_equal(recv(manager, told, sizeof told, MSG_DONTWAIT), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_stages_of_life),
        TEST(test_status_stays_one_line),
        TEST(test_long_status_is_cut),
        TEST(test_watchdog_interval),
        TEST(test_without_a_manager_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
