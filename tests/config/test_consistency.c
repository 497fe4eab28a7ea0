/* What no single key can tell: keys that do not go together. */
#include "config/config_file.h"

static void somebody_must_listen(void **state)
{
    refuse("listen: { tcp: [], udp: [] }\n",
           "usmpd.yaml:1:9: listen: nothing to listen on: tcp and udp are both empty\n");
    load("listen: { tcp: [] }\n");
    load("listen: { udp: [] }\n");
}

static void same_address_twice(void **state)
{
    refuse("listen:\n"
           "  tcp: [\"127.0.0.1:9000\", \"127.0.0.2:9000\", \"[::ffff:127.0.0.1]:9000\"]\n"
           "  udp: [\"[::1]:9000\", \"[::1]:9000\", \"[::1]:9000\"]\n",
           "usmpd.yaml:2:45: listen.tcp[2]: is served by listen.tcp[0] already\n"
           "usmpd.yaml:3:23: listen.udp[1]: is served by listen.udp[0] already\n"
           "usmpd.yaml:3:37: listen.udp[2]: is served by listen.udp[0] already\n");
}

static void wildcards_serve_everything_at_their_port(void **state)
{
    refuse("listen: { tcp: [\"127.0.0.1:9000\", \"[::]:9000\"] }\n",
           "usmpd.yaml:1:35: listen.tcp[1]: is served by listen.tcp[0] already\n");
    refuse("listen: { tcp: [\"[::]:9000\", \"0.0.0.0:9000\", \"[::1]:9000\"] }\n",
           "usmpd.yaml:1:30: listen.tcp[1]: is served by listen.tcp[0] already\n"
           "usmpd.yaml:1:46: listen.tcp[2]: is served by listen.tcp[0] already\n");
    refuse("listen: { udp: [\"0.0.0.0:9000\", \"10.0.0.1:9000\"] }\n",
           "usmpd.yaml:1:33: listen.udp[1]: is served by listen.udp[0] already\n");
}

static void addresses_that_go_together(void **state)
{
    assert_int_equal(load("listen: { tcp: [\"[::]:9000\", \"[::]:9001\", \"127.0.0.1:9002\"] }\n")->listen.tcp.count,
                     3);
    assert_int_equal(load("listen: { tcp: [\"0.0.0.0:9000\", \"[::1]:9000\"] }\n")->listen.tcp.count, 2);
    /* Port 0 is any that is free. */
    assert_int_equal(load("listen: { tcp: [\"127.0.0.1:0\", \"127.0.0.1:0\"] }\n")->listen.tcp.count, 2);
    /* The two transports do not get into each other's way. */
    load("listen: { tcp: [\"127.0.0.1:9000\"], udp: [\"127.0.0.1:9000\"] }\n");
}

static void names_and_sockets_are_unique(void **state)
{
    refuse("backends:\n"
           "  - { name: a, socket: /run/a }\n"
           "  - { name: b, socket: /run/b }\n"
           "  - { name: a, socket: /run/b }\n",
           "usmpd.yaml:4:13: backends[2].name: backends[0] is called \"a\" too\n"
           "usmpd.yaml:4:24: backends[2].socket: backends[1] has the same socket\n");
    refuse("backends: [ {}, {} ]\n", "usmpd.yaml:1:17: backends[1].name: backends[0] is called \"default\" too\n"
                                     "usmpd.yaml:1:17: backends[1].socket: backends[0] has the same socket\n");
    refuse("backends:\n"
           "  - socket: /run/usmpd/control.sock\n",
           "usmpd.yaml:2:13: backends[0].socket: control.socket is the same\n");
    refuse("control: { socket: c }\nbackends: [{ socket: c }]\n",
           "usmpd.yaml:1:20: warning: control.socket: not available in this version, ignored\n"
           "usmpd.yaml:2:22: backends[0].socket: control.socket is the same\n");
}

static void names_that_are_wrong_are_the_same_as_no_other(void **state)
{
    refuse("backends:\n"
           "  - { name: \"\", socket: \"\" }\n"
           "  - { name: \"\", socket: \"\" }\n"
           "control: { socket: \"\" }\n",
           "usmpd.yaml:2:13: backends[0].name: is empty\n"
           "usmpd.yaml:2:25: backends[0].socket: is empty\n"
           "usmpd.yaml:3:13: backends[1].name: is empty\n"
           "usmpd.yaml:3:25: backends[1].socket: is empty\n"
           "usmpd.yaml:4:20: control.socket: is empty\n");
}

static void devices_without_a_backend_are_warned_about(void **state)
{
    static const char warning[] = "warning: backends: no backend has the pattern \"*\" in devices: a device that no "
                                  "pattern matches is refused\n";
    char expected[256];
    snprintf(expected, sizeof expected, "usmpd.yaml:2:3: %s", warning);
    load_with("backends:\n"
              "  - devices: [\"de:ad:be:*\", \"000000000001\"]\n",
              expected);
    snprintf(expected, sizeof expected, "usmpd.yaml:1:11: %s", warning);
    load_with("backends: [{ devices: [] }]\n", expected);
    load("backends:\n"
         "  - { devices: [\"de:*\"] }\n"
         "  - { name: all, socket: /run/all, devices: [\"de:*\", \"*\"] }\n");
}

static void previous_secret_follows_a_secret(void **state)
{
    setenv("TEST_SECRET", "0123456789abcdef0123456789abcdef", 1);
    load("psk: { master_secret: { env: TEST_SECRET }, previous_master_secret: { env: TEST_SECRET } }\n");
    load("psk: { master_secret: {}, previous_master_secret: {} }\n");
    refuse("psk: { previous_master_secret: { env: TEST_SECRET } }\n",
           "usmpd.yaml:1:32: psk.previous_master_secret: there is no master_secret that took its place\n");
    refuse("psk: { master_secret: ~, previous_master_secret: { env: TEST_SECRET } }\n",
           "usmpd.yaml:1:50: psk.previous_master_secret: there is no master_secret that took its place\n");
    refuse("psk: { master_secret: {}, previous_master_secret: { env: TEST_SECRET } }\n",
           "usmpd.yaml:1:51: psk.previous_master_secret: there is no master_secret that took its place\n");
    /* One that is wrong has been reported, and is there. */
    refuse("psk: { master_secret: { nev: X }, previous_master_secret: { env: TEST_SECRET } }\n",
           "usmpd.yaml:1:25: psk.master_secret.nev: unknown key (env, file or credential is possible)\n");
    unsetenv("TEST_SECRET");
}

static void limits_are_not_compared_with_each_other(void **state)
{
    load(
        "limits: { sessions: 1, sessions_per_ip: 100, default_psk_sessions: 100, handshakes: 1, handshakes_per_ip: 9 }\n"
        "handshake_timeout: 1d\n"
        "session_timeout: 100ms\n");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, config_file_set_up, config_file_tear_down)
    const struct CMUnitTest tests[] = {
        WITH(somebody_must_listen),
        WITH(same_address_twice),
        WITH(wildcards_serve_everything_at_their_port),
        WITH(addresses_that_go_together),
        WITH(names_and_sockets_are_unique),
        WITH(names_that_are_wrong_are_the_same_as_no_other),
        WITH(devices_without_a_backend_are_warned_about),
        WITH(previous_secret_follows_a_secret),
        WITH(limits_are_not_compared_with_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
