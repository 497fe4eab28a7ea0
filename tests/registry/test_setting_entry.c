#include "registry/setting_entry.h"

#include "crypto/start.h"
#include "registry/reading.h"

#define ID "de:ad:be:ef:00:01"
#define NAME "devices." ID
#define LINE(setting)                                                                                                  \
    "devices:\n  "                                                                                                     \
    "deadbeef0001:\n    " setting "\n"

static struct reading reading;

/* The device that a text without messages gives. */
static struct registry_device read_setting(const char *text)
{
    reading_open(&reading, false, text);
    assert_string_equal(reading.said.text, "");
    struct registry_device device = *reading_device(&reading, ID);
    reading_close(&reading);
    return device;
}

static void test_revoked(void **state)
{
    (void)state;
    assert_int_equal(read_setting(LINE("revoked: true")).revoked, 1);
    assert_int_equal(read_setting(LINE("revoked: false")).revoked, 0);
    assert_said(LINE("revoked: yes"), "devices.yaml:3:14: " NAME ".revoked must be true or false\n");
    assert_said(LINE("revoked:"), "devices.yaml:3:13: " NAME ".revoked must be true or false\n");
    assert_said(LINE("revoked: [true]"), "devices.yaml:3:14: " NAME ".revoked must be true or false\n");
    assert_said(LINE("revoked: \"true\\0\""), "devices.yaml:3:14: " NAME ".revoked must be true or false\n");
}

static void test_session_timeout(void **state)
{
    (void)state;
    assert_int_equal(read_setting(LINE("session_timeout: 15m")).session_timeout, 900000000);
    assert_int_equal(read_setting(LINE("session_timeout: 100ms")).session_timeout, 100000);
    assert_int_equal(read_setting(LINE("session_timeout: 0")).session_timeout, 0);
    assert_true(read_setting(LINE("note: x")).session_timeout == REGISTRY_SESSION_TIMEOUT_GLOBAL);
    assert_said(LINE("session_timeout: 99ms"),
                "devices.yaml:3:22: " NAME ".session_timeout is too short: at least 100ms, or 0 for off\n");
    assert_said(LINE("session_timeout: 15"),
                "devices.yaml:3:22: " NAME ".session_timeout needs a unit: ms, s, m, h or d\n");
    assert_said(LINE("session_timeout: -1s"),
                "devices.yaml:3:22: " NAME ".session_timeout is no duration: a whole number and ms, s, m, h or d\n");
    assert_said(LINE("session_timeout: {}"),
                "devices.yaml:3:22: " NAME ".session_timeout must be a duration such as 15m, or 0 for off\n");
}

static void test_max_downlink(void **state)
{
    (void)state;
    assert_int_equal(read_setting(LINE("max_downlink: 255")).max_downlink, 255);
    assert_int_equal(read_setting(LINE("max_downlink: 1")).max_downlink, 1);
    assert_int_equal(read_setting(LINE("max_downlink: 1808")).max_downlink, 1808);
    static const char *const wrong[] = {LINE("max_downlink: 0"), LINE("max_downlink: 1809"), LINE("max_downlink: 1k"),
                                        LINE("max_downlink: -1"), LINE("max_downlink: 65791")};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_said(wrong[i], "devices.yaml:3:19: " NAME ".max_downlink must be a number of bytes from 1 to 1808\n");
    }
}

static void test_wire(void **state)
{
    (void)state;
    assert_int_equal(read_setting(LINE("wire: [1]")).wires, REGISTRY_WIRE_BIT(1));
    assert_int_equal(read_setting(LINE("wire: [2]")).wires, REGISTRY_WIRE_BIT(2));
    assert_int_equal(read_setting(LINE("wire: [2, 1]")).wires, REGISTRY_WIRE_BIT(1) | REGISTRY_WIRE_BIT(2));
    assert_said(LINE("wire: []"),
                "devices.yaml:3:11: " NAME ".wire must be a list of wire versions: [1], [2] or [1, 2]\n");
    assert_said(LINE("wire: 2"),
                "devices.yaml:3:11: " NAME ".wire must be a list of wire versions: [1], [2] or [1, 2]\n");
    assert_said(LINE("wire: [3]"), "devices.yaml:3:12: " NAME ".wire must be 1 or 2\n");
    assert_said(LINE("wire: [1, x]"), "devices.yaml:3:15: " NAME ".wire must be 1 or 2\n");
    assert_said(LINE("wire: [[1]]"), "devices.yaml:3:12: " NAME ".wire must be 1 or 2\n");
    assert_said(LINE("wire: [2, 2]"), "devices.yaml:3:15: " NAME ".wire has a wire version twice\n");
}

static void test_v1_downlink(void **state)
{
    (void)state;
    assert_int_equal(read_setting(LINE("v1_downlink: true")).v1_downlink, REGISTRY_V1_DOWNLINK_ON);
    assert_int_equal(read_setting(LINE("v1_downlink: false")).v1_downlink, REGISTRY_V1_DOWNLINK_OFF);
    assert_int_equal(read_setting(LINE("note: x")).v1_downlink, REGISTRY_V1_DOWNLINK_GLOBAL);
    assert_said(LINE("v1_downlink: on"), "devices.yaml:3:18: " NAME ".v1_downlink must be true or false\n");
}

static void test_cipher(void **state)
{
    (void)state;
    assert_int_equal(read_setting(LINE("cipher: auto")).cipher, REGISTRY_CIPHER_AUTO);
    assert_int_equal(read_setting(LINE("cipher: aes-256-gcm")).cipher, REGISTRY_CIPHER_AES_256_GCM);
    assert_int_equal(read_setting(LINE("cipher: chacha20-poly1305")).cipher, REGISTRY_CIPHER_CHACHA20_POLY1305);
    assert_said(LINE("cipher: AES"),
                "devices.yaml:3:13: " NAME ".cipher must be auto, aes-256-gcm or chacha20-poly1305\n");
    assert_said("devices: { deadbeef0001: { cipher: aes-256-gcm, wire: [1] } }",
                "devices.yaml:1:36: warning: " NAME ".cipher has no effect: wire 1 has one cipher only\n");
}

static void test_note(void **state)
{
    (void)state;
    read_setting(LINE("note: pump house"));
    read_setting(LINE("note:"));
    assert_said(LINE("note: [pump, house]"), "devices.yaml:3:11: " NAME ".note must be a text\n");
}

static int start_crypto(void **state)
{
    (void)state;
    return crypto_start() == CRYPTO_STARTED ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_revoked), cmocka_unit_test(test_session_timeout), cmocka_unit_test(test_max_downlink),
        cmocka_unit_test(test_wire),    cmocka_unit_test(test_v1_downlink),     cmocka_unit_test(test_cipher),
        cmocka_unit_test(test_note),
    };
    return cmocka_run_group_tests(tests, start_crypto, NULL);
}
