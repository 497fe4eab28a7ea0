#include "registry/device_entry.h"

#include <string.h>

#include "registry/date.h"
#include "registry/setting_entry.h"
#include "registry/settings.h"
#include "registry/unknown_key.h"

_Static_assert(REGISTRY_KEYS_PER_DEVICE == 4, "the message says so");

enum field {
    FIELD_PSK,
    FIELD_PSK_HEX,
    FIELD_UNTIL,
    FIELD_NOTE,
    FIELDS_OF_A_KEY, /* those that each item of a list has; the others are of the device */
    FIELD_REVOKED = FIELDS_OF_A_KEY,
    FIELD_SESSION_TIMEOUT,
    FIELD_MAX_DOWNLINK,
    FIELD_WIRE,
    FIELD_V1_DOWNLINK,
    FIELD_CIPHER,
    FIELDS,
};

static const char *const field_names[FIELDS] = {
    [FIELD_PSK] = "psk",
    [FIELD_PSK_HEX] = "psk_hex",
    [FIELD_UNTIL] = "until",
    [FIELD_NOTE] = "note",
    [FIELD_REVOKED] = "revoked",
    [FIELD_SESSION_TIMEOUT] = "session_timeout",
    [FIELD_MAX_DOWNLINK] = "max_downlink",
    [FIELD_WIRE] = "wire",
    [FIELD_V1_DOWNLINK] = "v1_downlink",
    [FIELD_CIPHER] = "cipher",
};

typedef void read_setting(const struct registry_entry_source *source, const struct yaml_node *node,
                          struct registry_device *device);

static read_setting *const setting_readers[FIELDS] = {
    [FIELD_NOTE] = registry_setting_note,
    [FIELD_REVOKED] = registry_setting_revoked,
    [FIELD_SESSION_TIMEOUT] = registry_setting_session_timeout,
    [FIELD_MAX_DOWNLINK] = registry_setting_max_downlink,
    [FIELD_WIRE] = registry_setting_wire,
    [FIELD_V1_DOWNLINK] = registry_setting_v1_downlink,
    [FIELD_CIPHER] = registry_setting_cipher,
};

/* The values of one mapping by field; NULL where a field is not given. */
struct fields {
    const struct yaml_node *given[FIELDS];
};

static enum field find_field(const char *name)
{
    for (enum field field = 0; field < FIELDS; field++) {
        if (strcmp(field_names[field], name) == 0) {
            return field;
        }
    }
    return FIELDS;
}

static struct fields collect_fields(const struct registry_entry_source *source, const struct yaml_node *mapping)
{
    struct fields fields = {.given = {NULL}};
    for (const struct yaml_node *child = mapping->first; child != NULL; child = child->next) {
        enum field field = find_field(child->key);
        if (field == FIELDS) {
            registry_unknown_key(source, child, field_names, FIELDS);
        } else {
            fields.given[field] = child;
        }
    }
    return fields;
}

static bool has_key(const struct fields *fields)
{
    return fields->given[FIELD_PSK] != NULL || fields->given[FIELD_PSK_HEX] != NULL;
}

static bool read_until(const struct registry_entry_source *source, const struct fields *fields, int32_t *until)
{
    const struct yaml_node *node = fields->given[FIELD_UNTIL];
    if (node == NULL) {
        *until = REGISTRY_NO_EXPIRY;
        return true;
    }
    static const char expected[] = "a day of the calendar such as 2027-01-31";
    const char *text = registry_entry_text(source, node, expected);
    if (text == NULL) {
        return false;
    }
    if (!registry_date_parse(text, strlen(text), until)) {
        registry_entry_error(source, node, "must be %s", expected);
        return false;
    }
    return true;
}

static void add_key(struct registry_entry_reader *reader, const struct registry_entry_source *source,
                    const struct yaml_node *entry, const struct registry_psk *psk, int32_t until,
                    struct registry_device *device)
{
    if (!registry_keys_add(reader->keys, psk->bytes, psk->size, until)) {
        registry_entry_error_at(source, entry, NULL, "cannot be kept: out of memory");
        reader->memory_short = true;
        return;
    }
    device->key_count = (device->key_count + 1u) & 7u;
}

static void read_key(struct registry_entry_reader *reader, const struct registry_entry_source *source,
                     const struct yaml_node *entry, const struct fields *fields, struct registry_device *device)
{
    int32_t until;
    bool right = read_until(source, fields, &until);
    if (!has_key(fields)) {
        if (fields->given[FIELD_UNTIL] != NULL) {
            registry_entry_error(source, fields->given[FIELD_UNTIL], "has no psk or psk_hex beside it to end");
        }
        return;
    }
    struct registry_psk psk;
    right = registry_psk_read(source, fields->given[FIELD_PSK], fields->given[FIELD_PSK_HEX], device->id,
                              reader->allow_development_psk, &reader->psk_notices, &psk) &&
            right;
    if (right) {
        add_key(reader, source, entry, &psk, until, device);
    }
    registry_psk_wipe(&psk);
}

static void read_settings(const struct registry_entry_source *source, const struct fields *fields, enum field first,
                          enum field end, struct registry_device *device)
{
    for (enum field field = first; field < end; field++) {
        if (fields->given[field] != NULL && setting_readers[field] != NULL) {
            setting_readers[field](source, fields->given[field], device);
        }
    }
}

static void look_at_settings(struct registry_entry_reader *reader, const struct registry_entry_source *source,
                             const struct fields *fields, const struct registry_device *device)
{
    bool speaks_wire_1 = device->wires == 0 || (device->wires & REGISTRY_WIRE_BIT(1)) != 0;
    if (device->v1_downlink == REGISTRY_V1_DOWNLINK_ON && speaks_wire_1) {
        registry_notice_add(&reader->v1_downlink, source, fields->given[FIELD_V1_DOWNLINK]);
    }
    if (device->cipher != REGISTRY_CIPHER_AUTO && device->wires == REGISTRY_WIRE_BIT(1)) {
        registry_entry_warning(source, fields->given[FIELD_CIPHER], "has no effect: wire 1 has one cipher only");
    }
}

static void read_mapping(struct registry_entry_reader *reader, const struct registry_entry_source *source,
                         const struct yaml_node *entry, struct registry_device *device)
{
    struct fields fields = collect_fields(source, entry);
    read_key(reader, source, entry, &fields, device);
    read_settings(source, &fields, 0, FIELDS, device);
    look_at_settings(reader, source, &fields, device);
}

/* Moves settings from an item of a list to those of the device. */
static void join_settings(const struct registry_entry_source *source, const struct fields *item,
                          struct fields *device_fields)
{
    for (enum field field = FIELDS_OF_A_KEY; field < FIELDS; field++) {
        const struct yaml_node *node = item->given[field];
        if (node == NULL) {
            continue;
        }
        if (field == FIELD_REVOKED) {
            registry_entry_error(source, node,
                                 "is said of a whole device: write { revoked: true } in place of the list, or take "
                                 "this key out of it");
        } else if (device_fields->given[field] != NULL) {
            registry_entry_error(source, node, "is of the whole device and stands in line %u too",
                                 device_fields->given[field]->line);
        } else {
            device_fields->given[field] = node;
        }
    }
}

static void read_list(struct registry_entry_reader *reader, const struct registry_entry_source *source,
                      const struct yaml_node *entry, struct registry_device *device)
{
    if (entry->length == 0) {
        registry_entry_error_at(source, entry, NULL,
                                "is an empty list: write {} for a device without a key of its own");
        return;
    }
    struct fields device_fields = {.given = {NULL}};
    unsigned keys = 0;
    for (const struct yaml_node *item = entry->first; item != NULL; item = item->next) {
        if (item->kind != YAML_MAPPING) {
            registry_entry_error_at(source, item, NULL, "has an item that is no mapping such as { psk_hex: … }");
            continue;
        }
        struct fields fields = collect_fields(source, item);
        keys += has_key(&fields);
        if (keys > REGISTRY_KEYS_PER_DEVICE) {
            registry_entry_error_at(source, item, NULL, "has more than 4 keys");
            break;
        }
        read_key(reader, source, item, &fields, device);
        read_settings(source, &fields, 0, FIELDS_OF_A_KEY, device);
        join_settings(source, &fields, &device_fields);
    }
    read_settings(source, &device_fields, FIELDS_OF_A_KEY, FIELDS, device);
    look_at_settings(reader, source, &device_fields, device);
}

uint32_t registry_device_entry_keys(const struct yaml_node *entry)
{
    if (entry->kind == YAML_SEQUENCE && entry->length > 1) {
        return entry->length < REGISTRY_KEYS_PER_DEVICE ? (uint32_t)entry->length : REGISTRY_KEYS_PER_DEVICE;
    }
    return 1;
}

void registry_device_entry_read(struct registry_entry_reader *reader, const struct registry_entry_source *source,
                                const struct yaml_node *entry, struct registry_device *device)
{
    device->first_key = reader->keys->count;
    if (entry->kind == YAML_MAPPING) {
        read_mapping(reader, source, entry, device);
    } else if (entry->kind == YAML_SEQUENCE) {
        read_list(reader, source, entry, device);
    } else {
        registry_entry_error_at(source, entry, NULL, "must be a mapping such as { psk_hex: … }, or a list of them");
    }
}

bool registry_default_entry_read(struct registry_entry_reader *reader, const struct registry_entry_source *source,
                                 const struct yaml_node *entry, struct registry_psk *psk)
{
    psk->size = 0;
    if (entry->kind != YAML_MAPPING) {
        registry_entry_error_at(source, entry, NULL, "must be a mapping such as { psk_hex: … }");
        return false;
    }
    bool right = true;
    struct fields fields = collect_fields(source, entry);
    for (enum field field = FIELD_UNTIL; field < FIELDS; field++) {
        if (fields.given[field] != NULL && field != FIELD_NOTE) {
            registry_entry_error(source, fields.given[field], "is for listed devices only");
            right = false;
        }
    }
    if (!has_key(&fields)) {
        registry_entry_error_at(source, entry, NULL, "has neither psk nor psk_hex");
        return false;
    }
    return registry_psk_read(source, fields.given[FIELD_PSK], fields.given[FIELD_PSK_HEX], NULL,
                             reader->allow_development_psk, &reader->psk_notices, psk) &&
           right;
}
