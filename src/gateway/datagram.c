#include "gateway/datagram.h"

#include <string.h>

#include <usmp/record.h>

#include "gateway/datagram_handshake.h"
#include "gateway/shard_internal.h"
#include "gateway/strangers.h"
#include "gateway/uplink.h"

static void drop(struct shard *shard, enum shard_drop reason)
{
    shard->counters.dropped[reason]++;
}

static void receive_utack(struct shard *shard, const struct shard_path *path, const uint8_t *bytes, size_t size,
                          struct shard_time now)
{
    for (struct session *session = session_first_at(shard, path), *next; session != NULL; session = next) {
        next = session_next_at(session, path);
        if (uplink_utack(session, bytes, size, now)) {
            return;
        }
    }
    drop(shard, SHARD_DROP_UNKNOWN);
}

/* By the session id in its nonce, so that a device behind a NAT that changed its port is found as well. */
static void receive_record(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                           struct shard_time now)
{
    const uint8_t *session_id = usmp_record_session(frame);
    if (session_id == NULL) {
        drop(shard, SHARD_DROP_UNEXPECTED);
        return;
    }
    uint64_t hash = shard_hash(shard, session_id, USMP_NONCE_SESSION_SIZE);
    for (struct hash_link *link = hash_index_first(&shard->sessions_by_session, hash); link != NULL;
         link = hash_index_next(link)) {
        struct session *session = SESSION_OF(link, by_session);
        if (session->wire.transport == USMP_UDP &&
            memcmp(session->wire.session_id, session_id, USMP_NONCE_SESSION_SIZE) == 0) {
            enum uplink_verdict verdict = uplink_frame(session, frame, path, now);
            (void)verdict;
            return;
        }
    }
    drop(shard, SHARD_DROP_UNKNOWN);
}

static void receive_frame(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                          const uint8_t *bytes, size_t size, struct shard_time now)
{
    switch (frame->type) {
    case USMP_HELLO:
    case USMP_HELLO_ACK:
        if (!datagram_is_late_copy(shard, path, frame, now)) {
            strangers_wait(shard, path, frame, bytes, size, now);
        }
        return;
    case USMP_CHALLENGE:
    case USMP_SESSION_OK:
    case USMP_HELLO_RETRY:
        drop(shard, SHARD_DROP_UNEXPECTED);
        return;
    default:
        receive_record(shard, path, frame, now);
        return;
    }
}

void datagram_receive(struct shard *shard, const struct shard_path *path, const uint8_t *bytes, size_t size,
                      struct shard_time now)
{
    if (size >= USMP_UTACK_PLAIN_SIZE && bytes[0] == USMP_UTACK_MAGIC && bytes[1] == USMP_UTACK_MAGIC) {
        receive_utack(shard, path, bytes, size, now);
        return;
    }
    struct usmp_frame frame;
    switch (usmp_frame_parse_datagram(bytes, size, &frame)) {
    case USMP_FRAME_COMPLETE:
        receive_frame(shard, path, &frame, bytes, size, now);
        return;
    case USMP_FRAME_BAD_CRC:
        drop(shard, SHARD_DROP_CRC);
        return;
    default:
        drop(shard, SHARD_DROP_MALFORMED);
        return;
    }
}
