#include "registry/device_entry.h"

#include "crypto/start.h"
#include "registry/reading.h"

#define ID "de:ad:be:ef:00:01"
#define NAME "devices." ID
#define KEY_1 "aa1647659a86b9f3ea40f6ff3af3c7b26a44918d06329a932b66ad26076474b7"
#define KEY_2 "79203864111890048377303696820608aa1647659a86b9f3ea40f6ff3af3c7b2"
#define KEY_3 "6dcc491f71c94961ed2b0ea47ad8ca66aa1647659a86b9f3ea40f6ff3af3c7b2"
#define KEY_4 "1af5906bb0f949a5801cafa1a5a13585aa1647659a86b9f3ea40f6ff3af3c7b2"
#define KEY_5 "00f5906bb0f949a5801cafa1a5a13585aa1647659a86b9f3ea40f6ff3af3c7b2"

static struct reading reading;

static void assert_hex_key(uint32_t index, const char *hex)
{
    uint8_t bytes[32];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    struct crypto_hmac_key expected;
    crypto_hmac_key_init(&expected, bytes, sizeof(bytes));
    assert_memory_equal(registry_keys_get(&reading.registry->keys, index), &expected, sizeof(expected));
}

static void test_entry_with_one_key(void **state)
{
    (void)state;
    reading_open(&reading, false, "devices: { deadbeef0001: { psk_hex: " KEY_1 ", max_downlink: 255 } }");
    assert_string_equal(reading.said.text, "");
    const struct registry_device *device = reading_device(&reading, ID);
    assert_int_equal(device->key_count, 1);
    assert_int_equal(device->max_downlink, 255);
    assert_hex_key(device->first_key, KEY_1);
    assert_int_equal(reading.registry->keys.until[device->first_key], REGISTRY_NO_EXPIRY);
    reading_close(&reading);
}

static void test_one_key_may_end_too(void **state)
{
    (void)state;
    reading_open(&reading, false, "devices: { deadbeef0001: { psk_hex: " KEY_1 ", until: 1970-01-11 } }");
    assert_string_equal(reading.said.text, "");
    assert_int_equal(reading.registry->keys.until[0], 10);
    reading_close(&reading);
}

static void test_list_of_keys_keeps_their_order(void **state)
{
    (void)state;
    reading_open(&reading, false,
                 "devices:\n"
                 "  deadbeef0001:\n"
                 "    - { psk_hex: " KEY_1 ", note: new }\n"
                 "    - { psk_hex: " KEY_2 ", until: 1970-01-11, note: old }\n"
                 "    - { psk_hex: " KEY_3 ", until: \"1970-01-12\" }\n"
                 "    - { psk_hex: " KEY_4 ", session_timeout: 15m, wire: [2] }\n"
                 "  deadbeef0002: { psk_hex: " KEY_5 " }\n");
    assert_string_equal(reading.said.text, "");
    const struct registry_device *device = reading_device(&reading, ID);
    assert_int_equal(device->key_count, 4);
    assert_hex_key(device->first_key, KEY_1);
    assert_hex_key(device->first_key + 1, KEY_2);
    assert_hex_key(device->first_key + 2, KEY_3);
    assert_hex_key(device->first_key + 3, KEY_4);
    const int32_t *until = reading.registry->keys.until + device->first_key;
    assert_int_equal(until[0], REGISTRY_NO_EXPIRY);
    assert_int_equal(until[1], 10);
    assert_int_equal(until[2], 11);
    assert_int_equal(until[3], REGISTRY_NO_EXPIRY);
    assert_int_equal(device->session_timeout, 900000000);
    assert_int_equal(device->wires, REGISTRY_WIRE_BIT(2));
    assert_hex_key(reading_device(&reading, "deadbeef0002")->first_key, KEY_5);
    reading_close(&reading);
}

static void test_entries_without_a_key(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "devices: { deadbeef0001: {} }",
        "devices: { deadbeef0001: { revoked: true } }",
        "devices: { deadbeef0001: { session_timeout: 15m, max_downlink: 255 } }",
        "devices: { deadbeef0001: [ { session_timeout: 15m } ] }",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        reading_open(&reading, false, texts[i]);
        assert_string_equal(reading.said.text, "");
        assert_int_equal(reading_device(&reading, ID)->key_count, 0);
        reading_close(&reading);
    }
}

static void test_revoked_entry_may_keep_its_key(void **state)
{
    (void)state;
    reading_open(&reading, false, "devices: { deadbeef0001: { psk_hex: " KEY_1 ", revoked: true } }");
    assert_string_equal(reading.said.text, "");
    assert_int_equal(reading_device(&reading, ID)->key_count, 1);
    assert_int_equal(reading_device(&reading, ID)->revoked, 1);
    reading_close(&reading);
}

static void test_entry_that_is_neither_mapping_nor_list(void **state)
{
    (void)state;
    assert_said("devices: { deadbeef0001: a key of thirty-two bytes or so }",
                "devices.yaml:1:26: " NAME " must be a mapping such as { psk_hex: … }, or a list of them\n");
    assert_said("devices: { deadbeef0001: }",
                "devices.yaml:1:26: " NAME " must be a mapping such as { psk_hex: … }, or a list of them\n");
    assert_said("devices: { deadbeef0001: [ { psk_hex: " KEY_1 " }, text ] }",
                "devices.yaml:1:107: " NAME " has an item that is no mapping such as { psk_hex: … }\n");
    assert_said("devices: { deadbeef0001: [] }",
                "devices.yaml:1:26: " NAME " is an empty list: write {} for a device without a key of its own\n");
}

static void test_five_keys_are_one_too_many(void **state)
{
    (void)state;
    assert_said("devices:\n"
                "  deadbeef0001:\n"
                "    - { psk_hex: " KEY_1 " }\n"
                "    - { psk_hex: " KEY_2 " }\n"
                "    - { psk_hex: " KEY_3 " }\n"
                "    - { psk_hex: " KEY_4 " }\n"
                "    - { psk_hex: " KEY_5 " }\n"
                "    - { psk_hex: " KEY_5 " }\n",
                "devices.yaml:7:7: " NAME " has more than 4 keys\n");
}

static void test_until_needs_a_day_and_a_key(void **state)
{
    (void)state;
    assert_said("devices: { deadbeef0001: { psk_hex: " KEY_1 ", until: 2027-02-29 } }",
                "devices.yaml:1:110: " NAME ".until must be a day of the calendar such as 2027-01-31\n");
    assert_said("devices: { deadbeef0001: { psk_hex: " KEY_1 ", until: [] } }",
                "devices.yaml:1:110: " NAME ".until must be a day of the calendar such as 2027-01-31\n");
    assert_said("devices: { deadbeef0001: { until: 2027-01-31 } }",
                "devices.yaml:1:35: " NAME ".until has no psk or psk_hex beside it to end\n");
}

static void test_settings_of_a_list_stand_once(void **state)
{
    (void)state;
    assert_said("devices:\n"
                "  deadbeef0001:\n"
                "    - { psk_hex: " KEY_1 ", max_downlink: 255 }\n"
                "    - { psk_hex: " KEY_2 ", max_downlink: 256 }\n",
                "devices.yaml:4:98: " NAME ".max_downlink is of the whole device and stands in line 3 too\n");
    assert_said("devices:\n"
                "  deadbeef0001:\n"
                "    - { psk_hex: " KEY_1 ", revoked: true }\n",
                "devices.yaml:3:93: " NAME
                ".revoked is said of a whole device: write { revoked: true } in place of the "
                "list, or take this key out of it\n");
}

static void test_unknown_keys(void **state)
{
    (void)state;
    assert_said("devices: { deadbeef0001: { psk-hex: " KEY_1 " } }",
                "devices.yaml:1:28: " NAME ".psk-hex is unknown: did you mean psk_hex?\n");
    assert_said("devices: { deadbeef0001: [ { psk_hex: " KEY_1 ", untill: 2027-01-31 } ] }",
                "devices.yaml:1:105: " NAME ".untill is unknown: did you mean until?\n");
}

static void test_every_mistake_is_told(void **state)
{
    (void)state;
    assert_said("devices:\n"
                "  deadbeef0001: { psk: short, until: never, wire: [9], cipher: rot13, colour: red }\n"
                "  deadbeef0002: { max_downlink: 0 }\n",
                "devices.yaml:2:24: " NAME
                ".psk is shorter than 16 bytes (zero bytes at its end do not count); take 32 "
                "random bytes\n"
                "devices.yaml:2:38: " NAME ".until must be a day of the calendar such as 2027-01-31\n"
                "devices.yaml:2:52: " NAME ".wire must be 1 or 2\n"
                "devices.yaml:2:64: " NAME ".cipher must be auto, aes-256-gcm or chacha20-poly1305\n"
                "devices.yaml:2:71: " NAME ".colour is unknown; what there is: psk, psk_hex, until, note, revoked, "
                "session_timeout, max_downlink, wire, v1_downlink, cipher\n"
                "devices.yaml:3:33: devices.de:ad:be:ef:00:02.max_downlink must be a number of bytes from 1 to 1808\n");
}

static void test_v1_downlink_is_noticed_where_it_has_an_effect(void **state)
{
    (void)state;
    reading_open(&reading, false,
                 "devices:\n"
                 "  deadbeef0001: { v1_downlink: true }\n"
                 "  deadbeef0002: { v1_downlink: true, wire: [2] }\n"
                 "  deadbeef0003: { v1_downlink: true, wire: [1] }\n"
                 "  deadbeef0004: { v1_downlink: false }\n");
    assert_string_equal(reading.said.text, "");
    assert_int_equal(reading.reader.entries.v1_downlink.count, 2);
    assert_int_equal(reading.reader.entries.v1_downlink.place.line, 2);
    reading_close(&reading);
}

static void test_default_has_a_key_and_nothing_else(void **state)
{
    (void)state;
    assert_said("default: { psk_hex: " KEY_1 ", note: shared }", "");
    assert_said("default: { note: shared }", "devices.yaml:1:10: default has neither psk nor psk_hex\n");
    assert_said("default: " KEY_1, "devices.yaml:1:10: default must be a mapping such as { psk_hex: … }\n");
    assert_said("default: [ { psk_hex: " KEY_1 " } ]",
                "devices.yaml:1:10: default must be a mapping such as { psk_hex: … }\n");
    assert_said("default: { psk_hex: " KEY_1 ", until: 2027-01-31, wire: [1] }",
                "devices.yaml:1:94: default.until is for listed devices only\n"
                "devices.yaml:1:112: default.wire is for listed devices only\n");
    assert_said(
        "default: { psk_hex: 00 }",
        "devices.yaml:1:21: default.psk_hex is shorter than 16 bytes (zero bytes at its end do not count); take "
        "32 random bytes\n");
}

static void count_keys(const char *text, uint32_t expected)
{
    struct diagnostics *diagnostics = diagnostics_open();
    assert_non_null(diagnostics);
    struct yaml_tree *tree = yaml_tree_parse(READING_FILE, text, strlen(text), diagnostics);
    assert_non_null(tree);
    assert_int_equal(registry_device_entry_keys(yaml_tree_find(yaml_tree_root(tree), "a")), expected);
    yaml_tree_free(tree);
    diagnostics_close(diagnostics);
}

static void test_room_for_keys_is_never_too_small(void **state)
{
    (void)state;
    count_keys("a: {}", 1);
    count_keys("a: []", 1);
    count_keys("a: [{}]", 1);
    count_keys("a: [{}, {}]", 2);
    count_keys("a: [{}, {}, {}, {}]", 4);
    count_keys("a: [{}, {}, {}, {}, {}, {}]", 4);
}

static int start_crypto(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entry_with_one_key),
        cmocka_unit_test(test_one_key_may_end_too),
        cmocka_unit_test(test_list_of_keys_keeps_their_order),
        cmocka_unit_test(test_entries_without_a_key),
        cmocka_unit_test(test_revoked_entry_may_keep_its_key),
        cmocka_unit_test(test_entry_that_is_neither_mapping_nor_list),
        cmocka_unit_test(test_five_keys_are_one_too_many),
        cmocka_unit_test(test_until_needs_a_day_and_a_key),
        cmocka_unit_test(test_settings_of_a_list_stand_once),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_every_mistake_is_told),
        cmocka_unit_test(test_v1_downlink_is_noticed_where_it_has_an_effect),
        cmocka_unit_test(test_default_has_a_key_and_nothing_else),
        cmocka_unit_test(test_room_for_keys_is_never_too_small),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
