#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/address_prefix.h"
#include "platform/address_text.h"

static struct address host(const char *text)
{
    struct address address;
    assert_true(address_parse_host(text, &address));
    return address;
}

static struct address_prefix network(const char *text)
{
    struct address_prefix prefix;
    assert_true(address_prefix_parse(text, &prefix));
    return prefix;
}

static void assert_prefix(struct address_prefix prefix, const uint8_t bytes[static 16], unsigned length)
{
    assert_memory_equal(prefix.bytes, bytes, 16);
    assert_int_equal(prefix.length, length);
}

/* docs/security.md rule 7 */
static void test_ipv4_counts_by_address(void **state)
{
    (void)state;
    struct address plain = host("192.0.2.7");
    struct address mapped = host("::ffff:192.0.2.7");
    struct address translated = host("64:ff9b::192.0.2.7");
    struct address neighbour = host("192.0.2.6");
    struct address_prefix expected = address_prefix_host(&plain);
    assert_prefix(expected, (const uint8_t[16]){[10] = 0xff, 0xff, 192, 0, 2, 7}, 128);
    const struct address *same[] = {&plain, &mapped, &translated};
    for (size_t i = 0; i < 3; i++) {
        struct address_prefix key = address_prefix_host(same[i]);
        assert_true(address_prefix_equal(&key, &expected));
        key = address_prefix_site(same[i]);
        assert_true(address_prefix_equal(&key, &expected));
    }
    struct address_prefix other = address_prefix_host(&neighbour);
    assert_false(address_prefix_equal(&other, &expected));
}

static void test_ipv6_counts_by_64_and_48(void **state)
{
    (void)state;
    struct address a = host("2001:db8:aaaa:bbbb:1:2:3:4");
    struct address same_64 = host("2001:db8:aaaa:bbbb::");
    struct address same_48 = host("2001:db8:aaaa:cccc::1");
    struct address elsewhere = host("2001:db8:aaab:bbbb::1");
    struct address_prefix key = address_prefix_host(&a);
    assert_prefix(key, (const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, 0xaa, 0xaa, 0xbb, 0xbb}, 64);
    struct address_prefix other = address_prefix_host(&same_64);
    assert_true(address_prefix_equal(&key, &other));
    other = address_prefix_host(&same_48);
    assert_false(address_prefix_equal(&key, &other));

    key = address_prefix_site(&a);
    assert_prefix(key, (const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8, 0xaa, 0xaa}, 48);
    other = address_prefix_site(&same_48);
    assert_true(address_prefix_equal(&key, &other));
    other = address_prefix_site(&elsewhere);
    assert_false(address_prefix_equal(&key, &other));
}

static void test_a_64_and_a_48_are_never_the_same_key(void **state)
{
    (void)state;
    struct address first = host("2001:db8:aaaa::");
    struct address_prefix customer = address_prefix_host(&first);
    struct address_prefix site = address_prefix_site(&first);
    assert_memory_equal(customer.bytes, site.bytes, 16);
    assert_false(address_prefix_equal(&customer, &site));
}

static void test_cutting_at_any_bit(void **state)
{
    (void)state;
    struct address ones4 = host("255.255.255.255");
    struct address ones6 = host("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    assert_prefix(address_prefix_of(&ones4, 0, 0), (const uint8_t[16]){[10] = 0xff, 0xff}, 96);
    assert_prefix(address_prefix_of(&ones4, 1, 0), (const uint8_t[16]){[10] = 0xff, 0xff, 0x80}, 97);
    assert_prefix(address_prefix_of(&ones4, 23, 0), (const uint8_t[16]){[10] = 0xff, 0xff, 0xff, 0xff, 0xfe}, 119);
    assert_prefix(address_prefix_of(&ones6, 32, 0), (const uint8_t[16]){0}, 0);
    assert_prefix(address_prefix_of(&ones6, 32, 7), (const uint8_t[16]){0xfe}, 7);
    assert_prefix(address_prefix_of(&ones6, 32, 127),
                  (const uint8_t[16]){0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xfe},
                  127);
    assert_prefix(address_prefix_of(&ones6, 32, 128), ones6.bytes, 128);
}

static void test_parse(void **state)
{
    (void)state;
    assert_prefix(network("192.0.2.0/24"), (const uint8_t[16]){[10] = 0xff, 0xff, 192, 0, 2}, 120);
    assert_prefix(network("192.0.2.7"), (const uint8_t[16]){[10] = 0xff, 0xff, 192, 0, 2, 7}, 128);
    assert_prefix(network("0.0.0.0/0"), (const uint8_t[16]){[10] = 0xff, 0xff}, 96);
    assert_prefix(network("2001:db8::/32"), (const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8}, 32);
    assert_prefix(network("::1"), (const uint8_t[16]){[15] = 1}, 128);
    assert_prefix(network("::/0"), (const uint8_t[16]){0}, 0);
}

static void test_parse_clears_bits_after_the_prefix(void **state)
{
    (void)state;
    assert_prefix(network("192.0.2.255/25"), (const uint8_t[16]){[10] = 0xff, 0xff, 192, 0, 2, 128}, 121);
    assert_prefix(network("2001:db8::1/64"), (const uint8_t[16]){0x20, 0x01, 0x0d, 0xb8}, 64);
}

static void test_parse_knows_ipv4_in_ipv6_notation(void **state)
{
    (void)state;
    assert_prefix(network("::ffff:192.0.2.0/120"), (const uint8_t[16]){[10] = 0xff, 0xff, 192, 0, 2}, 120);
    assert_prefix(network("64:ff9b::192.0.2.0/120"), (const uint8_t[16]){[10] = 0xff, 0xff, 192, 0, 2}, 120);
    assert_prefix(network("64:ff9b::/96"), (const uint8_t[16]){[10] = 0xff, 0xff}, 96);
    assert_prefix(network("64:ff9b::/32"), (const uint8_t[16]){0, 0x64, 0xff, 0x9b}, 32);
}

static void test_parse_refuses_the_rest(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "/",
        "/24",
        "192.0.2.0/",
        "192.0.2.0/33",
        "192.0.2.0/-1",
        "192.0.2.0/+8",
        "::/129",
        "::/0128",
        "192.0.2.0/ 8",
        "192.0.2.0/8 ",
        "192.0.2.0/8/8",
        "192.0.2/24",
        "10.0.0.0/0x8",
        "[::1]",
        "[::]/0",
        "fe80::1%1/64",
        "localhost/8",
        "192.0.2.7:80",
        "*",
        "00000000000000000000000000000000000000000000000000000000000000000000/8",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct address_prefix prefix = {.length = 77};
        assert_false(address_prefix_parse(bad[i], &prefix));
        assert_int_equal(prefix.length, 77);
    }
}

static void test_contains(void **state)
{
    (void)state;
    static const struct {
        const char *network;
        const char *address;
        bool inside;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.0/24", "64:ff9b::192.0.2.9", true},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.6", false},
        {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.7", false},
        {"::/0", "64:ff9b::192.0.2.9", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct address_prefix prefix = network(cases[i].network);
        struct address address = host(cases[i].address);
        assert_int_equal(address_prefix_contains(&prefix, &address), cases[i].inside);
    }
}

static void test_one_of_several(void **state)
{
    (void)state;
    struct address_prefix prefixes[] = {network("192.0.2.0/24"), network("2001:db8::/32")};
    struct address first = host("192.0.2.1"), second = host("2001:db8::1"), neither = host("198.51.100.1");
    assert_true(address_prefixes_contain(prefixes, 2, &first));
    assert_false(address_prefixes_contain(prefixes, 0, &first));
    assert_true(address_prefixes_contain(prefixes, 2, &second));
    assert_false(address_prefixes_contain(prefixes, 1, &second));
    assert_false(address_prefixes_contain(prefixes, 2, &neither));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ipv4_counts_by_address),
        cmocka_unit_test(test_ipv6_counts_by_64_and_48),
        cmocka_unit_test(test_a_64_and_a_48_are_never_the_same_key),
        cmocka_unit_test(test_cutting_at_any_bit),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_clears_bits_after_the_prefix),
        cmocka_unit_test(test_parse_knows_ipv4_in_ipv6_notation),
        cmocka_unit_test(test_parse_refuses_the_rest),
        cmocka_unit_test(test_contains),
        cmocka_unit_test(test_one_of_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
