#ifndef PLATFORM_ESCAPE_H
#define PLATFORM_ESCAPE_H

#include <stddef.h>

/* Bytes from devices or backends as text that is safe on a terminal and stays on its line (docs/security.md rule 25):
 * C0, DEL, C1 and whatever is not UTF-8 become \xNN for each byte, line separators and bidirectional controls \uNNNN,
 * a backslash becomes \\. All else stays. */

/* Writes as much as fits into `size` bytes (at least 1), whole characters and escapes only, and a terminating zero.
 * Returns how many of the `count` input bytes are in it: fewer than `count` means that the text was cut.
 * `data` may be NULL when `count` is 0. */
size_t escape_text(const void *data, size_t count, char *text, size_t size);

/* The same for text that will stand in double quotes: these get a backslash too. */
size_t escape_quoted(const void *data, size_t count, char *text, size_t size);

/* The same for the inside of a JSON string (RFC 8259): the characters above become \u00NN or \uNNNN, and a byte that is
 * not UTF-8 becomes \ufffd. */
size_t escape_json(const void *data, size_t count, char *text, size_t size);

#endif
