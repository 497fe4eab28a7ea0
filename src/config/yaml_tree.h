/* A YAML file as a tree of nodes with their places, for configuration and registry.
 *
 * Only what such files need: one document, a mapping at its top, below it mappings, sequences and scalars; scalars are
 * taken literally, as text (`12:34:56:00:00:01` is no number). Anchors, aliases, tags, several documents and
 * non-scalar keys are errors with their place, and so is a key that stands twice in a mapping.
 *
 * Errors after which the rest can still be read (a key twice, an anchor, alias or tag) are added and the tree is given
 * all the same, so that one run shows everything: whether the file may be used is said by diagnostics_errors, not by
 * the tree alone. Of a key that stands twice both nodes are there; an alias is an empty plain scalar.
 *
 * Owner: the tree owns every node and text; yaml_tree_free wipes them all, since scalars may be keys of devices, and
 * libyaml's own copies are wiped when it frees them (config/yaml_reader.h). Limits: YAML_TREE_FILE_SIZE,
 * YAML_TREE_DEPTH, YAML_TREE_NODES; a file over one of them is an error. Values are in memory that is locked as far as
 * the limit goes (platform/secret_memory.h).
 */
#ifndef CONFIG_YAML_TREE_H
#define CONFIG_YAML_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/diagnostics.h"

#define YAML_TREE_FILE_SIZE (64u << 20) /* bytes */
#define YAML_TREE_DEPTH 8u              /* mappings and sequences in each other, the one at the top included */
#define YAML_TREE_NODES 4000000u

enum yaml_kind {
    YAML_SCALAR,
    YAML_SEQUENCE,
    YAML_MAPPING,
};

struct yaml_node {
    enum yaml_kind kind;
    unsigned line;   /* from 1 */
    unsigned column; /* from 1 */
    bool plain;      /* a scalar written without quotes: an empty plain one (or ~, null) stands for "not given" */
    size_t length;   /* scalar: bytes of text; else: number of children */
    char *text;      /* scalar, ends with NUL that `length` does not count; else NULL */
    char *key;       /* in a mapping: the key this node is the value of; else NULL */
    unsigned key_line;
    unsigned key_column;
    struct yaml_node *first; /* children in the order of the file */
    struct yaml_node *next;
};

struct yaml_tree;

/* Parses `length` bytes; `file` is used in messages only and must outlive the tree. NULL when an error was added
 * that leaves nothing to read. An empty document gives a tree whose root is an empty mapping. */
struct yaml_tree *yaml_tree_parse(const char *file, const char *bytes, size_t length, struct diagnostics *diagnostics)
    __attribute__((warn_unused_result));

/* The same for a file. With `private_file`, one that others can read or that somebody else than this user or root
 * owns is an error that says what to do (checked on the open descriptor; see config/secret_file.h). */
struct yaml_tree *yaml_tree_load(const char *file, bool private_file, struct diagnostics *diagnostics)
    __attribute__((warn_unused_result));

void yaml_tree_free(struct yaml_tree *tree);

const struct yaml_node *yaml_tree_root(const struct yaml_tree *tree);
const char *yaml_tree_file(const struct yaml_tree *tree);

/* The value of `key` in a mapping, or NULL. */
const struct yaml_node *yaml_tree_find(const struct yaml_node *mapping, const char *key);

/* Whether a node stands for "not given": `key:`, `key: ~` or `key: null`. */
bool yaml_tree_is_null(const struct yaml_node *node);

/* A key as a message may name it: the key itself if it looks like one, else a text that stands for it. A key that was
 * pasted into the wrong place may be key material. */
const char *yaml_tree_printable_key(const char *key);

/* Where a node stands, for diagnostics_add. */
struct diagnostics_place yaml_tree_place(const struct yaml_tree *tree, const struct yaml_node *node);
struct diagnostics_place yaml_tree_key_place(const struct yaml_tree *tree, const struct yaml_node *node);

#endif
