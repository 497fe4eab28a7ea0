#include "usmp/key_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/secret_memory.h"
#include "usmp/hex.h"
#include "usmp/report.h"

#define FILE_MAX (2 * KEY_FILE_PSK_MAX + 64) /* digits, and some white space around them */
#define DIGITS_OF_A_KEY 64                   /* what keygen prints */

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0;
}

static const char *name_of(const char *path)
{
    return is_standard_input(path) ? "standard input" : path;
}

static bool fail(const char *path, const char *problem)
{
    report("%s: %s", name_of(path), problem);
    return false;
}

static void warn_of_readers(int descriptor, const char *path)
{
    struct stat status;
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && (status.st_mode & S_IROTH) != 0)
        report("warning: %s: others can read this key (chmod o-rwx)", name_of(path));
}

/* Up to `size` bytes, fewer at the end only; -1 when reading fails. */
static ssize_t read_up_to(int descriptor, char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = read(descriptor, bytes + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

static bool read_file(const char *path, char *bytes, size_t size, size_t *length)
{
    int descriptor = is_standard_input(path) ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor < 0)
        return fail(path, strerror(errno));
    ssize_t count = read_up_to(descriptor, bytes, size);
    int error = errno;
    if (count >= 0)
        warn_of_readers(descriptor, path);
    if (descriptor != STDIN_FILENO)
        close(descriptor);
    if (count < 0)
        return fail(path, strerror(error));
    *length = (size_t)count;
    return true;
}

static bool is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\n' || character == '\r';
}

static bool is_hex(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (hex_digit(text[i]) < 0)
            return false;
    }
    return true;
}

static bool take_text(const char *path, const char *text, size_t length, struct usmp_psk *psk)
{
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length == 0)
        return fail(path, "there is no key in it");
    if (length > KEY_FILE_PSK_MAX)
        return fail(path, "longer than a key may be (1024 bytes)");
    if (is_space(text[length - 1]))
        report("warning: %s: ends in white space, which is part of the key", name_of(path));
    if (length == DIGITS_OF_A_KEY && is_hex(text, length))
        report("warning: %s: 64 hex digits taken as a text, as psk; for psk_hex there is --psk-hex-file",
               name_of(path));
    usmp_psk_init(psk, text, length);
    return true;
}

/* `text` becomes the key's bytes. */
static bool take_hex(const char *path, char *text, size_t length, struct usmp_psk *psk)
{
    size_t begin = 0;
    while (begin < length && is_space(text[begin]))
        begin++;
    while (length > begin && is_space(text[length - 1]))
        length--;
    const char *digits = text + begin;
    length -= begin;
    if (length == 0)
        return fail(path, "there is no key in it");
    if (!is_hex(digits, length))
        return fail(path, "has something else in it than hex digits; a key that is a text wants --psk-file");
    if (length % 2 != 0)
        return fail(path, "has an odd number of hex digits: one is missing, or one too many");
    if (length > 2 * (size_t)KEY_FILE_PSK_MAX)
        return fail(path, "longer than a key may be (1024 bytes)");
    uint8_t *bytes = (uint8_t *)text; /* a digit is read before its place is written */
    bool decoded = hex_decode(digits, length, bytes);
    assert(decoded);
    usmp_psk_init(psk, bytes, length / 2);
    return decoded;
}

bool key_file_read(const char *path, enum key_file_format format, struct usmp_psk *psk)
{
    char *text = secret_memory_allocate(FILE_MAX, SECRET_MEMORY_KEYS);
    if (text == NULL)
        return fail(path, "out of memory");
    size_t length = 0;
    bool good = read_file(path, text, FILE_MAX, &length) &&
                (format == KEY_FILE_TEXT ? take_text(path, text, length, psk) : take_hex(path, text, length, psk));
    secret_memory_free(text);
    return good;
}
