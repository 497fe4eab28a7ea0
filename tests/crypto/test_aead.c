#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/aead.h"
#include "crypto/aes.h"
#include "crypto/start.h"
#include "platform/child.h"
#include "support/hex.h"

#define ROOM 512

/* One way to seal and open: both suites of the interface, and both implementations of AES, whichever was chosen. */
struct way {
    const char *name;
    enum crypto_suite suite;
    const struct crypto_aes *aes; /* NULL: through crypto_seal() and crypto_open() */
};

static const struct way ways[] = {
    {"AES as chosen", CRYPTO_AES_256_GCM, NULL},
    {"ChaCha20-Poly1305", CRYPTO_CHACHA20_POLY1305, NULL},
    {"AES of libcrypto", CRYPTO_AES_256_GCM, &crypto_aes_libcrypto},
    {"AES of libsodium", CRYPTO_AES_256_GCM, &crypto_aes_sodium},
};

static bool is_available(const struct way *way)
{
    return way->aes != &crypto_aes_sodium || crypto_aes_sodium_is_available();
}

static void way_seal(const struct way *way, const uint8_t *key, const uint8_t *nonce, const uint8_t *additional,
                     size_t additional_size, const uint8_t *plaintext, size_t size, uint8_t *out)
{
    if (way->aes != NULL)
        way->aes->seal(key, nonce, additional, additional_size, plaintext, size, out);
    else
        crypto_seal(way->suite, key, nonce, additional, additional_size, plaintext, size, out);
}

static enum crypto_open_verdict way_open(const struct way *way, const uint8_t *key, const uint8_t *nonce,
                                         const uint8_t *additional, size_t additional_size, const uint8_t *sealed,
                                         size_t size, uint8_t *out)
{
    if (way->aes != NULL)
        return way->aes->open(key, nonce, additional, additional_size, sealed, size, out);
    return crypto_open(way->suite, key, nonce, additional, additional_size, sealed, size, out);
}

struct published {
    enum crypto_suite suite;
    const char *key;
    const char *nonce;
    const char *additional;
    const char *plaintext;
    const char *sealed; /* ciphertext and tag */
};

static const struct published published[] = {
    /* McGrew and Viega, The Galois/Counter Mode of Operation (submission to NIST), appendix B, test cases 13 to 16. */
    {CRYPTO_AES_256_GCM, "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {CRYPTO_AES_256_GCM, "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18 d0d1c8a799996bf0265b98b5d48ab919"},
    {CRYPTO_AES_256_GCM, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
     "b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
     "c5f61e6393ba7a0abcc9f662898015ad b094dac5d93471bdec1a502270e3cc6c"},
    {CRYPTO_AES_256_GCM, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
     "b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
     "c5f61e6393ba7a0abcc9f662 76fc6ece0f4e1768cddf8853bb2d551b"},
    /* RFC 8439, section 2.8.2. */
    {CRYPTO_CHACHA20_POLY1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64206f6666"
     "657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c642062652069"
     "742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b29"
     "05d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b"
     "6116 1ae10b594f09e26a7e902ecbd0600691"},
};

static void test_published_vectors(void **state)
{
    (void)state;
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        for (size_t i = 0; i < sizeof published / sizeof *published && is_available(&ways[w]); i++) {
            if (published[i].suite != ways[w].suite)
                continue;
            uint8_t key[32];
            uint8_t nonce[12];
            uint8_t additional[ROOM];
            uint8_t plaintext[ROOM];
            uint8_t out[ROOM];
            hex_read(published[i].key, key, sizeof key);
            hex_read(published[i].nonce, nonce, sizeof nonce);
            size_t additional_size = hex_read(published[i].additional, additional, sizeof additional);
            size_t size = hex_read(published[i].plaintext, plaintext, sizeof plaintext);

            way_seal(&ways[w], key, nonce, additional, additional_size, plaintext, size, out);
            assert_hex_equal(out, size + CRYPTO_AEAD_TAG_SIZE, published[i].sealed);

            uint8_t opened[ROOM] = {0};
            assert_int_equal(
                way_open(&ways[w], key, nonce, additional, additional_size, out, size + CRYPTO_AEAD_TAG_SIZE, opened),
                CRYPTO_OPENED);
            assert_memory_equal(opened, plaintext, size);
        }
    }
}

/* Sizes around the blocks and batches of the implementations, up to the largest of a frame. */
static const size_t sizes[] = {0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 255, 256, 451, 452};

#define SIZES (sizeof sizes / sizeof *sizes)

struct sealed {
    uint8_t key[32];
    uint8_t nonce[12];
    uint8_t additional[10];
    uint8_t plaintext[ROOM];
    uint8_t bytes[ROOM]; /* ciphertext and tag */
    size_t size;         /* of both */
};

static void make_sealed(const struct way *way, size_t size, struct sealed *sealed)
{
    uint8_t next = (uint8_t)size;
    uint8_t *const fields[] = {sealed->key, sealed->nonce, sealed->additional, sealed->plaintext};
    const size_t field_sizes[] = {sizeof sealed->key, sizeof sealed->nonce, sizeof sealed->additional, ROOM};
    for (size_t f = 0; f < 4; f++) {
        for (size_t i = 0; i < field_sizes[f]; i++)
            fields[f][i] = next = (uint8_t)(next * 73 + 41);
    }
    way_seal(way, sealed->key, sealed->nonce, sealed->additional, sizeof sealed->additional, sealed->plaintext, size,
             sealed->bytes);
    sealed->size = size + CRYPTO_AEAD_TAG_SIZE;
}

static enum crypto_open_verdict open_it(const struct way *way, const struct sealed *sealed, uint8_t *out)
{
    return way_open(way, sealed->key, sealed->nonce, sealed->additional, sizeof sealed->additional, sealed->bytes,
                    sealed->size, out);
}

static void test_implementations_of_aes_agree(void **state)
{
    (void)state;
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        for (size_t i = 0; i < SIZES && is_available(&ways[w]) && ways[w].suite == CRYPTO_AES_256_GCM; i++) {
            struct sealed by_libcrypto;
            struct sealed by_this;
            make_sealed(&ways[2], sizes[i], &by_libcrypto);
            make_sealed(&ways[w], sizes[i], &by_this);
            assert_memory_equal(by_libcrypto.bytes, by_this.bytes, by_this.size);
        }
    }
}

static void test_in_place(void **state)
{
    (void)state;
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        for (size_t i = 0; i < SIZES && is_available(&ways[w]); i++) {
            struct sealed sealed;
            uint8_t bytes[ROOM];
            make_sealed(&ways[w], sizes[i], &sealed);
            memcpy(bytes, sealed.plaintext, sizes[i]);
            way_seal(&ways[w], sealed.key, sealed.nonce, sealed.additional, sizeof sealed.additional, bytes, sizes[i],
                     bytes);
            assert_memory_equal(bytes, sealed.bytes, sealed.size);
            assert_int_equal(way_open(&ways[w], sealed.key, sealed.nonce, sealed.additional, sizeof sealed.additional,
                                      bytes, sealed.size, bytes),
                             CRYPTO_OPENED);
            assert_memory_equal(bytes, sealed.plaintext, sizes[i]);
        }
    }
}

static void test_nothing_is_written_behind_the_output(void **state)
{
    (void)state;
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        for (size_t i = 0; i < SIZES && is_available(&ways[w]); i++) {
            struct sealed sealed;
            uint8_t out[ROOM];
            memset(sealed.bytes, 0xEE, sizeof sealed.bytes);
            memset(out, 0xEE, sizeof out);
            make_sealed(&ways[w], sizes[i], &sealed);
            assert_int_equal(open_it(&ways[w], &sealed, out), CRYPTO_OPENED);
            for (size_t b = sealed.size; b < ROOM; b++)
                assert_int_equal(sealed.bytes[b], 0xEE);
            for (size_t b = sizes[i]; b < ROOM; b++)
                assert_int_equal(out[b], 0xEE);
        }
    }
}

static void assert_refused_leaving_zeros(const struct way *way, const struct sealed *sealed)
{
    static const uint8_t zeros[ROOM];
    uint8_t out[ROOM];
    memset(out, 0xEE, sizeof out);
    assert_int_equal(open_it(way, sealed, out), CRYPTO_NOT_AUTHENTIC);
    assert_memory_equal(out, zeros, sealed->size - CRYPTO_AEAD_TAG_SIZE);
    assert_int_equal(out[sealed->size - CRYPTO_AEAD_TAG_SIZE], 0xEE);
}

/* One bit of anything makes it not authentic, and no plaintext comes out. */
static void test_any_bit_changed_is_refused(void **state)
{
    (void)state;
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        if (!is_available(&ways[w]))
            continue;
        for (size_t size = 0; size <= 64; size += 32) {
            struct sealed good;
            make_sealed(&ways[w], size, &good);
            uint8_t *const fields[] = {good.key, good.nonce, good.additional, good.bytes};
            const size_t field_sizes[] = {sizeof good.key, sizeof good.nonce, sizeof good.additional, good.size};
            for (size_t f = 0; f < 4; f++) {
                for (size_t bit = 0; bit < field_sizes[f] * 8; bit++) {
                    fields[f][bit / 8] ^= (uint8_t)(1u << bit % 8);
                    assert_refused_leaving_zeros(&ways[w], &good);
                    fields[f][bit / 8] ^= (uint8_t)(1u << bit % 8);
                }
            }
            uint8_t out[ROOM];
            assert_int_equal(open_it(&ways[w], &good, out), CRYPTO_OPENED);
        }
    }
}

static void test_shortened_is_refused(void **state)
{
    (void)state;
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        if (!is_available(&ways[w]))
            continue;
        struct sealed sealed;
        make_sealed(&ways[w], 64, &sealed);
        for (sealed.size--; sealed.size >= CRYPTO_AEAD_TAG_SIZE; sealed.size--)
            assert_refused_leaving_zeros(&ways[w], &sealed);
    }
}

static int open_less_than_a_tag(void *context)
{
    const struct way *way = context;
    struct sealed sealed;
    uint8_t out[ROOM];
    make_sealed(way, 0, &sealed);
    sealed.size--;
    return open_it(way, &sealed, out) == CRYPTO_OPENED;
}

static void test_less_than_a_tag_stops_the_program(void **state)
{
    (void)state;
    struct way aes = ways[0];
    struct way chacha = ways[1];
    assert_int_equal(child_run(open_less_than_a_tag, &aes), 128 + SIGABRT);
    assert_int_equal(child_run(open_less_than_a_tag, &chacha), 128 + SIGABRT);
}

static void *seal_and_open_much(void *context)
{
    size_t *wrong = context;
    for (size_t round = 0; round < 400; round++) {
        struct sealed sealed;
        uint8_t out[ROOM];
        make_sealed(&ways[2], sizes[round % SIZES], &sealed);
        if (open_it(&ways[2], &sealed, out) != CRYPTO_OPENED ||
            memcmp(out, sealed.plaintext, sizes[round % SIZES]) != 0)
            ++*wrong;
    }
    return NULL;
}

/* More threads than libcrypto's implementation has contexts. */
static void test_many_threads_share_the_contexts(void **state)
{
    (void)state;
    enum { THREADS = 40 };
    pthread_t threads[THREADS];
    size_t wrong[THREADS] = {0};
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, seal_and_open_much, &wrong[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(wrong[i], 0);
    }
}

static int set_up(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors),
        cmocka_unit_test(test_implementations_of_aes_agree),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_nothing_is_written_behind_the_output),
        cmocka_unit_test(test_any_bit_changed_is_refused),
        cmocka_unit_test(test_shortened_is_refused),
        cmocka_unit_test(test_less_than_a_tag_stops_the_program),
        cmocka_unit_test(test_many_threads_share_the_contexts),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
