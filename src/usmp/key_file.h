/* A device's PSK out of a file; a key is never on the command line, where others can see it. */
#ifndef USMP_KEY_FILE_H
#define USMP_KEY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/psk.h>

#define KEY_FILE_PSK_MAX 1024u /* bytes of a key; as usmpd's registry */

enum key_file_format {
    KEY_FILE_TEXT, /* the file's bytes but for one newline at the end: what `psk` is in usmpd's registry */
    KEY_FILE_HEX,  /* hex digits, decoded; white space around them does not count: `psk_hex` */
};

/* Reads the file at `path`, "-" being standard input. Its bytes are in secret memory only, and wiped before this
 * returns; the caller wipes `psk`, which is set with true only. Says what is wrong on standard error, and warns there
 * of a file that others can read and of a text that looks as if the other format was meant. */
bool key_file_read(const char *path, enum key_file_format format, struct usmp_psk *psk)
    __attribute__((warn_unused_result));

#endif
