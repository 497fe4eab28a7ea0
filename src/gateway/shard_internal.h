/* The inside of a shard: for the files of this room only. Each part has its own header; here is what they share. */
#ifndef GATEWAY_SHARD_INTERNAL_H
#define GATEWAY_SHARD_INTERNAL_H

#include <usmp/cookie.h>
#include <usmp/session.h>

#include "config/config.h"
#include "gateway/counters.h"
#include "gateway/half_done.h"
#include "gateway/hash_index.h"
#include "gateway/key_pairs.h"
#include "gateway/pending.h"
#include "gateway/routes.h"
#include "gateway/session.h"
#include "gateway/shard.h"
#include "gateway/sightings.h"
#include "gateway/strangers.h"
#include "gateway/stream.h"
#include "platform/deadlines.h"
#include "platform/log_limit.h"
#include "registry/registry.h"

/* Whose member a struct deadline is. */
enum deadline_kind {
    DEADLINE_SESSION,
    DEADLINE_PENDING,
    DEADLINE_STREAM,
    DEADLINE_UNPROVED, /* of all unproved handshakes together */
    DEADLINE_HOUSE,    /* what the shard does for itself, see shard_keep_house_by */
};

/* Messages that outsiders can cause have a limit each. */
struct shard_log {
    struct log_limit authentication;
    struct log_limit limited;
    struct log_limit connected;
    struct log_limit disconnected;
    struct log_limit lockout;
};

struct shard {
    const struct config *config; /* borrowed until the next reload */
    struct registry *registry;
    struct admission *admission;
    struct seam_outbox *outbox;
    struct shard_ports ports;
    struct usmp_session_owner session_owner;
    struct usmp_cookie_secret *cookie_secret; /* in secret memory */
    uint8_t hash_key[16];
    struct seam_credit credit;
    struct seam_denied denied;
    struct deadlines deadlines;
    struct deadline house;
    int64_t registry_expiry;    /* wall clock seconds of the next `until`; INT64_MAX: none */
    uint64_t registry_look;     /* when to look whether it has come; DEADLINE_NEVER: not at all */
    uint64_t unproved_failures; /* not reported yet */
    uint64_t unproved_report;   /* when they will be; DEADLINE_NEVER: there are none */
    struct hash_index sessions_by_device;
    struct hash_index sessions_by_session;
    struct hash_index sessions_by_path;
    struct session *newest_session;
    size_t session_count; /* live */
    size_t lingering_count;
    size_t untold_count;
    struct session *paused_first;
    struct session *paused_last;
    struct pending_table pending;
    struct stream_table streams;
    struct key_pairs key_pairs;
    struct sightings sightings;
    struct strangers strangers;
    struct half_done_list half_done;
    struct shard_counters counters;
    struct shard_log log;
    bool draining;
    /* Of the call that is under way: */
    const struct shard_path *answer_path; /* where the datagram came from, so where its UTACK goes */
    enum shard_written stream_written;    /* what the last write to a stream said */
    uint8_t scratch[USMP_PLAINTEXT_MAX];  /* plaintexts; wiped at the end of every call that opened any */
};

#define UNPROVED_REPORT_AFTER UINT64_C(60000000) /* microseconds: failures of unproved addresses, in one line */

/* The shard's own deadline comes no later than `due`. */
void shard_keep_house_by(struct shard *shard, uint64_t due);

/* What a limited message has held back is told when it is due. To be called whenever one was written. */
void shard_watch_limit(struct shard *shard, const struct log_limit *limit);

/* Keyed hashes for the tables. */
uint64_t shard_hash(const struct shard *shard, const void *bytes, size_t size);
uint64_t shard_hash_path(const struct shard *shard, const struct shard_path *path);

#endif
