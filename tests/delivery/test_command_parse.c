#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "delivery/command_parse.h"

static struct command_request request;
static struct command_mistake mistake;

static const uint8_t DEVICE[6] = {0xde, 0xad, 0xbe, 0xef, 0x00, 0x01};

static enum command_verdict parse(const char *line)
{
    memset(&request, 0xaa, sizeof request);
    memset(&mistake, 0, sizeof mistake);
    /* A copy of exactly that size: a sanitizer watches its end. */
    size_t size = strlen(line);
    char *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, line, size);
    enum command_verdict verdict = command_parse(copy, size, &request, &mistake);
    free(copy);
    return verdict;
}

static void expect_ref(const char *expected)
{
    assert_int_equal(request.ref.given, expected != NULL);
    if (expected != NULL) {
        assert_int_equal(request.ref.size, strlen(expected));
        assert_memory_equal(request.ref.bytes, expected, strlen(expected));
    }
}

static void expect_payload(const void *expected, size_t size)
{
    assert_int_equal(request.size, size);
    assert_memory_equal(request.payload, expected, size);
}

static void the_documented_commands_are_understood(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"op\":\"send\",\"device\":\"de:ad:be:ef:00:01\",\"text\":\"relay=on\",\"ref\":\"r1\"}"),
                     COMMAND_GOOD);
    assert_int_equal(request.operation, COMMAND_SEND);
    assert_memory_equal(request.device, DEVICE, sizeof DEVICE);
    assert_false(request.session_given);
    expect_payload("relay=on", 8);
    expect_ref("r1");

    assert_int_equal(parse("{\"op\":\"send\",\"device\":\"de:ad:be:ef:00:01\",\"base64\":\"AAEC\",\"ref\":\"r2\"}"),
                     COMMAND_GOOD);
    expect_payload("\0\1\2", 3);

    assert_int_equal(parse("{\"op\":\"send\",\"device\":\"de:ad:be:ef:00:01\",\"session\":"
                           "\"5f0102030405060708090A0B0C0D0E0F\",\"text\":\"only to this session\",\"ref\":\"r3\"}"),
                     COMMAND_GOOD);
    assert_true(request.session_given);
    assert_memory_equal(request.session, "\x5f\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", 16);

    assert_int_equal(parse("{\"op\":\"close\",\"device\":\"de:ad:be:ef:00:01\",\"ref\":\"r4\"}"), COMMAND_GOOD);
    assert_int_equal(request.operation, COMMAND_CLOSE);
    assert_memory_equal(request.device, DEVICE, sizeof DEVICE);

    assert_int_equal(parse("{\"op\":\"list\",\"ref\":\"r5\"}"), COMMAND_GOOD);
    assert_int_equal(request.operation, COMMAND_LIST);
    expect_ref("r5");
}

static void a_ttl_is_a_duration(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t microseconds;
    } DURATIONS[] = {
        {"100ms", 100000}, {"30s", 30000000}, {"10m", 600000000}, {"2h", 7200000000}, {"30d", 2592000000000},
    };
    for (size_t i = 0; i < sizeof DURATIONS / sizeof DURATIONS[0]; i++) {
        char line[200];
        assert_true(snprintf(line, sizeof line,
                             "{\"op\":\"send\",\"device\":\"de:ad:be:ef:00:01\",\"text\":\"x\",\"ttl\":\"%s\"}",
                             DURATIONS[i].text) > 0);
        assert_int_equal(parse(line), COMMAND_GOOD);
        assert_true(request.ttl_given);
        assert_int_equal(request.ttl, DURATIONS[i].microseconds);
    }
    assert_int_equal(parse("{\"op\":\"send\",\"device\":\"de:ad:be:ef:00:01\",\"text\":\"x\"}"), COMMAND_GOOD);
    assert_false(request.ttl_given);
}

static void a_device_is_spelled_as_in_the_registry(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"op\":\"close\",\"device\":\"DEADBEEF0001\"}"), COMMAND_GOOD);
    assert_memory_equal(request.device, DEVICE, sizeof DEVICE);
    expect_ref(NULL);
}

static void white_space_and_order_do_not_matter(void **state)
{
    (void)state;
    assert_int_equal(parse(" { \"ref\" : \"a\" ,\t\"op\":\"list\" } \r"), COMMAND_GOOD);
    expect_ref("a");
    assert_int_equal(parse(""), COMMAND_BAD);
    assert_int_equal(parse("\r"), COMMAND_BAD);
    assert_int_equal(parse("  \t"), COMMAND_BAD);
}

static void a_payload_may_be_anything_json_can_say(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"op\":\"send\",\"device\":\"deadbeef0001\",\"text\":\"\"}"), COMMAND_GOOD);
    expect_payload("", 0);
    assert_int_equal(parse("{\"op\":\"send\",\"device\":\"deadbeef0001\",\"base64\":\"\"}"), COMMAND_GOOD);
    expect_payload("", 0);
    assert_int_equal(parse("{\"op\":\"send\",\"device\":\"deadbeef0001\",\"text\":\"a\\u0000\\u00fc\\ud83d\\udc22\"}"),
                     COMMAND_GOOD);
    expect_payload("a\0\xc3\xbc\xf0\x9f\x90\xa2", 8);
    assert_int_equal(parse("{\"op\":\"send\",\"device\":\"deadbeef0001\",\"base64\":\"/+8=\"}"), COMMAND_GOOD);
    expect_payload("\xff\xef", 2);
}

static void the_longest_line_is_taken(void **state)
{
    (void)state;
    static const char BEGIN[] = "{\"op\":\"send\",\"device\":\"deadbeef0001\",\"text\":\"";
    char *line = malloc(NDJSON_LINE_MAX + 1);
    assert_non_null(line);
    memset(line, 'x', NDJSON_LINE_MAX);
    memcpy(line, BEGIN, sizeof BEGIN - 1);
    memcpy(line + NDJSON_LINE_MAX - 2, "\"}", 3);
    assert_int_equal(parse(line), COMMAND_GOOD);
    assert_int_equal(request.size, NDJSON_LINE_MAX - sizeof BEGIN + 1 - 2);
    free(line);
}

static void a_ref_has_64_bytes_at_most(void **state)
{
    (void)state;
    char line[200];
    char ref[66];
    memset(ref, 'r', sizeof ref);
    ref[64] = '\0';
    assert_true(snprintf(line, sizeof line, "{\"op\":\"list\",\"ref\":\"%s\"}", ref) > 0);
    assert_int_equal(parse(line), COMMAND_GOOD);
    expect_ref(ref);
    ref[64] = 'r';
    ref[65] = '\0';
    assert_true(snprintf(line, sizeof line, "{\"op\":\"list\",\"ref\":\"%s\"}", ref) > 0);
    assert_int_equal(parse(line), COMMAND_BAD);
    expect_ref(NULL);
}

struct bad_line {
    const char *line;
    const char *named; /* what the message names */
    const char *ref;   /* that could be read all the same */
};

#define SEND "{\"op\":\"send\",\"device\":\"deadbeef0001\","

static const struct bad_line BAD_LINES[] = {
    /* no JSON */
    {"hello", "JSON", NULL},
    {"{", "JSON", NULL},
    {"{}{}", "JSON", NULL},
    {"{\"op\":\"list\"} x", "JSON", NULL},
    {"{\"op\":\"list\",}", "JSON", NULL},
    {"{'op':'list'}", "JSON", NULL},
    {"{\"op\":\"list\"", "JSON", NULL},
    {"{\"op\":\"list\n\"}", "JSON", NULL},
    {"{\"op\":\"send\",\"text\":\"\\ud800\"}", "JSON", NULL},
    {"{\"op\":\"list\",\"ref\":1e999}", "JSON", NULL},
    {"{\"op\\u0000\":\"list\"}", "JSON", NULL},
    {"{\"op\":\"list\",\"ref\":\"\xff\"}", "UTF-8", NULL},
    {"\xff", "UTF-8", NULL},
    /* no object */
    {"[]", "JSON object", NULL},
    {"[{\"op\":\"list\"}]", "JSON object", NULL},
    {"\"list\"", "JSON object", NULL},
    {"1", "JSON object", NULL},
    {"null", "JSON object", NULL},
    /* depth and duplicates */
    {"{\"op\":[[[[1]]]]}", "nested", NULL},
    {"[[[[[", "nested", NULL},
    {"{\"op\":\"list\",\"op\":\"list\"}", "twice", NULL},
    {"{\"op\":\"list\",\"ref\":\"a\",\"ref\":\"b\"}", "twice", NULL},
    {"{\"op\":\"list\",\"x\":{\"y\":1,\"y\":2}}", "twice", NULL},
    /* ref and op */
    {"{\"op\":\"list\",\"ref\":1}", "\"ref\"", NULL},
    {"{\"op\":\"list\",\"ref\":null}", "\"ref\"", NULL},
    {"{\"ref\":\"a\"}", "\"op\"", "a"},
    {"{\"op\":1,\"ref\":\"a\"}", "\"op\"", "a"},
    {"{\"op\":\"LIST\",\"ref\":\"a\"}", "\"LIST\"", "a"},
    {"{\"op\":\"list\\u0000\",\"ref\":\"a\"}", "\"op\"", "a"},
    {"{\"op\":\"\",\"ref\":\"a\"}", "\"\"", "a"},
    {"{}", "\"op\"", NULL},
    /* fields that are not there */
    {"{\"op\":\"list\",\"ref\":\"a\",\"device\":\"deadbeef0001\"}", "\"device\"", "a"},
    {"{\"op\":\"close\",\"device\":\"deadbeef0001\",\"text\":\"x\"}", "\"text\"", NULL},
    {"{\"op\":\"close\",\"device\":\"deadbeef0001\",\"session\":\"x\"}", "\"session\"", NULL},
    {SEND "\"text\":\"x\",\"tex\":\"x\"}", "\"tex\"", NULL},
    {SEND "\"text\":\"x\",\"Ref\":\"x\"}", "\"Ref\"", NULL},
    {SEND "\"text\":\"x\",\"id\":3}", "\"id\"", NULL},
    /* device */
    {"{\"op\":\"close\",\"ref\":\"a\"}", "\"device\"", "a"},
    {"{\"op\":\"close\",\"device\":1}", "\"device\"", NULL},
    {"{\"op\":\"close\",\"device\":\"\"}", "\"device\"", NULL},
    {"{\"op\":\"close\",\"device\":\"deadbeef00\"}", "\"device\"", NULL},
    {"{\"op\":\"close\",\"device\":\"deadbeef0001\\u0000\"}", "\"device\"", NULL},
    {"{\"op\":\"close\",\"device\":\"*\"}", "\"device\"", NULL},
    /* session */
    {SEND "\"text\":\"x\",\"session\":\"5f\"}", "\"session\"", NULL},
    {SEND "\"text\":\"x\",\"session\":5}", "\"session\"", NULL},
    {SEND "\"text\":\"x\",\"session\":\"5f0102030405060708090a0b0c0d0e0g\"}", "\"session\"", NULL},
    {SEND "\"text\":\"x\",\"session\":\"5f0102030405060708090a0b0c0d0e0f0\"}", "\"session\"", NULL},
    {SEND "\"text\":\"x\",\"session\":\"5f01020304050607 8090a0b0c0d0e0f\"}", "\"session\"", NULL},
    /* payload */
    {"{\"op\":\"send\",\"device\":\"deadbeef0001\"}", "\"text\"", NULL},
    {SEND "\"text\":\"x\",\"base64\":\"AAEC\"}", "\"text\"", NULL},
    {SEND "\"text\":1}", "\"text\"", NULL},
    {SEND "\"text\":null}", "\"text\"", NULL},
    {SEND "\"base64\":1}", "\"base64\"", NULL},
    {SEND "\"base64\":\"AAE\"}", "\"base64\"", NULL},
    {SEND "\"base64\":\"AA==AA==\"}", "\"base64\"", NULL},
    {SEND "\"base64\":\"AB==\"}", "\"base64\"", NULL},
    {SEND "\"base64\":\"AA=\"}", "\"base64\"", NULL},
    {SEND "\"base64\":\"A A=\"}", "\"base64\"", NULL},
    {SEND "\"base64\":\"_-8=\"}", "\"base64\"", NULL},
    {SEND "\"base64\":\"AAEC\\u0000\"}", "\"base64\"", NULL},
    /* ttl */
    {SEND "\"text\":\"x\",\"ref\":\"a\",\"ttl\":600}", "\"ttl\" has to be a string", "a"},
    {SEND "\"text\":\"x\",\"ttl\":null}", "\"ttl\" has to be a string", NULL},
    {SEND "\"text\":\"x\",\"ttl\":\"10m\\u0000\"}", "\"ttl\" has to be a string", NULL},
    {SEND "\"text\":\"x\",\"ttl\":\"\"}", "\"ttl\" is no duration", NULL},
    {SEND "\"text\":\"x\",\"ttl\":\"10\"}", "\"ttl\" needs a unit", NULL},
    {SEND "\"text\":\"x\",\"ttl\":\"-1s\"}", "\"ttl\" is no duration", NULL},
    {SEND "\"text\":\"x\",\"ttl\":\"10min\"}", "\"ttl\" is no duration", NULL},
    {SEND "\"text\":\"x\",\"ttl\":\"99999999999999999999d\"}", "\"ttl\" is too large a number", NULL},
    {SEND "\"text\":\"x\",\"ttl\":\"0\"}", "\"ttl\" has to be from 100ms to 30d", NULL},
    {SEND "\"text\":\"x\",\"ttl\":\"99ms\"}", "\"ttl\" has to be from 100ms to 30d", NULL},
    {SEND "\"text\":\"x\",\"ttl\":\"31d\"}", "\"ttl\" has to be from 100ms to 30d", NULL},
    /* of another version */
    {"{\"op\":\"ack\",\"id\":3}", "live", NULL},
};

static void every_mistake_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof BAD_LINES / sizeof BAD_LINES[0]; i++) {
        const struct bad_line *bad = &BAD_LINES[i];
        if (parse(bad->line) != COMMAND_BAD)
            fail_msg("taken: %s", bad->line);
        if (strstr(mistake.text, bad->named) == NULL)
            fail_msg("%s: %s", bad->line, mistake.text);
        expect_ref(bad->ref);
    }
}

/* A message can be put into a line of JSON whatever the backend wrote. */
static void a_long_name_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t ascii = 0; ascii < 8; ascii++) {
        char line[400] = "{\"op\":\"list\",\"ref\":\"a\",\"";
        for (size_t i = 0; i < ascii; i++)
            strcat(line, "x");
        for (size_t i = 0; i < 40; i++)
            strcat(line, "\xe2\x82\xac");
        strcat(line, "\":1}");
        assert_int_equal(parse(line), COMMAND_BAD);
        char out[ANSWER_NDJSON_LINE_MAX];
        size_t size = answer_ndjson_error(&request.ref, ANSWER_BAD_REQUEST, mistake.text, 0, out);
        assert_in_range(size, 1, sizeof out);
        assert_non_null(strstr(mistake.text, "\xe2\x82\xac\""));
    }
}

static size_t allocations_left;

static void *failing_malloc(size_t size)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return malloc(size);
}

static void short_of_memory_a_command_is_refused_and_never_half_read(void **state)
{
    (void)state;
    static const char LINE[] = "{\"op\":\"send\",\"device\":\"deadbeef0001\",\"text\":\"relay=on\",\"ref\":\"r1\"}";
    assert_int_equal(parse(LINE), COMMAND_GOOD);
    json_set_alloc_funcs(failing_malloc, free);
    enum command_verdict verdict = COMMAND_SHORT_OF_MEMORY;
    size_t allowed = 0;
    for (; verdict != COMMAND_GOOD; allowed++) {
        allocations_left = allowed;
        verdict = command_parse(LINE, sizeof LINE - 1, &request, &mistake);
        /* Jansson takes a token that it has no memory for as an invalid one. */
        assert_true(verdict == COMMAND_GOOD || verdict == COMMAND_SHORT_OF_MEMORY || verdict == COMMAND_BAD);
        assert_int_equal(allowed == 0 ? verdict : COMMAND_SHORT_OF_MEMORY, COMMAND_SHORT_OF_MEMORY);
    }
    json_set_alloc_funcs(malloc, free);
    assert_in_range(allowed, 8, 200);
    expect_payload("relay=on", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_documented_commands_are_understood),
        cmocka_unit_test(a_ttl_is_a_duration),
        cmocka_unit_test(a_device_is_spelled_as_in_the_registry),
        cmocka_unit_test(white_space_and_order_do_not_matter),
        cmocka_unit_test(a_payload_may_be_anything_json_can_say),
        cmocka_unit_test(the_longest_line_is_taken),
        cmocka_unit_test(a_ref_has_64_bytes_at_most),
        cmocka_unit_test(every_mistake_is_named),
        cmocka_unit_test(a_long_name_is_cut_between_characters),
        cmocka_unit_test(short_of_memory_a_command_is_refused_and_never_half_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
