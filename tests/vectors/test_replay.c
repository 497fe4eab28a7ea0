/* The replay itself: it agrees with what was recorded, and notices whatever is changed or missing. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/start.h>

#include "vectors/replay/transcript.h"

static const char *const files[] = {
    USMPD_TEST_DATA_DIR "/vectors/wire1.json",
    USMPD_TEST_DATA_DIR "/vectors/wire2.json",
};

static json_t *load(const char *file)
{
    json_t *root = json_load_file(file, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    return root;
}

static json_t *transcript_of(json_t *root, size_t number)
{
    json_t *transcript = json_array_get(json_object_get(root, "transcripts"), number);
    assert_non_null(transcript);
    return transcript;
}

static void test_recorded_conversations_agree(void **state)
{
    (void)state;
    /* What the files hold, counted by hand. */
    const struct {
        unsigned session_frames;
        unsigned messages;
        unsigned utacks;
    } expected[2][2] = {{{13, 9, 0}, {25, 7, 0}}, {{13, 9, 3}, {28, 9, 3}}};
    for (size_t f = 0; f < 2; f++) {
        json_t *root = load(files[f]);
        assert_int_equal(json_array_size(json_object_get(root, "transcripts")), 2);
        for (size_t t = 0; t < 2; t++) {
            struct replay_report report;
            if (!replay_transcript(transcript_of(root, t), &report))
                fail_msg("%s", report.difference);
            assert_string_equal(report.difference, "");
            assert_int_equal(report.handshake_frames, 4);
            assert_int_equal(report.session_frames, expected[f][t].session_frames);
            assert_int_equal(report.messages, expected[f][t].messages);
            assert_int_equal(report.utacks, expected[f][t].utacks);
        }
        json_decref(root);
    }
}

static void assert_differs(const json_t *transcript, const char *changed)
{
    struct replay_report report;
    if (replay_transcript(transcript, &report))
        fail_msg("it agrees although %s was changed", changed);
    assert_string_not_equal(report.difference, "");
}

static bool is_for_people(const char *member)
{
    return strcmp(member, "name") == 0 || strcmp(member, "recorded_with") == 0;
}

/* Clamping makes no use of some bits of a private key, so it is changed where every bit counts. */
static size_t digit_that_counts(size_t length)
{
    return length / 2;
}

static void change_value(const json_t *transcript, json_t *value, const char *member)
{
    if (json_is_integer(value)) {
        json_int_t number = json_integer_value(value);
        json_integer_set(value, number ^ 1);
        assert_differs(transcript, member);
        json_integer_set(value, number);
        return;
    }
    assert_true(json_is_string(value));
    char changed[4096];
    size_t length = json_string_length(value);
    assert_true(length + 3 < sizeof changed);
    memcpy(changed, json_string_value(value), length + 1);
    size_t digit = digit_that_counts(length);
    if (length > 0) {
        char original = changed[digit];
        changed[digit] = original == '5' ? '4' : '5';
        json_string_set(value, changed);
        assert_differs(transcript, member);
        changed[digit] = original;
    }
    memcpy(changed + length, "00", 3);
    json_string_set(value, changed);
    /* HMAC pads keys up to 64 bytes with zeros: a PSK with one more is the same key. */
    if (strcmp(member, "psk") != 0)
        assert_differs(transcript, member);
    changed[length] = '\0';
    json_string_set(value, changed);
}

/* Goes to every value in there, changes it and asks for a difference each time. */
static unsigned change_each(const json_t *transcript, json_t *value, const char *member)
{
    unsigned changed = 0;
    if (json_is_object(value)) {
        const char *key;
        json_t *child;
        json_object_foreach(value, key, child)
            changed += is_for_people(key) ? 0 : change_each(transcript, child, key);
        return changed;
    }
    if (json_is_array(value)) {
        size_t index;
        json_t *child;
        json_array_foreach(value, index, child)
            changed += change_each(transcript, child, member);
        return changed;
    }
    change_value(transcript, value, member);
    return 1;
}

static void test_every_changed_value_is_noticed(void **state)
{
    (void)state;
    unsigned changed = 0;
    for (size_t f = 0; f < 2; f++) {
        json_t *root = load(files[f]);
        for (size_t t = 0; t < 2; t++) {
            json_t *transcript = transcript_of(root, t);
            struct replay_report report;
            changed += change_each(transcript, transcript, "transcript");
            assert_true(replay_transcript(transcript, &report));
        }
        json_decref(root);
    }
    assert_in_range(changed, 200, 1000);
}

/* A conversation without its last step, its last message to the device or one of its UTACKs is shorter, and all the
 * same right. */
static bool may_be_missing(const json_t *list, size_t index)
{
    static const char to_device[] = "gateway sends";
    const json_t *element = json_array_get(list, index);
    if (json_is_string(element) || json_array_size(list) == 1)
        return false;
    if (index + 1 == json_array_size(list))
        return true;
    const char *step = json_string_value(json_object_get(element, "do"));
    if (step == NULL || strcmp(step, to_device) != 0)
        return false;
    for (size_t later = index + 1; later < json_array_size(list); later++) {
        step = json_string_value(json_object_get(json_array_get(list, later), "do"));
        if (strcmp(step, to_device) == 0 || strcmp(step, "device pings") == 0)
            return false;
    }
    return true;
}

/* Every element of every list, and every member of every object, taken out and put back. */
static void remove_each(const json_t *transcript, json_t *value)
{
    if (json_is_object(value)) {
        json_t *copy = json_copy(value);
        const char *key;
        json_t *child;
        json_object_foreach(copy, key, child) {
            if (is_for_people(key))
                continue;
            json_object_del(value, key);
            assert_differs(transcript, key);
            json_object_set(value, key, child);
            remove_each(transcript, child);
        }
        json_decref(copy);
    }
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++) {
        json_t *child = json_incref(json_array_get(value, i));
        remove_each(transcript, child);
        bool is_needed = !may_be_missing(value, i);
        json_array_remove(value, i);
        if (is_needed)
            assert_differs(transcript, "a list");
        json_array_insert(value, i, child);
        json_decref(child);
    }
}

static void test_every_missing_value_is_noticed(void **state)
{
    (void)state;
    for (size_t f = 0; f < 2; f++) {
        json_t *root = load(files[f]);
        /* A list of UTACKs has no order: any of them may be missing. */
        json_t *transcript = transcript_of(root, 1);
        json_t *utacks = json_incref(json_object_get(transcript, "utacks"));
        if (utacks != NULL) {
            json_object_del(transcript, "utacks");
            assert_differs(transcript, "utacks");
            while (json_array_size(utacks) > 1)
                json_array_remove(utacks, 0);
            json_object_set_new(transcript, "utacks", utacks);
        }
        remove_each(transcript, transcript);
        struct replay_report report;
        assert_true(replay_transcript(transcript, &report));
        json_decref(root);
    }
}

/* Values of every wrong kind in every place: an answer each time, and no accident. */
static void misplace_each(const json_t *transcript, json_t *value)
{
    static const char *const wrongs[] = {
        "null", "true",   "17",   "-1",    "1.5",    "4294967296",        "[]",
        "{}",   "[null]", "\"\"", "\"0\"", "\"zz\"", "\"00 \\u0000 00\"", "[[[[\"00\"]]]]",
    };
    const char *key;
    json_t *child;
    json_t *copy = json_is_object(value) ? json_copy(value) : json_object();
    json_object_foreach(copy, key, child) {
        for (size_t w = 0; w < sizeof wrongs / sizeof *wrongs && !is_for_people(key); w++) {
            json_object_set_new(value, key, json_loads(wrongs[w], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
            bool is_right_all_the_same = json_equal(json_object_get(value, key), child) == 1;
            if (!is_right_all_the_same)
                assert_differs(transcript, key);
            json_object_set(value, key, child);
        }
        misplace_each(transcript, child);
    }
    json_decref(copy);
    for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++) {
        json_t *element = json_incref(json_array_get(value, i));
        for (size_t w = 0; w < sizeof wrongs / sizeof *wrongs; w++) {
            json_array_set_new(value, i, json_loads(wrongs[w], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL));
            assert_differs(transcript, "an element");
        }
        json_array_set(value, i, element);
        misplace_each(transcript, element);
        json_decref(element);
    }
}

static void test_values_of_a_wrong_kind(void **state)
{
    (void)state;
    json_t *root = load(files[1]);
    json_t *transcript = transcript_of(root, 1);
    misplace_each(transcript, transcript);
    struct replay_report report;
    assert_true(replay_transcript(transcript, &report));
    json_decref(root);
}

static void test_no_transcript_at_all(void **state)
{
    (void)state;
    json_t *empty = json_object();
    json_t *list = json_array();
    assert_differs(NULL, "all");
    assert_differs(empty, "all");
    assert_differs(list, "all");
    json_decref(list);
    json_decref(empty);
}

static json_t *step_of(json_t *transcript, const char *what)
{
    size_t index;
    json_t *step;
    json_array_foreach(json_object_get(transcript, "session"), index, step) {
        if (strcmp(json_string_value(json_object_get(step, "do")), what) == 0)
            return step;
    }
    fail_msg("there is no step \"%s\"", what);
    return NULL;
}

static void assert_says(const json_t *transcript, const char *words)
{
    struct replay_report report;
    assert_false(replay_transcript(transcript, &report));
    if (strstr(report.difference, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", report.difference, words);
}

/* The first difference is named with its place. */
static void test_differences_are_told(void **state)
{
    (void)state;
    json_t *root = load(files[1]);
    json_t *transcript = transcript_of(root, 1);
    json_t *bye = step_of(transcript, "device says bye");

    json_object_set_new(bye, "do", json_string("device sings"));
    assert_says(transcript, "session[11]: do is \"device sings\"");
    json_object_set_new(bye, "do", json_string("device pings"));
    assert_says(transcript, "session[11].frames[0]: the frame differs at byte 3: 08 is recorded, 06 was made");
    json_object_set_new(bye, "do", json_string("device says bye"));

    json_array_append(json_object_get(transcript, "session"), step_of(transcript, "device pings"));
    assert_says(transcript, "session[12]: the session has ended before");
    json_array_remove(json_object_get(transcript, "session"), 12);

    json_object_set_new(transcript, "wire_version", json_integer(3));
    assert_says(transcript, "there is no wire 3");
    json_object_set_new(transcript, "wire_version", json_integer(1));
    assert_says(transcript, "there is no session_key");
    json_object_set_new(transcript, "wire_version", json_integer(2));

    json_object_set_new(transcript, "psk", json_string("00"));
    assert_says(transcript, "handshake[2]: the frame differs at byte 10");
    json_decref(root);

    root = load(files[0]);
    transcript = transcript_of(root, 0);
    json_object_set_new(step_of(transcript, "device says bye"), "do", json_string("device rekeys"));
    assert_says(transcript, "wire 1 has no REKEY");
    json_decref(root);
}

static int set_up(void **state)
{
    (void)state;
    return usmp_start() == NULL ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_conversations_agree),   cmocka_unit_test(test_every_changed_value_is_noticed),
        cmocka_unit_test(test_every_missing_value_is_noticed), cmocka_unit_test(test_values_of_a_wrong_kind),
        cmocka_unit_test(test_no_transcript_at_all),           cmocka_unit_test(test_differences_are_told),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
