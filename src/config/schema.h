/* Every key of the configuration in one table: what it is called, what it may be, what it is by default, what a reload
 * does with a change of it, and whether this version can do it. Reading, defaults, unknown keys, messages and reload
 * all go by this table; so does the test that the example configuration is complete.
 *
 * Sections ("limits") are not keys of their own: they are what stands before the dots of names. The keys of one backend
 * are named "backends[].…".
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_type {
    CONFIG_TYPE_COUNT,     /* uint32_t, `least` to `most` */
    CONFIG_TYPE_WORKERS,   /* the same, or auto: CONFIG_WORKERS_AUTO */
    CONFIG_TYPE_DURATION,  /* uint64_t, CONFIG_DURATION_MIN to `most`; 0 too if that is `least` */
    CONFIG_TYPE_SIZE,      /* uint64_t, `least` to `most` */
    CONFIG_TYPE_MODE,      /* mode_t */
    CONFIG_TYPE_BOOLEAN,   /* bool */
    CONFIG_TYPE_CHOICE,    /* an enum, one of `choices` */
    CONFIG_TYPE_TEXT,      /* const char *, `least` to `most` bytes */
    CONFIG_TYPE_NAME,      /* the same, of letters, digits, '_', '.' and '-' */
    CONFIG_TYPE_PATH,      /* the same, relative to the folder of the file; "" stays "" */
    CONFIG_TYPE_PATHS,     /* struct config_paths, one or a list of `least` to `most` */
    CONFIG_TYPE_ADDRESS,   /* struct config_address_list of one, none for "" */
    CONFIG_TYPE_ADDRESSES, /* struct config_address_list, `least` to `most` */
    CONFIG_TYPE_VERSIONS,  /* uint8_t, CONFIG_WIRE_BIT of each */
    CONFIG_TYPE_PREFIXES,  /* struct config_prefixes, `least` to `most` */
    CONFIG_TYPE_PATTERNS,  /* struct config_patterns, `least` to `most` */
    CONFIG_TYPE_SECRET,    /* struct config_secret; one of `choices` is the key below it */
    CONFIG_TYPE_BACKENDS,  /* struct config_backends, `least` to `most` of the keys "backends[].…" */
};

/* What a reload does with a change. */
enum config_effect {
    CONFIG_EFFECT_NOW,
    CONFIG_EFFECT_NEW_SESSIONS,
    CONFIG_EFFECT_NEXT_START, /* the running value stays */
};

#define CONFIG_EFFECTS 3u

/* Whether this version does what another value than the default asks for. Every value is checked all the same. */
enum config_availability {
    CONFIG_AVAILABLE,
    CONFIG_IGNORED, /* accepted with a warning: to leave it out hurts nobody */
    CONFIG_REFUSED, /* an error: it promises something that would not be kept */
};

struct config_choice {
    const char *name; /* NULL ends a list of choices */
    unsigned value;
};

struct config_key {
    const char *name;
    enum config_type type;
    enum config_effect effect;
    enum config_availability availability;
    size_t offset; /* of its value in struct config, or in struct config_backend */
    uint64_t least;
    uint64_t most;
    const char *standard; /* the default as one would write it; the items of a list with a space between them */
    const struct config_choice *choices;
};

#define CONFIG_BACKEND_PREFIX "backends[]."

extern const struct config_key config_schema[];
extern const size_t config_schema_size;

/* The key of that name, or NULL. */
const struct config_key *config_schema_find(const char *name);

/* Whether `name` is a section: something that keys stand below. */
bool config_schema_is_section(const char *name);

/* Whether a key stands in what `prefix` names ("", "limits.", "backends[].") or in a section of that. */
bool config_schema_belongs(const struct config_key *key, const char *prefix);

/* What may have been meant by a `name` that is no key (both with their prefixes): a name in the table, a section's
 * too, or NULL. `suggestion` has room for CONFIG_NAME_MAX bytes. */
#define CONFIG_NAME_MAX 64u
const char *config_schema_suggest(const char *name, char suggestion[CONFIG_NAME_MAX]);

/* How many bytes a value of a type takes. */
size_t config_type_size(enum config_type type);

#endif
