#include "hostile/resident.h"

#include <inttypes.h>
#include <string.h>

#include "hostile/story.h"
#include "hostile/strict_resident.h"

#define PATIENCE (8 * WORLD_SECOND)         /* without hearing anything, until it begins anew */
#define SENDS_MAX 8u                        /* of one frame, until it begins anew */
#define STRICT_PATIENCE (15 * WORLD_SECOND) /* of who owns a strict device that does nothing */
#define HOST_PORTS 4000u                    /* each of those behind one NAT has so many ports */

size_t resident_message(unsigned device, uint64_t number, uint8_t bytes[USMP_MESSAGE_MAX])
{
    struct random_numbers numbers = {.state = ((uint64_t)device << 32) + number};
    uint64_t drawn = random_next(&numbers);
    size_t size = drawn % 16 == 0 ? (drawn >> 8) % (USMP_MESSAGE_MAX + 1) : (drawn >> 8) % 60;
    int used = snprintf((char *)bytes, USMP_MESSAGE_MAX, "%u says %" PRIu64 ".", device, number);
    require(used > 0);
    if (size <= (size_t)used)
        return (size_t)used;
    memset(bytes + used, 'a' + (int)((drawn >> 40) % 26), size - (size_t)used);
    return size;
}

bool resident_is_connected(const struct resident *resident)
{
    if (resident->end == NULL || resident->end->silent || resident->end->over)
        return false;
    return resident->strict == NULL ? simulated_device_is_connected(resident->end)
                                    : strict_resident_is_connected(resident->strict);
}

void resident_vanish(struct story *story, struct resident *resident)
{
    if (resident->end == NULL)
        return;
    resident_hand_over(story, resident);
    witness_end_is_gone(&story->witness, resident->witnessed);
    world_vanish(resident->end);
    resident->end = NULL;
}

/* Two devices at one address and port there cannot be, only one after the other. */
static bool is_taken(const struct story *story, const struct resident *resident)
{
    const struct resident *neighbour = &story->residents[resident->number ^ 1];
    return neighbour->end != NULL && !neighbour->end->silent && neighbour->host == resident->host &&
           neighbour->end->path.peer.port == resident->port;
}

static void begin(struct story *story, struct resident *resident)
{
    uint8_t id[USMP_DEVICE_ID_SIZE];
    char psk[REGIME_PSK_SIZE];
    regime_device_id(resident->number, id);
    regime_psk(resident->number, resident->generation, psk);
    struct address address = host_address(resident->host, resident->number, resident->port);
    enum usmp_cipher cipher =
        regime_uses_chacha(resident->number) ? USMP_CIPHER_CHACHA20_POLY1305 : USMP_CIPHER_AES_256_GCM;
    resident->end = world_connect_as(story->world, resident->transport, regime_wire_of(resident->number), id, psk,
                                     &address, cipher);
}

void resident_begin(struct story *story, struct resident *resident)
{
    resident_vanish(story, resident);
    while (is_taken(story, resident))
        resident->port++;
    if (resident->strict == NULL)
        begin(story, resident);
    else
        strict_resident_begin(resident->strict);
    resident->witnessed = witness_end(
        &story->witness, resident->end,
        &(struct witnessed_end){.public_key = key_map_hash(resident->strict == NULL
                                                               ? resident->end->end.public_key
                                                               : resident->strict->device.handshake.public_key,
                                                           USMP_PUBLIC_KEY_SIZE),
                                .device = resident->number,
                                .generation = resident->generation,
                                .honest = true,
                                .first_message = resident->said});
    resident->began = story->world->now.monotonic;
    WITNESS_REQUIRE(&story->witness,
                    resident->transport == USMP_UDP || resident->end->stream != NULL ||
                        story->witness.guilty[resident->host],
                    "host %u may not connect, whose inhabitants did nothing wrong", resident->host);
}

void resident_say(struct story *story, struct resident *resident)
{
    uint8_t bytes[USMP_MESSAGE_MAX];
    (void)story;
    uint64_t number = resident->said++;
    simulated_device_send(resident->end, bytes, resident_message(resident->number, number, bytes));
}

void resident_hand_over(struct story *story, struct resident *resident)
{
    struct device_messages *received = &resident->end->received;
    while (received->first != NULL) {
        operator_was_heard(story, resident, received->first->bytes, received->first->size);
        device_messages_drop_first(received);
    }
}

static uint16_t any_port(struct story *story, const struct resident *resident)
{
    return (uint16_t)(1024 + (resident->number % 8) * HOST_PORTS + story_below(story, HOST_PORTS));
}

static bool is_away(const struct resident *resident)
{
    return resident->end != NULL && (resident->end->silent || resident->end->over);
}

static void connect_anew(struct story *story, struct resident *resident)
{
    const struct resident *neighbour = &story->residents[resident->number ^ 1];
    if (is_away(neighbour) && neighbour->host == resident->host && story_chance(story, 200))
        resident->port = neighbour->port; /* their NAT gives it away as soon as it is free */
    else if (!story_chance(story, 300))
        resident->port = any_port(story, resident);
    if (story_chance(story, 80))
        resident->transport = resident->transport == USMP_UDP ? USMP_TCP : USMP_UDP;
    if (regime_is_unsteady(resident->number) && resident->failures > 0 && story_chance(story, 500))
        resident->generation = (resident->generation + 1) % REGIME_GENERATIONS;
    resident->failures++;
    resident_begin(story, resident);
}

static void hang_up(struct story *story, struct resident *resident)
{
    switch (story_below(story, 3)) {
    case 0:
        simulated_device_close(resident->end);
        return;
    case 1:
        resident->end->silent = true;
        return;
    default:
        resident->end->silent = true;
        world_lose_stream(resident->end);
        return;
    }
}

void resident_roam(struct story *story, struct resident *resident)
{
    resident->port = any_port(story, resident);
    while (is_taken(story, resident))
        resident->port++;
    resident->end->path.peer.port = resident->port;
}

static void do_something(struct story *story, struct resident *resident)
{
    struct simulated_device *end = resident->end;
    bool is_idle = usmp_session_can_send(&end->end.session);
    unsigned what = (unsigned)story_below(story, 100);
    if (what < 62) {
        for (uint64_t count = 1 + story_below(story, 3); count > 0; count--)
            resident_say(story, resident);
    } else if (what < 67 && is_idle) {
        simulated_device_ping(end);
    } else if (what < 74 && end->wire == 2 && is_idle && end->end.session.rekey == NULL) {
        simulated_device_rekey(end);
        resident->rekeys++;
    } else if (what < 80 && end->transport == USMP_UDP) {
        resident_roam(story, resident);
    } else if (what < 83) {
        hang_up(story, resident);
    } else if (what < 87 && end->transport == USMP_TCP) {
        end->full = !end->full;
        if (!end->full)
            world_unblock_stream(end);
    } else if (what < 89) {
        end->refuses = !end->refuses;
    }
}

static bool has_lost_patience(const struct resident *resident)
{
    const struct simulated_device *end = resident->end;
    uint64_t now = end->world->now.monotonic;
    if (end->transport != USMP_UDP || !end->sending)
        return false;
    return now - end->last_heard > PATIENCE || end->end.session.outgoing.sends > SENDS_MAX;
}

bool resident_is_well(const struct story *story, const struct resident *resident)
{
    if (!resident_is_connected(resident) || !witness_is_connected(&story->witness, resident->number))
        return false;
    const struct witnessed_end *end = &story->witness.ends[resident->witnessed];
    bool is_idle = resident->strict == NULL ? !resident->end->sending : strict_resident_is_idle(resident->strict);
    return end->told > 0 && end->first_message + end->told == resident->said &&
           resident->said > resident->said_before_peace && is_idle;
}

/* In peace: connects until it is heard, and then is quiet. */
static void step_in_peace(struct story *story, struct resident *resident)
{
    resident->actor.next_step = story->world->now.monotonic + 500000 + story_below(story, WORLD_SECOND);
    resident_hand_over(story, resident);
    if (has_lost_patience(resident))
        resident->end->silent = true;
    else if (resident_is_connected(resident) && !resident_is_well(story, resident) && !resident->end->sending)
        resident_say(story, resident);
    else if (resident_is_well(story, resident) && usmp_session_can_send(&resident->end->end.session) &&
             story_chance(story, 600))
        simulated_device_ping(resident->end); /* its session lives on until everybody is well */
}

/* A strict one that waits for ever, for a lost HELLO_RETRY or in a read, somebody has to switch off and on. */
static void step_strictly(struct story *story, struct resident *resident)
{
    uint64_t now = story->world->now.monotonic;
    resident->actor.next_step = now + 10000 + story_below(story, 150000);
    if (resident_is_connected(resident) && strict_resident_is_idle(resident->strict))
        resident->began = now;
    if (now - resident->began > STRICT_PATIENCE)
        resident->end->silent = true;
    strict_resident_turn(resident->strict);
}

static void step(struct story *story, struct actor *actor)
{
    struct resident *resident = ACTOR_OF(actor, struct resident);
    actor->next_step = story->world->now.monotonic + 100000 + story_below(story, 2 * WORLD_SECOND);
    if (resident->end == NULL || resident->end->over || resident->end->silent) {
        connect_anew(story, resident);
        return;
    }
    if (resident->strict != NULL) {
        step_strictly(story, resident);
        return;
    }
    if (story->is_peaceful) {
        step_in_peace(story, resident);
        return;
    }
    resident_hand_over(story, resident);
    if (has_lost_patience(resident)) {
        resident->end->silent = true;
    } else if (resident_is_connected(resident)) {
        resident->failures = 0;
        do_something(story, resident);
    }
}

void resident_settle_in(struct story *story, unsigned number)
{
    struct resident *resident = &story->residents[number];
    *resident = (struct resident){.actor = {.step = step},
                                  .number = number,
                                  .host = 1 + number / 4,
                                  .transport = story_chance(story, 300) ? USMP_TCP : USMP_UDP,
                                  .port = (uint16_t)(1024 + (number % 8) * HOST_PORTS)};
    /* Those whose keys come and go live by themselves: what fails there may lock out the host. */
    if (regime_is_unsteady(number)) {
        resident->host = HOST_FIRST_ODD + number / 4;
        story->witness.guilty[resident->host] = true;
    }
    if (!regime_uses_chacha(number) && story_chance(story, 150))
        resident->strict = strict_resident_open(story, resident);
    resident->actor.next_step = story->world->now.monotonic + story_below(story, 3 * WORLD_SECOND);
    story_add_actor(story, &resident->actor);
}

void resident_move_out(struct resident *resident)
{
    strict_resident_close(resident->strict);
}
