/* Where a datagram belongs (docs/protocol.md section 4, the table "what the gateway answers").
 *
 * Sessions come before strangers and cheap checks before dear ones (docs/security.md rule 8): size, CRC and type;
 * then the session it could be for. What is for none and belongs to a handshake waits (gateway/strangers.h); its turn
 * brings lockout, pending handshakes, cookie; then the registry and its HMACs.
 */
#ifndef GATEWAY_DATAGRAM_H
#define GATEWAY_DATAGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/shard.h"

void datagram_receive(struct shard *shard, const struct shard_path *path, const uint8_t *bytes, size_t size,
                      struct shard_time now);

#endif
