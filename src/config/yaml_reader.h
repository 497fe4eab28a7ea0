/* libyaml's parser around a file or some bytes: exact places for what is wrong, nothing left in memory.
 *
 * libyaml copies what it reads through buffers that it frees as they are. What passes here may be keys of devices, so
 * this file also is libyaml's allocator: it defines the functions that libyaml calls for memory (the dynamic linker
 * takes a program's own definition before the library's) and wipes whatever is freed.
 *
 * Owner: the caller of yaml_reader_open, who closes it with yaml_reader_close; it does not own `descriptor` or `bytes`.
 */
#ifndef CONFIG_YAML_READER_H
#define CONFIG_YAML_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "config/diagnostics.h"

struct yaml_reader {
    yaml_parser_t parser;
    const char *file; /* for messages */
    int descriptor;   /* -1: the source is `bytes` */
    const char *bytes;
    size_t length;  /* of bytes */
    size_t limit;   /* bytes; more is an error */
    size_t offset;  /* bytes read so far */
    int error;      /* errno of a read that failed */
    bool too_large; /* the source went over `limit` */
};

/* The source is `descriptor`, or `bytes` when that is -1. False when memory is short. */
bool yaml_reader_open(struct yaml_reader *reader, const char *file, int descriptor, const char *bytes, size_t length,
                      size_t limit) __attribute__((warn_unused_result));
void yaml_reader_close(struct yaml_reader *reader);

/* The next event, which the caller gives to yaml_event_delete; false after adding an error. */
bool yaml_reader_next(struct yaml_reader *reader, yaml_event_t *event, struct diagnostics *diagnostics)
    __attribute__((warn_unused_result));

/* What libyaml calls. */
void *yaml_malloc(size_t size);
void *yaml_realloc(void *memory, size_t size);
void yaml_free(void *memory);
yaml_char_t *yaml_strdup(const yaml_char_t *text);

#endif
