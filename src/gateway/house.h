/* What a shard does for itself from time to time: tells what the limits on log lines held back, tells how many unproved
 * handshakes failed, looks whether the `until` of a key has come.
 *
 * One deadline for all of it, which shard_keep_house_by brings forward; no wake-up while there is nothing to tell.
 */
#ifndef GATEWAY_HOUSE_H
#define GATEWAY_HOUSE_H

#include <stdbool.h>

#include "gateway/shard.h"

void house_open(struct shard *shard);
/* Tells what has not been told yet. */
void house_close(struct shard *shard);

/* Finds out when the next `until` comes: at the start and after a reload. Walks all keys. */
void house_watch_registry(struct shard *shard, struct shard_time now);

/* Closes every session whose key is not accepted any more (docs/security.md rule 3), and lets the others take over what
 * their entries say now if `settings_changed`. */
void house_sweep(struct shard *shard, bool settings_changed, struct shard_time now);

/* Its deadline came. */
void house_due(struct shard *shard, struct shard_time now);

#endif
