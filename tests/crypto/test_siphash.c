#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/siphash.h"
#include "crypto/start.h"

/* Aumasson and Bernstein, SipHash: a fast short-input PRF, appendix A: key 00 … 0f, input 00 … 0e. */
static void test_of_the_paper(void **state)
{
    (void)state;
    uint8_t key[CRYPTO_SIPHASH_KEY_SIZE];
    uint8_t input[15];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    memcpy(input, key, sizeof input);
    uint64_t hash = crypto_siphash(key, input, sizeof input);
    const uint8_t expected[] = {0xE5, 0x45, 0xBE, 0x49, 0x61, 0xCA, 0x29, 0xA1}; /* 0xa129ca6149be45e5 */
    assert_memory_equal(&hash, expected, sizeof expected);
}

static void test_key_input_and_size_all_matter(void **state)
{
    (void)state;
    uint8_t key[CRYPTO_SIPHASH_KEY_SIZE] = {1};
    uint8_t input[8] = {0};
    uint64_t hash = crypto_siphash(key, input, 7);
    assert_true(hash == crypto_siphash(key, input, 7));
    assert_true(hash != crypto_siphash(key, input, 8));
    assert_true(hash != crypto_siphash(key, input, 0));
    input[0] = 1;
    assert_true(hash != crypto_siphash(key, input, 7));
    input[0] = 0;
    key[15] = 1;
    assert_true(hash != crypto_siphash(key, input, 7));
}

static int set_up(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_the_paper),
        cmocka_unit_test(test_key_input_and_size_all_matter),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
