#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "secrets/secret.h"

#include <sodium.h>

#include "crypto/hmac.h"

#define PIECE 16u /* bytes: half of a key, and too much to be there by chance */

struct secret secret_of(const char *name, const void *bytes, size_t size)
{
    struct secret secret = {.name = name, .size = size};
    assert_true(size >= PIECE && size <= sizeof secret.bytes);
    memcpy(secret.bytes, bytes, size);
    return secret;
}

static void find_pieces(const struct process_image *image, const void *bytes, size_t size, const char *form,
                        struct process_image_places *places)
{
    for (size_t offset = 0; offset + PIECE <= size; offset += PIECE)
        process_image_find(image, (const uint8_t *)bytes + offset, PIECE, form, places);
}

static void find_hex(const struct process_image *image, const struct secret *secret, const char *digits,
                     struct process_image_places *places)
{
    char text[2 * SECRET_SIZE_MAX];
    for (size_t index = 0; index < secret->size; index++) {
        text[2 * index] = digits[secret->bytes[index] >> 4];
        text[2 * index + 1] = digits[secret->bytes[index] & 15];
    }
    find_pieces(image, text, 2 * secret->size, "hex digits", places);
}

/* In the middle of a longer base64 text the same bytes look different by their place in a group of three. */
static void find_base64(const struct process_image *image, const struct secret *secret,
                        struct process_image_places *places)
{
    for (size_t skipped = 0; skipped < 3; skipped++) {
        char text[sodium_base64_ENCODED_LEN(SECRET_SIZE_MAX, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];
        size_t whole_groups = (secret->size - skipped) / 3 * 3;
        sodium_bin2base64(text, sizeof text, secret->bytes + skipped, whole_groups,
                          sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
        find_pieces(image, text, strlen(text), "base64", places);
    }
}

struct process_image_places secret_find(const struct process_image *image, const struct secret *secret)
{
    struct process_image_places places = {0};
    find_pieces(image, secret->bytes, secret->size, "bytes", &places);
    find_hex(image, secret, "0123456789abcdef", &places);
    find_hex(image, secret, "0123456789ABCDEF", &places);
    find_base64(image, secret, &places);
    return places;
}

struct process_image_places secret_find_states(const struct process_image *image, const struct secret *secret)
{
    struct process_image_places places = {0};
    struct crypto_hmac_key key;
    crypto_hmac_key_init(&key, secret->bytes, secret->size);
    find_pieces(image, &key, sizeof key, "a state of HMAC", &places);
    return places;
}
