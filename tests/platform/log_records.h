#ifndef TESTS_PLATFORM_LOG_RECORDS_H
#define TESTS_PLATFORM_LOG_RECORDS_H

/* Records that the tests of all log formats write: one plain, one hostile, one as long as can be. Included after
 * cmocka.h. */

#include <string.h>

#include "platform/address.h"
#include "platform/log_record.h"

#define RECORDS_TIME_US UINT64_C(1795251600123456) /* 2026-11-21T09:00:00.123456Z */

static const uint8_t RECORDS_DEVICE[6] = {0xde, 0xad, 0xbe, 0xef, 0x00, 0x01};
static const struct address RECORDS_PEER = {{[10] = 0xff, 0xff, 192, 0, 2, 7}, 50123};
static const struct log_field RECORDS_NO_FIELDS = {.key = NULL, .type = LOG_FIELD_END};

static inline struct log_record records_plain(const struct log_field *fields)
{
    return (struct log_record){
        .level = LOG_LEVEL_INFO, .wall_us = RECORDS_TIME_US, .message = "session over udp", .fields = fields};
}

#define RECORDS_LONG_KEY "k23456789012345678901234567890z"

/* Every field and the message as long and as much in need of escaping as can be. */
struct records_longest {
    char message[2000];
    char value[2000];
    struct log_field fields[LOG_FIELDS_MAX + 1];
    struct log_record record;
};

static inline void records_make_longest(struct records_longest *longest, char letter)
{
    memset(longest->message, letter, sizeof longest->message - 1);
    longest->message[sizeof longest->message - 1] = '\0';
    memset(longest->value, letter, sizeof longest->value);
    longest->value[0] = ' ';
    for (size_t i = 0; i < LOG_FIELDS_MAX; i++)
        longest->fields[i] = log_bytes(RECORDS_LONG_KEY, longest->value, sizeof longest->value);
    longest->fields[LOG_FIELDS_MAX] = RECORDS_NO_FIELDS;
    longest->record = records_plain(longest->fields);
    longest->record.message = longest->message;
}

#endif
