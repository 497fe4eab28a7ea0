#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "crypto/random.h"
#include "platform/clock.h"
#include "usmp/loopback_gateway.h"

static bool is_udp(const struct loopback_gateway *gateway)
{
    return gateway->transport == USMP_UDP;
}

static void send_datagram(struct loopback_gateway *gateway, const uint8_t *bytes, size_t size)
{
    uint8_t type = bytes[0] == USMP_UTACK_MAGIC ? LOOPBACK_UTACK : bytes[3];
    if (gateway->lose_out[type] > 0) {
        gateway->lose_out[type]--;
        return;
    }
    gateway->frames_out[type]++;
    /* A device that has gone is none of a gateway's business. */
    (void)sendto(gateway->socket, bytes, size, MSG_NOSIGNAL, (const struct sockaddr *)&gateway->peer,
                 gateway->peer_length);
}

static void emit(struct loopback_gateway *gateway, const uint8_t *bytes, size_t size)
{
    if (is_udp(gateway)) {
        send_datagram(gateway, bytes, size);
        return;
    }
    assert_true(size <= sizeof gateway->out - gateway->out_size);
    gateway->frames_out[bytes[3]]++;
    memcpy(gateway->out + gateway->out_size, bytes, size);
    gateway->out_size += size;
}

static void send_for_session(void *context, struct usmp_session *session, enum usmp_send_kind kind,
                             const uint8_t *bytes, size_t size)
{
    (void)session;
    (void)kind;
    emit(context, bytes, size);
}

static void *take_block(void *context, enum usmp_block block)
{
    (void)context;
    static const size_t sizes[] = {
        [USMP_BLOCK_MESSAGE] = USMP_MESSAGE_MAX,
        [USMP_BLOCK_REKEY] = sizeof(struct usmp_rekey_record),
        [USMP_BLOCK_REFLECTED] = sizeof(struct usmp_sent_tags),
    };
    return malloc(sizes[block]);
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    (void)context;
    (void)block;
    free(bytes);
}

static bool bind_loopback(struct loopback_gateway *gateway, int family)
{
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
    if (family == AF_INET6)
        ((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
    else
        ((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    int type = is_udp(gateway) ? SOCK_DGRAM : SOCK_STREAM;
    gateway->socket = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Small, and handed on to connections, so that one who does not read is soon felt. */
    const int buffer = 4096;
    if (!is_udp(gateway)) {
        (void)setsockopt(gateway->socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
        (void)setsockopt(gateway->socket, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    }
    if (gateway->socket < 0 || bind(gateway->socket, (const struct sockaddr *)&address, length) != 0)
        return false;
    assert_int_equal(getsockname(gateway->socket, (struct sockaddr *)&address, &length), 0);
    gateway->port = ntohs(family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                             : ((struct sockaddr_in *)&address)->sin_port);
    return is_udp(gateway) || listen(gateway->socket, 4) == 0;
}

bool loopback_gateway_open(struct loopback_gateway *gateway, enum usmp_transport transport, int family, const void *psk,
                           size_t psk_size)
{
    memset(gateway, 0, sizeof *gateway);
    gateway->transport = transport;
    gateway->connection = -1;
    gateway->owner = (struct usmp_session_owner){gateway, send_for_session, take_block, give_block};
    usmp_psk_init(&gateway->psk, psk, psk_size);
    gateway->session_ok_psk = gateway->psk;
    memset(gateway->cookie, 0xC0, sizeof gateway->cookie);
    return bind_loopback(gateway, family);
}

static void forget_device(struct loopback_gateway *gateway)
{
    if (gateway->connection >= 0)
        close(gateway->connection);
    gateway->connection = -1;
    gateway->in_size = 0;
    gateway->out_size = 0;
    gateway->has_handshake = false;
}

void loopback_gateway_close(struct loopback_gateway *gateway)
{
    forget_device(gateway);
    if (gateway->socket >= 0)
        close(gateway->socket);
    usmp_session_wipe(&gateway->session);
    for (size_t i = 0; i < gateway->message_count; i++)
        free(gateway->messages[i].bytes);
}

void loopback_gateway_hang_up(struct loopback_gateway *gateway)
{
    assert_true(gateway->connection >= 0);
    forget_device(gateway);
}

static void keep_message(struct loopback_gateway *gateway, const struct usmp_offer *offer)
{
    assert_true(gateway->message_count < LOOPBACK_MESSAGES_MAX);
    struct loopback_message *message = &gateway->messages[gateway->message_count++];
    message->size = offer->size;
    message->bytes = malloc(offer->size + 1);
    assert_non_null(message->bytes);
    if (offer->size > 0)
        memcpy(message->bytes, offer->bytes, offer->size);
}

static void follow(struct loopback_gateway *gateway, enum usmp_session_verdict verdict, uint64_t now)
{
    struct usmp_session *session = &gateway->session;
    switch (verdict) {
    case USMP_SESSION_OFFER:
        if (gateway->takes_no_message) {
            usmp_session_refuse(session);
            break;
        }
        keep_message(gateway, &session->offer);
        usmp_session_accept(session, now);
        break;
    case USMP_SESSION_SENT:
        gateway->message_is_out = false;
        break;
    case USMP_SESSION_OVER:
        gateway->message_is_out = false;
        break;
    default:
        break;
    }
}

static void acknowledge(struct loopback_gateway *gateway, const struct usmp_frame *frame)
{
    uint8_t utack[USMP_UTACK_PLAIN_SIZE];
    if (is_udp(gateway))
        emit(gateway, utack, usmp_utack_write_plain(frame->type, frame->seq, utack));
}

static void begin_handshake(struct loopback_gateway *gateway, const struct usmp_frame *frame,
                            const struct usmp_hello *hello, uint64_t now)
{
    struct usmp_gateway_secrets secrets;
    crypto_random(secrets.private_key, sizeof secrets.private_key);
    usmp_public_key(secrets.private_key, secrets.public_key);
    crypto_random(secrets.nonce, sizeof secrets.nonce);
    crypto_random(secrets.session_id, sizeof secrets.session_id);
    usmp_gateway_handshake_begin(&gateway->handshake, gateway->transport, frame->version, hello, &secrets, 20, now);
    gateway->has_handshake = true;
}

static void take_hello(struct loopback_gateway *gateway, const struct usmp_frame *frame, uint64_t now)
{
    struct usmp_hello hello;
    assert_true(usmp_hello_read(frame, &hello));
    acknowledge(gateway, frame);
    if (gateway->asks_for_cookie && !hello.has_cookie) {
        struct usmp_hello_retry hello_retry;
        uint8_t bytes[USMP_HELLO_RETRY_FRAME];
        memcpy(hello_retry.cookie, gateway->cookie, sizeof hello_retry.cookie);
        emit(gateway, bytes, usmp_hello_retry_write(0, &hello_retry, bytes));
        return;
    }
    if (gateway->asks_for_cookie)
        assert_memory_equal(hello.cookie, gateway->cookie, sizeof hello.cookie);
    if (!gateway->has_handshake || !usmp_gateway_handshake_matches(&gateway->handshake, frame->version, &hello))
        begin_handshake(gateway, frame, &hello, now);
    uint8_t challenge[USMP_CHALLENGE_FRAME];
    usmp_gateway_handshake_challenge(&gateway->handshake, challenge);
    emit(gateway, challenge, sizeof challenge);
}

static void take_hello_ack(struct loopback_gateway *gateway, const struct usmp_frame *frame, uint64_t now)
{
    struct usmp_hello_ack hello_ack;
    size_t matched;
    if (!gateway->has_handshake || !usmp_hello_ack_read(frame, &hello_ack))
        return;
    if (usmp_gateway_handshake_verify(&gateway->handshake, &hello_ack, &gateway->psk, 1, &matched) !=
        USMP_HANDSHAKE_RIGHT) {
        gateway->refused++;
        if (!is_udp(gateway))
            loopback_gateway_hang_up(gateway);
        return;
    }
    acknowledge(gateway, frame);
    struct usmp_session_start start;
    assert_int_equal(usmp_gateway_handshake_complete(&gateway->handshake, &hello_ack, &gateway->session_ok_psk, &start),
                     USMP_HANDSHAKE_COMPLETE);
    start.cipher = USMP_CIPHER_AUTO;
    start.may_send = true;
    start.confirm_within = 10000000;
    gateway->has_handshake = false;
    usmp_session_wipe(&gateway->session);
    usmp_session_begin(&gateway->session, &gateway->owner, NULL, &start, now);
    gateway->has_session = true;
}

static void take_frame(struct loopback_gateway *gateway, const struct usmp_frame *frame, uint64_t now)
{
    gateway->frames_in[frame->type]++;
    if (usmp_type_is_encrypted(frame->type)) {
        if (gateway->has_session)
            follow(gateway, usmp_session_receive(&gateway->session, frame, gateway->scratch, now), now);
    } else if (!gateway->has_session || !usmp_session_receive_handshake(&gateway->session, frame, now)) {
        if (frame->type == USMP_HELLO)
            take_hello(gateway, frame, now);
        else
            take_hello_ack(gateway, frame, now);
    }
}

static void take_datagram(struct loopback_gateway *gateway, const uint8_t *bytes, size_t size, uint64_t now)
{
    struct usmp_frame frame;
    assert_true(size >= USMP_UTACK_PLAIN_SIZE);
    bool is_utack = bytes[0] == USMP_UTACK_MAGIC;
    uint8_t type = is_utack ? LOOPBACK_UTACK : bytes[3];
    if (gateway->lose_in[type] > 0) {
        gateway->lose_in[type]--;
        return;
    }
    if (is_utack) {
        gateway->frames_in[type]++;
        if (gateway->has_session)
            follow(gateway, usmp_session_receive_utack(&gateway->session, bytes, size, now), now);
        return;
    }
    assert_int_equal(usmp_frame_parse_datagram(bytes, size, &frame), USMP_FRAME_COMPLETE);
    take_frame(gateway, &frame, now);
}

static void receive_datagrams(struct loopback_gateway *gateway, uint64_t now)
{
    for (;;) {
        uint8_t bytes[2048];
        struct sockaddr_storage from;
        socklen_t length = sizeof from;
        ssize_t count = recvfrom(gateway->socket, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length);
        if (count < 0) /* EAGAIN, or that a device has gone */
            return;
        gateway->peer = from;
        gateway->peer_length = length;
        take_datagram(gateway, bytes, (size_t)count, now);
    }
}

static void take_frames(struct loopback_gateway *gateway, uint64_t now)
{
    struct usmp_frame frame;
    size_t total;
    size_t used = 0;
    while (gateway->connection >= 0 &&
           usmp_frame_parse(gateway->in + used, gateway->in_size - used, &frame, &total) == USMP_FRAME_COMPLETE) {
        used += total;
        take_frame(gateway, &frame, now);
    }
    if (gateway->connection < 0)
        return;
    gateway->in_size -= used;
    memmove(gateway->in, gateway->in + used, gateway->in_size);
    assert_true(gateway->in_size < USMP_FRAME_MAX);
}

static void receive_stream(struct loopback_gateway *gateway, uint64_t now)
{
    ssize_t count = recv(gateway->connection, gateway->in + gateway->in_size, sizeof gateway->in - gateway->in_size, 0);
    if (count <= 0) {
        if (count == 0 || errno != EAGAIN)
            forget_device(gateway);
        return;
    }
    gateway->in_size += (size_t)count;
    take_frames(gateway, now);
}

static void write_stream(struct loopback_gateway *gateway)
{
    ssize_t count = send(gateway->connection, gateway->out, gateway->out_size, MSG_NOSIGNAL);
    if (count < 0)
        return;
    gateway->out_size -= (size_t)count;
    memmove(gateway->out, gateway->out + count, gateway->out_size);
    if (gateway->out_size == 0)
        gateway->message_is_out = false;
}

void loopback_gateway_prepare(const struct loopback_gateway *gateway,
                              struct pollfd descriptors[static LOOPBACK_DESCRIPTORS])
{
    short reads = gateway->reads_nothing ? 0 : POLLIN;
    short writes = gateway->out_size > 0 ? POLLOUT : 0;
    short events = (short)(reads | writes);
    bool is_listening = !is_udp(gateway) && gateway->connection < 0;
    descriptors[0] = (struct pollfd){.fd = is_udp(gateway) || is_listening ? gateway->socket : -1, .events = reads};
    descriptors[1] = (struct pollfd){.fd = events != 0 ? gateway->connection : -1, .events = events};
}

uint64_t loopback_gateway_deadline(const struct loopback_gateway *gateway)
{
    uint64_t deadline = USMP_NEVER;
    if (is_udp(gateway) && gateway->has_handshake)
        deadline = gateway->handshake.repeat_due;
    uint64_t of_session = gateway->has_session ? usmp_session_deadline(&gateway->session) : USMP_NEVER;
    return deadline < of_session ? deadline : of_session;
}

static void accept_connection(struct loopback_gateway *gateway)
{
    gateway->connection = accept4(gateway->socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (gateway->connection < 0)
        return;
    gateway->connections++;
    gateway->has_session = false;
}

void loopback_gateway_service(struct loopback_gateway *gateway,
                              const struct pollfd descriptors[static LOOPBACK_DESCRIPTORS])
{
    uint64_t now = clock_monotonic_us();
    if (descriptors[0].revents != 0 && is_udp(gateway))
        receive_datagrams(gateway, now);
    else if (descriptors[0].revents != 0)
        accept_connection(gateway);
    if ((descriptors[1].revents & POLLOUT) != 0)
        write_stream(gateway);
    if ((descriptors[1].revents & ~POLLOUT) != 0)
        receive_stream(gateway, now);
    if (is_udp(gateway) && gateway->has_handshake && usmp_gateway_handshake_repeat(&gateway->handshake, now)) {
        uint8_t challenge[USMP_CHALLENGE_FRAME];
        usmp_gateway_handshake_challenge(&gateway->handshake, challenge);
        emit(gateway, challenge, sizeof challenge);
    }
    if (gateway->has_session)
        follow(gateway, usmp_session_advance(&gateway->session, now), now);
}

bool loopback_gateway_can_send(const struct loopback_gateway *gateway)
{
    return gateway->has_session && gateway->out_size == 0 && usmp_session_can_send(&gateway->session);
}

void loopback_gateway_send(struct loopback_gateway *gateway, const void *bytes, size_t size)
{
    assert_true(loopback_gateway_can_send(gateway));
    gateway->message_is_out = true;
    enum usmp_send_verdict verdict = usmp_session_send(&gateway->session, bytes, size, clock_monotonic_us());
    assert_int_equal(verdict, is_udp(gateway) ? USMP_SEND_STARTED : USMP_SEND_WRITTEN);
}

void loopback_gateway_say_bye(struct loopback_gateway *gateway)
{
    usmp_session_close(&gateway->session, clock_monotonic_us());
}

void loopback_gateway_write(struct loopback_gateway *gateway, const void *bytes, size_t size)
{
    assert_true(gateway->connection >= 0 && size <= sizeof gateway->out - gateway->out_size);
    memcpy(gateway->out + gateway->out_size, bytes, size);
    gateway->out_size += size;
}
