/* Addresses that failed handshakes have claimed to come from (docs/security.md rule 10).
 *
 * Anybody can claim an address, so this locks nobody out: it is only a reason to ask for a cookie. Memory:
 * CLAIMS_ADDRESSES entries; in a full table the address that was claimed longest ago is forgotten.
 */
#ifndef ADMISSION_CLAIMS_H
#define ADMISSION_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/address.h"

#define CLAIMS_ADDRESSES 4096u
#define CLAIMS_WITHIN UINT64_C(60000000) /* microseconds: two in that time make an address suspect */

struct limiter_table;

struct claims {
    struct limiter_table *addresses;
};

/* False: memory is short. */
bool claims_open(struct claims *claims, const uint8_t hash_key[16]) __attribute__((warn_unused_result));
/* Also on one that is all zeros. */
void claims_close(struct claims *claims);

void claims_note(struct claims *claims, const struct address *peer, uint64_t now);
bool claims_are_suspect(const struct claims *claims, const struct address *peer, uint64_t now)
    __attribute__((warn_unused_result));

#endif
