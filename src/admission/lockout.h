/* Failed handshakes of proved addresses, and whom they lock out (docs/security.md rules 7 and 14).
 *
 * Counted are pairs of device and address, addresses, and IPv6 /48s. `lockout_after` failures in a row lock the pair,
 * and the address too while no session from it is live; one with a live session locks at
 * ADMISSION_BUSY_FACTOR times that number, and a /48 at ADMISSION_SITE_LOCK_FACTOR times the number of an address. What
 * is locked is not counted and not locked for longer; afterwards its count is 0.
 *
 * Memory: ADMISSION_FAILURES, allocated once. Of those that are not locked the one that failed longest ago goes. When all
 * are locked, a failure of somebody new is not counted.
 */
#ifndef ADMISSION_LOCKOUT_H
#define ADMISSION_LOCKOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "admission/admission.h"
#include "admission/limiter_key.h"

struct limiter_table;
struct places;

struct lockout {
    struct limiter_table *records;
    uint32_t periods;
};

bool lockout_open(struct lockout *lockout, const uint8_t hash_key[16]) __attribute__((warn_unused_result));
/* Also on one that is all zeros. */
void lockout_close(struct lockout *lockout);

/* `device` NULL: whether the address is locked for everybody. */
bool lockout_concerns(const struct lockout *lockout, const struct address *peer, const uint8_t *device, uint64_t now)
    __attribute__((warn_unused_result));

/* One failure; `device` NULL: nobody has said who it is. `places` tells where sessions are live. */
enum admission_lock lockout_failed(struct lockout *lockout, const struct admission_limits *limits,
                                   const struct places *places, const struct address *peer, const uint8_t *device,
                                   uint64_t now);

/* The device has completed a handshake: what it contributed is taken back, everywhere, and nothing of others. */
void lockout_succeeded(struct lockout *lockout, const struct address *peer, const uint8_t device[LIMITER_DEVICE_SIZE]);

/* How many are locked now. */
size_t lockout_count(const struct lockout *lockout, uint64_t now);

#endif
