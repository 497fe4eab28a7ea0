#include "gateway/session.h"

#include <assert.h>
#include <string.h>

#include "admission/admission.h"
#include "gateway/credit.h"
#include "gateway/downlink.h"
#include "gateway/session_events.h"
#include "gateway/shard_internal.h"
#include "gateway/stream.h"
#include "platform/secret_memory.h"

static uint64_t hash_of_session(const struct shard *shard, const uint8_t *session_id)
{
    return shard_hash(shard, session_id, USMP_NONCE_SESSION_SIZE);
}

static void enter_path(struct session *session)
{
    struct shard *shard = session->shard;
    hash_index_insert(&shard->sessions_by_path, &session->by_path, shard_hash_path(shard, &session->path));
    session->in_paths = true;
}

static void leave_path(struct session *session)
{
    if (session->in_paths) {
        hash_index_remove(&session->shard->sessions_by_path, &session->by_path);
        session->in_paths = false;
    }
}

/* The tables by which input finds a session. */
static void enter_tables(struct session *session, const struct session_start *start)
{
    hash_index_insert(&session->shard->sessions_by_session, &session->by_session,
                      hash_of_session(session->shard, start->wire->session_id));
    session->in_tables = true;
    if (start->path != NULL) {
        enter_path(session);
    }
}

void session_leave_tables(struct session *session)
{
    leave_path(session);
    if (session->in_tables) {
        hash_index_remove(&session->shard->sessions_by_session, &session->by_session);
        session->in_tables = false;
    }
}

static void enter_list(struct session *session)
{
    struct shard *shard = session->shard;
    session->older = shard->newest_session;
    if (session->older != NULL) {
        session->older->newer = session;
    }
    shard->newest_session = session;
}

static void leave_list(struct session *session)
{
    if (session->older != NULL) {
        session->older->newer = session->newer;
    }
    *(session->newer != NULL ? &session->newer->older : &session->shard->newest_session) = session->older;
}

static void set_up(struct session *session, struct shard *shard, const struct session_start *start,
                   struct shard_time now)
{
    const struct registry_settings *settings = &start->match->settings;
    session->shard = shard;
    session->stream = start->stream;
    session->peer = *start->peer;
    deadline_init(&session->deadline, DEADLINE_SESSION);
    session->uses_default = start->match->uses_default;
    memcpy(session->device, start->device, sizeof session->device);
    registry_key_tag(shard->registry, &start->match->keys[start->matched], session->key_tag);
    session_apply_settings(session, settings);
    session->backends = start->backends;
    session->is_denied = credit_is_denied(shard, start->device, start->backends);
    session->handshake_begun = start->handshake_begun;
    session->last_activity = now.monotonic;
    session->commands_end = &session->commands;
    session->commands_due = DEADLINE_NEVER;
    session->retry_at = DEADLINE_NEVER;
    if (start->path != NULL) {
        session->path = *start->path;
    }
}

static uint64_t *live_counter(const struct session *session)
{
    return &session->shard->counters.sessions[session->wire.transport][session->wire.version - 1];
}

/* The BYE of a session that we closed is repeated until it is acknowledged. Once its device is back at the same address
 * and port, a repeat would meet it in the new session. */
static void end_repeats_of_bye(struct shard *shard, const struct session_start *start)
{
    for (struct session *session = session_first_at(shard, start->path), *next; session != NULL; session = next) {
        next = session_next_at(session, start->path);
        if (session->wire.state == USMP_SESSION_CLOSING &&
            memcmp(session->device, start->device, sizeof session->device) == 0) {
            session_destroy(session);
        }
    }
}

struct session *session_create(struct shard *shard, const struct session_start *start, struct shard_time now)
{
    if (!deadlines_reserve(&shard->deadlines)) {
        return NULL;
    }
    struct session *session = secret_memory_allocate(sizeof *session, SECRET_MEMORY_SESSIONS);
    if (session == NULL) {
        goto no_memory;
    }
    set_up(session, shard, start, now);
    if (start->replaced != NULL) {
        session_end(start->replaced, SEAM_REPLACED, now);
    }
    /* Whatever ended before this begins is told before. */
    if (!session_tell_owed(shard, now) || !session_tell_connected(session, start->wire, now)) {
        goto no_outbox;
    }
    if (start->path != NULL) {
        end_repeats_of_bye(shard, start);
    }
    hash_index_insert(&shard->sessions_by_device, &session->by_device,
                      shard_hash(shard, session->device, sizeof session->device));
    enter_tables(session, start);
    enter_list(session);
    session->live = true;
    shard->session_count++;
    return session;

no_outbox:
    secret_memory_free(session);
no_memory:
    deadlines_release(&shard->deadlines);
    return NULL;
}

void session_begin(struct session *session, const struct usmp_session_start *wire, struct shard_time now)
{
    usmp_session_begin(&session->wire, &session->shard->session_owner, session, wire, now.monotonic);
    (*live_counter(session))++;
}

void session_apply_settings(struct session *session, const struct registry_settings *settings)
{
    session->max_downlink = settings->max_downlink;
    session->timeout = settings->session_timeout == REGISTRY_SESSION_TIMEOUT_GLOBAL
                           ? session->shard->config->session_timeout
                           : settings->session_timeout;
}

struct session *session_find(const struct shard *shard, const uint8_t device[USMP_DEVICE_ID_SIZE])
{
    uint64_t hash = shard_hash(shard, device, USMP_DEVICE_ID_SIZE);
    for (struct hash_link *link = hash_index_first(&shard->sessions_by_device, hash); link != NULL;
         link = hash_index_next(link)) {
        struct session *session = SESSION_OF(link, by_device);
        if (memcmp(session->device, device, USMP_DEVICE_ID_SIZE) == 0) {
            return session;
        }
    }
    return NULL;
}

static struct session *same_peer(struct hash_link *link, const struct shard_path *path)
{
    while (link != NULL && !address_equal(&SESSION_OF(link, by_path)->path.peer, &path->peer)) {
        link = hash_index_next(link);
    }
    return link == NULL ? NULL : SESSION_OF(link, by_path);
}

struct session *session_first_at(const struct shard *shard, const struct shard_path *path)
{
    return same_peer(hash_index_first(&shard->sessions_by_path, shard_hash_path(shard, path)), path);
}

struct session *session_next_at(const struct session *session, const struct shard_path *path)
{
    return same_peer(hash_index_next(&session->by_path), path);
}

enum seam_reason session_reason(enum usmp_end end)
{
    switch (end) {
    case USMP_END_BYE:
        return SEAM_BYE;
    case USMP_END_UNCONFIRMED:
    case USMP_END_GIVEN_UP:
        return SEAM_TIMEOUT;
    case USMP_END_CLOSED:
        return SEAM_CLOSED;
    case USMP_END_NONE:
    case USMP_END_PROTOCOL:
    case USMP_END_EXHAUSTED:
        break;
    }
    return SEAM_PROTOCOL;
}

/* A BYE of the replaced session would meet its device in the middle of the new one; one that broke the protocol, left
 * or is gone hears none. */
static bool hears_bye(enum seam_reason reason)
{
    return reason != SEAM_BYE && reason != SEAM_PROTOCOL && reason != SEAM_PEER && reason != SEAM_REPLACED;
}

void session_end(struct session *session, enum seam_reason reason, struct shard_time now)
{
    struct shard *shard = session->shard;
    assert(session->live);
    session->live = false;
    session->reason = reason;
    session->ended_at = now.wall;
    (void)session_leave_paused(session);
    hash_index_remove(&shard->sessions_by_device, &session->by_device);
    (*live_counter(session))--;
    shard->session_count--;
    shard->lingering_count++;
    admission_session_end(shard->admission, &session->peer, session->uses_default);
    downlink_abandon(session);
    session_tell_disconnected(session, now);
    if (hears_bye(reason) && session->wire.state == USMP_SESSION_LIVE) {
        usmp_session_close(&session->wire, now.monotonic);
    }
    if (session->stream != NULL) {
        stream_close(session->stream);
        session->stream = NULL;
    }
    if (session->in_paths) {
        session_keep_few_lingering(session, now);
    }
    session_linger(session, now);
}

void session_destroy(struct session *session)
{
    struct shard *shard = session->shard;
    if (session->live) {
        downlink_abandon(session);
        (void)session_leave_paused(session);
        hash_index_remove(&shard->sessions_by_device, &session->by_device);
        admission_session_end(shard->admission, &session->peer, session->uses_default);
        shard->session_count--;
    } else {
        shard->lingering_count--;
    }
    shard->untold_count -= session->untold ? 1 : 0;
    session_leave_tables(session);
    leave_list(session);
    deadlines_set(&shard->deadlines, &session->deadline, DEADLINE_NEVER);
    deadlines_release(&shard->deadlines);
    usmp_session_wipe(&session->wire);
    secret_memory_free(session);
}

void session_move(struct session *session, const struct shard_path *path)
{
    leave_path(session);
    session->path = *path;
    session->moved = true;
    enter_path(session);
}
