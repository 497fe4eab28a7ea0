/* What backends are told: sessions and messages. */
#include <inttypes.h>
#include <string.h>

#include "hostile/resident.h"
#include "hostile/story.h"
#include "hostile/witness.h"

static void connected(struct witness *witness, const struct seam_event *event, unsigned device)
{
    const struct world *world = witness->story->world;
    struct witnessed_session *session = witness_session(witness, event->session);
    WITNESS_REQUIRE(witness, session != NULL && memcmp(session->id, event->session, sizeof session->id) == 0,
                    "device %u is connected without a SESSION_OK", device);
    WITNESS_REQUIRE(witness, session->state == WITNESSED_BEGUN, "device %u is connected twice", device);
    WITNESS_REQUIRE(witness, !witness_is_connected(witness, device),
                    "device %u is connected while its old session is not told to be over", device);
    const struct witnessed_end *end = &witness->ends[session->end];
    WITNESS_REQUIRE(witness, end->device == device, "a handshake of device %u makes device %u connected", end->device,
                    device);
    WITNESS_REQUIRE(witness, event->wire == end->wire && (event->transport == SEAM_UDP) == (end->transport == USMP_UDP),
                    "device %u is told to speak another wire or transport than it does", device);
    WITNESS_REQUIRE(witness, regime_accepts(witness->story->regime, device, end->generation, world->now.wall),
                    "device %u is let in with key %u under regime %u", device, end->generation,
                    witness->story->regime->number);
    session->state = WITNESSED_CONNECTED;
    witness->live[device] = (uint32_t)(session - witness->sessions);
    witness->live_count++;
    WITNESS_REQUIRE(witness, witness->live_count <= world->config->limits.sessions || witness->replaced == device,
                    "device %u is let in as number %zu of %u", device, witness->live_count,
                    world->config->limits.sessions);
}

static struct witnessed_session *live_session(const struct witness *witness, const struct seam_event *event,
                                              unsigned device, const char *what)
{
    WITNESS_REQUIRE(witness, witness_is_connected(witness, device), "%s of device %u, which is not connected", what,
                    device);
    struct witnessed_session *session = &witness->sessions[witness->live[device]];
    WITNESS_REQUIRE(witness, memcmp(session->id, event->session, sizeof session->id) == 0,
                    "%s of device %u in another session than it has", what, device);
    return session;
}

/* Whether that is the end's message of that number. */
static bool is_message(const struct witnessed_end *end, uint64_t number, const struct seam_event *event,
                       const uint8_t *payload)
{
    uint8_t expected[USMP_MESSAGE_MAX];
    size_t size = resident_message(end->device, number, expected);
    return event->size == size && memcmp(payload, expected, size) == 0;
}

static void said(struct witness *witness, const struct seam_event *event, const uint8_t *payload, unsigned device)
{
    const struct witnessed_session *session = live_session(witness, event, device, "a message");
    struct witnessed_end *end = &witness->ends[session->end];
    if (!end->honest)
        return;
    uint64_t said = witness->story->residents[device].said;
    uint64_t number = end->first_message + end->told;
    while (end->may_skip && number + 1 < said && !is_message(end, number, event, payload))
        number++;
    WITNESS_REQUIRE(witness, number < said && is_message(end, number, event, payload),
                    "device %u: its message %" PRIu64 " of %" PRIu64 " was to be told, not \"%.*s\"", device, number,
                    said, event->size < 40 ? (int)event->size : 40, (const char *)payload);
    end->told = number + 1 - end->first_message;
    witness->messages++;
}

static void disconnected(struct witness *witness, const struct seam_event *event, unsigned device)
{
    struct witnessed_session *session = live_session(witness, event, device, "the end");
    const struct witnessed_end *end = &witness->ends[session->end];
    bool keeps_order = end->honest && witness->story->residents[device].strict == NULL;
    WITNESS_REQUIRE(witness, event->reason != SEAM_PROTOCOL || !keeps_order,
                    "device %u is said to have broken the protocol", device);
    session->state = WITNESSED_DISCONNECTED;
    witness->live[device] = WITNESS_NOBODY;
    witness->live_count--;
}

void witness_tells(void *context, const struct seam_event *event, const uint8_t *payload)
{
    struct witness *witness = context;
    unsigned device = regime_device_number(event->device);
    WITNESS_REQUIRE(witness, device < REGIME_DEVICES, "an event of a device that there is not");
    unsigned replaced = event->kind == SEAM_DISCONNECTED && event->reason == SEAM_REPLACED ? device : REGIME_DEVICES;
    switch (event->kind) {
    case SEAM_CONNECTED:
        connected(witness, event, device);
        break;
    case SEAM_MESSAGE:
        said(witness, event, payload, device);
        break;
    case SEAM_DISCONNECTED:
        disconnected(witness, event, device);
        break;
    }
    witness->replaced = replaced;
}
