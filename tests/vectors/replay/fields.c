#include "vectors/replay/fields.h"

#include <sodium.h>

bool replay_element(struct replay_report *report, const json_t *element, const char *list, uint8_t *out, size_t room,
                    size_t *size)
{
    if (!json_is_string(element))
        return replay_report_differs(report, "%s is not a string", list);
    const char *text = json_string_value(element);
    size_t length = json_string_length(element);
    if (length % 2 != 0)
        return replay_report_differs(report, "%s has an odd number of hex digits", list);
    if (length / 2 > room)
        return replay_report_differs(report, "%s has %zu bytes, at most %zu are possible", list, length / 2, room);
    const char *end = NULL;
    (void)sodium_hex2bin(out, room, text, length, NULL, NULL, &end);
    if (end != text + length)
        return replay_report_differs(report, "%s is not hex at character %td", list, end - text);
    *size = length / 2;
    return true;
}

static bool member_is(struct replay_report *report, const json_t *object, const char *member, json_type type,
                      const char *type_name, const json_t **out)
{
    const json_t *value = json_object_get(object, member);
    if (value == NULL)
        return replay_report_differs(report, "there is no %s", member);
    if (json_typeof(value) != type)
        return replay_report_differs(report, "%s is not a %s", member, type_name);
    *out = value;
    return true;
}

bool replay_bytes_up_to(struct replay_report *report, const json_t *object, const char *member, uint8_t *out,
                        size_t room, size_t *size)
{
    const json_t *value = NULL;
    return member_is(report, object, member, JSON_STRING, "string", &value) &&
           replay_element(report, value, member, out, room, size);
}

bool replay_bytes(struct replay_report *report, const json_t *object, const char *member, uint8_t *out, size_t size)
{
    size_t found = 0;
    if (!replay_bytes_up_to(report, object, member, out, size, &found))
        return false;
    if (found != size)
        return replay_report_differs(report, "%s has %zu bytes, not %zu", member, found, size);
    return true;
}

bool replay_number(struct replay_report *report, const json_t *object, const char *member, uint32_t most, uint32_t *out)
{
    const json_t *value = NULL;
    if (!member_is(report, object, member, JSON_INTEGER, "whole number", &value))
        return false;
    json_int_t number = json_integer_value(value);
    if (number < 0 || number > (json_int_t)most)
        return replay_report_differs(report, "%s is out of range", member);
    *out = (uint32_t)number;
    return true;
}

bool replay_text(struct replay_report *report, const json_t *object, const char *member, const char **out)
{
    const json_t *value = NULL;
    if (!member_is(report, object, member, JSON_STRING, "string", &value))
        return false;
    *out = json_string_value(value);
    return true;
}

bool replay_list(struct replay_report *report, const json_t *object, const char *member, const json_t **out)
{
    const json_t *value = NULL;
    if (!member_is(report, object, member, JSON_ARRAY, "list", &value))
        return false;
    if (json_array_size(value) == 0)
        return replay_report_differs(report, "%s is empty", member);
    *out = value;
    return true;
}
