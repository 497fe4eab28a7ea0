/* What the hub asks of a shard: carry a message to a device, close its session.
 *
 * A command is made by the hub, handed over through the inbox, kept by the shard while it is under way, and handed
 * back through the outbox exactly once with its outcome set; only the hub frees it. So a shard allocates nothing for
 * commands, and how many there can be is bounded where they are made (the hub's budget for each backend).
 * Messages to one device are sent in the order of their commands.
 */
#ifndef SEAM_COMMAND_H
#define SEAM_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

enum seam_operation {
    SEAM_SEND,
    SEAM_CLOSE,
};

enum seam_outcome {
    SEAM_PENDING,        /* with the shard */
    SEAM_SENT_BY_DEVICE, /* the device acknowledged (UDP) */
    SEAM_SENT_BY_SOCKET, /* the kernel has it (TCP) */
    SEAM_CLOSE_DONE,     /* the session ended because of this command */
    SEAM_NOT_CONNECTED,  /* no such session, or not the one that was asked for; also when it ended in waiting */
    SEAM_EXPIRED,        /* the deadline passed, never on the wire */
    SEAM_UNCONFIRMED,    /* was on the wire, may have arrived: the deadline passed or the session ended */
    SEAM_TOO_LARGE,      /* longer than the device takes; `limit` says how long a message may be */
    SEAM_BUSY,           /* too much is waiting for this device */
    SEAM_FORBIDDEN,      /* a wire 1 device, and v1_downlink is off: docs/security.md rule 21 */
};

struct seam_command {
    struct seam_command *next; /* owned by whichever list the command is in */
    enum seam_operation operation;
    enum seam_outcome outcome;
    uint8_t device[6];
    bool session_given; /* only to the session below */
    uint8_t session[16];
    uint64_t deadline;      /* monotonic microseconds; after it the command is handed back */
    const uint8_t *payload; /* of a send; owned by the hub, unchanged until the command is back */
    uint16_t size;          /* bytes, at most SEAM_PAYLOAD_MAX */
    uint16_t limit;         /* set with SEAM_TOO_LARGE */
};

#endif
