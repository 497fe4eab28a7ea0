#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/edit_distance.h"
#include "config/schema.h"

static void names_are_unique_and_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_schema_size; i++) {
        assert_true(strlen(config_schema[i].name) < CONFIG_NAME_MAX - sizeof "backends[31]");
        assert_ptr_equal(config_schema_find(config_schema[i].name), &config_schema[i]);
    }
    assert_null(config_schema_find("limits"));
    assert_null(config_schema_find(""));
    assert_null(config_schema_find("limits.session"));
}

static void values_lie_within_their_struct(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        bool of_backend = config_schema_belongs(key, CONFIG_BACKEND_PREFIX);
        assert_int_not_equal(of_backend, config_schema_belongs(key, ""));
        size_t size = of_backend ? sizeof(struct config_backend) : sizeof(struct config);
        assert_true(config_type_size(key->type) > 0);
        assert_true(key->offset + config_type_size(key->type) <= size);
        assert_true(key->least <= key->most);
        bool has_choices = key->type == CONFIG_TYPE_CHOICE || key->type == CONFIG_TYPE_SECRET;
        assert_int_equal(has_choices, key->choices != NULL);
    }
}

static void sections_are_what_stands_before_dots(void **state)
{
    (void)state;
    static const char *const sections[] = {"listen",  "wire",    "psk", "limits",    "spool",
                                           "control", "metrics", "log", "backends[]"};
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        assert_true(config_schema_is_section(sections[i]));
    }
    static const char *const others[] = {"", "lim", "limits.", "limits.sessions", "workers", "backends", "devices"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(config_schema_is_section(others[i]));
    }
}

static void assert_suggestion(const char *name, const char *expected)
{
    char suggestion[CONFIG_NAME_MAX];
    const char *found = config_schema_suggest(name, suggestion);
    if (expected == NULL) {
        assert_null(found);
    } else {
        assert_non_null(found);
        assert_string_equal(found, expected);
    }
}

static void nearest_names_are_suggested(void **state)
{
    (void)state;
    assert_suggestion("limits.sesions", "limits.sessions");
    assert_suggestion("limits.session_per_ip", "limits.sessions_per_ip");
    assert_suggestion("limits.lockuot", "limits.lockout");
    assert_suggestion("wire.version", "wire.versions");
    assert_suggestion("worker", "workers");
    assert_suggestion("limit", "limits");
    assert_suggestion("backend", "backends");
    assert_suggestion("backends[].sokcet", "backends[].socket");
    assert_suggestion("pks", "psk");
    assert_suggestion("lgo", "log");
    assert_suggestion("log.levels", "log.level");
}

static void right_names_in_the_wrong_place_are_suggested(void **state)
{
    (void)state;
    assert_suggestion("sessions", "limits.sessions");
    assert_suggestion("limits.session_timeout", "session_timeout");
    assert_suggestion("registry", "psk.registry");
    assert_suggestion("queue", "backends[].queue");
}

static void nothing_near_is_suggested_by_force(void **state)
{
    (void)state;
    assert_suggestion("color", NULL);
    assert_suggestion("limits.x", NULL);
    assert_suggestion("abc", NULL);
    assert_suggestion("", NULL);
    assert_suggestion("limits.a_name_that_is_much_longer_than_any_key_has_ever_been", NULL);
}

static void edit_distance_counts_slips(void **state)
{
    (void)state;
    assert_int_equal(config_edit_distance("", ""), 0);
    assert_int_equal(config_edit_distance("queue", "queue"), 0);
    assert_int_equal(config_edit_distance("", "abc"), 3);
    assert_int_equal(config_edit_distance("abc", ""), 3);
    assert_int_equal(config_edit_distance("queue", "quue"), 1);
    assert_int_equal(config_edit_distance("queue", "queeue"), 1);
    assert_int_equal(config_edit_distance("queue", "quexe"), 1);
    assert_int_equal(config_edit_distance("queue", "quuee"), 1);
    assert_int_equal(config_edit_distance("kitten", "sitting"), 3);
    char longest[CONFIG_EDIT_DISTANCE_LONGEST + 2];
    memset(longest, 'a', sizeof longest);
    longest[CONFIG_EDIT_DISTANCE_LONGEST + 1] = '\0';
    assert_true(config_edit_distance(longest, "a") == UINT32_MAX);
    assert_true(config_edit_distance("a", longest) == UINT32_MAX);
    longest[CONFIG_EDIT_DISTANCE_LONGEST] = '\0';
    assert_int_equal(config_edit_distance(longest, "a"), CONFIG_EDIT_DISTANCE_LONGEST - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_and_short),
        cmocka_unit_test(values_lie_within_their_struct),
        cmocka_unit_test(sections_are_what_stands_before_dots),
        cmocka_unit_test(nearest_names_are_suggested),
        cmocka_unit_test(right_names_in_the_wrong_place_are_suggested),
        cmocka_unit_test(nothing_near_is_suggested_by_force),
        cmocka_unit_test(edit_distance_counts_slips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
