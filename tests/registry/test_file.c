#include "registry/file.h"

#include "crypto/start.h"
#include "registry/reading.h"

#define KEY "aa1647659a86b9f3ea40f6ff3af3c7b26a44918d06329a932b66ad26076474b7"

static struct reading reading;

static void test_files_that_say_nothing(void **state)
{
    (void)state;
    assert_said("", "");
    assert_said("# a remark\n", "");
    assert_said("{}", "");
    assert_said("devices:\ndefault:\n", "");
    assert_said("devices: {}\n", "");
}

static void test_ids_in_every_spelling(void **state)
{
    (void)state;
    reading_open(&reading, false,
                 "devices:\n"
                 "  de:ad:be:ef:00:01: {}\n"
                 "  \"DE:AD:BE:EF:00:02\": {}\n"
                 "  deadBEEF0003: {}\n"
                 "  12:34:56:00:00:01: {}\n"
                 "  123456000002: {}\n"
                 "  0e0000000000: {}\n");
    assert_string_equal(reading.said.text, "");
    assert_int_equal(reading.registry->devices.count, 6);
    reading_device(&reading, "deadbeef0001");
    reading_device(&reading, "deadbeef0002");
    reading_device(&reading, "deadbeef0003");
    reading_device(&reading, "123456000001");
    reading_device(&reading, "123456000002");
    reading_device(&reading, "0e0000000000");
    reading_close(&reading);
}

#define NO_ID "devices has a key that is no device id: 12 hex digits, all with ':' between the bytes or all without\n"

static void test_ids_that_are_none(void **state)
{
    (void)state;
    assert_said("devices: { de:ad:be:ef:00: {} }", "devices.yaml:1:12: " NO_ID);
    assert_said("devices: { de-ad-be-ef-00-01: {} }", "devices.yaml:1:12: " NO_ID);
    assert_said("devices: { \"\": {} }", "devices.yaml:1:12: " NO_ID);
    assert_said("devices: { deadbeef000001: {} }", "devices.yaml:1:12: " NO_ID);
    assert_said("devices: { deadbeef000g: {}, \"*\": {} }", "devices.yaml:1:12: " NO_ID "devices.yaml:1:30: " NO_ID);
}

static void test_same_id_in_two_spellings(void **state)
{
    (void)state;
    assert_said("devices:\n"
                "  de:ad:be:ef:00:01: {}\n"
                "  deadbeef0002: {}\n"
                "  DEADBEEF0001: {}\n",
                "devices.yaml:4:3: devices.de:ad:be:ef:00:01 stands here a second time: it is at devices.yaml:2:3 "
                "too\n");
}

static void test_second_entry_of_an_id_is_read_for_more_mistakes(void **state)
{
    (void)state;
    assert_said(
        "devices:\n"
        "  de:ad:be:ef:00:01: { psk_hex: " KEY " }\n"
        "  deadbeef0001: { psk_hex: " KEY ", max_downlink: 0 }\n",
        "devices.yaml:3:3: devices.de:ad:be:ef:00:01 stands here a second time: it is at devices.yaml:2:3 "
        "too\n"
        "devices.yaml:3:108: devices.de:ad:be:ef:00:01.max_downlink must be a number of bytes from 1 to 1808\n");
}

static void test_same_id_in_one_spelling(void **state)
{
    (void)state;
    reading_open(&reading, false, "devices:\n  deadbeef0001: {}\n  deadbeef0001: {}\n");
    assert_int_equal(reading.said.errors, 1);
    assert_non_null(strstr(reading.said.text, "devices.yaml:3:3: "));
    reading_close(&reading);
}

/* Both are read, so that everything that is wrong is told; so there has to be room for both. */
static void test_devices_twice(void **state)
{
    (void)state;
    static const char text[] = "devices:\ndevices: { deadbeef0001: {} }\ndevices: { deadbeef0002: [{}, {}], x: {} }\n";
    reading_open(&reading, false, text);
    assert_int_equal(reading.said.errors, 3);
    assert_int_equal(reading.registry->devices.count, 2);
    reading_close(&reading);
    struct diagnostics *diagnostics = diagnostics_open();
    assert_non_null(diagnostics);
    struct yaml_tree *tree = yaml_tree_parse(READING_FILE, text, strlen(text), diagnostics);
    assert_non_null(tree);
    assert_int_equal(registry_file_measure(tree).devices, 3);
    assert_int_equal(registry_file_measure(tree).keys, 4);
    yaml_tree_free(tree);
    diagnostics_close(diagnostics);
}

static void test_things_of_the_wrong_kind(void **state)
{
    (void)state;
    assert_said("devices: []", "devices.yaml:1:10: devices must be a mapping from device ids to entries\n");
    assert_said("devices: text", "devices.yaml:1:10: devices must be a mapping from device ids to entries\n");
}

static void test_unknown_keys_at_the_top(void **state)
{
    (void)state;
    assert_said("device: {}", "devices.yaml:1:1: device is unknown: did you mean devices?\n");
    assert_said("psk: {}", "devices.yaml:1:1: psk is unknown; what there is: devices, default\n");
    assert_said("de:ad:be:ef:00:01: {}",
                "devices.yaml:1:1: de:ad:be:ef:00:01 is unknown; what there is: devices, default\n");
}

static void test_default_is_taken(void **state)
{
    (void)state;
    reading_open(&reading, false, "devices: {}\ndefault: { psk_hex: " KEY " }\n");
    assert_string_equal(reading.said.text, "");
    assert_true(reading.registry->has_default);
    assert_int_equal(reading.reader.default_place.line, 2);
    assert_int_equal(reading.reader.default_place.column, 1);
    reading_close(&reading);
    reading_open(&reading, false, "default: { psk: short }\n");
    assert_int_equal(reading.said.errors, 1);
    assert_false(reading.registry->has_default);
    reading_close(&reading);
}

static void test_revoked_and_keyless_devices_are_counted(void **state)
{
    (void)state;
    reading_open(&reading, false,
                 "devices:\n"
                 "  deadbeef0001: { revoked: true }\n"
                 "  deadbeef0002: { revoked: true, psk_hex: " KEY " }\n"
                 "  deadbeef0003: { psk_hex: " KEY " }\n"
                 "  deadbeef0004: { session_timeout: 1h }\n"
                 "  deadbeef0005: {}\n");
    assert_string_equal(reading.said.text, "");
    assert_int_equal(reading.registry->revoked, 2);
    assert_int_equal(reading.reader.without_key.count, 2);
    assert_int_equal(reading.reader.without_key.place.line, 5);
    assert_string_equal(reading.reader.without_key.name, "devices.de:ad:be:ef:00:04");
    reading_close(&reading);
}

static void assert_size(const char *text, size_t devices, size_t keys)
{
    struct diagnostics *diagnostics = diagnostics_open();
    assert_non_null(diagnostics);
    struct yaml_tree *tree = yaml_tree_parse(READING_FILE, text, strlen(text), diagnostics);
    assert_non_null(tree);
    struct registry_file_size size = registry_file_measure(tree);
    assert_int_equal(size.devices, devices);
    assert_int_equal(size.keys, keys);
    yaml_tree_free(tree);
    diagnostics_close(diagnostics);
}

static void test_room_that_a_file_needs(void **state)
{
    (void)state;
    assert_size("", 0, 0);
    assert_size("devices: []", 0, 0);
    assert_size("default: {}", 0, 0);
    assert_size("devices: { a: {}, b: [{}, {}, {}], c: text }", 3, 5);
}

static int start_crypto(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_that_say_nothing),
        cmocka_unit_test(test_ids_in_every_spelling),
        cmocka_unit_test(test_ids_that_are_none),
        cmocka_unit_test(test_same_id_in_two_spellings),
        cmocka_unit_test(test_second_entry_of_an_id_is_read_for_more_mistakes),
        cmocka_unit_test(test_same_id_in_one_spelling),
        cmocka_unit_test(test_devices_twice),
        cmocka_unit_test(test_things_of_the_wrong_kind),
        cmocka_unit_test(test_unknown_keys_at_the_top),
        cmocka_unit_test(test_default_is_taken),
        cmocka_unit_test(test_revoked_and_keyless_devices_are_counted),
        cmocka_unit_test(test_room_that_a_file_needs),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
