/* Members of a JSON object as bytes and numbers; what is missing, of another kind or of another size is a difference.
 */
#ifndef TESTS_VECTORS_REPLAY_FIELDS_H
#define TESTS_VECTORS_REPLAY_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vectors/replay/report.h"

#define REPLAY_MUST_USE __attribute__((warn_unused_result))

/* A hex string of exactly `size` bytes. */
bool replay_bytes(struct replay_report *report, const json_t *object, const char *member, uint8_t *out,
                  size_t size) REPLAY_MUST_USE;

/* A hex string of at most `room` bytes. */
bool replay_bytes_up_to(struct replay_report *report, const json_t *object, const char *member, uint8_t *out,
                        size_t room, size_t *size) REPLAY_MUST_USE;

/* The same for a string in a list. `list` is only used in messages. */
bool replay_element(struct replay_report *report, const json_t *element, const char *list, uint8_t *out, size_t room,
                    size_t *size) REPLAY_MUST_USE;

/* A whole number from 0 to `most`. */
bool replay_number(struct replay_report *report, const json_t *object, const char *member, uint32_t most,
                   uint32_t *out) REPLAY_MUST_USE;

/* A string; it belongs to the JSON. */
bool replay_text(struct replay_report *report, const json_t *object, const char *member,
                 const char **out) REPLAY_MUST_USE;

/* A list of at least one element; it belongs to the JSON. */
bool replay_list(struct replay_report *report, const json_t *object, const char *member,
                 const json_t **out) REPLAY_MUST_USE;

#endif
