/* Where in a registry file something stands, so that every message names the place and the key, and never a value:
 * a value may be a key of a device, or one that was put into the wrong place. */
#ifndef REGISTRY_ENTRY_SOURCE_H
#define REGISTRY_ENTRY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/diagnostics.h"
#include "config/yaml_tree.h"

#define REGISTRY_ENTRY_NAME 32u /* "devices.de:ad:be:ef:00:01" */

struct registry_entry_source {
    const struct yaml_tree *tree;
    struct diagnostics *diagnostics;
    char name[REGISTRY_ENTRY_NAME];
};

/* "file:line:column: NAME.KEY text", about the value `node` of a key of the entry. */
void registry_entry_error(const struct registry_entry_source *source, const struct yaml_node *node, const char *format,
                          ...) __attribute__((format(printf, 3, 4)));
void registry_entry_warning(const struct registry_entry_source *source, const struct yaml_node *node,
                            const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same at `node`, which is an item of the list that `key` has, or with a `key` of NULL the entry itself. */
void registry_entry_error_at(const struct registry_entry_source *source, const struct yaml_node *node, const char *key,
                             const char *text);

/* The text of a scalar that is given, NUL-terminated; NULL after an error for anything else. `expected` says what it
 * should be: "a date such as 2027-01-31". */
const char *registry_entry_text(const struct registry_entry_source *source, const struct yaml_node *node,
                                const char *expected) __attribute__((warn_unused_result));

/* Something that may concern many entries, and is said once: of the first of them, with the number of the others. */
struct registry_notice {
    size_t count;
    struct diagnostics_place place;
    char name[REGISTRY_ENTRY_NAME];
};

void registry_notice_add(struct registry_notice *notice, const struct registry_entry_source *source,
                         const struct yaml_node *node);

/* "file:line:column: warning: NAME text (and 3 more)", if there is something to say. */
void registry_notice_tell(const struct registry_notice *notice, struct diagnostics *diagnostics, const char *text);

#endif
