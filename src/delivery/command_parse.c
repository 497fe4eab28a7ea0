#include "delivery/command_parse.h"

#include <assert.h>
#include <jansson.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/device_id.h"
#include "config/units.h"

#define SHOWN_NAME_MAX 48u /* bytes of a name in a message */
#define SESSION_DIGITS 32u
#define ACKNOWLEDGE (COMMAND_LIST + 1) /* known, and refused: delivery is live */

#define OPERATION_BIT(operation) (1u << (operation))

static const struct {
    const char *name;
    unsigned operations; /* that have it */
} FIELDS[] = {
    {"op", OPERATION_BIT(COMMAND_SEND) | OPERATION_BIT(COMMAND_CLOSE) | OPERATION_BIT(COMMAND_LIST) |
               OPERATION_BIT(ACKNOWLEDGE)},
    {"ref", OPERATION_BIT(COMMAND_SEND) | OPERATION_BIT(COMMAND_CLOSE) | OPERATION_BIT(COMMAND_LIST)},
    {"device", OPERATION_BIT(COMMAND_SEND) | OPERATION_BIT(COMMAND_CLOSE)},
    {"session", OPERATION_BIT(COMMAND_SEND)},
    {"text", OPERATION_BIT(COMMAND_SEND)},
    {"base64", OPERATION_BIT(COMMAND_SEND)},
    {"ttl", OPERATION_BIT(COMMAND_SEND)},
    {"id", OPERATION_BIT(ACKNOWLEDGE)},
};

static const char *const OPERATIONS[] = {
    [COMMAND_SEND] = "send", [COMMAND_CLOSE] = "close", [COMMAND_LIST] = "list", [ACKNOWLEDGE] = "ack"};

static void free_json(json_t **value)
{
    json_decref(*value);
}

static bool __attribute__((format(printf, 2, 3))) say(struct command_mistake *mistake, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(mistake->text, sizeof mistake->text, format, arguments);
    va_end(arguments);
    assert(length >= 0 && (size_t)length < sizeof mistake->text);
    return false;
}

/* How much of a name a message shows: no character is cut. */
static int shown_length(const char *name)
{
    size_t length = strnlen(name, SHOWN_NAME_MAX);
    if (length == SHOWN_NAME_MAX) {
        while (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80)
            length--;
    }
    return (int)length;
}

/* The parser recurses: how deep is settled before it begins. */
static bool is_nested_too_deep(const char *line, size_t size)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        char character = line[i];
        if (in_string) {
            if (character == '\\')
                i++;
            else if (character == '"')
                in_string = false;
        } else if (character == '"') {
            in_string = true;
        } else if (character == '{' || character == '[') {
            if (++depth > COMMAND_NESTING_MAX)
                return true;
        } else if ((character == '}' || character == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

static void describe(const json_error_t *error, struct command_mistake *mistake)
{
    switch (json_error_code(error)) {
    case json_error_invalid_utf8:
        (void)say(mistake, "the line is not valid UTF-8");
        break;
    case json_error_duplicate_key:
        (void)say(mistake, "a field stands twice");
        break;
    default:
        (void)say(mistake, "the line is not one JSON object (byte %d)", error->position);
        break;
    }
}

static bool read_ref(const json_t *object, struct answer_ref *ref, struct command_mistake *mistake)
{
    const json_t *value = json_object_get(object, "ref");
    if (value == NULL)
        return true;
    if (!json_is_string(value) || json_string_length(value) > ANSWER_REF_MAX)
        return say(mistake, "\"ref\" has to be a string of at most %u bytes", ANSWER_REF_MAX);
    ref->given = true;
    ref->size = (uint8_t)json_string_length(value);
    memcpy(ref->bytes, json_string_value(value), ref->size);
    return true;
}

static bool read_operation(const json_t *object, unsigned *operation, struct command_mistake *mistake)
{
    const json_t *value = json_object_get(object, "op");
    const char *name = json_string_value(value);
    if (name == NULL || strlen(name) != json_string_length(value))
        return say(mistake, "\"op\" is missing or has to be a plain string");
    for (unsigned i = 0; i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++) {
        if (strcmp(name, OPERATIONS[i]) == 0) {
            *operation = i;
            return true;
        }
    }
    return say(mistake, "\"op\" is \"%.*s\"; it has to be send, close or list", shown_length(name), name);
}

static bool has_only_its_fields(json_t *object, unsigned operation, struct command_mistake *mistake)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value) {
        unsigned operations = 0;
        for (size_t i = 0; i < sizeof FIELDS / sizeof FIELDS[0]; i++) {
            if (strcmp(name, FIELDS[i].name) == 0)
                operations = FIELDS[i].operations;
        }
        if ((operations & OPERATION_BIT(operation)) == 0)
            return say(mistake, "%s has no field \"%.*s\"", OPERATIONS[operation], shown_length(name), name);
    }
    return true;
}

static bool read_device(const json_t *object, uint8_t device[static 6], struct command_mistake *mistake)
{
    const json_t *value = json_object_get(object, "device");
    if (value == NULL)
        return say(mistake, "\"device\" is missing");
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != json_string_length(value) || !config_device_id_parse(text, device))
        return say(mistake, "\"device\" has to be 12 hex digits, with or without \":\"");
    return true;
}

static bool read_session(const json_t *object, struct command_request *request, struct command_mistake *mistake)
{
    const json_t *value = json_object_get(object, "session");
    if (value == NULL)
        return true;
    size_t size = 0;
    if (!json_is_string(value) || json_string_length(value) != SESSION_DIGITS ||
        sodium_hex2bin(request->session, sizeof request->session, json_string_value(value), SESSION_DIGITS, NULL, &size,
                       NULL) != 0 ||
        size != sizeof request->session)
        return say(mistake, "\"session\" has to be %u hex digits", SESSION_DIGITS);
    request->session_given = true;
    return true;
}

static bool read_ttl(const json_t *object, struct command_request *request, struct command_mistake *mistake)
{
    const json_t *value = json_object_get(object, "ttl");
    if (value == NULL)
        return true;
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != json_string_length(value))
        return say(mistake, "\"ttl\" has to be a string such as \"10m\"");
    const char *wrong = config_units_duration(text, &request->ttl);
    if (wrong != NULL)
        return say(mistake, "\"ttl\" %s", wrong);
    if (request->ttl < COMMAND_TTL_MIN || request->ttl > COMMAND_TTL_MAX)
        return say(mistake, "\"ttl\" has to be from 100ms to 30d");
    request->ttl_given = true;
    return true;
}

static bool read_payload(const json_t *object, struct command_request *request, struct command_mistake *mistake)
{
    const json_t *text = json_object_get(object, "text");
    const json_t *base64 = json_object_get(object, "base64");
    if ((text != NULL) == (base64 != NULL))
        return say(mistake, "send takes one of \"text\" and \"base64\"");
    if (text != NULL) {
        if (!json_is_string(text))
            return say(mistake, "\"text\" has to be a string");
        request->size = json_string_length(text);
        assert(request->size <= sizeof request->payload);
        memcpy(request->payload, json_string_value(text), request->size);
        return true;
    }
    if (!json_is_string(base64) ||
        sodium_base642bin(request->payload, sizeof request->payload, json_string_value(base64),
                          json_string_length(base64), NULL, &request->size, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return say(mistake, "\"base64\" has to be a string of padded base64");
    return true;
}

static bool read_request(json_t *object, struct command_request *request, struct command_mistake *mistake)
{
    if (!json_is_object(object))
        return say(mistake, "the line is not one JSON object");
    unsigned operation = 0;
    if (!read_ref(object, &request->ref, mistake) || !read_operation(object, &operation, mistake))
        return false;
    if (!has_only_its_fields(object, operation, mistake))
        return false;
    if (operation == ACKNOWLEDGE)
        return say(mistake, "ack is for \"delivery\": \"acknowledged\"; here it is \"live\"");
    request->operation = (enum command_operation)operation;
    if (operation == COMMAND_LIST)
        return true;
    if (!read_device(object, request->device, mistake))
        return false;
    if (operation == COMMAND_CLOSE)
        return true;
    return read_session(object, request, mistake) && read_ttl(object, request, mistake) &&
           read_payload(object, request, mistake);
}

enum command_verdict command_parse(const char *line, size_t size, struct command_request *request,
                                   struct command_mistake *mistake)
{
    assert(size <= NDJSON_LINE_MAX);
    request->ref.given = false;
    request->session_given = false;
    request->ttl_given = false;
    request->size = 0;
    if (is_nested_too_deep(line, size)) {
        (void)say(mistake, "the line is nested deeper than %u", COMMAND_NESTING_MAX);
        return COMMAND_BAD;
    }
    json_error_t error;
    json_t *object __attribute__((cleanup(free_json))) =
        json_loadb(line, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (object == NULL) {
        /* Jansson says so in some places; in others it fails without a word, which no wrong line makes it do. */
        if (error.text[0] == '\0' || json_error_code(&error) == json_error_out_of_memory)
            return COMMAND_SHORT_OF_MEMORY;
        describe(&error, mistake);
        return COMMAND_BAD;
    }
    return read_request(object, request, mistake) ? COMMAND_GOOD : COMMAND_BAD;
}
