#ifndef PLATFORM_UTF8_H
#define PLATFORM_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */

/* Reads the character that `bytes` begins with and returns its length (1–4), or 0 if there is none that is valid;
 * `code_point` is set in the first case only. `size` may be 0. */
size_t utf8_decode(const uint8_t *bytes, size_t size, uint32_t *code_point);

/* Whether all of it is valid; an empty text is. */
bool utf8_is_valid(const uint8_t *bytes, size_t size);

#endif
