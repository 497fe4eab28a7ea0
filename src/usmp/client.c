#include "usmp/client.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/secret_memory.h"
#include "usmp/dial.h"
#include "usmp/hex.h"
#include "usmp/key_file.h"
#include "usmp/line_source.h"
#include "usmp/report.h"
#include "usmp/talk.h"
#include "usmp/text_source.h"

static struct link_identity *identify(const struct arguments *arguments)
{
    struct link_identity *identity = secret_memory_allocate(sizeof *identity, SECRET_MEMORY_KEYS);
    if (identity == NULL) {
        report("out of memory");
        return NULL;
    }
    identity->transport = arguments->transport;
    identity->wire = arguments->wire;
    identity->cipher = arguments->cipher;
    identity->timeout = arguments->timeout;
    memcpy(identity->device_id, arguments->device_id, sizeof identity->device_id);
    if (key_file_read(arguments->key_path, arguments->key_format, &identity->psk))
        return identity;
    secret_memory_free(identity);
    return NULL;
}

/* The key is needed, and there, for the handshake only. */
static bool open_session(const struct arguments *arguments, struct link *link)
{
    struct link_identity *identity = identify(arguments);
    bool is_open = identity != NULL && dial(&arguments->endpoint, identity, link);
    secret_memory_free(identity);
    if (is_open && arguments->verbose) {
        char session_id[2 * USMP_SESSION_ID_SIZE + 1] = {0};
        hex_encode(link->device.session.session_id, USMP_SESSION_ID_SIZE, session_id);
        report("connected to %s over %s, wire %d, session %s", link->address,
               arguments->transport == USMP_UDP ? "UDP" : "TCP", arguments->wire, session_id);
    }
    return is_open;
}

static bool run(const struct arguments *arguments, struct talk *talk, struct source *source)
{
    struct link_receiver receiver = talk_receiver(talk);
    struct link *link = link_create(&receiver);
    if (link == NULL) {
        report("out of memory");
        return false;
    }
    bool good = open_session(arguments, link) && talk_run(talk, link, source);
    link_destroy(link);
    return good;
}

static struct talk_options options_of(const struct arguments *arguments)
{
    return (struct talk_options){
        .timeout = arguments->timeout,
        .linger = arguments->linger,
        .ping = arguments->ping,
        .rekey_after = arguments->rekey_after,
        .to_the_end = arguments->command == ARGUMENTS_SEND,
        .verbose = arguments->verbose,
    };
}

static bool send_texts(const struct arguments *arguments)
{
    struct talk_options options = options_of(arguments);
    struct talk talk;
    talk_init(&talk, NULL, &options);
    struct text_source texts;
    text_source_init(&texts, arguments->texts, arguments->text_count, arguments->hex);
    return run(arguments, &talk, &texts.source);
}

static enum printer_style style_of(const struct arguments *arguments)
{
    if (arguments->hex)
        return PRINTER_HEX;
    return isatty(STDOUT_FILENO) ? PRINTER_ESCAPED : PRINTER_RAW;
}

static bool connect_lines(const struct arguments *arguments)
{
    struct talk_options options = options_of(arguments);
    struct printer printer;
    printer_init(&printer, STDOUT_FILENO, style_of(arguments));
    struct talk talk;
    talk_init(&talk, &printer, &options);
    struct line_source lines;
    line_source_init(&lines, STDIN_FILENO, arguments->hex);
    return run(arguments, &talk, &lines.source);
}

int client_run(const struct arguments *arguments)
{
    (void)signal(SIGPIPE, SIG_IGN); /* a reader that has gone is an error to report, after BYE */
    bool good = arguments->command == ARGUMENTS_SEND ? send_texts(arguments) : connect_lines(arguments);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
