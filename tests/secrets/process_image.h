#ifndef TESTS_SECRETS_PROCESS_IMAGE_H
#define TESTS_SECRETS_PROCESS_IMAGE_H

/* The memory of another process, all of its mappings, as it is at one moment, and a search for bytes in it. Whoever
 * reads it needs the capability to trace, since usmpd is not dumpable. Included after cmocka.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_region {
    uint64_t begin;
    size_t size;
    uint8_t *bytes; /* NULL: it cannot be read, as [vvar] cannot */
    bool writable;
    bool locked;     /* into RAM */
    bool not_dumped; /* left out of core files */
    char name[64];   /* a file's, "[stack]", or empty */
};

struct process_image {
    struct process_region *regions;
    size_t count;
};

/* False: this process may not look at that one. */
bool process_image_read(pid_t process, struct process_image *image);
void process_image_free(struct process_image *image);

struct process_image_places {
    unsigned guarded;   /* locked, and left out of core files */
    unsigned unguarded; /* anywhere else */
    char where[128];    /* the first unguarded one */
};

/* Adds the places where `bytes` stand, at any alignment; `form` says what they are. */
void process_image_find(const struct process_image *image, const void *bytes, size_t size, const char *form,
                        struct process_image_places *places);

/* Adds the places of the private key to an X25519 public key in what can be written: at any alignment in locked memory,
 * at multiples of 8 bytes elsewhere. */
void process_image_find_private_key(const struct process_image *image, const uint8_t public_key[32],
                                    struct process_image_places *places);

#endif
