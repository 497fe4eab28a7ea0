#include "platform/log_record.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "platform/address_text.h"

static const char ELLIPSIS[] = "\xe2\x80\xa6";

void log_escape_cut(log_escape *escape, const void *data, size_t count, char *text, size_t size)
{
    assert(size >= sizeof ELLIPSIS);
    if (escape(data, count, text, size) == count)
        return;
    (void)escape(data, count, text, size - (sizeof ELLIPSIS - 1));
    memcpy(text + strlen(text), ELLIPSIS, sizeof ELLIPSIS);
}

static struct log_value written(const char *scratch, int length)
{
    assert(length > 0 && length < LOG_VALUE_SIZE);
    return (struct log_value){scratch, (size_t)length};
}

struct log_value log_field_value(const struct log_field *field, char scratch[static LOG_VALUE_SIZE])
{
    switch (field->type) {
    case LOG_FIELD_BYTES:
        return (struct log_value){field->bytes.data, field->bytes.size};
    case LOG_FIELD_NUMBER:
        return written(scratch, snprintf(scratch, LOG_VALUE_SIZE, "%" PRId64, field->number));
    case LOG_FIELD_DEVICE: {
        const uint8_t *id = field->device;
        return written(scratch, snprintf(scratch, LOG_VALUE_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", id[0], id[1], id[2],
                                         id[3], id[4], id[5]));
    }
    case LOG_FIELD_ADDRESS:
        address_format(field->address, scratch);
        return (struct log_value){scratch, strlen(scratch)};
    case LOG_FIELD_END:
        break;
    }
    assert(field->type != LOG_FIELD_END);
    return (struct log_value){"", 0};
}
