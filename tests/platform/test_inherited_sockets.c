#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "platform/child.h"
#include "platform/inherited_sockets.h"

/* The descriptors of the manager begin at 3, where a test has its own: so each case runs in a child that closes them
 * and plays the manager's part. It returns 0, or the line at which it found something wrong. */

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            return __LINE__ % 251 + 1;                                                                                 \
    } while (0)

static int next_descriptor;

static void begin_as_manager(void)
{
    (void)close_range(3, ~0u, 0);
    next_descriptor = 3;
}

static bool hand_over(int family, int type, bool listening)
{
    int descriptor = socket(family, type, 0);
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
    socklen_t length = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    if (family == AF_INET) {
        struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
        memcpy(&address, &loopback, sizeof loopback);
    } else if (family == AF_UNIX) {
        length = sizeof(sa_family_t);
    }
    return descriptor == next_descriptor++ && bind(descriptor, (struct sockaddr *)&address, length) == 0 &&
           (!listening || listen(descriptor, 1) == 0);
}

static void announce(void)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%ld", (long)getpid());
    (void)setenv("LISTEN_PID", number, 1);
    (void)snprintf(number, sizeof number, "%d", next_descriptor - 3);
    (void)setenv("LISTEN_FDS", number, 1);
}

static bool is_open(int descriptor)
{
    return fcntl(descriptor, F_GETFD) >= 0;
}

static int take_four(void *context)
{
    (void)context;
    begin_as_manager();
    EXPECT(hand_over(AF_INET, SOCK_STREAM, true));
    EXPECT(hand_over(AF_INET6, SOCK_STREAM, true));
    EXPECT(hand_over(AF_INET, SOCK_DGRAM, false));
    EXPECT(hand_over(AF_INET6, SOCK_DGRAM, false));
    announce();
    struct inherited_sockets inherited;
    struct error_text error;
    EXPECT(inherited_sockets_take(&inherited, &error));
    EXPECT(inherited.count == 4);
    static const struct {
        enum inherited_socket_transport transport;
        int family;
    } expected[] = {
        {INHERITED_SOCKET_TCP, AF_INET},
        {INHERITED_SOCKET_TCP, AF_INET6},
        {INHERITED_SOCKET_UDP, AF_INET},
        {INHERITED_SOCKET_UDP, AF_INET6},
    };
    for (int i = 0; i < 4; i++) {
        const struct inherited_socket *found = &inherited.sockets[i];
        EXPECT(found->descriptor == 3 + i);
        EXPECT(found->transport == expected[i].transport);
        EXPECT(found->family == expected[i].family);
        EXPECT(found->local.port != 0);
        EXPECT(address_is_ipv4(&found->local) == (found->family == AF_INET));
        EXPECT((fcntl(found->descriptor, F_GETFL) & O_NONBLOCK) != 0);
        EXPECT((fcntl(found->descriptor, F_GETFD) & FD_CLOEXEC) != 0);
    }
    EXPECT(getenv("LISTEN_FDS") == NULL && getenv("LISTEN_PID") == NULL);

    inherited.sockets[1].descriptor = -1;
    inherited_sockets_close(&inherited);
    EXPECT(!is_open(3) && is_open(4) && !is_open(5) && !is_open(6));
    return 0;
}

static int take_none(void *context)
{
    (void)context;
    begin_as_manager();
    struct inherited_sockets inherited = {.count = 7};
    struct error_text error;
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_PID");
    EXPECT(inherited_sockets_take(&inherited, &error));
    EXPECT(inherited.count == 0);
    /* Meant for another process. */
    EXPECT(hand_over(AF_INET, SOCK_STREAM, true));
    announce();
    (void)setenv("LISTEN_PID", "1", 1);
    EXPECT(inherited_sockets_take(&inherited, &error));
    EXPECT(inherited.count == 0);
    return 0;
}

static int refuse(const char *reason)
{
    announce();
    struct inherited_sockets inherited = {.count = 7};
    struct error_text error;
    EXPECT(!inherited_sockets_take(&inherited, &error));
    EXPECT(inherited.count == 7);
    EXPECT(strstr(error.text, reason) != NULL);
    for (int descriptor = 3; descriptor < next_descriptor; descriptor++)
        EXPECT(!is_open(descriptor));
    return 0;
}

static int refuse_unix_socket(void *context)
{
    (void)context;
    begin_as_manager();
    EXPECT(hand_over(AF_INET, SOCK_STREAM, true));
    EXPECT(hand_over(AF_UNIX, SOCK_STREAM, true));
    return refuse("inherited descriptor 4 is neither a TCP listener nor a UDP socket");
}

static int refuse_connection(void *context)
{
    (void)context;
    begin_as_manager();
    EXPECT(hand_over(AF_INET, SOCK_STREAM, false));
    return refuse("inherited descriptor 3 is neither a TCP listener nor a UDP socket");
}

static int refuse_file(void *context)
{
    (void)context;
    begin_as_manager();
    EXPECT(open("/dev/null", O_RDONLY) == next_descriptor++);
    return refuse("inherited descriptor 3 is neither a TCP listener nor a UDP socket");
}

static int refuse_too_many(void *context)
{
    (void)context;
    begin_as_manager();
    for (int i = 0; i <= INHERITED_SOCKETS_MAX; i++)
        EXPECT(hand_over(AF_INET, SOCK_DGRAM, false));
    return refuse("17 sockets were handed over, at most 16 can be used");
}

static int refuse_nonsense(void *context)
{
    (void)context;
    begin_as_manager();
    announce();
    (void)setenv("LISTEN_FDS", "many", 1);
    struct inherited_sockets inherited;
    struct error_text error;
    EXPECT(!inherited_sockets_take(&inherited, &error));
    EXPECT(strstr(error.text, "cannot take over inherited sockets") != NULL);
    return 0;
}

static int fcntl_fails(void *context)
{
    (void)context;
    begin_as_manager();
    EXPECT(hand_over(AF_INET, SOCK_DGRAM, false));
    (void)setenv("TEST_FCNTL_FAILS", "1", 1);
    announce();
    struct inherited_sockets inherited;
    struct error_text error;
    EXPECT(!inherited_sockets_take(&inherited, &error));
    EXPECT(strstr(error.text, "cannot use inherited descriptor 3") != NULL);
    return 0;
}

int __real_fcntl(int descriptor, int command, ...);
int __wrap_fcntl(int descriptor, int command, ...);
int __wrap_fcntl(int descriptor, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    int value = command == F_SETFL ? va_arg(arguments, int) : 0;
    va_end(arguments);
    if (command == F_SETFL && getenv("TEST_FCNTL_FAILS") != NULL) {
        errno = EBADF;
        return -1;
    }
    return __real_fcntl(descriptor, command, value);
}

static void test_sockets_are_known_by_kind_and_family(void **state)
{
    (void)state;
    assert_int_equal(child_run(take_four, NULL), 0);
}

static void test_none(void **state)
{
    (void)state;
    assert_int_equal(child_run(take_none, NULL), 0);
}

static void test_anything_else_is_refused(void **state)
{
    (void)state;
    assert_int_equal(child_run(refuse_unix_socket, NULL), 0);
    assert_int_equal(child_run(refuse_connection, NULL), 0);
    assert_int_equal(child_run(refuse_file, NULL), 0);
    assert_int_equal(child_run(refuse_too_many, NULL), 0);
    assert_int_equal(child_run(refuse_nonsense, NULL), 0);
}

static void test_failure(void **state)
{
    (void)state;
    assert_int_equal(child_run(fcntl_fails, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sockets_are_known_by_kind_and_family),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_anything_else_is_refused),
        cmocka_unit_test(test_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
