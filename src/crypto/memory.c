#include "crypto/memory.h"

#include <sodium.h>
#include <string.h>

void crypto_wipe(void *memory, size_t size)
{
    explicit_bzero(memory, size);
}

bool crypto_equal(const void *one, const void *other, size_t size)
{
    return sodium_memcmp(one, other, size) == 0;
}
