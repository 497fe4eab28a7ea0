#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/hkdf.h"
#include "crypto/start.h"
#include "platform/child.h"
#include "support/hex.h"

/* RFC 5869, appendix A.1 to A.3: the ones with SHA-256. */
static const struct {
    const char *key_material;
    const char *salt;
    const char *info;
    const char *output;
} cases[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
     "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
     "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
     "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
     "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

#define CASES (sizeof cases / sizeof *cases)

struct loaded {
    uint8_t key_material[80];
    uint8_t salt[80];
    uint8_t info[80];
    size_t key_material_size;
    size_t salt_size;
    size_t info_size;
};

static struct loaded load(size_t number)
{
    struct loaded loaded;
    loaded.key_material_size = hex_read(cases[number].key_material, loaded.key_material, sizeof loaded.key_material);
    loaded.salt_size = hex_read(cases[number].salt, loaded.salt, sizeof loaded.salt);
    loaded.info_size = hex_read(cases[number].info, loaded.info, sizeof loaded.info);
    return loaded;
}

static void derive(const struct loaded *loaded, size_t cut, uint8_t *out, size_t size)
{
    size_t cut_key = cut < loaded->key_material_size ? cut : loaded->key_material_size;
    size_t cut_info = cut < loaded->info_size ? cut : loaded->info_size;
    const struct crypto_part key_material[] = {
        {loaded->key_material, cut_key},
        {loaded->key_material + cut_key, loaded->key_material_size - cut_key},
    };
    const struct crypto_part info[] = {
        {loaded->info, cut_info},
        {loaded->info + cut_info, loaded->info_size - cut_info},
    };
    const struct crypto_hkdf_input input = {key_material, 2, {loaded->salt, loaded->salt_size}, info, 2};
    crypto_hkdf(&input, out, size);
}

static void test_rfc_5869(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        uint8_t out[128];
        size_t size = strlen(cases[i].output) / 2;
        const struct loaded loaded = load(i);
        for (size_t cut = 0; cut <= loaded.key_material_size; cut++) {
            derive(&loaded, cut, out, size);
            assert_hex_equal(out, size, cases[i].output);
        }
    }
}

/* A shorter output is the beginning of a longer one, and nothing is written behind it. */
static void test_every_shorter_output(void **state)
{
    (void)state;
    uint8_t expected[128];
    size_t longest = hex_read(cases[1].output, expected, sizeof expected);
    const struct loaded loaded = load(1);
    for (size_t size = 1; size <= longest; size++) {
        uint8_t out[128];
        memset(out, 0xEE, sizeof out);
        derive(&loaded, 7, out, size);
        assert_memory_equal(out, expected, size);
        for (size_t i = size; i < sizeof out; i++)
            assert_int_equal(out[i], 0xEE);
    }
}

static void test_no_info_at_all(void **state)
{
    (void)state;
    const struct loaded loaded = load(2);
    const struct crypto_part key_material = {loaded.key_material, loaded.key_material_size};
    const struct crypto_hkdf_input input = {.key_material = &key_material, .key_material_count = 1};
    uint8_t out[42];
    crypto_hkdf(&input, out, sizeof out);
    assert_hex_equal(out, sizeof out, cases[2].output);
}

static int derive_nothing(void *context)
{
    uint8_t out[1];
    derive(context, 0, out, 0);
    return 0;
}

static int derive_too_much(void *context)
{
    static uint8_t out[CRYPTO_HKDF_MAX + 1];
    derive(context, 0, out, sizeof out);
    return 0;
}

static int give_too_many_parts(void *context)
{
    (void)context;
    static const struct crypto_part info[CRYPTO_HKDF_INFO_PARTS + 1];
    uint8_t out[32];
    crypto_hkdf(&(struct crypto_hkdf_input){.info = info, .info_count = CRYPTO_HKDF_INFO_PARTS + 1}, out, sizeof out);
    return 0;
}

static void test_misuse_stops_the_program(void **state)
{
    (void)state;
    struct loaded loaded = load(0);
    assert_int_equal(child_run(derive_nothing, &loaded), 128 + SIGABRT);
    assert_int_equal(child_run(derive_too_much, &loaded), 128 + SIGABRT);
    assert_int_equal(child_run(give_too_many_parts, NULL), 128 + SIGABRT);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_5869),
        cmocka_unit_test(test_every_shorter_output),
        cmocka_unit_test(test_no_info_at_all),
        cmocka_unit_test(test_misuse_stops_the_program),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
