#include "gateway/session_events.h"

#include <string.h>

#include "gateway/shard_internal.h"
#include "platform/log.h"

static const char *transport_name(enum usmp_transport transport)
{
    return transport == USMP_UDP ? "udp" : "tcp";
}

static const char *reason_name(enum seam_reason reason)
{
    switch (reason) {
    case SEAM_BYE:
        return "bye";
    case SEAM_TIMEOUT:
        return "timeout";
    case SEAM_REPLACED:
        return "replaced";
    case SEAM_PROTOCOL:
        return "protocol";
    case SEAM_PEER:
        return "peer";
    case SEAM_CLOSED:
        return "closed";
    case SEAM_REVOKED:
        return "revoked";
    case SEAM_SHUTDOWN:
        return "shutdown";
    }
    return "unknown";
}

static struct seam_event event_of(const struct session *session, enum seam_event_kind kind,
                                  const uint8_t session_id[USMP_SESSION_ID_SIZE], int64_t time)
{
    struct seam_event event = {.kind = kind, .backends = session->backends, .time = time};
    memcpy(event.device, session->device, sizeof event.device);
    memcpy(event.session, session_id, sizeof event.session);
    return event;
}

bool session_tell_connected(struct session *session, const struct usmp_session_start *start, struct shard_time now)
{
    struct shard *shard = session->shard;
    struct seam_event event = event_of(session, SEAM_CONNECTED, start->session_id, now.wall);
    event.transport = start->transport == USMP_UDP ? SEAM_UDP : SEAM_TCP;
    event.wire = start->version;
    event.peer = session->peer;
    if (!seam_outbox_append(shard->outbox, &event, NULL)) {
        return false;
    }
    log_write_limited(&shard->log.connected, now.monotonic,
                      LOG_FIELDS(log_device(session->device), log_peer(&session->peer)),
                      "device connected over %s, wire %u", transport_name(start->transport), event.wire);
    shard_watch_limit(shard, &shard->log.connected);
    return true;
}

bool session_tell_message(struct session *session, const uint8_t *bytes, size_t size, struct shard_time now)
{
    struct seam_event event = event_of(session, SEAM_MESSAGE, session->wire.session_id, now.wall);
    event.size = (uint16_t)size;
    return seam_outbox_append(session->shard->outbox, &event, bytes);
}

static void owe(struct session *session, bool untold)
{
    size_t *count = &session->shard->untold_count;
    *count -= session->untold ? 1 : 0;
    *count += untold ? 1 : 0;
    session->untold = untold;
}

void session_tell_disconnected(struct session *session, struct shard_time now)
{
    struct shard *shard = session->shard;
    struct seam_event event = event_of(session, SEAM_DISCONNECTED, session->wire.session_id, session->ended_at);
    event.reason = session->reason;
    bool told = seam_outbox_append(shard->outbox, &event, NULL);
    owe(session, !told);
    if (told) {
        log_write_limited(&shard->log.disconnected, now.monotonic,
                          LOG_FIELDS(log_device(session->device), log_peer(&session->peer),
                                     log_string("reason", reason_name(session->reason))),
                          "device disconnected");
        shard_watch_limit(shard, &shard->log.disconnected);
    }
}

bool session_tell_owed(struct shard *shard, struct shard_time now)
{
    for (struct session *session = shard->newest_session; session != NULL && shard->untold_count > 0;
         session = session->older) {
        if (session->untold) {
            session_tell_disconnected(session, now);
        }
    }
    return shard->untold_count == 0;
}
