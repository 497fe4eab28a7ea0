/* An honest device of a story, libusmp's or, for some, a strict one: connects, says messages, PINGs, changes its keys, resets, roams, hangs up, comes back.
 *
 * Its messages are numbered over all of its lives, and the text follows from device and number alone, so that the witness
 * knows what has to be told. What it receives is kept for the end, see operator.h.
 */
#ifndef TESTS_HOSTILE_RESIDENT_H
#define TESTS_HOSTILE_RESIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/world.h"
#include "hostile/actor.h"

struct story;
struct strict_resident;

struct resident {
    struct actor actor;
    unsigned number; /* of the device, and its place among the residents */
    unsigned host;
    unsigned generation; /* which of its keys it tries */
    enum usmp_transport transport;
    uint16_t port;
    bool sends_little;              /* keeps to short messages */
    struct strict_resident *strict; /* NULL: its device is libusmp's */
    struct simulated_device *end;   /* NULL: none yet */
    uint32_t witnessed;             /* its end, to the witness */
    uint64_t began;                 /* its end; a strict one: when it was idle last */
    uint64_t said;                  /* messages handed to its ends so far */
    uint64_t said_before_peace;
    unsigned rekeys;   /* over all lives */
    unsigned failures; /* to connect, in a row */
};

void resident_settle_in(struct story *story, unsigned number);
/* When the world is closed. */
void resident_move_out(struct resident *resident);
bool resident_is_connected(const struct resident *resident);
/* It is connected, so do backends know, and everything that it said in this life was told; something since the peace,
 * so that the gateway knows where it is now. */
bool resident_is_well(const struct story *story, const struct resident *resident);

/* Begins a new life; the old one is gone without a word. */
void resident_begin(struct story *story, struct resident *resident);
/* A NAT that has forgotten it gives it another port. */
void resident_roam(struct story *story, struct resident *resident);
void resident_vanish(struct story *story, struct resident *resident);
void resident_say(struct story *story, struct resident *resident);
/* Hands what came to the operator's ledger. */
void resident_hand_over(struct story *story, struct resident *resident);

/* The text of a message; returns its size. */
size_t resident_message(unsigned device, uint64_t number, uint8_t bytes[USMP_MESSAGE_MAX]);

#endif
