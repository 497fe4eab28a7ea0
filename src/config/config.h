/* The configuration of usmpd as plain values (conf/usmpd.yaml explains every key).
 *
 * Immutable once loaded: parts hold a pointer to it and read. Every text, list and secret in it belongs to it and lives
 * until config_free. Durations are in microseconds, sizes in bytes. What a reload does with each key is in
 * config/schema.c; config/reload.h makes the configuration that follows on a running one.
 *
 * Every list has a bound, stated here. No limit is checked against another one.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "config/device_pattern.h"
#include "config/diagnostics.h"
#include "platform/address.h"
#include "platform/address_prefix.h"
#include "platform/log.h"

#define CONFIG_LISTEN_MAX 16u /* addresses of each transport */
#define CONFIG_REGISTRY_FILES_MAX 64u
#define CONFIG_TRUSTED_MAX 256u
#define CONFIG_BACKENDS_MAX 32u
#define CONFIG_PATTERNS_MAX 256u       /* of each backend */
#define CONFIG_BACKEND_NAME_MAX 64u    /* bytes */
#define CONFIG_SECRET_MAX 4096u        /* bytes of a master secret */
#define CONFIG_COUNT_MAX 2147483647u   /* of every count */
#define CONFIG_DURATION_MIN 100000u    /* microseconds: 100 ms, of every duration that is not off */
#define CONFIG_QUEUE_MIN (64ull << 10) /* bytes */

#define CONFIG_WORKERS_AUTO 0u

#define CONFIG_WIRE_BIT(wire) (1u << ((wire)-1u)) /* wire 1 or 2 */

struct config_address {
    struct address address;
    struct sockaddr_storage socket_address; /* the same for bind(), `length` bytes of it */
    socklen_t length;
    bool wildcard; /* [::]: serves IPv4 too, and falls back to 0.0.0.0 where there is no IPv6 */
};

struct config_address_list {
    const struct config_address *items;
    size_t count; /* 0: the transport is off */
};

struct config_listen {
    struct config_address_list tcp;
    struct config_address_list udp;
};

enum config_udp_cookie {
    CONFIG_UDP_COOKIE_AUTO, /* docs/security.md rule 10 */
    CONFIG_UDP_COOKIE_ALWAYS,
};

struct config_wire {
    uint8_t versions; /* CONFIG_WIRE_BIT of each that is accepted; never 0 */
    bool v1_downlink; /* docs/security.md rule 21 */
    enum config_udp_cookie udp_cookie;
};

enum config_secret_kind {
    CONFIG_SECRET_NONE,
    CONFIG_SECRET_ENVIRONMENT,
    CONFIG_SECRET_FILE,
    CONFIG_SECRET_CREDENTIAL,
};

/* A master secret and where it came from. Whether it is a good one is for the registry to say. */
struct config_secret {
    enum config_secret_kind kind;
    const char *name;               /* of the variable, file or credential; NULL for none */
    struct diagnostics_place place; /* where the source is named, for messages about the secret */
    const uint8_t *bytes;           /* in secret memory; NULL for none */
    size_t length;                  /* may be 0 with a kind: set, but empty */
};

struct config_paths {
    const char *const *items;
    size_t count;
};

struct config_psk {
    struct config_paths registry; /* count 0: there is no registry file */
    struct config_secret master_secret;
    struct config_secret previous_master_secret;
    bool allow_development_psk;
    bool insecure_permissions;
    bool require_locked_memory;
};

struct config_prefixes {
    const struct address_prefix *items;
    size_t count;
};

struct config_limits {
    uint32_t sessions;
    uint32_t sessions_per_ip; /* 0: no limit */
    uint32_t default_psk_sessions;
    uint32_t handshakes;
    uint32_t handshakes_per_ip; /* 0: no limit */
    uint32_t lockout_after;     /* 0: never */
    uint64_t lockout;
    struct config_prefixes trusted;
};

enum config_format {
    CONFIG_FORMAT_NDJSON,
    CONFIG_FORMAT_CBOR,
};

enum config_payload {
    CONFIG_PAYLOAD_AUTO,
    CONFIG_PAYLOAD_BASE64,
};

enum config_delivery {
    CONFIG_DELIVERY_LIVE,
    CONFIG_DELIVERY_ACKNOWLEDGED,
};

enum config_when_full {
    CONFIG_WHEN_FULL_BLOCK,
    CONFIG_WHEN_FULL_DROP_OLDEST,
};

struct config_patterns {
    const struct config_pattern *items;
    size_t count;
};

struct config_backend {
    const char *name;   /* letters, digits, '_', '.', '-'; unique */
    const char *socket; /* path, unique; fits into sockaddr_un */
    mode_t mode;
    const char *group; /* "": leave it */
    enum config_format format;
    enum config_payload payload;
    enum config_delivery delivery;
    uint64_t queue;
    enum config_when_full when_full;
    struct config_patterns devices;
    bool commands;
    struct diagnostics_place place; /* in the file; the file as a whole for the one that is there by default */
};

struct config_backends {
    const struct config_backend *items;
    size_t count; /* never 0 */
};

struct config_spool {
    const char *path; /* "": queues in memory */
};

struct config_control {
    const char *socket;
    mode_t mode;
};

struct config_metrics {
    struct config_address_list listen; /* at most one; none: off */
};

struct config_log {
    enum log_level level;
    enum log_format format;
};

enum config_sandbox {
    CONFIG_SANDBOX_AUTO,
    CONFIG_SANDBOX_OFF,
};

struct config_memory;

struct config {
    const char *file; /* as it was given to config_load */
    struct config_listen listen;
    uint32_t workers; /* CONFIG_WORKERS_AUTO, or how many */
    struct config_wire wire;
    uint64_t handshake_timeout;
    uint64_t session_timeout; /* 0: off */
    uint64_t shutdown_timeout;
    struct config_psk psk;
    struct config_limits limits;
    struct config_backends backends;
    struct config_spool spool;
    struct config_control control;
    struct config_metrics metrics;
    struct config_log log;
    enum config_sandbox sandbox;
    struct config_memory *memory; /* what all of the above points into */
};

/* Reads and checks a file, secrets included. NULL after adding at least one error; every mistake in the file is added,
 * with its place. Warnings are added for what is dangerous (wire.v1_downlink, psk.allow_development_psk), may leave
 * devices without a backend, or has no effect in this version. */
struct config *config_load(const char *path, struct diagnostics *diagnostics) __attribute__((warn_unused_result));

/* For `--check`: like config_load, but also gives the configuration when there are errors, with defaults or nothing in
 * the place of what is wrong (a text may be NULL, a list of paths empty, a secret none), so that the registry
 * can be looked at in the same run. NULL when nothing could be read. Nothing may run with it unless diagnostics_errors
 * is 0. */
struct config *config_examine(const char *path, struct diagnostics *diagnostics) __attribute__((warn_unused_result));

/* Wipes and frees; NULL is allowed. */
void config_free(struct config *config);

/* Asks the system about what a configuration names: groups that do not exist are errors, folders of sockets that are
 * absent or not writable for this user are warnings. For start and `--check`, before the system-call filter closes. */
void config_check_system(const struct config *config, struct diagnostics *diagnostics);

/* Overwrites the environment variables that master secrets were read from (docs/security.md rule 5). Only after the
 * last config_load of this process; config_reload takes such a secret from the running configuration. Not while other
 * threads use the environment. */
void config_forget_environment(const struct config *config);

/* Whether traffic of a device belongs to a backend. */
bool config_backend_serves(const struct config_backend *backend, const uint8_t device[CONFIG_DEVICE_ID_SIZE]);

#endif
