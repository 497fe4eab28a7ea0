#include "gateway/handshake.h"

#include <string.h>

#include <usmp/utack.h>

#include "admission/admission.h"
#include "gateway/handshake_failure.h"
#include "gateway/pending.h"
#include "gateway/shard_internal.h"
#include "platform/log.h"
#include "platform/secret_memory.h"
#include "seam/event.h"

void handshake_begin(struct shard *shard, struct usmp_gateway_handshake *handshake, enum usmp_transport transport,
                     uint8_t version, const struct usmp_hello *hello, unsigned repeats, struct shard_time now)
{
    struct usmp_gateway_secrets secrets;
    struct key_pair pair;
    key_pairs_take(&shard->key_pairs, shard->ports.random, shard->ports.context, now.monotonic, &pair);
    memcpy(secrets.private_key, pair.private_key, sizeof secrets.private_key);
    memcpy(secrets.public_key, pair.public_key, sizeof secrets.public_key);
    shard->ports.random(shard->ports.context, secrets.nonce, sizeof secrets.nonce);
    shard->ports.random(shard->ports.context, secrets.session_id, sizeof secrets.session_id);
    strangers_spend(shard, STRANGER_COST_CHALLENGE);
    usmp_gateway_handshake_begin(handshake, transport, version, hello, &secrets, repeats, now.monotonic);
    handshake->begun = shard->strangers.hello_came;
    secret_memory_wipe(&pair, sizeof pair);
    secret_memory_wipe(&secrets, sizeof secrets);
}

bool handshake_takes_wire(const struct shard *shard, uint8_t version)
{
    return (registry_wires(shard->registry) & REGISTRY_WIRE_BIT(version)) != 0;
}

static void refuse_limited(struct shard *shard, const struct usmp_gateway_handshake *handshake,
                           const struct handshake_peer *peer, const char *what, struct shard_time now)
{
    handshake_count(shard, handshake->transport, handshake->version, SHARD_HANDSHAKE_LIMITED);
    log_write_limited(&shard->log.limited, now.monotonic,
                      LOG_FIELDS(log_device(handshake->device_id), log_peer(peer->address), log_string("limit", what)),
                      "device refused");
    shard_watch_limit(shard, &shard->log.limited);
}

/* Everything a session takes, in the order in which it can be given back. */
struct admitted {
    uint32_t backends;
    struct session *replaced;
};

#define SESSION_CREDIT (2 * seam_event_cost(0)) /* its `connected` and, kept for later, its `disconnected` */

static void give_back(struct shard *shard, const struct admitted *admitted, const struct handshake_peer *peer,
                      const struct registry_match *match)
{
    admission_session_end(shard->admission, peer->address, match->uses_default);
    seam_credit_return(&shard->credit, admitted->backends, SESSION_CREDIT);
}

/* Everything that may refuse it, the dear key exchange left out. A device's own rate comes last (docs/security.md rule
 * 18): what is refused for another reason does not count for it. */
static bool admit(struct shard *shard, const struct usmp_gateway_handshake *handshake,
                  const struct handshake_peer *peer, const struct registry_match *match, struct shard_time now,
                  struct admitted *admitted)
{
    struct session *old = session_find(shard, handshake->device_id);
    if (old != NULL && old->handshake_begun > handshake->begun) {
        refuse_limited(shard, handshake, peer, "a younger session is there", now);
        return false;
    }
    uint32_t backends = routes_of(shard->config, handshake->device_id);
    if (backends == 0) {
        refuse_limited(shard, handshake, peer, "no backend takes this device", now);
        return false;
    }
    if (!seam_credit_take(&shard->credit, backends, SESSION_CREDIT)) {
        refuse_limited(shard, handshake, peer, "no room in the queue of a backend", now);
        return false;
    }
    if (admission_session_begin(shard->admission, peer->address, match->uses_default, old != NULL) !=
        ADMISSION_WELCOME) {
        seam_credit_return(&shard->credit, backends, SESSION_CREDIT);
        refuse_limited(shard, handshake, peer, "sessions", now);
        return false;
    }
    *admitted = (struct admitted){.backends = backends, .replaced = old};
    if (!admission_may_complete(shard->admission, handshake->device_id, now.monotonic)) {
        give_back(shard, admitted, peer, match);
        refuse_limited(shard, handshake, peer, "handshakes of this device", now);
        return false;
    }
    return true;
}

static enum usmp_cipher cipher_of(const struct registry_settings *settings, uint8_t version)
{
    if (version == USMP_WIRE_1 || settings->cipher == REGISTRY_CIPHER_AES_256_GCM) {
        return USMP_CIPHER_AES_256_GCM;
    }
    return settings->cipher == REGISTRY_CIPHER_AUTO ? USMP_CIPHER_AUTO : USMP_CIPHER_CHACHA20_POLY1305;
}

static bool may_send(const struct shard *shard, const struct registry_settings *settings, uint8_t version)
{
    if (version != USMP_WIRE_1) {
        return true;
    }
    return settings->v1_downlink == REGISTRY_V1_DOWNLINK_GLOBAL ? shard->config->wire.v1_downlink
                                                                : settings->v1_downlink == REGISTRY_V1_DOWNLINK_ON;
}

/* Devices look for it before SESSION_OK. */
static void acknowledge(struct shard *shard, const struct handshake_peer *peer)
{
    if (peer->path != NULL) {
        uint8_t utack[USMP_UTACK_PLAIN_SIZE];
        size_t size = usmp_utack_write_plain(USMP_HELLO_ACK, peer->seq, utack);
        shard->ports.send_datagram(shard->ports.context, peer->path, utack, size);
    }
}

static enum handshake_outcome complete(struct shard *shard, struct usmp_gateway_handshake *handshake,
                                       const struct usmp_hello_ack *hello_ack, const struct handshake_peer *peer,
                                       const struct registry_match *match, size_t matched, struct shard_time now,
                                       struct handshake_end *end)
{
    struct admitted admitted;
    if (!admit(shard, handshake, peer, match, now, &admitted)) {
        return HANDSHAKE_REFUSED;
    }
    enum usmp_transport transport = handshake->transport;
    uint8_t version = handshake->version;
    uint64_t begun = handshake->begun;
    uint8_t device[USMP_DEVICE_ID_SIZE];
    memcpy(device, handshake->device_id, sizeof device);

    strangers_spend(shard, STRANGER_COST_SESSION);
    struct usmp_psk psk;
    _Static_assert(sizeof psk == sizeof match->keys[0], "registry/match.h and usmp/psk.h keep the same state");
    memcpy(&psk, &match->keys[matched], sizeof psk);
    struct usmp_session_start wire;
    enum usmp_handshake_completion completion = usmp_gateway_handshake_complete(handshake, hello_ack, &psk, &wire);
    secret_memory_wipe(&psk, sizeof psk);
    if (completion == USMP_HANDSHAKE_REFUSED) {
        give_back(shard, &admitted, peer, match);
        return HANDSHAKE_FORGED;
    }
    wire.cipher = cipher_of(&match->settings, version);
    wire.may_send = may_send(shard, &match->settings, version);
    wire.confirm_within = shard->config->handshake_timeout;
    struct session *created = session_create(shard,
                                             &(struct session_start){.path = peer->path,
                                                                     .stream = peer->stream,
                                                                     .peer = peer->address,
                                                                     .device = device,
                                                                     .match = match,
                                                                     .matched = matched,
                                                                     .handshake_begun = begun,
                                                                     .backends = admitted.backends,
                                                                     .replaced = admitted.replaced,
                                                                     .wire = &wire},
                                             now);
    if (created != NULL) {
        acknowledge(shard, peer);
        session_begin(created, &wire, now);
    }
    secret_memory_wipe(&wire, sizeof wire);
    if (created == NULL) {
        give_back(shard, &admitted, peer, match);
        handshake_count(shard, transport, version, SHARD_HANDSHAKE_LIMITED);
        return HANDSHAKE_REFUSED;
    }
    handshake_count(shard, transport, version, SHARD_HANDSHAKE_OK);
    admission_succeeded(shard->admission, peer->address, device);
    end->session = created;
    return HANDSHAKE_SESSION;
}

enum handshake_outcome handshake_finish(struct shard *shard, struct usmp_gateway_handshake *handshake,
                                        const struct usmp_hello_ack *hello_ack, const struct handshake_peer *peer,
                                        struct shard_time now, struct handshake_end *end)
{
    if (handshake->checks >= USMP_HANDSHAKE_CHECKS_MAX) {
        return HANDSHAKE_SPENT;
    }
    strangers_spend(shard, STRANGER_COST_CHECK);
    struct registry_match match;
    registry_lookup(shard->registry, handshake->device_id, handshake->version, now.wall / 1000000, &match);
    struct usmp_psk keys[REGISTRY_CANDIDATES];
    _Static_assert(sizeof keys == sizeof match.keys, "registry/match.h and usmp/psk.h keep the same state");
    memcpy(keys, match.keys, sizeof keys);

    size_t matched = REGISTRY_CANDIDATES;
    enum usmp_handshake_verdict verdict =
        usmp_gateway_handshake_verify(handshake, hello_ack, keys, REGISTRY_CANDIDATES, &matched);
    secret_memory_wipe(keys, sizeof keys);
    (void)verdict; /* RIGHT or WRONG, as `matched` says too */

    enum handshake_outcome outcome = HANDSHAKE_WRONG;
    end->wrong = registry_match_result(&match, matched);
    if (end->wrong == REGISTRY_ACCEPTED) {
        outcome = complete(shard, handshake, hello_ack, peer, &match, matched, now, end);
    }
    registry_match_wipe(&match);
    return outcome;
}

void handshake_cancel_older(struct shard *shard, const uint8_t device[USMP_DEVICE_ID_SIZE], uint64_t begun,
                            struct shard_time now)
{
    pending_cancel_older(shard, device, begun, now);
    stream_cancel_older(shard, device, begun);
}
