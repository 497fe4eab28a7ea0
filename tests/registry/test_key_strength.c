#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "registry/key_rules.h"
#include "registry/key_strength.h"

static const uint8_t device_id[REGISTRY_ID_SIZE] = {0xDE, 0xAD, 0xBE, 0xEF, 0x00, 0x01};

static unsigned strength(const char *text)
{
    return registry_key_strength((const uint8_t *)text, strlen(text), device_id);
}

/* Drawn by a random generator; the bits are the alphabet's times the length. */
static void test_random_text_counts_as_strong(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "aa1647659a86b9f3ea40f6ff3af3c7b26a44918d06329a932b66ad26076474b7", /* 256 bits, hex */
        "6DCC491F71C94961ED2B0EA47AD8CA66",                                 /* 128 bits, hex */
        "3tPJ632YOdShbcW_tu0stFQ9hcJPHH0tLUgMJjgeuhM",                      /* 256 bits, base64url */
        "36x1tsQ5ZlgOg3Ci5pjbbg",                                           /* 128 bits, base64url */
        "79203864111890048377303696820608",                                 /* 106 bits, digits */
        "3s6bnoa8e6pts1vdd32xge7ub",                                        /* 129 bits, small letters and digits */
        "-I~oqV0qmQ{T}w=QWZAD",                                             /* 131 bits, ASCII */
        "1af5906b-b0f9-49a5-801c-afa1a5a13585",                             /* 122 bits, a UUID */
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strength(texts[i]) < REGISTRY_KEY_STRONG_BITS) {
            fail_msg("%s counts as weak", texts[i]);
        }
    }
}

static void test_short_random_text_counts_as_weak(void **state)
{
    (void)state;
    assert_in_range(strength("7920386411189004"), 1, 54);         /* 53 bits */
    assert_in_range(strength("6dcc491f71c94961"), 1, 64);         /* 64 bits */
    assert_in_range(strength("792038641118900483773036"), 1, 79); /* 79.7 bits */
}

static void test_patterns_count_as_weak(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "abababababababababab",             /* two characters */
        "aaaaaaaabbbbbbbbcccccccc",         /* in rows */
        "0123456789abcdef0123456789abcdef", /* counted up, twice */
        "zyxwvutsrqponmlkjihgfedcba",       /* counted down */
        "password-password-1234",           /* a word, twice */
        "Sunshine-sunshine-SUNSHINE-5",     /* in another case */
        "correct horse battery staple",     /* words */
        "my-super-secret-psk-for-the-gateway",
        "one-very-long-shared-key-123",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strength(texts[i]) >= REGISTRY_KEY_STRONG_BITS) {
            fail_msg("%s counts as strong", texts[i]);
        }
    }
}

static void test_the_id_adds_nothing(void **state)
{
    (void)state;
    assert_int_equal(strength("deadbeef0001"), 0);
    assert_int_equal(strength("DE:AD:BE:EF:00:01"), 0);
    assert_int_equal(strength("de-ad-be-ef-00-01deadbeef0001"), 0);
    assert_int_equal(strength("ef0001"), 0);
    assert_int_equal(strength("EF:00:01"), 0);
    assert_true(strength("deadbeef0002") > 0);
    assert_true(strength("deadbeef000") > 0);
    assert_true(strength("device-de:ad:be:ef:00:01-k3Yq9") < REGISTRY_KEY_STRONG_BITS);
}

static void test_key_of_no_single_device_has_no_id(void **state)
{
    (void)state;
    static const char text[] = "deadbeef0001";
    assert_true(registry_key_strength((const uint8_t *)text, strlen(text), NULL) > 0);
}

static void test_bytes_beyond_ascii_are_taken(void **state)
{
    (void)state;
    assert_in_range(strength("\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC"), 1, 40);
    uint8_t every_byte[256];
    for (size_t i = 0; i < sizeof(every_byte); i++) {
        every_byte[i] = (uint8_t)(i * 167);
    }
    assert_true(registry_key_strength(every_byte, sizeof(every_byte), device_id) >= REGISTRY_KEY_STRONG_BITS);
}

static void test_length_alone_is_no_strength(void **state)
{
    (void)state;
    uint8_t text[REGISTRY_PSK_MAX] = {0};
    assert_int_equal(registry_key_strength(text, 0, device_id), 0);
    memset(text, 'a', sizeof(text));
    assert_in_range(registry_key_strength(text, sizeof(text), device_id), 0, 20);
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t) "tick-tock-"[i % 10];
    }
    assert_in_range(registry_key_strength(text, sizeof(text), device_id), 1, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_text_counts_as_strong),
        cmocka_unit_test(test_short_random_text_counts_as_weak),
        cmocka_unit_test(test_patterns_count_as_weak),
        cmocka_unit_test(test_the_id_adds_nothing),
        cmocka_unit_test(test_key_of_no_single_device_has_no_id),
        cmocka_unit_test(test_bytes_beyond_ascii_are_taken),
        cmocka_unit_test(test_length_alone_is_no_strength),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
