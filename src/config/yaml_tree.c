#include "config/yaml_tree.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/arena.h"
#include "config/secret_file.h"
#include "config/yaml_builder.h"
#include "config/yaml_reader.h"

#define LONGEST_PRINTABLE_KEY 24u

struct yaml_tree {
    const char *file;
    struct config_arena nodes;
    struct config_arena values;
    struct yaml_node *root;
};

static struct yaml_tree *read_tree(const char *file, int descriptor, const char *bytes, size_t length,
                                   struct diagnostics *diagnostics)
{
    struct yaml_tree *tree = calloc(1, sizeof(*tree));
    struct yaml_reader reader;
    if (tree == NULL || !yaml_reader_open(&reader, file, descriptor, bytes, length, YAML_TREE_FILE_SIZE)) {
        free(tree);
        diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, (struct diagnostics_place){.file = file}, "out of memory");
        return NULL;
    }
    tree->file = file;
    tree->values.locked = true;
    tree->root = yaml_builder_run(&reader, &tree->nodes, &tree->values, diagnostics);
    yaml_reader_close(&reader);
    if (tree->root == NULL) {
        yaml_tree_free(tree);
        return NULL;
    }
    return tree;
}

struct yaml_tree *yaml_tree_parse(const char *file, const char *bytes, size_t length, struct diagnostics *diagnostics)
{
    return read_tree(file, -1, bytes, length, diagnostics);
}

struct yaml_tree *yaml_tree_load(const char *file, bool private_file, struct diagnostics *diagnostics)
{
    struct secret_file source = {
        .path = file, .access = private_file ? SECRET_FILE_PRIVATE : SECRET_FILE_ANY, .place = {.file = file}};
    int descriptor = secret_file_open(&source, diagnostics);
    if (descriptor < 0) {
        return NULL;
    }
    struct yaml_tree *tree = read_tree(file, descriptor, NULL, 0, diagnostics);
    close(descriptor);
    return tree;
}

void yaml_tree_free(struct yaml_tree *tree)
{
    if (tree != NULL) {
        config_arena_free(&tree->values);
        config_arena_free(&tree->nodes);
        free(tree);
    }
}

const struct yaml_node *yaml_tree_root(const struct yaml_tree *tree)
{
    return tree->root;
}

const char *yaml_tree_file(const struct yaml_tree *tree)
{
    return tree->file;
}

const struct yaml_node *yaml_tree_find(const struct yaml_node *mapping, const char *key)
{
    for (const struct yaml_node *node = mapping->first; node != NULL; node = node->next) {
        if (node->key != NULL && strcmp(node->key, key) == 0) {
            return node;
        }
    }
    return NULL;
}

bool yaml_tree_is_null(const struct yaml_node *node)
{
    static const char *const spellings[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != YAML_SCALAR || !node->plain) {
        return false;
    }
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        if (strcmp(node->text, spellings[i]) == 0) {
            return true;
        }
    }
    return false;
}

const char *yaml_tree_printable_key(const char *key)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:";
    size_t length = strspn(key, letters);
    bool printable = length > 0 && key[length] == '\0' && length <= LONGEST_PRINTABLE_KEY;
    return printable ? key : "(a key that is not shown)";
}

struct diagnostics_place yaml_tree_place(const struct yaml_tree *tree, const struct yaml_node *node)
{
    return (struct diagnostics_place){.file = tree->file, .line = node->line, .column = node->column};
}

struct diagnostics_place yaml_tree_key_place(const struct yaml_tree *tree, const struct yaml_node *node)
{
    if (node->key == NULL) {
        return yaml_tree_place(tree, node);
    }
    return (struct diagnostics_place){.file = tree->file, .line = node->key_line, .column = node->key_column};
}
