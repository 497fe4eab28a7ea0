#define _GNU_SOURCE
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/log.h"
#include "platform/log_capture.h"
#include "worker/listening_log.h"

static struct log_capture capture;
static char written[4096];

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

static void test_names_what_the_kernel_chose(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(descriptor >= 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(descriptor, (struct sockaddr *)&address, &length), 0);
    listening_log(descriptor, "udp");
    close(descriptor);
    (void)log_capture_read(&capture, written, sizeof written);
    char expected[80];
    snprintf(expected, sizeof expected, " info listening over udp address=127.0.0.1:%u\n", ntohs(address.sin_port));
    assert_non_null(strstr(written, expected));
}

static void test_is_silent_about_what_is_no_socket(void **state)
{
    (void)state;
    listening_log(-1, "tcp");
    assert_int_equal(log_capture_read(&capture, written, sizeof written), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names_what_the_kernel_chose),
        TEST(test_is_silent_about_what_is_no_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
