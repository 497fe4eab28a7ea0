#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config/load.h"

/* Adds "path: message" at the node of `path`, or as near to it as the file has one. */
__attribute__((format(printf, 4, 5))) static void
report(struct config_reading *reading, enum diagnostics_severity severity, const char *path, const char *format, ...)
{
    char message[DIAGNOSTICS_TEXT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    struct diagnostics_place place = config_reading_place(reading, config_reading_find(reading, path));
    diagnostics_add(reading->diagnostics, severity, place, "%s: %s", path, message);
}

static bool is_any(const struct address *address)
{
    static const uint8_t zeros[16];
    size_t from = address_is_ipv4(address) ? 12 : 0;
    return memcmp(address->bytes + from, zeros + from, sizeof zeros - from) == 0;
}

/* Whether the kernel would let a socket listen on both. */
static bool exclude_each_other(const struct config_address *one, const struct config_address *other)
{
    if (one->address.port != other->address.port || one->address.port == 0) {
        return false;
    }
    if (one->wildcard || other->wildcard || address_same_host(&one->address, &other->address)) {
        return true;
    }
    bool same_family = address_is_ipv4(&one->address) == address_is_ipv4(&other->address);
    return same_family && (is_any(&one->address) || is_any(&other->address));
}

static void check_addresses(struct config_reading *reading, const struct config_address_list *list, const char *name)
{
    for (size_t i = 1; i < list->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (exclude_each_other(&list->items[j], &list->items[i])) {
                char path[CONFIG_READING_PATH];
                snprintf(path, sizeof path, "%s[%zu]", name, i);
                report(reading, DIAGNOSTICS_ERROR, path, "is served by %s[%zu] already", name, j);
                break;
            }
        }
    }
}

static void check_listen(struct config_reading *reading, const struct config_listen *listen)
{
    if (listen->tcp.count == 0 && listen->udp.count == 0) {
        report(reading, DIAGNOSTICS_ERROR, "listen", "nothing to listen on: tcp and udp are both empty");
    }
    check_addresses(reading, &listen->tcp, "listen.tcp");
    check_addresses(reading, &listen->udp, "listen.udp");
}

/* A NULL stands for a text that was wrong itself. */
static bool same_text(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcmp(one, other) == 0;
}

static void check_backend(struct config_reading *reading, const struct config *config, size_t index)
{
    const struct config_backend *backend = &config->backends.items[index];
    char path[CONFIG_READING_PATH];
    for (size_t i = 0; i < index; i++) {
        if (same_text(config->backends.items[i].name, backend->name)) {
            snprintf(path, sizeof path, "backends[%zu].name", index);
            report(reading, DIAGNOSTICS_ERROR, path, "backends[%zu] is called \"%s\" too", i, backend->name);
            break;
        }
    }
    snprintf(path, sizeof path, "backends[%zu].socket", index);
    for (size_t i = 0; i < index; i++) {
        if (same_text(config->backends.items[i].socket, backend->socket)) {
            report(reading, DIAGNOSTICS_ERROR, path, "backends[%zu] has the same socket", i);
            break;
        }
    }
    if (same_text(config->control.socket, backend->socket)) {
        report(reading, DIAGNOSTICS_ERROR, path, "control.socket is the same");
    }
}

static bool serves_everyone(const struct config_backend *backend)
{
    for (size_t i = 0; i < backend->devices.count; i++) {
        if (backend->devices.items[i].digits == 0) {
            return true;
        }
    }
    return false;
}

static void check_backends(struct config_reading *reading, const struct config *config)
{
    bool everyone = false;
    for (size_t i = 0; i < config->backends.count; i++) {
        check_backend(reading, config, i);
        everyone = everyone || serves_everyone(&config->backends.items[i]);
    }
    if (!everyone) {
        report(reading, DIAGNOSTICS_WARNING, "backends",
               "no backend has the pattern \"*\" in devices: a device that no pattern matches is refused");
    }
}

static void check_psk(struct config_reading *reading, const struct config_psk *psk)
{
    const struct yaml_node *master = config_reading_find(reading, "psk.master_secret");
    bool master_is_wrong = master != NULL && master->key != NULL && strcmp(master->key, "master_secret") == 0 &&
                           (master->kind != YAML_MAPPING || master->length > 0) && !yaml_tree_is_null(master) &&
                           psk->master_secret.kind == CONFIG_SECRET_NONE;
    if (psk->previous_master_secret.kind != CONFIG_SECRET_NONE && psk->master_secret.kind == CONFIG_SECRET_NONE &&
        !master_is_wrong) {
        report(reading, DIAGNOSTICS_ERROR, "psk.previous_master_secret",
               "there is no master_secret that took its place");
    }
    if (psk->allow_development_psk) {
        report(reading, DIAGNOSTICS_WARNING, "psk.allow_development_psk",
               "the published development PSK is accepted: anybody can pose as a device that has it");
    }
}

void config_check_consistency(struct config_reading *reading, const struct config *config)
{
    check_listen(reading, &config->listen);
    check_backends(reading, config);
    check_psk(reading, &config->psk);
    if (config->wire.v1_downlink) {
        report(reading, DIAGNOSTICS_WARNING, "wire.v1_downlink",
               "what goes to wire 1 devices is neither confidential nor authentic against someone on the path");
    }
}
