#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/frame.h>

#include "proto/sent_tags.h"

/* docs/security.md rule 21: "one of the last 64 that we sent". */

static uint8_t bytes[USMP_FRAME_MAX];

/* A frame whose tag is `filling`. */
static struct usmp_frame make_frame(uint32_t seq, uint8_t filling)
{
    uint8_t payload[USMP_CONTROL_PAYLOAD];
    struct usmp_frame frame;
    memset(payload, filling, sizeof payload);
    size_t size = usmp_frame_write(USMP_WIRE_1, USMP_PING, seq, payload, sizeof payload, bytes);
    assert_int_equal(usmp_frame_parse_datagram(bytes, size, &frame), USMP_FRAME_COMPLETE);
    return frame;
}

static void remember(struct usmp_sent_tags *tags, uint32_t seq, uint8_t filling)
{
    struct usmp_frame frame = make_frame(seq, filling);
    usmp_sent_tags_remember(tags, seq, frame.bytes, frame.size);
}

static bool know(const struct usmp_sent_tags *tags, uint32_t seq, uint8_t filling)
{
    struct usmp_frame frame = make_frame(seq, filling);
    return usmp_sent_tags_know(tags, &frame);
}

static void nothing_is_known_at_first(void **state)
{
    (void)state;
    struct usmp_sent_tags tags;
    memset(&tags, 0xFF, sizeof tags);
    usmp_sent_tags_init(&tags);
    /* Not even what looks like an entry that is not used. */
    assert_false(know(&tags, 0, 0));
}

static void seq_and_tag_must_both_fit(void **state)
{
    (void)state;
    struct usmp_sent_tags tags;
    usmp_sent_tags_init(&tags);
    remember(&tags, 5, 0xAA);
    assert_true(know(&tags, 5, 0xAA));
    assert_false(know(&tags, 5, 0xAB));
    assert_false(know(&tags, 6, 0xAA));
    assert_false(know(&tags, 5 + 64, 0xAA));
}

static void the_last_64_are_known(void **state)
{
    (void)state;
    struct usmp_sent_tags tags;
    usmp_sent_tags_init(&tags);
    for (uint32_t seq = 0; seq < 200; seq++)
        remember(&tags, seq, (uint8_t)seq);
    for (uint32_t seq = 0; seq < 200; seq++)
        assert_int_equal(know(&tags, seq, (uint8_t)seq), seq >= 200 - 64);
}

static void a_repeat_is_the_same_entry(void **state)
{
    (void)state;
    struct usmp_sent_tags tags;
    usmp_sent_tags_init(&tags);
    for (int repeat = 0; repeat < 100; repeat++)
        remember(&tags, 7, 0x77);
    remember(&tags, 8, 0x88);
    assert_true(know(&tags, 7, 0x77));
    assert_true(know(&tags, 8, 0x88));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_at_first),
        cmocka_unit_test(seq_and_tag_must_both_fit),
        cmocka_unit_test(the_last_64_are_known),
        cmocka_unit_test(a_repeat_is_the_same_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
