/* A registered device whose SDK was patched: it has a right key and uses it as it likes. It floods, changes its keys
 * without end, sends control frames in storms, begins messages that it never ends, goes on after BYE, skips and repeats
 * sequence numbers, acknowledges nothing, reconnects many times a second, stops in the middle of handshakes. */
#ifndef TESTS_HOSTILE_RENEGADE_H
#define TESTS_HOSTILE_RENEGADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostile/actor.h"

struct simulated_device;
struct story;

struct renegade {
    struct actor actor;
    unsigned number; /* of the device */
    uint16_t port;
    uint64_t pace;
    struct simulated_device *end;
    uint32_t witnessed;
    uint32_t seq; /* of its next frame that libusmp does not write */
    bool is_raw;  /* libusmp writes none any more */
    bool is_deaf; /* acknowledges nothing */
};

void renegade_begin(struct story *story, unsigned index);
void renegade_end(struct story *story, struct renegade *renegade);

#endif
