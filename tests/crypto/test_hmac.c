#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/hmac.h"
#include "crypto/start.h"
#include "support/hex.h"

/* The test cases of RFC 4231, section 4, and their HMAC-SHA-256. Number 5 prints 128 bits only. */
static const struct {
    const char *key;
    size_t key_repeated; /* bytes; the key is that many of its first byte; 0: as it stands */
    const char *data;    /* text, or NULL: `fill` */
    uint8_t fill;
    size_t fill_size;
    const char *hmac;
} cases[] = {
    {"0b", 20, "Hi There", 0, 0, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"4a656665", 0, "what do ya want for nothing?", 0, 0,
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"aa", 20, NULL, 0xDD, 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819", 0, NULL, 0xCD, 50,
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {"0c", 20, "Test With Truncation", 0, 0, "a3b6167473100ee06e0c796c2955552b"},
    {"aa", 131, "Test Using Larger Than Block-Size Key - Hash Key First", 0, 0,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"aa", 131,
     "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed "
     "before being used by the HMAC algorithm.",
     0, 0, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
};

static struct crypto_hmac_key key_of_case(size_t number)
{
    uint8_t bytes[256];
    size_t size = hex_read(cases[number].key, bytes, sizeof bytes);
    if (cases[number].key_repeated > 0) {
        memset(bytes, bytes[0], cases[number].key_repeated);
        size = cases[number].key_repeated;
    }
    struct crypto_hmac_key key;
    crypto_hmac_key_init(&key, bytes, size);
    return key;
}

static size_t data_of_case(size_t number, uint8_t data[256])
{
    if (cases[number].data == NULL) {
        memset(data, cases[number].fill, cases[number].fill_size);
        return cases[number].fill_size;
    }
    memcpy(data, cases[number].data, strlen(cases[number].data));
    return strlen(cases[number].data);
}

static void test_rfc_4231(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t data[256];
        uint8_t hmac[CRYPTO_HMAC_SIZE];
        size_t size = data_of_case(i, data);
        struct crypto_hmac_key key = key_of_case(i);
        crypto_hmac(&key, &(struct crypto_part){data, size}, 1, hmac);
        assert_hex_equal(hmac, strlen(cases[i].hmac) / 2, cases[i].hmac);
    }
}

static void test_parts_are_as_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t data[256];
        size_t size = data_of_case(i, data);
        struct crypto_hmac_key key = key_of_case(i);
        for (size_t cut = 0; cut <= size; cut++) {
            uint8_t hmac[CRYPTO_HMAC_SIZE];
            const struct crypto_part parts[] = {{data, cut}, {NULL, 0}, {data + cut, size - cut}};
            crypto_hmac(&key, parts, 3, hmac);
            assert_hex_equal(hmac, strlen(cases[i].hmac) / 2, cases[i].hmac);
        }
    }
}

static void test_a_key_serves_many_times(void **state)
{
    (void)state;
    struct crypto_hmac_key key = key_of_case(1);
    const struct crypto_hmac_key before = key;
    const struct crypto_part part = {cases[1].data, strlen(cases[1].data)};
    for (int i = 0; i < 3; i++) {
        uint8_t hmac[CRYPTO_HMAC_SIZE];
        crypto_hmac(&key, &part, 1, hmac);
        assert_hex_equal(hmac, sizeof hmac, cases[1].hmac);
    }
    assert_memory_equal(&key, &before, sizeof key);
}

/* Zero bytes pad a short key: those two are the same key, as security.md rule 1 has in mind. */
static void test_padding_is_zeros(void **state)
{
    (void)state;
    struct crypto_hmac_key short_key;
    struct crypto_hmac_key padded_key;
    crypto_hmac_key_init(&short_key, "Jefe", 4);
    crypto_hmac_key_init(&padded_key, "Jefe\0\0\0\0", 8);
    assert_memory_equal(&short_key, &padded_key, sizeof short_key);
}

/* A key of exactly one block is taken as it is, one byte more is hashed. SHA-256 of 64 and 65 zero bytes made with
 * sha256sum; HMAC of an empty key and message from the same with OpenSSL's command line. */
static void test_edges_of_the_block(void **state)
{
    (void)state;
    static const uint8_t zeros[65];
    uint8_t hashed[32];
    struct crypto_hmac_key key;
    struct crypto_hmac_key other;

    crypto_hmac_key_init(&key, zeros, 64);
    crypto_hmac_key_init(&other, NULL, 0);
    assert_memory_equal(&key, &other, sizeof key);

    uint8_t hmac[CRYPTO_HMAC_SIZE];
    crypto_hmac(&other, NULL, 0, hmac);
    assert_hex_equal(hmac, sizeof hmac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");

    hex_read("98ce42deef51d40269d542f5314bef2c7468d401ad5d85168bfab4c0108f75f7", hashed, sizeof hashed);
    crypto_hmac_key_init(&key, zeros, 65);
    crypto_hmac_key_init(&other, hashed, sizeof hashed);
    assert_memory_equal(&key, &other, sizeof key);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_4231),
        cmocka_unit_test(test_parts_are_as_one),
        cmocka_unit_test(test_a_key_serves_many_times),
        cmocka_unit_test(test_padding_is_zeros),
        cmocka_unit_test(test_edges_of_the_block),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
