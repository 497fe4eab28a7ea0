#include "config/messages.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/yaml_tree.h"

struct fixture {
    struct diagnostics *diagnostics;
    struct yaml_tree *tree;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    if (fixture == NULL) {
        return -1;
    }
    fixture->diagnostics = diagnostics_open();
    *state = fixture;
    return fixture->diagnostics == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    yaml_tree_free(fixture->tree);
    diagnostics_close(fixture->diagnostics);
    free(fixture);
    return 0;
}

static const struct yaml_node *parse_bytes(struct fixture *fixture, const char *bytes, size_t length)
{
    yaml_tree_free(fixture->tree);
    fixture->tree = yaml_tree_parse("t.yaml", bytes, length, fixture->diagnostics);
    return fixture->tree == NULL ? NULL : yaml_tree_root(fixture->tree);
}

static const struct yaml_node *parse(struct fixture *fixture, const char *text)
{
    return parse_bytes(fixture, text, strlen(text));
}

static void assert_scalar(const struct yaml_node *node, const char *text)
{
    assert_non_null(node);
    assert_int_equal(node->kind, YAML_SCALAR);
    assert_string_equal(node->text, text);
    assert_int_equal(node->length, strlen(text));
    assert_null(node->first);
}

static void mappings_sequences_scalars_with_places(void **state)
{
    struct fixture *fixture = *state;
    const struct yaml_node *root = parse(fixture, "listen:\n"
                                                  "  tcp: [ \"a\", b ]\n"
                                                  "# remark\n"
                                                  "backends:\n"
                                                  "  - name: 'x y'\n"
                                                  "    devices: []\n");
    assert_messages(fixture->diagnostics, "");
    assert_int_equal(root->kind, YAML_MAPPING);
    assert_int_equal(root->length, 2);
    assert_null(root->key);

    const struct yaml_node *listen = root->first;
    assert_string_equal(listen->key, "listen");
    assert_int_equal(listen->key_line, 1);
    assert_int_equal(listen->key_column, 1);
    const struct yaml_node *tcp = yaml_tree_find(listen, "tcp");
    assert_int_equal(tcp->kind, YAML_SEQUENCE);
    assert_int_equal(tcp->length, 2);
    assert_int_equal(tcp->line, 2);
    assert_int_equal(tcp->column, 8);
    assert_int_equal(tcp->key_column, 3);
    assert_scalar(tcp->first, "a");
    assert_false(tcp->first->plain);
    assert_int_equal(tcp->first->column, 10);
    assert_scalar(tcp->first->next, "b");
    assert_true(tcp->first->next->plain);
    assert_null(tcp->first->next->next);

    const struct yaml_node *backends = listen->next;
    assert_string_equal(backends->key, "backends");
    assert_int_equal(backends->key_line, 4);
    const struct yaml_node *backend = backends->first;
    assert_int_equal(backend->kind, YAML_MAPPING);
    assert_null(backend->key);
    assert_scalar(yaml_tree_find(backend, "name"), "x y");
    assert_int_equal(yaml_tree_find(backend, "devices")->length, 0);
    assert_null(yaml_tree_find(backend, "nam"));
    assert_null(backends->next);
}

static void place_of_value_and_key(void **state)
{
    struct fixture *fixture = *state;
    const struct yaml_node *root = parse(fixture, "a:\n  bc:   d\nlist: [x]\n");
    const struct yaml_node *node = yaml_tree_find(yaml_tree_find(root, "a"), "bc");
    struct diagnostics_place place = yaml_tree_place(fixture->tree, node);
    assert_string_equal(place.file, "t.yaml");
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 9);
    place = yaml_tree_key_place(fixture->tree, node);
    assert_int_equal(place.line, 2);
    assert_int_equal(place.column, 3);
    /* An element of a list has no key: the place is its own. */
    place = yaml_tree_key_place(fixture->tree, yaml_tree_find(root, "list")->first);
    assert_int_equal(place.line, 3);
    assert_int_equal(place.column, 8);
    assert_string_equal(yaml_tree_file(fixture->tree), "t.yaml");
}

static void scalars_are_literal(void **state)
{
    static const char *const literals[] = {"12:34:56:00:00:01", "0660", "1e3", "yes", "2027-01-31", "0x1F", "-5", ".5"};
    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "k: %s\n", literals[i]);
        assert_scalar(yaml_tree_find(parse(*state, text), "k"), literals[i]);
    }
    assert_scalar(yaml_tree_find(parse(*state, "12:34:56:00:00:01: v\n"), "12:34:56:00:00:01"), "v");
    assert_scalar(yaml_tree_find(parse(*state, "k: |\n  two\n  lines\n"), "k"), "two\nlines\n");
}

static void scalar_may_hold_any_byte(void **state)
{
    const struct yaml_node *node = yaml_tree_find(parse(*state, "k: \"a\\0b\\xe9\"\n"), "k");
    assert_int_equal(node->length, 5);
    assert_memory_equal(node->text, "a\0b\xc3\xa9", 6);
}

static void empty_documents_are_empty_mappings(void **state)
{
    static const char *const texts[] = {"", "\n\n", "# only a remark\n", "---\n", "---\n...\n", "~\n", "{}\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct yaml_node *root = parse(*state, texts[i]);
        assert_non_null(root);
        assert_int_equal(root->kind, YAML_MAPPING);
        assert_int_equal(root->length, 0);
        assert_null(root->first);
    }
    assert_messages(((struct fixture *)*state)->diagnostics, "");
}

static void null_is_plain_only(void **state)
{
    const struct yaml_node *root =
        parse(*state, "a:\nb: ~\nc: null\nd: \"\"\ne: 'null'\nf: NULL\ng: Null\nh: nil\ni: []\n");
    static const struct {
        const char *key;
        bool null;
    } expected[] = {{"a", true}, {"b", true}, {"c", true},  {"d", false}, {"e", false},
                    {"f", true}, {"g", true}, {"h", false}, {"i", false}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_int_equal(yaml_tree_is_null(yaml_tree_find(root, expected[i].key)), expected[i].null);
    }
}

static void byte_order_marks_and_crlf_are_fine(void **state)
{
    assert_scalar(yaml_tree_find(parse(*state, "\xef\xbb\xbfk: v\r\nl: w\r\n"), "l"), "w");
    static const char utf16[] = "\xff\xfek\0:\0 \0v\0\n";
    assert_scalar(yaml_tree_find(parse_bytes(*state, utf16, sizeof utf16), "k"), "v");
    assert_messages(((struct fixture *)*state)->diagnostics, "");
}

static void equal_keys_are_all_reported_and_the_tree_stays(void **state)
{
    struct fixture *fixture = *state;
    const struct yaml_node *root = parse(fixture, "a: 1\n"
                                                  "b: { c: 1, d: 2, c: 3 }\n"
                                                  "\"a\": 2\n"
                                                  "list: [ { x: 1 }, { y: { z: 1, z: 2 } } ]\n"
                                                  "a: 3\n");
    assert_non_null(root);
    assert_messages(fixture->diagnostics, "t.yaml:2:18: b.c stands here a second time, first in line 2\n"
                                          "t.yaml:3:1: a stands here a second time, first in line 1\n"
                                          "t.yaml:4:32: list[1].y.z stands here a second time, first in line 4\n"
                                          "t.yaml:5:1: a stands here a second time, first in line 1\n");
    assert_scalar(yaml_tree_find(root, "a"), "1");
}

static void one_equal_key_among_many(void **state)
{
    struct fixture *fixture = *state;
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (unsigned i = 0; i < 20000; i++) {
        fprintf(stream, "%012x: v\n", i * 7919 % 20000);
    }
    fprintf(stream, "00000000002a: v\n");
    fclose(stream);
    assert_non_null(parse(fixture, text));
    free(text);
    assert_int_equal(diagnostics_errors(fixture->diagnostics), 1);
    char *messages = messages_of(fixture->diagnostics);
    assert_non_null(strstr(messages, "t.yaml:20001:1: 00000000002a stands here a second time"));
    free(messages);
}

static void key_that_may_be_a_secret_is_not_shown(void **state)
{
    struct fixture *fixture = *state;
    assert_non_null(
        parse(fixture, "psk: { 7f3a1b9e2c4d5f6a8b9c0d1e2f3a4b5c: 1, 7f3a1b9e2c4d5f6a8b9c0d1e2f3a4b5c: 1 }\n"));
    assert_messages(fixture->diagnostics,
                    "t.yaml:1:45: psk.(a key that is not shown) stands here a second time, first in line 1\n");
    assert_string_equal(yaml_tree_printable_key("de:ad:be:ef:00:01"), "de:ad:be:ef:00:01");
    assert_string_equal(yaml_tree_printable_key("previous_master_secret"), "previous_master_secret");
    assert_string_equal(yaml_tree_printable_key(""), "(a key that is not shown)");
    assert_string_equal(yaml_tree_printable_key("psk \"x\""), "(a key that is not shown)");
    assert_string_equal(yaml_tree_printable_key("aaaaaaaaaaaaaaaaaaaaaaaaa"), "(a key that is not shown)");
}

static void anchors_aliases_tags_are_errors_and_the_tree_stays(void **state)
{
    struct fixture *fixture = *state;
    const struct yaml_node *root = parse(fixture, "a: &x 1\n"
                                                  "b: *x\n"
                                                  "c: !!str 2\n"
                                                  "d: &y [ !t { } ]\n"
                                                  "e: [ *y ]\n"
                                                  "f: { g: ! 7 }\n");
    assert_non_null(root);
    assert_messages(fixture->diagnostics,
                    "t.yaml:1:4: an anchor (&): write the value out at each place\n"
                    "t.yaml:2:4: an alias (*): write the value out, or put it in quotes if it begins with *\n"
                    "t.yaml:3:4: a tag (!): values are taken as they are written\n"
                    "t.yaml:4:4: an anchor (&): write the value out at each place\n"
                    "t.yaml:4:9: a tag (!): values are taken as they are written\n"
                    "t.yaml:5:6: an alias (*): write the value out, or put it in quotes if it begins with *\n"
                    "t.yaml:6:9: a tag (!): values are taken as they are written\n");
    assert_true(yaml_tree_is_null(yaml_tree_find(root, "b")));
    assert_scalar(yaml_tree_find(root, "c"), "2");
}

static void assert_unreadable_at(void **state, const char *text, const char *message, const char *file, int line)
{
    struct fixture *fixture = *state;
    diagnostics_close(fixture->diagnostics);
    fixture->diagnostics = diagnostics_open();
    assert_non_null(fixture->diagnostics);
    if (parse(fixture, text) != NULL) {
        print_error("%s:%d: was read: %s\n", file, line, text);
        fail();
    }
    assert_messages_at(fixture->diagnostics, message, file, line);
}

#define assert_unreadable(text, message) assert_unreadable_at(state, text, message, __FILE__, __LINE__)

static void what_leaves_nothing_to_read(void **state)
{
    assert_unreadable("a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document begins here; one is read\n");
    assert_unreadable("a: 1\n[b]: 2\n", "t.yaml:2:1: a key must be a single text, not a list or a mapping\n");
    assert_unreadable("? {b: c}\n: 2\n", "t.yaml:1:3: a key must be a single text, not a list or a mapping\n");
    assert_unreadable("x: { \"a\\0b\": 2 }\n", "t.yaml:1:6: a key with a NUL byte in it\n");
    assert_unreadable("- a\n- b\n", "t.yaml:1:1: expected keys with values (key: value)\n");
    assert_unreadable("# x\n  just text\n", "t.yaml:2:3: expected keys with values (key: value)\n");
}

static void syntax_errors_have_their_place(void **state)
{
    assert_unreadable("a: [1, 2\nb: 3\n",
                      "t.yaml:2:2: did not find expected ',' or ']' (while parsing a flow sequence)\n");
    assert_unreadable("a: 1\n b: 2\n", "t.yaml:2:3: mapping values are not allowed in this context\n");
    assert_unreadable("a:\n\tb: 2\n", "t.yaml:2:1: found character that cannot start any token (while scanning for the "
                                      "next token)\n");
    assert_unreadable("a: \"open\n", "t.yaml:2:1: found unexpected end of stream (while scanning a quoted scalar)\n");
}

static void bytes_that_are_no_text_have_their_place(void **state)
{
    assert_unreadable("a: b\nc: dé\xff\n", "t.yaml:2:6: invalid leading UTF-8 octet\n");
    assert_unreadable("a: \x01\n", "t.yaml:1:4: control characters are not allowed\n");
    char text[9002];
    memset(text, '#', sizeof text);
    text[4500] = '\n';
    text[9000] = '\x02';
    text[9001] = '\0';
    assert_unreadable(text, "t.yaml:2:4500: control characters are not allowed\n");
}

static void depth_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    assert_non_null(parse(fixture, "a: [[[[[[[]]]]]]]\n"));
    assert_unreadable("a: [[[[[[[[]]]]]]]]\n", "t.yaml:1:11: nested too deeply\n");
}

static void number_of_values_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    size_t count = YAML_TREE_NODES; /* with the mapping at the top and the list one more than two too many */
    char *text = malloc(2 * count + 16);
    assert_non_null(text);
    size_t length = (size_t)sprintf(text, "a: [\n");
    for (size_t i = 0; i < count; i++) {
        text[length++] = '1';
        text[length++] = ',';
    }
    text[length++] = ']';
    assert_null(parse_bytes(fixture, text, length));
    char *messages = messages_of(fixture->diagnostics);
    assert_string_equal(messages, "t.yaml:2:7999997: too many values for one file\n");
    free(messages);
    free(text);
}

static void size_is_bounded(void **state)
{
    struct fixture *fixture = *state;
    size_t size = YAML_TREE_FILE_SIZE + 1;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, '\n', size);
    assert_non_null(parse_bytes(fixture, text, size - 1));
    assert_null(parse_bytes(fixture, text, size));
    assert_messages(fixture->diagnostics, "t.yaml: larger than 67108864 bytes\n");
    free(text);
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void files_are_read_and_checked(void **state)
{
    struct fixture *fixture = *state;
    char folder[] = "/tmp/test_yaml_tree.XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);

    write_file("f.yaml", "a: 1\nb: 2\n", 0644);
    fixture->tree = yaml_tree_load("f.yaml", false, fixture->diagnostics);
    assert_non_null(fixture->tree);
    assert_scalar(yaml_tree_find(yaml_tree_root(fixture->tree), "b"), "2");
    assert_string_equal(yaml_tree_file(fixture->tree), "f.yaml");

    assert_null(yaml_tree_load("f.yaml", true, fixture->diagnostics));
    assert_messages(fixture->diagnostics,
                    "f.yaml: this file holds keys and is open to others (mode 0644): chmod o-rwx f.yaml\n");
    assert_null(yaml_tree_load("none.yaml", false, fixture->diagnostics));
    write_file("bad.yaml", "é: \x01\n", 0640);
    assert_null(yaml_tree_load("bad.yaml", true, fixture->diagnostics));
    assert_null(yaml_tree_load(".", false, fixture->diagnostics));
    assert_messages(fixture->diagnostics,
                    "f.yaml: this file holds keys and is open to others (mode 0644): chmod o-rwx f.yaml\n"
                    "none.yaml: this file cannot be opened: No such file or directory\n"
                    "bad.yaml:1:4: control characters are not allowed\n"
                    ".: this file is a folder, not a file\n");
    unlink("f.yaml");
    unlink("bad.yaml");
    assert_int_equal(rmdir(folder), 0);
}

static void pipe_is_read_without_places_of_bad_bytes(void **state)
{
    struct fixture *fixture = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    char path[32];
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    assert_int_equal(write(ends[1], "a: \x01\n", 5), 5);
    close(ends[1]);
    assert_null(yaml_tree_load(path, false, fixture->diagnostics));
    char expected[128];
    snprintf(expected, sizeof expected, "%s: control characters are not allowed\n", path);
    char *messages = messages_of(fixture->diagnostics);
    assert_string_equal(messages, expected);
    free(messages);
    close(ends[0]);
}

static void free_takes_null(void **state)
{
    (void)state;
    yaml_tree_free(NULL);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(mappings_sequences_scalars_with_places),
        WITH(place_of_value_and_key),
        WITH(scalars_are_literal),
        WITH(scalar_may_hold_any_byte),
        WITH(empty_documents_are_empty_mappings),
        WITH(null_is_plain_only),
        WITH(byte_order_marks_and_crlf_are_fine),
        WITH(equal_keys_are_all_reported_and_the_tree_stays),
        WITH(one_equal_key_among_many),
        WITH(key_that_may_be_a_secret_is_not_shown),
        WITH(anchors_aliases_tags_are_errors_and_the_tree_stays),
        WITH(what_leaves_nothing_to_read),
        WITH(syntax_errors_have_their_place),
        WITH(bytes_that_are_no_text_have_their_place),
        WITH(depth_is_bounded),
        WITH(number_of_values_is_bounded),
        WITH(size_is_bounded),
        WITH(files_are_read_and_checked),
        WITH(pipe_is_read_without_places_of_bad_bytes),
        cmocka_unit_test(free_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
