#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "platform/address.h"

static const uint8_t IPV4[4] = {192, 0, 2, 7};

static struct address ipv6(const uint8_t bytes[static 16], uint16_t port)
{
    struct address address = {.port = port};
    memcpy(address.bytes, bytes, 16);
    return address;
}

static void test_ipv4_is_held_as_mapped(void **state)
{
    (void)state;
    static const uint8_t EXPECTED[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7};
    struct address address = address_from_ipv4(IPV4, 50123);
    assert_memory_equal(address.bytes, EXPECTED, 16);
    assert_int_equal(address.port, 50123);
    assert_true(address_is_ipv4(&address));
    assert_memory_equal(address_ipv4_bytes(&address), IPV4, 4);
}

static void test_other_addresses_are_not_ipv4(void **state)
{
    (void)state;
    struct address any = {.port = 9000};
    assert_false(address_is_ipv4(&any));
    /* ::192.0.2.7, the "compatible" form that nobody uses any more, is not the mapped one. */
    struct address compatible = ipv6((const uint8_t[16]){[12] = 192, 0, 2, 7}, 0);
    assert_false(address_is_ipv4(&compatible));
}

static void test_normalising_finds_ipv4_behind_nat64(void **state)
{
    (void)state;
    struct address translated = ipv6((const uint8_t[16]){0, 0x64, 0xff, 0x9b, [12] = 192, 0, 2, 7}, 50123);
    struct address expected = address_from_ipv4(IPV4, 50123);
    struct address normalised = address_normalised(&translated);
    assert_true(address_equal(&normalised, &expected));
    struct address again = address_normalised(&normalised);
    assert_true(address_equal(&again, &expected));
}

static void test_normalising_leaves_the_rest(void **state)
{
    (void)state;
    /* 64:ff9b:1::/48 is for local use (RFC 8215) and has no fixed place for the IPv4 address. */
    const uint8_t others[][16] = {
        {0, 0x64, 0xff, 0x9b, 0, 1, [12] = 192, 0, 2, 7},
        {0, 0x64, 0xff, 0x9b, [11] = 1, [12] = 192, 0, 2, 7},
        {0x20, 0x01, 0x0d, 0xb8, [15] = 1},
        {0},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct address address = ipv6(others[i], 1);
        struct address normalised = address_normalised(&address);
        assert_true(address_equal(&address, &normalised));
    }
}

static void test_link_local(void **state)
{
    (void)state;
    struct address first = ipv6((const uint8_t[16]){0xfe, 0x80}, 0);
    struct address last = ipv6((const uint8_t[16]){0xfe, 0xbf, 0xff}, 0);
    struct address before = ipv6((const uint8_t[16]){0xfe, 0x7f}, 0);
    struct address after = ipv6((const uint8_t[16]){0xfe, 0xc0}, 0);
    assert_true(address_is_link_local(&first));
    assert_true(address_is_link_local(&last));
    assert_false(address_is_link_local(&before));
    assert_false(address_is_link_local(&after));
}

static void test_equality(void **state)
{
    (void)state;
    struct address a = address_from_ipv4(IPV4, 1);
    struct address same = address_from_ipv4(IPV4, 1);
    struct address other_port = address_from_ipv4(IPV4, 2);
    struct address other_host = address_from_ipv4((const uint8_t[4]){192, 0, 2, 8}, 1);
    assert_true(address_equal(&a, &same));
    assert_false(address_equal(&a, &other_port));
    assert_false(address_equal(&a, &other_host));
    assert_true(address_same_host(&a, &other_port));
    assert_false(address_same_host(&a, &other_host));
}

static void test_order_is_by_bytes_then_by_port(void **state)
{
    (void)state;
    struct address low = address_from_ipv4(IPV4, 50000);
    struct address high = address_from_ipv4((const uint8_t[4]){192, 0, 2, 200}, 1);
    struct address low_with_higher_port = address_from_ipv4(IPV4, 65535);
    assert_true(address_compare(&low, &high) < 0);
    assert_true(address_compare(&high, &low) > 0);
    assert_true(address_compare(&low, &low_with_higher_port) < 0);
    assert_true(address_compare(&low_with_higher_port, &low) > 0);
    assert_int_equal(address_compare(&low, &low), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ipv4_is_held_as_mapped),
        cmocka_unit_test(test_other_addresses_are_not_ipv4),
        cmocka_unit_test(test_normalising_finds_ipv4_behind_nat64),
        cmocka_unit_test(test_normalising_leaves_the_rest),
        cmocka_unit_test(test_link_local),
        cmocka_unit_test(test_equality),
        cmocka_unit_test(test_order_is_by_bytes_then_by_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
