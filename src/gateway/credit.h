/* What may be accepted: the shard's credit of each backend, and the devices that get none at the moment (docs/design.md
 * promise 4, docs/security.md rule 22). shard_credit and shard_deny are here.
 */
#ifndef GATEWAY_CREDIT_H
#define GATEWAY_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/session.h"

/* Takes the credit of a message from all of the session's backends. False: there is none, nothing has changed. */
bool credit_take(struct session *session, uint64_t cost) __attribute__((warn_unused_result));

/* Whether one of the backends holds the device back. */
bool credit_is_denied(const struct shard *shard, const uint8_t device[USMP_DEVICE_ID_SIZE], uint32_t backends);

#endif
