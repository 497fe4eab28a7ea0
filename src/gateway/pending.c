#include "gateway/pending.h"

#include <assert.h>
#include <string.h>

#include "admission/admission.h"
#include "gateway/handshake.h"
#include "gateway/handshake_failure.h"
#include "gateway/session_hold.h"
#include "gateway/shard_internal.h"
#include "platform/secret_memory.h"

#define PENDING_OF(link) HASH_INDEX_OBJECT(link, struct pending, by_path)

enum hash_index_result pending_open(struct pending_table *table)
{
    if (!unproved_open(&table->unproved) || hash_index_open(&table->by_path) != HASH_INDEX_OPEN) {
        return HASH_INDEX_NO_MEMORY;
    }
    return hash_index_open(&table->by_device);
}

static void destroy(struct shard *shard, struct pending *pending)
{
    hash_index_remove(&shard->pending.by_path, &pending->by_path);
    hash_index_remove(&shard->pending.by_device, &pending->by_device);
    if (pending->proved) {
        shard->pending.proved_count--;
        half_done_leave(shard, &pending->half_done);
    } else {
        unproved_leave(shard, pending);
    }
    deadlines_set(&shard->deadlines, &pending->deadline, DEADLINE_NEVER);
    deadlines_release(&shard->deadlines);
    usmp_gateway_handshake_wipe(&pending->handshake);
    secret_memory_free(pending);
}

void pending_end_all(struct shard *shard)
{
    struct hash_index *index = &shard->pending.by_path;
    for (size_t bucket = 0; index->buckets != NULL && bucket <= index->mask; bucket++) {
        while (index->buckets[bucket] != NULL) {
            struct pending *pending = PENDING_OF(index->buckets[bucket]);
            if (pending->proved) {
                admission_handshake_end(shard->admission, &pending->peer);
            }
            destroy(shard, pending);
        }
    }
}

void pending_close(struct shard *shard)
{
    pending_end_all(shard);
    hash_index_close(&shard->pending.by_path);
    hash_index_close(&shard->pending.by_device);
    unproved_close(&shard->pending.unproved);
}

static struct pending *same_path(struct hash_link *link, const struct shard_path *path)
{
    while (link != NULL && !address_equal(&PENDING_OF(link)->path.peer, &path->peer)) {
        link = hash_index_next(link);
    }
    return link == NULL ? NULL : PENDING_OF(link);
}

struct pending *pending_first(const struct shard *shard, const struct shard_path *path)
{
    return same_path(hash_index_first(&shard->pending.by_path, shard_hash_path(shard, path)), path);
}

struct pending *pending_next(const struct shard *shard, const struct pending *pending)
{
    (void)shard;
    return same_path(hash_index_next(&pending->by_path), &pending->path);
}

static void schedule(struct shard *shard, struct pending *pending)
{
    uint64_t due = pending->handshake.repeat_due < pending->expires ? pending->handshake.repeat_due : pending->expires;
    deadlines_set(&shard->deadlines, &pending->deadline, due);
}

struct pending *pending_begin(struct shard *shard, const struct shard_path *path, uint8_t version,
                              const struct usmp_hello *hello, bool proved, struct shard_time now)
{
    if (!proved) {
        unproved_make_room(shard, path, now);
    }
    if (!deadlines_reserve(&shard->deadlines)) {
        return NULL;
    }
    struct pending *pending = secret_memory_allocate(sizeof *pending, SECRET_MEMORY_KEYS);
    if (pending == NULL) {
        deadlines_release(&shard->deadlines);
        return NULL;
    }
    pending->path = *path;
    pending->peer = address_normalised(&path->peer);
    pending->proved = proved;
    pending->expires = now.monotonic + shard->config->handshake_timeout;
    deadline_init(&pending->deadline, DEADLINE_PENDING);
    handshake_begin(shard, &pending->handshake, USMP_UDP, version, hello,
                    proved ? PENDING_PROVED_REPEATS : UNPROVED_REPEATS, now);
    hash_index_insert(&shard->pending.by_path, &pending->by_path, shard_hash_path(shard, path));
    hash_index_insert(&shard->pending.by_device, &pending->by_device,
                      shard_hash(shard, hello->device_id, sizeof hello->device_id));
    if (proved) {
        shard->pending.proved_count++;
        half_done_enter(shard, &pending->half_done, USMP_UDP, now);
    } else {
        unproved_enter(shard, pending, now);
    }
    schedule(shard, pending);
    session_hold_begin(shard, pending, now);
    return pending;
}

/* What it saw before may have been forged by anybody. */
void pending_prove(struct shard *shard, struct pending *pending, struct shard_time now)
{
    unproved_leave(shard, pending);
    pending->proved = true;
    pending->saw_wrong = false;
    shard->pending.proved_count++;
    half_done_enter(shard, &pending->half_done, USMP_UDP, now);
    session_hold_begin(shard, pending, now);
}

void pending_challenge(struct shard *shard, const struct pending *pending)
{
    uint8_t frame[USMP_CHALLENGE_FRAME];
    usmp_gateway_handshake_challenge(&pending->handshake, frame);
    shard->ports.send_datagram(shard->ports.context, &pending->path, frame, sizeof frame);
}

void pending_saw_wrong(struct pending *pending, enum registry_verdict wrong)
{
    if (!pending->saw_wrong) {
        pending->saw_wrong = true;
        pending->wrong = wrong;
    }
}

void pending_end(struct shard *shard, struct pending *pending, enum pending_outcome outcome, struct shard_time now)
{
    struct handshake_failure failure = {.transport = USMP_UDP,
                                        .version = pending->handshake.version,
                                        .peer = pending->peer,
                                        .proved = pending->proved,
                                        .device_known = true};
    memcpy(failure.device, pending->handshake.device_id, sizeof failure.device);
    handshake_failure_is(&failure, pending->wrong);
    bool failed = pending->saw_wrong && outcome == PENDING_UNDECIDED;
    struct shard_path path = pending->path;
    if (pending->proved) {
        admission_handshake_end(shard->admission, &pending->peer);
    }
    destroy(shard, pending);
    session_hold_end(shard, &path, now);
    if (failed) {
        handshake_failed(shard, &failure, now);
    }
}

void pending_expire(struct shard *shard, struct pending *pending, struct shard_time now)
{
    if (!pending->saw_wrong) {
        handshake_count(shard, USMP_UDP, pending->handshake.version, SHARD_HANDSHAKE_TIMEOUT);
    }
    pending_end(shard, pending, PENDING_UNDECIDED, now);
}

void pending_due(struct shard *shard, struct pending *pending, struct shard_time now)
{
    if (pending->expires <= now.monotonic) {
        pending_expire(shard, pending, now);
        return;
    }
    if (usmp_gateway_handshake_repeat(&pending->handshake, now.monotonic) &&
        (pending->proved || unproved_may_repeat(shard, pending, now))) {
        pending_challenge(shard, pending);
    }
    schedule(shard, pending);
}

void pending_cancel_older(struct shard *shard, const uint8_t device[USMP_DEVICE_ID_SIZE], uint64_t begun,
                          struct shard_time now)
{
    uint64_t hash = shard_hash(shard, device, USMP_DEVICE_ID_SIZE);
    struct hash_link *link = hash_index_first(&shard->pending.by_device, hash);
    while (link != NULL) {
        struct pending *pending = HASH_INDEX_OBJECT(link, struct pending, by_device);
        link = hash_index_next(link);
        if (pending->handshake.begun <= begun &&
            memcmp(pending->handshake.device_id, device, USMP_DEVICE_ID_SIZE) == 0) {
            pending_end(shard, pending, PENDING_DECIDED, now);
        }
    }
}
