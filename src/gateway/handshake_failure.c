#include "gateway/handshake_failure.h"

#include "admission/admission.h"
#include "gateway/shard_internal.h"
#include "platform/authentication_log.h"
#include "platform/log.h"

void handshake_count(struct shard *shard, enum usmp_transport transport, uint8_t version,
                     enum shard_handshake_result result)
{
    shard->counters.handshakes[transport][version - 1][result]++;
}

static const char *reason_of(enum registry_verdict verdict)
{
    switch (verdict) {
    case REGISTRY_UNKNOWN:
        return "unknown_device";
    case REGISTRY_REVOKED:
        return "revoked";
    case REGISTRY_EXPIRED:
        return "expired";
    case REGISTRY_WRONG_WIRE:
        return "wrong_wire";
    case REGISTRY_ACCEPTED:
    case REGISTRY_WRONG_KEY:
        break;
    }
    return "bad_psk";
}

void handshake_failure_is(struct handshake_failure *failure, enum registry_verdict verdict)
{
    failure->result = verdict == REGISTRY_WRONG_KEY ? SHARD_HANDSHAKE_BAD_PSK : SHARD_HANDSHAKE_UNKNOWN_DEVICE;
    failure->reason = reason_of(verdict);
}

void handshake_failure_is_protocol(struct handshake_failure *failure)
{
    failure->result = SHARD_HANDSHAKE_PROTOCOL;
    failure->reason = "protocol";
}

static void count_for_lockout(struct shard *shard, const struct handshake_failure *failure, struct shard_time now)
{
    const uint8_t *device = failure->device_known ? failure->device : NULL;
    switch (admission_failed(shard->admission, &failure->peer, device, now.monotonic)) {
    case ADMISSION_SITE_LOCKED:
        log_write_limited(&shard->log.lockout, now.monotonic, LOG_FIELDS(log_peer(&failure->peer)),
                          "the /48 of this address locked out after too many failed handshakes");
        break;
    case ADMISSION_ADDRESS_LOCKED:
        log_write_limited(&shard->log.lockout, now.monotonic, LOG_FIELDS(log_peer(&failure->peer)),
                          "address locked out after too many failed handshakes");
        break;
    case ADMISSION_DEVICE_LOCKED:
        log_write_limited(&shard->log.lockout, now.monotonic,
                          LOG_FIELDS(log_device(failure->device), log_peer(&failure->peer)),
                          "device locked out at this address after too many failed handshakes");
        break;
    case ADMISSION_NOT_LOCKED:
        break;
    }
    shard_watch_limit(shard, &shard->log.lockout);
}

/* Anybody can make a forged address appear, so these are counted and told in one line an interval, without one. */
static void note_unproved(struct shard *shard, struct shard_time now)
{
    if (shard->unproved_failures++ == 0) {
        shard->unproved_report = now.monotonic + UNPROVED_REPORT_AFTER;
        shard_keep_house_by(shard, shard->unproved_report);
    }
}

void handshake_failed(struct shard *shard, const struct handshake_failure *failure, struct shard_time now)
{
    handshake_count(shard, failure->transport, failure->version, failure->result);
    if (!failure->proved) {
        note_unproved(shard, now);
        return;
    }
    authentication_log_failure(&shard->log.authentication, now.monotonic, failure->device, &failure->peer,
                               failure->reason);
    shard_watch_limit(shard, &shard->log.authentication);
    count_for_lockout(shard, failure, now);
}
