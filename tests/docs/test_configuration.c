/* docs/configuration.md has a row for every key of the schema, and what it says there is what the schema says. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "config/schema.h"
#include "config/units.h"

enum column {
    COLUMN_KEY,
    COLUMN_VALUE,
    COLUMN_DEFAULT,
    COLUMN_RELOAD,
    COLUMN_TEXT,
    COLUMNS,
};

struct row {
    char line[2048];
    char *cells[COLUMNS];
};

#define ROWS_MAX 100u

static struct row rows[ROWS_MAX];
static size_t row_count;

/* "| a | b |" in place. False: not as many cells as a row of keys has. */
static bool split(struct row *row)
{
    char *at = row->line;
    for (size_t i = 0; i < COLUMNS; i++) {
        if (strncmp(at, "| ", 2) != 0) {
            return false;
        }
        row->cells[i] = at + 2;
        at = strstr(at + 1, " |");
        if (at == NULL) {
            return false;
        }
        *at++ = '\0';
    }
    return strcmp(at, "|\n") == 0;
}

static int read_rows(void **state)
{
    (void)state;
    FILE *page = fopen(USMPD_PAGE, "r");
    assert_non_null(page);
    while (row_count < ROWS_MAX && fgets(rows[row_count].line, sizeof rows[row_count].line, page) != NULL) {
        if (strncmp(rows[row_count].line, "| `", 3) == 0 && split(&rows[row_count])) {
            row_count++;
        }
    }
    assert_true(feof(page));
    fclose(page);
    return 0;
}

static bool is_row_of(const struct row *row, const char *name)
{
    size_t length = strlen(name);
    const char *cell = row->cells[COLUMN_KEY];
    return cell[0] == '`' && strncmp(cell + 1, name, length) == 0 && strcmp(cell + 1 + length, "`") == 0;
}

static const struct row *row_of(const struct config_key *key)
{
    const struct row *found = NULL;
    for (size_t i = 0; i < row_count; i++) {
        if (is_row_of(&rows[i], key->name)) {
            if (found != NULL) {
                fail_msg("%s is described twice", key->name);
            }
            found = &rows[i];
        }
    }
    if (found == NULL) {
        fail_msg("%s is not described", key->name);
    }
    return found;
}

static void assert_has(const struct config_key *key, const char *cell, const char *text)
{
    if (strstr(cell, text) == NULL) {
        fail_msg("%s: \"%s\" is missing in \"%s\"", key->name, text, cell);
    }
}

static void every_key_has_a_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_schema_size; i++) {
        (void)row_of(&config_schema[i]);
    }
}

static void every_row_is_of_a_key(void **state)
{
    (void)state;
    assert_int_equal(row_count, config_schema_size);
}

static void values_are_those_of_the_schema(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        const char *cell = row_of(key)->cells[COLUMN_VALUE];
        char text[64];
        switch (key->type) {
        case CONFIG_TYPE_COUNT:
        case CONFIG_TYPE_WORKERS:
            snprintf(text, sizeof text, "%" PRIu64 " to %" PRIu64, key->least, key->most);
            assert_has(key, cell, text);
            break;
        case CONFIG_TYPE_DURATION:
            assert_string_equal(cell, key->least == 0 ? "duration, or 0" : "duration");
            break;
        case CONFIG_TYPE_SIZE:
            config_units_format_size(key->least, text);
            assert_has(key, cell, text);
            config_units_format_size(key->most, text);
            assert_has(key, cell, text);
            break;
        case CONFIG_TYPE_BOOLEAN:
            assert_string_equal(cell, "`true`, `false`");
            break;
        case CONFIG_TYPE_ADDRESSES:
        case CONFIG_TYPE_PATHS:
        case CONFIG_TYPE_PREFIXES:
        case CONFIG_TYPE_PATTERNS:
        case CONFIG_TYPE_BACKENDS:
            snprintf(text, sizeof text, "%" PRIu64, key->most);
            assert_has(key, cell, text);
            break;
        default:
            break;
        }
        for (const struct config_choice *choice = key->choices; choice != NULL && choice->name != NULL; choice++) {
            snprintf(text, sizeof text, "`%s`", choice->name);
            assert_has(key, cell, text);
        }
    }
}

static bool stands_for_nothing(const char *cell)
{
    static const char *const WORDS[] = {"`\"\"`", "`[]`", "`{}`", "none", "one, with the defaults below"};
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (strcmp(cell, WORDS[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void defaults_are_those_of_the_schema(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        const char *cell = row_of(key)->cells[COLUMN_DEFAULT];
        if (key->standard[0] == '\0') {
            if (!stands_for_nothing(cell)) {
                fail_msg("%s has no default, the page says %s", key->name, cell);
            }
            continue;
        }
        char *words = strdup(key->standard);
        assert_non_null(words);
        char *rest = NULL;
        for (char *word = strtok_r(words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
            assert_has(key, cell, word);
        }
        free(words);
    }
}

static void effects_are_those_of_the_schema(void **state)
{
    (void)state;
    static const char *const WORDS[] = {
        [CONFIG_EFFECT_NOW] = "at once",
        [CONFIG_EFFECT_NEW_SESSIONS] = "new sessions",
        [CONFIG_EFFECT_NEXT_START] = "restart",
    };
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        assert_string_equal(row_of(key)->cells[COLUMN_RELOAD], WORDS[key->effect]);
    }
}

static void what_this_version_cannot_do_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_schema_size; i++) {
        const struct config_key *key = &config_schema[i];
        const char *text = row_of(key)->cells[COLUMN_TEXT];
        bool refused = strcasestr(text, "refused in this version") != NULL;
        bool ignored = strcasestr(text, "ignored in this version") != NULL;
        if (refused != (key->availability == CONFIG_REFUSED) || ignored != (key->availability == CONFIG_IGNORED)) {
            fail_msg("%s: its row says something else about this version", key->name);
        }
    }
}

/* ".It Cm a , b" names both. */
static void every_key_is_in_the_manual(void **state)
{
    (void)state;
    bool named[256] = {false};
    assert_true(config_schema_size <= sizeof named / sizeof named[0]);
    FILE *manual = fopen(USMPD_MANUAL, "r");
    assert_non_null(manual);
    char line[512];
    while (fgets(line, sizeof line, manual) != NULL) {
        if (strncmp(line, ".It Cm ", 7) != 0) {
            continue;
        }
        char *rest = NULL;
        for (char *word = strtok_r(line + 7, " ,\n", &rest); word != NULL; word = strtok_r(NULL, " ,\n", &rest)) {
            for (size_t i = 0; i < config_schema_size; i++) {
                const char *name = config_schema[i].name;
                size_t prefix = strlen(CONFIG_BACKEND_PREFIX);
                name += strncmp(name, CONFIG_BACKEND_PREFIX, prefix) == 0 ? prefix : 0;
                named[i] = named[i] || strcmp(name, word) == 0;
            }
        }
    }
    fclose(manual);
    for (size_t i = 0; i < config_schema_size; i++) {
        if (!named[i] && config_schema[i].type != CONFIG_TYPE_BACKENDS) {
            fail_msg("%s is not in the manual", config_schema[i].name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_has_a_row),
        cmocka_unit_test(every_row_is_of_a_key),
        cmocka_unit_test(values_are_those_of_the_schema),
        cmocka_unit_test(defaults_are_those_of_the_schema),
        cmocka_unit_test(effects_are_those_of_the_schema),
        cmocka_unit_test(what_this_version_cannot_do_is_said),
        cmocka_unit_test(every_key_is_in_the_manual),
    };
    return cmocka_run_group_tests(tests, read_rows, NULL);
}
