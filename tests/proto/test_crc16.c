#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/crc16.h"

/* As docs/protocol.md section 1 describes it, a bit at a time. */
static uint16_t bit_by_bit(uint16_t crc, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
    }
    return crc;
}

/* The check value that catalogues of CRCs give for this one (CRC-16/MODBUS). */
static void test_check_value(void **state)
{
    (void)state;
    assert_int_equal(usmp_crc16(USMP_CRC16_INITIAL, (const uint8_t *)"123456789", 9), 0x4B37);
}

static void test_nothing(void **state)
{
    (void)state;
    assert_int_equal(usmp_crc16(USMP_CRC16_INITIAL, NULL, 0), 0xFFFF);
    assert_int_equal(usmp_crc16(0x1234, NULL, 0), 0x1234);
}

/* One byte set in every place of two steps, with every value: each entry of each table is used alone. */
static void test_every_entry(void **state)
{
    (void)state;
    for (size_t place = 0; place < 17; place++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t bytes[17] = {0};
            bytes[place] = (uint8_t)value;
            assert_int_equal(usmp_crc16(0, bytes, sizeof bytes), bit_by_bit(0, bytes, sizeof bytes));
        }
    }
}

static void test_every_register(void **state)
{
    (void)state;
    static const uint8_t bytes[11] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    for (unsigned crc = 0; crc <= UINT16_MAX; crc++)
        assert_int_equal(usmp_crc16((uint16_t)crc, bytes, sizeof bytes),
                         bit_by_bit((uint16_t)crc, bytes, sizeof bytes));
}

/* Every size up to a whole frame, from every alignment, in one go and in two. */
static void test_every_size(void **state)
{
    (void)state;
    uint8_t bytes[512];
    uint32_t next = 1;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)((next = next * 1664525 + 1013904223) >> 24);
    for (size_t size = 0; size <= 492; size++) {
        const uint8_t *from = bytes + size % 16;
        uint16_t expected = bit_by_bit(USMP_CRC16_INITIAL, from, size);
        assert_int_equal(usmp_crc16(USMP_CRC16_INITIAL, from, size), expected);
        size_t cut = size * 3 / 7;
        uint16_t crc = usmp_crc16(USMP_CRC16_INITIAL, from, cut);
        assert_int_equal(usmp_crc16(crc, from + cut, size - cut), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_value),    cmocka_unit_test(test_nothing),    cmocka_unit_test(test_every_entry),
        cmocka_unit_test(test_every_register), cmocka_unit_test(test_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
