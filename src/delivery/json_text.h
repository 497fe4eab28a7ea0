/* The pieces that lines of JSON are written from, fast enough for one line a message.
 *
 * Each writes at `out` and returns where the next piece goes; nothing is terminated by zero. The room is the caller's
 * affair: beside each function stands how much it takes at most.
 *
 * A string stays valid UTF-8 and is JSON as RFC 8259 has it. Beyond what that asks for, DEL, the C1 controls, line
 * separators and the characters that change the direction of text are written as \uNNNN too: `socat` shows these lines
 * on terminals (docs/security.md rule 25), and to a reader of JSON it is the same string.
 */
#ifndef DELIVERY_JSON_TEXT_H
#define DELIVERY_JSON_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define JSON_TEXT_NUMBER_MAX 20u                 /* of 64 bits */
#define JSON_TEXT_STRING_MAX(size) (6u * (size)) /* without quotes */
#define JSON_TEXT_BASE64_SIZE(size) (((size) + 2) / 3 * 4)
#define JSON_TEXT_DEVICE_SIZE 17u

/* Copies a literal. */
#define json_text_literal(out, literal) ((char *)memcpy((out), (literal), sizeof(literal) - 1) + sizeof(literal) - 1)

char *json_text_number(char *out, uint64_t number);

/* Two lower case digits a byte. */
char *json_text_hex(char *out, const uint8_t *bytes, size_t size);

/* de:ad:be:ef:00:01 */
char *json_text_device(char *out, const uint8_t device[static 6]);

/* The inside of a string, without quotes. NULL when `bytes` are not valid UTF-8; what was written then means nothing. */
char *json_text_string(char *out, const uint8_t *bytes, size_t size) __attribute__((warn_unused_result));

/* RFC 4648 section 4, padded. */
char *json_text_base64(char *out, const uint8_t *bytes, size_t size);

#endif
