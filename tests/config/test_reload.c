/* A configuration follows on a running one. */
#include "config/config_file.h"

#include "config/reload.h"

static const char secret[] = "0123456789abcdef0123456789abcdef";
static const char other[] = "fedcba9876543210fedcba9876543210";

/* Writes the text over the file of the running configuration and reloads; must go well, without a message. */
static struct config *reload(void **state, const char *text, struct config_changes *changes)
{
    struct config_file *file = *state;
    config_file_write("usmpd.yaml", text, 0644);
    struct config *next = config_reload(file->config, changes, file->diagnostics);
    assert_messages(file->diagnostics, "");
    assert_non_null(next);
    return next;
}

static void assert_changes(const struct config_changes *changes, const char *now, const char *new_sessions,
                           const char *next_start)
{
    assert_string_equal(changes->text[CONFIG_EFFECT_NOW], now);
    assert_string_equal(changes->text[CONFIG_EFFECT_NEW_SESSIONS], new_sessions);
    assert_string_equal(changes->text[CONFIG_EFFECT_NEXT_START], next_start);
}

static void nothing_changed(void **state)
{
    load("");
    struct config_changes changes = {.count = {9, 9, 9}, .text = {"x", "x", "x"}};
    struct config *next = reload(state, "limits: { sessions: 100000 } # said at last\n", &changes);
    assert_changes(&changes, "", "", "");
    for (size_t i = 0; i < CONFIG_EFFECTS; i++) {
        assert_int_equal(changes.count[i], 0);
    }
    config_free(next);
}

static void applied_at_once(void **state)
{
    load("");
    struct config_changes changes;
    struct config *next = reload(state,
                                 "handshake_timeout: 1s\nsession_timeout: 0\nshutdown_timeout: 1s\n"
                                 "psk: { registry: [a, b], insecure_permissions: true, require_locked_memory: true }\n"
                                 "limits: { sessions: 1, sessions_per_ip: 1, default_psk_sessions: 1, handshakes: 1,\n"
                                 "          handshakes_per_ip: 1, lockout_after: 1, lockout: 1s, trusted: [10.0.0.0/8] "
                                 "}\n"
                                 "log: { level: debug, format: json }\n",
                                 &changes);
    assert_changes(&changes,
                   "handshake_timeout, session_timeout, shutdown_timeout, psk.registry, psk.insecure_permissions, "
                   "psk.require_locked_memory, limits.sessions, limits.sessions_per_ip, limits.default_psk_sessions, "
                   "limits.handshakes, limits.handshakes_per_ip, limits.lockout_after, limits.lockout, "
                   "limits.trusted, log.level, log.format",
                   "", "");
    assert_int_equal(changes.count[CONFIG_EFFECT_NOW], 16);
    assert_int_equal(next->limits.sessions, 1);
    assert_int_equal(next->limits.trusted.count, 1);
    assert_int_equal(next->psk.registry.count, 2);
    assert_int_equal(next->log.level, LOG_LEVEL_DEBUG);
    config_free(next);
}

static void for_new_sessions(void **state)
{
    load("");
    struct config_changes changes;
    struct config *next = reload(state, "wire: { versions: [2], udp_cookie: always }\n", &changes);
    assert_changes(&changes, "", "wire.versions, wire.udp_cookie", "");
    assert_int_equal(next->wire.versions, CONFIG_WIRE_BIT(2));
    assert_int_equal(next->wire.udp_cookie, CONFIG_UDP_COOKIE_ALWAYS);
    config_free(next);
}

static void at_the_next_start_the_running_value_stays(void **state)
{
    load("listen: { tcp: [\"127.0.0.1:1\"], udp: [\"127.0.0.1:2\", \"127.0.0.1:3\"] }\n");
    struct config_changes changes;
    struct config *next = reload(state,
                                 "listen: { tcp: [\"127.0.0.1:9\"], udp: [] }\n"
                                 "workers: auto\n"
                                 "sandbox: off\n"
                                 "log: { level: warn }\n",
                                 &changes);
    assert_changes(&changes, "log.level", "", "listen.tcp, listen.udp, workers, sandbox");
    struct config_file *file = *state;
    config_free(file->config);
    file->config = next;
    /* Whole, though the one that it was taken from is gone. */
    assert_int_equal(next->listen.tcp.count, 1);
    assert_int_equal(next->listen.tcp.items[0].address.port, 1);
    assert_int_equal(next->listen.udp.count, 2);
    assert_int_equal(next->listen.udp.items[1].address.port, 3);
    assert_int_equal(next->workers, 1);
    assert_int_equal(next->sandbox, CONFIG_SANDBOX_AUTO);
    assert_int_equal(next->log.level, LOG_LEVEL_WARN);

    /* They still wait when the file is read once more. */
    next = reload(state,
                  "listen: { tcp: [\"127.0.0.1:9\"], udp: [\"127.0.0.1:2\", \"127.0.0.1:3\"] }\n"
                  "log: { level: warn }\n",
                  &changes);
    assert_changes(&changes, "", "", "listen.tcp");
    config_free(next);
}

static void ignored_keys_wait_too(void **state)
{
    load("");
    struct config_file *file = *state;
    config_file_write("usmpd.yaml",
                      "metrics: { listen: 127.0.0.1:9464 }\ncontrol: { socket: /c, mode: \"0666\" }\nworkers: 2\n",
                      0644);
    struct config_changes changes;
    struct config *next = config_reload(file->config, &changes, file->diagnostics);
    assert_non_null(next);
    assert_int_equal(diagnostics_warnings(file->diagnostics), 4);
    assert_changes(&changes, "", "", "workers, control.socket, control.mode, metrics.listen");
    assert_int_equal(next->metrics.listen.count, 0);
    assert_string_equal(next->control.socket, "/run/usmpd/control.sock");
    config_free(next);
}

static const char two_backends[] = "backends:\n"
                                   "  - { name: a, socket: /a, devices: [\"*\"] }\n"
                                   "  - { name: b, socket: /b, devices: [\"de:*\"] }\n";

static void keys_of_backends_wait(void **state)
{
    load(two_backends);
    struct config_changes changes;
    struct config *next = reload(state,
                                 "backends:\n"
                                 "\n"
                                 "  - { name: a, socket: /a, devices: [\"*\"], commands: false, mode: \"0600\" }\n"
                                 "  - { name: c, socket: /c, group: g, queue: 1MiB, devices: [\"ad:*\"], payload: "
                                 "base64,\n"
                                 "      when_full: drop_oldest }\n",
                                 &changes);
    assert_changes(&changes, "", "",
                   "backends[0].mode, backends[0].commands, backends[1].name, backends[1].socket, backends[1].group, "
                   "backends[1].payload, backends[1].queue, backends[1].when_full, backends[1].devices");
    assert_int_equal(changes.count[CONFIG_EFFECT_NEXT_START], 9);
    struct config_file *file = *state;
    config_free(file->config);
    file->config = next;
    assert_int_equal(next->backends.count, 2);
    assert_true(next->backends.items[0].commands);
    assert_string_equal(next->backends.items[1].name, "b");
    assert_string_equal(next->backends.items[1].socket, "/b");
    assert_string_equal(next->backends.items[1].group, "");
    assert_int_equal(next->backends.items[1].devices.count, 1);
    assert_int_equal(next->backends.items[1].devices.items[0].bytes[0], 0xde);
    assert_int_equal(next->backends.items[1].place.line, 4);
    assert_string_equal(next->backends.items[1].place.file, "usmpd.yaml");
}

static void number_of_backends_waits(void **state)
{
    load(two_backends);
    struct config_changes changes;
    struct config *next = reload(state, "backends: [{ name: a, socket: /a }]\n", &changes);
    assert_changes(&changes, "", "", "backends");
    assert_int_equal(next->backends.count, 2);
    assert_string_equal(next->backends.items[1].name, "b");
    assert_int_equal(next->backends.items[1].place.line, 0);
    config_free(next);
}

static void very_many_changes_are_cut(void **state)
{
    static char before[8192];
    static char after[8192];
    size_t used = (size_t)snprintf(before, sizeof before, "backends:\n");
    size_t used_after = (size_t)snprintf(after, sizeof after, "backends:\n");
    for (unsigned i = 0; i < 32; i++) {
        used += (size_t)snprintf(before + used, sizeof before - used, "  - { name: b%u, socket: /b%u }\n", i, i);
        used_after +=
            (size_t)snprintf(after + used_after, sizeof after - used_after, "  - { name: c%u, socket: /c%u }\n", i, i);
    }
    load(before);
    struct config_changes changes;
    struct config *next = reload(state, after, &changes);
    assert_int_equal(changes.count[CONFIG_EFFECT_NEXT_START], 64);
    const char *text = changes.text[CONFIG_EFFECT_NEXT_START];
    assert_non_null(strstr(text, "backends[10].name, "));
    assert_non_null(strstr(text, ", …"));
    assert_string_equal(strstr(text, ", …"), ", …");
    assert_true(strlen(text) < CONFIG_CHANGES_TEXT);
    assert_null(strstr(text, "backends[31]"));
    config_free(next);
}

static void what_is_wrong_changes_nothing(void **state)
{
    load("limits: { sessions: 5 }\n");
    struct config_file *file = *state;
    struct config_changes changes = {.count = {9}};
    config_file_write("usmpd.yaml", "limits: { sessions: x }\nlog: { level: debug }\n", 0644);
    assert_null(config_reload(file->config, &changes, file->diagnostics));
    assert_messages(file->diagnostics, "usmpd.yaml:1:21: limits.sessions: \"x\" is no whole number\n");
    assert_int_equal(changes.count[0], 9);
    config_file_write("usmpd.yaml", "limits: [\n", 0644);
    assert_null(config_reload(file->config, &changes, file->diagnostics));
    unlink("usmpd.yaml");
    assert_null(config_reload(file->config, &changes, file->diagnostics));
    assert_int_equal(file->config->limits.sessions, 5);
}

static void assert_secret(const struct config_secret *found, enum config_secret_kind kind, const char *bytes)
{
    assert_int_equal(found->kind, kind);
    assert_int_equal(found->length, strlen(bytes));
    assert_memory_equal(found->bytes, bytes, strlen(bytes));
}

static void secret_of_a_file_is_read_again(void **state)
{
    static const char text[] = "psk: { master_secret: { file: master }, previous_master_secret: { file: previous } }\n";
    config_file_write("master", secret, 0600);
    config_file_write("previous", secret, 0600);
    load(text);
    struct config_changes changes;
    struct config *next = reload(state, text, &changes);
    assert_changes(&changes, "", "", "");
    assert_secret(&next->psk.master_secret, CONFIG_SECRET_FILE, secret);
    config_free(next);
    config_file_write("master", other, 0600);
    next = reload(state, text, &changes);
    assert_changes(&changes, "psk.master_secret", "", "");
    assert_secret(&next->psk.master_secret, CONFIG_SECRET_FILE, other);
    assert_secret(&next->psk.previous_master_secret, CONFIG_SECRET_FILE, secret);
    config_free(next);
    config_file_write("previous", "shorter", 0600);
    next = reload(state, text, &changes);
    assert_changes(&changes, "psk.master_secret, psk.previous_master_secret", "", "");
    config_free(next);
    unlink("master");
    struct config_file *file = *state;
    assert_null(config_reload(file->config, &changes, file->diagnostics));
    assert_messages(file->diagnostics,
                    "usmpd.yaml:1:31: psk.master_secret.file: master cannot be opened: No such file or directory\n");
    unlink("previous");
}

static void secret_of_the_environment_stays(void **state)
{
    static const char text[] = "psk: { master_secret: { env: TEST_SECRET } }\n";
    setenv("TEST_SECRET", secret, 1);
    load(text);
    struct config_file *file = *state;
    config_forget_environment(file->config);
    struct config_changes changes;
    struct config *next = reload(state, text, &changes);
    assert_changes(&changes, "", "", "");
    assert_secret(&next->psk.master_secret, CONFIG_SECRET_ENVIRONMENT, secret);
    assert_string_equal(next->psk.master_secret.name, "TEST_SECRET");
    config_free(file->config);
    file->config = next;
    assert_secret(&next->psk.master_secret, CONFIG_SECRET_ENVIRONMENT, secret);

    /* Another variable cannot be read any more: it waits, and what runs stays. */
    next = reload(state, "psk: { master_secret: { env: TEST_OTHER } }\n", &changes);
    assert_changes(&changes, "", "", "psk.master_secret");
    assert_secret(&next->psk.master_secret, CONFIG_SECRET_ENVIRONMENT, secret);
    assert_string_equal(next->psk.master_secret.name, "TEST_SECRET");
    config_free(next);
    next = reload(state, "psk: { master_secret: { credential: master } }\n", &changes);
    assert_changes(&changes, "", "", "psk.master_secret");
    config_free(next);

    /* A file can, and so can nothing at all. */
    config_file_write("master", other, 0600);
    next = reload(state, "psk: { master_secret: { file: master } }\n", &changes);
    assert_changes(&changes, "psk.master_secret", "", "");
    assert_secret(&next->psk.master_secret, CONFIG_SECRET_FILE, other);
    config_free(next);
    unlink("master");
    next = reload(state, "", &changes);
    assert_changes(&changes, "psk.master_secret", "", "");
    assert_int_equal(next->psk.master_secret.kind, CONFIG_SECRET_NONE);
    config_free(next);
}

static void first_secret_of_the_environment_waits(void **state)
{
    load("");
    struct config_changes changes;
    struct config *next = reload(state, "psk: { master_secret: { env: TEST_SECRET } }\n", &changes);
    assert_changes(&changes, "", "", "psk.master_secret");
    assert_int_equal(next->psk.master_secret.kind, CONFIG_SECRET_NONE);
    assert_null(next->psk.master_secret.bytes);
    config_free(next);
}

static void secret_of_a_file_stays_until_a_variable_can_be_read(void **state)
{
    config_file_write("master", secret, 0600);
    load("psk: { master_secret: { file: master } }\n");
    unlink("master");
    struct config_changes changes;
    struct config *next = reload(state, "psk: { master_secret: { env: TEST_SECRET } }\n", &changes);
    assert_changes(&changes, "", "", "psk.master_secret");
    assert_secret(&next->psk.master_secret, CONFIG_SECRET_FILE, secret);
    config_free(next);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, config_file_set_up, config_file_tear_down)
    const struct CMUnitTest tests[] = {
        WITH(nothing_changed),
        WITH(applied_at_once),
        WITH(for_new_sessions),
        WITH(at_the_next_start_the_running_value_stays),
        WITH(ignored_keys_wait_too),
        WITH(keys_of_backends_wait),
        WITH(number_of_backends_waits),
        WITH(very_many_changes_are_cut),
        WITH(what_is_wrong_changes_nothing),
        WITH(secret_of_a_file_is_read_again),
        WITH(secret_of_the_environment_stays),
        WITH(first_secret_of_the_environment_waits),
        WITH(secret_of_a_file_stays_until_a_variable_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
