#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "platform/utf8.h"

static bool valid(const char *bytes, size_t size)
{
    return utf8_is_valid((const uint8_t *)bytes, size);
}

static void test_first_and_last_character_of_each_length(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        uint32_t code_point;
    } cases[] = {
        {"\x00", 1, 0},
        {"\x7f", 1, 0x7f},
        {"\xc2\x80", 2, 0x80},
        {"\xdf\xbf", 2, 0x7ff},
        {"\xe0\xa0\x80", 3, 0x800},
        {"\xed\x9f\xbf", 3, 0xd7ff},
        {"\xee\x80\x80", 3, 0xe000},
        {"\xef\xbf\xbf", 3, 0xffff},
        {"\xf0\x90\x80\x80", 4, 0x10000},
        {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t code_point = UINT32_MAX;
        assert_int_equal(utf8_decode((const uint8_t *)cases[i].bytes, cases[i].length, &code_point), cases[i].length);
        assert_int_equal(code_point, cases[i].code_point);
    }
}

static void test_bytes_after_the_character_do_not_matter(void **state)
{
    (void)state;
    uint32_t code_point;
    assert_int_equal(utf8_decode((const uint8_t *)"\xc3\xa4\xff", 3, &code_point), 2);
    assert_int_equal(code_point, 0xe4);
}

static void test_what_rfc_3629_forbids(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {"", 0},
        {"\x80", 1}, /* continuation first */
        {"\xbf", 1},
        {"\xc0\x80", 2}, /* overlong */
        {"\xc1\xbf", 2},
        {"\xe0\x9f\xbf", 3},
        {"\xf0\x8f\xbf\xbf", 4},
        {"\xed\xa0\x80", 3}, /* surrogates */
        {"\xed\xbf\xbf", 3},
        {"\xf4\x90\x80\x80", 4}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", 4},
        {"\xff", 1},
        {"\xc3", 1}, /* cut off */
        {"\xe2\x82", 2},
        {"\xf0\x9f\x98", 3},
        {"\xc3\x28", 2}, /* no continuation where one must be */
        {"\xe2\x28\xac", 3},
        {"\xe2\x82\x28", 3},
        {"\xf0\x9f\x98\x28", 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t code_point = 0x4711;
        assert_int_equal(utf8_decode((const uint8_t *)cases[i].bytes, cases[i].size, &code_point), 0);
        assert_int_equal(code_point, 0x4711);
        assert_int_equal(valid(cases[i].bytes, cases[i].size), cases[i].size == 0);
    }
}

static void test_whole_texts(void **state)
{
    (void)state;
    assert_true(valid("temp=21.5 \xc2\xb0"
                      "C",
                      13));
    assert_true(valid("a\0b", 3));
    assert_false(valid("temp=\xff", 6));
    assert_false(valid("caf\xc3", 4));
    assert_true(utf8_is_valid(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_and_last_character_of_each_length),
        cmocka_unit_test(test_bytes_after_the_character_do_not_matter),
        cmocka_unit_test(test_what_rfc_3629_forbids),
        cmocka_unit_test(test_whole_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
