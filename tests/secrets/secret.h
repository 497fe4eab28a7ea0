#ifndef TESTS_SECRETS_SECRET_H
#define TESTS_SECRETS_SECRET_H

/* A secret as it may stand in memory: its bytes, as hex digits of both cases, as base64, and as what HMAC-SHA256 makes
 * of it (the two states that are kept in place of a key). Half of one is as good as the whole, so halves are looked
 * for. Included after cmocka.h. */

#include <stddef.h>
#include <stdint.h>

#include "secrets/process_image.h"

#define SECRET_SIZE_MAX 64

struct secret {
    const char *name;
    size_t size;
    uint8_t bytes[SECRET_SIZE_MAX];
};

struct secret secret_of(const char *name, const void *bytes, size_t size);

/* Where the secret itself stands, in any of its written forms. */
struct process_image_places secret_find(const struct process_image *image, const struct secret *secret);
/* Where the states of HMAC stand that are kept for it as a key. */
struct process_image_places secret_find_states(const struct process_image *image, const struct secret *secret);

#endif
