#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/address_text.h"

static const struct {
    const char *text;
    const char *host;
    struct address address;
} KNOWN[] = {
    {"192.0.2.7:50123", "192.0.2.7", {{[10] = 0xff, 0xff, 192, 0, 2, 7}, 50123}},
    {"0.0.0.0:0", "0.0.0.0", {{[10] = 0xff, 0xff, 0, 0, 0, 0}, 0}},
    {"255.255.255.255:65535", "255.255.255.255", {{[10] = 0xff, 0xff, 255, 255, 255, 255}, 65535}},
    {"[::]:9000", "::", {{0}, 9000}},
    {"[::1]:9000", "::1", {{[15] = 1}, 9000}},
    {"[2001:db8::1]:50123", "2001:db8::1", {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 50123}},
    {"[2001:db8:1111:2222:3333:4444:5555:6666]:65535",
     "2001:db8:1111:2222:3333:4444:5555:6666",
     {{0x20, 0x01, 0x0d, 0xb8, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55, 0x66, 0x66}, 65535}},
    {"[64:ff9b::c000:207]:1", "64:ff9b::c000:207", {{0, 0x64, 0xff, 0x9b, [12] = 192, 0, 2, 7}, 1}},
};
#define KNOWN_COUNT (sizeof KNOWN / sizeof KNOWN[0])

static void test_format(void **state)
{
    (void)state;
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        char text[ADDRESS_TEXT_SIZE];
        address_format(&KNOWN[i].address, text);
        assert_string_equal(text, KNOWN[i].text);
        address_format_host(&KNOWN[i].address, text);
        assert_string_equal(text, KNOWN[i].host);
    }
}

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        struct address address;
        assert_true(address_parse(KNOWN[i].text, &address));
        assert_true(address_equal(&address, &KNOWN[i].address));
        assert_true(address_parse_host(KNOWN[i].host, &address));
        assert_true(address_same_host(&address, &KNOWN[i].address));
        assert_int_equal(address.port, 0);
    }
}

static void test_mapped_notation_is_ipv4(void **state)
{
    (void)state;
    struct address address;
    assert_true(address_parse("[::ffff:192.0.2.7]:50123", &address));
    assert_true(address_equal(&address, &KNOWN[0].address));
}

static void test_what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "192.0.2.7",
        "192.0.2.7:",
        "192.0.2.7:65536",
        "192.0.2.7:100000",
        "192.0.2.7:000080",
        "192.0.2.7:+80",
        "192.0.2.7:-1",
        "192.0.2.7: 80",
        "192.0.2.7:80 ",
        "192.0.2.7:80:90",
        "192.0.2:80",
        "192.0.2.256:80",
        "[192.0.2.7]:80",
        "2001:db8::1:80",
        "::1",
        "[::1]",
        "[::1]80",
        "[::1:80",
        "[]:80",
        "[::1%eth0]:80",
        "[fe80::1%1]:80",
        ":80",
        "*:80",
        "localhost:80",
        "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80",
        "000000000000000000000000000000000000000000000000000000000:80",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct address address = {.port = 4711};
        assert_false(address_parse(bad[i], &address));
        assert_int_equal(address.port, 4711);
    }
    struct address host = {.port = 4711};
    assert_false(address_parse_host("192.0.2.7:80", &host));
    assert_false(address_parse_host("[::1]", &host));
    assert_int_equal(host.port, 4711);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_mapped_notation_is_ipv4),
        cmocka_unit_test(test_what_is_no_address_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
