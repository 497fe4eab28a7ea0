#include "gateway/unproved_answer.h"

#include <stdbool.h>

#include <usmp/wire.h>

#include "admission/admission.h"
#include "gateway/shard_internal.h"
#include "gateway/unproved.h"

static bool has_live_session(const struct shard *shard, const struct shard_path *path)
{
    for (const struct session *session = session_first_at(shard, path); session != NULL;
         session = session_next_at(session, path)) {
        if (session->live) {
            return true;
        }
    }
    return false;
}

/* The last is no part of rule 10: it spares a device the handshakes that somebody who knows its address and port would
 * push out with others there. */
static bool is_doubtful(const struct shard *shard, const struct shard_path *path, struct shard_time now)
{
    return shard->pending.unproved.count >= UNPROVED_MAX / 2 || has_live_session(shard, path) ||
           admission_is_suspect(shard->admission, &path->peer, now.monotonic) ||
           unproved_at(shard, path) >= UNPROVED_PATH_MAX;
}

enum unproved_answer unproved_answer(struct shard *shard, const struct shard_path *path, uint8_t version,
                                     struct shard_time now)
{
    if (version == USMP_WIRE_1) {
        (void)!admission_take_challenges(shard->admission, 1, 0, now.monotonic);
        return UNPROVED_CHALLENGE;
    }
    if (shard->config->wire.udp_cookie == CONFIG_UDP_COOKIE_ALWAYS || is_doubtful(shard, path, now) ||
        !admission_take_challenges(shard->admission, 1 + UNPROVED_REPEATS, 0, now.monotonic)) {
        return UNPROVED_COOKIE;
    }
    return UNPROVED_CHALLENGE;
}
