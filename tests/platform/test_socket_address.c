#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/address_text.h"
#include "platform/socket_address.h"

static struct address parsed(const char *text)
{
    struct address address;
    assert_true(address_parse(text, &address));
    return address;
}

static struct sockaddr_in ipv4_sockaddr(const char *host, uint16_t port)
{
    struct sockaddr_in sockaddr = {.sin_family = AF_INET, .sin_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET, host, &sockaddr.sin_addr), 1);
    return sockaddr;
}

static struct sockaddr_in6 ipv6_sockaddr(const char *host, uint16_t port)
{
    struct sockaddr_in6 sockaddr = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    assert_int_equal(inet_pton(AF_INET6, host, &sockaddr.sin6_addr), 1);
    return sockaddr;
}

static void test_import(void **state)
{
    (void)state;
    struct address address;
    struct address expected = parsed("192.0.2.7:50123");
    struct sockaddr_in ipv4 = ipv4_sockaddr("192.0.2.7", 50123);
    assert_true(socket_address_import((struct sockaddr *)&ipv4, sizeof ipv4, &address));
    assert_true(address_equal(&address, &expected));

    struct sockaddr_in6 mapped = ipv6_sockaddr("::ffff:192.0.2.7", 50123);
    assert_true(socket_address_import((struct sockaddr *)&mapped, sizeof mapped, &address));
    assert_true(address_equal(&address, &expected));

    expected = parsed("[2001:db8::1]:50123");
    struct sockaddr_in6 ipv6 = ipv6_sockaddr("2001:db8::1", 50123);
    assert_true(socket_address_import((struct sockaddr *)&ipv6, sizeof ipv6, &address));
    assert_true(address_equal(&address, &expected));
}

static void test_import_refuses_other_families_and_short_ones(void **state)
{
    (void)state;
    struct address address = {.port = 4711};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    assert_false(socket_address_import((struct sockaddr *)&local, sizeof local, &address));
    struct sockaddr_in ipv4 = ipv4_sockaddr("192.0.2.7", 50123);
    assert_false(socket_address_import((struct sockaddr *)&ipv4, sizeof ipv4 - 1, &address));
    struct sockaddr_in6 ipv6 = ipv6_sockaddr("2001:db8::1", 50123);
    assert_false(socket_address_import((struct sockaddr *)&ipv6, sizeof(struct sockaddr_in), &address));
    assert_false(socket_address_import((struct sockaddr *)&ipv6, 0, &address));
    assert_int_equal(address.port, 4711);
}

static void test_export_for_ipv6_sockets(void **state)
{
    (void)state;
    struct sockaddr_storage storage;
    struct sockaddr_in6 written;
    struct address mapped = parsed("192.0.2.7:50123");
    struct sockaddr_in6 expected = ipv6_sockaddr("::ffff:192.0.2.7", 50123);
    assert_int_equal(socket_address_export(&mapped, AF_INET6, 3, &storage), sizeof expected);
    memcpy(&written, &storage, sizeof written);
    assert_memory_equal(&written, &expected, sizeof expected);

    struct address link_local = parsed("[fe80::1]:50123");
    expected = ipv6_sockaddr("fe80::1", 50123);
    expected.sin6_scope_id = 3;
    assert_int_equal(socket_address_export(&link_local, AF_INET6, 3, &storage), sizeof expected);
    memcpy(&written, &storage, sizeof written);
    assert_memory_equal(&written, &expected, sizeof expected);
}

static void test_export_for_ipv4_sockets(void **state)
{
    (void)state;
    struct sockaddr_storage storage;
    struct sockaddr_in written;
    struct address ipv4 = parsed("192.0.2.7:50123");
    struct sockaddr_in expected = ipv4_sockaddr("192.0.2.7", 50123);
    assert_int_equal(socket_address_export(&ipv4, AF_INET, 0, &storage), sizeof expected);
    memcpy(&written, &storage, sizeof written);
    assert_memory_equal(&written, &expected, sizeof expected);

    struct address ipv6 = parsed("[2001:db8::1]:50123");
    assert_int_equal(socket_address_export(&ipv6, AF_INET, 0, &storage), 0);
}

static void test_local_address_of_a_socket(void **state)
{
    (void)state;
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    assert_true(descriptor >= 0);
    struct sockaddr_in loopback = ipv4_sockaddr("127.0.0.1", 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&loopback, sizeof loopback), 0);
    struct address local;
    assert_true(socket_address_local(descriptor, &local));
    struct address expected = parsed("127.0.0.1:0");
    assert_true(address_same_host(&local, &expected));
    assert_int_not_equal(local.port, 0);
    assert_int_equal(close(descriptor), 0);
    assert_false(socket_address_local(descriptor, &local));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_import),
        cmocka_unit_test(test_import_refuses_other_families_and_short_ones),
        cmocka_unit_test(test_export_for_ipv6_sockets),
        cmocka_unit_test(test_export_for_ipv4_sockets),
        cmocka_unit_test(test_local_address_of_a_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
