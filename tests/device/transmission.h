/* One frame of ours over UDP: five sends, stop and wait (docs/protocol.md section 4). Times are in microseconds. */
#ifndef TESTS_DEVICE_TRANSMISSION_H
#define TESTS_DEVICE_TRANSMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/era.h"
#include "device/frame.h"

#define STRICT_SENDS_MAX 5u

/* The estimate outlives the frame, and the session too: it belongs to the transport. */
struct strict_transmission {
    bool waits;
    uint8_t type;
    uint32_t seq;
    uint8_t bytes[STRICT_FRAME_MAX];
    size_t size;
    unsigned sends;
    uint64_t sent_first;
    uint64_t deadline;
    uint64_t interval; /* the first one */
    uint64_t smoothed; /* round trip */
    uint64_t variation;
};

void strict_transmission_reset(struct strict_transmission *transmission, const struct strict_era *era);

/* The frame is in `bytes` and has just been sent. */
void strict_transmission_begin(struct strict_transmission *transmission, const struct strict_era *era, uint64_t now);

/* The deadline has passed. False: that was the last of five. True: send it again. */
bool strict_transmission_again(struct strict_transmission *transmission, const struct strict_era *era, uint64_t now);

/* Its UTACK is here. */
void strict_transmission_done(struct strict_transmission *transmission, const struct strict_era *era, uint64_t now);

#endif
