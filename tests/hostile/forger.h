/* An attacker who knows nobody's secrets and sees nothing, but knows addresses, ports and device ids, and can send from
 * any address: to the gateway in a victim's name, to a victim in the gateway's name, in floods from everywhere. Over TCP,
 * where nothing can be forged, it has hosts of its own. */
#ifndef TESTS_HOSTILE_FORGER_H
#define TESTS_HOSTILE_FORGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hostile/actor.h"

struct simulated_device;
struct story;

#define FORGER_STREAMS 8u
#define FORGER_HELLO_ACK_SEQ 3u /* and above have its HELLO_ACKs, so that they are told from those of devices */

struct forger {
    struct actor actor;
    bool is_there;
    bool spares_devices; /* what it sends to devices would look like the gateway's */
    unsigned favourite;  /* the resident whom it picks every other time */
    bool answers;        /* sends HELLO_ACKs in its victims' names */
    uint64_t pace;       /* microseconds between its steps, at most */
    unsigned burst;      /* datagrams a step, at most */
    struct simulated_device *streams[FORGER_STREAMS];
};

void forger_begin(struct story *story, uint64_t pace, unsigned burst);
/* Its connections are gone. */
void forger_end(struct story *story);

#endif
