#include "registry/unknown_key.h"

#include <stdio.h>

#include "config/edit_distance.h"

#define FARTHEST_MEANT 2u
#define LIST_SIZE 160u

static const char *closest_name(const char *key, const char *const *names, size_t count)
{
    const char *closest = NULL;
    unsigned closest_distance = FARTHEST_MEANT + 1;
    for (size_t i = 0; i < count; i++) {
        unsigned distance = config_edit_distance(names[i], key);
        if (distance < closest_distance) {
            closest = names[i];
            closest_distance = distance;
        }
    }
    return closest;
}

static void list_names(const char *const *names, size_t count, char list[LIST_SIZE])
{
    size_t length = 0;
    list[0] = '\0';
    for (size_t i = 0; i < count && length < LIST_SIZE; i++) {
        int added = snprintf(list + length, LIST_SIZE - length, "%s%s", i > 0 ? ", " : "", names[i]);
        length += added > 0 ? (size_t)added : 0;
    }
}

void registry_unknown_key(const struct registry_entry_source *source, const struct yaml_node *node,
                          const char *const *names, size_t count)
{
    struct diagnostics_place place = yaml_tree_key_place(source->tree, node);
    const char *dot = source->name[0] != '\0' ? "." : "";
    const char *meant = closest_name(node->key, names, count);
    if (meant != NULL) {
        diagnostics_add(source->diagnostics, DIAGNOSTICS_ERROR, place, "%s%s%s is unknown: did you mean %s?",
                        source->name, dot, node->key, meant);
        return;
    }
    /* Without a value it may be a key of a device that slipped: { "the secret" }. */
    const char *shown = yaml_tree_is_null(node) ? "(a key that is not shown)" : yaml_tree_printable_key(node->key);
    char list[LIST_SIZE];
    list_names(names, count, list);
    diagnostics_add(source->diagnostics, DIAGNOSTICS_ERROR, place, "%s%s%s is unknown; what there is: %s", source->name,
                    dot, shown, list);
}
