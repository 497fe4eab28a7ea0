#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/start.h"
#include "crypto/x25519.h"
#include "support/hex.h"

static void assert_shared(const char *private_hex, const char *peer_hex, const char *shared_hex)
{
    uint8_t private_key[32];
    uint8_t peer[32];
    uint8_t shared[32];
    hex_read(private_hex, private_key, sizeof private_key);
    hex_read(peer_hex, peer, sizeof peer);
    assert_int_equal(crypto_x25519_shared(private_key, peer, shared), CRYPTO_X25519_AGREED);
    assert_hex_equal(shared, sizeof shared, shared_hex);
}

static void test_rfc_7748_section_5_2(void **state)
{
    (void)state;
    assert_shared("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    assert_shared("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

/* The iteration of the same section: k, u = X25519(k, u), k. */
static void test_rfc_7748_iterated(void **state)
{
    (void)state;
    uint8_t k[32] = {9};
    uint8_t u[32] = {9};
    for (int i = 1; i <= 1000; i++) {
        uint8_t next[32];
        assert_int_equal(crypto_x25519_shared(k, u, next), CRYPTO_X25519_AGREED);
        memcpy(u, k, sizeof u);
        memcpy(k, next, sizeof k);
        if (i == 1)
            assert_hex_equal(k, sizeof k, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
    assert_hex_equal(k, sizeof k, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

static void test_rfc_7748_section_6_1(void **state)
{
    (void)state;
    static const char alice[] = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    static const char bob[] = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
    static const char alice_public[] = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
    static const char bob_public[] = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    static const char shared[] = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";
    uint8_t private_key[32];
    uint8_t public_key[32];

    hex_read(alice, private_key, sizeof private_key);
    crypto_x25519_public(private_key, public_key);
    assert_hex_equal(public_key, sizeof public_key, alice_public);
    hex_read(bob, private_key, sizeof private_key);
    crypto_x25519_public(private_key, public_key);
    assert_hex_equal(public_key, sizeof public_key, bob_public);

    assert_shared(alice, bob_public, shared);
    assert_shared(bob, alice_public, shared);
}

/* The points of order 1, 2, 4 and 8 and those of their non-canonical encodings that have 255 bits. */
static void test_low_order_is_refused(void **state)
{
    (void)state;
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        for (unsigned high_bit = 0; high_bit <= 0x80; high_bit += 0x80) {
            uint8_t private_key[32] = {(uint8_t)(i + 77), 3};
            uint8_t point[32];
            uint8_t shared[32];
            uint8_t untouched[32];
            memset(shared, 0xEE, sizeof shared);
            memset(untouched, 0xEE, sizeof untouched);
            hex_read(points[i], point, sizeof point);
            point[31] |= (uint8_t)high_bit; /* which X25519 ignores */
            assert_int_equal(crypto_x25519_shared(private_key, point, shared), CRYPTO_X25519_LOW_ORDER);
            assert_memory_equal(shared, untouched, sizeof shared);
        }
    }
}

/* Clamping happens inside: the bits that it sets and clears make no difference. */
static void test_private_keys_are_clamped(void **state)
{
    (void)state;
    uint8_t private_key[32] = {0x40, 1, 2, 3};
    uint8_t public_key[32];
    uint8_t other_public_key[32];
    private_key[31] = 0x40;
    crypto_x25519_public(private_key, public_key);
    private_key[0] |= 7;
    private_key[31] = 0x80;
    crypto_x25519_public(private_key, other_public_key);
    assert_memory_equal(public_key, other_public_key, sizeof public_key);
}

static int set_up(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_7748_section_5_2),     cmocka_unit_test(test_rfc_7748_iterated),
        cmocka_unit_test(test_rfc_7748_section_6_1),     cmocka_unit_test(test_low_order_is_refused),
        cmocka_unit_test(test_private_keys_are_clamped),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
