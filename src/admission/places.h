/* Places for proved handshakes and for sessions: in all, by address, by IPv6 /48, and for devices without a key of
 * their own (docs/security.md rules 7, 9).
 *
 * What is taken is given back with the same peer. Memory: one entry for each network with something alive, and room for
 * as many as the limits allow to be alive; with PLACES_NETWORKS_MAX in use further networks are refused.
 */
#ifndef ADMISSION_PLACES_H
#define ADMISSION_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "admission/admission.h"
#include "admission/limiter_key.h"

#define PLACES_NETWORKS_MAX (UINT32_C(1) << 22)

struct limiter_table;

struct places {
    struct limiter_table *networks;
    uint32_t sessions;
    uint32_t default_psk_sessions;
    uint32_t handshakes;
};

/* All zeros at first. Makes the table large enough for these limits, with all that is in it. False: memory is short,
 * nothing has changed. */
bool places_configure(struct places *places, const struct admission_limits *limits, const uint8_t hash_key[16])
    __attribute__((warn_unused_result));
void places_close(struct places *places);

/* `trusted`: no limit of its address concerns the peer. */
/* Whether a handshake finds no place for no other reason than that all are taken: its own networks have one for it. */
bool places_are_taken(const struct places *places, const struct admission_limits *limits, const struct address *peer,
                      bool trusted) __attribute__((warn_unused_result));

bool places_take_handshake(struct places *places, const struct admission_limits *limits, const struct address *peer,
                           bool trusted) __attribute__((warn_unused_result));
void places_give_handshake(struct places *places, const struct address *peer);

/* `replaces`: its device gives back a place in the same moment, so no limit concerns it. */
bool places_take_session(struct places *places, const struct admission_limits *limits, const struct address *peer,
                         bool trusted, bool uses_default, bool replaces) __attribute__((warn_unused_result));
void places_give_session(struct places *places, const struct address *peer, bool uses_default);

/* Whether a session from that network is live. */
bool places_has_session(const struct places *places, const struct limiter_key *network);

#endif
