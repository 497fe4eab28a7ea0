/* Every key of the configuration: its default, what it takes, and what it refuses, with the place. */
#include "config/config_file.h"

#include <netinet/in.h>

static void assert_address(const struct config_address *address, const char *bytes, uint16_t port, bool wildcard)
{
    assert_memory_equal(address->address.bytes, bytes, 16);
    assert_int_equal(address->address.port, port);
    assert_int_equal(address->wildcard, wildcard);
}

static void defaults_of_an_empty_file(void **state)
{
    const struct config *config = load("");
    assert_string_equal(config->file, "usmpd.yaml");
    static const char any[16];
    assert_int_equal(config->listen.tcp.count, 1);
    assert_address(&config->listen.tcp.items[0], any, 9000, true);
    assert_int_equal(config->listen.udp.count, 1);
    assert_address(&config->listen.udp.items[0], any, 9000, true);
    assert_int_equal(config->workers, 1);
    assert_int_equal(config->wire.versions, CONFIG_WIRE_BIT(1) | CONFIG_WIRE_BIT(2));
    assert_false(config->wire.v1_downlink);
    assert_int_equal(config->wire.udp_cookie, CONFIG_UDP_COOKIE_AUTO);
    assert_int_equal(config->handshake_timeout, 10000000);
    assert_int_equal(config->session_timeout, 60000000);
    assert_int_equal(config->shutdown_timeout, 5000000);
    assert_int_equal(config->psk.registry.count, 1);
    assert_string_equal(config->psk.registry.items[0], "devices.yaml");
    assert_int_equal(config->psk.master_secret.kind, CONFIG_SECRET_NONE);
    assert_null(config->psk.master_secret.bytes);
    assert_int_equal(config->psk.previous_master_secret.kind, CONFIG_SECRET_NONE);
    assert_false(config->psk.allow_development_psk);
    assert_false(config->psk.insecure_permissions);
    assert_false(config->psk.require_locked_memory);
    assert_int_equal(config->limits.sessions, 100000);
    assert_int_equal(config->limits.sessions_per_ip, 0);
    assert_int_equal(config->limits.default_psk_sessions, 1000);
    assert_int_equal(config->limits.handshakes, 1024);
    assert_int_equal(config->limits.handshakes_per_ip, 3);
    assert_int_equal(config->limits.lockout_after, 5);
    assert_int_equal(config->limits.lockout, 60000000);
    assert_int_equal(config->limits.trusted.count, 0);
    assert_int_equal(config->backends.count, 1);
    const struct config_backend *backend = &config->backends.items[0];
    assert_string_equal(backend->name, "default");
    assert_string_equal(backend->socket, "/run/usmpd/backend.sock");
    assert_int_equal(backend->mode, 0660);
    assert_string_equal(backend->group, "");
    assert_int_equal(backend->format, CONFIG_FORMAT_NDJSON);
    assert_int_equal(backend->payload, CONFIG_PAYLOAD_AUTO);
    assert_int_equal(backend->delivery, CONFIG_DELIVERY_LIVE);
    assert_int_equal(backend->queue, 64 << 20);
    assert_int_equal(backend->when_full, CONFIG_WHEN_FULL_BLOCK);
    assert_int_equal(backend->devices.count, 1);
    assert_int_equal(backend->devices.items[0].digits, 0);
    assert_true(backend->commands);
    assert_string_equal(backend->place.file, "usmpd.yaml");
    assert_int_equal(backend->place.line, 0);
    assert_string_equal(config->spool.path, "");
    assert_string_equal(config->control.socket, "/run/usmpd/control.sock");
    assert_int_equal(config->control.mode, 0600);
    assert_int_equal(config->metrics.listen.count, 0);
    assert_int_equal(config->log.level, LOG_LEVEL_INFO);
    assert_int_equal(config->log.format, LOG_FORMAT_AUTO);
    assert_int_equal(config->sandbox, CONFIG_SANDBOX_AUTO);
}

static void empty_sections_are_defaults(void **state)
{
    const struct config *config = load("listen:\nwire: ~\npsk: {}\nlimits: null\nlog:\n");
    assert_int_equal(config->listen.tcp.count, 1);
    assert_int_equal(config->limits.sessions, 100000);
}

static void addresses(void **state)
{
    const struct config *config = load("listen:\n"
                                       "  tcp: [\"127.0.0.1:80\", \"[::1]:80\", '[::ffff:10.0.0.1]:80', 0.0.0.0:81]\n"
                                       "  udp: []\n");
    assert_int_equal(config->listen.udp.count, 0);
    const struct config_address *tcp = config->listen.tcp.items;
    assert_int_equal(config->listen.tcp.count, 4);
    assert_address(&tcp[0], "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 80, false);
    assert_address(&tcp[1], "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 80, false);
    assert_address(&tcp[2], "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1", 80, false);
    assert_address(&tcp[3], "\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0\0\0", 81, false);

    struct sockaddr_in ipv4;
    assert_int_equal(tcp[0].length, sizeof ipv4);
    memcpy(&ipv4, &tcp[0].socket_address, sizeof ipv4);
    assert_int_equal(ipv4.sin_family, AF_INET);
    assert_int_equal(ntohl(ipv4.sin_addr.s_addr), INADDR_LOOPBACK);
    assert_int_equal(ntohs(ipv4.sin_port), 80);
    struct sockaddr_in6 ipv6;
    assert_int_equal(tcp[1].length, sizeof ipv6);
    memcpy(&ipv6, &tcp[1].socket_address, sizeof ipv6);
    assert_int_equal(ipv6.sin6_family, AF_INET6);
    assert_memory_equal(&ipv6.sin6_addr, &in6addr_loopback, sizeof in6addr_loopback);
}

static void addresses_that_are_none(void **state)
{
    refuse("listen:\n"
           "  tcp: [localhost:9000, \"9000\", \"[::]\", \"::1:9000\", 127.0.0.1:65536, ~, [x], {y: z}, \"\"]\n",
           "usmpd.yaml:2:9: listen.tcp[0]: \"localhost:9000\" is no numeric address with a port, such as 0.0.0.0:9000 "
           "or [::]:9000\n"
           "usmpd.yaml:2:25: listen.tcp[1]: \"9000\" is no numeric address with a port, such as 0.0.0.0:9000 or "
           "[::]:9000\n"
           "usmpd.yaml:2:33: listen.tcp[2]: \"[::]\" is no numeric address with a port, such as 0.0.0.0:9000 or "
           "[::]:9000\n"
           "usmpd.yaml:2:41: listen.tcp[3]: \"::1:9000\" is no numeric address with a port, such as 0.0.0.0:9000 or "
           "[::]:9000\n"
           "usmpd.yaml:2:53: listen.tcp[4]: \"127.0.0.1:65536\" is no numeric address with a port, such as "
           "0.0.0.0:9000 or [::]:9000\n"
           "usmpd.yaml:2:70: listen.tcp[5]: has no value; leave the key out for its default\n"
           "usmpd.yaml:2:73: listen.tcp[6]: expected one value, not a list\n"
           "usmpd.yaml:2:78: listen.tcp[7]: expected one value, not keys with values\n"
           "usmpd.yaml:2:86: listen.tcp[8]: \"\" is no numeric address with a port, such as 0.0.0.0:9000 or "
           "[::]:9000\n");
    refuse("listen: { tcp: \"[::]:9000\", udp: {} }\n", "usmpd.yaml:1:16: listen.tcp: expected a list [ … ]\n"
                                                        "usmpd.yaml:1:34: listen.udp: expected a list [ … ]\n");
    refuse("listen:\n  tcp:\n", "usmpd.yaml:2:7: listen.tcp: expected a list [ … ]\n");
    refuse("listen: [\"[::]:9000\"]\n", "usmpd.yaml:1:9: listen: expected keys with values (key: value)\n");
}

static void write_list(char *text, size_t size, const char *before, const char *format, unsigned count,
                       const char *after)
{
    size_t used = (size_t)snprintf(text, size, "%s", before);
    for (unsigned i = 0; i < count; i++) {
        char item[64];
        snprintf(item, sizeof item, "%u", i + 1);
        const char *mark = strchr(format, '#');
        used += (size_t)snprintf(text + used, size - used, "%s%.*s%s%s", i == 0 ? "" : ", ", (int)(mark - format),
                                 format, item, mark + 1);
        assert_true(used < size);
    }
    snprintf(text + used, size - used, "%s", after);
}

static void lists_are_bounded(void **state)
{
    static char text[65536];
    write_list(text, sizeof text, "listen: { tcp: [", "127.0.0.#:1", 16, "] }\n");
    assert_int_equal(load(text)->listen.tcp.count, 16);
    write_list(text, sizeof text, "listen: { tcp: [", "127.0.0.#:1", 17, "] }\n");
    refuse(text, "usmpd.yaml:1:16: listen.tcp: has 17 items, at most 16 are possible\n");
    write_list(text, sizeof text, "psk: { registry: [", "d#.yaml", 64, "] }\n");
    assert_int_equal(load(text)->psk.registry.count, 64);
    write_list(text, sizeof text, "psk: { registry: [", "d#.yaml", 65, "] }\n");
    refuse(text, "usmpd.yaml:1:18: psk.registry: has 65 items, at most 64 are possible\n");
    write_list(text, sizeof text, "limits: { trusted: [", "10.#.0.0/16", 255, ", 11.0.0.0/8] }\n");
    assert_int_equal(load(text)->limits.trusted.count, 256);
    write_list(text, sizeof text, "limits: { trusted: [", "10.#.0.0/16", 255, ", 11.0.0.0/8, 12.0.0.0/8] }\n");
    refuse(text, "usmpd.yaml:1:20: limits.trusted: has 257 items, at most 256 are possible\n");
    write_list(text, sizeof text, "backends: [{ devices: [", "\"#*\"", 255, ", \"*\"] }]\n");
    assert_int_equal(load(text)->backends.items[0].devices.count, 256);
    write_list(text, sizeof text, "backends: [{ devices: [", "\"#*\"", 257, "] }]\n");
    refuse(text, "usmpd.yaml:1:23: backends[0].devices: has 257 items, at most 256 are possible\n");
}

static void backends_are_bounded(void **state)
{
    static char text[65536];
    write_list(text, sizeof text, "backends: [", "{ name: b#, socket: \"/s\", devices: [\"*\"] }", 1, "]\n");
    assert_int_equal(load(text)->backends.count, 1);
    size_t used = 0;
    for (unsigned i = 0; i < 33; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\n- { name: b%u, socket: /run/b%u }",
                                 i == 0 ? "backends:" : "", i, i);
    }
    refuse(text, "usmpd.yaml:2:1: backends: has 33 items, possible are 1 to 32\n");
    *strrchr(text, '-') = '\0';
    assert_int_equal(load(text)->backends.count, 32);
    assert_string_equal(((struct config_file *)*state)->config->backends.items[31].name, "b31");
    refuse("backends: []\n", "usmpd.yaml:1:11: backends: has 0 items, possible are 1 to 32\n");
    refuse("backends: { name: x }\n", "usmpd.yaml:1:11: backends: expected a list: each backend begins with \"- \"\n");
    refuse("backends:\n", "usmpd.yaml:1:10: backends: expected a list: each backend begins with \"- \"\n");
    refuse("backends: [ x, [ y ] ]\n", "usmpd.yaml:1:13: backends[0]: expected keys with values (key: value)\n"
                                       "usmpd.yaml:1:16: backends[1]: expected keys with values (key: value)\n");
}

static void workers(void **state)
{
    static const char ignored[] = "usmpd.yaml:1:10: warning: workers: not available in this version, ignored\n";
    assert_int_equal(load("workers: 1\n")->workers, 1);
    assert_int_equal(load("workers: auto\n")->workers, CONFIG_WORKERS_AUTO);
    assert_int_equal(load_with("workers: 4\n", ignored)->workers, 4);
    refuse("workers: 0\n", "usmpd.yaml:1:10: workers: 0 is out of range (1 to 2147483647)\n");
    refuse("workers: many\n", "usmpd.yaml:1:10: workers: \"many\" is no whole number\n");
    refuse("workers: \"2\"\n", "usmpd.yaml:1:10: workers: expected a whole number, not a text in quotes\n");
}

static void wire(void **state)
{
    assert_int_equal(load("wire: { versions: [2] }\n")->wire.versions, CONFIG_WIRE_BIT(2));
    assert_int_equal(load("wire: { versions: [2, 1] }\n")->wire.versions, CONFIG_WIRE_BIT(1) | CONFIG_WIRE_BIT(2));
    assert_int_equal(load("wire: { udp_cookie: always }\n")->wire.udp_cookie, CONFIG_UDP_COOKIE_ALWAYS);
    assert_int_equal(load("wire: { udp_cookie: \"auto\" }\n")->wire.udp_cookie, CONFIG_UDP_COOKIE_AUTO);
    const struct config *config = load_with(
        "wire:\n  v1_downlink: true\n", "usmpd.yaml:2:16: warning: wire.v1_downlink: what goes to wire 1 devices is "
                                        "neither confidential nor authentic against someone on the path\n");
    assert_true(config->wire.v1_downlink);
    refuse("wire:\n"
           "  versions: [1, 3, \"2\", 1, ~, [2]]\n"
           "  v1_downlink: yes\n"
           "  udp_cookie: never\n",
           "usmpd.yaml:2:17: wire.versions[1]: \"3\" is no wire version: 1 or 2\n"
           "usmpd.yaml:2:20: wire.versions[2]: expected 1 or 2, not a text in quotes\n"
           "usmpd.yaml:2:25: wire.versions[3]: 1 stands here a second time\n"
           "usmpd.yaml:2:28: wire.versions[4]: has no value; leave the key out for its default\n"
           "usmpd.yaml:2:31: wire.versions[5]: expected one value, not a list\n"
           "usmpd.yaml:3:16: wire.v1_downlink: \"yes\" is neither true nor false\n"
           "usmpd.yaml:4:15: wire.udp_cookie: \"never\" is none of: auto, always\n");
    refuse("wire: { versions: [], v1_downlink: \"true\", udp_cookie: [auto] }\n",
           "usmpd.yaml:1:19: wire.versions: expected a list of at least one of 1 and 2, such as [1, 2]\n"
           "usmpd.yaml:1:36: wire.v1_downlink: expected true or false, not a text in quotes\n"
           "usmpd.yaml:1:56: wire.udp_cookie: expected one value, not a list\n");
    refuse("wire: { versions: 2 }\n",
           "usmpd.yaml:1:19: wire.versions: expected a list of at least one of 1 and 2, such as [1, 2]\n");
}

static void timeouts(void **state)
{
    const struct config *config = load("handshake_timeout: 100ms\nsession_timeout: 15m\nshutdown_timeout: \"1h\"\n");
    assert_int_equal(config->handshake_timeout, 100000);
    assert_int_equal(config->session_timeout, 900000000);
    assert_true(config->shutdown_timeout == 3600000000ull);
    assert_int_equal(load("session_timeout: 0\n")->session_timeout, 0);
    assert_int_equal(load("session_timeout: 0s\n")->session_timeout, 0);
    assert_true(load("session_timeout: 3650d\n")->session_timeout == 315360000000000ull);
    refuse("handshake_timeout: 99ms\n"
           "session_timeout: 99ms\n"
           "shutdown_timeout: 5\n",
           "usmpd.yaml:1:20: handshake_timeout: 99ms is out of range (100ms to 3650d)\n"
           "usmpd.yaml:2:18: session_timeout: 99ms is out of range (0 for off, or 100ms to 3650d)\n"
           "usmpd.yaml:3:19: shutdown_timeout: \"5\" needs a unit: ms, s, m, h or d\n");
    refuse("handshake_timeout: 0\n"
           "session_timeout: 3651d\n"
           "shutdown_timeout: 99999999999999999999s\n",
           "usmpd.yaml:1:20: handshake_timeout: 0 is out of range (100ms to 3650d)\n"
           "usmpd.yaml:2:18: session_timeout: 3651d is out of range (0 for off, or 100ms to 3650d)\n"
           "usmpd.yaml:3:19: shutdown_timeout: \"99999999999999999999s\" is too large a number\n");
    refuse("handshake_timeout: -1s\n"
           "session_timeout: off\n"
           "shutdown_timeout: { s: 5 }\n",
           "usmpd.yaml:1:20: handshake_timeout: \"-1s\" is no duration: a whole number and ms, s, m, h or d\n"
           "usmpd.yaml:2:18: session_timeout: \"off\" is no duration: a whole number and ms, s, m, h or d\n"
           "usmpd.yaml:3:19: shutdown_timeout: expected one value, not keys with values\n");
}

static void registry_files(void **state)
{
    const struct config *config = load("psk: { registry: [a.yaml, /etc/b.yaml, ../c.yaml] }\n");
    assert_int_equal(config->psk.registry.count, 3);
    assert_string_equal(config->psk.registry.items[0], "a.yaml");
    assert_string_equal(config->psk.registry.items[1], "/etc/b.yaml");
    assert_string_equal(config->psk.registry.items[2], "../c.yaml");
    assert_int_equal(load("psk: { registry: [] }\n")->psk.registry.count, 0);
    config = load("psk: { registry: other.yaml }\n");
    assert_int_equal(config->psk.registry.count, 1);
    assert_string_equal(config->psk.registry.items[0], "other.yaml");
    refuse("psk: { registry: \"\" }\n", "usmpd.yaml:1:18: psk.registry: is empty\n");
    refuse("psk: { registry: ~ }\n",
           "usmpd.yaml:1:18: psk.registry: has no value; leave the key out for its default\n");
    refuse("psk: { registry: { a: b } }\n", "usmpd.yaml:1:18: psk.registry: expected a list [ … ]\n");
    refuse("psk: { registry: [a, \"\", [b], \"c\\0d\"] }\n",
           "usmpd.yaml:1:22: psk.registry[1]: is empty\n"
           "usmpd.yaml:1:26: psk.registry[2]: expected one value, not a list\n"
           "usmpd.yaml:1:31: psk.registry[3]: has a NUL byte in it\n");
}

static void psk_switches(void **state)
{
    const struct config *config =
        load_with("psk:\n  allow_development_psk: true\n  insecure_permissions: true\n  require_locked_memory: true\n",
                  "usmpd.yaml:2:26: warning: psk.allow_development_psk: the published development PSK is accepted: "
                  "anybody can pose as a device that has it\n");
    assert_true(config->psk.allow_development_psk);
    assert_true(config->psk.insecure_permissions);
    assert_true(config->psk.require_locked_memory);
    refuse("psk:\n  allow_development_psk: 1\n  insecure_permissions: on\n  require_locked_memory:\n",
           "usmpd.yaml:2:26: psk.allow_development_psk: \"1\" is neither true nor false\n"
           "usmpd.yaml:3:25: psk.insecure_permissions: \"on\" is neither true nor false\n"
           "usmpd.yaml:4:25: psk.require_locked_memory: has no value; leave the key out for its default\n");
}

static void limits(void **state)
{
    const struct config *config = load("limits:\n"
                                       "  sessions: 1\n"
                                       "  sessions_per_ip: 2147483647\n"
                                       "  default_psk_sessions: 2147483647\n"
                                       "  handshakes: 1\n"
                                       "  handshakes_per_ip: 0\n"
                                       "  lockout_after: 0\n"
                                       "  lockout: 1d\n"
                                       "  trusted: [192.0.2.77/24, \"2001:db8::1/32\", \"::ffff:10.1.2.3/104\"]\n");
    assert_int_equal(config->limits.sessions, 1);
    assert_int_equal(config->limits.sessions_per_ip, 2147483647);
    assert_int_equal(config->limits.default_psk_sessions, 2147483647);
    assert_int_equal(config->limits.handshakes, 1);
    assert_int_equal(config->limits.handshakes_per_ip, 0);
    assert_int_equal(config->limits.lockout_after, 0);
    assert_true(config->limits.lockout == 86400000000ull);
    const struct address_prefix *trusted = config->limits.trusted.items;
    assert_int_equal(config->limits.trusted.count, 3);
    assert_memory_equal(trusted[0].bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\0", 16);
    assert_int_equal(trusted[0].length, 120);
    assert_memory_equal(trusted[1].bytes, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(trusted[1].length, 32);
    assert_memory_equal(trusted[2].bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\0", 16);
    assert_int_equal(trusted[2].length, 104);
}

static void limits_out_of_range(void **state)
{
    refuse("limits:\n"
           "  sessions: 0\n"
           "  sessions_per_ip: 2147483648\n"
           "  default_psk_sessions: -1\n"
           "  handshakes: 1.5\n"
           "  handshakes_per_ip: 010\n"
           "  lockout_after: \"5\"\n"
           "  lockout: 50ms\n"
           "  trusted: [10.0.0.0/33, example.org, 10.0.0.1-10.0.0.9]\n",
           "usmpd.yaml:2:13: limits.sessions: 0 is out of range (1 to 2147483647)\n"
           "usmpd.yaml:3:20: limits.sessions_per_ip: 2147483648 is out of range (0 to 2147483647)\n"
           "usmpd.yaml:4:25: limits.default_psk_sessions: \"-1\" is no whole number\n"
           "usmpd.yaml:5:15: limits.handshakes: \"1.5\" is no whole number\n"
           "usmpd.yaml:6:22: limits.handshakes_per_ip: \"010\" begins with a zero; it could be read as octal\n"
           "usmpd.yaml:7:18: limits.lockout_after: expected a whole number, not a text in quotes\n"
           "usmpd.yaml:8:12: limits.lockout: 50ms is out of range (100ms to 3650d)\n"
           "usmpd.yaml:9:13: limits.trusted[0]: \"10.0.0.0/33\" is no network, such as 192.0.2.0/24 or 2001:db8::/32\n"
           "usmpd.yaml:9:26: limits.trusted[1]: \"example.org\" is no network, such as 192.0.2.0/24 or "
           "2001:db8::/32\n"
           "usmpd.yaml:9:39: limits.trusted[2]: \"10.0.0.1-10.0.0.9\" is no network, such as 192.0.2.0/24 or "
           "2001:db8::/32\n");
    refuse("limits: { trusted: 10.0.0.0/8, sessions: [1], lockout: 0, handshakes: 99999999999999999999 }\n",
           "usmpd.yaml:1:20: limits.trusted: expected a list [ … ]\n"
           "usmpd.yaml:1:42: limits.sessions: expected one value, not a list\n"
           "usmpd.yaml:1:56: limits.lockout: 0 is out of range (100ms to 3650d)\n"
           "usmpd.yaml:1:71: limits.handshakes: \"99999999999999999999\" is too large a number\n");
}

static void backend(void **state)
{
    const struct config *config = load("backends:\n"
                                       "  - name: a-b_c.D9\n"
                                       "    socket: run/b.sock\n"
                                       "    mode: 600\n"
                                       "    group: iot\n"
                                       "    format: ndjson\n"
                                       "    payload: base64\n"
                                       "    delivery: live\n"
                                       "    queue: 64KiB\n"
                                       "    when_full: drop_oldest\n"
                                       "    devices: [\"de:ad:be:*\", \"000000000001\"]\n"
                                       "    commands: false\n"
                                       "  - {}\n");
    const struct config_backend *backend = &config->backends.items[0];
    assert_int_equal(config->backends.count, 2);
    assert_string_equal(backend->name, "a-b_c.D9");
    assert_string_equal(backend->socket, "run/b.sock");
    assert_int_equal(backend->mode, 0600);
    assert_string_equal(backend->group, "iot");
    assert_int_equal(backend->payload, CONFIG_PAYLOAD_BASE64);
    assert_int_equal(backend->queue, 65536);
    assert_int_equal(backend->when_full, CONFIG_WHEN_FULL_DROP_OLDEST);
    assert_int_equal(backend->devices.count, 2);
    assert_false(backend->commands);
    assert_string_equal(backend->place.file, "usmpd.yaml");
    assert_int_equal(backend->place.line, 2);
    assert_int_equal(backend->place.column, 5);
    assert_string_equal(config->backends.items[1].name, "default");
    assert_int_equal(config->backends.items[1].queue, 64 << 20);

    static const uint8_t served[] = {0xde, 0xad, 0xbe, 0xff, 0, 0};
    static const uint8_t single[] = {0, 0, 0, 0, 0, 1};
    static const uint8_t other[] = {0, 0, 0, 0, 0, 2};
    assert_true(config_backend_serves(backend, served));
    assert_true(config_backend_serves(backend, single));
    assert_false(config_backend_serves(backend, other));
    assert_true(config_backend_serves(&config->backends.items[1], other));
}

static void backend_that_is_wrong(void **state)
{
    refuse("backends:\n"
           "  - name: \"a b\"\n"
           "    socket: \"\"\n"
           "    mode: \"0888\"\n"
           "    group: ~\n"
           "    format: xml\n"
           "    payload: hex\n"
           "    delivery: best\n"
           "    queue: 63KiB\n"
           "    when_full: drop\n"
           "    devices: [\"*\", deadbeef, \"de:ad\"]\n"
           "    commands: maybe\n",
           "usmpd.yaml:2:11: backends[0].name: \"a b\" has other characters than letters, digits, '_', '.' and '-'\n"
           "usmpd.yaml:3:13: backends[0].socket: is empty\n"
           "usmpd.yaml:4:11: backends[0].mode: \"0888\" is no mode: three octal digits, with or without a 0 before "
           "them, such as \"0660\"\n"
           "usmpd.yaml:5:12: backends[0].group: has no value; leave the key out for its default\n"
           "usmpd.yaml:6:13: backends[0].format: \"xml\" is none of: ndjson, cbor\n"
           "usmpd.yaml:7:14: backends[0].payload: \"hex\" is none of: auto, base64\n"
           "usmpd.yaml:8:15: backends[0].delivery: \"best\" is none of: live, acknowledged\n"
           "usmpd.yaml:9:12: backends[0].queue: 63KiB is out of range (64KiB to 1024GiB)\n"
           "usmpd.yaml:10:16: backends[0].when_full: \"drop\" is none of: block, drop_oldest\n"
           "usmpd.yaml:11:20: backends[0].devices[1]: \"deadbeef\" is no device id and no beginning of one, such as "
           "de:ad:be:*\n"
           "usmpd.yaml:11:30: backends[0].devices[2]: \"de:ad\" is no device id and no beginning of one, such as "
           "de:ad:be:*\n"
           "usmpd.yaml:12:15: backends[0].commands: \"maybe\" is neither true nor false\n");
    refuse("backends:\n"
           "  - { name: \"\", queue: 65536, mode: [6], devices: \"*\" }\n"
           "  - { name: ~, queue: 1025GiB, mode: 4755 }\n"
           "  - { queue: ~, devices: ~ }\n",
           "usmpd.yaml:2:13: backends[0].name: is empty\n"
           "usmpd.yaml:2:24: backends[0].queue: \"65536\" needs a unit: KiB, MiB or GiB\n"
           "usmpd.yaml:2:37: backends[0].mode: expected one value, not a list\n"
           "usmpd.yaml:2:51: backends[0].devices: expected a list [ … ]\n"
           "usmpd.yaml:3:5: backends[1].socket: backends[0] has the same socket\n"
           "usmpd.yaml:3:13: backends[1].name: has no value; leave the key out for its default\n"
           "usmpd.yaml:3:23: backends[1].queue: 1025GiB is out of range (64KiB to 1024GiB)\n"
           "usmpd.yaml:3:38: backends[1].mode: \"4755\" has special bits: a mode goes to \"0777\"\n"
           "usmpd.yaml:4:5: backends[2].socket: backends[0] has the same socket\n"
           "usmpd.yaml:4:14: backends[2].queue: has no value; leave the key out for its default\n"
           "usmpd.yaml:4:26: backends[2].devices: expected a list [ … ]\n");
}

static void texts_are_bounded(void **state)
{
    char text[512];
    char name[66];
    memset(name, 'n', sizeof name);
    name[65] = '\0';
    snprintf(text, sizeof text, "backends: [{ name: %.64s }]\n", name);
    assert_int_equal(strlen(load(text)->backends.items[0].name), 64);
    snprintf(text, sizeof text, "backends: [{ name: %.65s }]\n", name);
    refuse(text, "usmpd.yaml:1:20: backends[0].name: is too long: 65 bytes, at most 64 are possible\n");
    char path[109];
    memset(path, 'p', sizeof path);
    path[0] = '/';
    path[108] = '\0';
    snprintf(text, sizeof text, "backends: [{ socket: %.107s }]\n", path);
    assert_int_equal(strlen(load(text)->backends.items[0].socket), 107);
    snprintf(text, sizeof text, "backends: [{ socket: %.108s }]\n", path);
    refuse(text, "usmpd.yaml:1:22: backends[0].socket: is too long: 108 bytes, at most 107 are possible\n");
}

static void what_this_version_cannot_do(void **state)
{
    refuse("backends:\n"
           "  - format: cbor\n"
           "    delivery: acknowledged\n"
           "spool:\n"
           "  path: /var/lib/usmpd\n",
           "usmpd.yaml:2:13: backends[0].format: \"cbor\" is not available in this version\n"
           "usmpd.yaml:3:15: backends[0].delivery: \"acknowledged\" is not available in this version\n"
           "usmpd.yaml:5:9: spool.path: \"/var/lib/usmpd\" is not available in this version\n");
    load("spool: { path: \"\" }\n"
         "metrics: { listen: \"\" }\n"
         "control: { socket: /run/usmpd/control.sock, mode: \"0600\" }\n"
         "sandbox: off\n");
    const struct config *config =
        load_with("metrics:\n"
                  "  listen: 127.0.0.1:9464\n"
                  "control:\n"
                  "  socket: c.sock\n"
                  "  mode: \"0660\"\n",
                  "usmpd.yaml:2:11: warning: metrics.listen: not available in this version, ignored\n"
                  "usmpd.yaml:4:11: warning: control.socket: not available in this version, ignored\n"
                  "usmpd.yaml:5:9: warning: control.mode: not available in this version, ignored\n");
    assert_int_equal(config->metrics.listen.count, 1);
    assert_int_equal(config->metrics.listen.items[0].address.port, 9464);
    assert_string_equal(config->control.socket, "c.sock");
    assert_int_equal(config->control.mode, 0660);
}

static void what_is_not_available_is_checked_all_the_same(void **state)
{
    refuse("spool: { path: [x] }\n"
           "metrics: { listen: localhost }\n"
           "control: { socket: \"\", mode: 9 }\n",
           "usmpd.yaml:1:16: spool.path: expected one value, not a list\n"
           "usmpd.yaml:2:20: metrics.listen: \"localhost\" is no numeric address with a port, such as 0.0.0.0:9000 or "
           "[::]:9000\n"
           "usmpd.yaml:3:20: control.socket: is empty\n"
           "usmpd.yaml:3:30: control.mode: \"9\" is no mode: three octal digits, with or without a 0 before them, such "
           "as \"0660\"\n");
    refuse("metrics: { listen: [127.0.0.1:1] }\nspool: { path: }\n",
           "usmpd.yaml:1:20: metrics.listen: expected one value, not a list\n"
           "usmpd.yaml:2:16: spool.path: has no value; leave the key out for its default\n");
}

static void log_and_sandbox(void **state)
{
    static const struct {
        const char *text;
        enum log_level level;
        enum log_format format;
    } cases[] = {
        {"log: { level: error, format: auto }\n", LOG_LEVEL_ERROR, LOG_FORMAT_AUTO},
        {"log: { level: warn, format: text }\n", LOG_LEVEL_WARN, LOG_FORMAT_TEXT},
        {"log: { level: info, format: json }\n", LOG_LEVEL_INFO, LOG_FORMAT_JSON},
        {"log: { level: debug, format: journal }\n", LOG_LEVEL_DEBUG, LOG_FORMAT_JOURNAL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct config *config = load(cases[i].text);
        assert_int_equal(config->log.level, cases[i].level);
        assert_int_equal(config->log.format, cases[i].format);
    }
    assert_int_equal(load("sandbox: off\n")->sandbox, CONFIG_SANDBOX_OFF);
    refuse("log:\n  level: trace\n  format: xml\nsandbox: on\n",
           "usmpd.yaml:2:10: log.level: \"trace\" is none of: error, warn, info, debug\n"
           "usmpd.yaml:3:11: log.format: \"xml\" is none of: auto, text, json, journal\n"
           "usmpd.yaml:4:10: sandbox: \"on\" is none of: auto, off\n");
}

static void unknown_keys(void **state)
{
    refuse("limit: { sessions: 3 }\n"
           "limits:\n"
           "  sesions: 5\n"
           "  sessions: 5\n"
           "  limits: { x: y }\n"
           "limits.sessions: 7\n"
           "sessions: 1\n"
           "backends:\n"
           "  - nmae: x\n"
           "    backends: []\n"
           "\"backends[]\": { name: x }\n"
           "colour: red\n"
           "\"\": 1\n"
           "log: { leveL: info }\n",
           "usmpd.yaml:1:1: limit: unknown key (did you mean limits?)\n"
           "usmpd.yaml:3:3: limits.sesions: unknown key (did you mean limits.sessions?)\n"
           "usmpd.yaml:5:3: limits.limits: unknown key\n"
           "usmpd.yaml:6:1: limits.sessions: unknown key (did you mean limits.sessions?)\n"
           "usmpd.yaml:7:1: sessions: unknown key (did you mean limits.sessions?)\n"
           "usmpd.yaml:9:5: backends[0].nmae: unknown key (did you mean backends[].name?)\n"
           "usmpd.yaml:10:5: backends[0].backends: unknown key (did you mean backends?)\n"
           "usmpd.yaml:11:1: (a key that is not shown): unknown key\n"
           "usmpd.yaml:12:1: colour: unknown key\n"
           "usmpd.yaml:13:1: (a key that is not shown): unknown key\n"
           "usmpd.yaml:14:8: log.leveL: unknown key (did you mean log.level?)\n");
}

static void keys_twice(void **state)
{
    refuse("limits: { sessions: 3 }\n"
           "workers: 1\n"
           "limits: { sessions: 4, lockout: 1s, lockout: x }\n"
           "backends:\n"
           "  - { name: a, name: b, delivery: acknowledged, delivery: acknowledged }\n"
           "spool: { path: [], path: x }\n",
           "usmpd.yaml:3:1: limits stands here a second time, first in line 1\n"
           "usmpd.yaml:3:37: limits.lockout stands here a second time, first in line 3\n"
           "usmpd.yaml:3:46: limits.lockout: \"x\" is no duration: a whole number and ms, s, m, h or d\n"
           "usmpd.yaml:5:16: backends[0].name stands here a second time, first in line 5\n"
           "usmpd.yaml:5:35: backends[0].delivery: \"acknowledged\" is not available in this version\n"
           "usmpd.yaml:5:49: backends[0].delivery stands here a second time, first in line 5\n"
           "usmpd.yaml:5:59: backends[0].delivery: \"acknowledged\" is not available in this version\n"
           "usmpd.yaml:6:16: spool.path: expected one value, not a list\n"
           "usmpd.yaml:6:20: spool.path stands here a second time, first in line 6\n"
           "usmpd.yaml:6:26: spool.path: \"x\" is not available in this version\n");
}

static void whole_files_that_are_wrong(void **state)
{
    refuse("- a\n", "usmpd.yaml:1:1: expected keys with values (key: value)\n");
    refuse("limits: [\n", "usmpd.yaml:2:1: did not find expected node content (while parsing a flow node)\n");
    struct config_file *file = *state;
    config_file_reset(file);
    unlink("usmpd.yaml");
    assert_null(config_load("usmpd.yaml", file->diagnostics));
    assert_messages(file->diagnostics, "usmpd.yaml: this file cannot be opened: No such file or directory\n");
}

static void long_values_leave_room_for_the_reason(void **state)
{
    char text[2048] = "log: { level: ";
    size_t before = strlen(text);
    memset(text + before, 'x', 1500);
    strcpy(text + before + 1500, " }\n");
    refuse(text,
           "usmpd.yaml:1:15: log.level: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" is none of: "
           "error, warn, info, debug\n");
}

static void paths_start_from_the_folder_of_the_file(void **state)
{
    struct config_file *file = *state;
    assert_int_equal(mkdir("sub", 0700), 0);
    config_file_write("sub/c.yaml",
                      "psk: { registry: [d.yaml, /abs/d.yaml] }\n"
                      "backends: [{ socket: b.sock }]\n",
                      0644);
    file->config = config_load("sub/c.yaml", file->diagnostics);
    assert_messages(file->diagnostics, "");
    assert_non_null(file->config);
    assert_string_equal(file->config->psk.registry.items[0], "sub/d.yaml");
    assert_string_equal(file->config->psk.registry.items[1], "/abs/d.yaml");
    assert_string_equal(file->config->backends.items[0].socket, "sub/b.sock");
    assert_string_equal(file->config->spool.path, "");
    unlink("sub/c.yaml");
    rmdir("sub");
}

static void default_registry_starts_from_there_too(void **state)
{
    struct config_file *file = *state;
    char path[128];
    char registry[128];
    config_file_write("usmpd.yaml", "", 0644);
    snprintf(path, sizeof path, "%s/usmpd.yaml", file->folder);
    snprintf(registry, sizeof registry, "%s/devices.yaml", file->folder);
    file->config = config_load(path, file->diagnostics);
    assert_non_null(file->config);
    assert_string_equal(file->config->psk.registry.items[0], registry);
}

static void examine_gives_what_can_be_used(void **state)
{
    struct config_file *file = *state;
    config_file_write(
        "usmpd.yaml",
        "limits: { sessions: x, handshakes: 7 }\n"
        "psk: { registry: [\"\"], insecure_permissions: true, master_secret: { env: NOT_SET_ANYWHERE } }\n"
        "backends: [{ name: \"a b\", queue: 1MiB }]\n",
        0644);
    file->config = config_examine("usmpd.yaml", file->diagnostics);
    assert_non_null(file->config);
    assert_int_equal(diagnostics_errors(file->diagnostics), 4);
    assert_int_equal(file->config->limits.sessions, 100000);
    assert_int_equal(file->config->limits.handshakes, 7);
    assert_int_equal(file->config->psk.registry.count, 0);
    assert_true(file->config->psk.insecure_permissions);
    assert_int_equal(file->config->psk.master_secret.kind, CONFIG_SECRET_NONE);
    assert_null(file->config->backends.items[0].name);
    assert_int_equal(file->config->backends.items[0].queue, 1 << 20);
    config_check_system(file->config, file->diagnostics);
}

static void earlier_errors_are_not_taken_for_own_ones(void **state)
{
    struct config_file *file = *state;
    diagnostics_add(file->diagnostics, DIAGNOSTICS_ERROR, (struct diagnostics_place){.file = "other"}, "before");
    config_file_write("usmpd.yaml", "", 0644);
    file->config = config_load("usmpd.yaml", file->diagnostics);
    assert_non_null(file->config);
}

static void free_takes_null(void **state)
{
    (void)state;
    config_free(NULL);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, config_file_set_up, config_file_tear_down)
    const struct CMUnitTest tests[] = {
        WITH(defaults_of_an_empty_file),
        WITH(empty_sections_are_defaults),
        WITH(addresses),
        WITH(addresses_that_are_none),
        WITH(lists_are_bounded),
        WITH(backends_are_bounded),
        WITH(workers),
        WITH(wire),
        WITH(timeouts),
        WITH(registry_files),
        WITH(psk_switches),
        WITH(limits),
        WITH(limits_out_of_range),
        WITH(backend),
        WITH(backend_that_is_wrong),
        WITH(texts_are_bounded),
        WITH(what_this_version_cannot_do),
        WITH(what_is_not_available_is_checked_all_the_same),
        WITH(log_and_sandbox),
        WITH(unknown_keys),
        WITH(keys_twice),
        WITH(whole_files_that_are_wrong),
        WITH(long_values_leave_room_for_the_reason),
        WITH(paths_start_from_the_folder_of_the_file),
        WITH(default_registry_starts_from_there_too),
        WITH(examine_gives_what_can_be_used),
        WITH(earlier_errors_are_not_taken_for_own_ones),
        cmocka_unit_test(free_takes_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
