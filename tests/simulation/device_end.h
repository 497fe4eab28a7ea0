/* One device in the simulation: connects, and is told to do things. A new attempt comes from a new port. */
#ifndef TESTS_SIMULATION_DEVICE_END_H
#define TESTS_SIMULATION_DEVICE_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/device.h>

#include "simulation/application.h"
#include "simulation/blocks.h"
#include "simulation/link.h"
#include "simulation/random.h"
#include "simulation/stream_buffer.h"
#include "simulation/trace.h"

struct device_end {
    struct usmp_device_start start; /* private key: drawn for each attempt */
    struct application application;
    struct link *link;
    struct simulation_random *random;
    struct trace *trace;
    struct blocks *blocks;
    uint64_t now;
    struct usmp_session_owner owner;
    bool is_active;
    struct usmp_device device;
    unsigned port;
    struct stream_buffer stream;
    uint64_t feed_at;
};

void device_end_begin(struct device_end *device, const struct usmp_device_start *start, struct link *link,
                      struct simulation_random *random, struct trace *trace, struct blocks *blocks);
void device_end_end(struct device_end *device);

/* A new attempt; whatever was before is forgotten without a word, as by a reset. */
void device_end_connect(struct device_end *device, uint64_t now);
/* The network gives it another port in the middle of a session. */
void device_end_change_port(struct device_end *device, uint64_t now);

void device_end_receive(struct device_end *device, const struct link_packet *packet, uint64_t now);

bool device_end_is_connected(const struct device_end *device);
bool device_end_can_send(const struct device_end *device);
/* `bytes` must stay until it is acknowledged, cancelled or the session has ended. */
void device_end_send(struct device_end *device, const uint8_t *bytes, size_t size, uint64_t now);
void device_end_cancel(struct device_end *device, uint64_t now);
void device_end_ping(struct device_end *device, uint64_t now);
void device_end_rekey(struct device_end *device, uint64_t now);
void device_end_close(struct device_end *device, uint64_t now);

uint64_t device_end_deadline(const struct device_end *device);
void device_end_advance(struct device_end *device, uint64_t now);

#endif
