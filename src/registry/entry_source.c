#include "registry/entry_source.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say(const struct registry_entry_source *source, enum diagnostics_severity severity,
                const struct yaml_node *node, const char *format, va_list arguments)
    __attribute__((format(printf, 4, 0)));

static void say(const struct registry_entry_source *source, enum diagnostics_severity severity,
                const struct yaml_node *node, const char *format, va_list arguments)
{
    assert(node->key != NULL);
    char text[DIAGNOSTICS_TEXT];
    vsnprintf(text, sizeof(text), format, arguments);
    diagnostics_add(source->diagnostics, severity, yaml_tree_place(source->tree, node), "%s.%s %s", source->name,
                    node->key, text);
}

void registry_entry_error(const struct registry_entry_source *source, const struct yaml_node *node, const char *format,
                          ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(source, DIAGNOSTICS_ERROR, node, format, arguments);
    va_end(arguments);
}

void registry_entry_warning(const struct registry_entry_source *source, const struct yaml_node *node,
                            const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(source, DIAGNOSTICS_WARNING, node, format, arguments);
    va_end(arguments);
}

void registry_entry_error_at(const struct registry_entry_source *source, const struct yaml_node *node, const char *key,
                             const char *text)
{
    diagnostics_add(source->diagnostics, DIAGNOSTICS_ERROR, yaml_tree_place(source->tree, node), "%s%s%s %s",
                    source->name, key != NULL ? "." : "", key != NULL ? key : "", text);
}

const char *registry_entry_text(const struct registry_entry_source *source, const struct yaml_node *node,
                                const char *expected)
{
    /* A NUL in the middle would hide what stands behind it. */
    if (node->kind != YAML_SCALAR || yaml_tree_is_null(node) || strlen(node->text) != node->length) {
        registry_entry_error(source, node, "must be %s", expected);
        return NULL;
    }
    return node->text;
}

void registry_notice_add(struct registry_notice *notice, const struct registry_entry_source *source,
                         const struct yaml_node *node)
{
    if (notice->count == 0) {
        notice->place = yaml_tree_place(source->tree, node);
        memcpy(notice->name, source->name, sizeof(notice->name));
    }
    notice->count++;
}

void registry_notice_tell(const struct registry_notice *notice, struct diagnostics *diagnostics, const char *text)
{
    if (notice->count == 1) {
        diagnostics_add(diagnostics, DIAGNOSTICS_WARNING, notice->place, "%s %s", notice->name, text);
    } else if (notice->count > 1) {
        diagnostics_add(diagnostics, DIAGNOSTICS_WARNING, notice->place, "%s (and %zu more) %s", notice->name,
                        notice->count - 1, text);
    }
}
