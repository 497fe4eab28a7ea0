#include "config/value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/list.h"
#include "config/scalar.h"
#include "config/secret.h"
#include "config/units.h"

_Static_assert(sizeof(enum config_udp_cookie) == sizeof(unsigned), "a choice is stored as an unsigned");
_Static_assert(sizeof(struct config_secret) <= sizeof(union config_value), "room for every type");

static bool read_count(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                       void *value)
{
    const char *text = config_scalar_plain(reading, node, "a whole number");
    if (text == NULL) {
        return false;
    }
    uint32_t number = CONFIG_WORKERS_AUTO;
    if (key->type != CONFIG_TYPE_WORKERS || strcmp(text, "auto") != 0) {
        uint64_t parsed;
        const char *wrong = config_units_count(text, &parsed);
        if (wrong != NULL) {
            config_scalar_wrong(reading, node, wrong);
            return false;
        }
        if (parsed < key->least || parsed > key->most) {
            config_reading_error(reading, node, "%s is out of range (%" PRIu64 " to %" PRIu64 ")", text, key->least,
                                 key->most);
            return false;
        }
        number = (uint32_t)parsed;
    }
    memcpy(value, &number, sizeof number);
    return true;
}

static bool read_duration(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                          void *value)
{
    const char *text = config_scalar_text(reading, node);
    if (text == NULL) {
        return false;
    }
    uint64_t parsed;
    const char *wrong = config_units_duration(text, &parsed);
    if (wrong != NULL) {
        config_scalar_wrong(reading, node, wrong);
        return false;
    }
    bool off = parsed == 0 && key->least == 0;
    if (!off && (parsed < CONFIG_DURATION_MIN || parsed > key->most)) {
        char least[CONFIG_UNITS_TEXT];
        char most[CONFIG_UNITS_TEXT];
        config_units_format_duration(CONFIG_DURATION_MIN, least);
        config_units_format_duration(key->most, most);
        config_reading_error(reading, node, "%s is out of range (%s%s to %s)", text,
                             key->least == 0 ? "0 for off, or " : "", least, most);
        return false;
    }
    memcpy(value, &parsed, sizeof parsed);
    return true;
}

static bool read_size(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                      void *value)
{
    const char *text = config_scalar_text(reading, node);
    if (text == NULL) {
        return false;
    }
    uint64_t parsed;
    const char *wrong = config_units_size(text, &parsed);
    if (wrong != NULL) {
        config_scalar_wrong(reading, node, wrong);
        return false;
    }
    if (parsed < key->least || parsed > key->most) {
        char least[CONFIG_UNITS_TEXT];
        char most[CONFIG_UNITS_TEXT];
        config_units_format_size(key->least, least);
        config_units_format_size(key->most, most);
        config_reading_error(reading, node, "%s is out of range (%s to %s)", text, least, most);
        return false;
    }
    memcpy(value, &parsed, sizeof parsed);
    return true;
}

static bool read_mode(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                      void *value)
{
    (void)key;
    const char *text = config_scalar_text(reading, node);
    if (text == NULL) {
        return false;
    }
    mode_t mode;
    const char *wrong = config_units_mode(text, &mode);
    if (wrong != NULL) {
        config_scalar_wrong(reading, node, wrong);
        return false;
    }
    memcpy(value, &mode, sizeof mode);
    return true;
}

static bool read_boolean(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                         void *value)
{
    (void)key;
    const char *text = config_scalar_plain(reading, node, "true or false");
    if (text == NULL) {
        return false;
    }
    bool parsed;
    const char *wrong = config_units_boolean(text, &parsed);
    if (wrong != NULL) {
        config_scalar_wrong(reading, node, wrong);
        return false;
    }
    memcpy(value, &parsed, sizeof parsed);
    return true;
}

static void list_choices(const struct config_choice *choices, char *text, size_t size)
{
    size_t used = 0;
    for (const struct config_choice *choice = choices; choice->name != NULL && used < size; choice++) {
        used += (size_t)snprintf(text + used, size - used, "%s%s", choice == choices ? "" : ", ", choice->name);
    }
}

static bool read_choice(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                        void *value)
{
    const char *text = config_scalar_text(reading, node);
    if (text == NULL) {
        return false;
    }
    for (const struct config_choice *choice = key->choices; choice->name != NULL; choice++) {
        if (strcmp(choice->name, text) == 0) {
            memcpy(value, &choice->value, sizeof choice->value);
            return true;
        }
    }
    char names[128];
    list_choices(key->choices, names, sizeof names);
    config_reading_error(reading, node, "\"%.60s\" is none of: %s", text, names);
    return false;
}

static bool read_text(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                      void *value)
{
    const char *text = key->type == CONFIG_TYPE_PATH ? config_scalar_path(reading, node, key->least, key->most)
                                                     : config_scalar_copy(reading, node, key->least, key->most);
    if (text == NULL) {
        return false;
    }
    static const char name_letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    if (key->type == CONFIG_TYPE_NAME && text[strspn(text, name_letters)] != '\0') {
        config_scalar_wrong(reading, node, "has other characters than letters, digits, '_', '.' and '-'");
        return false;
    }
    memcpy(value, &text, sizeof text);
    return true;
}

static bool read_versions(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                          void *value)
{
    (void)key;
    if (node->kind != YAML_SEQUENCE || node->length == 0) {
        config_reading_error(reading, node, "expected a list of at least one of 1 and 2, such as [1, 2]");
        return false;
    }
    uint8_t versions = 0;
    size_t index = 0;
    bool fine = true;
    for (const struct yaml_node *item = node->first; item != NULL; item = item->next, index++) {
        size_t back = config_reading_enter(reading, "[%zu]", index);
        const char *text = config_scalar_plain(reading, item, "1 or 2");
        uint8_t bit = 0;
        if (text != NULL && strcmp(text, "1") == 0) {
            bit = CONFIG_WIRE_BIT(1);
        } else if (text != NULL && strcmp(text, "2") == 0) {
            bit = CONFIG_WIRE_BIT(2);
        } else if (text != NULL) {
            config_scalar_wrong(reading, item, "is no wire version: 1 or 2");
        }
        if (bit != 0 && (versions & bit) != 0) {
            config_reading_error(reading, item, "%s stands here a second time", text);
            fine = false;
        }
        fine = fine && bit != 0;
        versions |= bit;
        config_reading_leave(reading, back);
    }
    if (fine) {
        memcpy(value, &versions, sizeof versions);
    }
    return fine;
}

bool config_value_read(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                       void *value)
{
    switch (key->type) {
    case CONFIG_TYPE_COUNT:
    case CONFIG_TYPE_WORKERS:
        return read_count(reading, key, node, value);
    case CONFIG_TYPE_DURATION:
        return read_duration(reading, key, node, value);
    case CONFIG_TYPE_SIZE:
        return read_size(reading, key, node, value);
    case CONFIG_TYPE_MODE:
        return read_mode(reading, key, node, value);
    case CONFIG_TYPE_BOOLEAN:
        return read_boolean(reading, key, node, value);
    case CONFIG_TYPE_CHOICE:
        return read_choice(reading, key, node, value);
    case CONFIG_TYPE_TEXT:
    case CONFIG_TYPE_NAME:
    case CONFIG_TYPE_PATH:
        return read_text(reading, key, node, value);
    case CONFIG_TYPE_VERSIONS:
        return read_versions(reading, key, node, value);
    case CONFIG_TYPE_SECRET:
        return config_secret_read(reading, key, node, value);
    default:
        assert(config_list_is(key->type));
        return config_list_read(reading, key, node, value);
    }
}

static bool holds_text(enum config_type type)
{
    return type == CONFIG_TYPE_TEXT || type == CONFIG_TYPE_NAME || type == CONFIG_TYPE_PATH;
}

bool config_value_equal(const struct config_key *key, const void *one, const void *other)
{
    assert(key->type != CONFIG_TYPE_SECRET && key->type != CONFIG_TYPE_BACKENDS);
    if (holds_text(key->type)) {
        const char *const *a = one;
        const char *const *b = other;
        return strcmp(*a, *b) == 0;
    }
    if (config_list_is(key->type)) {
        return config_list_equal(key, one, other);
    }
    return memcmp(one, other, config_type_size(key->type)) == 0;
}

bool config_value_copy(const struct config_key *key, struct config_arena *memory, const void *from, void *to)
{
    assert(key->type != CONFIG_TYPE_SECRET && key->type != CONFIG_TYPE_BACKENDS);
    if (holds_text(key->type)) {
        const char *const *text = from;
        const char *copy = config_arena_copy(memory, *text, strlen(*text));
        if (copy == NULL) {
            return false;
        }
        memcpy(to, &copy, sizeof copy);
        return true;
    }
    if (config_list_is(key->type)) {
        return config_list_copy(key, memory, from, to);
    }
    memcpy(to, from, config_type_size(key->type));
    return true;
}
