#include "config/default.h"

#include <assert.h>
#include <string.h>

#include "config/list.h"
#include "config/value.h"

/* The most items that a default has. */
#define STANDARD_ITEMS 4u

static bool is_list(const struct config_key *key)
{
    bool written_as_list = key->type != CONFIG_TYPE_ADDRESS && key->type != CONFIG_TYPE_PATHS;
    return key->type == CONFIG_TYPE_VERSIONS || (config_list_is(key->type) && written_as_list);
}

bool config_default_read(struct config_reading *reading, const struct config_key *key, void *value)
{
    char text[64];
    size_t length = strlen(key->standard);
    assert(length < sizeof text);
    memcpy(text, key->standard, length + 1);
    if (!is_list(key)) {
        struct yaml_node node = {.kind = key->type == CONFIG_TYPE_SECRET ? YAML_MAPPING : YAML_SCALAR,
                                 .plain = length > 0,
                                 .length = key->type == CONFIG_TYPE_SECRET ? 0 : length,
                                 .text = text};
        return config_value_read(reading, key, &node, value);
    }
    struct yaml_node items[STANDARD_ITEMS] = {0};
    struct yaml_node list = {.kind = YAML_SEQUENCE};
    char *rest = text;
    for (char *item = strtok_r(text, " ", &rest); item != NULL; item = strtok_r(NULL, " ", &rest)) {
        assert(list.length < STANDARD_ITEMS);
        items[list.length] =
            (struct yaml_node){.kind = YAML_SCALAR, .plain = true, .length = strlen(item), .text = item};
        if (list.length > 0) {
            items[list.length - 1].next = &items[list.length];
        }
        list.length++;
    }
    list.first = list.length == 0 ? NULL : &items[0];
    return config_value_read(reading, key, &list, value);
}
