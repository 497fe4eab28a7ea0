/* What is written for others to read, with bytes of devices in it: events for backends, log lines in text and JSON,
 * escaped text. jansson, which had no part in writing them, reads the JSON back: the payload must be what it was, and no
 * line may hold a character that moves a terminal's cursor or begins another line (docs/security.md rule 25).
 *
 * The first byte of the input chooses, the rest are the device's bytes.
 */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "delivery/event_ndjson.h"
#include "gateway/require.h"
#include "platform/escape.h"
#include "platform/log_json.h"
#include "platform/log_text.h"
#include "platform/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One line, printable from its beginning to its newline, whatever UTF-8 it has. */
static void check_line(const char *line, size_t size)
{
    require(size > 0 && line[size - 1] == '\n');
    size_t at = 0;
    while (at + 1 < size) {
        uint32_t point = 0;
        size_t length = utf8_decode((const uint8_t *)line + at, size - 1 - at, &point);
        require(length > 0 && point >= 0x20 && (point < 0x7F || point > 0x9F));
        require(point != 0x2028 && point != 0x2029 && !(point >= 0x202A && point <= 0x202E) &&
                !(point >= 0x2066 && point <= 0x2069) && point != 0x200E && point != 0x200F && point != 0x061C);
        at += length;
    }
}

static json_t *read_json(const char *line, size_t size)
{
    json_error_t error;
    json_t *json = json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    require(json != NULL && json_is_object(json));
    return json;
}

static int value_of(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *place = strchr(digits, digit);
    return digit == '\0' || place == NULL ? -1 : (int)(place - digits);
}

static void check_base64(const char *text, const uint8_t *bytes, size_t size)
{
    size_t length = strlen(text);
    require(length == (size + 2) / 3 * 4);
    for (size_t index = 0; index < size; index++) {
        size_t bit = index * 8;
        int high = value_of(text[bit / 6]);
        int low = value_of(text[bit / 6 + 1]);
        require(high >= 0 && low >= 0);
        unsigned both = (unsigned)high << 6 | (unsigned)low;
        require((both >> (4 - bit % 6) & 0xFF) == bytes[index]);
    }
}

static void write_event(const uint8_t *bytes, size_t size, bool always_base64)
{
    struct event_ndjson encoder = {.always_base64 = always_base64};
    struct seam_event event = {.kind = SEAM_MESSAGE, .backends = 1, .size = (uint16_t)size, .time = 1};
    static char line[EVENT_NDJSON_LINE_MAX];
    size_t length = event_ndjson_write(&encoder, 7, &event, bytes, line);
    require(length <= sizeof line);
    check_line(line, length);
    json_t *json = read_json(line, length);
    const json_t *text = json_object_get(json, "text");
    const json_t *base64 = json_object_get(json, "base64");
    require((text != NULL) != (base64 != NULL));
    require((text != NULL) == (!always_base64 && utf8_is_valid(bytes, size)));
    if (text != NULL)
        require(json_string_length(text) == size && memcmp(json_string_value(text), bytes, size) == 0);
    else
        check_base64(json_string_value(base64), bytes, size);
    json_decref(json);
}

static void write_log(const uint8_t *bytes, size_t size)
{
    struct clock_text_cache cache = {0};
    char *message = malloc(size + 1);
    require(message != NULL);
    memcpy(message, bytes, size);
    message[size] = '\0';
    const struct log_field fields[] = {log_bytes("from", bytes, size),
                                       log_string("again", message),
                                       log_number("number", -3),
                                       {.type = LOG_FIELD_END}};
    const struct log_record record = {.level = LOG_LEVEL_WARN, .message = message, .fields = fields};
    struct log_line line = {0};
    log_text_format(&record, LOG_TEXT_HEAD_TIME, &cache, &line);
    check_line(line.text, line.length);
    line.length = 0;
    log_json_format(&record, &cache, &line);
    check_line(line.text, line.length);
    json_t *json = read_json(line.text, line.length);
    require(json_integer_value(json_object_get(json, "number")) == -3);
    /* What fits whole and is UTF-8 is the same string again. */
    if (size < 40 && utf8_is_valid(bytes, size)) {
        const json_t *from = json_object_get(json, "from");
        require(json_string_length(from) == size && memcmp(json_string_value(from), bytes, size) == 0);
    }
    json_decref(json);
    free(message);
}

static void escape(const uint8_t *bytes, size_t size, size_t room)
{
    static size_t (*const functions[])(const void *, size_t, char *, size_t) = {escape_text, escape_quoted,
                                                                                escape_json};
    for (size_t index = 0; index < sizeof functions / sizeof *functions; index++) {
        char *text = malloc(room + 1);
        require(text != NULL);
        size_t taken = functions[index](bytes, size, text, room);
        size_t length = strlen(text);
        require(taken <= size && length < room);
        text[length] = '\n';
        check_line(text, length + 1);
        free(text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > SEAM_PAYLOAD_MAX)
        return 0;
    uint8_t *bytes = malloc(size);
    require(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    switch (data[0] % 4) {
    case 0:
    case 1:
        write_event(bytes, size - 1, data[0] % 4 == 1);
        break;
    case 2:
        write_log(bytes, size - 1);
        break;
    default:
        escape(bytes, size - 1, 1 + data[0] / 4u);
        break;
    }
    free(bytes);
    return 0;
}
