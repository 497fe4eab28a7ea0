#include "hostile/witness.h"

#include <stdarg.h>
#include <string.h>

#include "config/device_id.h"
#include "hostile/resident.h"
#include "hostile/story.h"
#include "hostile/trace_window.h"
#include "platform/address_text.h"

/* Of the device that an objection is about. */
static void name_culprit(const struct story *story, const char *objection)
{
    unsigned device;
    char id[18];
    char address[ADDRESS_TEXT_SIZE];
    const char *named = strstr(objection, "device ");
    if (named == NULL || sscanf(named, "device %u", &device) != 1 || device >= story->resident_count)
        return;
    uint8_t bytes[USMP_DEVICE_ID_SIZE];
    const struct resident *resident = &story->residents[device];
    regime_device_id(device, bytes);
    config_device_id_format(bytes, id);
    struct address at = host_address(resident->host, resident->number, resident->port);
    address_format(&at, address);
    trace_window_names(id, address);
}

void witness_objects(const struct witness *witness, const char *format, ...)
{
    va_list arguments;
    char objection[512];
    const struct story *story = witness->story;
    va_start(arguments, format);
    vsnprintf(objection, sizeof objection, format, arguments);
    va_end(arguments);
    name_culprit(story, objection);
    trace_window_print();
    fprintf(stderr, "seed %llu, at %.3f s: %s\n", (unsigned long long)story->seed,
            (double)(story->world->now.monotonic - WORLD_START) / 1e6, objection);
    exit(EXIT_FAILURE);
}

#define LOCKOUT_LOOKS 64u /* one in so many steps */

static void *grown(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity == 0 ? 32 : *capacity * 2;
    array = realloc(array, *capacity * size);
    require(array != NULL);
    return array;
}

uint32_t witness_end(struct witness *witness, struct simulated_device *end, const struct witnessed_end *about)
{
    witness->ends = grown(witness->ends, witness->end_count, &witness->end_capacity, sizeof *witness->ends);
    uint32_t index = (uint32_t)witness->end_count++;
    witness->ends[index] = *about;
    witness->ends[index].wire = end->wire;
    witness->ends[index].transport = end->transport;
    witness->ends[index].device_end = end;
    key_map_put(&witness->ends_by_key, about->public_key, index);
    return index;
}

void witness_end_may_skip(struct witness *witness, uint32_t end)
{
    witness->ends[end].may_skip = true;
}

void witness_end_is_gone(struct witness *witness, uint32_t end)
{
    witness->ends[end].device_end = NULL;
}

struct witnessed_session *witness_session(const struct witness *witness, const uint8_t *id)
{
    uint32_t index = key_map_find(&witness->sessions_by_id, key_map_hash(id, USMP_NONCE_SESSION_SIZE));
    return index == KEY_MAP_NONE ? NULL : &witness->sessions[index];
}

bool witness_is_connected(const struct witness *witness, unsigned device)
{
    return witness->live[device] != WITNESS_NOBODY;
}

/* Nothing is acknowledged that was not told: a UTACK without a MAC anybody may have sent, and over TCP nothing is. */
static void look_at_acknowledged(const struct witness *witness)
{
    const struct story *story = witness->story;
    for (size_t index = 0; index < story->resident_count; index++) {
        const struct resident *resident = &story->residents[index];
        if (resident->end == NULL || resident->end->transport != USMP_UDP || resident->end->wire == 1)
            continue;
        const struct witnessed_end *end = &witness->ends[resident->witnessed];
        WITNESS_REQUIRE(witness, resident->end->acknowledged <= end->told || end->may_skip,
                        "device %u hears that %zu messages are accepted, backends that %llu are", resident->number,
                        resident->end->acknowledged, (unsigned long long)end->told);
    }
}

static uint64_t refused_as_locked_out(const struct shard_counters *counters)
{
    uint64_t sum = 0;
    for (unsigned transport = 0; transport < 2; transport++) {
        for (unsigned wire = 0; wire < 2; wire++)
            sum += counters->handshakes[transport][wire][SHARD_HANDSHAKE_LOCKED_OUT];
    }
    return sum;
}

/* Nobody who did nothing wrong is locked out. Looked at whenever somebody is, and now and then. */
static void look_at_lockouts(struct witness *witness)
{
    const struct story *story = witness->story;
    uint64_t locked_out = refused_as_locked_out(shard_counters(story->world->shard));
    if (locked_out == witness->locked_out && witness->checks % LOCKOUT_LOOKS != 0)
        return;
    witness->locked_out = locked_out;
    for (size_t index = 0; index < story->resident_count; index++) {
        const struct resident *resident = &story->residents[index];
        if (witness->guilty[resident->host])
            continue;
        uint8_t id[USMP_DEVICE_ID_SIZE];
        regime_device_id(resident->number, id);
        struct address address = host_address(resident->host, resident->number, resident->port);
        WITNESS_REQUIRE(
            witness, !admission_is_locked_out(story->world->admission, &address, id, story->world->now.monotonic),
            "device %u is locked out, and nobody at host %u did anything wrong", resident->number, resident->host);
    }
}

static void settles(void *context)
{
    struct witness *witness = context;
    witness->checks++;
    look_at_lockouts(witness);
    look_at_acknowledged(witness);
    witness_looks_at_tables(witness);
    story_settles(witness->story);
}

static void finishes(void *context, const struct seam_command *command)
{
    const struct witness *witness = context;
    uint64_t now = witness->story->world->now.monotonic;
    WITNESS_REQUIRE(witness, command->outcome != SEAM_PENDING, "a command comes back without an outcome");
    WITNESS_REQUIRE(witness, command->deadline >= now || command->outcome != SEAM_SENT_BY_DEVICE,
                    "a command comes back %.3f s after its time", (double)(now - command->deadline) / 1e6);
}

void witness_reloaded(struct witness *witness, struct memory_use before)
{
    size_t bytes = memory_watch_use().bytes;
    witness->base.bytes += bytes > before.bytes ? bytes - before.bytes : 0;
    const struct story *story = witness->story;
    for (unsigned device = 0; device < REGIME_DEVICES; device++) {
        if (witness->live[device] == WITNESS_NOBODY)
            continue;
        const struct witnessed_end *end = &witness->ends[witness->sessions[witness->live[device]].end];
        WITNESS_REQUIRE(witness, regime_keeps(story->regime, device, end->generation, story->world->now.wall),
                        "device %u still has a session with key %u, which regime %u does not accept", device,
                        end->generation, story->regime->number);
    }
}

void witness_open(struct witness *witness, struct story *story)
{
    *witness = (struct witness){.story = story, .base = memory_watch_use()};
    witness->watch = (struct world_watch){.context = witness,
                                          .arrives = witness_arrives,
                                          .leaves = witness_leaves,
                                          .writes = witness_writes,
                                          .tells = witness_tells,
                                          .finishes = finishes,
                                          .settles = settles};
    for (unsigned device = 0; device < REGIME_DEVICES; device++)
        witness->live[device] = WITNESS_NOBODY;
}

void witness_close(struct witness *witness)
{
    free(witness->ends);
    free(witness->sessions);
    free(witness->addresses);
    key_map_free(&witness->ends_by_key);
    key_map_free(&witness->sessions_by_id);
    key_map_free(&witness->addresses_by_path);
}
