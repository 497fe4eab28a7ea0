/* Where datagrams wait on a microcontroller: in the socket as long as nobody reads, and in the transport's one receive
 * slot. What finds both full is lost. */
#ifndef TESTS_DEVICE_MAILBOX_H
#define TESTS_DEVICE_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/frame.h"

#define STRICT_SOCKET_QUEUE_MAX 6u /* lwIP's usual number a UDP socket */

/* A longer datagram is cut, as recv() into the transport's buffer does. */
struct strict_datagram {
    size_t size;
    uint8_t bytes[STRICT_FRAME_MAX];
};

struct strict_mailbox {
    struct strict_datagram slot;
    bool slot_full;
    struct strict_datagram queue[STRICT_SOCKET_QUEUE_MAX];
    size_t queue_room;
    size_t queue_count;
};

void strict_mailbox_clear(struct strict_mailbox *mailbox, size_t queue_room);

/* False: there was no room. */
bool strict_mailbox_queue(struct strict_mailbox *mailbox, const uint8_t *bytes, size_t size);
bool strict_mailbox_keep(struct strict_mailbox *mailbox, const uint8_t *bytes, size_t size);

/* False: nothing is there. */
bool strict_mailbox_take_slot(struct strict_mailbox *mailbox, struct strict_datagram *out);
bool strict_mailbox_take_queue(struct strict_mailbox *mailbox, struct strict_datagram *out);

#endif
