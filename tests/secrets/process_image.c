#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "secrets/process_image.h"

#include <fcntl.h>
#include <unistd.h>

#include "crypto/x25519.h"

#define LARGEST (UINT64_C(1) << 30) /* what is larger is reserved, not used */

static void add_region(struct process_image *image, uint64_t begin, uint64_t end, const char *mode, const char *name)
{
    image->regions = realloc(image->regions, (image->count + 1) * sizeof *image->regions);
    assert_non_null(image->regions);
    struct process_region *region = &image->regions[image->count++];
    assert_true(end - begin <= LARGEST);
    *region = (struct process_region){.begin = begin, .size = end - begin, .writable = mode[1] == 'w'};
    snprintf(region->name, sizeof region->name, "%s", name);
}

static void add_flags(struct process_region *region, const char *flags)
{
    region->locked = strstr(flags, " lo") != NULL;
    region->not_dumped = strstr(flags, " dd") != NULL;
}

/* What smaps says of each region: a line as in maps, then figures, at last "VmFlags: rd wr …". */
static void read_regions(struct process_image *image, FILE *smaps)
{
    char line[512];
    while (fgets(line, sizeof line, smaps) != NULL) {
        unsigned long begin;
        unsigned long end;
        char mode[5];
        char name[256] = "";
        if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %255[^\n]", &begin, &end, mode, name) >= 3)
            add_region(image, begin, end, mode, name);
        else if (strncmp(line, "VmFlags:", 8) == 0 && image->count > 0)
            add_flags(&image->regions[image->count - 1], line + 8);
    }
}

static void read_bytes(struct process_region *region, int memory)
{
    region->bytes = malloc(region->size);
    assert_non_null(region->bytes);
    size_t done = 0;
    while (done < region->size) {
        ssize_t count = pread(memory, region->bytes + done, region->size - done, (off_t)(region->begin + done));
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    region->size = done;
}

bool process_image_read(pid_t process, struct process_image *image)
{
    char path[64];
    *image = (struct process_image){0};
    snprintf(path, sizeof path, "/proc/%d/mem", (int)process);
    int memory = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)process);
    FILE *smaps = fopen(path, "re");
    bool readable = memory >= 0 && smaps != NULL;
    if (readable)
        read_regions(image, smaps);
    readable = readable && image->count > 0;
    size_t total = 0;
    for (size_t index = 0; index < image->count; index++) {
        read_bytes(&image->regions[index], memory);
        total += image->regions[index].size;
    }
    if (memory >= 0)
        assert_int_equal(close(memory), 0);
    if (smaps != NULL)
        assert_int_equal(fclose(smaps), 0);
    if (total == 0)
        process_image_free(image);
    return readable && total > 0;
}

void process_image_free(struct process_image *image)
{
    for (size_t index = 0; index < image->count; index++)
        free(image->regions[index].bytes);
    free(image->regions);
    *image = (struct process_image){0};
}

static void note_place(const struct process_region *region, size_t offset, const char *form,
                       struct process_image_places *places)
{
    if (region->locked && region->not_dumped) {
        places->guarded++;
        return;
    }
    if (places->unguarded++ == 0)
        snprintf(places->where, sizeof places->where, "%s%+ld of %zu bytes, as %s",
                 region->name[0] != '\0' ? region->name : "(anonymous)", (long)offset, region->size, form);
}

void process_image_find(const struct process_image *image, const void *bytes, size_t size, const char *form,
                        struct process_image_places *places)
{
    for (size_t index = 0; index < image->count; index++) {
        const struct process_region *region = &image->regions[index];
        const uint8_t *end = region->bytes + region->size;
        for (const uint8_t *at = region->bytes; (at = memmem(at, (size_t)(end - at), bytes, size)) != NULL; at++)
            note_place(region, (size_t)(at - region->bytes), form, places);
    }
}

/* Random bytes do: 32 of them have fewer than 20 different ones once in millions of millions. */
static bool may_be_a_key(const uint8_t bytes[CRYPTO_X25519_SIZE])
{
    bool seen[256] = {false};
    unsigned different = 0;
    for (size_t index = 0; index < CRYPTO_X25519_SIZE; index++) {
        different += !seen[bytes[index]];
        seen[bytes[index]] = true;
    }
    return different >= 20;
}

void process_image_find_private_key(const struct process_image *image, const uint8_t public_key[32],
                                    struct process_image_places *places)
{
    for (size_t index = 0; index < image->count; index++) {
        const struct process_region *region = &image->regions[index];
        size_t step = region->locked ? 1 : 8;
        for (size_t at = 0; region->writable && at + CRYPTO_X25519_SIZE <= region->size; at += step) {
            uint8_t made[CRYPTO_X25519_SIZE];
            if (!may_be_a_key(region->bytes + at))
                continue;
            crypto_x25519_public(region->bytes + at, made);
            if (memcmp(made, public_key, sizeof made) == 0)
                note_place(region, at, "a private key", places);
        }
    }
}
