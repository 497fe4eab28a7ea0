/* Memory fails once, at each call in turn: whatever was to be loaded is refused with a message, nothing leaks (which
 * the address sanitizer sees), and the next try goes well. */
#include "config/config_file.h"

#include "config/arena.h"
#include "config/reload.h"
#include "platform/secret_memory.h"

static unsigned long calls;
static unsigned long failing_call; /* 0: none */

static bool fails(void)
{
    return ++calls == failing_call;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_realpath(const char *path, char *resolved);
void *__real_secret_memory_allocate(size_t size, enum secret_memory_kind kind);
void *__real_config_arena_allocate(struct config_arena *arena, size_t size);
char *__real_config_arena_copy(struct config_arena *arena, const void *bytes, size_t length);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_realpath(const char *path, char *resolved);
void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind);
void *__wrap_config_arena_allocate(struct config_arena *arena, size_t size);
char *__wrap_config_arena_copy(struct config_arena *arena, const void *bytes, size_t length);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(memory, count, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_realpath(const char *path, char *resolved)
{
    return fails() ? NULL : __real_realpath(path, resolved);
}

void *__wrap_secret_memory_allocate(size_t size, enum secret_memory_kind kind)
{
    return fails() ? NULL : __real_secret_memory_allocate(size, kind);
}

/* An arena asks for memory once in a while only; its users must bear that at every call. */
void *__wrap_config_arena_allocate(struct config_arena *arena, size_t size)
{
    return fails() ? NULL : __real_config_arena_allocate(arena, size);
}

char *__wrap_config_arena_copy(struct config_arena *arena, const void *bytes, size_t length)
{
    return fails() ? NULL : __real_config_arena_copy(arena, bytes, length);
}

static const char good[] = "listen: { tcp: [\"127.0.0.1:1\", \"[::1]:1\"] }\n"
                           "wire: { versions: [2] }\n"
                           "psk:\n"
                           "  registry: [a.yaml, b.yaml, \"a longer name than any buffer of the parser begins with\"]\n"
                           "  master_secret: { file: master }\n"
                           "  previous_master_secret: { env: TEST_SECRET }\n"
                           "limits: { sessions: 5, lockout: 1s, trusted: [10.0.0.0/8] }\n"
                           "backends:\n"
                           "  - { name: a, socket: /a, group: g, devices: [\"*\", \"de:*\"] }\n"
                           "  - { name: b, socket: /b, devices: [\"de:ad:be:ef:00:01\"] }\n"
                           "control: { socket: /run/usmpd/control.sock }\n";

/* A key twice among many, unknown ones, wrong values, warnings. */
static const char bad[] = "k1: 1\nk2: 1\nk3: 1\nk4: 1\nk5: 1\nk6: 1\nk7: 1\nk8: 1\nk9: 1\nk10: 1\nk11: 1\nk12: 1\n"
                          "k13: 1\nk14: 1\nk15: 1\nk16: 1\nk17: 1\nk1: 2\n"
                          "psk: { allow_development_psk: true, master_secret: { file: absent } }\n"
                          "limits: { sessions: x }\n"
                          "workers: 7\n"
                          "backends: [{ delivery: acknowledged }]\n";

static int set_up(void **state)
{
    failing_call = 0;
    setenv("TEST_SECRET", "0123456789abcdef0123456789abcdef", 1);
    int result = config_file_set_up(state);
    config_file_write("master", "fedcba9876543210fedcba9876543210", 0600);
    return result;
}

static int tear_down(void **state)
{
    failing_call = 0;
    unsetenv("TEST_SECRET");
    unsetenv("CREDENTIALS_DIRECTORY");
    unlink("master");
    return config_file_tear_down(state);
}

/* With the n-th allocation failing, counted from the opening of the diagnostics; whether there were as many. */
static bool load_with_failure(unsigned long n, struct config **config, struct diagnostics **diagnostics)
{
    calls = 0;
    failing_call = n;
    *config = NULL;
    *diagnostics = diagnostics_open();
    if (*diagnostics != NULL) {
        *config = config_load("usmpd.yaml", *diagnostics);
    }
    failing_call = 0;
    return calls >= n;
}

static void loading(void **state)
{
    (void)state;
    config_file_write("usmpd.yaml", good, 0644);
    struct config *config;
    struct diagnostics *diagnostics;
    unsigned long n = 1;
    for (; load_with_failure(n, &config, &diagnostics); n++) {
        if (diagnostics != NULL) {
            assert_true(diagnostics_errors(diagnostics) > 0);
            assert_null(config);
        }
        config_free(config);
        diagnostics_close(diagnostics);
    }
    assert_non_null(config);
    assert_int_equal(diagnostics_errors(diagnostics), 0);
    config_free(config);
    diagnostics_close(diagnostics);
    assert_true(n > 100);
}

static void loading_what_is_wrong(void **state)
{
    (void)state;
    config_file_write("usmpd.yaml", bad, 0644);
    struct config *config;
    struct diagnostics *diagnostics;
    unsigned long n = 1;
    for (; load_with_failure(n, &config, &diagnostics); n++) {
        assert_null(config);
        if (diagnostics != NULL) {
            assert_true(diagnostics_errors(diagnostics) > 0);
            free(messages_of(diagnostics));
        }
        diagnostics_close(diagnostics);
    }
    assert_null(config);

    assert_int_equal(diagnostics_errors(diagnostics), 22);
    assert_int_equal(diagnostics_warnings(diagnostics), 2);
    diagnostics_close(diagnostics);
}

static void reloading(void **state)
{
    struct config_file *file = *state;
    config_file_write("usmpd.yaml", good, 0644);
    file->config = config_load("usmpd.yaml", file->diagnostics);
    assert_non_null(file->config);
    config_file_write("usmpd.yaml",
                      "psk: { registry: c, master_secret: { file: master } }\n"
                      "listen: { tcp: [\"127.0.0.1:3\"] }\n"
                      "backends: [{ name: c, socket: /c }]\n",
                      0644);
    struct config *next = NULL;
    struct diagnostics *diagnostics = NULL;
    unsigned long n = 1;
    for (; next == NULL; n++) {
        struct config_changes changes = {.count = {77, 77, 77}};
        diagnostics = diagnostics_open();
        assert_non_null(diagnostics);
        calls = 0;
        failing_call = n;
        next = config_reload(file->config, &changes, diagnostics);
        failing_call = 0;
        assert_int_equal(next == NULL, diagnostics_errors(diagnostics) > 0);
        assert_int_equal(next == NULL, changes.count[0] == 77);
        assert_int_equal(next == NULL, calls >= n);
        diagnostics_close(diagnostics);
    }
    assert_string_equal(next->backends.items[1].name, "b");
    config_free(next);
    assert_true(n > 100);
}

/* Without memory for the real path of $CREDENTIALS_DIRECTORY the file in it is as open as any other. */
static void credentials(void **state)
{
    struct config_file *file = *state;
    setenv("CREDENTIALS_DIRECTORY", file->folder, 1);
    assert_int_equal(chmod("master", 0644), 0);
    config_file_write("usmpd.yaml", "psk: { master_secret: { credential: master } }\n", 0644);
    struct config *config;
    struct diagnostics *diagnostics;
    for (unsigned long n = 1; load_with_failure(n, &config, &diagnostics); n++) {
        assert_null(config);
        assert_true(diagnostics == NULL || diagnostics_errors(diagnostics) > 0);
        diagnostics_close(diagnostics);
    }
    assert_non_null(config);
    config_free(config);
    diagnostics_close(diagnostics);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH(loading),
        WITH(loading_what_is_wrong),
        WITH(reloading),
        WITH(credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
