#include "usmp/arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "usmp/device_id.h"
#include "usmp/help.h"
#include "usmp/hex.h"
#include "usmp/number.h"
#include "usmp/report.h"
#include "usmpd_version.h"

enum option_value {
    OPTION_LINGER = 256,
    OPTION_PING,
    OPTION_REKEY_AFTER,
    OPTION_PSK_FILE,
    OPTION_PSK_HEX_FILE,
    OPTION_CIPHER,
    OPTION_HEX,
};

/* Each command's options are a tail of one table. */
static const struct option connect_options[] = {
    {.name = "linger", .has_arg = required_argument, .val = OPTION_LINGER},
    {.name = "ping", .has_arg = required_argument, .val = OPTION_PING},
    {.name = "rekey-after", .has_arg = required_argument, .val = OPTION_REKEY_AFTER},
    {.name = "device", .has_arg = required_argument, .val = 'd'},
    {.name = "psk-file", .has_arg = required_argument, .val = OPTION_PSK_FILE},
    {.name = "psk-hex-file", .has_arg = required_argument, .val = OPTION_PSK_HEX_FILE},
    {.name = "udp", .has_arg = no_argument, .val = 'u'},
    {.name = "wire", .has_arg = required_argument, .val = 'w'},
    {.name = "cipher", .has_arg = required_argument, .val = OPTION_CIPHER},
    {.name = "timeout", .has_arg = required_argument, .val = 't'},
    {.name = "hex", .has_arg = no_argument, .val = OPTION_HEX},
    {.name = "verbose", .has_arg = no_argument, .val = 'v'},
    {.name = "help", .has_arg = no_argument, .val = 'h'},
    {.name = NULL},
};
static const struct option *const send_options = connect_options + 3;
static const struct option *const keygen_options = connect_options + 12;

struct command {
    const char *name;
    enum arguments_command command;
    const char *help;
    const char *short_options;
    const struct option *const *long_options;
};

static const struct option *const all_options = connect_options;

static const struct command commands[] = {
    {"keygen", ARGUMENTS_KEYGEN, help_of_keygen, "h", &keygen_options},
    {"send", ARGUMENTS_SEND, help_of_send, "d:uw:t:vh", &send_options},
    {"connect", ARGUMENTS_CONNECT, help_of_connect, "d:uw:t:vh", &all_options},
};

/* What is still missing, or may not come twice. */
struct seen {
    bool device;
    bool key;
};

static bool refuse(const char *value, const char *explanation)
{
    report("'%s' %s", value, explanation);
    return false;
}

static bool take_key_file(struct arguments *arguments, struct seen *seen, const char *path, enum key_file_format format)
{
    if (seen->key)
        return refuse(path, "would be a second key: one of --psk-file and --psk-hex-file, once");
    seen->key = true;
    arguments->key_path = path;
    arguments->key_format = format;
    return true;
}

static bool take_wire(struct arguments *arguments, const char *value)
{
    uint32_t wire;
    if (!number_parse_count(value, USMP_WIRE_1, USMP_WIRE_2, &wire))
        return refuse(value, "is no wire: 1 or 2");
    arguments->wire = (uint8_t)wire;
    return true;
}

static bool take_cipher(struct arguments *arguments, const char *value)
{
    if (strcmp(value, "aes-256-gcm") == 0)
        arguments->cipher = USMP_CIPHER_AES_256_GCM;
    else if (strcmp(value, "chacha20-poly1305") == 0)
        arguments->cipher = USMP_CIPHER_CHACHA20_POLY1305;
    else
        return refuse(value, "is no cipher: aes-256-gcm or chacha20-poly1305");
    return true;
}

static bool take_seconds(uint64_t *duration, const char *value)
{
    if (!number_parse_seconds(value, duration) || *duration == 0)
        return refuse(value, "is no number of seconds: more than 0, up to a year, such as 10 or 0.5");
    return true;
}

static bool take_option(struct arguments *arguments, struct seen *seen, int option, const char *value)
{
    switch (option) {
    case 'd':
        seen->device = true;
        return device_id_parse(value, arguments->device_id) ||
               refuse(value, "is no device id: 12 hex digits, with a colon between all bytes or none");
    case OPTION_PSK_FILE:
        return take_key_file(arguments, seen, value, KEY_FILE_TEXT);
    case OPTION_PSK_HEX_FILE:
        return take_key_file(arguments, seen, value, KEY_FILE_HEX);
    case 'u':
        arguments->transport = USMP_UDP;
        return true;
    case 'w':
        return take_wire(arguments, value);
    case OPTION_CIPHER:
        return take_cipher(arguments, value);
    case 't':
        return take_seconds(&arguments->timeout, value);
    case OPTION_HEX:
        arguments->hex = true;
        return true;
    case 'v':
        arguments->verbose = true;
        return true;
    case OPTION_LINGER:
        return take_seconds(&arguments->linger, value);
    case OPTION_PING:
        return take_seconds(&arguments->ping, value);
    case OPTION_REKEY_AFTER:
        return number_parse_count(value, 1, UINT32_MAX, &arguments->rekey_after) ||
               refuse(value, "is no number of messages");
    default: /* getopt has said what is wrong */
        return false;
    }
}

static bool is_message(const struct arguments *arguments, const char *text)
{
    uint8_t bytes[USMP_MESSAGE_MAX];
    size_t length = strlen(text);
    size_t size = arguments->hex ? length / 2 : length;
    if (size > USMP_MESSAGE_MAX) {
        report("a text makes a message of %zu bytes: at most %d go into one", size, USMP_MESSAGE_MAX);
        return false;
    }
    return !arguments->hex || hex_decode(text, length, bytes) || refuse(text, "is not in hex digits, two for a byte");
}

static bool take_texts(struct arguments *arguments, int count, char **texts)
{
    if (arguments->command == ARGUMENTS_CONNECT)
        return count == 0 || refuse(texts[0], "is one argument too many: messages come from standard input");
    if (count == 0) {
        report("there is no TEXT to send");
        return false;
    }
    for (int i = 0; i < count; i++) {
        if (!is_message(arguments, texts[i]))
            return false;
    }
    arguments->texts = texts;
    arguments->text_count = (size_t)count;
    return true;
}

static bool take_endpoint(struct arguments *arguments, const char *text)
{
    enum endpoint_verdict verdict = endpoint_parse(text, &arguments->endpoint);
    return verdict == ENDPOINT_GOOD || refuse(text, endpoint_explain(verdict));
}

static bool fits_together(const struct arguments *arguments, const struct seen *seen)
{
    const char *objection = NULL;
    if (!seen->device)
        objection = "--device is missing";
    else if (!seen->key)
        objection = "--psk-file or --psk-hex-file is missing";
    else if (arguments->command == ARGUMENTS_CONNECT && strcmp(arguments->key_path, "-") == 0)
        objection = "the key cannot come from standard input, where the messages come from";
    else if (arguments->wire == USMP_WIRE_1 && arguments->cipher == USMP_CIPHER_CHACHA20_POLY1305)
        objection = "chacha20-poly1305 needs wire 2";
    else if (arguments->wire == USMP_WIRE_1 && arguments->rekey_after != 0)
        objection = "--rekey-after needs wire 2";
    if (objection != NULL)
        report("%s", objection);
    return objection == NULL;
}

static bool take_rest(struct arguments *arguments, const struct seen *seen, int count, char **rest)
{
    if (arguments->command == ARGUMENTS_KEYGEN)
        return count == 0 || refuse(rest[0], "is one argument too many");
    if (count == 0) {
        report("HOST:PORT is missing");
        return false;
    }
    return take_endpoint(arguments, rest[0]) && fits_together(arguments, seen) &&
           take_texts(arguments, count - 1, rest + 1);
}

static enum arguments_action parse_command(const struct command *command, int argc, char **argv,
                                           struct arguments *arguments)
{
    *arguments = (struct arguments){
        .command = command->command,
        .transport = USMP_TCP,
        .wire = USMP_WIRE_2,
        .cipher = USMP_CIPHER_AES_256_GCM,
        .timeout = ARGUMENTS_TIMEOUT_DEFAULT,
    };
    struct seen seen = {.device = false};
    bool good = true;
    int option;
    optind = 0; /* glibc's way to begin anew */
    while (good && (option = getopt_long(argc, argv, command->short_options, *command->long_options, NULL)) != -1) {
        if (option == 'h') {
            fputs(command->help, stdout);
            return ARGUMENTS_DONE;
        }
        good = take_option(arguments, &seen, option, optarg);
    }
    if (good && take_rest(arguments, &seen, argc - optind, argv + optind))
        return ARGUMENTS_RUN;
    fprintf(stderr, "Try 'usmp %s --help'.\n", command->name);
    return ARGUMENTS_WRONG;
}

enum arguments_action arguments_parse(int argc, char **argv, struct arguments *arguments)
{
    const char *first = argc < 2 ? "" : argv[1];
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        fputs(help_of_program, stdout);
        return ARGUMENTS_DONE;
    }
    if (strcmp(first, "--version") == 0) {
        puts("usmp " USMPD_VERSION);
        return ARGUMENTS_DONE;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(first, commands[i].name) == 0) {
            argv[1] = argv[0]; /* getopt names the program in its messages */
            return parse_command(&commands[i], argc - 1, argv + 1, arguments);
        }
    }
    if (argc < 2)
        report("a command is missing: keygen, send or connect");
    else
        report("'%s' is no command: keygen, send or connect", first);
    fputs("Try 'usmp --help'.\n", stderr);
    return ARGUMENTS_WRONG;
}
