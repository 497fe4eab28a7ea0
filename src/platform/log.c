#include "platform/log.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/log_journal.h"
#include "platform/log_json.h"
#include "platform/log_output.h"
#include "platform/log_text.h"

#define NOT_OPEN (-1)

struct log {
    enum log_format format; /* not AUTO */
    enum log_text_head text_head;
    struct log_output output;
    int journal; /* NOT_OPEN but for LOG_FORMAT_JOURNAL */
    struct clock_text_cache clock_text;
    log_sink *sink;
    void *sink_context;
    uint64_t dropped;
    uint64_t dropped_unreported;
};

static const struct log LOG_AT_START = {
    .format = LOG_FORMAT_TEXT,
    .output = {.descriptor = STDERR_FILENO},
    .journal = NOT_OPEN,
};

static struct log log_state = {
    .format = LOG_FORMAT_TEXT,
    .output = {.descriptor = STDERR_FILENO},
    .journal = NOT_OPEN,
};
static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int log_maximum = LOG_LEVEL_INFO;

static void close_journal(void)
{
    if (log_state.journal != NOT_OPEN)
        (void)close(log_state.journal);
    log_state.journal = NOT_OPEN;
}

void log_configure(enum log_level level, enum log_format format)
{
    (void)pthread_mutex_lock(&log_mutex);
    log_output_open(&log_state.output, STDERR_FILENO);
    bool read_by_journal = log_output_is_journal_stream(&log_state.output);
    if (format == LOG_FORMAT_AUTO)
        format = read_by_journal ? LOG_FORMAT_JOURNAL : LOG_FORMAT_TEXT;
    log_state.format = format;
    log_state.text_head = read_by_journal ? LOG_TEXT_HEAD_PRIORITY : LOG_TEXT_HEAD_TIME;
    close_journal();
    if (format == LOG_FORMAT_JOURNAL)
        log_state.journal = log_journal_open();
    atomic_store(&log_maximum, (int)level);
    (void)pthread_mutex_unlock(&log_mutex);
}

void log_divert(log_sink *sink, void *context)
{
    (void)pthread_mutex_lock(&log_mutex);
    log_state.sink = sink;
    log_state.sink_context = context;
    (void)pthread_mutex_unlock(&log_mutex);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&log_maximum, memory_order_relaxed);
}

static bool write_line(const struct log_record *record)
{
    struct log_line line;
    line.length = 0;
    if (log_state.format == LOG_FORMAT_JSON)
        log_json_format(record, &log_state.clock_text, &line);
    else
        log_text_format(record, log_state.text_head, &log_state.clock_text, &line);
    return log_output_write(&log_state.output, line.text, line.length);
}

/* Whether it was taken. */
static bool write_record(const struct log_record *record)
{
    if (log_state.journal == NOT_OPEN)
        return write_line(record);
    struct log_line datagram;
    datagram.length = 0;
    log_journal_format(record, &datagram);
    switch (log_journal_send(log_state.journal, LOG_JOURNAL_PATH, &datagram)) {
    case LOG_JOURNAL_SENT:
        return true;
    case LOG_JOURNAL_FULL:
        return false;
    case LOG_JOURNAL_ABSENT:
        break;
    }
    return write_line(record);
}

static bool report_dropped(uint64_t wall_us)
{
    struct log_record record = {
        .level = LOG_LEVEL_WARN,
        .wall_us = wall_us,
        .message = "log messages dropped because nobody took them",
        .fields = LOG_FIELDS(log_number("count", (int64_t)log_state.dropped_unreported)),
    };
    return write_record(&record);
}

static void write_or_count(const struct log_record *record)
{
    if (log_state.sink != NULL) {
        log_state.sink(log_state.sink_context, record);
        return;
    }
    if (log_state.dropped_unreported > 0 && report_dropped(record->wall_us))
        log_state.dropped_unreported = 0;
    if (log_state.dropped_unreported > 0 || !write_record(record)) {
        log_state.dropped++;
        log_state.dropped_unreported++;
    }
}

static void check_fields(const struct log_field *fields)
{
    size_t count = 0;
    for (; fields[count].type != LOG_FIELD_END; count++)
        assert(strlen(fields[count].key) < LOG_KEY_SIZE);
    assert(count <= LOG_FIELDS_MAX);
}

static void __attribute__((format(printf, 3, 0)))
write_formatted(enum log_level level, const struct log_field *fields, const char *format, va_list arguments)
{
    static const struct log_field NO_FIELDS = {.key = NULL, .type = LOG_FIELD_END};
    /* One byte more than a message may have, so that one that is cut here is cut once more with its ellipsis. */
    char message[LOG_MESSAGE_SIZE + 1];
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        return;
    struct log_record record = {
        .level = level,
        .wall_us = clock_wall_us(),
        .message = message,
        .fields = fields != NULL ? fields : &NO_FIELDS,
    };
    check_fields(record.fields);
    (void)pthread_mutex_lock(&log_mutex);
    write_or_count(&record);
    (void)pthread_mutex_unlock(&log_mutex);
}

void log_write(enum log_level level, const struct log_field *fields, const char *format, ...)
{
    if (!log_enabled(level))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_formatted(level, fields, format, arguments);
    va_end(arguments);
}

void log_write_limited(struct log_limit *limit, uint64_t now_us, const struct log_field *fields, const char *format,
                       ...)
{
    if (!log_enabled(limit->level))
        return;
    log_settle(limit, now_us);
    if (!log_limit_take(limit, now_us))
        return;
    va_list arguments;
    va_start(arguments, format);
    write_formatted(limit->level, fields, format, arguments);
    va_end(arguments);
}

void log_settle(struct log_limit *limit, uint64_t now_us)
{
    uint64_t suppressed = log_limit_report(limit, now_us);
    if (suppressed > 0)
        log_write(limit->level, LOG_FIELDS(log_string("kind", limit->kind)),
                  "%ju further messages of this kind suppressed", (uintmax_t)suppressed);
}

uint64_t log_dropped(void)
{
    (void)pthread_mutex_lock(&log_mutex);
    uint64_t dropped = log_state.dropped;
    (void)pthread_mutex_unlock(&log_mutex);
    return dropped;
}

void log_close(void)
{
    (void)pthread_mutex_lock(&log_mutex);
    close_journal();
    log_state = LOG_AT_START;
    atomic_store(&log_maximum, LOG_LEVEL_INFO);
    (void)pthread_mutex_unlock(&log_mutex);
}
