#include "registry/load.h"

#include "crypto/start.h"
#include "platform/secret_memory.h"
#include "registry/loading.h"

#define KEY_1 "aa1647659a86b9f3ea40f6ff3af3c7b26a44918d06329a932b66ad26076474b7"
#define KEY_2 "79203864111890048377303696820608aa1647659a86b9f3ea40f6ff3af3c7b2"
#define MASTER "3tPJ632YOdShbcW_tu0stFQ9hcJPHH0tLUgMJjgeuhM"
#define PREVIOUS_MASTER "u3hMJjgegMLUh0tJPHHhcFQ9u0st_tbcWdShYO632tPJ"
#define NOW INT64_C(1800000000)
#define CONFIGURATION "usmpd.yaml: "

static struct loading loading;

static size_t pretended_unlocked; /* bytes */
static size_t secret_state_calls;

struct secret_memory_state __real_secret_memory_state(enum secret_memory_kind kind);
struct secret_memory_state __wrap_secret_memory_state(enum secret_memory_kind kind);

/* The limit on locked memory of the machine that runs this must not matter. */
struct secret_memory_state __wrap_secret_memory_state(enum secret_memory_kind kind)
{
    struct secret_memory_state state = __real_secret_memory_state(kind);
    state.unlocked_bytes = pretended_unlocked;
    secret_state_calls++;
    return state;
}

static enum registry_verdict verdict_of(const struct registry *registry, const char *id_text)
{
    uint8_t id[CONFIG_DEVICE_ID_SIZE];
    assert_true(config_device_id_parse(id_text, id));
    struct registry_match match;
    registry_lookup(registry, id, 2, NOW, &match);
    enum registry_verdict verdict = match.verdict;
    registry_match_wipe(&match);
    return verdict;
}

/* Loads what must load, and compares the warnings. */
static struct registry *load_with(const char *warnings)
{
    struct registry *registry = loading_run(&loading);
    assert_string_equal(loading.said.text, warnings);
    assert_non_null(registry);
    return registry;
}

static void assert_refused_with(const char *messages)
{
    assert_null(loading_run(&loading));
    assert_string_equal(loading.said.text, messages);
}

static void test_devices_of_a_file(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "devices:\n"
                          "  deadbeef0001: { psk_hex: " KEY_1 " }\n"
                          "  deadbeef0002: { revoked: true }\n");
    struct registry *registry = load_with("");
    assert_int_equal(verdict_of(registry, "deadbeef0001"), REGISTRY_ACCEPTED);
    assert_int_equal(verdict_of(registry, "deadbeef0002"), REGISTRY_REVOKED);
    assert_int_equal(verdict_of(registry, "deadbeef0003"), REGISTRY_UNKNOWN);
    struct registry_summary summary = registry_summarise(registry);
    assert_int_equal(summary.devices, 2);
    assert_int_equal(summary.revoked, 1);
    assert_int_equal(summary.keys, 1);
    assert_int_equal(summary.weak_keys, 0);
    registry_release(registry);
    loading_close(&loading);
}

static void test_several_files_are_one_registry(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "devices: { deadbeef0001: { psk_hex: " KEY_1 " } }");
    loading_add(&loading, "");
    loading_add(&loading, "devices: { deadbeef0002: { psk_hex: " KEY_2 " } }");
    struct registry *registry = load_with("");
    assert_int_equal(registry_summarise(registry).devices, 2);
    assert_int_equal(verdict_of(registry, "deadbeef0001"), REGISTRY_ACCEPTED);
    assert_int_equal(verdict_of(registry, "deadbeef0002"), REGISTRY_ACCEPTED);
    registry_release(registry);
    loading_close(&loading);
}

static void test_what_stands_in_two_files_names_both_places(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "devices: { deadbeef0001: { psk_hex: " KEY_1 " } }\n"
                          "default: { psk_hex: " KEY_1 " }\n");
    loading_add(&loading, "devices: { DE:AD:BE:EF:00:01: { psk_hex: " KEY_2 " } }\n"
                          "default: { psk_hex: " KEY_2 " }\n");
    assert_null(loading_run(&loading));
    assert_int_equal(loading.said.errors, 2);
    assert_non_null(strstr(loading.said.text, "1.yaml:1:12: devices.de:ad:be:ef:00:01 stands here a second time: it is "
                                              "at 0.yaml:1:12 too\n"));
    assert_non_null(strstr(loading.said.text, "1.yaml:2:1: default stands here a second time: it is at 0.yaml:2:1 "
                                              "too\n"));
    loading_close(&loading);
}

static void test_same_text_in_two_files_is_told_too(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "devices: { deadbeef0001: { psk_hex: " KEY_1 " } }");
    loading_add(&loading, "devices: { deadbeef0001: { psk_hex: " KEY_1 " } }");
    assert_refused_with("1.yaml:1:12: devices.de:ad:be:ef:00:01 stands here a second time: it is at 0.yaml:1:12 too\n");
    loading_close(&loading);
}

static void test_every_file_is_looked_at(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "devices: { nobody: {} }");
    loading_add(&loading, "");
    loading_add(&loading, "devices: { deadbeef0001: { psk: short } }");
    assert_int_equal(unlink("1.yaml"), 0);
    assert_null(loading_run(&loading));
    assert_int_equal(loading.said.errors, 3);
    assert_non_null(strstr(loading.said.text, "0.yaml:1:12: devices has a key that is no device id"));
    assert_non_null(strstr(loading.said.text, "1.yaml"));
    assert_non_null(strstr(loading.said.text, "2.yaml:1:33: devices.de:ad:be:ef:00:01.psk is shorter"));
    loading_close(&loading);
}

static void test_errors_of_before_do_not_count(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "devices: { deadbeef0001: { psk_hex: " KEY_1 " } }");
    struct diagnostics *diagnostics = diagnostics_open();
    assert_non_null(diagnostics);
    diagnostics_add(diagnostics, DIAGNOSTICS_ERROR, (struct diagnostics_place){.file = "usmpd.yaml"}, "is wrong");
    struct registry *registry = registry_load(&loading.config, reading_boot_secret, diagnostics);
    assert_non_null(registry);
    registry_release(registry);
    /* A secret that could not be read is no reason to say that there is none. */
    loading.config.psk.registry.count = 0;
    registry = registry_load(&loading.config, reading_boot_secret, diagnostics);
    assert_non_null(registry);
    assert_int_equal(diagnostics_warnings(diagnostics), 0);
    registry_release(registry);
    diagnostics_close(diagnostics);
    loading_close(&loading);
}

static void test_others_must_not_be_able_to_read(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "devices: { deadbeef0001: { psk_hex: " KEY_1 " } }");
    assert_int_equal(chmod("0.yaml", 0644), 0);
    assert_null(loading_run(&loading));
    assert_int_equal(loading.said.errors, 1);
    assert_non_null(strstr(loading.said.text, "chmod o-rwx"));
    assert_non_null(strstr(loading.said.text, "0.yaml"));
    loading.config.psk.insecure_permissions = true;
    struct registry *registry = load_with("");
    registry_release(registry);
    loading_close(&loading);
}

static void test_master_secrets_are_taken(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_set_secret(&loading.config.psk.master_secret, MASTER);
    struct registry *registry = load_with("");
    assert_int_equal(verdict_of(registry, "deadbeef0001"), REGISTRY_ACCEPTED);
    assert_true(registry_summarise(registry).has_master_secret);
    assert_false(registry_summarise(registry).has_previous_master_secret);
    registry_release(registry);
    loading_set_secret(&loading.config.psk.previous_master_secret, PREVIOUS_MASTER);
    registry = load_with("");
    assert_true(registry_summarise(registry).has_previous_master_secret);
    registry_release(registry);
    loading_close(&loading);
}

static void test_bad_master_secrets_are_errors(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_set_secret(&loading.config.psk.master_secret, "");
    loading_set_secret(&loading.config.psk.previous_master_secret, "short");
    assert_refused_with("usmpd.yaml:7:11: psk.master_secret is empty\n"
                        "usmpd.yaml:7:11: psk.previous_master_secret is shorter than 32 bytes; take 32 random bytes\n");
    loading_close(&loading);
}

static void test_default_and_master_secret_exclude_each_other(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "default: { psk_hex: " KEY_1 " }");
    loading_set_secret(&loading.config.psk.previous_master_secret, PREVIOUS_MASTER);
    assert_null(loading_run(&loading));
    assert_int_equal(loading.said.errors, 1);
    assert_non_null(strstr(loading.said.text,
                           "1:1: default is not possible together with psk.previous_master_secret (usmpd.yaml:7:11)"));
    loading_set_secret(&loading.config.psk.master_secret, MASTER);
    assert_null(loading_run(&loading));
    assert_int_equal(loading.said.errors, 2);
    loading_close(&loading);
}

static void test_default_is_said_at_every_start(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "default: { psk_hex: " KEY_1 " }");
    struct registry *registry = loading_run(&loading);
    assert_non_null(registry);
    assert_int_equal(loading.said.warnings, 1);
    assert_non_null(strstr(loading.said.text, "0.yaml:1:1: warning: devices under default are not told apart"));
    assert_int_equal(verdict_of(registry, "deadbeef0001"), REGISTRY_ACCEPTED);
    assert_true(registry_summarise(registry).has_default);
    registry_release(registry);
    loading_close(&loading);
}

static void test_registry_that_accepts_nobody_is_a_warning(void **state)
{
    (void)state;
    static const char nobody[] = CONFIGURATION "warning: psk: there is no key of any device, no default and no master "
                                               "secret: every device will be refused\n";
    loading_open(&loading);
    registry_release(load_with(nobody));
    loading_add(&loading, "devices: { deadbeef0001: {}, deadbeef0002: { revoked: true } }");
    registry_release(load_with(nobody));
    loading_close(&loading);
}

static void test_device_without_any_key_is_a_warning(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "devices:\n"
                          "  deadbeef0001: { psk_hex: " KEY_1 " }\n"
                          "  deadbeef0002: { revoked: true }\n"
                          "  deadbeef0003: { note: x }\n"
                          "  deadbeef0004: {}\n");
    struct registry *registry = loading_run(&loading);
    assert_non_null(registry);
    assert_int_equal(loading.said.warnings, 1);
    assert_non_null(strstr(loading.said.text, "0.yaml:4:17: warning: devices.de:ad:be:ef:00:03 (and 1 more) will be "
                                              "refused: it has no key, and there is neither default nor a master "
                                              "secret"));
    registry_release(registry);
    loading_set_secret(&loading.config.psk.master_secret, MASTER);
    registry_release(load_with(""));
    loading_close(&loading);
}

static void test_development_psk_and_downlink_over_wire_1_are_said(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "devices:\n"
                          "  deadbeef0001: { psk: usmp-dev-psk-change-me-before-prod, v1_downlink: true }\n");
    assert_null(loading_run(&loading));
    loading.config.psk.allow_development_psk = true;
    struct registry *registry = loading_run(&loading);
    assert_non_null(registry);
    assert_int_equal(loading.said.warnings, 2);
    assert_non_null(strstr(loading.said.text, "devices.de:ad:be:ef:00:01 has the development PSK"));
    assert_non_null(strstr(loading.said.text, "devices.de:ad:be:ef:00:01 has v1_downlink"));
    assert_true(registry_summarise(registry).has_development_psk);
    registry_release(registry);
    loading_close(&loading);
}

static void test_weak_keys_are_counted(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "devices: { deadbeef0001: { psk: correct horse battery staple } }");
    struct registry *registry = loading_run(&loading);
    assert_non_null(registry);
    assert_int_equal(loading.said.warnings, 1);
    assert_int_equal(registry_summarise(registry).weak_keys, 1);
    registry_release(registry);
    loading_close(&loading);
}

static void test_memory_that_is_not_locked(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "devices: { deadbeef0001: { psk_hex: " KEY_1 " } }");
    pretended_unlocked = 65536;
    struct registry *registry = loading_run(&loading);
    assert_non_null(registry);
    assert_int_equal(loading.said.warnings, 1);
    assert_non_null(strstr(loading.said.text, CONFIGURATION "warning: psk.require_locked_memory: 64 of "));
    assert_int_equal(verdict_of(registry, "deadbeef0001"), REGISTRY_ACCEPTED);
    registry_release(registry);
    loading.config.psk.require_locked_memory = true;
    assert_null(loading_run(&loading));
    assert_int_equal(loading.said.errors, 1);
    pretended_unlocked = 0;
    secret_state_calls = 0;
    registry_release(load_with(""));
    assert_true(secret_state_calls > 0);
    loading_close(&loading);
}

static void test_wires_of_the_configuration(void **state)
{
    (void)state;
    loading_open(&loading);
    loading.config.wire.versions = CONFIG_WIRE_BIT(1);
    loading_add(&loading, "devices:\n"
                          "  deadbeef0001: { psk_hex: " KEY_1 " }\n"
                          "  deadbeef0002: { psk_hex: " KEY_1 ", wire: [2] }\n");
    struct registry *registry = load_with("");
    assert_int_equal(verdict_of(registry, "deadbeef0001"), REGISTRY_WRONG_WIRE);
    assert_int_equal(verdict_of(registry, "deadbeef0002"), REGISTRY_ACCEPTED);
    assert_int_equal(registry_wires(registry), REGISTRY_WIRE_BIT(1) | REGISTRY_WIRE_BIT(2));
    registry_release(registry);
    loading_close(&loading);
}

static void test_wires_that_no_device_speaks(void **state)
{
    (void)state;
    loading_open(&loading);
    loading.config.wire.versions = CONFIG_WIRE_BIT(2);
    loading_add(&loading, "devices:\n"
                          "  deadbeef0001: { psk_hex: " KEY_1 " }\n"
                          "  deadbeef0002: { psk_hex: " KEY_1 ", wire: [2] }\n");
    struct registry *registry = load_with("");
    assert_int_equal(registry_wires(registry), REGISTRY_WIRE_BIT(2));
    registry_release(registry);
    loading_close(&loading);
}

/* What a reload does: two snapshots at once, and a session that began under the first. */
static void test_sessions_outlive_a_reload_only_with_their_key(void **state)
{
    (void)state;
    loading_open(&loading);
    loading_add(&loading, "devices:\n"
                          "  deadbeef0001: { psk_hex: " KEY_1 " }\n"
                          "  deadbeef0002: { psk_hex: " KEY_1 " }\n");
    struct registry *before = load_with("");
    loading.config.psk.registry.count = 0;
    loading_add(&loading, "devices:\n"
                          "  deadbeef0001: [ { psk_hex: " KEY_2 " }, { psk_hex: " KEY_1 " } ]\n"
                          "  deadbeef0002: { psk_hex: " KEY_2 " }\n");
    struct registry *after = load_with("");
    static const uint8_t moving[] = {0xDE, 0xAD, 0xBE, 0xEF, 0x00, 0x01};
    static const uint8_t moved[] = {0xDE, 0xAD, 0xBE, 0xEF, 0x00, 0x02};
    struct registry_match match;
    uint8_t tag[REGISTRY_KEY_TAG_SIZE];
    registry_lookup(before, moving, 2, NOW, &match);
    registry_key_tag(before, &match.keys[0], tag);
    assert_int_equal(registry_key_still_accepted(after, moving, tag, NOW), REGISTRY_ACCEPTED);
    registry_lookup(before, moved, 2, NOW, &match);
    registry_key_tag(before, &match.keys[0], tag);
    assert_int_equal(registry_key_still_accepted(before, moved, tag, NOW), REGISTRY_ACCEPTED);
    assert_int_equal(registry_key_still_accepted(after, moved, tag, NOW), REGISTRY_WRONG_KEY);
    registry_match_wipe(&match);
    registry_release(before);
    registry_release(after);
    loading_close(&loading);
}

static void test_registry_that_is_shipped(void **state)
{
    (void)state;
    loading_open(&loading);
    loading.names[0] = USMPD_TEST_DATA_DIR "/../../conf/devices.yaml";
    loading.config.psk.registry.count = 1;
    loading.config.psk.insecure_permissions = true; /* a checkout is for everybody to read */
    struct registry *registry = loading_run(&loading);
    loading.names[0] = NULL;
    assert_non_null(registry);
    assert_int_equal(loading.said.errors, 0);
    assert_int_equal(registry_summarise(registry).devices, 0);
    registry_release(registry);
    loading_close(&loading);
}

static int start_crypto(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices_of_a_file),
        cmocka_unit_test(test_several_files_are_one_registry),
        cmocka_unit_test(test_what_stands_in_two_files_names_both_places),
        cmocka_unit_test(test_same_text_in_two_files_is_told_too),
        cmocka_unit_test(test_every_file_is_looked_at),
        cmocka_unit_test(test_errors_of_before_do_not_count),
        cmocka_unit_test(test_others_must_not_be_able_to_read),
        cmocka_unit_test(test_master_secrets_are_taken),
        cmocka_unit_test(test_bad_master_secrets_are_errors),
        cmocka_unit_test(test_default_and_master_secret_exclude_each_other),
        cmocka_unit_test(test_default_is_said_at_every_start),
        cmocka_unit_test(test_registry_that_accepts_nobody_is_a_warning),
        cmocka_unit_test(test_device_without_any_key_is_a_warning),
        cmocka_unit_test(test_development_psk_and_downlink_over_wire_1_are_said),
        cmocka_unit_test(test_weak_keys_are_counted),
        cmocka_unit_test(test_memory_that_is_not_locked),
        cmocka_unit_test(test_wires_of_the_configuration),
        cmocka_unit_test(test_wires_that_no_device_speaks),
        cmocka_unit_test(test_registry_that_is_shipped),
        cmocka_unit_test(test_sessions_outlive_a_reload_only_with_their_key),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
