#define _GNU_SOURCE
#include "admission/configured_limits.h"
#include "gateway/world.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <usmp/start.h>

#include "gateway/require.h"
#include "gateway/shard_internal.h"
#include "gateway/world_ports.h"
#include "platform/log.h"
#include "registry/load.h"

static const uint8_t boot_secret[REGISTRY_BOOT_SECRET_SIZE] = "a secret of thirty-two bytes, so";

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    require(file != NULL);
    require(fputs(text, file) >= 0);
    require(fclose(file) == 0);
    require(chmod(path, 0600) == 0);
}

static void remove_file(const char *folder, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    require(unlink(path) == 0);
}

static void print_error(void *context, enum diagnostics_severity severity, const char *text)
{
    (void)context;
    if (severity == DIAGNOSTICS_ERROR)
        fprintf(stderr, "%s\n", text);
}

struct config *world_load(const char *config, const char *devices, struct registry **registry)
{
    char folder[] = "/tmp/usmpd-world-XXXXXX";
    require(mkdtemp(folder) != NULL);
    write_file(folder, "usmpd.yaml", config == NULL ? "{}" : config);
    write_file(folder, "devices.yaml", devices);
    char path[128];
    snprintf(path, sizeof path, "%s/usmpd.yaml", folder);
    struct diagnostics *diagnostics = diagnostics_open();
    require(diagnostics != NULL);
    struct config *loaded = config_load(path, diagnostics);
    *registry = loaded == NULL ? NULL : registry_load(loaded, boot_secret, diagnostics);
    diagnostics_each(diagnostics, print_error, NULL);
    diagnostics_close(diagnostics);
    remove_file(folder, "usmpd.yaml");
    remove_file(folder, "devices.yaml");
    require(rmdir(folder) == 0);
    require(*registry != NULL);
    return loaded;
}

static void append_field(char *text, const struct log_field *field)
{
    char scratch[LOG_VALUE_SIZE];
    struct log_value value = log_field_value(field, scratch);
    size_t used = strlen(text);
    snprintf(text + used, WORLD_LOG_TEXT - used, " %s=%.*s", field->key, (int)value.size, (const char *)value.data);
}

static void keep_log(void *context, const struct log_record *record)
{
    struct world *world = context;
    bool inside = world->inside;
    world_leave(world);
    if (world->log_count == world->log_capacity) {
        world->log_capacity = world->log_capacity == 0 ? 16 : world->log_capacity * 2;
        world->logs = realloc(world->logs, world->log_capacity * sizeof *world->logs);
        require(world->logs != NULL);
    }
    struct world_log *log = &world->logs[world->log_count++];
    log->level = record->level;
    snprintf(log->text, sizeof log->text, "%s", record->message);
    for (const struct log_field *field = record->fields; field->type != LOG_FIELD_END; field++)
        append_field(log->text, field);
    if (inside)
        world_enter(world);
}

size_t world_count_logs(const struct world *world, const char *text)
{
    size_t count = 0;
    for (size_t index = 0; index < world->log_count; index++)
        count += strstr(world->logs[index].text, text) != NULL;
    return count;
}

static bool open_shard(struct world *world)
{
    struct admission_limits limits = admission_configured_limits(world->config);
    world_enter(world);
    world->admission = admission_open(&limits, boot_secret);
    if (world->admission != NULL) {
        struct shard_options options = {.config = world->config,
                                        .registry = world->registry,
                                        .admission = world->admission,
                                        .outbox = &world->outbox,
                                        .ports = &world->ports};
        world->shard = shard_open(&options, world->now);
    }
    world_leave(world);
    return world->shard != NULL;
}

struct world *world_open_loaded(const struct config *config, struct registry *registry, uint64_t seed,
                                void (*around)(bool inside))
{
    require(usmp_start() == NULL);
    struct world *world = calloc(1, sizeof *world);
    require(world != NULL);
    world->now = (struct shard_time){.monotonic = WORLD_START, .wall = WORLD_WALL};
    world->config = config;
    world->registry = registry_retain(registry);
    world->numbers = (struct random_numbers){.state = seed};
    world->gateway = world_address("198.51.100.1:9000");
    world->around = around;
    world->ports = world_ports(world);
    link_open(&world->link, ~seed);
    seam_outbox_open(&world->outbox);
    log_divert(keep_log, world);
    if (!open_shard(world)) {
        world_close(world);
        return NULL;
    }
    return world;
}

struct world *world_open(const char *config, const char *devices)
{
    struct registry *registry;
    struct config *loaded = world_load(config, devices, &registry);
    struct world *world = world_open_loaded(loaded, registry, 1, NULL);
    require(world != NULL);
    registry_release(registry);
    world->owned_config = loaded;
    world_give_credit(world, WORLD_CREDIT);
    return world;
}

void world_close(struct world *world)
{
    shard_close(world->shard);
    world_ports_collect(world);
    seam_outbox_close(&world->outbox);
    admission_close(world->admission);
    registry_release(world->registry);
    config_free(world->owned_config);
    while (world->devices != NULL) {
        struct simulated_device *device = world->devices;
        world->devices = device->next;
        simulated_device_end(device);
        free(device);
    }
    link_close(&world->link);
    for (size_t index = 0; index < world->event_count; index++)
        free(world->events[index].payload);
    free(world->events);
    free(world->finished);
    log_divert(NULL, NULL);
    free(world->logs);
    free(world);
}

void world_reload_loaded(struct world *world, const struct config *config, struct registry *registry)
{
    struct admission_limits limits = admission_configured_limits(config);
    world_enter(world);
    require(admission_configure(world->admission, &limits));
    shard_reload(world->shard, config, registry, world->now);
    world_leave(world);
    world->config = config;
    struct registry *old = world->registry;
    world->registry = registry_retain(registry);
    registry_release(old);
    world_ports_collect(world);
}

void world_reload(struct world *world, const char *config, const char *devices)
{
    struct registry *registry;
    struct config *old = world->owned_config;
    struct config *loaded = world_load(config, devices, &registry);
    world_reload_loaded(world, loaded, registry);
    registry_release(registry);
    config_free(old);
    world->owned_config = loaded;
}

void world_take_credit(struct world *world)
{
    for (unsigned index = 0; index < SEAM_BACKENDS_MAX; index++)
        world->credit_given[index] -= world->shard->credit.bytes[index];
    world->shard->credit = (struct seam_credit){0};
}
