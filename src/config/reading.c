#include "config/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t config_reading_enter(struct config_reading *reading, const char *format, ...)
{
    size_t back = strlen(reading->path);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reading->path + back, sizeof reading->path - back, format, arguments);
    va_end(arguments);
    return back;
}

void config_reading_leave(struct config_reading *reading, size_t back)
{
    reading->path[back] = '\0';
}

struct diagnostics_place config_reading_place(const struct config_reading *reading, const struct yaml_node *node)
{
    struct diagnostics_place place = {.file = reading->file};
    if (node != NULL) {
        place.line = node->line;
        place.column = node->column;
    }
    return place;
}

__attribute__((format(printf, 4, 0))) static void add(struct config_reading *reading,
                                                      enum diagnostics_severity severity, const struct yaml_node *node,
                                                      const char *format, va_list arguments)
{
    char message[DIAGNOSTICS_TEXT];
    vsnprintf(message, sizeof message, format, arguments);
    diagnostics_add(reading->diagnostics, severity, config_reading_place(reading, node), "%s: %s", reading->path,
                    message);
}

void config_reading_error(struct config_reading *reading, const struct yaml_node *node, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(reading, DIAGNOSTICS_ERROR, node, format, arguments);
    va_end(arguments);
}

void config_reading_warning(struct config_reading *reading, const struct yaml_node *node, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(reading, DIAGNOSTICS_WARNING, node, format, arguments);
    va_end(arguments);
}

void config_reading_out_of_memory(struct config_reading *reading)
{
    diagnostics_add(reading->diagnostics, DIAGNOSTICS_ERROR, (struct diagnostics_place){.file = reading->file},
                    "out of memory");
}

static const struct yaml_node *child_at(const struct yaml_node *sequence, unsigned long index)
{
    const struct yaml_node *node = sequence->first;
    while (node != NULL && index > 0) {
        node = node->next;
        index--;
    }
    return node;
}

/* The step that `path` begins with, "[3]" or "name"; moves `path` behind it. */
static const struct yaml_node *step(const struct yaml_node *node, const char **path)
{
    if (**path == '[') {
        char *end;
        unsigned long index = strtoul(*path + 1, &end, 10);
        *path = end + strspn(end, "].");
        return node->kind == YAML_SEQUENCE ? child_at(node, index) : NULL;
    }
    char name[CONFIG_READING_PATH];
    size_t length = strcspn(*path, ".[");
    if (length >= sizeof name) {
        return NULL;
    }
    memcpy(name, *path, length);
    name[length] = '\0';
    *path += length + ((*path)[length] == '.');
    return node->kind == YAML_MAPPING ? yaml_tree_find(node, name) : NULL;
}

const struct yaml_node *config_reading_find(const struct config_reading *reading, const char *path)
{
    const struct yaml_node *deepest = NULL;
    const struct yaml_node *node = yaml_tree_root(reading->tree);
    while (node != NULL && *path != '\0') {
        node = step(node, &path);
        if (node != NULL) {
            deepest = node;
        }
    }
    return deepest;
}
