/* Who may start a handshake and have a session: limits, lockouts and budgets (docs/security.md rules 7, 9 to 11, 14,
 * 18).
 *
 * The one table that all workers share, touched by handshakes and by the beginning and end of sessions, never by
 * messages; every call is short, takes the same time however much is in the tables, and is under one lock. Memory is
 * allocated when it is opened and when a reload raises the limits.
 *
 * Addresses are counted as rule 7 says: one IPv4 address, or one IPv6 /64 and, with higher numbers, its /48. No limit or
 * lockout concerns an address in `trusted`.
 *
 * `now` is in microseconds of a monotonic clock. Devices are named by their 6 bytes. Peers need not be normalised.
 */
#ifndef ADMISSION_ADMISSION_H
#define ADMISSION_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/address.h"
#include "platform/address_prefix.h"

#define ADMISSION_FAILURES 16384u    /* entries: an address that failed, its /48, a device id at an address */
#define ADMISSION_COMPLETIONS 32768u /* devices whose completed handshakes are counted */
#define ADMISSION_CHECKED 4096u      /* addresses whose wire 1 checks are counted */
#define ADMISSION_TRUSTED_MAX 256u
#define ADMISSION_SITE_PLACES_FACTOR 16u /* an IPv6 /48 has so many times the places of an address */
#define ADMISSION_BUSY_FACTOR 10u        /* how much later an address or /48 with a live session is locked out */
#define ADMISSION_SITE_LOCK_FACTOR 10u   /* how much later than an address a /48 is locked out */

struct admission_limits {
    uint32_t sessions;
    uint32_t sessions_per_address; /* 0: no limit */
    uint32_t default_psk_sessions;
    uint32_t handshakes;
    uint32_t handshakes_per_address; /* 0: no limit */
    uint32_t lockout_after;          /* failures in a row; 0: never */
    uint64_t lockout;                /* microseconds */
    size_t trusted_count;
    const struct address_prefix *trusted; /* copied */
};

enum admission_verdict {
    ADMISSION_WELCOME,
    ADMISSION_LOCKED_OUT,
    ADMISSION_LIMITED,
};

/* What a failure led to, for the log. */
enum admission_lock {
    ADMISSION_NOT_LOCKED,
    ADMISSION_DEVICE_LOCKED,  /* this device id from this address */
    ADMISSION_ADDRESS_LOCKED, /* the whole address */
    ADMISSION_SITE_LOCKED,    /* its IPv6 /48 */
};

struct admission;

/* NULL when memory is short. `hash_key` is copied. */
struct admission *admission_open(const struct admission_limits *limits, const uint8_t hash_key[16])
    __attribute__((warn_unused_result));
void admission_close(struct admission *admission);

/* Takes over new limits at once. False: memory is short, the old ones stay. */
bool admission_configure(struct admission *admission, const struct admission_limits *limits)
    __attribute__((warn_unused_result));

/* A connection, or a frame that could begin a handshake, from `peer`. `device` may be NULL: not known yet. */
bool admission_is_locked_out(struct admission *admission, const struct address *peer, const uint8_t *device,
                             uint64_t now) __attribute__((warn_unused_result));

/* A proved handshake takes a place. With ADMISSION_WELCOME admission_handshake_end follows. */
enum admission_verdict admission_handshake_begin(struct admission *admission, const struct address *peer,
                                                 const uint8_t device[6], uint64_t now)
    __attribute__((warn_unused_result));
/* What was ADMISSION_LIMITED, was so because all places are taken: one that is given back would be for `peer`. */
bool admission_handshakes_are_taken(struct admission *admission, const struct address *peer)
    __attribute__((warn_unused_result));
void admission_handshake_end(struct admission *admission, const struct address *peer);

/* A handshake of a proved address failed: wrong HMAC or protocol violation. `device` may be NULL. */
enum admission_lock admission_failed(struct admission *admission, const struct address *peer, const uint8_t *device,
                                     uint64_t now);
/* A handshake was completed: forgets the failures that this id contributed at this address. */
void admission_succeeded(struct admission *admission, const struct address *peer, const uint8_t device[6]);

/* A session takes a place. `replaces`: the device's own old session goes in the same moment, so no limit applies.
 * With ADMISSION_WELCOME admission_session_end follows, with the same peer. */
enum admission_verdict admission_session_begin(struct admission *admission, const struct address *peer,
                                               bool uses_default, bool replaces) __attribute__((warn_unused_result));
void admission_session_end(struct admission *admission, const struct address *peer, bool uses_default);

/* A right HELLO_ACK of this device: whether it may become a session (docs/security.md rule 18: ten at once, then one in
 * 2 s). Takes what it allows. False is a refusal by a limit and no failure. Ask between the HMAC and the derivation.
 * When ADMISSION_COMPLETIONS devices are known, the one that completed longest ago is forgotten. */
bool admission_may_complete(struct admission *admission, const uint8_t device[6], uint64_t now)
    __attribute__((warn_unused_result));

/* CHALLENGEs to addresses that are not proved (rules 10 and 11): 200 a second for all of them together. Takes `count`,
 * or none when fewer than `left` would be left. */
bool admission_take_challenges(struct admission *admission, unsigned count, unsigned left, uint64_t now)
    __attribute__((warn_unused_result));
/* So many of them were not sent. */
void admission_give_back_challenges(struct admission *admission, unsigned count);

/* A HELLO_ACK of a handshake that claims to come from `peer` was wrong; to be told once for each handshake. */
void admission_claim_failed(struct admission *admission, const struct address *peer, uint64_t now);
/* Two of them in 60 s: a reason to ask for a cookie (rule 10), and for nothing else, since anybody can cause it. */
bool admission_is_suspect(struct admission *admission, const struct address *peer, uint64_t now)
    __attribute__((warn_unused_result));

/* One more HMAC for a HELLO_ACK of wire 1 from an address that is not proved (rule 10): 32 at once, then 8 a second.
 * When ADMISSION_CHECKED addresses are known, the one that was checked longest ago is forgotten. */
bool admission_may_check(struct admission *admission, const struct address *peer, uint64_t now)
    __attribute__((warn_unused_result));

/* Addresses, /48s and devices that are locked out now. */
size_t admission_lockouts(struct admission *admission, uint64_t now);

#endif
