/* The peer as a sender: what it has to say, one thing at a time, repeated until it is acknowledged or given up. */
#ifndef FUZZ_PEER_H
#define FUZZ_PEER_H

#include "conversation/conversation.h"

/* A message of this size begins; or what is out is sent once more. */
void peer_says(struct conversation *conversation, size_t size);
/* PING, PONG, BYE or REKEY, if nothing is out. */
void peer_controls(struct conversation *conversation, uint8_t type, uint8_t salt);
void peer_gives_up(struct conversation *conversation);

/* What is out was acknowledged, or over TCP taken. */
void peer_is_acknowledged(struct conversation *conversation);
/* A UTACK of the subject arrives. */
void peer_hears_utack(struct conversation *conversation, uint8_t type, uint32_t seq, unsigned epoch);

/* Dishonest: a frame of any type, seq, size and key; entry in `said`, or -1 when there is no room for it. */
int peer_forges(struct conversation *conversation, uint8_t type, uint32_t seq, size_t size, unsigned epoch);
/* A copy of an entry with a changed payload and a right CRC. */
int peer_spoils(struct conversation *conversation, unsigned entry, uint8_t place);

#endif
