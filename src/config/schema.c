#include "config/schema.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "config/config.h"
#include "config/edit_distance.h"

static const struct config_choice udp_cookies[] = {
    {"auto", CONFIG_UDP_COOKIE_AUTO},
    {"always", CONFIG_UDP_COOKIE_ALWAYS},
    {NULL, 0},
};

static const struct config_choice secret_sources[] = {
    {"env", CONFIG_SECRET_ENVIRONMENT},
    {"file", CONFIG_SECRET_FILE},
    {"credential", CONFIG_SECRET_CREDENTIAL},
    {NULL, 0},
};

static const struct config_choice formats[] = {
    {"ndjson", CONFIG_FORMAT_NDJSON},
    {"cbor", CONFIG_FORMAT_CBOR},
    {NULL, 0},
};

static const struct config_choice payloads[] = {
    {"auto", CONFIG_PAYLOAD_AUTO},
    {"base64", CONFIG_PAYLOAD_BASE64},
    {NULL, 0},
};

static const struct config_choice deliveries[] = {
    {"live", CONFIG_DELIVERY_LIVE},
    {"acknowledged", CONFIG_DELIVERY_ACKNOWLEDGED},
    {NULL, 0},
};

static const struct config_choice answers_when_full[] = {
    {"block", CONFIG_WHEN_FULL_BLOCK},
    {"drop_oldest", CONFIG_WHEN_FULL_DROP_OLDEST},
    {NULL, 0},
};

static const struct config_choice log_levels[] = {
    {"error", LOG_LEVEL_ERROR},
    {"warn", LOG_LEVEL_WARN},
    {"info", LOG_LEVEL_INFO},
    {"debug", LOG_LEVEL_DEBUG},
    {NULL, 0},
};

static const struct config_choice log_formats[] = {
    {"auto", LOG_FORMAT_AUTO},
    {"text", LOG_FORMAT_TEXT},
    {"json", LOG_FORMAT_JSON},
    {"journal", LOG_FORMAT_JOURNAL},
    {NULL, 0},
};

static const struct config_choice sandboxes[] = {
    {"auto", CONFIG_SANDBOX_AUTO},
    {"off", CONFIG_SANDBOX_OFF},
    {NULL, 0},
};

/* Ten years: nobody means more, and no sum of two comes near the end of a 64-bit clock. */
#define LONGEST_DURATION (3650ull * 86400 * 1000000)
#define LARGEST_QUEUE (1024ull << 30)
#define LONGEST_SOCKET_PATH (sizeof((struct sockaddr_un *)0)->sun_path - 1)
#define LONGEST_PATH (PATH_MAX - 1)
#define LONGEST_GROUP 255u

#define NOW CONFIG_EFFECT_NOW
#define NEW_SESSIONS CONFIG_EFFECT_NEW_SESSIONS
#define NEXT_START CONFIG_EFFECT_NEXT_START

#define KEY(name_, type_, effect_, availability_, member_, least_, most_, standard_, choices_)                         \
    {                                                                                                                  \
        .name = (name_), .type = CONFIG_TYPE_##type_, .effect = (effect_), .availability = CONFIG_##availability_,     \
        .offset = offsetof(struct config, member_), .least = (least_), .most = (most_), .standard = (standard_),       \
        .choices = (choices_)                                                                                          \
    }
#define BACKEND_KEY(name_, type_, availability_, least_, most_, standard_, choices_)                                   \
    {                                                                                                                  \
        .name = CONFIG_BACKEND_PREFIX #name_, .type = CONFIG_TYPE_##type_, .effect = NEXT_START,                       \
        .availability = CONFIG_##availability_, .offset = offsetof(struct config_backend, name_), .least = (least_),   \
        .most = (most_), .standard = (standard_), .choices = (choices_)                                                \
    }

/* clang-format off: one key a line, as far as lines go. */
const struct config_key config_schema[] = {
    KEY("listen.tcp", ADDRESSES, NEXT_START, AVAILABLE, listen.tcp, 0, CONFIG_LISTEN_MAX, "[::]:9000", NULL),
    KEY("listen.udp", ADDRESSES, NEXT_START, AVAILABLE, listen.udp, 0, CONFIG_LISTEN_MAX, "[::]:9000", NULL),
    KEY("workers", WORKERS, NEXT_START, IGNORED, workers, 1, CONFIG_COUNT_MAX, "1", NULL),

    KEY("wire.versions", VERSIONS, NEW_SESSIONS, AVAILABLE, wire.versions, 1, 2, "1 2", NULL),
    KEY("wire.v1_downlink", BOOLEAN, NEW_SESSIONS, AVAILABLE, wire.v1_downlink, 0, 1, "false", NULL),
    KEY("wire.udp_cookie", CHOICE, NEW_SESSIONS, AVAILABLE, wire.udp_cookie, 0, 0, "auto", udp_cookies),

    KEY("handshake_timeout", DURATION, NOW, AVAILABLE, handshake_timeout, CONFIG_DURATION_MIN, LONGEST_DURATION, "10s",
        NULL),
    KEY("session_timeout", DURATION, NOW, AVAILABLE, session_timeout, 0, LONGEST_DURATION, "60s", NULL),
    KEY("shutdown_timeout", DURATION, NOW, AVAILABLE, shutdown_timeout, CONFIG_DURATION_MIN, LONGEST_DURATION, "5s",
        NULL),

    KEY("psk.registry", PATHS, NOW, AVAILABLE, psk.registry, 0, CONFIG_REGISTRY_FILES_MAX, "devices.yaml", NULL),
    /* config/reload.c: from the environment or a credential they change at the next start. */
    KEY("psk.master_secret", SECRET, NOW, AVAILABLE, psk.master_secret, 0, 0, "", secret_sources),
    KEY("psk.previous_master_secret", SECRET, NOW, AVAILABLE, psk.previous_master_secret, 0, 0, "", secret_sources),
    KEY("psk.allow_development_psk", BOOLEAN, NOW, AVAILABLE, psk.allow_development_psk, 0, 1, "false", NULL),
    KEY("psk.insecure_permissions", BOOLEAN, NOW, AVAILABLE, psk.insecure_permissions, 0, 1, "false", NULL),
    KEY("psk.require_locked_memory", BOOLEAN, NOW, AVAILABLE, psk.require_locked_memory, 0, 1, "false", NULL),

    KEY("limits.sessions", COUNT, NOW, AVAILABLE, limits.sessions, 1, CONFIG_COUNT_MAX, "100000", NULL),
    KEY("limits.sessions_per_ip", COUNT, NOW, AVAILABLE, limits.sessions_per_ip, 0, CONFIG_COUNT_MAX, "0", NULL),
    KEY("limits.default_psk_sessions", COUNT, NOW, AVAILABLE, limits.default_psk_sessions, 1, CONFIG_COUNT_MAX, "1000",
        NULL),
    KEY("limits.handshakes", COUNT, NOW, AVAILABLE, limits.handshakes, 1, CONFIG_COUNT_MAX, "1024", NULL),
    KEY("limits.handshakes_per_ip", COUNT, NOW, AVAILABLE, limits.handshakes_per_ip, 0, CONFIG_COUNT_MAX, "3", NULL),
    KEY("limits.lockout_after", COUNT, NOW, AVAILABLE, limits.lockout_after, 0, CONFIG_COUNT_MAX, "5", NULL),
    KEY("limits.lockout", DURATION, NOW, AVAILABLE, limits.lockout, CONFIG_DURATION_MIN, LONGEST_DURATION, "60s", NULL),
    KEY("limits.trusted", PREFIXES, NOW, AVAILABLE, limits.trusted, 0, CONFIG_TRUSTED_MAX, "", NULL),

    KEY("backends", BACKENDS, NEXT_START, AVAILABLE, backends, 1, CONFIG_BACKENDS_MAX, "", NULL),
    BACKEND_KEY(name, NAME, AVAILABLE, 1, CONFIG_BACKEND_NAME_MAX, "default", NULL),
    BACKEND_KEY(socket, PATH, AVAILABLE, 1, LONGEST_SOCKET_PATH, "/run/usmpd/backend.sock", NULL),
    BACKEND_KEY(mode, MODE, AVAILABLE, 0, 0, "0660", NULL),
    BACKEND_KEY(group, TEXT, AVAILABLE, 0, LONGEST_GROUP, "", NULL),
    BACKEND_KEY(format, CHOICE, REFUSED, 0, 0, "ndjson", formats),
    BACKEND_KEY(payload, CHOICE, AVAILABLE, 0, 0, "auto", payloads),
    BACKEND_KEY(delivery, CHOICE, REFUSED, 0, 0, "live", deliveries),
    BACKEND_KEY(queue, SIZE, AVAILABLE, CONFIG_QUEUE_MIN, LARGEST_QUEUE, "64MiB", NULL),
    BACKEND_KEY(when_full, CHOICE, AVAILABLE, 0, 0, "block", answers_when_full),
    BACKEND_KEY(devices, PATTERNS, AVAILABLE, 0, CONFIG_PATTERNS_MAX, "*", NULL),
    BACKEND_KEY(commands, BOOLEAN, AVAILABLE, 0, 1, "true", NULL),

    KEY("spool.path", PATH, NEXT_START, REFUSED, spool.path, 0, LONGEST_PATH, "", NULL),
    KEY("control.socket", PATH, NEXT_START, IGNORED, control.socket, 1, LONGEST_SOCKET_PATH, "/run/usmpd/control.sock",
        NULL),
    KEY("control.mode", MODE, NEXT_START, IGNORED, control.mode, 0, 0, "0600", NULL),
    KEY("metrics.listen", ADDRESS, NEXT_START, IGNORED, metrics.listen, 0, 1, "", NULL),
    KEY("log.level", CHOICE, NOW, AVAILABLE, log.level, 0, 0, "info", log_levels),
    KEY("log.format", CHOICE, NOW, AVAILABLE, log.format, 0, 0, "auto", log_formats),
    KEY("sandbox", CHOICE, NEXT_START, AVAILABLE, sandbox, 0, 0, "auto", sandboxes),
};
/* clang-format on */

const size_t config_schema_size = sizeof config_schema / sizeof config_schema[0];

const struct config_key *config_schema_find(const char *name)
{
    for (size_t i = 0; i < config_schema_size; i++) {
        if (strcmp(config_schema[i].name, name) == 0) {
            return &config_schema[i];
        }
    }
    return NULL;
}

bool config_schema_is_section(const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < config_schema_size; i++) {
        if (strncmp(config_schema[i].name, name, length) == 0 && config_schema[i].name[length] == '.') {
            return true;
        }
    }
    return false;
}

bool config_schema_belongs(const struct config_key *key, const char *prefix)
{
    size_t length = strlen(prefix);
    if (strncmp(key->name, prefix, length) != 0) {
        return false;
    }
    return strstr(key->name + length, CONFIG_BACKEND_PREFIX) == NULL;
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot == NULL ? name : dot + 1;
}

/* Two slips in a long word, one in a short one. */
static bool is_near(const char *one, const char *other)
{
    size_t length = strlen(other);
    return config_edit_distance(one, other) <= (length > 4 ? 2u : 1u);
}

/* A name of the table cut after the part that follows `prefix_length` bytes: a key or a section. */
static void cut_after_part(const char *name, size_t prefix_length, char part[CONFIG_NAME_MAX])
{
    size_t length = prefix_length + strcspn(name + prefix_length, ".");
    memcpy(part, name, length);
    part[length] = '\0';
}

const char *config_schema_suggest(const char *name, char suggestion[CONFIG_NAME_MAX])
{
    const char *last = last_part(name);
    size_t prefix_length = (size_t)(last - name);
    for (size_t i = 0; i < config_schema_size; i++) {
        if (strncmp(config_schema[i].name, name, prefix_length) == 0) {
            cut_after_part(config_schema[i].name, prefix_length, suggestion);
            if (is_near(last, suggestion + prefix_length)) {
                return suggestion;
            }
        }
    }
    /* Right, but in the wrong place. */
    for (size_t i = 0; i < config_schema_size; i++) {
        if (strcmp(last_part(config_schema[i].name), last) == 0) {
            snprintf(suggestion, CONFIG_NAME_MAX, "%s", config_schema[i].name);
            return suggestion;
        }
    }
    return NULL;
}

size_t config_type_size(enum config_type type)
{
    static const size_t sizes[] = {
        [CONFIG_TYPE_COUNT] = sizeof(uint32_t),
        [CONFIG_TYPE_WORKERS] = sizeof(uint32_t),
        [CONFIG_TYPE_DURATION] = sizeof(uint64_t),
        [CONFIG_TYPE_SIZE] = sizeof(uint64_t),
        [CONFIG_TYPE_MODE] = sizeof(mode_t),
        [CONFIG_TYPE_BOOLEAN] = sizeof(bool),
        [CONFIG_TYPE_CHOICE] = sizeof(unsigned),
        [CONFIG_TYPE_TEXT] = sizeof(const char *),
        [CONFIG_TYPE_NAME] = sizeof(const char *),
        [CONFIG_TYPE_PATH] = sizeof(const char *),
        [CONFIG_TYPE_PATHS] = sizeof(struct config_paths),
        [CONFIG_TYPE_ADDRESS] = sizeof(struct config_address_list),
        [CONFIG_TYPE_ADDRESSES] = sizeof(struct config_address_list),
        [CONFIG_TYPE_VERSIONS] = sizeof(uint8_t),
        [CONFIG_TYPE_PREFIXES] = sizeof(struct config_prefixes),
        [CONFIG_TYPE_PATTERNS] = sizeof(struct config_patterns),
        [CONFIG_TYPE_SECRET] = sizeof(struct config_secret),
        [CONFIG_TYPE_BACKENDS] = sizeof(struct config_backends),
    };
    return sizes[type];
}
