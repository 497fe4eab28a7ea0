#define _GNU_SOURCE
/* What was in a YAML file is gone from memory once its tree has been freed, libyaml's copies included. */
#include "config/messages.h"

#include "config/process_memory.h"
#include "config/yaml_tree.h"

#define SECRET_SIZE 64u
#define PIECE 12u /* libyaml's buffers grow from 16 bytes: the shortest copy that it leaves behind */

static char file[] = "/tmp/test_yaml_secrets.XXXXXX";

/* The secret exists masked only, but for the moment of its writing. */
static unsigned char masked[SECRET_SIZE];

static void make_secret(void)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[SECRET_SIZE];
    int random = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(random, raw, sizeof raw), sizeof raw);
    close(random);
    for (size_t i = 0; i < SECRET_SIZE; i++) {
        masked[i] = (unsigned char)((unsigned char)digits[raw[i] & 15u] ^ PROCESS_MEMORY_MASK);
    }
}

static void write_file_with_secret(const char *before, const char *after)
{
    int descriptor = open(file, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, before, strlen(before)), strlen(before));
    unsigned char text[SECRET_SIZE];
    for (size_t i = 0; i < SECRET_SIZE; i++) {
        text[i] = masked[i] ^ PROCESS_MEMORY_MASK;
    }
    assert_int_equal(write(descriptor, text, sizeof text), sizeof text);
    explicit_bzero(text, sizeof text);
    assert_int_equal(write(descriptor, after, strlen(after)), strlen(after));
    close(descriptor);
}

static int set_up(void **state)
{
    (void)state;
    int descriptor = mkstemp(file);
    close(descriptor);
    make_secret();
    return descriptor < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(file);
}

static void assert_gone_after_reading(const char *before, const char *after, bool readable)
{
    write_file_with_secret(before, after);
    struct diagnostics *diagnostics = diagnostics_open();
    assert_non_null(diagnostics);
    struct yaml_tree *tree = yaml_tree_load(file, true, diagnostics);
    if (readable) {
        assert_messages(diagnostics, "");
        assert_non_null(tree);
        assert_true(process_memory_count(masked, SECRET_SIZE) == 1);
    } else {
        assert_null(tree);
    }
    yaml_tree_free(tree);
    assert_int_equal(process_memory_count(masked, PIECE), 0);
    diagnostics_close(diagnostics);
    assert_int_equal(process_memory_count(masked, PIECE), 0);
}

static void search_finds_what_is_there(void **state)
{
    (void)state;
    unsigned char *copy = malloc(SECRET_SIZE);
    assert_non_null(copy);
    for (size_t i = 0; i < SECRET_SIZE; i++) {
        copy[i] = masked[i] ^ PROCESS_MEMORY_MASK;
    }
    assert_true(process_memory_count(masked, SECRET_SIZE) >= 1);
    explicit_bzero(copy, SECRET_SIZE);
    free(copy);
    assert_int_equal(process_memory_count(masked, PIECE), 0);
}

static void values_of_every_style(void **state)
{
    (void)state;
    assert_gone_after_reading("psk_hex: ", "\n", true);
    assert_gone_after_reading("psk_hex: \"", "\"\n", true);
    assert_gone_after_reading("psk_hex: '", "'\n", true);
    assert_gone_after_reading("psk_hex: |\n  ", "\n", true);
    assert_gone_after_reading("a: { b: [ ", " ] }\n", true);
}

static void secret_in_a_key_or_remark(void **state)
{
    (void)state;
    assert_gone_after_reading("", ": misplaced\n", true);
    write_file_with_secret("a: 1 # ", "\n");
    struct diagnostics *diagnostics = diagnostics_open();
    struct yaml_tree *tree = yaml_tree_load(file, true, diagnostics);
    assert_non_null(tree);
    assert_int_equal(process_memory_count(masked, PIECE), 0);
    yaml_tree_free(tree);
    diagnostics_close(diagnostics);
}

static void secret_in_a_file_that_is_refused(void **state)
{
    (void)state;
    assert_gone_after_reading("a: ", "\nb: [\n", false);
    assert_gone_after_reading("a: ", "\nb: \x01\n", false);
    assert_gone_after_reading("", "\n", false);
    assert_gone_after_reading("a: 1\n", "\n", false);
    assert_gone_after_reading("a: \"", "\n", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(search_finds_what_is_there),
        cmocka_unit_test(values_of_every_style),
        cmocka_unit_test(secret_in_a_key_or_remark),
        cmocka_unit_test(secret_in_a_file_that_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
