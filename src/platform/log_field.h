#ifndef PLATFORM_LOG_FIELD_H
#define PLATFORM_LOG_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "platform/address.h"

/* What is known about an event beside its message: "key=value" in text, a member in JSON, USMPD_KEY=value in the
 * journal. A field borrows what it points to for the duration of the call that logs it. There are no fields for
 * secrets: a key, a PSK or a payload never becomes one. */

#define LOG_FIELDS_MAX 8
#define LOG_KEY_SIZE 32 /* with the terminating zero */

enum log_field_type {
    LOG_FIELD_END, /* closes a list */
    LOG_FIELD_BYTES,
    LOG_FIELD_NUMBER,
    LOG_FIELD_DEVICE,
    LOG_FIELD_ADDRESS,
};

struct log_field {
    const char *key; /* lower case letters, digits and _, beginning with a letter; a literal */
    enum log_field_type type;
    union {
        struct {
            const void *data; /* escaped and, if need be, cut when it is written: may come from anybody */
            size_t size;
        } bytes;
        int64_t number;
        const uint8_t *device; /* 6 bytes */
        const struct address *address;
    };
};

/* The fields of one call: LOG_FIELDS(log_device(id), log_peer(&address)). At most LOG_FIELDS_MAX. */
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__, {.key = NULL, .type = LOG_FIELD_END}})

struct log_field log_string(const char *key, const char *text); /* NULL is written as an empty text */
struct log_field log_bytes(const char *key, const void *data, size_t size);
struct log_field log_number(const char *key, int64_t number);
struct log_field log_address(const char *key, const struct address *address);
struct log_field log_device(const uint8_t device_id[static 6]); /* key "device": de:ad:be:ef:00:01 */
struct log_field log_peer(const struct address *address);       /* key "peer" */
struct log_field log_system_error(int error_number);            /* key "error": an errno in words */

#endif
