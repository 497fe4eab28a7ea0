/* Values of every type are copied whole and compared by what they say. */
#include "config/config_file.h"

#include "config/schema.h"
#include "config/value.h"

static const char one[] = "listen: { tcp: [\"127.0.0.1:1\"], udp: [] }\n"
                          "workers: auto\n"
                          "wire: { versions: [1], udp_cookie: always }\n"
                          "handshake_timeout: 1s\nsession_timeout: 1s\nshutdown_timeout: 1s\n"
                          "psk: { registry: [a, b], insecure_permissions: true, require_locked_memory: true }\n"
                          "limits: { sessions: 7, sessions_per_ip: 7, default_psk_sessions: 7, handshakes: 7,\n"
                          "          handshakes_per_ip: 7, lockout_after: 7, lockout: 7s, trusted: [10.0.0.0/8] }\n"
                          "backends: [{ name: a, socket: /a, mode: 600, group: g, payload: base64, queue: 1MiB,\n"
                          "             when_full: drop_oldest, devices: [\"*\", \"de:*\"], commands: false }]\n"
                          "log: { level: debug, format: text }\n"
                          "sandbox: off\n";

/* What cannot be set in this version without a warning or an error. */
static bool is_default_in_both(const struct config_key *key)
{
    return key->availability != CONFIG_AVAILABLE && key->type != CONFIG_TYPE_WORKERS;
}

static bool sets_a_warning(const struct config_key *key)
{
    return strcmp(key->name, "wire.v1_downlink") == 0 || strcmp(key->name, "psk.allow_development_psk") == 0;
}

/* The caller frees it. */
static struct config *load_own(void **state, const char *text)
{
    struct config_file *file = *state;
    load(text);
    struct config *config = file->config;
    file->config = NULL;
    return config;
}

static const void *value_of(const struct config_key *key, const struct config *config)
{
    const void *base =
        config_schema_belongs(key, CONFIG_BACKEND_PREFIX) ? (const void *)config->backends.items : (const void *)config;
    return (const unsigned char *)base + key->offset;
}

static void every_value_differs_from_another_and_equals_its_copy(void **state)
{
    struct config *standard = load_own(state, "");
    struct config *changed = load_own(state, one);
    struct config *again = load_own(state, one);
    struct config_arena memory = {.locked = false};
    union config_value copies[64];
    assert_true(config_schema_size <= 64);
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        if (key->type == CONFIG_TYPE_SECRET || key->type == CONFIG_TYPE_BACKENDS) {
            continue;
        }
        bool same = is_default_in_both(key) || sets_a_warning(key);
        if (config_value_equal(key, value_of(key, standard), value_of(key, changed)) != same) {
            fail_msg("%s is%s the same", key->name, same ? " not" : "");
        }
        assert_true(config_value_equal(key, value_of(key, changed), value_of(key, again)));
        assert_true(config_value_copy(key, &memory, value_of(key, changed), &copies[i]));
    }
    config_free(changed);
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        if (key->type != CONFIG_TYPE_SECRET && key->type != CONFIG_TYPE_BACKENDS) {
            assert_true(config_value_equal(key, &copies[i], value_of(key, again)));
        }
    }
    config_arena_free(&memory);
    config_free(again);
    config_free(standard);
}

struct list_case {
    const char *before;
    const char *after;
};

static void lists_differ_in_any_item(void **state)
{
    static const struct list_case cases[] = {
        {"listen: { tcp: [\"127.0.0.1:1\", \"127.0.0.1:2\"] }", "listen: { tcp: [\"127.0.0.1:1\", \"127.0.0.1:3\"] }"},
        {"listen: { tcp: [\"127.0.0.1:1\"] }", "listen: { tcp: [\"127.0.0.2:1\"] }"},
        {"listen: { tcp: [\"127.0.0.1:1\"] }", "listen: { tcp: [\"127.0.0.1:1\", \"127.0.0.1:3\"] }"},
        {"psk: { registry: [a, b] }", "psk: { registry: [a, c] }"},
        {"psk: { registry: [a, b] }", "psk: { registry: [a] }"},
        {"limits: { trusted: [10.0.0.0/8] }", "limits: { trusted: [10.0.0.0/9] }"},
        {"limits: { trusted: [10.0.0.0/8] }", "limits: { trusted: [11.0.0.0/8] }"},
        {"backends: [{ devices: [\"*\", \"de:*\"] }]", "backends: [{ devices: [\"*\", \"ad:*\"] }]"},
        {"backends: [{ devices: [\"*\", \"00:*\"] }]", "backends: [{ devices: [\"*\", \"00:0*\"] }]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *before = load_own(state, cases[i].before);
        const struct config *after = load(cases[i].after);
        unsigned different = 0;
        for (size_t k = 0; k < config_schema_size; k++) {
            const struct config_key *key = &config_schema[k];
            if (key->type != CONFIG_TYPE_SECRET && key->type != CONFIG_TYPE_BACKENDS) {
                different += !config_value_equal(key, value_of(key, before), value_of(key, after));
            }
        }
        assert_int_equal(different, 1);
        config_free(before);
    }
}

static void spelling_makes_no_difference(void **state)
{
    struct config *before =
        load_own(state, "session_timeout: 60s\n"
                        "listen: { tcp: [\"[::ffff:127.0.0.1]:1\"] }\n"
                        "limits: { trusted: [10.9.9.9/8] }\n"
                        "backends: [{ mode: 660, queue: 65536KiB, devices: [\"*\", \"DEAD*\"] }]\n");
    const struct config *after = load("session_timeout: 1m\n"
                                      "listen: { tcp: [127.0.0.1:1] }\n"
                                      "limits: { trusted: [\"::ffff:10.0.0.0/104\"] }\n"
                                      "backends: [{ mode: \"0660\", queue: 64MiB, devices: [\"*\", \"de:ad*\"] }]\n");
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        if (key->type != CONFIG_TYPE_SECRET && key->type != CONFIG_TYPE_BACKENDS) {
            assert_true(config_value_equal(key, value_of(key, before), value_of(key, after)));
        }
    }
    config_free(before);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, config_file_set_up, config_file_tear_down)
    const struct CMUnitTest tests[] = {
        WITH(every_value_differs_from_another_and_equals_its_copy),
        WITH(lists_differ_in_any_item),
        WITH(spelling_makes_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
