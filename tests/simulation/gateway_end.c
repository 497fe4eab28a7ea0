#include "simulation/gateway_end.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <usmp/frame.h>
#include <usmp/record.h>
#include <usmp/utack.h>

#include "simulation/gateway_handshakes.h"

#define FEED_AGAIN_AFTER 50000u /* microseconds */

void gateway_end_note(struct gateway_end *gateway, const char *what)
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
    gateway_end_note(gateway, "session replaced");
    if (gateway->application.ended != NULL)
        gateway->application.ended(gateway->application.context);
}

void gateway_end_end(struct gateway_end *gateway)
{
    gateway->application.ended = NULL;
    drop_session(gateway);
    gateway_handshakes_wipe(gateway);
}

bool gateway_end_is_live(const struct gateway_end *gateway)
{
    return gateway->has_session && gateway->session.state == USMP_SESSION_LIVE;
}

bool gateway_end_is_udp(const struct gateway_end *gateway)
{
    return gateway->link->transport == USMP_UDP;
}

void gateway_end_replace_session(struct gateway_end *gateway, const struct usmp_session_start *start)
{
    drop_session(gateway);
    gateway->has_session = true;
    gateway->port = gateway->answer_port;
    usmp_session_begin(&gateway->session, &gateway->owner, gateway, start, gateway->now);
    if (gateway->application.began != NULL)
        gateway->application.began(gateway->application.context);
}

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
        gateway_end_note(gateway, "follows the device to its new port");
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
        gateway_end_note(gateway, "its message has arrived");
        if (gateway->application.acknowledged != NULL)
            gateway->application.acknowledged(gateway->application.context);
        break;
    case USMP_SESSION_NOT_NOW:
        gateway_end_note(gateway, "not now");
        gateway->feed_at = gateway->now + FEED_AGAIN_AFTER;
        break;
    case USMP_SESSION_DUPLICATE:
        gateway_end_note(gateway, "known before");
        break;
    case USMP_SESSION_WAITING:
        gateway_end_note(gateway, "waits already");
        break;
    case USMP_SESSION_NOT_AUTHENTIC:
        gateway_end_note(gateway, "not authentic");
        break;
    case USMP_SESSION_UNEXPECTED:
        gateway_end_note(gateway, "unexpected");
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
        if (gateway->has_session && usmp_session_receive_handshake(&gateway->session, frame, gateway->now))
            gateway_end_note(gateway, "late copy of the handshake");
        else
            gateway_handshakes_receive(gateway, frame);
        return;
    }
    if (!gateway->has_session || memcmp(named, gateway->session.session_id, USMP_NONCE_SESSION_SIZE) != 0) {
        gateway_end_note(gateway, "of no session");
        return;
    }
    struct usmp_keys keys = gateway->session.keys;
    handle_verdict(gateway, usmp_session_receive(&gateway->session, frame, scratch, gateway->now));
    if (frame->type == USMP_REKEY && memcmp(&keys, &gateway->session.keys, sizeof keys) != 0) {
        gateway_end_note(gateway, "has new keys");
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
    if (!gateway_end_is_udp(gateway)) {
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
    gateway_end_note(gateway, "cancels its message");
    if (usmp_session_cancel(&gateway->session) && gateway->session.state == USMP_SESSION_ENDED)
        note_end(gateway);
}

void gateway_end_close(struct gateway_end *gateway, uint64_t now)
{
    gateway->now = now;
    gateway_end_note(gateway, "closes");
    usmp_session_close(&gateway->session, now);
    if (gateway->session.state == USMP_SESSION_ENDED)
        note_end(gateway);
}

uint64_t gateway_end_deadline(const struct gateway_end *gateway)
{
    uint64_t deadline = gateway->has_session ? usmp_session_deadline(&gateway->session) : USMP_NEVER;
    uint64_t handshakes = gateway_handshakes_deadline(gateway);
    if (handshakes < deadline)
        deadline = handshakes;
    if (gateway->has_deferred && gateway->settle_at < deadline)
        deadline = gateway->settle_at;
    if (!gateway_end_is_udp(gateway) && gateway->feed_at < deadline)
        deadline = gateway->feed_at;
    return deadline;
}

void gateway_end_advance(struct gateway_end *gateway, uint64_t now)
{
    gateway->now = now;
    gateway_handshakes_advance(gateway);
    if (gateway->has_deferred && now >= gateway->settle_at) {
        settle(gateway);
        if (!gateway_end_is_udp(gateway))
            feed_stream(gateway); /* the frame itself has been taken out already */
    }
    if (!gateway_end_is_udp(gateway) && now >= gateway->feed_at)
        feed_stream(gateway);
    if (gateway->has_session && now >= usmp_session_deadline(&gateway->session) &&
        usmp_session_advance(&gateway->session, now) == USMP_SESSION_OVER)
        note_end(gateway);
}
