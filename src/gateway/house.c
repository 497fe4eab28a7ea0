#include "gateway/house.h"

#include "gateway/shard_internal.h"
#include "platform/log.h"

#define REGISTRY_LOOK_AFTER UINT64_C(3600000000) /* microseconds: the wall clock may step, so look now and then */

static const struct shard_log log_limits = {
    .authentication = LOG_LIMIT_INITIALIZER("authentication_failed", LOG_LEVEL_WARN),
    .limited = LOG_LIMIT_INITIALIZER("device_refused", LOG_LEVEL_WARN),
    .connected = LOG_LIMIT_INITIALIZER("device_connected", LOG_LEVEL_INFO),
    .disconnected = LOG_LIMIT_INITIALIZER("device_disconnected", LOG_LEVEL_INFO),
    .lockout = LOG_LIMIT_INITIALIZER("locked_out", LOG_LEVEL_WARN),
};

void house_open(struct shard *shard)
{
    shard->log = log_limits;
    shard->unproved_report = DEADLINE_NEVER;
    shard->registry_look = DEADLINE_NEVER;
    deadline_init(&shard->house, DEADLINE_HOUSE);
}

void shard_keep_house_by(struct shard *shard, uint64_t due)
{
    if (due < shard->house.due) {
        deadlines_set(&shard->deadlines, &shard->house, due);
    }
}

void shard_watch_limit(struct shard *shard, const struct log_limit *limit)
{
    shard_keep_house_by(shard, log_limit_deadline(limit));
}

static void settle_log(struct shard *shard, struct log_limit *limit, uint64_t now)
{
    log_settle(limit, now);
    shard_watch_limit(shard, limit);
}

static void settle_logs(struct shard *shard, uint64_t now)
{
    settle_log(shard, &shard->log.authentication, now);
    settle_log(shard, &shard->log.limited, now);
    settle_log(shard, &shard->log.connected, now);
    settle_log(shard, &shard->log.disconnected, now);
    settle_log(shard, &shard->log.lockout, now);
}

/* Without an address, since anybody can forge one (docs/security.md rule 15). */
static void tell_unproved(struct shard *shard)
{
    if (shard->unproved_failures > 0) {
        log_write(LOG_LEVEL_WARN, LOG_FIELDS(log_number("failures", (int64_t)shard->unproved_failures)),
                  "handshakes from addresses that are not proved failed");
    }
    shard->unproved_failures = 0;
    shard->unproved_report = DEADLINE_NEVER;
}

void house_close(struct shard *shard)
{
    tell_unproved(shard);
    settle_logs(shard, UINT64_MAX);
}

void house_watch_registry(struct shard *shard, struct shard_time now)
{
    shard->registry_expiry = registry_next_expiry(shard->registry, now.wall / 1000000);
    shard->registry_look = DEADLINE_NEVER;
    if (shard->registry_expiry != INT64_MAX) {
        int64_t wait = shard->registry_expiry * 1000000 - now.wall;
        uint64_t delay = wait < 0 ? 0 : (uint64_t)wait;
        shard->registry_look = now.monotonic + (delay < REGISTRY_LOOK_AFTER ? delay : REGISTRY_LOOK_AFTER);
        shard_keep_house_by(shard, shard->registry_look);
    }
}

void house_sweep(struct shard *shard, bool settings_changed, struct shard_time now)
{
    for (struct session *session = shard->newest_session, *older; session != NULL; session = older) {
        older = session->older;
        if (!session->live) {
            continue;
        }
        if (registry_key_still_accepted(shard->registry, session->device, session->key_tag, now.wall / 1000000) !=
            REGISTRY_ACCEPTED) {
            session_end(session, SEAM_REVOKED, now);
        } else if (settings_changed) {
            struct registry_settings settings = registry_settings_of(shard->registry, session->device);
            session_apply_settings(session, &settings);
            (void)!session_run(session, now);
        }
    }
}

void house_due(struct shard *shard, struct shard_time now)
{
    deadlines_set(&shard->deadlines, &shard->house, DEADLINE_NEVER);
    if (shard->unproved_report <= now.monotonic) {
        tell_unproved(shard);
    } else {
        shard_keep_house_by(shard, shard->unproved_report);
    }
    if (shard->registry_look <= now.monotonic) {
        if (shard->registry_expiry <= now.wall / 1000000) {
            house_sweep(shard, false, now);
        }
        house_watch_registry(shard, now);
    } else {
        shard_keep_house_by(shard, shard->registry_look);
    }
    settle_logs(shard, now.monotonic);
}
