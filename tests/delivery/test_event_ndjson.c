#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "delivery/event_ndjson.h"
#include "platform/address_text.h"

/* 2026-11-21T09:00:00.123456Z, as date(1) has it. */
#define NINE_O_CLOCK INT64_C(1795251600123456)
#define SESSION_TEXT "5f0102030405060708090a0b0c0d0e0f"

static struct seam_event event_of(enum seam_event_kind kind)
{
    struct seam_event event = {
        .kind = kind,
        .transport = SEAM_UDP,
        .wire = 2,
        .backends = 1,
        .time = NINE_O_CLOCK,
        .device = {0xde, 0xad, 0xbe, 0xef, 0x00, 0x01},
        .session = {0x5f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    };
    assert_true(address_parse("192.0.2.7:50123", &event.peer));
    return event;
}

static void expect_line(const char *line, size_t size, const char *expected)
{
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(line, expected, size);
}

static void expect_event(struct event_ndjson *encoder, uint64_t id, const struct seam_event *event, const void *payload,
                         const char *expected)
{
    char line[EVENT_NDJSON_LINE_MAX];
    expect_line(line, event_ndjson_write(encoder, id, event, payload, line), expected);
}

static void a_connected_line_is_as_documented(void **state)
{
    (void)state;
    struct event_ndjson encoder = {.always_base64 = false};
    struct seam_event event = event_of(SEAM_CONNECTED);
    expect_event(
        &encoder, 1, &event, NULL,
        "{\"type\":\"connected\",\"id\":1,\"time\":\"2026-11-21T09:00:00.123456Z\",\"device\":\"de:ad:be:ef:00:01\","
        "\"session\":\"" SESSION_TEXT "\",\"transport\":\"udp\",\"wire\":2,\"peer\":\"192.0.2.7:50123\"}\n");

    event.transport = SEAM_TCP;
    event.wire = 1;
    assert_true(address_parse("[2001:db8::1]:9", &event.peer));
    expect_event(
        &encoder, 77, &event, NULL,
        "{\"type\":\"connected\",\"id\":77,\"time\":\"2026-11-21T09:00:00.123456Z\",\"device\":\"de:ad:be:ef:00:01\","
        "\"session\":\"" SESSION_TEXT "\",\"transport\":\"tcp\",\"wire\":1,\"peer\":\"[2001:db8::1]:9\"}\n");
}

static void a_message_line_is_as_documented(void **state)
{
    (void)state;
    struct event_ndjson encoder = {.always_base64 = false};
    struct seam_event event = event_of(SEAM_MESSAGE);
    event.time += 100000;
    event.size = 9;
    expect_event(
        &encoder, 2, &event, "temp=21.5",
        "{\"type\":\"message\",\"id\":2,\"time\":\"2026-11-21T09:00:00.223456Z\",\"device\":\"de:ad:be:ef:00:01\","
        "\"session\":\"" SESSION_TEXT "\",\"text\":\"temp=21.5\"}\n");
    event.size = 0;
    expect_event(
        &encoder, 3, &event, NULL,
        "{\"type\":\"message\",\"id\":3,\"time\":\"2026-11-21T09:00:00.223456Z\",\"device\":\"de:ad:be:ef:00:01\","
        "\"session\":\"" SESSION_TEXT "\",\"text\":\"\"}\n");
}

static void what_is_no_text_comes_as_base64(void **state)
{
    (void)state;
    struct event_ndjson encoder = {.always_base64 = false};
    struct seam_event event = event_of(SEAM_MESSAGE);
    event.size = 4;
    expect_event(
        &encoder, 3, &event, "\xff\x01\x02\x03",
        "{\"type\":\"message\",\"id\":3,\"time\":\"2026-11-21T09:00:00.123456Z\",\"device\":\"de:ad:be:ef:00:01\","
        "\"session\":\"" SESSION_TEXT "\",\"base64\":\"/wECAw==\"}\n");
}

static void a_binary_fleet_gets_base64_always(void **state)
{
    (void)state;
    struct event_ndjson encoder = {.always_base64 = true};
    struct seam_event event = event_of(SEAM_MESSAGE);
    event.size = 4;
    expect_event(
        &encoder, 3, &event, "\x00\x01\x02\x03",
        "{\"type\":\"message\",\"id\":3,\"time\":\"2026-11-21T09:00:00.123456Z\",\"device\":\"de:ad:be:ef:00:01\","
        "\"session\":\"" SESSION_TEXT "\",\"base64\":\"AAECAw==\"}\n");
    event.size = 0;
    expect_event(
        &encoder, 4, &event, NULL,
        "{\"type\":\"message\",\"id\":4,\"time\":\"2026-11-21T09:00:00.123456Z\",\"device\":\"de:ad:be:ef:00:01\","
        "\"session\":\"" SESSION_TEXT "\",\"base64\":\"\"}\n");
}

static void each_reason_has_its_name(void **state)
{
    (void)state;
    static const struct {
        enum seam_reason reason;
        const char *name;
    } REASONS[] = {
        {SEAM_BYE, "bye"},   {SEAM_TIMEOUT, "timeout"}, {SEAM_REPLACED, "replaced"}, {SEAM_PROTOCOL, "protocol"},
        {SEAM_PEER, "peer"}, {SEAM_CLOSED, "closed"},   {SEAM_REVOKED, "revoked"},   {SEAM_SHUTDOWN, "shutdown"},
    };
    struct event_ndjson encoder = {.always_base64 = false};
    for (size_t i = 0; i < sizeof REASONS / sizeof REASONS[0]; i++) {
        struct seam_event event = event_of(SEAM_DISCONNECTED);
        event.reason = REASONS[i].reason;
        char line[EVENT_NDJSON_LINE_MAX];
        size_t size = event_ndjson_write(&encoder, 4, &event, NULL, line);
        char expected[EVENT_NDJSON_LINE_MAX];
        int length = snprintf(expected, sizeof expected,
                              "{\"type\":\"disconnected\",\"id\":4,\"time\":\"2026-11-21T09:00:00.123456Z\","
                              "\"device\":\"de:ad:be:ef:00:01\",\"session\":\"" SESSION_TEXT "\",\"reason\":\"%s\"}\n",
                              REASONS[i].name);
        assert_true(length > 0);
        expect_line(line, size, expected);
    }
}

static void a_lost_line_is_as_documented(void **state)
{
    (void)state;
    struct event_ndjson encoder = {.always_base64 = false};
    struct queued_event lost = {.id = 9, .lost = {.count = 4, .first = 5, .last = 8, .time = NINE_O_CLOCK}};
    char line[EVENT_NDJSON_LINE_MAX];
    expect_line(
        line, event_ndjson_write_lost(&encoder, &lost, line),
        "{\"type\":\"lost\",\"id\":9,\"time\":\"2026-11-21T09:00:00.123456Z\",\"count\":4,\"first\":5,\"last\":8}\n");
}

/* The worst that can be asked for: 1808 controls, the largest id, the longest address. */
static void no_line_is_longer_than_promised(void **state)
{
    (void)state;
    struct event_ndjson encoder = {.always_base64 = false};
    char *line = malloc(EVENT_NDJSON_LINE_MAX); /* on the heap: a sanitizer watches its end */
    assert_non_null(line);
    uint64_t largest = (UINT64_C(1) << 53) - 1;

    struct seam_event event = event_of(SEAM_CONNECTED);
    event.time = INT64_MAX;
    assert_true(address_parse("[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535", &event.peer));
    assert_in_range(event_ndjson_write(&encoder, largest, &event, NULL, line), 1, EVENT_NDJSON_FIELDS_MAX);

    struct queued_event lost = {.id = largest, .lost = {largest, largest, largest, INT64_MAX}};
    assert_in_range(event_ndjson_write_lost(&encoder, &lost, line), 1, EVENT_NDJSON_FIELDS_MAX);

    event = event_of(SEAM_MESSAGE);
    event.size = SEAM_PAYLOAD_MAX;
    uint8_t payload[SEAM_PAYLOAD_MAX];
    memset(payload, 0x1b, sizeof payload);
    size_t size = event_ndjson_write(&encoder, largest, &event, payload, line);
    assert_in_range(size, 6 * SEAM_PAYLOAD_MAX, NDJSON_LINE_MAX);

    json_t *value = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(json_integer_value(json_object_get(value, "id")), largest);
    const json_t *text = json_object_get(value, "text");
    assert_int_equal(json_string_length(text), sizeof payload);
    assert_memory_equal(json_string_value(text), payload, sizeof payload);
    json_decref(value);
    free(line);
}

static void a_clock_before_1970_is_shown_as_its_beginning(void **state)
{
    (void)state;
    struct event_ndjson encoder = {.always_base64 = false};
    char out[64];
    *event_ndjson_time(&encoder, -1, out) = '\0';
    assert_string_equal(out, ",\"time\":\"1970-01-01T00:00:00.000000Z\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connected_line_is_as_documented),
        cmocka_unit_test(a_message_line_is_as_documented),
        cmocka_unit_test(what_is_no_text_comes_as_base64),
        cmocka_unit_test(a_binary_fleet_gets_base64_always),
        cmocka_unit_test(each_reason_has_its_name),
        cmocka_unit_test(a_lost_line_is_as_documented),
        cmocka_unit_test(no_line_is_longer_than_promised),
        cmocka_unit_test(a_clock_before_1970_is_shown_as_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
