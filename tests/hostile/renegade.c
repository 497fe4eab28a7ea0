#include "hostile/renegade.h"

#include <string.h>

#include <usmp/record.h>

#include "hostile/story.h"

#define RENEGADE_HOST 220u

static void vanish(struct story *story, struct renegade *renegade)
{
    if (renegade->end == NULL)
        return;
    witness_end_is_gone(&story->witness, renegade->witnessed);
    world_vanish(renegade->end);
    renegade->end = NULL;
}

static void connect_anew(struct story *story, struct renegade *renegade)
{
    uint8_t id[USMP_DEVICE_ID_SIZE];
    char psk[REGIME_PSK_SIZE];
    unsigned generation = (unsigned)story_below(story, REGIME_GENERATIONS);
    enum usmp_transport transport = story_chance(story, 400) ? USMP_TCP : USMP_UDP;
    vanish(story, renegade);
    if (story_chance(story, 700))
        renegade->port = (uint16_t)(1024 + story_below(story, 60000));
    regime_device_id(renegade->number, id);
    regime_psk(renegade->number, generation, psk);
    struct address address = host_address(RENEGADE_HOST, renegade->number % 200, renegade->port);
    renegade->end = world_connect_as(story->world, transport, regime_wire_of(renegade->number), id, psk, &address,
                                     USMP_CIPHER_AES_256_GCM);
    renegade->witnessed = witness_end(
        &story->witness, renegade->end,
        &(struct witnessed_end){.public_key = key_map_hash(renegade->end->end.public_key, USMP_PUBLIC_KEY_SIZE),
                                .device = renegade->number,
                                .generation = generation});
    renegade->seq = 0;
    renegade->is_raw = false;
    renegade->is_deaf = story_chance(story, 300);
}

/* A frame of any kind under the right key. */
static void send_raw(struct story *story, struct renegade *renegade, uint8_t type, uint32_t seq, size_t size)
{
    struct simulated_device *end = renegade->end;
    const struct usmp_session *session = &end->end.session;
    const struct usmp_record_context context = {session->keys.device_to_gateway, session->session_id, USMP_AES_256_GCM};
    uint8_t plaintext[USMP_PLAINTEXT_MAX] = {0};
    uint8_t frame[USMP_FRAME_MAX];
    size_t written = usmp_record_seal(&context, (uint8_t)end->wire, type, seq, plaintext, size, frame);
    if (end->transport == USMP_TCP)
        world_stream_bytes(end, frame, written);
    else
        world_carry(story->world, true, &end->path, frame, written);
}

static uint8_t any_type(struct story *story, const struct renegade *renegade)
{
    static const uint8_t types[] = {USMP_DATA, USMP_DATA_FRAG, USMP_DATA_FRAG, USMP_PING,
                                    USMP_PONG, USMP_BYE,       USMP_REKEY};
    uint8_t type = types[story_below(story, sizeof types)];
    return type == USMP_REKEY && renegade->end->wire == 1 ? USMP_PING : type;
}

static size_t any_size(struct story *story, uint8_t type)
{
    if (type == USMP_REKEY)
        return USMP_REKEY_SALT_SIZE;
    return type == USMP_DATA || type == USMP_DATA_FRAG ? story_below(story, USMP_PLAINTEXT_MAX + 1) : 0;
}

static void storm(struct story *story, struct renegade *renegade)
{
    uint8_t one_type = any_type(story, renegade);
    bool mixes = story_chance(story, 500);
    if (!renegade->is_raw)
        renegade->seq = renegade->end->end.session.send_next;
    renegade->is_raw = true;
    for (uint64_t count = 1 + story_below(story, 20); count > 0; count--) {
        uint8_t type = mixes ? any_type(story, renegade) : one_type;
        uint32_t seq = renegade->seq++;
        if (story_chance(story, 50))
            seq = (uint32_t)random_next(&story->numbers);
        else if (story_chance(story, 50))
            seq -= (uint32_t)story_below(story, 70);
        else if (story_chance(story, 5))
            seq = USMP_SEQ_LAST;
        send_raw(story, renegade, type, seq, any_size(story, type));
    }
}

/* What a device may do, too often. */
static void overdo(struct story *story, struct renegade *renegade)
{
    struct simulated_device *end = renegade->end;
    uint8_t bytes[USMP_MESSAGE_MAX] = {0};
    uint64_t what = story_below(story, 4);
    for (uint64_t count = story_below(story, 12); count > 0 && simulated_device_is_connected(end); count--) {
        bool is_idle = usmp_session_can_send(&end->end.session);
        if (what == 0 && is_idle)
            simulated_device_ping(end);
        else if (what == 1 && is_idle && end->wire == 2 && end->end.session.rekey == NULL)
            simulated_device_rekey(end);
        else if (what == 2)
            simulated_device_send(end, bytes, story_below(story, sizeof bytes + 1));
        else if (what == 3 && count == 1)
            simulated_device_close(end);
    }
}

static void step(struct story *story, struct actor *actor)
{
    struct renegade *renegade = ACTOR_OF(actor, struct renegade);
    struct simulated_device *end = renegade->end;
    actor->next_step = story->world->now.monotonic + 1000 + story_below(story, renegade->pace);
    if (end == NULL || end->over || story_chance(story, 50)) {
        connect_anew(story, renegade);
        return;
    }
    device_messages_clear(&end->received);
    if (!simulated_device_is_connected(end))
        return;
    end->silent |= renegade->is_deaf;
    if (renegade->is_raw || story_chance(story, 300))
        storm(story, renegade);
    else
        overdo(story, renegade);
}

void renegade_begin(struct story *story, unsigned index)
{
    struct renegade *renegade = &story->renegades[index];
    *renegade = (struct renegade){.actor = {.step = step},
                                  .number = STORY_RESIDENTS_MAX + index,
                                  .port = (uint16_t)(3000 + index),
                                  .pace = 2000 + story_below(story, WORLD_SECOND / 2)};
    renegade->actor.next_step = story->world->now.monotonic + story_below(story, WORLD_SECOND);
    story->witness.guilty[RENEGADE_HOST] = true;
    story_add_actor(story, &renegade->actor);
}

void renegade_end(struct story *story, struct renegade *renegade)
{
    vanish(story, renegade);
    renegade->actor.next_step = UINT64_MAX;
}
