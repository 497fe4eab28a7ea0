#include "hostile/strict_resident.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/require.h"
#include "hostile/story.h"

#define UNSENT_MAX 3u

static void send_bytes(void *context, const uint8_t *bytes, size_t size)
{
    const struct strict_resident *strict = context;
    struct simulated_device *end = strict->resident->end;
    if (end->silent)
        return;
    if (end->transport == USMP_TCP)
        world_stream_bytes(end, bytes, size);
    else
        world_carry(end->world, true, &end->path, bytes, size);
}

static void draw(void *context, uint8_t *bytes, size_t size)
{
    const struct strict_resident *strict = context;
    random_fill(&strict->story->world->numbers, bytes, size);
}

static void said(struct strict_resident *strict)
{
    if (strict->is_saying)
        strict->resident->end->acknowledged++;
    strict->is_saying = false;
    strict->unsent = 0;
}

static void hear(void *context, const struct strict_event *event)
{
    struct strict_resident *strict = context;
    struct resident *resident = strict->resident;
    switch (event->kind) {
    case STRICT_SENT:
        said(strict);
        return;
    case STRICT_UNSENT:
        witness_end_may_skip(&strict->story->witness, resident->witnessed);
        strict->is_saying = false;
        if (++strict->unsent == UNSENT_MAX)
            resident->end->silent = true;
        return;
    case STRICT_MESSAGE:
        operator_was_heard(strict->story, resident, event->bytes, event->size);
        return;
    case STRICT_CLOSED:
    case STRICT_OVER:
        strict->is_saying = false;
        resident->end->over = true;
        return;
    default:
        return;
    }
}

/* What the world has for it. */

static uint64_t now_of(const struct strict_resident *strict)
{
    return strict->story->world->now.monotonic;
}

static void take_datagram(void *context, const uint8_t *bytes, size_t size)
{
    struct strict_resident *strict = context;
    strict_device_datagram(&strict->device, bytes, size, now_of(strict));
}

static size_t take_stream(void *context, const uint8_t *bytes, size_t size)
{
    struct strict_resident *strict = context;
    return strict_device_stream(&strict->device, bytes, size, now_of(strict));
}

static void stream_closed(void *context)
{
    struct strict_resident *strict = context;
    strict_device_stream_closed(&strict->device, now_of(strict));
}

static uint64_t deadline(const void *context)
{
    const struct strict_resident *strict = context;
    return strict_device_deadline(&strict->device);
}

static void advance(void *context)
{
    struct strict_resident *strict = context;
    strict_device_advance(&strict->device, now_of(strict));
}

static const struct device_behind behind = {.datagram = take_datagram,
                                            .stream = take_stream,
                                            .stream_closed = stream_closed,
                                            .deadline = deadline,
                                            .advance = advance};

struct strict_resident *strict_resident_open(struct story *story, struct resident *resident)
{
    const struct strict_era *eras[16];
    size_t count = 0;
    for (size_t index = 0; index < strict_era_count; index++) {
        if (strict_eras[index].version == regime_wire_of(resident->number))
            eras[count++] = &strict_eras[index];
    }
    struct strict_resident *strict = calloc(1, sizeof *strict);
    require(strict != NULL && count > 0 && count <= sizeof eras / sizeof *eras);
    strict->story = story;
    strict->resident = resident;
    strict->era = eras[story_below(story, count)];
    strict->port = story_chance(story, 500) ? &strict_port_arduino : &strict_port_esp_idf;
    strict->owner = (struct strict_owner){.context = strict, .send = send_bytes, .random = draw, .tell = hear};
    return strict;
}

void strict_resident_close(struct strict_resident *strict)
{
    if (strict != NULL)
        strict_device_wipe(&strict->device);
    free(strict);
}

void strict_resident_begin(struct strict_resident *strict)
{
    struct resident *resident = strict->resident;
    char psk[REGIME_PSK_SIZE];
    if (!strict->era->has_udp)
        resident->transport = USMP_TCP;
    regime_psk(resident->number, resident->generation, psk);
    struct address address = host_address(resident->host, resident->number, resident->port);
    resident->end = world_connect_bare_at(strict->story->world, resident->transport, &address);
    resident->end->wire = strict->era->version;
    resident->end->behind = &behind;
    resident->end->behind_context = strict;
    struct strict_start start = {.era = strict->era,
                                 .port = strict->port,
                                 .transport = resident->transport == USMP_TCP ? STRICT_TCP : STRICT_UDP,
                                 .cipher = STRICT_AES_256_GCM,
                                 .psk = (const uint8_t *)psk,
                                 .psk_size = strlen(psk),
                                 .socket_queue = resident->number % 3};
    regime_device_id(resident->number, start.id);
    strict->is_saying = false;
    strict->unsent = 0;
    strict_device_wipe(&strict->device);
    strict_device_begin(&strict->device, &strict->owner, &start, now_of(strict));
}

bool strict_resident_is_connected(const struct strict_resident *strict)
{
    return strict->device.connected && !strict->device.over;
}

bool strict_resident_is_idle(const struct strict_resident *strict)
{
    return strict->device.operation == STRICT_IDLE;
}

static void say(struct strict_resident *strict)
{
    uint8_t bytes[USMP_MESSAGE_MAX];
    uint64_t number = strict->resident->said++;
    strict->is_saying = true;
    enum strict_verdict verdict = strict_device_send(
        &strict->device, bytes, resident_message(strict->resident->number, number, bytes), now_of(strict));
    require(verdict == STRICT_BEGUN);
}

static void do_something(struct strict_resident *strict)
{
    struct story *story = strict->story;
    uint64_t what = story_below(story, 1000);
    enum strict_verdict verdict = STRICT_BEGUN;
    if (what < 100) {
        say(strict);
    } else if (what < 110) {
        verdict = strict_device_ping(&strict->device, now_of(strict));
    } else if (what < 118 && strict->era->has_rekey) {
        strict->resident->rekeys++;
        verdict = strict_device_rekey(&strict->device, now_of(strict));
    } else if (what < 122) {
        verdict = strict_device_close(&strict->device, now_of(strict));
    } else if (what < 126) {
        strict->resident->end->silent = true;
    } else if (what < 134) {
        resident_roam(story, strict->resident);
    }
    require(verdict == STRICT_BEGUN);
}

void strict_resident_turn(struct strict_resident *strict)
{
    struct story *story = strict->story;
    if (!strict_resident_is_connected(strict) || !strict_resident_is_idle(strict))
        return;
    if (strict_device_has_input(&strict->device, now_of(strict)))
        (void)strict_device_read(&strict->device, now_of(strict));
    else if (!story->is_peaceful)
        do_something(strict);
    else if (!resident_is_well(story, strict->resident) || story_chance(story, 30))
        say(strict);
}
