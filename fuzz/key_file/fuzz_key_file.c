/* A key file of `usmp`, as text and as hex digits: it gives a key or says what is wrong, and nothing of it is read
 * beyond its end. What it says is kept from the screen; where it says nothing there must be a key.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/require.h"
#include "usmp/hex.h"
#include "usmp/key_file.h"
#include "usmp/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned reports;

/* In place of src/usmp/report.c. */
void report(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    require(vsnprintf(text, sizeof text, format, arguments) > 0);
    va_end(arguments);
    reports++;
}

static size_t trimmed(const uint8_t **bytes, size_t size)
{
    while (size > 0 && strchr(" \t\r\n\v\f", **bytes) != NULL && **bytes != '\0') {
        (*bytes)++;
        size--;
    }
    while (size > 0 && strchr(" \t\r\n\v\f", (*bytes)[size - 1]) != NULL && (*bytes)[size - 1] != '\0')
        size--;
    return size;
}

/* The same key by another way: the digits are decoded here. */
static void check_hex(const uint8_t *bytes, size_t size, const struct usmp_psk *psk)
{
    static uint8_t decoded[4096];
    size = trimmed(&bytes, size);
    require(size / 2 <= sizeof decoded && hex_decode((const char *)bytes, size, decoded));
    struct usmp_psk expected;
    usmp_psk_init(&expected, decoded, size / 2);
    require(memcmp(&expected, psk, sizeof expected) == 0);
}

static void check_text(const uint8_t *bytes, size_t size, const struct usmp_psk *psk)
{
    if (size > 0 && bytes[size - 1] == '\n')
        size--;
    struct usmp_psk expected;
    usmp_psk_init(&expected, bytes, size);
    require(memcmp(&expected, psk, sizeof expected) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    enum key_file_format format = data[0] & 1 ? KEY_FILE_HEX : KEY_FILE_TEXT;
    int file = memfd_create("key", MFD_CLOEXEC);
    require(file >= 0 && write(file, data + 1, size - 1) == (ssize_t)(size - 1));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    struct usmp_psk psk;
    reports = 0;
    bool read = key_file_read(path, format, &psk);
    require(read || reports > 0);
    if (read && format == KEY_FILE_HEX)
        check_hex(data + 1, size - 1, &psk);
    else if (read)
        check_text(data + 1, size - 1, &psk);
    require(close(file) == 0);
    return 0;
}
