/* What lies between a device and a gateway: datagrams are delayed, lost, doubled and overtake each other; the bytes of
 * a stream arrive late and in pieces, but all and in order. Time is what the caller says it is.
 *
 * A device has a port; what arrives for a port it has left is lost. Everything that is sent is written to the trace
 * with its fate.
 */
#ifndef TESTS_SIMULATION_LINK_H
#define TESTS_SIMULATION_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/wire.h>

#include "simulation/random.h"
#include "simulation/trace.h"

#define LINK_PACKETS_MAX 1024
#define LINK_PACKET_SIZE (USMP_FRAGMENTS_MAX * USMP_FRAME_MAX)
#define LINK_LOSSES_MAX 8

enum link_direction {
    LINK_TO_GATEWAY,
    LINK_TO_DEVICE,
};

/* Of datagrams. Probabilities in thousandths. */
struct link_conditions {
    uint64_t delay_least; /* microseconds */
    uint64_t delay_most;
    unsigned loss;
    unsigned duplication;
};

struct link_packet {
    uint64_t arrives;
    uint64_t number; /* what arrives at one time arrives in the order in which it was sent */
    enum link_direction direction;
    unsigned port;
    size_t size;
    uint8_t bytes[LINK_PACKET_SIZE];
};

/* A datagram that is lost because the test says so: the next one of this direction and type; for a UTACK the type it
 * acknowledges. */
struct link_loss {
    enum link_direction direction;
    uint8_t type;
    bool is_utack;
    bool is_used;
};

struct link {
    enum usmp_transport transport;
    struct link_conditions conditions;
    struct simulation_random *random;
    struct trace *trace;
    struct link_packet *packets; /* no order */
    size_t count;
    uint64_t next_number;
    uint64_t stream_arrives[2]; /* by direction: nothing overtakes this */
    struct link_loss losses[LINK_LOSSES_MAX];
    size_t loss_count;
};

void link_begin(struct link *link, enum usmp_transport transport, const struct link_conditions *conditions,
                struct simulation_random *random, struct trace *trace);
void link_end(struct link *link);

void link_send(struct link *link, uint64_t now, enum link_direction direction, unsigned port, const uint8_t *bytes,
               size_t size);

void link_lose_next_frame(struct link *link, enum link_direction direction, uint8_t type);
void link_lose_next_utack(struct link *link, enum link_direction direction, uint8_t type);

/* When the next packet arrives; UINT64_MAX when none is under way. */
uint64_t link_next_arrival(const struct link *link);
/* Takes it out. There must be one. */
void link_take(struct link *link, struct link_packet *packet);

#endif
