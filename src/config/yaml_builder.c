#include "config/yaml_builder.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "config/yaml_equal_keys.h"

/* A mapping or sequence that has begun and not ended. */
struct open_node {
    struct yaml_node *node;
    struct yaml_node *last; /* child */
    char *key;              /* in a mapping: a key that waits for its value */
    unsigned key_line;
    unsigned key_column;
};

struct builder {
    struct yaml_reader *reader;
    struct config_arena *arena; /* of nodes and keys */
    struct config_arena *values;
    struct diagnostics *diagnostics;
    struct yaml_node *root;
    struct open_node stack[YAML_TREE_DEPTH];
    size_t depth;
    size_t nodes;
    bool ended;
};

enum step {
    STEP_ON,
    STEP_STOP, /* an error was added, nothing more can be read */
};

static struct diagnostics_place place_of(const struct builder *builder, yaml_mark_t mark)
{
    return (struct diagnostics_place){
        .file = builder->reader->file, .line = (unsigned)mark.line + 1, .column = (unsigned)mark.column + 1};
}

static enum step stop(struct builder *builder, yaml_mark_t mark, const char *message)
{
    diagnostics_add(builder->diagnostics, DIAGNOSTICS_ERROR, place_of(builder, mark), "%s", message);
    return STEP_STOP;
}

static enum step stop_without_memory(struct builder *builder)
{
    diagnostics_add(builder->diagnostics, DIAGNOSTICS_ERROR, (struct diagnostics_place){.file = builder->reader->file},
                    "out of memory");
    return STEP_STOP;
}

static struct open_node *innermost(struct builder *builder)
{
    return builder->depth == 0 ? NULL : &builder->stack[builder->depth - 1];
}

static bool key_is_next(struct builder *builder)
{
    const struct open_node *parent = innermost(builder);
    return parent != NULL && parent->node->kind == YAML_MAPPING && parent->key == NULL;
}

static enum step take_key(struct builder *builder, const yaml_event_t *event)
{
    struct open_node *parent = innermost(builder);
    const yaml_char_t *value = event->data.scalar.value;
    size_t length = event->data.scalar.length;
    if (memchr(value, '\0', length) != NULL) {
        return stop(builder, event->start_mark, "a key with a NUL byte in it");
    }
    parent->key = config_arena_copy(builder->arena, value, length);
    parent->key_line = (unsigned)event->start_mark.line + 1;
    parent->key_column = (unsigned)event->start_mark.column + 1;
    return parent->key == NULL ? stop_without_memory(builder) : STEP_ON;
}

/* Puts a new node where the file has it: below the innermost open one, or at the top. */
static enum step add_node(struct builder *builder, const yaml_event_t *event, enum yaml_kind kind,
                          struct yaml_node **added)
{
    if (builder->nodes == YAML_TREE_NODES) {
        return stop(builder, event->start_mark, "too many values for one file");
    }
    struct yaml_node *node = config_arena_allocate(builder->arena, sizeof(*node));
    if (node == NULL) {
        return stop_without_memory(builder);
    }
    builder->nodes++;
    node->kind = kind;
    node->line = (unsigned)event->start_mark.line + 1;
    node->column = (unsigned)event->start_mark.column + 1;
    struct open_node *parent = innermost(builder);
    if (parent == NULL) {
        builder->root = node;
    } else {
        node->key = parent->key;
        node->key_line = parent->key_line;
        node->key_column = parent->key_column;
        parent->key = NULL;
        if (parent->last == NULL) {
            parent->node->first = node;
        } else {
            parent->last->next = node;
        }
        parent->last = node;
        parent->node->length++;
    }
    *added = node;
    return STEP_ON;
}

static void refuse_anchor_and_tag(struct builder *builder, const yaml_event_t *event, const yaml_char_t *anchor,
                                  const yaml_char_t *tag)
{
    if (anchor != NULL) {
        diagnostics_add(builder->diagnostics, DIAGNOSTICS_ERROR, place_of(builder, event->start_mark),
                        "an anchor (&): write the value out at each place");
    }
    if (tag != NULL) {
        diagnostics_add(builder->diagnostics, DIAGNOSTICS_ERROR, place_of(builder, event->start_mark),
                        "a tag (!): values are taken as they are written");
    }
}

static enum step on_scalar(struct builder *builder, const yaml_event_t *event)
{
    refuse_anchor_and_tag(builder, event, event->data.scalar.anchor, event->data.scalar.tag);
    if (key_is_next(builder)) {
        return take_key(builder, event);
    }
    struct yaml_node *node;
    if (add_node(builder, event, YAML_SCALAR, &node) == STEP_STOP) {
        return STEP_STOP;
    }
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->length = event->data.scalar.length;
    node->text = config_arena_copy(builder->values, event->data.scalar.value, node->length);
    return node->text == NULL ? stop_without_memory(builder) : STEP_ON;
}

static enum step on_alias(struct builder *builder, const yaml_event_t *event)
{
    diagnostics_add(builder->diagnostics, DIAGNOSTICS_ERROR, place_of(builder, event->start_mark),
                    "an alias (*): write the value out, or put it in quotes if it begins with *");
    yaml_event_t empty = {.type = YAML_SCALAR_EVENT, .start_mark = event->start_mark};
    empty.data.scalar.value = (yaml_char_t *)(char[]){""};
    empty.data.scalar.style = YAML_PLAIN_SCALAR_STYLE;
    return on_scalar(builder, &empty);
}

static enum step on_begin(struct builder *builder, const yaml_event_t *event, enum yaml_kind kind)
{
    if (kind == YAML_MAPPING) {
        refuse_anchor_and_tag(builder, event, event->data.mapping_start.anchor, event->data.mapping_start.tag);
    } else {
        refuse_anchor_and_tag(builder, event, event->data.sequence_start.anchor, event->data.sequence_start.tag);
    }
    if (key_is_next(builder)) {
        return stop(builder, event->start_mark, "a key must be a single text, not a list or a mapping");
    }
    if (builder->depth == YAML_TREE_DEPTH) {
        return stop(builder, event->start_mark, "nested too deeply");
    }
    struct yaml_node *node;
    if (add_node(builder, event, kind, &node) == STEP_STOP) {
        return STEP_STOP;
    }
    builder->stack[builder->depth++] = (struct open_node){.node = node};
    return STEP_ON;
}

/* The dotted path of the innermost open mapping with a dot behind it: "backends[1].", or "" at the top. */
static void path_of_innermost(const struct builder *builder, char *path, size_t size)
{
    size_t used = 0;
    path[0] = '\0';
    for (size_t i = 1; i < builder->depth && used < size; i++) {
        const struct yaml_node *node = builder->stack[i].node;
        int added;
        if (node->key != NULL) {
            added = snprintf(path + used, size - used, "%s%s", i == 1 ? "" : ".", yaml_tree_printable_key(node->key));
        } else {
            added = snprintf(path + used, size - used, "[%zu]", builder->stack[i - 1].node->length - 1);
        }
        used += added < 0 ? 0 : (size_t)added;
    }
    if (builder->depth > 1 && used < size) {
        snprintf(path + used, size - used, ".");
    }
}

static void report_twice(void *context, const struct yaml_node *first, const struct yaml_node *second)
{
    struct builder *builder = context;
    struct diagnostics_place place = {
        .file = builder->reader->file, .line = second->key_line, .column = second->key_column};
    char path[256];
    path_of_innermost(builder, path, sizeof path);
    diagnostics_add(builder->diagnostics, DIAGNOSTICS_ERROR, place, "%s%s stands here a second time, first in line %u",
                    path, yaml_tree_printable_key(second->key), first->key_line);
}

static enum step refuse_equal_keys(struct builder *builder, const struct yaml_node *mapping)
{
    return yaml_equal_keys_each(mapping, report_twice, builder) ? STEP_ON : stop_without_memory(builder);
}

static enum step on_end(struct builder *builder)
{
    assert(builder->depth > 0);
    const struct yaml_node *node = innermost(builder)->node;
    enum step step = node->kind == YAML_MAPPING ? refuse_equal_keys(builder, node) : STEP_ON;
    builder->depth--;
    return step;
}

static enum step on_event(struct builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return on_scalar(builder, event);
    case YAML_ALIAS_EVENT:
        return on_alias(builder, event);
    case YAML_SEQUENCE_START_EVENT:
        return on_begin(builder, event, YAML_SEQUENCE);
    case YAML_MAPPING_START_EVENT:
        return on_begin(builder, event, YAML_MAPPING);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return on_end(builder);
    case YAML_DOCUMENT_START_EVENT:
        return builder->root == NULL ? STEP_ON
                                     : stop(builder, event->start_mark, "a second document begins here; one is read");
    case YAML_STREAM_END_EVENT:
        builder->ended = true;
        return STEP_ON;
    default:
        return STEP_ON;
    }
}

/* The root as callers expect it: a mapping, if need be an empty one. */
static enum step settle_root(struct builder *builder)
{
    if (builder->root == NULL) {
        yaml_event_t beginning = {.type = YAML_MAPPING_START_EVENT};
        return add_node(builder, &beginning, YAML_MAPPING, &builder->root);
    }
    if (yaml_tree_is_null(builder->root)) {
        builder->root->kind = YAML_MAPPING;
        builder->root->text = NULL;
        builder->root->length = 0;
        return STEP_ON;
    }
    if (builder->root->kind != YAML_MAPPING) {
        yaml_mark_t mark = {.line = builder->root->line - 1, .column = builder->root->column - 1};
        return stop(builder, mark, "expected keys with values (key: value)");
    }
    return STEP_ON;
}

struct yaml_node *yaml_builder_run(struct yaml_reader *reader, struct config_arena *nodes, struct config_arena *values,
                                   struct diagnostics *diagnostics)
{
    struct builder builder = {.reader = reader, .arena = nodes, .values = values, .diagnostics = diagnostics};
    while (!builder.ended) {
        yaml_event_t event;
        if (!yaml_reader_next(reader, &event, diagnostics)) {
            return NULL;
        }
        enum step step = on_event(&builder, &event);
        yaml_event_delete(&event);
        if (step == STEP_STOP) {
            return NULL;
        }
    }
    return settle_root(&builder) == STEP_STOP ? NULL : builder.root;
}
