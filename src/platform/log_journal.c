#include "platform/log_journal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "platform/escape.h"
#include "platform/log_text.h"

#define FIELD_PREFIX "USMPD_"

int log_journal_open(void)
{
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static void append_field(const struct log_field *field, struct log_line *datagram)
{
    char scratch[LOG_VALUE_SIZE];
    struct log_value value = log_field_value(field, scratch);
    log_line_append(datagram, FIELD_PREFIX);
    for (const char *letter = field->key; *letter != '\0'; letter++) {
        char upper = *letter >= 'a' && *letter <= 'z' ? (char)(*letter - 'a' + 'A') : *letter;
        log_line_append_bytes(datagram, &upper, 1);
    }
    log_line_append(datagram, "=");
    log_line_append_escaped(datagram, escape_text, value.data, value.size, LOG_VALUE_SIZE);
    log_line_append(datagram, "\n");
}

void log_journal_format(const struct log_record *record, struct log_line *datagram)
{
    /* Escaped values have no newline, so the simple form KEY=value serves for all of them. */
    log_line_append(datagram, "MESSAGE=");
    log_text_append_body(record, datagram);
    const char priority = (char)('0' + log_level_priority(record->level));
    log_line_append(datagram, "\nPRIORITY=");
    log_line_append_bytes(datagram, &priority, 1);
    log_line_append(datagram, "\nSYSLOG_IDENTIFIER=usmpd\n");
    for (const struct log_field *field = record->fields; field->type != LOG_FIELD_END; field++)
        append_field(field, datagram);
}

enum log_journal_verdict log_journal_send(int descriptor, const char *path, const struct log_line *datagram)
{
    struct sockaddr_un journal = {.sun_family = AF_UNIX};
    assert(strlen(path) < sizeof journal.sun_path);
    memcpy(journal.sun_path, path, strlen(path) + 1);
    /* Addressed anew each time: a journal that was restarted on a new socket is found again. */
    ssize_t sent = sendto(descriptor, datagram->text, datagram->length, MSG_DONTWAIT | MSG_NOSIGNAL,
                          (const struct sockaddr *)&journal, sizeof journal);
    if (sent >= 0)
        return LOG_JOURNAL_SENT;
    return errno == EAGAIN || errno == ENOBUFS ? LOG_JOURNAL_FULL : LOG_JOURNAL_ABSENT;
}
