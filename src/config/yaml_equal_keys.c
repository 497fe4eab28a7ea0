#include "config/yaml_equal_keys.h"

#include <stdlib.h>
#include <string.h>

#define FEW 16u /* keys that are sorted without asking for memory: every mapping but that of the devices */

static int compare_keys(const void *one, const void *other)
{
    const struct yaml_node *const *a = one;
    const struct yaml_node *const *b = other;
    int order = strcmp((*a)->key, (*b)->key);
    if (order != 0) {
        return order;
    }
    if ((*a)->key_line != (*b)->key_line) {
        return (*a)->key_line < (*b)->key_line ? -1 : 1;
    }
    return (*a)->key_column < (*b)->key_column ? -1 : (*a)->key_column > (*b)->key_column;
}

bool yaml_equal_keys_each(const struct yaml_node *mapping,
                          void (*twice)(void *context, const struct yaml_node *first, const struct yaml_node *second),
                          void *context)
{
    const struct yaml_node *few[FEW];
    const struct yaml_node **nodes = few;
    if (mapping->length > FEW) {
        nodes = calloc(mapping->length, sizeof(struct yaml_node *));
        if (nodes == NULL) {
            return false;
        }
    }
    size_t count = 0;
    for (const struct yaml_node *node = mapping->first; node != NULL; node = node->next) {
        nodes[count++] = node;
    }
    qsort(nodes, count, sizeof(struct yaml_node *), compare_keys);
    const struct yaml_node *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (first != NULL && strcmp(first->key, nodes[i]->key) == 0) {
            twice(context, first, nodes[i]);
        } else {
            first = nodes[i];
        }
    }
    if (nodes != few) {
        free(nodes);
    }
    return true;
}
