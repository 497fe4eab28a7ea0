#include "hostile/forger.h"

#include <string.h>

#include <usmp/frame.h>
#include <usmp/handshake_messages.h>
#include <usmp/utack.h>

#include "hostile/story.h"

#define FORGER_HOST 230u

struct forged {
    struct shard_path path;
    unsigned victim; /* the device in whose name, or to whom */
    bool to_gateway;
    uint8_t bytes[SHARD_DATAGRAM_MAX];
    size_t size;
};

static uint32_t small_seq(struct story *story)
{
    return (uint32_t)story_below(story, 40);
}

static uint8_t any_wire(struct story *story)
{
    return story_chance(story, 300) ? 1 : 2;
}

static void forge_hello(struct story *story, struct forged *forged)
{
    uint8_t wire = any_wire(story);
    struct usmp_hello hello = {.has_cookie = wire == 2 && story_chance(story, 150)};
    regime_device_id((unsigned)story_below(story, REGIME_DEVICES), hello.device_id);
    if (story_chance(story, 600))
        regime_device_id(forged->victim, hello.device_id);
    random_fill(&story->numbers, hello.public_key, sizeof hello.public_key);
    random_fill(&story->numbers, hello.cookie, sizeof hello.cookie);
    forged->size = usmp_hello_write(wire, small_seq(story), &hello, forged->bytes);
}

static void forge_hello_ack(struct story *story, struct forged *forged, uint8_t wire)
{
    struct usmp_hello_ack hello_ack;
    random_fill(&story->numbers, &hello_ack, sizeof hello_ack);
    forged->size = usmp_hello_ack_write(wire, FORGER_HELLO_ACK_SEQ + small_seq(story), &hello_ack, forged->bytes);
}

static void forge_utack(struct story *story, struct forged *forged)
{
    static const uint8_t types[] = {USMP_HELLO, USMP_CHALLENGE, USMP_HELLO_ACK,   USMP_SESSION_OK, USMP_DATA,
                                    USMP_PONG,  USMP_BYE,       USMP_HELLO_RETRY, USMP_REKEY,      USMP_DATA_FRAG};
    forged->size = usmp_utack_write_plain(types[story_below(story, sizeof types)], small_seq(story), forged->bytes);
    if (story_chance(story, 500)) {
        random_fill(&story->numbers, forged->bytes + forged->size, USMP_UTACK_MAC_SIZE);
        forged->size += USMP_UTACK_MAC_SIZE;
    }
}

static void forge_frame(struct story *story, struct forged *forged)
{
    static const uint8_t types[] = {USMP_DATA, USMP_PING, USMP_PONG, USMP_BYE, USMP_DATA_FRAG, USMP_REKEY};
    uint8_t payload[USMP_PAYLOAD_MAX];
    uint8_t type = types[story_below(story, sizeof types)];
    size_t size = USMP_RECORD_OVERHEAD;
    if (type == USMP_REKEY)
        size = USMP_REKEY_PAYLOAD;
    else if (type == USMP_DATA || type == USMP_DATA_FRAG)
        size += story_below(story, USMP_PLAINTEXT_MAX + 1);
    random_fill(&story->numbers, payload, size);
    forged->size = usmp_frame_write(type == USMP_REKEY ? 2 : any_wire(story), type, small_seq(story), payload, size,
                                    forged->bytes);
}

static void forge_junk(struct story *story, struct forged *forged)
{
    forged->size = story_below(story, SHARD_DATAGRAM_MAX + 1);
    random_fill(&story->numbers, forged->bytes, forged->size);
    if (forged->size > 3 && story_chance(story, 500)) {
        forged->bytes[0] = USMP_MAGIC_0;
        forged->bytes[1] = USMP_MAGIC_1;
        forged->bytes[2] = 2;
    }
}

static void forge(struct story *story, struct forged *forged)
{
    uint64_t what = story_below(story, 100);
    if (what < 40 || (what < 60 && !story->forger.answers))
        forge_hello(story, forged);
    else if (what < 60)
        forge_hello_ack(story, forged, any_wire(story));
    else if (what < 75)
        forge_utack(story, forged);
    else if (what < 92)
        forge_frame(story, forged);
    else
        forge_junk(story, forged);
}

/* Who believes that the gateway challenged it answers to a nonce that the gateway did not draw: to the gateway that is
 * a wrong HELLO_ACK from a proved address, and five of them lock it out. */
static void mislead(struct story *story, struct forged *forged, const struct resident *victim)
{
    struct usmp_challenge challenge;
    struct usmp_session_ok session_ok;
    struct usmp_hello_retry retry;
    story->witness.guilty[victim->host] = true;
    switch (story_below(story, 3)) {
    case 0:
        random_fill(&story->numbers, &challenge, sizeof challenge);
        forged->size = usmp_challenge_write(any_wire(story), 0, &challenge, forged->bytes);
        return;
    case 1:
        random_fill(&story->numbers, &session_ok, sizeof session_ok);
        forged->size = usmp_session_ok_write(any_wire(story), 0, &session_ok, forged->bytes);
        return;
    default:
        random_fill(&story->numbers, &retry, sizeof retry);
        forged->size = usmp_hello_retry_write(0, &retry, forged->bytes);
        return;
    }
}

static void send_one(struct story *story)
{
    struct forged forged = {.to_gateway = true, .path = {.local = story->world->gateway}};
    struct resident *victim =
        story_chance(story, 500) ? story_somebody(story) : &story->residents[story->forger.favourite];
    forged.victim = victim->number;
    forged.path.peer = host_address(victim->host, victim->number, victim->port);
    if (!story->forger.spares_devices && story_chance(story, 200)) {
        forged.to_gateway = false;
        if (story_chance(story, 300))
            mislead(story, &forged, victim);
        else
            forge(story, &forged);
    } else {
        if (story_chance(story, 400))
            forged.path.peer = host_stranger(&story->numbers);
        forge(story, &forged);
    }
    world_carry(story->world, forged.to_gateway, &forged.path, forged.bytes, forged.size);
    /* A handshake that never was, and its failure: enough of these, and the victim is locked out, if they count. */
    if (forged.to_gateway && story->forger.answers && forged.size >= USMP_HELLO_FRAME &&
        forged.bytes[2] <= USMP_WIRE_2 && forged.bytes[2] != 0 && forged.bytes[3] == USMP_HELLO &&
        story_chance(story, 400)) {
        forge_hello_ack(story, &forged, forged.bytes[2]);
        world_carry(story->world, true, &forged.path, forged.bytes, forged.size);
    }
}

/* Says nothing, or nothing to the end, or something wrong; sooner or later it hangs up. */
static void use_stream(struct story *story, struct simulated_device **place)
{
    struct forged forged = {.victim = story->forger.favourite};
    if (*place == NULL) {
        struct address address = host_address(FORGER_HOST, 0, (uint16_t)(1024 + story_below(story, 60000)));
        *place = world_connect_bare_at(story->world, USMP_TCP, &address);
    } else if ((*place)->stream == NULL || story_chance(story, 200)) {
        world_vanish(*place);
        *place = NULL;
    } else {
        forge(story, &forged);
        size_t size = story_chance(story, 300) ? story_below(story, forged.size + 1) : forged.size;
        world_stream_bytes(*place, forged.bytes, size);
    }
}

static void step(struct story *story, struct actor *actor)
{
    struct forger *forger = ACTOR_OF(actor, struct forger);
    actor->next_step = story->world->now.monotonic + 1000 + story_below(story, forger->pace);
    for (uint64_t count = 1 + story_below(story, forger->burst); count > 0; count--)
        send_one(story);
    if (story_chance(story, 300))
        use_stream(story, &forger->streams[story_below(story, FORGER_STREAMS)]);
}

void forger_begin(struct story *story, uint64_t pace, unsigned burst)
{
    struct forger *forger = &story->forger;
    *forger = (struct forger){.actor = {.step = step}, .is_there = true, .pace = pace, .burst = burst};
    forger->actor.next_step = story->world->now.monotonic + story_below(story, WORLD_SECOND);
    forger->answers = story_chance(story, 500);
    forger->favourite = story_somebody(story)->number;
    story->witness.guilty[FORGER_HOST] = true;
    story_add_actor(story, &forger->actor);
}

void forger_end(struct story *story)
{
    for (unsigned index = 0; index < FORGER_STREAMS; index++) {
        if (story->forger.streams[index] != NULL)
            world_vanish(story->forger.streams[index]);
        story->forger.streams[index] = NULL;
    }
    story->forger.actor.next_step = UINT64_MAX;
}
