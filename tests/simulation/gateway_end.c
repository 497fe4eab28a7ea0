#include "simulation/gateway_end.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <usmp/frame.h>
#include <usmp/handshake_messages.h>
#include <usmp/keys.h>
#include <usmp/record.h>
#include <usmp/utack.h>

#define CHALLENGE_REPEATS 2
#define FEED_AGAIN_AFTER 50000u /* microseconds */

static void note(struct gateway_end *gateway, const char *what)
{
    trace_line(gateway->trace, gateway->now, "gateway", "  . %s", what);
}

static void send_bytes(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                       size_t size)
{
    struct gateway_end *gateway = context;
    assert(session == &gateway->session);
    unsigned port = kind == USMP_SEND_ANSWER ? gateway->answer_port : gateway->port;
    link_send(gateway->link, gateway->now, LINK_TO_DEVICE, port, bytes, size);
}

static void *take_block(void *context, enum usmp_block block)
{
    struct gateway_end *gateway = context;
    return blocks_take(gateway->blocks, block);
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    struct gateway_end *gateway = context;
    (void)block;
    blocks_give(gateway->blocks, bytes);
}

void gateway_end_begin(struct gateway_end *gateway, const struct gateway_settings *settings, struct link *link,
                       struct simulation_random *random, struct trace *trace, struct blocks *blocks)
{
    *gateway = (struct gateway_end){
        .settings = *settings,
        .link = link,
        .random = random,
        .trace = trace,
        .blocks = blocks,
        .owner = {gateway, send_bytes, take_block, give_block},
        .feed_at = USMP_NEVER,
    };
    uint8_t secret[USMP_COOKIE_SECRET_SIZE];
    simulation_random_fill(random, secret, sizeof secret);
    usmp_cookie_secret_init(&gateway->cookie_secret, secret);
}

static void drop_session(struct gateway_end *gateway)
{
    bool was_live = gateway_end_is_live(gateway);
    if (gateway->has_session)
        usmp_session_wipe(&gateway->session);
    gateway->has_session = false;
    gateway->has_deferred = false;
    if (!was_live)
        return;
    note(gateway, "session replaced");
    if (gateway->application.ended != NULL)
        gateway->application.ended(gateway->application.context);
}

void gateway_end_end(struct gateway_end *gateway)
{
    gateway->application.ended = NULL;
    drop_session(gateway);
    for (size_t index = 0; index < GATEWAY_END_PENDING_MAX; index++)
        usmp_gateway_handshake_wipe(&gateway->pending[index].handshake);
}

bool gateway_end_is_live(const struct gateway_end *gateway)
{
    return gateway->has_session && gateway->session.state == USMP_SESSION_LIVE;
}

/* Handshakes. */

static bool is_udp(const struct gateway_end *gateway)
{
    return gateway->link->transport == USMP_UDP;
}

static void acknowledge(struct gateway_end *gateway, const struct usmp_frame *frame)
{
    if (!is_udp(gateway))
        return;
    uint8_t utack[USMP_UTACK_PLAIN_SIZE];
    size_t size = usmp_utack_write_plain(frame->type, frame->seq, utack);
    link_send(gateway->link, gateway->now, LINK_TO_DEVICE, gateway->answer_port, utack, size);
}

static void send_challenge(struct gateway_end *gateway, const struct gateway_pending *pending)
{
    uint8_t frame[USMP_CHALLENGE_FRAME];
    usmp_gateway_handshake_challenge(&pending->handshake, frame);
    link_send(gateway->link, gateway->now, LINK_TO_DEVICE, pending->port, frame, sizeof frame);
}

/* A free place, or the oldest one's. */
static struct gateway_pending *choose_place(struct gateway_end *gateway)
{
    struct gateway_pending *oldest = &gateway->pending[0];
    for (size_t index = 0; index < GATEWAY_END_PENDING_MAX; index++) {
        struct gateway_pending *pending = &gateway->pending[index];
        if (!pending->used)
            return pending;
        if (pending->handshake.begun < oldest->handshake.begun)
            oldest = pending;
    }
    return oldest;
}

static void begin_handshake(struct gateway_end *gateway, uint8_t version, const struct usmp_hello *hello)
{
    struct gateway_pending *pending = choose_place(gateway);
    struct usmp_gateway_secrets secrets;
    simulation_random_fill(gateway->random, secrets.private_key, sizeof secrets.private_key);
    simulation_random_fill(gateway->random, secrets.nonce, sizeof secrets.nonce);
    simulation_random_fill(gateway->random, secrets.session_id, sizeof secrets.session_id);
    usmp_public_key(secrets.private_key, secrets.public_key);
    pending->used = true;
    pending->port = gateway->answer_port;
    usmp_gateway_handshake_begin(&pending->handshake, gateway->link->transport, version, hello, &secrets,
                                 CHALLENGE_REPEATS, gateway->now);
    send_challenge(gateway, pending);
}

static struct gateway_pending *find_pending(struct gateway_end *gateway, uint8_t version,
                                            const struct usmp_hello *hello)
{
    for (size_t index = 0; index < GATEWAY_END_PENDING_MAX; index++) {
        struct gateway_pending *pending = &gateway->pending[index];
        if (pending->used && pending->port == gateway->answer_port &&
            usmp_gateway_handshake_matches(&pending->handshake, version, hello))
            return pending;
    }
    return NULL;
}

static struct usmp_cookie_claim claim_of(const struct gateway_end *gateway, const struct usmp_hello *hello)
{
    static const uint8_t address[4] = {192, 0, 2, 1};
    return (struct usmp_cookie_claim){
        .peer_address = address,
        .peer_address_size = sizeof address,
        .peer_port = (uint16_t)gateway->answer_port,
        .local_address = address,
        .local_address_size = sizeof address,
        .version = USMP_WIRE_2,
        .device_id = hello->device_id,
        .public_key = hello->public_key,
    };
}

/* Without UTACK at first sight, with one on the repeat. */
static void ask_for_cookie(struct gateway_end *gateway, const struct usmp_frame *frame, const struct usmp_hello *hello)
{
    if (gateway->has_seen && memcmp(gateway->seen_public, hello->public_key, sizeof hello->public_key) == 0)
        acknowledge(gateway, frame);
    gateway->has_seen = true;
    memcpy(gateway->seen_public, hello->public_key, sizeof hello->public_key);
    struct usmp_cookie_claim claim = claim_of(gateway, hello);
    struct usmp_hello_retry hello_retry;
    usmp_cookie_make(&gateway->cookie_secret, &claim, gateway->now, hello_retry.cookie);
    uint8_t answer[USMP_HELLO_RETRY_FRAME];
    size_t size = usmp_hello_retry_write(0, &hello_retry, answer);
    link_send(gateway->link, gateway->now, LINK_TO_DEVICE, gateway->answer_port, answer, size);
}

static void receive_hello(struct gateway_end *gateway, const struct usmp_frame *frame, const struct usmp_hello *hello)
{
    struct gateway_pending *pending = find_pending(gateway, frame->version, hello);
    if (pending != NULL) {
        acknowledge(gateway, frame);
        send_challenge(gateway, pending);
        return;
    }
    if (gateway->settings.ask_cookie && is_udp(gateway) && frame->version == USMP_WIRE_2) {
        struct usmp_cookie_claim claim = claim_of(gateway, hello);
        if (!hello->has_cookie) {
            ask_for_cookie(gateway, frame, hello);
            return;
        }
        if (!usmp_cookie_is_right(&gateway->cookie_secret, &claim, gateway->now, hello->cookie)) {
            note(gateway, "wrong cookie");
            return;
        }
    }
    acknowledge(gateway, frame);
    begin_handshake(gateway, frame->version, hello);
}

static void complete_handshake(struct gateway_end *gateway, struct gateway_pending *pending,
                               const struct usmp_hello_ack *hello_ack)
{
    struct usmp_session_start start;
    uint64_t begun = pending->handshake.begun;
    pending->used = false;
    if (usmp_gateway_handshake_complete(&pending->handshake, hello_ack, &gateway->settings.psk, &start) !=
        USMP_HANDSHAKE_COMPLETE)
        return;
    for (size_t index = 0; index < GATEWAY_END_PENDING_MAX; index++) /* older ones are cancelled */
        if (gateway->pending[index].handshake.begun < begun)
            gateway->pending[index].used = false;
    start.cipher = gateway->settings.cipher;
    start.may_send = start.version == USMP_WIRE_2 || gateway->settings.may_send;
    start.confirm_within = gateway->settings.handshake_timeout;
    drop_session(gateway);
    gateway->has_session = true;
    gateway->port = gateway->answer_port;
    usmp_session_begin(&gateway->session, &gateway->owner, gateway, &start, gateway->now);
    if (gateway->application.began != NULL)
        gateway->application.began(gateway->application.context);
}

static void receive_hello_ack(struct gateway_end *gateway, const struct usmp_frame *frame,
                              const struct usmp_hello_ack *hello_ack)
{
    for (size_t index = 0; index < GATEWAY_END_PENDING_MAX; index++) {
        struct gateway_pending *pending = &gateway->pending[index];
        size_t matched;
        if (!pending->used || pending->port != gateway->answer_port || pending->handshake.version != frame->version ||
            usmp_gateway_handshake_verify(&pending->handshake, hello_ack, &gateway->settings.psk, 1, &matched) !=
                USMP_HANDSHAKE_RIGHT)
            continue;
        acknowledge(gateway, frame);
        complete_handshake(gateway, pending, hello_ack);
        return;
    }
    note(gateway, "HELLO_ACK of no handshake");
}

static void receive_handshake(struct gateway_end *gateway, const struct usmp_frame *frame)
{
    struct usmp_hello hello;
    struct usmp_hello_ack hello_ack;
    if (gateway->has_session && usmp_session_receive_handshake(&gateway->session, frame, gateway->now)) {
        note(gateway, "late copy of the handshake");
        return;
    }
    if (usmp_hello_read(frame, &hello))
        receive_hello(gateway, frame, &hello);
    else if (usmp_hello_ack_read(frame, &hello_ack))
        receive_hello_ack(gateway, frame, &hello_ack);
}

/* The session. */

static void note_message(struct gateway_end *gateway, const char *what, const uint8_t *bytes, size_t size)
{
    trace_line(gateway->trace, gateway->now, "gateway", "  . %s \"%.*s\"%s", what, size < 16 ? (int)size : 16, bytes,
               size > 16 ? "..." : "");
}

static void take(struct gateway_end *gateway, const uint8_t *bytes, size_t size)
{
    note_message(gateway, "takes", bytes, size);
    if (gateway->application.taken != NULL)
        gateway->application.taken(gateway->application.context, bytes, size);
}

/* Only when a frame has been accepted, and only to where a newer frame than all before came from. */
static void follow_device(struct gateway_end *gateway)
{
    if (gateway->session.newest && gateway->port != gateway->answer_port) {
        gateway->port = gateway->answer_port;
        note(gateway, "follows the device to its new port");
    }
}

static void answer_offer(struct gateway_end *gateway)
{
    struct usmp_session *session = &gateway->session;
    const struct application *application = &gateway->application;
    enum application_answer answer = APPLICATION_TAKES;
    if (application->offered != NULL)
        answer = application->offered(application->context, gateway->now, &gateway->settle_at);
    switch (answer) {
    case APPLICATION_TAKES:
        take(gateway, session->offer.bytes, session->offer.size);
        follow_device(gateway);
        usmp_session_accept(session, gateway->now);
        break;
    case APPLICATION_REFUSES:
        note_message(gateway, "refuses", session->offer.bytes, session->offer.size);
        usmp_session_refuse(session);
        gateway->feed_at = gateway->now + FEED_AGAIN_AFTER;
        break;
    case APPLICATION_DEFERS:
        note_message(gateway, "defers", session->offer.bytes, session->offer.size);
        memcpy(gateway->deferred, session->offer.bytes, session->offer.size);
        gateway->deferred_size = session->offer.size;
        gateway->has_deferred = true;
        usmp_session_defer(session);
        break;
    }
}

static void settle(struct gateway_end *gateway)
{
    gateway->has_deferred = false;
    take(gateway, gateway->deferred, gateway->deferred_size);
    gateway->answer_port = gateway->port;
    usmp_session_settle(&gateway->session, true, gateway->now);
}

static void note_end(struct gateway_end *gateway)
{
    static const char *const names[] = {"none",     "BYE",   "a broken protocol", "no more seqs", "unconfirmed",
                                        "given up", "closed"};
    trace_line(gateway->trace, gateway->now, "gateway", "  . session over: %s", names[gateway->session.end]);
    if (gateway->application.ended != NULL)
        gateway->application.ended(gateway->application.context);
}

static void handle_verdict(struct gateway_end *gateway, enum usmp_session_verdict verdict)
{
    switch (verdict) {
    case USMP_SESSION_NOTHING:
        if (gateway->session.fresh)
            follow_device(gateway);
        break;
    case USMP_SESSION_OFFER:
        answer_offer(gateway);
        break;
    case USMP_SESSION_SENT:
        note(gateway, "its message has arrived");
        if (gateway->application.acknowledged != NULL)
            gateway->application.acknowledged(gateway->application.context);
        break;
    case USMP_SESSION_NOT_NOW:
        note(gateway, "not now");
        gateway->feed_at = gateway->now + FEED_AGAIN_AFTER;
        break;
    case USMP_SESSION_DUPLICATE:
        note(gateway, "known before");
        break;
    case USMP_SESSION_WAITING:
        note(gateway, "waits already");
        break;
    case USMP_SESSION_NOT_AUTHENTIC:
        note(gateway, "not authentic");
        break;
    case USMP_SESSION_UNEXPECTED:
        note(gateway, "unexpected");
        break;
    case USMP_SESSION_OVER:
        note_end(gateway);
        break;
    }
}

static void receive_frame(struct gateway_end *gateway, const struct usmp_frame *frame)
{
    uint8_t scratch[USMP_PLAINTEXT_MAX];
    const uint8_t *named = usmp_record_session(frame);
    if (named == NULL) {
        receive_handshake(gateway, frame);
        return;
    }
    if (!gateway->has_session || memcmp(named, gateway->session.session_id, USMP_NONCE_SESSION_SIZE) != 0) {
        note(gateway, "of no session");
        return;
    }
    struct usmp_keys keys = gateway->session.keys;
    handle_verdict(gateway, usmp_session_receive(&gateway->session, frame, scratch, gateway->now));
    if (frame->type == USMP_REKEY && memcmp(&keys, &gateway->session.keys, sizeof keys) != 0) {
        note(gateway, "has new keys");
        if (gateway->application.rekeyed != NULL)
            gateway->application.rekeyed(gateway->application.context);
    }
}

static void receive_datagram(struct gateway_end *gateway, const uint8_t *bytes, size_t size)
{
    struct usmp_frame frame;
    struct usmp_utack utack;
    if (usmp_utack_read(bytes, size, &utack)) {
        /* That of CHALLENGE stops nothing, that of HELLO_RETRY is ignored. */
        if (utack.type == USMP_CHALLENGE || utack.type == USMP_HELLO_RETRY)
            return;
        if (gateway->has_session)
            handle_verdict(gateway, usmp_session_receive_utack(&gateway->session, bytes, size, gateway->now));
        return;
    }
    if (usmp_frame_parse_datagram(bytes, size, &frame) == USMP_FRAME_COMPLETE)
        receive_frame(gateway, &frame);
}

static void feed_stream(struct gateway_end *gateway)
{
    struct usmp_frame frame;
    gateway->feed_at = USMP_NEVER;
    while (!gateway->has_deferred && gateway->feed_at == USMP_NEVER && stream_buffer_first(&gateway->stream, &frame)) {
        receive_frame(gateway, &frame);
        if (gateway->feed_at == USMP_NEVER)
            stream_buffer_drop(&gateway->stream, frame.size);
    }
}

void gateway_end_receive(struct gateway_end *gateway, const struct link_packet *packet, uint64_t now)
{
    gateway->now = now;
    if (!is_udp(gateway)) {
        if (packet->port != gateway->answer_port) { /* a new connection */
            gateway->stream.size = 0;
            gateway->answer_port = packet->port;
        }
        stream_buffer_append(&gateway->stream, packet->bytes, packet->size);
        if (gateway->feed_at == USMP_NEVER)
            feed_stream(gateway);
        return;
    }
    gateway->answer_port = packet->port;
    receive_datagram(gateway, packet->bytes, packet->size);
}

bool gateway_end_can_send(const struct gateway_end *gateway)
{
    return gateway->has_session && usmp_session_can_send(&gateway->session);
}

void gateway_end_send(struct gateway_end *gateway, const uint8_t *bytes, size_t size, uint64_t now)
{
    gateway->now = now;
    note_message(gateway, "sends", bytes, size);
    enum usmp_send_verdict verdict = usmp_session_send(&gateway->session, bytes, size, now);
    if (verdict == USMP_SEND_WRITTEN && gateway->application.acknowledged != NULL)
        gateway->application.acknowledged(gateway->application.context);
}

void gateway_end_cancel(struct gateway_end *gateway, uint64_t now)
{
    gateway->now = now;
    note(gateway, "cancels its message");
    if (usmp_session_cancel(&gateway->session) && gateway->session.state == USMP_SESSION_ENDED)
        note_end(gateway);
}

void gateway_end_close(struct gateway_end *gateway, uint64_t now)
{
    gateway->now = now;
    note(gateway, "closes");
    usmp_session_close(&gateway->session, now);
    if (gateway->session.state == USMP_SESSION_ENDED)
        note_end(gateway);
}

uint64_t gateway_end_deadline(const struct gateway_end *gateway)
{
    uint64_t deadline = gateway->has_session ? usmp_session_deadline(&gateway->session) : USMP_NEVER;
    for (size_t index = 0; index < GATEWAY_END_PENDING_MAX; index++) {
        const struct gateway_pending *pending = &gateway->pending[index];
        if (pending->used && pending->handshake.repeat_due < deadline)
            deadline = pending->handshake.repeat_due;
    }
    if (gateway->has_deferred && gateway->settle_at < deadline)
        deadline = gateway->settle_at;
    if (!is_udp(gateway) && gateway->feed_at < deadline)
        deadline = gateway->feed_at;
    return deadline;
}

void gateway_end_advance(struct gateway_end *gateway, uint64_t now)
{
    gateway->now = now;
    for (size_t index = 0; index < GATEWAY_END_PENDING_MAX; index++) {
        struct gateway_pending *pending = &gateway->pending[index];
        if (pending->used && now >= pending->handshake.begun + gateway->settings.handshake_timeout)
            pending->used = false;
        else if (pending->used && usmp_gateway_handshake_repeat(&pending->handshake, now))
            send_challenge(gateway, pending);
    }
    if (gateway->has_deferred && now >= gateway->settle_at) {
        settle(gateway);
        if (!is_udp(gateway))
            feed_stream(gateway); /* the frame itself has been taken out already */
    }
    if (!is_udp(gateway) && now >= gateway->feed_at)
        feed_stream(gateway);
    if (gateway->has_session && now >= usmp_session_deadline(&gateway->session) &&
        usmp_session_advance(&gateway->session, now) == USMP_SESSION_OVER)
        note_end(gateway);
}
