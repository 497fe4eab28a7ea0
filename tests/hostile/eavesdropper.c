#include "hostile/eavesdropper.h"

#include <string.h>

#include <usmp/frame.h>
#include <usmp/utack.h>

#include "hostile/story.h"
#include "proto/frame_header.h"

static bool sees(void *context, const struct packet *packet)
{
    struct story *story = context;
    struct eavesdropper *eavesdropper = &story->eavesdropper;
    if (!eavesdropper->is_there || eavesdropper->is_sending)
        return false;
    eavesdropper->memory[eavesdropper->seen++ % EAVESDROPPER_MEMORY] = *packet;
    return story_chance(story, eavesdropper->swallows);
}

static void change(struct story *story, struct packet *packet)
{
    bool is_frame = packet->size >= USMP_HEADER_SIZE && packet->bytes[0] == USMP_MAGIC_0;
    switch (story_below(story, 5)) {
    case 0:
        packet->size = story_below(story, packet->size + 1);
        return;
    case 1:
        packet->bytes[packet->size < SHARD_DATAGRAM_MAX ? packet->size++ : 0] = (uint8_t)story_below(story, 256);
        return;
    default:
        packet->bytes[story_below(story, packet->size)] ^= (uint8_t)(1u << story_below(story, 8));
        break;
    }
    if (is_frame && packet->size <= USMP_FRAME_MAX && story_chance(story, 800))
        (void)usmp_frame_header_finish(packet->bytes, packet->size - USMP_HEADER_SIZE); /* gets past the CRC */
}

/* Acknowledges in the receiver's name, without a MAC. */
static void acknowledge(struct packet *packet)
{
    struct usmp_frame frame;
    if (usmp_frame_parse_datagram(packet->bytes, packet->size, &frame) != USMP_FRAME_COMPLETE)
        return;
    packet->to_gateway = !packet->to_gateway;
    packet->size = usmp_utack_write_plain(frame.type, frame.seq, packet->bytes);
}

static void meddle(struct story *story, struct packet *packet)
{
    uint64_t what = story_below(story, 100);
    if (what < 40) /* once more */
        ;
    else if (what < 55)
        change(story, packet);
    else if (what < 70)
        packet->to_gateway = !packet->to_gateway;
    else if (what < 80)
        acknowledge(packet);
    else if (what < 85)
        packet->path.peer = host_stranger(&story->numbers);
    else if (what < 90)
        packet->path.peer.port ^= (uint16_t)(1u << story_below(story, 16));
    else {
        const struct resident *resident = story_somebody(story);
        packet->path.peer = host_address(resident->host, resident->number, resident->port);
    }
}

static void cut_a_stream(struct story *story)
{
    struct resident *resident = story_somebody(story);
    if (resident->end != NULL && resident->end->transport == USMP_TCP && !resident->end->over)
        world_lose_stream(resident->end);
}

static void step(struct story *story, struct actor *actor)
{
    struct eavesdropper *eavesdropper = ACTOR_OF(actor, struct eavesdropper);
    actor->next_step = story->world->now.monotonic + 1000 + story_below(story, eavesdropper->pace);
    size_t known = eavesdropper->seen < EAVESDROPPER_MEMORY ? eavesdropper->seen : EAVESDROPPER_MEMORY;
    if (known == 0)
        return;
    if (story_chance(story, 20))
        cut_a_stream(story);
    /* Mostly what it saw just now: later nobody waits for it any more. */
    size_t back = story_chance(story, 700) ? story_below(story, known < 8 ? known : 8) : story_below(story, known);
    struct packet packet = eavesdropper->memory[(eavesdropper->seen - 1 - back) % EAVESDROPPER_MEMORY];
    if (packet.size == 0)
        return;
    meddle(story, &packet);
    eavesdropper->is_sending = true;
    world_carry(story->world, packet.to_gateway, &packet.path, packet.bytes, packet.size);
    eavesdropper->is_sending = false;
}

void eavesdropper_begin(struct story *story)
{
    struct eavesdropper *eavesdropper = &story->eavesdropper;
    *eavesdropper = (struct eavesdropper){.actor = {.step = step},
                                          .is_there = true,
                                          .swallows = (unsigned)story_below(story, 60),
                                          .pace = 5000 + story_below(story, 200000)};
    eavesdropper->memory = calloc(EAVESDROPPER_MEMORY, sizeof *eavesdropper->memory);
    require(eavesdropper->memory != NULL);
    story->world->link.loses = sees;
    story->world->link.context = story;
    /* Whoever is on the path can make every handshake fail that it sees. */
    memset(story->witness.guilty, true, sizeof story->witness.guilty);
    eavesdropper->actor.next_step = story->world->now.monotonic + story_below(story, WORLD_SECOND);
    story_add_actor(story, &eavesdropper->actor);
}

void eavesdropper_leave(struct story *story)
{
    story->eavesdropper.actor.next_step = UINT64_MAX;
    story->eavesdropper.swallows = 0;
}

void eavesdropper_end(struct story *story)
{
    free(story->eavesdropper.memory);
}
