#include "simulation/gateway_handshakes.h"

#include <string.h>

#include <usmp/frame.h>
#include <usmp/handshake_messages.h>
#include <usmp/keys.h>
#include <usmp/utack.h>

#define CHALLENGE_REPEATS 2

static void acknowledge(struct gateway_end *gateway, const struct usmp_frame *frame)
{
    if (!gateway_end_is_udp(gateway))
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
    if (gateway->settings.ask_cookie && gateway_end_is_udp(gateway) && frame->version == USMP_WIRE_2) {
        struct usmp_cookie_claim claim = claim_of(gateway, hello);
        if (!hello->has_cookie) {
            ask_for_cookie(gateway, frame, hello);
            return;
        }
        if (!usmp_cookie_is_right(&gateway->cookie_secret, &claim, gateway->now, hello->cookie)) {
            gateway_end_note(gateway, "wrong cookie");
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
    gateway_end_replace_session(gateway, &start);
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
    gateway_end_note(gateway, "HELLO_ACK of no handshake");
}

void gateway_handshakes_receive(struct gateway_end *gateway, const struct usmp_frame *frame)
{
    struct usmp_hello hello;
    struct usmp_hello_ack hello_ack;
    if (usmp_hello_read(frame, &hello))
        receive_hello(gateway, frame, &hello);
    else if (usmp_hello_ack_read(frame, &hello_ack))
        receive_hello_ack(gateway, frame, &hello_ack);
}

uint64_t gateway_handshakes_deadline(const struct gateway_end *gateway)
{
    uint64_t deadline = USMP_NEVER;
    for (size_t index = 0; index < GATEWAY_END_PENDING_MAX; index++) {
        const struct gateway_pending *pending = &gateway->pending[index];
        if (pending->used && pending->handshake.repeat_due < deadline)
            deadline = pending->handshake.repeat_due;
    }
    return deadline;
}

void gateway_handshakes_advance(struct gateway_end *gateway)
{
    for (size_t index = 0; index < GATEWAY_END_PENDING_MAX; index++) {
        struct gateway_pending *pending = &gateway->pending[index];
        if (pending->used && gateway->now >= pending->handshake.begun + gateway->settings.handshake_timeout)
            pending->used = false;
        else if (pending->used && usmp_gateway_handshake_repeat(&pending->handshake, gateway->now))
            send_challenge(gateway, pending);
    }
}

void gateway_handshakes_wipe(struct gateway_end *gateway)
{
    for (size_t index = 0; index < GATEWAY_END_PENDING_MAX; index++)
        usmp_gateway_handshake_wipe(&gateway->pending[index].handshake);
}
