#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/utack.h>

#include "crypto/start.h"
#include "support/hex.h"

/* Recorded with the SDK 1.2.2 (tests/data/vectors/wire2.json and cases.json). */
static const struct {
    uint8_t type;
    uint32_t seq;
    const char *key;
    const char *utack;
} recorded[] = {
    {5, 0, "62c32e4c90e4868132f38cc8a750e447de34643a9d9302aa863ac08f8c70d3a6", "acac050000000018b8e467a74a4201"},
    {6, 41, "bec8b9c1e160720c562dd4bfa7573a2544056c938ce2e5175d4da415b8843194", "acac0629000000fe1c0618b0547166"},
    {9, 16909060, "a0bcd68ee40770e7cb625d088aca555d5e54f55274b05c9c3ebcf34d4606ca0c", "acac090403020167565875c012f769"},
    {5, 7, "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", "acac05070000004079b9599a160b87"},
};

#define RECORDED (sizeof recorded / sizeof *recorded)

static struct usmp_utack_key key_of(size_t number)
{
    uint8_t bytes[USMP_KEY_SIZE];
    struct usmp_utack_key key;
    hex_read(recorded[number].key, bytes, sizeof bytes);
    usmp_utack_key_init(&key, bytes);
    return key;
}

static void test_writing(void **state)
{
    (void)state;
    for (size_t i = 0; i < RECORDED; i++) {
        const struct usmp_utack_key key = key_of(i);
        uint8_t expected[USMP_UTACK_KEYED_SIZE];
        uint8_t made[USMP_UTACK_KEYED_SIZE + 1];
        hex_read(recorded[i].utack, expected, sizeof expected);

        memset(made, 0xEE, sizeof made);
        assert_int_equal(usmp_utack_write_plain(recorded[i].type, recorded[i].seq, made), 7);
        assert_memory_equal(made, expected, 7);
        assert_int_equal(made[7], 0xEE);

        assert_int_equal(usmp_utack_write_keyed(&key, recorded[i].type, recorded[i].seq, made), 15);
        assert_memory_equal(made, expected, 15);
        assert_int_equal(made[15], 0xEE);
    }
}

static void test_reading(void **state)
{
    (void)state;
    for (size_t i = 0; i < RECORDED; i++) {
        const struct usmp_utack_key key = key_of(i);
        uint8_t bytes[USMP_UTACK_KEYED_SIZE];
        struct usmp_utack utack;
        hex_read(recorded[i].utack, bytes, sizeof bytes);
        assert_true(usmp_utack_read(bytes, sizeof bytes, &utack));
        assert_int_equal(utack.type, recorded[i].type);
        assert_int_equal(utack.seq, recorded[i].seq);
        assert_true(utack.has_mac);
        assert_memory_equal(utack.mac, bytes + 7, sizeof utack.mac);
        assert_true(usmp_utack_is_authentic(&key, &utack));

        const struct usmp_utack_key other_key = key_of((i + 1) % RECORDED);
        assert_false(usmp_utack_is_authentic(&other_key, &utack));
    }
}

static void test_sizes(void **state)
{
    (void)state;
    const struct usmp_utack_key key = key_of(0);
    uint8_t bytes[600] = {0};
    hex_read(recorded[0].utack, bytes, sizeof bytes);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        struct usmp_utack utack = {.seq = 99};
        assert_int_equal(usmp_utack_read(bytes, size, &utack), size >= 7);
        if (size < 7) {
            assert_int_equal(utack.seq, 99);
            continue;
        }
        assert_int_equal(utack.type, 5);
        assert_int_equal(utack.seq, 0);
        assert_int_equal(utack.has_mac, size >= 15);
        assert_int_equal(usmp_utack_is_authentic(&key, &utack), size >= 15);
    }
}

static void test_every_bit_counts(void **state)
{
    (void)state;
    const struct usmp_utack_key key = key_of(2);
    uint8_t bytes[USMP_UTACK_KEYED_SIZE];
    hex_read(recorded[2].utack, bytes, sizeof bytes);
    for (size_t bit = 0; bit < sizeof bytes * 8; bit++) {
        struct usmp_utack utack;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool is_utack = usmp_utack_read(bytes, sizeof bytes, &utack);
        assert_int_equal(is_utack, bit >= 16);
        if (is_utack)
            assert_false(usmp_utack_is_authentic(&key, &utack));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* A plain one is never authentic, whatever lies where its MAC would be. */
static void test_plain_is_not_authentic(void **state)
{
    (void)state;
    const struct usmp_utack_key key = key_of(0);
    uint8_t bytes[USMP_UTACK_KEYED_SIZE];
    struct usmp_utack utack;
    hex_read(recorded[0].utack, bytes, sizeof bytes);
    assert_true(usmp_utack_read(bytes, sizeof bytes, &utack));
    utack.has_mac = false;
    assert_false(usmp_utack_is_authentic(&key, &utack));
}

static void test_wiping_a_key(void **state)
{
    (void)state;
    static const struct usmp_utack_key zeros;
    struct usmp_utack_key key = key_of(0);
    assert_memory_not_equal(&key, &zeros, sizeof zeros);
    usmp_utack_key_wipe(&key);
    assert_memory_equal(&key, &zeros, sizeof zeros);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_every_bit_counts),
        cmocka_unit_test(test_plain_is_not_authentic),
        cmocka_unit_test(test_wiping_a_key),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
