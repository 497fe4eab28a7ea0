/* Input that lies in several places and is hashed as if it were joined. */
#ifndef CRYPTO_PARTS_H
#define CRYPTO_PARTS_H

#include <stddef.h>

struct crypto_part {
    const void *bytes; /* may be NULL when size is 0 */
    size_t size;
};

#endif
