#include "simulation/device_end.h"

#include <assert.h>
#include <string.h>

#include <usmp/frame.h>
#include <usmp/utack.h>

#define FIRST_PORT 40001u
#define FEED_AGAIN_AFTER 50000u /* microseconds */

static void note(struct device_end *device, const char *what)
{
    trace_line(device->trace, device->now, "device", "  . %s", what);
}

static void note_message(struct device_end *device, const char *what, const uint8_t *bytes, size_t size)
{
    trace_line(device->trace, device->now, "device", "  . %s \"%.*s\"%s", what, size < 16 ? (int)size : 16, bytes,
               size > 16 ? "..." : "");
}

static void send_bytes(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                       size_t size)
{
    struct device_end *device = context;
    (void)kind;
    assert(session == &device->device.session);
    link_send(device->link, device->now, LINK_TO_GATEWAY, device->port, bytes, size);
}

static void *take_block(void *context, enum usmp_block block)
{
    struct device_end *device = context;
    return blocks_take(device->blocks, block);
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    struct device_end *device = context;
    (void)block;
    blocks_give(device->blocks, bytes);
}

void device_end_begin(struct device_end *device, const struct usmp_device_start *start, struct link *link,
                      struct simulation_random *random, struct trace *trace, struct blocks *blocks)
{
    *device = (struct device_end){
        .start = *start,
        .link = link,
        .random = random,
        .trace = trace,
        .blocks = blocks,
        .owner = {device, send_bytes, take_block, give_block},
        .port = FIRST_PORT - 1,
        .feed_at = USMP_NEVER,
    };
}

static void drop(struct device_end *device)
{
    if (device->is_active)
        usmp_device_wipe(&device->device);
    device->is_active = false;
    device->stream.size = 0;
    device->feed_at = USMP_NEVER;
}

void device_end_end(struct device_end *device)
{
    drop(device);
}

void device_end_connect(struct device_end *device, uint64_t now)
{
    drop(device);
    device->now = now;
    device->port++;
    device->is_active = true;
    note(device, "connects");
    simulation_random_fill(device->random, device->start.private_key, sizeof device->start.private_key);
    usmp_device_begin(&device->device, &device->owner, device, &device->start, now);
}

void device_end_change_port(struct device_end *device, uint64_t now)
{
    device->now = now;
    device->port++;
    note(device, "has another port");
}

bool device_end_is_connected(const struct device_end *device)
{
    return device->is_active && device->device.state == USMP_DEVICE_CONNECTED &&
           device->device.session.state == USMP_SESSION_LIVE;
}

static void note_end(struct device_end *device)
{
    static const char *const failures[] = {"no failure", "no answer", "wrong gateway", "bad public key",
                                           "a broken protocol"};
    static const char *const ends[] = {"none",     "BYE",   "a broken protocol", "no more seqs", "unconfirmed",
                                       "given up", "closed"};
    if (device->device.state == USMP_DEVICE_FAILED)
        trace_line(device->trace, device->now, "device", "  . handshake failed: %s", failures[device->device.failure]);
    else
        trace_line(device->trace, device->now, "device", "  . session over: %s", ends[device->device.session.end]);
    if (device->application.ended != NULL)
        device->application.ended(device->application.context);
}

static void answer_offer(struct device_end *device)
{
    struct usmp_session *session = &device->device.session;
    const struct application *application = &device->application;
    enum application_answer answer = APPLICATION_TAKES;
    uint64_t settle_at = 0;
    if (application->offered != NULL)
        answer = application->offered(application->context, device->now, &settle_at);
    if (answer != APPLICATION_TAKES) {
        note_message(device, "refuses", session->offer.bytes, session->offer.size);
        usmp_session_refuse(session);
        device->feed_at = device->now + FEED_AGAIN_AFTER;
        return;
    }
    note_message(device, "takes", session->offer.bytes, session->offer.size);
    if (application->taken != NULL)
        application->taken(application->context, session->offer.bytes, session->offer.size);
    usmp_session_accept(session, device->now);
}

static void handle_verdict(struct device_end *device, enum usmp_session_verdict verdict)
{
    switch (verdict) {
    case USMP_SESSION_NOTHING:
        break;
    case USMP_SESSION_OFFER:
        answer_offer(device);
        break;
    case USMP_SESSION_SENT:
        note(device, "its message has arrived");
        if (device->application.acknowledged != NULL)
            device->application.acknowledged(device->application.context);
        break;
    case USMP_SESSION_NOT_NOW:
        note(device, "not now");
        device->feed_at = device->now + FEED_AGAIN_AFTER;
        break;
    case USMP_SESSION_DUPLICATE:
        note(device, "known before");
        break;
    case USMP_SESSION_WAITING:
        note(device, "waits already");
        break;
    case USMP_SESSION_NOT_AUTHENTIC:
        note(device, "not authentic");
        break;
    case USMP_SESSION_UNEXPECTED:
        note(device, "unexpected");
        break;
    case USMP_SESSION_OVER:
        note_end(device);
        break;
    }
}

static void receive_frame(struct device_end *device, const struct usmp_frame *frame)
{
    uint8_t scratch[USMP_PLAINTEXT_MAX];
    bool was_connected = device->device.state == USMP_DEVICE_CONNECTED;
    enum usmp_session_verdict verdict = usmp_device_receive(&device->device, frame, scratch, device->now);
    if (!was_connected && device->device.state == USMP_DEVICE_CONNECTED) {
        note(device, "is connected");
        if (device->application.began != NULL)
            device->application.began(device->application.context);
    }
    handle_verdict(device, verdict);
}

static void receive_datagram(struct device_end *device, const uint8_t *bytes, size_t size)
{
    struct usmp_frame frame;
    struct usmp_utack utack;
    struct usmp_keys keys = device->device.session.keys;
    if (usmp_utack_read(bytes, size, &utack)) {
        handle_verdict(device, usmp_device_receive_utack(&device->device, bytes, size, device->now));
        if (utack.type == USMP_REKEY && memcmp(&keys, &device->device.session.keys, sizeof keys) != 0)
            note(device, "has new keys");
        return;
    }
    if (usmp_frame_parse_datagram(bytes, size, &frame) == USMP_FRAME_COMPLETE)
        receive_frame(device, &frame);
}

static void feed_stream(struct device_end *device)
{
    struct usmp_frame frame;
    device->feed_at = USMP_NEVER;
    while (device->feed_at == USMP_NEVER && stream_buffer_first(&device->stream, &frame)) {
        receive_frame(device, &frame);
        if (device->feed_at == USMP_NEVER)
            stream_buffer_drop(&device->stream, frame.size);
    }
}

void device_end_receive(struct device_end *device, const struct link_packet *packet, uint64_t now)
{
    device->now = now;
    if (!device->is_active || packet->port != device->port)
        return;
    if (device->link->transport == USMP_UDP) {
        receive_datagram(device, packet->bytes, packet->size);
        return;
    }
    stream_buffer_append(&device->stream, packet->bytes, packet->size);
    if (device->feed_at == USMP_NEVER)
        feed_stream(device);
}

bool device_end_can_send(const struct device_end *device)
{
    return device_end_is_connected(device) && usmp_session_can_send(&device->device.session);
}

void device_end_send(struct device_end *device, const uint8_t *bytes, size_t size, uint64_t now)
{
    device->now = now;
    note_message(device, "sends", bytes, size);
    enum usmp_send_verdict verdict = usmp_session_send(&device->device.session, bytes, size, now);
    if (verdict == USMP_SEND_WRITTEN && device->application.acknowledged != NULL)
        device->application.acknowledged(device->application.context);
}

static void note_if_ended(struct device_end *device)
{
    if (device->device.session.state == USMP_SESSION_ENDED)
        note_end(device);
}

void device_end_cancel(struct device_end *device, uint64_t now)
{
    device->now = now;
    note(device, "cancels its message");
    if (usmp_session_cancel(&device->device.session))
        note_if_ended(device);
}

void device_end_ping(struct device_end *device, uint64_t now)
{
    device->now = now;
    (void)!usmp_session_ping(&device->device.session, now);
}

void device_end_rekey(struct device_end *device, uint64_t now)
{
    device->now = now;
    uint8_t salt[USMP_REKEY_SALT_SIZE];
    simulation_random_fill(device->random, salt, sizeof salt);
    if (usmp_session_rekey(&device->device.session, salt, now) == USMP_SEND_WRITTEN)
        note(device, "has new keys");
}

void device_end_close(struct device_end *device, uint64_t now)
{
    device->now = now;
    note(device, "closes");
    usmp_session_close(&device->device.session, now);
    note_if_ended(device);
}

uint64_t device_end_deadline(const struct device_end *device)
{
    if (!device->is_active)
        return USMP_NEVER;
    uint64_t deadline = usmp_device_deadline(&device->device);
    if (device->link->transport == USMP_TCP && device->feed_at < deadline)
        deadline = device->feed_at;
    return deadline;
}

void device_end_advance(struct device_end *device, uint64_t now)
{
    device->now = now;
    if (!device->is_active)
        return;
    if (device->link->transport == USMP_TCP && now >= device->feed_at)
        feed_stream(device);
    if (now >= usmp_device_deadline(&device->device) && usmp_device_advance(&device->device, now) == USMP_SESSION_OVER)
        note_end(device);
}
