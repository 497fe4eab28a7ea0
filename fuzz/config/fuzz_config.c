/* Configuration files: any bytes give a configuration within its bounds, or an error. Files that secrets are named to
 * be in are not read. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "config/load.h"
#include "config/units.h"
#include "config/yaml_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check_node(const struct yaml_node *node, unsigned depth)
{
    assert(depth < YAML_TREE_DEPTH || node->kind == YAML_SCALAR);
    assert(node->line > 0 && node->column > 0);
    if (node->kind == YAML_SCALAR) {
        assert(node->text[node->length] == '\0' && node->first == NULL);
        return;
    }
    size_t count = 0;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next) {
        assert((child->key != NULL) == (node->kind == YAML_MAPPING));
        check_node(child, depth + 1);
        count++;
    }
    assert(count == node->length);
}

static void check_duration(uint64_t duration)
{
    assert(duration >= CONFIG_DURATION_MIN);
    char text[CONFIG_UNITS_TEXT];
    config_units_format_duration(duration, text);
    uint64_t again;
    assert(config_units_duration(text, &again) == NULL && again == duration);
}

static void check_backend(const struct config_backend *backend)
{
    assert(backend->name[0] != '\0' && strlen(backend->name) <= CONFIG_BACKEND_NAME_MAX);
    assert(backend->socket[0] != '\0' && strlen(backend->socket) < 108);
    assert(backend->mode <= 0777);
    assert(backend->format == CONFIG_FORMAT_NDJSON && backend->delivery == CONFIG_DELIVERY_LIVE);
    assert(backend->queue >= CONFIG_QUEUE_MIN);
    assert(backend->devices.count <= CONFIG_PATTERNS_MAX);
    for (size_t i = 0; i < backend->devices.count; i++) {
        const struct config_pattern *pattern = &backend->devices.items[i];
        assert(pattern->digits <= CONFIG_PATTERN_DIGITS && config_pattern_matches(pattern, pattern->bytes));
        assert(config_backend_serves(backend, pattern->bytes));
    }
}

static void check_config(const struct config *config)
{
    assert(config->listen.tcp.count + config->listen.udp.count > 0);
    assert(config->listen.tcp.count <= CONFIG_LISTEN_MAX && config->listen.udp.count <= CONFIG_LISTEN_MAX);
    assert(config->workers <= CONFIG_COUNT_MAX);
    assert(config->wire.versions > 0 && config->wire.versions <= 3);
    check_duration(config->handshake_timeout);
    check_duration(config->shutdown_timeout);
    check_duration(config->limits.lockout);
    if (config->session_timeout != 0) {
        check_duration(config->session_timeout);
    }
    assert(config->psk.registry.count <= CONFIG_REGISTRY_FILES_MAX);
    for (size_t i = 0; i < config->psk.registry.count; i++) {
        assert(config->psk.registry.items[i][0] != '\0');
    }
    assert((config->psk.master_secret.kind == CONFIG_SECRET_NONE) == (config->psk.master_secret.name == NULL));
    assert(config->psk.previous_master_secret.kind == CONFIG_SECRET_NONE ||
           config->psk.master_secret.kind != CONFIG_SECRET_NONE);
    assert(config->limits.sessions > 0 && config->limits.sessions <= CONFIG_COUNT_MAX);
    assert(config->limits.trusted.count <= CONFIG_TRUSTED_MAX);
    assert(config->backends.count > 0 && config->backends.count <= CONFIG_BACKENDS_MAX);
    for (size_t i = 0; i < config->backends.count; i++) {
        check_backend(&config->backends.items[i]);
    }
    assert(config->spool.path[0] == '\0');
    assert(config->metrics.listen.count <= 1);
}

static void check_text(void *context, enum diagnostics_severity severity, const char *text)
{
    (void)severity;
    assert(strncmp(text, context, strlen(context)) == 0);
    for (; *text != '\0'; text++) {
        assert((unsigned char)*text >= 0x20 && *text != 0x7F);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char file[] = "folder/usmpd.yaml";
    struct diagnostics *diagnostics = diagnostics_open();
    if (diagnostics == NULL) {
        return 0;
    }
    struct yaml_tree *tree = yaml_tree_parse(file, (const char *)bytes, size, diagnostics);
    if (tree == NULL) {
        assert(diagnostics_errors(diagnostics) > 0);
    } else {
        check_node(yaml_tree_root(tree), 0);
        struct config *config = config_from_tree(file, tree, diagnostics);
        yaml_tree_free(tree);
        if (config != NULL && diagnostics_errors(diagnostics) == 0) {
            check_config(config);
        }
        config_free(config);
    }
    diagnostics_each(diagnostics, check_text, file);
    diagnostics_close(diagnostics);
    return 0;
}
