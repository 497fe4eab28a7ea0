/* The device of a resident who has one of the C core's kind (device/device.h), which knows nothing of libusmp: a blocking
 * library under a main loop that reads, speaks, and starts over.
 *
 * Its eras have habits that no gateway can help, so less is asked of it: what it acknowledged it may lose before its
 * application reads it, and one that takes a sequence number again after it gave up a message may lose the next one.
 */
#ifndef TESTS_HOSTILE_STRICT_RESIDENT_H
#define TESTS_HOSTILE_STRICT_RESIDENT_H

#include <stdbool.h>

#include "device/device.h"

struct resident;
struct story;

struct strict_resident {
    struct strict_device device;
    struct strict_owner owner;
    struct story *story;
    struct resident *resident;
    const struct strict_era *era;
    const struct strict_port *port;
    unsigned unsent; /* messages in a row; its owner starts it anew after UNSENT_MAX */
    bool is_saying;  /* the operation under way is a message of its application */
};

/* NULL: its wire has no such device. Freed with strict_resident_close. */
struct strict_resident *strict_resident_open(struct story *story, struct resident *resident);
void strict_resident_close(struct strict_resident *strict);

/* A new life at the resident's address. */
void strict_resident_begin(struct strict_resident *strict);
bool strict_resident_is_connected(const struct strict_resident *strict);
bool strict_resident_is_idle(const struct strict_resident *strict);
/* One turn of its main loop. */
void strict_resident_turn(struct strict_resident *strict);

#endif
