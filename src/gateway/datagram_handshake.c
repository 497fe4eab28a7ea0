#include "gateway/datagram_handshake.h"

#include <string.h>

#include <usmp/cookie.h>
#include <usmp/handshake_messages.h>
#include <usmp/utack.h>

#include "admission/admission.h"
#include "gateway/handshake.h"
#include "gateway/handshake_failure.h"
#include "gateway/pending.h"
#include "gateway/shard_internal.h"
#include "gateway/unproved_answer.h"

static void drop(struct shard *shard, enum shard_drop reason)
{
    shard->counters.dropped[reason]++;
}

static void send_back(struct shard *shard, const struct shard_path *path, const uint8_t *bytes, size_t size)
{
    shard->ports.send_datagram(shard->ports.context, path, bytes, size);
}

static void acknowledge(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame)
{
    uint8_t utack[USMP_UTACK_PLAIN_SIZE];
    send_back(shard, path, utack, usmp_utack_write_plain(frame->type, frame->seq, utack));
}

bool datagram_is_late_copy(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                           struct shard_time now)
{
    for (struct session *session = session_first_at(shard, path); session != NULL;
         session = session_next_at(session, path)) {
        if (usmp_session_receive_handshake(&session->wire, frame, now.monotonic)) {
            drop(shard, SHARD_DROP_DUPLICATE);
            return true;
        }
    }
    return false;
}

static size_t cookie_address(const struct address *address, const uint8_t **bytes)
{
    if (address_is_ipv4(address)) {
        *bytes = address_ipv4_bytes(address);
        return 4;
    }
    *bytes = address->bytes;
    return sizeof address->bytes;
}

static struct usmp_cookie_claim claim_of(const struct address *peer, const struct shard_path *path, uint8_t version,
                                         const struct usmp_hello *hello)
{
    struct usmp_cookie_claim claim = {.peer_port = path->peer.port,
                                      .version = version,
                                      .device_id = hello->device_id,
                                      .public_key = hello->public_key};
    claim.peer_address_size = cookie_address(peer, &claim.peer_address);
    claim.local_address_size = cookie_address(&path->local, &claim.local_address);
    return claim;
}

/* HELLO_RETRY: at first sight without a UTACK, so that a device whose HELLO_RETRY is lost repeats its HELLO instead of
 * waiting for ever; with it when the HELLO comes again. The UTACK comes last: a device keeps one frame that comes before
 * it and drops others, so the second HELLO_RETRY never meets a device up to 1.0.0 behind the first, which would end its
 * handshake. */
static void ask_for_cookie(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                           const struct usmp_hello *hello, const struct usmp_cookie_claim *claim, struct shard_time now)
{
    strangers_spend(shard, STRANGER_COST_RETRY);
    struct usmp_hello_retry retry;
    usmp_cookie_make(shard->cookie_secret, claim, now.monotonic, retry.cookie);
    uint8_t bytes[USMP_HELLO_RETRY_FRAME];
    send_back(shard, path, bytes, usmp_hello_retry_write(0, &retry, bytes));

    uint8_t seen[sizeof path->peer + USMP_PUBLIC_KEY_SIZE];
    memcpy(seen, &path->peer, sizeof path->peer);
    memcpy(seen + sizeof path->peer, hello->public_key, USMP_PUBLIC_KEY_SIZE);
    if (sightings_note(&shard->sightings, shard_hash(shard, seen, sizeof seen), now.monotonic)) {
        acknowledge(shard, path, frame);
    }
}

static void refuse(struct shard *shard, uint8_t version, enum admission_verdict verdict)
{
    handshake_count(shard, USMP_UDP, version,
                    verdict == ADMISSION_LIMITED ? SHARD_HANDSHAKE_LIMITED : SHARD_HANDSHAKE_LOCKED_OUT);
}

static void begin_proved(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                         const struct usmp_hello *hello, const struct address *peer, struct shard_time now)
{
    enum admission_verdict verdict = half_done_admit(shard, peer, hello->device_id, now);
    if (verdict != ADMISSION_WELCOME) {
        refuse(shard, frame->version, verdict);
        return;
    }
    struct pending *pending = pending_begin(shard, path, frame->version, hello, true, now);
    if (pending == NULL) {
        admission_handshake_end(shard->admission, peer);
        refuse(shard, frame->version, ADMISSION_LIMITED);
        return;
    }
    acknowledge(shard, path, frame);
    pending_challenge(shard, pending);
}

static void begin_unproved(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                           const struct usmp_hello *hello, struct shard_time now)
{
    struct pending *pending = pending_begin(shard, path, frame->version, hello, false, now);
    if (pending == NULL) {
        admission_give_back_challenges(shard->admission, unproved_booked(frame->version));
        refuse(shard, frame->version, ADMISSION_LIMITED);
        return;
    }
    acknowledge(shard, path, frame);
    pending_challenge(shard, pending);
}

static void answer_unproved(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                            const struct usmp_hello *hello, const struct usmp_cookie_claim *claim,
                            struct shard_time now)
{
    switch (unproved_answer(shard, path, frame->version, now)) {
    case UNPROVED_COOKIE:
        ask_for_cookie(shard, path, frame, hello, claim, now);
        return;
    case UNPROVED_CHALLENGE:
        begin_unproved(shard, path, frame, hello, now);
        return;
    }
}

static struct pending *find_pending(const struct shard *shard, const struct shard_path *path, uint8_t version,
                                    const struct usmp_hello *hello)
{
    struct pending *pending = pending_first(shard, path);
    while (pending != NULL && !usmp_gateway_handshake_matches(&pending->handshake, version, hello)) {
        pending = pending_next(shard, pending);
    }
    return pending;
}

/* A copy of the HELLO of a handshake that is pending; with a cookie it may prove an address that was not. */
static void answer_again(struct shard *shard, struct pending *pending, const struct usmp_frame *frame,
                         bool has_right_cookie, struct shard_time now)
{
    if (!pending->proved && has_right_cookie &&
        half_done_admit(shard, &pending->peer, pending->handshake.device_id, now) == ADMISSION_WELCOME) {
        pending_prove(shard, pending, now);
    }
    if (!pending->proved && !unproved_hello_again(shard, pending, now)) {
        drop(shard, SHARD_DROP_DUPLICATE);
        return;
    }
    acknowledge(shard, &pending->path, frame);
    pending_challenge(shard, pending);
}

void datagram_receive_hello(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                            struct shard_time now)
{
    struct usmp_hello hello;
    if (datagram_is_late_copy(shard, path, frame, now)) {
        return;
    }
    if (!usmp_hello_read(frame, &hello) || !handshake_takes_wire(shard, frame->version) || shard->draining) {
        drop(shard, SHARD_DROP_UNEXPECTED);
        return;
    }
    struct address peer = address_normalised(&path->peer);
    if (admission_is_locked_out(shard->admission, &peer, hello.device_id, now.monotonic)) {
        handshake_count(shard, USMP_UDP, frame->version, SHARD_HANDSHAKE_LOCKED_OUT);
        return;
    }
    struct pending *pending = find_pending(shard, path, frame->version, &hello);
    struct usmp_cookie_claim claim = claim_of(&peer, path, frame->version, &hello);
    bool has_something_to_prove = hello.has_cookie && (pending == NULL || !pending->proved);
    bool proved =
        has_something_to_prove && usmp_cookie_is_right(shard->cookie_secret, &claim, now.monotonic, hello.cookie);
    if (pending != NULL) {
        answer_again(shard, pending, frame, proved, now);
    } else if (proved) {
        begin_proved(shard, path, frame, &hello, &peer, now);
    } else if (hello.has_cookie) {
        drop(shard, SHARD_DROP_COOKIE);
    } else {
        answer_unproved(shard, path, frame, &hello, &claim, now);
    }
}

/* True: that is what the HELLO_ACK was for, and the handshake is over. */
static bool finish(struct shard *shard, struct pending *pending, const struct shard_path *path, uint32_t seq,
                   const struct usmp_hello_ack *hello_ack, struct shard_time now)
{
    uint64_t begun = pending->handshake.begun;
    struct handshake_failure failure = {.transport = USMP_UDP,
                                        .version = pending->handshake.version,
                                        .peer = pending->peer,
                                        .proved = pending->proved,
                                        .device_known = true};
    memcpy(failure.device, pending->handshake.device_id, sizeof failure.device);
    struct handshake_peer from = {.path = path, .address = &failure.peer, .proved = pending->proved, .seq = seq};
    struct handshake_end end;
    switch (handshake_finish(shard, &pending->handshake, hello_ack, &from, now, &end)) {
    case HANDSHAKE_SESSION:
        pending_end(shard, pending, PENDING_DECIDED, now);
        handshake_cancel_older(shard, failure.device, begun, now);
        (void)!session_run(end.session, now);
        return true;
    case HANDSHAKE_REFUSED:
        pending_end(shard, pending, PENDING_DECIDED, now);
        return true;
    case HANDSHAKE_FORGED:
        pending_end(shard, pending, PENDING_DECIDED, now);
        handshake_failure_is_protocol(&failure);
        handshake_failed(shard, &failure, now);
        return true;
    case HANDSHAKE_WRONG:
        pending_saw_wrong(pending, end.wrong);
        return false;
    case HANDSHAKE_SPENT:
        return false;
    }
    return false;
}

/* Whoever makes an address that is not proved check HMACs has sent a HELLO for the first of each handshake; for more of
 * them wire 1, which has no cookie, has a budget (docs/security.md rule 10). */
static bool may_check(struct shard *shard, const struct pending *pending, struct shard_time now)
{
    if (pending->proved || pending->handshake.version != USMP_WIRE_1) {
        return true;
    }
    bool in_budget = admission_may_check(shard->admission, &pending->peer, now.monotonic);
    return in_budget || pending->handshake.checks == 0;
}

/* Several handshakes may be pending at one address: the HMAC chooses. */
void datagram_receive_hello_ack(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                                struct shard_time now)
{
    struct usmp_hello_ack hello_ack;
    if (datagram_is_late_copy(shard, path, frame, now)) {
        return;
    }
    if (!usmp_hello_ack_read(frame, &hello_ack)) {
        drop(shard, SHARD_DROP_UNEXPECTED);
        return;
    }
    bool looked_at = false;
    bool claimed = false;
    for (struct pending *pending = pending_first(shard, path), *next; pending != NULL; pending = next) {
        next = pending_next(shard, pending);
        if (pending->handshake.version != frame->version) {
            continue;
        }
        looked_at = true;
        if (!may_check(shard, pending, now)) {
            refuse(shard, frame->version, ADMISSION_LIMITED);
            continue;
        }
        bool first_wrong = !pending->saw_wrong;
        if (finish(shard, pending, path, frame->seq, &hello_ack, now)) {
            return;
        }
        claimed = claimed || (first_wrong && pending->saw_wrong);
    }
    if (claimed) {
        admission_claim_failed(shard->admission, &path->peer, now.monotonic);
    }
    drop(shard, looked_at ? SHARD_DROP_NOT_AUTHENTIC : SHARD_DROP_UNKNOWN);
}
