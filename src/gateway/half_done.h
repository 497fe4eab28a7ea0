/* Handshakes of proved addresses that wait for their HELLO_ACK, over TCP and over UDP, the oldest first.
 *
 * They share `limits.handshakes`. Whoever has enough addresses could take all of those places with handshakes that he
 * never goes on with, and keep every device out for `handshake_timeout`. So when they are all taken, the oldest gives
 * way to a newcomer once it has had HALF_DONE_PATIENCE for its HELLO_ACK: more than the slowest devices on the slowest
 * links take for theirs. Younger ones stay, or a storm of devices would push each other out for ever
 * (docs/design/tcp-strangers.md).
 */
#ifndef GATEWAY_HALF_DONE_H
#define GATEWAY_HALF_DONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/wire.h>

#include "admission/admission.h"
#include "gateway/shard.h"

#define HALF_DONE_PATIENCE UINT64_C(3000000) /* microseconds */

/* A member of struct pending and struct shard_stream. All zeros: not in the list. */
struct half_done {
    struct half_done *older;
    struct half_done *newer;
    uint64_t since; /* when CHALLENGE left first */
    enum usmp_transport transport;
    bool entered;
};

struct half_done_list {
    struct half_done *oldest;
    struct half_done *newest;
    size_t count;
};

/* Takes a place in admission (docs/security.md rule 9). With ADMISSION_WELCOME half_done_enter or
 * admission_handshake_end follows. May end another handshake that is older. */
enum admission_verdict half_done_admit(struct shard *shard, const struct address *peer,
                                       const uint8_t device[USMP_DEVICE_ID_SIZE], struct shard_time now)
    __attribute__((warn_unused_result));

void half_done_enter(struct shard *shard, struct half_done *half_done, enum usmp_transport transport,
                     struct shard_time now);
/* Allowed whether it is in the list or not. */
void half_done_leave(struct shard *shard, struct half_done *half_done);

#endif
