#include "config/list.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "config/config.h"
#include "config/scalar.h"
#include "platform/address_text.h"
#include "platform/socket_address.h"

struct list {
    const void *items;
    size_t count;
};

_Static_assert(sizeof(struct config_paths) == sizeof(struct list), "a list is items and a count");
_Static_assert(sizeof(struct config_address_list) == sizeof(struct list), "a list is items and a count");
_Static_assert(sizeof(struct config_prefixes) == sizeof(struct list), "a list is items and a count");
_Static_assert(sizeof(struct config_patterns) == sizeof(struct list), "a list is items and a count");

struct list_type {
    size_t item_size;
    /* Into `item`, which is zeroed; false after adding an error. */
    bool (*read)(struct config_reading *reading, const struct yaml_node *node, void *item);
    bool (*equal)(const void *one, const void *other);
    bool one_alone; /* may also be written as one value, without being a list */
};

static bool read_path(struct config_reading *reading, const struct yaml_node *node, void *item)
{
    const char *path = config_scalar_path(reading, node, 1, PATH_MAX - 1);
    memcpy(item, &path, sizeof(const char *));
    return path != NULL;
}

static bool equal_paths(const void *one, const void *other)
{
    const char *const *a = one;
    const char *const *b = other;
    return strcmp(*a, *b) == 0;
}

static bool read_address(struct config_reading *reading, const struct yaml_node *node, void *item)
{
    static const uint8_t any[16];
    struct config_address *address = item;
    const char *text = config_scalar_text(reading, node);
    if (text == NULL) {
        return false;
    }
    if (!address_parse(text, &address->address)) {
        config_scalar_wrong(reading, node, "is no numeric address with a port, such as 0.0.0.0:9000 or [::]:9000");
        return false;
    }
    int family = address_is_ipv4(&address->address) ? AF_INET : AF_INET6;
    address->length = socket_address_export(&address->address, family, 0, &address->socket_address);
    assert(address->length > 0);
    address->wildcard = memcmp(address->address.bytes, any, sizeof any) == 0;
    return true;
}

static bool equal_addresses(const void *one, const void *other)
{
    const struct config_address *a = one;
    const struct config_address *b = other;
    return address_equal(&a->address, &b->address);
}

static bool read_prefix(struct config_reading *reading, const struct yaml_node *node, void *item)
{
    const char *text = config_scalar_text(reading, node);
    if (text != NULL && !address_prefix_parse(text, item)) {
        config_scalar_wrong(reading, node, "is no network, such as 192.0.2.0/24 or 2001:db8::/32");
        return false;
    }
    return text != NULL;
}

static bool equal_prefixes(const void *one, const void *other)
{
    return address_prefix_equal(one, other);
}

static bool read_pattern(struct config_reading *reading, const struct yaml_node *node, void *item)
{
    const char *text = config_scalar_text(reading, node);
    if (text != NULL && !config_pattern_parse(text, item)) {
        config_scalar_wrong(reading, node, "is no device id and no beginning of one, such as de:ad:be:*");
        return false;
    }
    return text != NULL;
}

static bool equal_patterns(const void *one, const void *other)
{
    return memcmp(one, other, sizeof(struct config_pattern)) == 0;
}

static const struct list_type *find_type(enum config_type type)
{
    static const struct list_type paths = {sizeof(const char *), read_path, equal_paths, true};
    static const struct list_type addresses = {sizeof(struct config_address), read_address, equal_addresses, false};
    static const struct list_type prefixes = {sizeof(struct address_prefix), read_prefix, equal_prefixes, false};
    static const struct list_type patterns = {sizeof(struct config_pattern), read_pattern, equal_patterns, false};
    switch (type) {
    case CONFIG_TYPE_PATHS:
        return &paths;
    case CONFIG_TYPE_ADDRESS:
    case CONFIG_TYPE_ADDRESSES:
        return &addresses;
    case CONFIG_TYPE_PREFIXES:
        return &prefixes;
    case CONFIG_TYPE_PATTERNS:
        return &patterns;
    default:
        return NULL;
    }
}

bool config_list_is(enum config_type type)
{
    return find_type(type) != NULL;
}

static const struct list_type *type_of(const struct config_key *key)
{
    const struct list_type *type = find_type(key->type);
    assert(type != NULL);
    return type;
}

static bool read_items(struct config_reading *reading, const struct list_type *type, const struct yaml_node *first,
                       size_t count, bool indexed, struct list *list)
{
    unsigned char *items = config_arena_allocate(reading->memory, count * type->item_size);
    if (items == NULL) {
        config_reading_out_of_memory(reading);
        return false;
    }
    bool fine = true;
    const struct yaml_node *node = first;
    for (size_t i = 0; i < count; i++, node = node->next) {
        size_t back = indexed ? config_reading_enter(reading, "[%zu]", i) : strlen(reading->path);
        fine = type->read(reading, node, items + i * type->item_size) && fine;
        config_reading_leave(reading, back);
    }
    if (fine) {
        *list = (struct list){.items = items, .count = count};
    }
    return fine;
}

bool config_list_read(struct config_reading *reading, const struct config_key *key, const struct yaml_node *node,
                      void *value)
{
    const struct list_type *type = type_of(key);
    struct list list = {0};
    bool fine;
    if (key->type == CONFIG_TYPE_ADDRESS && node->kind == YAML_SCALAR && !node->plain && node->length == 0) {
        fine = true;
    } else if (key->type == CONFIG_TYPE_ADDRESS || (type->one_alone && node->kind == YAML_SCALAR)) {
        fine = read_items(reading, type, node, 1, false, &list);
    } else if (node->kind != YAML_SEQUENCE) {
        config_reading_error(reading, node, "expected a list [ … ]");
        fine = false;
    } else if (node->length > key->most) {
        config_reading_error(reading, node, "has %zu items, at most %" PRIu64 " are possible", node->length, key->most);
        fine = false;
    } else {
        fine = read_items(reading, type, node->first, node->length, true, &list);
    }
    if (fine) {
        memcpy(value, &list, sizeof list);
    }
    return fine;
}

bool config_list_equal(const struct config_key *key, const void *one, const void *other)
{
    const struct list_type *type = type_of(key);
    struct list a;
    struct list b;
    memcpy(&a, one, sizeof a);
    memcpy(&b, other, sizeof b);
    if (a.count != b.count) {
        return false;
    }
    for (size_t i = 0; i < a.count; i++) {
        const unsigned char *item = (const unsigned char *)a.items + i * type->item_size;
        if (!type->equal(item, (const unsigned char *)b.items + i * type->item_size)) {
            return false;
        }
    }
    return true;
}

static bool copy_texts(struct config_arena *memory, const char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        texts[i] = config_arena_copy(memory, texts[i], strlen(texts[i]));
        if (texts[i] == NULL) {
            return false;
        }
    }
    return true;
}

bool config_list_copy(const struct config_key *key, struct config_arena *memory, const void *from, void *to)
{
    struct list list;
    memcpy(&list, from, sizeof list);
    size_t size = list.count * type_of(key)->item_size;
    void *items = config_arena_allocate(memory, size);
    if (items == NULL) {
        return false;
    }
    if (size > 0) {
        memcpy(items, list.items, size);
    }
    if (key->type == CONFIG_TYPE_PATHS && !copy_texts(memory, items, list.count)) {
        return false;
    }
    list.items = items;
    memcpy(to, &list, sizeof list);
    return true;
}
