#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "delivery/answer_ndjson.h"
#include "platform/address_text.h"

static struct answer_ref ref_of(const char *text)
{
    struct answer_ref ref = {.given = true, .size = (uint8_t)strlen(text)};
    memcpy(ref.bytes, text, strlen(text));
    return ref;
}

static const struct answer_ref NO_REF = {.given = false};

static void expect_line(const char *line, size_t size, const char *expected)
{
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(line, expected, size);
}

static void the_greeting_is_as_documented(void **state)
{
    (void)state;
    struct answer_hello hello = {.version = "0.1.0", .backend = "default", .epoch = "8c1f", .next_id = 1};
    char line[ANSWER_NDJSON_LINE_MAX];
    expect_line(
        line, answer_ndjson_hello(&hello, line),
        "{\"type\":\"hello\",\"protocol\":1,\"version\":\"0.1.0\",\"backend\":\"default\",\"delivery\":\"live\","
        "\"epoch\":\"8c1f\",\"next_id\":1}\n");
}

static void what_became_of_a_send_is_as_documented(void **state)
{
    (void)state;
    char line[ANSWER_NDJSON_LINE_MAX];
    struct answer_ref ref = ref_of("r1");
    expect_line(line, answer_ndjson_sent(&ref, true, line), "{\"type\":\"sent\",\"ref\":\"r1\",\"by\":\"device\"}\n");
    expect_line(line, answer_ndjson_sent(&ref, false, line), "{\"type\":\"sent\",\"ref\":\"r1\",\"by\":\"socket\"}\n");
    ref = ref_of("r4");
    expect_line(line, answer_ndjson_closed(&ref, line), "{\"type\":\"closed\",\"ref\":\"r4\"}\n");
}

static void errors_are_as_documented(void **state)
{
    (void)state;
    char line[ANSWER_NDJSON_LINE_MAX];
    struct answer_ref ref = ref_of("r2");
    const char *message = "device de:ad:be:ef:00:09 has no session";
    expect_line(line, answer_ndjson_error(&ref, ANSWER_NOT_CONNECTED, message, 0, line),
                "{\"type\":\"error\",\"ref\":\"r2\",\"code\":\"not_connected\","
                "\"message\":\"device de:ad:be:ef:00:09 has no session\"}\n");
    expect_line(line, answer_ndjson_error(&NO_REF, ANSWER_IN_USE, "taken", 0, line),
                "{\"type\":\"error\",\"code\":\"in_use\",\"message\":\"taken\"}\n");
    expect_line(line, answer_ndjson_error(&ref, ANSWER_TOO_LARGE, "no", 255, line),
                "{\"type\":\"error\",\"ref\":\"r2\",\"code\":\"too_large\",\"limit\":255,\"message\":\"no\"}\n");
}

static void each_code_has_its_name(void **state)
{
    (void)state;
    static const struct {
        enum answer_code code;
        const char *name;
    } CODES[] = {
        {ANSWER_EXPIRED, "expired"},     {ANSWER_UNCONFIRMED, "unconfirmed"}, {ANSWER_BUSY, "busy"},
        {ANSWER_FORBIDDEN, "forbidden"}, {ANSWER_BAD_REQUEST, "bad_request"},
    };
    for (size_t i = 0; i < sizeof CODES / sizeof CODES[0]; i++) {
        char line[ANSWER_NDJSON_LINE_MAX];
        size_t size = answer_ndjson_error(&NO_REF, CODES[i].code, "", 0, line);
        json_t *value = json_loadb(line, size, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(value, "code")), CODES[i].name);
        json_decref(value);
    }
}

static void a_list_is_as_documented(void **state)
{
    (void)state;
    struct event_ndjson encoder = {.always_base64 = false};
    struct directory_session session = {
        .device = {0xde, 0xad, 0xbe, 0xef, 0x00, 0x01},
        .session = {0x5f},
        .transport = SEAM_UDP,
        .wire = 2,
        .connected = INT64_C(1795251600123456), /* 2026-11-21T09:00:00.123456Z */
    };
    assert_true(address_parse("192.0.2.7:50123", &session.peer));
    struct answer_ref ref = ref_of("r5");
    char line[ANSWER_NDJSON_LINE_MAX];
    expect_line(line, answer_ndjson_session(&encoder, &ref, &session, line),
                "{\"type\":\"session\",\"ref\":\"r5\",\"device\":\"de:ad:be:ef:00:01\","
                "\"session\":\"5f000000000000000000000000000000\",\"time\":\"2026-11-21T09:00:00.123456Z\","
                "\"transport\":\"udp\",\"wire\":2,\"peer\":\"192.0.2.7:50123\"}\n");
    expect_line(line, answer_ndjson_listed(&ref, 1, line), "{\"type\":\"listed\",\"ref\":\"r5\",\"count\":1}\n");
    expect_line(line, answer_ndjson_listed(&NO_REF, 0, line), "{\"type\":\"listed\",\"count\":0}\n");
}

static void a_ref_comes_back_whatever_it_holds(void **state)
{
    (void)state;
    struct answer_ref ref = {.given = true, .size = ANSWER_REF_MAX};
    memset(ref.bytes, 0, sizeof ref.bytes);
    ref.bytes[1] = '"';
    char message[ANSWER_MESSAGE_MAX + 1];
    memset(message, 0x1b, ANSWER_MESSAGE_MAX);
    message[ANSWER_MESSAGE_MAX] = '\0';

    char *line = malloc(ANSWER_NDJSON_LINE_MAX); /* on the heap: a sanitizer watches its end */
    assert_non_null(line);
    size_t size = answer_ndjson_error(&ref, ANSWER_TOO_LARGE, message, UINT32_MAX, line);
    json_t *value = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
    const json_t *back = json_object_get(value, "ref");
    assert_int_equal(json_string_length(back), ANSWER_REF_MAX);
    assert_memory_equal(json_string_value(back), ref.bytes, ANSWER_REF_MAX);
    assert_string_equal(json_string_value(json_object_get(value, "message")), message);
    json_decref(value);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_greeting_is_as_documented), cmocka_unit_test(what_became_of_a_send_is_as_documented),
        cmocka_unit_test(errors_are_as_documented),      cmocka_unit_test(each_code_has_its_name),
        cmocka_unit_test(a_list_is_as_documented),       cmocka_unit_test(a_ref_comes_back_whatever_it_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
