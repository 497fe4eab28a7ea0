/* Bytes as hex digits and back. Pure functions. */
#ifndef USMP_HEX_H
#define USMP_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of a hex digit in any case and any locale, or -1. */
int hex_digit(char digit);

/* Lower-case digits, two for each byte; no NUL. `text` has room for them. */
void hex_encode(const uint8_t *bytes, size_t size, char *text);

/* Reads `length` digits, an even number, of any case. `bytes` has room for half as many. False, with `bytes` in any
 * state, when something in it is no digit or their number is odd. */
bool hex_decode(const char *text, size_t length, uint8_t *bytes) __attribute__((warn_unused_result));

#endif
