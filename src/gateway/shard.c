#include "gateway/shard.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/siphash.h"
#include "gateway/datagram.h"
#include "gateway/downlink.h"
#include "gateway/house.h"
#include "gateway/pending.h"
#include "gateway/session_hold.h"
#include "gateway/session_owner.h"
#include "gateway/shard_internal.h"
#include "gateway/stream.h"
#include "platform/secret_memory.h"

uint64_t shard_hash(const struct shard *shard, const void *bytes, size_t size)
{
    return crypto_siphash(shard->hash_key, bytes, size);
}

uint64_t shard_hash_path(const struct shard *shard, const struct shard_path *path)
{
    return shard_hash(shard, &path->peer, sizeof path->peer);
}

static bool open_tables(struct shard *shard)
{
    return hash_index_open(&shard->sessions_by_device) == HASH_INDEX_OPEN &&
           hash_index_open(&shard->sessions_by_session) == HASH_INDEX_OPEN &&
           hash_index_open(&shard->sessions_by_path) == HASH_INDEX_OPEN &&
           pending_open(&shard->pending) == HASH_INDEX_OPEN && stream_open_table(&shard->streams) == HASH_INDEX_OPEN &&
           key_pairs_open(&shard->key_pairs) && sightings_open(&shard->sightings) &&
           strangers_open(&shard->strangers) && deadlines_reserve(&shard->deadlines) && /* house */
           deadlines_reserve(&shard->deadlines);                                        /* unproved */
}

static bool open_secrets(struct shard *shard)
{
    shard->cookie_secret = secret_memory_allocate(sizeof *shard->cookie_secret, SECRET_MEMORY_KEYS);
    if (shard->cookie_secret == NULL) {
        return false;
    }
    uint8_t bytes[USMP_COOKIE_SECRET_SIZE];
    shard->ports.random(shard->ports.context, bytes, sizeof bytes);
    usmp_cookie_secret_init(shard->cookie_secret, bytes);
    secret_memory_wipe(bytes, sizeof bytes);
    shard->ports.random(shard->ports.context, shard->hash_key, sizeof shard->hash_key);
    return true;
}

struct shard *shard_open(const struct shard_options *options, struct shard_time now)
{
    struct shard *shard = secret_memory_allocate(sizeof *shard, SECRET_MEMORY_SESSIONS);
    if (shard == NULL) {
        return NULL;
    }
    shard->registry = registry_retain(options->registry);
    shard->admission = options->admission;
    shard->outbox = options->outbox;
    shard->ports = *options->ports;
    shard->session_owner = session_owner(shard);
    house_open(shard);
    shard->config = options->config;
    if (!open_tables(shard) || !open_secrets(shard)) {
        shard_close(shard);
        return NULL;
    }
    house_watch_registry(shard, now);
    return shard;
}

void shard_close(struct shard *shard)
{
    if (shard == NULL) {
        return;
    }
    house_close(shard);
    while (shard->newest_session != NULL) {
        session_destroy(shard->newest_session);
    }
    stream_close_all(shard);
    pending_close(shard);
    hash_index_close(&shard->sessions_by_device);
    hash_index_close(&shard->sessions_by_session);
    hash_index_close(&shard->sessions_by_path);
    key_pairs_close(&shard->key_pairs);
    sightings_close(&shard->sightings);
    strangers_close(&shard->strangers);
    deadlines_close(&shard->deadlines);
    secret_memory_free(shard->cookie_secret);
    registry_release(shard->registry);
    secret_memory_free(shard);
}

void shard_datagram(struct shard *shard, const struct shard_path *path, const uint8_t *bytes, size_t size,
                    struct shard_time now)
{
    shard->answer_path = path;
    datagram_receive(shard, path, bytes, size, now);
    shard->answer_path = NULL;
    secret_memory_wipe(shard->scratch, sizeof shard->scratch);
}

void shard_command(struct shard *shard, struct seam_command *command, struct shard_time now)
{
    struct session *session = session_find(shard, command->device);
    if (session == NULL ||
        (command->session_given && memcmp(command->session, session->wire.session_id, USMP_SESSION_ID_SIZE) != 0)) {
        seam_outbox_finish(shard->outbox, command, SEAM_NOT_CONNECTED);
        return;
    }
    switch (command->operation) {
    case SEAM_SEND:
        downlink_queue(session, command);
        (void)!session_run(session, now);
        return;
    case SEAM_CLOSE:
        session_end(session, SEAM_CLOSED, now);
        seam_outbox_finish(shard->outbox, command, SEAM_CLOSE_DONE);
        return;
    }
}

void shard_reload(struct shard *shard, const struct config *config, struct registry *registry, struct shard_time now)
{
    struct registry *old = shard->registry;
    shard->registry = registry_retain(registry);
    registry_release(old);
    shard->config = config;
    house_sweep(shard, true, now);
    house_watch_registry(shard, now);
}

void shard_drain(struct shard *shard, struct shard_time now)
{
    shard->draining = true;
    for (struct session *session = shard->newest_session, *older; session != NULL; session = older) {
        older = session->older;
        if (session->live) {
            session_end(session, SEAM_SHUTDOWN, now);
        }
    }
    for (struct shard_stream *stream = shard->streams.newest, *older; stream != NULL; stream = older) {
        older = stream->older;
        stream_close(stream);
    }
    pending_end_all(shard);
    session_hold_end_all(shard, now);
}

/* What only answers late copies is not worth waiting for. */
bool shard_is_drained(const struct shard *shard)
{
    for (const struct session *session = shard->newest_session; session != NULL; session = session->older) {
        if (session->live || session->untold || session->wire.state == USMP_SESSION_CLOSING) {
            return false;
        }
    }
    return true;
}

uint64_t shard_deadline(const struct shard *shard)
{
    const struct deadline *first = deadlines_first(&shard->deadlines);
    return first == NULL ? SHARD_NEVER : first->due;
}

static void run(struct shard *shard, struct deadline *deadline, struct shard_time now)
{
    switch ((enum deadline_kind)deadline->kind) {
    case DEADLINE_SESSION:
        (void)!session_run(HASH_INDEX_OBJECT(deadline, struct session, deadline), now);
        return;
    case DEADLINE_PENDING:
        pending_due(shard, HASH_INDEX_OBJECT(deadline, struct pending, deadline), now);
        return;
    case DEADLINE_STREAM:
        stream_due(HASH_INDEX_OBJECT(deadline, struct shard_stream, deadline), now);
        return;
    case DEADLINE_UNPROVED:
        unproved_due(shard, now);
        return;
    case DEADLINE_HOUSE:
        house_due(shard, now);
        return;
    }
}

void shard_advance(struct shard *shard, struct shard_time now)
{
    struct deadline *first;
    while ((first = deadlines_first(&shard->deadlines)) != NULL && first->due <= now.monotonic) {
        run(shard, first, now);
    }
}

bool shard_strangers(struct shard *shard, struct shard_time now)
{
    bool more = strangers_work(shard, now);
    secret_memory_wipe(shard->scratch, sizeof shard->scratch);
    return more;
}

bool shard_idle(struct shard *shard, struct shard_time now)
{
    return key_pairs_make(&shard->key_pairs, shard->ports.random, shard->ports.context, now.monotonic);
}

const struct shard_counters *shard_counters(const struct shard *shard)
{
    return &shard->counters;
}

size_t shard_session_count(const struct shard *shard)
{
    return shard->session_count;
}
