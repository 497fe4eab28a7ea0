#include "usmp/keygen.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/memory.h"
#include "crypto/random.h"
#include "platform/secret_memory.h"
#include "usmp/hex.h"
#include "usmp/report.h"

#define KEY_SIZE 32

/* Past stdio, whose buffer nobody wipes. */
static bool write_all(const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(STDOUT_FILENO, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        text += written;
        size -= (size_t)written;
    }
    return true;
}

int keygen(void)
{
    uint8_t key[KEY_SIZE] CRYPTO_WIPED_32;
    char *line = secret_memory_allocate(2 * sizeof key + 1, SECRET_MEMORY_KEYS);
    if (line == NULL) {
        report("out of memory");
        return EXIT_FAILURE;
    }
    crypto_random(key, sizeof key);
    hex_encode(key, sizeof key, line);
    line[2 * sizeof key] = '\n';
    bool written = write_all(line, 2 * sizeof key + 1);
    int error = errno;
    secret_memory_free(line);
    if (!written)
        report("cannot write the key: %s", strerror(error));
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}
