/* What passes between the gateway and the network. */
#include <inttypes.h>
#include <string.h>

#include <usmp/frame.h>
#include <usmp/handshake_messages.h>
#include <usmp/record.h>

#include "gateway/shard_internal.h"
#include "hostile/story.h"
#include "hostile/witness.h"
#include "platform/address_text.h"

#define HANDSHAKE_MOST (15 * WORLD_SECOND) /* longer than any takes */

static struct witnessed_address *address_of(struct witness *witness, const struct address *peer)
{
    uint64_t key = key_map_hash(peer, sizeof *peer);
    uint32_t index = key_map_find(&witness->addresses_by_path, key);
    if (index == KEY_MAP_NONE) {
        if (witness->address_count == witness->address_capacity) {
            witness->address_capacity = witness->address_capacity == 0 ? 64 : witness->address_capacity * 2;
            witness->addresses = realloc(witness->addresses, witness->address_capacity * sizeof *witness->addresses);
            require(witness->addresses != NULL);
        }
        index = (uint32_t)witness->address_count++;
        witness->addresses[index] = (struct witnessed_address){0};
        key_map_put(&witness->addresses_by_path, key, index);
    }
    return &witness->addresses[index];
}

/* A HELLO that brings the cookie that was sent there. */
static bool shows_cookie(const struct witnessed_address *address, const struct usmp_frame *frame)
{
    struct usmp_hello hello;
    return frame->type == USMP_HELLO && usmp_hello_read(frame, &hello) && hello.has_cookie &&
           key_map_hash(hello.cookie, sizeof hello.cookie) == address->cookie;
}

/* The gateway follows a session to where a frame comes from that is newer than all before. */
static bool names_session(const struct witness *witness, const struct usmp_frame *frame)
{
    const uint8_t *session = usmp_record_session(frame);
    return session != NULL && witness_session(witness, session) != NULL;
}

/* A device that proved its address and does not go on, because its own HELLO_ACK was lost, has failed if there was a
 * wrong one: docs/security.md rule 13 does not ask whose that was. So who lives there may be locked out for it. */
static void suspect(struct witness *witness, const struct address *peer)
{
    const struct story *story = witness->story;
    for (size_t index = 0; index < story->resident_count; index++) {
        const struct resident *resident = &story->residents[index];
        struct address address = host_address(resident->host, resident->number, peer->port);
        if (address_equal(&address, peer))
            witness->guilty[resident->host] = true;
    }
}

void witness_arrives(void *context, const struct packet *packet)
{
    struct witness *witness = context;
    struct witnessed_address *address = address_of(witness, &packet->path.peer);
    struct usmp_frame frame;
    address->bytes_in += packet->size;
    if (usmp_frame_parse_datagram(packet->bytes, packet->size, &frame) != USMP_FRAME_COMPLETE)
        return;
    uint64_t now = witness->story->world->now.monotonic;
    if (shows_cookie(address, &frame))
        address->shown = now;
    address->proved = address->proved || address->shown != 0 || names_session(witness, &frame);
    bool may_be_proved = address->shown != 0 && now - address->shown < HANDSHAKE_MOST;
    if (frame.type == USMP_HELLO_ACK && frame.seq >= FORGER_HELLO_ACK_SEQ && may_be_proved)
        suspect(witness, &packet->path.peer);
}

/* A session begins: which end it belongs to its public key says. */
static void session_ok(struct witness *witness, const struct usmp_frame *frame)
{
    const struct world *world = witness->story->world;
    struct usmp_session_ok ok;
    WITNESS_REQUIRE(witness, usmp_session_ok_read(frame, &ok), "a SESSION_OK that is none");
    if (witness_session(witness, ok.session_id) != NULL)
        return;
    const struct session *session = world->shard->newest_session;
    WITNESS_REQUIRE(witness,
                    session != NULL &&
                        memcmp(session->wire.session_id, ok.session_id, sizeof session->wire.session_id) == 0,
                    "a SESSION_OK without a session");
    uint32_t end = key_map_find(&witness->ends_by_key,
                                key_map_hash(session->wire.device_public, sizeof session->wire.device_public));
    WITNESS_REQUIRE(witness, end != KEY_MAP_NONE, "a session whose handshake nobody began");
    if (witness->session_count == witness->session_capacity) {
        witness->session_capacity = witness->session_capacity == 0 ? 32 : witness->session_capacity * 2;
        witness->sessions = realloc(witness->sessions, witness->session_capacity * sizeof *witness->sessions);
        require(witness->sessions != NULL);
    }
    struct witnessed_session *begun = &witness->sessions[witness->session_count];
    *begun = (struct witnessed_session){.end = end,
                                        .may_send = regime_may_send(witness->story->regime, witness->ends[end].device)};
    memcpy(begun->id, ok.session_id, sizeof begun->id);
    key_map_put(&witness->sessions_by_id, key_map_hash(begun->id, USMP_NONCE_SESSION_SIZE),
                (uint32_t)witness->session_count++);
}

/* The same nonce may leave again with the same frame only: one more would give away both plaintexts. */
static void look_at_nonce(const struct witness *witness, struct witnessed_session *session,
                          const struct usmp_frame *frame, const uint8_t *bytes, size_t size)
{
    /* To a device whose cipher the gateway has to find out the first frame may leave under both. */
    if (regime_uses_chacha(witness->ends[session->end].device))
        return;
    struct witnessed_nonce *nonce = &session->sent[frame->seq % WITNESS_NONCES];
    uint64_t hash = key_map_hash(bytes, size);
    WITNESS_REQUIRE(witness, nonce->frame == 0 || nonce->seq != frame->seq || nonce->frame == hash,
                    "two frames to device %u have seq %u", witness->ends[session->end].device, frame->seq);
    *nonce = (struct witnessed_nonce){.seq = frame->seq, .frame = hash};
}

static void encrypted(const struct witness *witness, const struct usmp_frame *frame, const uint8_t *bytes, size_t size,
                      bool over_udp)
{
    const uint8_t *id = usmp_record_session(frame);
    struct witnessed_session *session = id == NULL ? NULL : witness_session(witness, id);
    WITNESS_REQUIRE(witness, session != NULL, "an encrypted frame of no session");
    WITNESS_REQUIRE(witness, session->may_send, "%s to device %u of wire 1, to which nothing may be sent",
                    usmp_type_name(frame->type), witness->ends[session->end].device);
    if (over_udp)
        look_at_nonce(witness, session, frame, bytes, size);
}

#define CHALLENGE_PACE (WORLD_SECOND / 200) /* docs/security.md rules 10 and 11 */
#define CHALLENGES_AT_ONCE 200u

/* One for all addresses that nothing proves. Wire 1 gets its CHALLENGEs in any case, and copies of a HELLO get copies. */
static void look_at_budget(struct witness *witness, struct witnessed_address *address, const struct usmp_frame *frame)
{
    uint64_t challenge = key_map_hash(frame->bytes, frame->size);
    if (frame->version == USMP_WIRE_1 || challenge == address->challenge)
        return;
    address->challenge = challenge;
    uint64_t now = witness->story->world->now.monotonic;
    uint64_t due = witness->challenges_due > now ? witness->challenges_due : now;
    witness->challenges_due = due + CHALLENGE_PACE;
    WITNESS_REQUIRE(witness, witness->challenges_due <= now + (CHALLENGES_AT_ONCE + 1) * CHALLENGE_PACE,
                    "more than 200 CHALLENGEs of wire 2 a second to addresses that nothing proves");
}

static void frame_leaves(struct witness *witness, const struct usmp_frame *frame, const uint8_t *bytes, size_t size,
                         bool over_udp)
{
    if (frame->type == USMP_SESSION_OK)
        session_ok(witness, frame);
    else if (usmp_type_is_encrypted(frame->type))
        encrypted(witness, frame, bytes, size, over_udp);
}

static void object_to_amplification(const struct witness *witness, const struct witnessed_address *address,
                                    const struct address *peer)
{
    char text[ADDRESS_TEXT_SIZE];
    address_format(peer, text);
    witness_objects(witness, "%" PRIu64 " bytes to %s, from where %" PRIu64 " came and which nothing proves",
                    address->bytes_out, text, address->bytes_in);
}

void witness_leaves(void *context, const struct shard_path *path, const uint8_t *bytes, size_t size)
{
    struct witness *witness = context;
    struct witnessed_address *address = address_of(witness, &path->peer);
    struct usmp_frame frame;
    address->bytes_out += size;
    if (usmp_frame_parse_datagram(bytes, size, &frame) == USMP_FRAME_COMPLETE) {
        struct usmp_hello_retry retry;
        if (frame.type == USMP_HELLO_RETRY && usmp_hello_retry_read(&frame, &retry))
            address->cookie = key_map_hash(retry.cookie, sizeof retry.cookie);
        address->proved |= frame.type == USMP_SESSION_OK;
        if (frame.type == USMP_CHALLENGE && !address->proved)
            look_at_budget(witness, address, &frame);
        frame_leaves(witness, &frame, bytes, size, true);
    }
    if (!address->proved && address->bytes_out * 10 > address->bytes_in * 47)
        object_to_amplification(witness, address, &path->peer);
}

void witness_writes(void *context, const struct simulated_device *device, const uint8_t *bytes, size_t size)
{
    struct witness *witness = context;
    struct usmp_frame frame;
    size_t total;
    (void)device;
    while (size > 0) {
        WITNESS_REQUIRE(witness, usmp_frame_parse(bytes, size, &frame, &total) == USMP_FRAME_COMPLETE,
                        "what is written to a stream is no frame");
        frame_leaves(witness, &frame, bytes, total, false);
        bytes += total;
        size -= total;
    }
}
