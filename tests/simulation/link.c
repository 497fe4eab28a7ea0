#include "simulation/link.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <usmp/utack.h>

void link_begin(struct link *link, enum usmp_transport transport, const struct link_conditions *conditions,
                struct simulation_random *random, struct trace *trace)
{
    *link = (struct link){
        .transport = transport,
        .conditions = *conditions,
        .random = random,
        .trace = trace,
        .packets = calloc(LINK_PACKETS_MAX, sizeof *link->packets),
    };
    assert(link->packets != NULL);
}

void link_end(struct link *link)
{
    free(link->packets);
}

static const char *sender_of(enum link_direction direction)
{
    return direction == LINK_TO_GATEWAY ? "device" : "gateway";
}

static void put(struct link *link, uint64_t arrives, enum link_direction direction, unsigned port, const uint8_t *bytes,
                size_t size)
{
    assert(link->count < LINK_PACKETS_MAX && size <= LINK_PACKET_SIZE);
    struct link_packet *packet = &link->packets[link->count++];
    packet->arrives = arrives;
    packet->number = link->next_number++;
    packet->direction = direction;
    packet->port = port;
    packet->size = size;
    memcpy(packet->bytes, bytes, size);
}

static uint64_t draw_delay(struct link *link)
{
    return simulation_random_between(link->random, link->conditions.delay_least, link->conditions.delay_most);
}

static bool is_to_be_lost(struct link *link, enum link_direction direction, const uint8_t *bytes, size_t size)
{
    struct usmp_utack utack;
    bool is_utack = usmp_utack_read(bytes, size, &utack);
    uint8_t type = is_utack ? utack.type : bytes[3];
    for (size_t index = 0; index < link->loss_count; index++) {
        struct link_loss *loss = &link->losses[index];
        if (!loss->is_used && loss->direction == direction && loss->type == type && loss->is_utack == is_utack) {
            loss->is_used = true;
            return true;
        }
    }
    return simulation_random_chance(link->random, link->conditions.loss);
}

static void send_datagram(struct link *link, uint64_t now, enum link_direction direction, unsigned port,
                          const uint8_t *bytes, size_t size)
{
    const char *sender = sender_of(direction);
    if (is_to_be_lost(link, direction, bytes, size)) {
        trace_bytes(link->trace, now, sender, bytes, size, "lost");
        return;
    }
    unsigned copies = simulation_random_chance(link->random, link->conditions.duplication) ? 2 : 1;
    for (unsigned copy = 0; copy < copies; copy++) {
        uint64_t arrives = now + draw_delay(link);
        char fate[64];
        snprintf(fate, sizeof fate, "-> %u.%03u%s", (unsigned)(arrives / 1000000), (unsigned)(arrives / 1000 % 1000),
                 copy > 0 ? " (a copy)" : "");
        trace_bytes(link->trace, now, sender, bytes, size, fate);
        put(link, arrives, direction, port, bytes, size);
    }
}

/* One call's bytes in one to three pieces. */
static void send_stream(struct link *link, uint64_t now, enum link_direction direction, unsigned port,
                        const uint8_t *bytes, size_t size)
{
    uint64_t arrives = now + draw_delay(link);
    if (arrives < link->stream_arrives[direction])
        arrives = link->stream_arrives[direction];
    link->stream_arrives[direction] = arrives;
    char fate[64];
    snprintf(fate, sizeof fate, "-> %u.%03u", (unsigned)(arrives / 1000000), (unsigned)(arrives / 1000 % 1000));
    trace_bytes(link->trace, now, sender_of(direction), bytes, size, fate);
    for (unsigned cut = 0; cut < 2 && size > 1; cut++) {
        size_t piece = (size_t)simulation_random_between(link->random, 1, size - 1);
        put(link, arrives, direction, port, bytes, piece);
        bytes += piece;
        size -= piece;
    }
    put(link, arrives, direction, port, bytes, size);
}

void link_send(struct link *link, uint64_t now, enum link_direction direction, unsigned port, const uint8_t *bytes,
               size_t size)
{
    if (link->transport == USMP_UDP)
        send_datagram(link, now, direction, port, bytes, size);
    else
        send_stream(link, now, direction, port, bytes, size);
}

static void add_loss(struct link *link, struct link_loss loss)
{
    assert(link->loss_count < LINK_LOSSES_MAX);
    link->losses[link->loss_count++] = loss;
}

void link_lose_next_frame(struct link *link, enum link_direction direction, uint8_t type)
{
    add_loss(link, (struct link_loss){.direction = direction, .type = type});
}

void link_lose_next_utack(struct link *link, enum link_direction direction, uint8_t type)
{
    add_loss(link, (struct link_loss){.direction = direction, .type = type, .is_utack = true});
}

static size_t find_next(const struct link *link)
{
    size_t next = 0;
    for (size_t index = 1; index < link->count; index++) {
        const struct link_packet *packet = &link->packets[index];
        const struct link_packet *best = &link->packets[next];
        if (packet->arrives < best->arrives || (packet->arrives == best->arrives && packet->number < best->number))
            next = index;
    }
    return next;
}

uint64_t link_next_arrival(const struct link *link)
{
    return link->count > 0 ? link->packets[find_next(link)].arrives : UINT64_MAX;
}

void link_take(struct link *link, struct link_packet *packet)
{
    assert(link->count > 0);
    size_t next = find_next(link);
    *packet = link->packets[next];
    link->packets[next] = link->packets[--link->count];
}
