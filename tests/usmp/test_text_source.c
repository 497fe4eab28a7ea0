#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "usmp/text_source.h"

static void assert_next(struct text_source *texts, const void *bytes, size_t size)
{
    struct source_message message;
    assert_int_equal(texts->source.next(&texts->source, &message), SOURCE_MESSAGE);
    assert_int_equal(message.size, size);
    assert_memory_equal(message.bytes, bytes, size);
}

static void assert_end(struct text_source *texts)
{
    struct source_message message;
    assert_int_equal(texts->source.next(&texts->source, &message), SOURCE_END);
    assert_int_equal(texts->source.next(&texts->source, &message), SOURCE_END);
}

static void test_texts_in_their_order(void **state)
{
    (void)state;
    char longest[USMP_MESSAGE_MAX + 1] = {0};
    memset(longest, 'x', USMP_MESSAGE_MAX);
    char first[] = "temp=21.5";
    char empty[] = "";
    char *list[] = {first, empty, longest};
    struct text_source texts;
    text_source_init(&texts, list, 3, false);
    assert_next(&texts, "temp=21.5", 9);
    assert_next(&texts, "", 0);
    assert_next(&texts, longest, USMP_MESSAGE_MAX);
    assert_end(&texts);
}

static void test_hex(void **state)
{
    (void)state;
    char longest[2 * USMP_MESSAGE_MAX + 1] = {0};
    memset(longest, '7', 2 * (size_t)USMP_MESSAGE_MAX);
    uint8_t expected[USMP_MESSAGE_MAX];
    memset(expected, 0x77, sizeof expected);
    char first[] = "00ff0A";
    char empty[] = "";
    char *list[] = {first, empty, longest};
    struct text_source texts;
    text_source_init(&texts, list, 3, true);
    assert_next(&texts, "\x00\xff\x0a", 3);
    assert_next(&texts, "", 0);
    assert_next(&texts, expected, sizeof expected);
    assert_end(&texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts_in_their_order),
        cmocka_unit_test(test_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
