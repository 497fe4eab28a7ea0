#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/memory.h"

static void test_wipe(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    for (size_t size = 0; size <= 64; size++) {
        uint8_t bytes[65];
        memset(bytes, 0xEE, sizeof bytes);
        crypto_wipe(bytes, size);
        assert_memory_equal(bytes, zeros, size);
        assert_int_equal(bytes[size], 0xEE);
    }
}

static void test_equal(void **state)
{
    (void)state;
    uint8_t one[64];
    uint8_t other[64];
    memset(one, 0x5A, sizeof one);
    memcpy(other, one, sizeof other);
    assert_true(crypto_equal(one, other, sizeof one));
    assert_true(crypto_equal(one, other, 0));
    for (size_t bit = 0; bit < sizeof one * 8; bit++) {
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(crypto_equal(one, other, sizeof one));
        assert_true(crypto_equal(one, other, bit / 8));
        other[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* What the attributes promise: called for the array itself, when its scope is left, for all of its bytes. */
static void test_cleanups_take_whole_arrays(void **state)
{
    (void)state;
    static const uint8_t zeros[64];
    uint8_t bytes[65];
    memset(bytes, 0xEE, sizeof bytes);
    crypto_wipe_32(bytes);
    assert_memory_equal(bytes, zeros, 32);
    assert_int_equal(bytes[32], 0xEE);
    crypto_wipe_64(bytes);
    assert_memory_equal(bytes, zeros, 64);
    assert_int_equal(bytes[64], 0xEE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wipe),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_cleanups_take_whole_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
