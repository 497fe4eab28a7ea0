/* conf/usmpd.yaml is the built-in defaults, all of them. */
#include "config/config_file.h"

#include "config/schema.h"
#include "config/value.h"
#include "config/yaml_tree.h"

static void assert_same(const struct config_key *key, const void *one, const void *other)
{
    const unsigned char *a = (const unsigned char *)one + key->offset;
    const unsigned char *b = (const unsigned char *)other + key->offset;
    if (!config_value_equal(key, a, b)) {
        fail_msg("%s is not the default", key->name);
    }
}

static void values_are_the_defaults(void **state)
{
    struct config_file *file = *state;
    const struct config *standard = load("");
    struct config *example = config_load(USMPD_EXAMPLE, file->diagnostics);
    assert_messages(file->diagnostics, "");
    assert_non_null(example);
    assert_int_equal(example->psk.registry.count, 1);
    const char *registry = example->psk.registry.items[0];
    assert_true(strlen(registry) > strlen("/devices.yaml"));
    assert_string_equal(registry + strlen(registry) - strlen("/devices.yaml"), "/devices.yaml");
    assert_string_equal(standard->psk.registry.items[0], "devices.yaml");
    assert_int_equal(example->backends.count, 1);
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        switch (key->type) {
        case CONFIG_TYPE_BACKENDS:
        case CONFIG_TYPE_PATHS: /* compared above */
            break;
        case CONFIG_TYPE_SECRET: {
            struct config_secret secret;
            memcpy(&secret, (const unsigned char *)example + key->offset, sizeof secret);
            assert_int_equal(secret.kind, CONFIG_SECRET_NONE);
            break;
        }
        default:
            if (config_schema_belongs(key, CONFIG_BACKEND_PREFIX)) {
                assert_same(key, example->backends.items, standard->backends.items);
            } else {
                assert_same(key, example, standard);
            }
        }
    }
    config_free(example);
}

/* The node of a dotted name; a list on the way stands for its first item. */
static const struct yaml_node *find(const struct yaml_node *root, const char *name)
{
    char path[CONFIG_NAME_MAX];
    assert_true(strlen(name) < sizeof path);
    strcpy(path, name);
    const struct yaml_node *node = root;
    char *rest = NULL;
    for (char *part = strtok_r(path, ".", &rest); part != NULL && node != NULL; part = strtok_r(NULL, ".", &rest)) {
        char *item = strstr(part, "[]");
        if (item != NULL) {
            *item = '\0';
        }
        node = node->kind == YAML_MAPPING ? yaml_tree_find(node, part) : NULL;
        if (item != NULL && node != NULL) {
            node = node->first;
        }
    }
    return node;
}

static bool stands_in_a_remark(const char *word)
{
    FILE *stream = fopen(USMPD_EXAMPLE, "r");
    assert_non_null(stream);
    char line[512];
    bool found = false;
    while (!found && fgets(line, sizeof line, stream) != NULL) {
        const char *remark = strchr(line, '#');
        const char *at = remark == NULL ? NULL : strstr(remark, word);
        found = at != NULL && at[strlen(word)] == ':' && at[-1] == ' ';
    }
    fclose(stream);
    return found;
}

static void every_key_is_there(void **state)
{
    struct config_file *file = *state;
    struct yaml_tree *tree = yaml_tree_load(USMPD_EXAMPLE, false, file->diagnostics);
    assert_non_null(tree);
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        const char *dot = strrchr(key->name, '.');
        /* A master secret has no default that could stand there. */
        bool shown = find(yaml_tree_root(tree), key->name) != NULL ||
                     (key->type == CONFIG_TYPE_SECRET && stands_in_a_remark(dot + 1));
        if (!shown) {
            fail_msg("%s is missing", key->name);
        }
        for (const struct config_choice *choice = key->choices; key->type == CONFIG_TYPE_SECRET && choice->name != NULL;
             choice++) {
            if (!stands_in_a_remark(choice->name)) {
                fail_msg("%s.%s is missing", key->name, choice->name);
            }
        }
    }
    yaml_tree_free(tree);
}

/* So that the test above cannot pass on everything. */
static void search_finds_only_what_is_there(void **state)
{
    struct config_file *file = *state;
    static const char text[] = "a: { b: 1 }\nc: [{ d: 1 }]\n";
    struct yaml_tree *tree = yaml_tree_parse("t", text, strlen(text), file->diagnostics);
    assert_non_null(tree);
    const struct yaml_node *root = yaml_tree_root(tree);
    assert_non_null(find(root, "a.b"));
    assert_non_null(find(root, "c[].d"));
    assert_null(find(root, "a.c"));
    assert_null(find(root, "b"));
    assert_null(find(root, "c[].b"));
    assert_null(find(root, "a.b.c"));
    assert_false(stands_in_a_remark("no_such_key"));
    yaml_tree_free(tree);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, config_file_set_up, config_file_tear_down)
    const struct CMUnitTest tests[] = {
        WITH(values_are_the_defaults),
        WITH(every_key_is_there),
        WITH(search_finds_only_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
