#include "gateway/uplink.h"

#include <assert.h>

#include "gateway/credit.h"
#include "gateway/downlink.h"
#include "gateway/session_events.h"
#include "gateway/shard_internal.h"
#include "platform/secret_memory.h"

static void count_drop(struct session *session, enum shard_drop drop)
{
    session->shard->counters.dropped[drop]++;
}

/* Only what is newer than all before, and accepted, says where a device is now (docs/security.md rule 20). */
static void follow(struct session *session, const struct shard_path *path)
{
    if (path != NULL && session->wire.newest &&
        (!address_equal(&path->peer, &session->path.peer) || !address_equal(&path->local, &session->path.local) ||
         path->interface != session->path.interface)) {
        session_move(session, path);
    }
}

static enum uplink_verdict refuse(struct session *session, bool for_memory, struct shard_time now)
{
    usmp_session_refuse(&session->wire);
    count_drop(session, SHARD_DROP_NO_ROOM);
    session_pause(session, for_memory, now);
    return UPLINK_NO_ROOM;
}

static enum uplink_verdict offer(struct session *session, const struct shard_path *path, struct shard_time now)
{
    struct shard *shard = session->shard;
    struct usmp_offer message = session->wire.offer;
    uint64_t cost = seam_event_cost(message.size);
    if (!credit_take(session, cost)) {
        return refuse(session, false, now);
    }
    if (!session_tell_message(session, message.bytes, message.size, now)) {
        seam_credit_return(&shard->credit, session->backends, cost);
        return refuse(session, true, now);
    }
    follow(session, path);
    usmp_session_accept(&session->wire, now.monotonic);
    session_touch(session, now);
    shard->counters.messages_up++;
    shard->counters.bytes_up += message.size;
    return UPLINK_DONE;
}

static enum uplink_verdict act(struct session *session, enum usmp_session_verdict verdict,
                               const struct shard_path *path, struct shard_time now)
{
    switch (verdict) {
    case USMP_SESSION_OFFER:
        return offer(session, path, now);
    case USMP_SESSION_NOTHING:
    case USMP_SESSION_SENT:
        if (session->wire.fresh) {
            follow(session, path);
            session_touch(session, now);
        }
        return UPLINK_DONE;
    case USMP_SESSION_NOT_NOW:
        count_drop(session, SHARD_DROP_NO_ROOM);
        session_pause(session, true, now);
        return UPLINK_NO_ROOM;
    case USMP_SESSION_DUPLICATE:
    case USMP_SESSION_WAITING:
        count_drop(session, SHARD_DROP_DUPLICATE);
        return UPLINK_DONE;
    case USMP_SESSION_NOT_AUTHENTIC:
        count_drop(session, SHARD_DROP_NOT_AUTHENTIC);
        return UPLINK_DONE;
    case USMP_SESSION_UNEXPECTED:
        count_drop(session, SHARD_DROP_UNEXPECTED);
        return UPLINK_DONE;
    case USMP_SESSION_OVER:
        session_end(session, session_reason(session->wire.end), now);
        return UPLINK_ENDED;
    }
    return UPLINK_DONE;
}

/* Lingering: libusmp still answers copies of BYE, and takes nothing else. */
static enum uplink_verdict frame_for_lingering(struct session *session, const struct usmp_frame *frame,
                                               struct shard_time now)
{
    struct shard *shard = session->shard;
    enum usmp_session_verdict verdict = usmp_session_receive(&session->wire, frame, shard->scratch, now.monotonic);
    assert(verdict != USMP_SESSION_OFFER);
    (void)verdict;
    (void)!session_run(session, now);
    return UPLINK_ENDED;
}

enum uplink_verdict uplink_frame(struct session *session, const struct usmp_frame *frame, const struct shard_path *path,
                                 struct shard_time now)
{
    struct shard *shard = session->shard;
    if (!session->live) {
        return frame_for_lingering(session, frame, now);
    }
    enum usmp_session_verdict verdict = usmp_session_receive(&session->wire, frame, shard->scratch, now.monotonic);
    enum uplink_verdict result = act(session, verdict, path, now);
    if (result == UPLINK_ENDED) {
        return result;
    }
    return session_run(session, now) ? result : UPLINK_ENDED;
}

bool uplink_utack(struct session *session, const uint8_t *bytes, size_t size, struct shard_time now)
{
    switch (usmp_session_receive_utack(&session->wire, bytes, size, now.monotonic)) {
    case USMP_SESSION_SENT:
        if (session->live) {
            downlink_acknowledged(session);
        }
        break;
    case USMP_SESSION_NOT_AUTHENTIC:
    case USMP_SESSION_UNEXPECTED:
        return false;
    default: /* that its wire is over now, session_run sees */
        break;
    }
    (void)!session_run(session, now);
    return true;
}
