/* The command line of usmp: see usmp(1). */
#ifndef USMP_ARGUMENTS_H
#define USMP_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/session.h>
#include <usmp/wire.h>

#include "usmp/endpoint.h"
#include "usmp/key_file.h"

#define EXIT_USAGE 2

#define ARGUMENTS_TIMEOUT_DEFAULT 10000000u /* microseconds */

enum arguments_action {
    ARGUMENTS_RUN,
    ARGUMENTS_DONE,  /* help or version has been printed */
    ARGUMENTS_WRONG, /* what was wrong has been printed: exit with EXIT_USAGE */
};

enum arguments_command {
    ARGUMENTS_KEYGEN,
    ARGUMENTS_SEND,
    ARGUMENTS_CONNECT,
};

/* Texts are argv's. Of a keygen nothing but the command is set. */
struct arguments {
    enum arguments_command command;
    struct endpoint endpoint;
    uint8_t device_id[USMP_DEVICE_ID_SIZE];
    const char *key_path; /* "-": standard input; send only */
    enum key_file_format key_format;
    enum usmp_transport transport;
    uint8_t wire;
    enum usmp_cipher cipher;
    uint64_t timeout; /* microseconds, more than 0 */
    bool hex;
    bool verbose;
    char **texts; /* send: at least one, each of at most USMP_MESSAGE_MAX bytes, and with `hex` good digits */
    size_t text_count;
    uint64_t linger;      /* connect; microseconds, 0: none */
    uint64_t ping;        /* connect; microseconds, 0: never */
    uint32_t rekey_after; /* connect; messages, 0: never */
};

/* `arguments` is complete with ARGUMENTS_RUN only. May be called again (it starts getopt anew); changes the order of
 * argv as getopt does. */
enum arguments_action arguments_parse(int argc, char **argv, struct arguments *arguments)
    __attribute__((warn_unused_result));

#endif
