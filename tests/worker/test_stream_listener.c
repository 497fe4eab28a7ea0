#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "platform/log.h"
#include "worker/stream_listener.h"
#include "worker/tcp_client.h"

#define MANY 512

static bool no_ipv6;
static int ipv6_bind_error;
static int accept_error; /* of the next accept4() only */

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol)
{
    if (!no_ipv6 || family != AF_INET6)
        return __real_socket(family, type, protocol);
    errno = EAFNOSUPPORT;
    return -1;
}

int __real_bind(int descriptor, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int descriptor, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int descriptor, const struct sockaddr *address, socklen_t length)
{
    if (ipv6_bind_error == 0 || address->sa_family != AF_INET6)
        return __real_bind(descriptor, address, length);
    errno = ipv6_bind_error;
    return -1;
}

int __real_accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
int __wrap_accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags);
int __wrap_accept4(int descriptor, struct sockaddr *address, socklen_t *length, int flags)
{
    if (accept_error == 0)
        return __real_accept4(descriptor, address, length, flags);
    errno = accept_error;
    accept_error = 0;
    return -1;
}

struct listening {
    uv_loop_t loop;
    struct stream_listener listener;
    uint16_t port;
    int accepted[MANY];
    size_t count;
    int holders[MANY]; /* of descriptors that are taken from the listener */
    size_t holder_count;
    struct rlimit descriptors;
    size_t warnings;
    int64_t told;
};

static void on_accepted(void *context, int descriptor)
{
    struct listening *listening = context;
    assert_true(listening->count < MANY);
    listening->accepted[listening->count++] = descriptor;
}

static void count_warning(void *context, const struct log_record *record)
{
    struct listening *listening = context;
    if (record->level == LOG_LEVEL_WARN) {
        listening->warnings++;
        listening->told = record->fields[0].number;
    }
}

static struct config_address address_of(const char *text)
{
    struct config_address result = {.wildcard = strncmp(text, "[::]", 4) == 0};
    assert_true(address_parse(text, &result.address));
    int family = address_is_ipv4(&result.address) ? AF_INET : AF_INET6;
    result.length = socket_address_export(&result.address, family, 0, &result.socket_address);
    return result;
}

static int bound_to(const char *text)
{
    struct error_text error;
    struct config_address address = address_of(text);
    int descriptor = stream_listener_bind(&address, &error);
    assert_true(descriptor >= 0);
    return descriptor;
}

static struct listening *listen_on_loopback(void)
{
    struct listening *listening = calloc(1, sizeof *listening);
    assert_non_null(listening);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &listening->descriptors), 0);
    assert_int_equal(uv_loop_init(&listening->loop), 0);
    log_divert(count_warning, listening);
    int descriptor = bound_to("127.0.0.1:0");
    listening->port = tcp_local_port(descriptor);
    assert_int_equal(stream_listener_open(&listening->listener, &listening->loop, descriptor, on_accepted, listening),
                     0);
    return listening;
}

static struct listening *started(void)
{
    struct listening *listening = listen_on_loopback();
    assert_int_equal(stream_listener_start(&listening->listener), 0);
    return listening;
}

static void turn(struct listening *listening)
{
    (void)uv_run(&listening->loop, UV_RUN_NOWAIT);
}

static void release_descriptors(struct listening *listening)
{
    while (listening->holder_count > 0)
        assert_int_equal(close(listening->holders[--listening->holder_count]), 0);
}

static void finish(struct listening *listening)
{
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &listening->descriptors), 0);
    release_descriptors(listening);
    stream_listener_close(&listening->listener);
    turn(listening);
    assert_int_equal(uv_loop_close(&listening->loop), 0);
    for (size_t i = 0; i < listening->count; i++)
        assert_int_equal(close(listening->accepted[i]), 0);
    log_divert(NULL, NULL);
    free(listening);
}

static void allow_descriptors(const struct listening *listening, rlim_t count)
{
    struct rlimit limit = {.rlim_cur = count, .rlim_max = listening->descriptors.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* From here on no descriptor can be opened. */
static void exhaust_descriptors(struct listening *listening)
{
    allow_descriptors(listening, MANY);
    int holder;
    while ((holder = dup(STDERR_FILENO)) >= 0)
        listening->holders[listening->holder_count++] = holder;
    assert_int_equal(errno, EMFILE);
}

static int nothing_fails(void **state)
{
    (void)state;
    no_ipv6 = false;
    ipv6_bind_error = accept_error = 0;
    return 0;
}

static void expect_served(int descriptor, const char *host)
{
    int client = tcp_client_open(host, tcp_local_port(descriptor));
    int accepted = accept4(descriptor, NULL, NULL, SOCK_CLOEXEC);
    assert_true(accepted >= 0);
    assert_int_equal(close(accepted), 0);
    assert_int_equal(close(client), 0);
}

static void test_any_address_serves_both_families(void **state)
{
    (void)state;
    int descriptor = bound_to("[::]:0");
    expect_served(descriptor, "127.0.0.1");
    expect_served(descriptor, "127.0.0.2");
    expect_served(descriptor, "::1");
    assert_int_not_equal(fcntl(descriptor, F_GETFL) & O_NONBLOCK, 0);
    assert_int_not_equal(fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);
    assert_int_equal(close(descriptor), 0);
}

static void test_any_address_becomes_ipv4_where_there_is_no_ipv6(void **state)
{
    (void)state;
    no_ipv6 = true;
    int descriptor = bound_to("[::]:0");
    expect_served(descriptor, "127.0.0.1");
    assert_int_equal(close(descriptor), 0);

    no_ipv6 = false;
    ipv6_bind_error = EADDRNOTAVAIL;
    descriptor = bound_to("[::]:0");
    expect_served(descriptor, "127.0.0.1");
    assert_int_equal(close(descriptor), 0);
}

static void expect_refused(const char *text, const char *reason)
{
    struct error_text error = {.text = ""};
    struct config_address address = address_of(text);
    assert_int_equal(stream_listener_bind(&address, &error), -1);
    char expected[200];
    snprintf(expected, sizeof expected, "cannot listen on TCP %s: %s", text, reason);
    assert_string_equal(error.text, expected);
}

static void test_other_addresses_have_nothing_to_fall_back_to(void **state)
{
    (void)state;
    no_ipv6 = true;
    expect_refused("[::1]:9000", "Address family not supported by protocol");
    no_ipv6 = false;
    ipv6_bind_error = EACCES;
    expect_refused("[::]:9000", "Permission denied");
    ipv6_bind_error = 0;
    expect_refused("192.0.2.1:9000", "Cannot assign requested address");
}

static void test_an_address_in_use_is_named(void **state)
{
    (void)state;
    int first = bound_to("127.0.0.1:0");
    char text[32];
    snprintf(text, sizeof text, "127.0.0.1:%u", tcp_local_port(first));
    expect_refused(text, "Address already in use");
    assert_int_equal(close(first), 0);
}

static void test_the_port_is_free_again_right_after_an_end(void **state)
{
    (void)state;
    int first = bound_to("127.0.0.1:0");
    char text[32];
    snprintf(text, sizeof text, "127.0.0.1:%u", tcp_local_port(first));
    int client = tcp_client_open("127.0.0.1", tcp_local_port(first));
    int accepted = accept4(first, NULL, NULL, SOCK_CLOEXEC);
    assert_true(accepted >= 0);
    /* We end the connection first, so it stays in TIME-WAIT on our side. */
    assert_int_equal(close(accepted), 0);
    assert_int_equal(close(first), 0);
    assert_int_equal(close(client), 0);
    assert_int_equal(close(bound_to(text)), 0);
}

static void test_a_turn_takes_its_share(void **state)
{
    (void)state;
    int clients[STREAM_LISTENER_SHARE + 5];
    struct listening *listening = started();
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++)
        clients[i] = tcp_client_open("127.0.0.1", listening->port);
    turn(listening);
    assert_int_equal(listening->count, STREAM_LISTENER_SHARE);
    turn(listening);
    assert_int_equal(listening->count, STREAM_LISTENER_SHARE + 5);
    assert_int_not_equal(fcntl(listening->accepted[0], F_GETFL) & O_NONBLOCK, 0);
    assert_int_not_equal(fcntl(listening->accepted[0], F_GETFD) & FD_CLOEXEC, 0);
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++)
        assert_int_equal(close(clients[i]), 0);
    finish(listening);
}

static int option_of(int descriptor, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(descriptor, level, name, &value, &size), 0);
    return value;
}

static void test_connections_are_prompt_and_kept_alive_with_patience(void **state)
{
    (void)state;
    struct listening *listening = started();
    int client = tcp_client_open("127.0.0.1", listening->port);
    turn(listening);
    assert_int_equal(listening->count, 1);
    int accepted = listening->accepted[0];
    assert_int_equal(option_of(accepted, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option_of(accepted, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option_of(accepted, IPPROTO_TCP, TCP_KEEPIDLE), 180);
    assert_true(option_of(accepted, IPPROTO_TCP, TCP_KEEPINTVL) * option_of(accepted, IPPROTO_TCP, TCP_KEEPCNT) >= 120);
    assert_int_equal(close(client), 0);
    finish(listening);
}

static void test_nothing_is_accepted_before_the_start_and_after_the_stop(void **state)
{
    (void)state;
    struct listening *listening = listen_on_loopback();
    int client = tcp_client_open("127.0.0.1", listening->port);
    turn(listening);
    assert_int_equal(listening->count, 0);
    assert_int_equal(stream_listener_start(&listening->listener), 0);
    turn(listening);
    assert_int_equal(listening->count, 1);
    stream_listener_stop(&listening->listener);
    int late = tcp_client_open("127.0.0.1", listening->port);
    turn(listening);
    assert_int_equal(listening->count, 1);
    assert_int_equal(close(client), 0);
    assert_int_equal(close(late), 0);
    finish(listening);
}

static void test_without_descriptors_the_peer_is_told_and_the_next_one_gets_in(void **state)
{
    (void)state;
    struct listening *listening = started();
    int first = tcp_client_open("127.0.0.1", listening->port);
    int second = tcp_client_open("127.0.0.1", listening->port);
    exhaust_descriptors(listening);
    turn(listening);
    assert_int_equal(listening->count, 0);
    assert_true(tcp_client_is_closed(first));
    assert_true(tcp_client_is_closed(second));
    assert_true(uv_is_active((uv_handle_t *)&listening->listener.poll));
    assert_int_equal(listening->warnings, 1); /* for both */
    assert_int_equal(listening->told, 1);

    release_descriptors(listening);
    int third = tcp_client_open("127.0.0.1", listening->port);
    turn(listening);
    assert_int_equal(listening->count, 1);
    assert_false(tcp_client_is_closed(third));
    assert_int_equal(close(first), 0);
    assert_int_equal(close(second), 0);
    assert_int_equal(close(third), 0);
    finish(listening);
}

static void test_a_spare_descriptor_that_was_lost_is_had_again(void **state)
{
    (void)state;
    struct listening *listening = started();
    int client = tcp_client_open("127.0.0.1", listening->port);
    assert_int_equal(close(listening->listener.spare), 0);
    listening->listener.spare = -1;
    accept_error = ENFILE;
    turn(listening);
    assert_int_equal(listening->count, 0);
    assert_true(tcp_client_is_closed(client));
    assert_true(listening->listener.spare >= 0);
    assert_int_equal(close(client), 0);
    finish(listening);
}

static void test_it_rests_where_even_the_spare_descriptor_is_gone(void **state)
{
    (void)state;
    struct listening *listening = started();
    int client = tcp_client_open("127.0.0.1", listening->port);
    assert_int_equal(close(listening->listener.spare), 0);
    listening->listener.spare = -1;
    exhaust_descriptors(listening);
    turn(listening);
    assert_int_equal(listening->count, 0);
    assert_false(tcp_client_is_closed(client));
    assert_false(uv_is_active((uv_handle_t *)&listening->listener.poll));

    release_descriptors(listening);
    while (listening->count == 0)
        (void)uv_run(&listening->loop, UV_RUN_ONCE);
    assert_false(tcp_client_is_closed(client));
    assert_int_equal(close(client), 0);
    finish(listening);
}

static void test_a_stop_or_a_close_ends_a_rest(void **state)
{
    (void)state;
    for (int stop = 0; stop < 2; stop++) {
        struct listening *listening = started();
        int client = tcp_client_open("127.0.0.1", listening->port);
        assert_int_equal(close(listening->listener.spare), 0);
        listening->listener.spare = -1;
        exhaust_descriptors(listening);
        turn(listening);
        assert_true(uv_is_active((uv_handle_t *)&listening->listener.rest));
        if (stop) {
            stream_listener_stop(&listening->listener);
            assert_int_equal(uv_run(&listening->loop, UV_RUN_DEFAULT), 0);
        }
        assert_int_equal(close(client), 0);
        finish(listening);
    }
}

static void test_devices_leave_descriptors_to_others(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit few = {.rlim_cur = 4 * STREAM_LISTENER_RESERVE, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    struct listening *listening = started();
    assert_int_equal(listening->listener.limit, 3 * STREAM_LISTENER_RESERVE);
    listening->descriptors = before;

    int first = tcp_client_open("127.0.0.1", listening->port);
    int second = tcp_client_open("127.0.0.1", listening->port);
    int holder;
    while ((holder = dup(STDERR_FILENO)) < 3 * STREAM_LISTENER_RESERVE - 2)
        listening->holders[listening->holder_count++] = holder;
    listening->holders[listening->holder_count++] = holder;
    turn(listening);
    assert_int_equal(listening->count, 1);
    assert_false(tcp_client_is_closed(first));
    assert_true(tcp_client_is_closed(second));
    assert_int_equal(listening->warnings, 1);
    assert_int_equal(close(first), 0);
    assert_int_equal(close(second), 0);
    finish(listening);
}

static void test_half_of_few_descriptors_is_for_devices(void **state)
{
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit few = {.rlim_cur = STREAM_LISTENER_RESERVE, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    struct listening *listening = started();
    assert_int_equal(listening->listener.limit, STREAM_LISTENER_RESERVE / 2);
    listening->descriptors = before;
    finish(listening);
}

static void test_a_connection_that_is_gone_already_is_passed_over(void **state)
{
    (void)state;
    struct listening *listening = started();
    int client = tcp_client_open("127.0.0.1", listening->port);
    accept_error = ECONNABORTED;
    turn(listening);
    assert_int_equal(listening->count, 1);
    int another = tcp_client_open("127.0.0.1", listening->port);
    accept_error = EPROTO;
    turn(listening);
    assert_int_equal(listening->count, 1);
    turn(listening);
    assert_int_equal(listening->count, 2);
    assert_int_equal(close(client), 0);
    assert_int_equal(close(another), 0);
    finish(listening);
}

static void test_what_cannot_be_watched_is_closed(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct stream_listener listener;
    assert_int_equal(uv_loop_init(&loop), 0);
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(stream_listener_open(&listener, &loop, file, on_accepted, NULL), UV_EPERM);
    assert_int_equal(fcntl(file, F_GETFD), -1);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_any_address_serves_both_families, nothing_fails),
        cmocka_unit_test_setup(test_any_address_becomes_ipv4_where_there_is_no_ipv6, nothing_fails),
        cmocka_unit_test_setup(test_other_addresses_have_nothing_to_fall_back_to, nothing_fails),
        cmocka_unit_test_setup(test_an_address_in_use_is_named, nothing_fails),
        cmocka_unit_test_setup(test_the_port_is_free_again_right_after_an_end, nothing_fails),
        cmocka_unit_test_setup(test_a_turn_takes_its_share, nothing_fails),
        cmocka_unit_test_setup(test_connections_are_prompt_and_kept_alive_with_patience, nothing_fails),
        cmocka_unit_test_setup(test_nothing_is_accepted_before_the_start_and_after_the_stop, nothing_fails),
        cmocka_unit_test_setup(test_without_descriptors_the_peer_is_told_and_the_next_one_gets_in, nothing_fails),
        cmocka_unit_test_setup(test_a_spare_descriptor_that_was_lost_is_had_again, nothing_fails),
        cmocka_unit_test_setup(test_it_rests_where_even_the_spare_descriptor_is_gone, nothing_fails),
        cmocka_unit_test_setup(test_a_stop_or_a_close_ends_a_rest, nothing_fails),
        cmocka_unit_test_setup(test_devices_leave_descriptors_to_others, nothing_fails),
        cmocka_unit_test_setup(test_half_of_few_descriptors_is_for_devices, nothing_fails),
        cmocka_unit_test_setup(test_a_connection_that_is_gone_already_is_passed_over, nothing_fails),
        cmocka_unit_test_setup(test_what_cannot_be_watched_is_closed, nothing_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
