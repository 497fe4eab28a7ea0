/* An attacker on the path, who sees every datagram and can do anything with it: repeat it, now or later, from where it
 * came or from elsewhere; send it back; change, cut or lengthen it; keep it; acknowledge it. It has no keys. */
#ifndef TESTS_HOSTILE_EAVESDROPPER_H
#define TESTS_HOSTILE_EAVESDROPPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/link.h"
#include "hostile/actor.h"

#define EAVESDROPPER_MEMORY 128u

struct story;

struct eavesdropper {
    struct actor actor;
    bool is_there;
    unsigned swallows;     /* in a thousand datagrams */
    uint64_t pace;         /* microseconds between its steps, at most */
    struct packet *memory; /* EAVESDROPPER_MEMORY of them, the last that it saw */
    size_t seen;
    bool is_sending; /* what it sends itself it does not listen to */
};

void eavesdropper_begin(struct story *story);
/* It sees and does nothing more. */
void eavesdropper_leave(struct story *story);
void eavesdropper_end(struct story *story);

#endif
