#include "gateway/crowd.h"

#include <string.h>

#include "gateway/require.h"
#include "gateway/shard_internal.h"

#define PSK "the one secret of the whole crowd"
#define QUEUE UINT64_C(60000)        /* bytes of credit, all in all: about thirty messages of the longest kind */
#define PATIENCE (20 * WORLD_SECOND) /* how long a device waits for a UTACK until it begins anew */
#define COMMANDS_MAX 20000u

static const char crowd_config[] = "session_timeout: 30s\n"
                                   "limits: {handshakes_per_ip: 0, sessions_per_ip: 0}\n";

static const char crowd_devices[] = "devices:\n"
                                    "  '02:00:00:00:00:00': {v1_downlink: true}\n"
                                    "  '02:00:00:00:00:04': {v1_downlink: true}\n"
                                    "  '02:00:00:00:00:08': {v1_downlink: true, session_timeout: 5s}\n"
                                    "  '02:00:00:00:00:03': {cipher: chacha20-poly1305}\n"
                                    "default: {psk: '" PSK "'}\n";

struct config *crowd_load(struct registry **registry)
{
    return world_load(crowd_config, crowd_devices, registry);
}

static uint64_t below(struct crowd *crowd, uint64_t limit)
{
    return random_below(&crowd->numbers, limit);
}

static bool chance(struct crowd *crowd, unsigned per_mille)
{
    return random_chance(&crowd->numbers, per_mille);
}

/* Streams come in pieces of any size. */
static size_t cut_at_random(struct world *world, size_t available)
{
    if (available == 0 || random_chance(&world->link.numbers, 500))
        return available;
    return 1 + random_below(&world->link.numbers, available);
}

static void settle_in(struct crowd *crowd, unsigned number)
{
    struct inhabitant *inhabitant = &crowd->inhabitants[number];
    *inhabitant = (struct inhabitant){.number = number,
                                      .transport = number % 3 == 2 ? USMP_TCP : USMP_UDP,
                                      .wire = number % 4 == 0 ? 1 : 2,
                                      .port = (uint16_t)(1000 + 1000 * number),
                                      .id = {2, 0, 0, 0, 0, (uint8_t)number}};
    inhabitant->spoken_to = inhabitant->wire == 2 || number <= 8;
    inhabitant->next_step = crowd->world->now.monotonic + below(crowd, 5 * WORLD_SECOND);
}

struct crowd *crowd_open(const struct config *config, struct registry *registry, uint64_t seed)
{
    struct crowd *crowd = calloc(1, sizeof *crowd);
    require(crowd != NULL);
    crowd->numbers = (struct random_numbers){.state = seed};
    crowd->world = world_open_loaded(config, registry, seed + 1000000, NULL);
    require(crowd->world != NULL);
    crowd->world->cut = cut_at_random;
    struct weather *weather = &crowd->world->link.weather;
    weather->loss = (unsigned)below(crowd, 250);
    weather->doubling = (unsigned)below(crowd, 100);
    weather->delay_min = below(crowd, 30000);
    weather->delay_max = weather->delay_min + below(crowd, 200000);
    crowd->count = 15 + below(crowd, 10);
    for (unsigned number = 0; number < crowd->count; number++)
        settle_in(crowd, number);
    crowd->commands = calloc(COMMANDS_MAX, sizeof(struct seam_command *));
    require(crowd->commands != NULL);
    world_give_credit(crowd->world, QUEUE);
    return crowd;
}

/* What a device does next. */

static void connect_anew(struct crowd *crowd, struct inhabitant *inhabitant)
{
    if (!chance(crowd, 300))
        inhabitant->port++; /* otherwise from the same port, as after a reset */
    if (chance(crowd, 100))
        inhabitant->transport = inhabitant->transport == USMP_UDP ? USMP_TCP : USMP_UDP;
    struct address address = world_address("192.0.2.1:1");
    address.bytes[15] = (uint8_t)(1 + inhabitant->number);
    address.port = inhabitant->port;
    bool is_chacha = inhabitant->wire == 2 && (inhabitant->number == 3 || inhabitant->number % 5 == 1);
    inhabitant->end = world_connect_as(crowd->world, inhabitant->transport, inhabitant->wire, inhabitant->id, PSK,
                                       &address, is_chacha ? USMP_CIPHER_CHACHA20_POLY1305 : USMP_CIPHER_AES_256_GCM);
}

/* Whose message it is stands in front, so that no two are alike. */
static void say_something(struct crowd *crowd, struct inhabitant *inhabitant)
{
    uint8_t message[USMP_MESSAGE_MAX];
    size_t size = chance(crowd, 200) ? below(crowd, sizeof message + 1) : below(crowd, 100);
    memset(message, '.', sizeof message);
    int used = snprintf((char *)message, sizeof message, "%u says %u.", inhabitant->number, inhabitant->messages++);
    require(used > 0);
    if (size < (size_t)used)
        size = (size_t)used;
    simulated_device_send(inhabitant->end, message, size);
}

static void hang_up(struct crowd *crowd, struct inhabitant *inhabitant)
{
    struct simulated_device *end = inhabitant->end;
    switch (below(crowd, 3)) {
    case 0:
        simulated_device_close(end);
        return;
    case 1:
        end->silent = true;
        return;
    default:
        if (end->transport == USMP_TCP)
            world_lose_stream(end);
        end->silent = true;
        return;
    }
}

static void do_something(struct crowd *crowd, struct inhabitant *inhabitant)
{
    struct simulated_device *end = inhabitant->end;
    unsigned what = (unsigned)below(crowd, 100);
    if (what < 60) {
        for (uint64_t count = 1 + below(crowd, 3); count > 0; count--)
            say_something(crowd, inhabitant);
    } else if (what < 65 && usmp_session_can_send(&end->end.session)) {
        simulated_device_ping(end);
    } else if (what < 70 && inhabitant->wire == 2 && usmp_session_can_send(&end->end.session) &&
               end->end.session.rekey == NULL) {
        simulated_device_rekey(end);
        inhabitant->rekeys++;
    } else if (what < 75 && end->transport == USMP_UDP) {
        end->path.peer.port = ++inhabitant->port;
    } else if (what < 78) {
        hang_up(crowd, inhabitant);
    } else if (what < 82 && end->transport == USMP_TCP) {
        end->full = !end->full;
        if (!end->full)
            world_unblock_stream(end);
    } else if (what < 84) {
        end->refuses = !end->refuses;
    }
}

/* Over UDP a device gives up when nothing is acknowledged for long, and begins anew. */
static bool has_lost_patience(const struct simulated_device *end)
{
    return end->transport == USMP_UDP && end->sending && end->world->now.monotonic - end->last_heard > PATIENCE;
}

static void step(struct crowd *crowd, struct inhabitant *inhabitant)
{
    struct simulated_device *end = inhabitant->end;
    inhabitant->next_step = crowd->world->now.monotonic + 100000 + below(crowd, 3 * WORLD_SECOND);
    if (end == NULL || end->over || end->silent) {
        connect_anew(crowd, inhabitant);
    } else if (has_lost_patience(end)) {
        end->silent = true;
    } else if (simulated_device_is_connected(end)) {
        do_something(crowd, inhabitant);
    }
}

/* What the hub does: gives back what it has got rid of, sends, closes. */

static void give_back(struct crowd *crowd)
{
    uint64_t spent = crowd->world->credit_spent[0];
    uint64_t kept_again = spent - crowd->credit_kept;
    if (kept_again == 0 || chance(crowd, 300))
        return;
    uint64_t given = chance(crowd, 500) ? kept_again : below(crowd, kept_again + 1);
    crowd->credit_kept += given;
    world_give_credit(crowd->world, given);
}

static void command(struct crowd *crowd)
{
    struct inhabitant *inhabitant = &crowd->inhabitants[below(crowd, crowd->count)];
    bool closes = chance(crowd, 30);
    char text[64];
    char id[18];
    snprintf(id, sizeof id, "02:00:00:00:00:%02x", inhabitant->number);
    snprintf(text, sizeof text, "command %zu.", crowd->command_count);
    uint8_t payload[USMP_MESSAGE_MAX];
    size_t size = chance(crowd, 100) ? 64 + below(crowd, sizeof payload - 63) : strlen(text);
    memset(payload, '.', sizeof payload);
    memcpy(payload, text, strlen(text));
    require(crowd->command_count < COMMANDS_MAX);
    struct seam_command *made = world_command(crowd->world, closes ? SEAM_CLOSE : SEAM_SEND, id, payload,
                                              closes ? 0 : size, 100000 + below(crowd, 30 * WORLD_SECOND));
    crowd->commands[crowd->command_count++] = made;
    world_submit(crowd->world, made);
}

static void hub_step(struct crowd *crowd)
{
    crowd->next_hub_step = crowd->world->now.monotonic + below(crowd, WORLD_SECOND / 2);
    give_back(crowd);
    for (uint64_t count = below(crowd, 4); count > 0; count--)
        command(crowd);
    if (chance(crowd, 5))
        shard_reload(crowd->world->shard, crowd->world->config, crowd->world->registry, crowd->world->now);
    while (chance(crowd, 300) && shard_idle(crowd->world->shard, crowd->world->now))
        ;
}

void crowd_live(struct crowd *crowd, uint64_t microseconds)
{
    uint64_t end = crowd->world->now.monotonic + microseconds;
    while (crowd->world->now.monotonic < end) {
        uint64_t next = crowd->next_hub_step;
        for (size_t index = 0; index < crowd->count; index++) {
            if (crowd->inhabitants[index].next_step < next)
                next = crowd->inhabitants[index].next_step;
        }
        if (next > crowd->world->now.monotonic)
            world_run(crowd->world, next - crowd->world->now.monotonic);
        if (crowd->next_hub_step <= next)
            hub_step(crowd);
        for (size_t index = 0; index < crowd->count; index++) {
            if (crowd->inhabitants[index].next_step <= next)
                step(crowd, &crowd->inhabitants[index]);
        }
    }
}

void crowd_go_home(struct crowd *crowd)
{
    struct world *world = crowd->world;
    world->link.weather = (struct weather){0};
    world_give_credit(world, WORLD_CREDIT);
    for (size_t index = 0; index < crowd->count; index++) {
        struct simulated_device *end = crowd->inhabitants[index].end;
        if (end != NULL && end->full) {
            end->full = false;
            world_unblock_stream(end);
        }
        if (end != NULL)
            end->refuses = false;
    }
    world_run(world, 60 * WORLD_SECOND);
    shard_drain(world->shard, world->now);
    world_run(world, 60 * WORLD_SECOND);
}

void crowd_close(struct crowd *crowd)
{
    world_close(crowd->world);
    for (size_t index = 0; index < crowd->command_count; index++)
        world_command_free(crowd->commands[index]);
    free(crowd->commands);
    free(crowd);
}
