#define _GNU_SOURCE
#include "platform/log_field.h"

#include <string.h>

struct log_field log_bytes(const char *key, const void *data, size_t size)
{
    return (struct log_field){.key = key, .type = LOG_FIELD_BYTES, .bytes = {.data = data, .size = size}};
}

struct log_field log_string(const char *key, const char *text)
{
    return log_bytes(key, text, text != NULL ? strlen(text) : 0);
}

struct log_field log_number(const char *key, int64_t number)
{
    return (struct log_field){.key = key, .type = LOG_FIELD_NUMBER, .number = number};
}

struct log_field log_address(const char *key, const struct address *address)
{
    return (struct log_field){.key = key, .type = LOG_FIELD_ADDRESS, .address = address};
}

struct log_field log_device(const uint8_t device_id[static 6])
{
    return (struct log_field){.key = "device", .type = LOG_FIELD_DEVICE, .device = device_id};
}

struct log_field log_peer(const struct address *address)
{
    return log_address("peer", address);
}

struct log_field log_system_error(int error_number)
{
    /* Unlike strerror() it has no buffer that another thread could write to; the texts are constants. */
    const char *description = strerrordesc_np(error_number);
    return log_string("error", description != NULL ? description : "unknown error");
}
