#include "usmp/link.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "crypto/random.h"
#include "platform/address_text.h"
#include "platform/secret_memory.h"
#include "platform/socket_address.h"
#include "usmp/link_internal.h"

_Static_assert(LINK_ADDRESS_SIZE == ADDRESS_TEXT_SIZE, "an address fits");

static bool is_udp(const struct link *link)
{
    return link->start.transport == USMP_UDP;
}

bool link_is_over(const struct link *link)
{
    return link->state == LINK_OVER;
}

void link_finish(struct link *link, enum link_end end)
{
    if (link_is_over(link))
        return;
    link->state = LINK_OVER;
    link->end = end;
}

void link_finish_with_error(struct link *link, int error)
{
    /* A gateway that closes while something is on its way to it looks like this. */
    if (!is_udp(link) && (error == ECONNRESET || error == EPIPE) && link->state != LINK_CONNECTING) {
        link_finish(link, LINK_END_HUNG_UP);
        return;
    }
    if (!link_is_over(link))
        link->error = error;
    link_finish(link, LINK_END_SOCKET);
}

static void emit(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                 size_t size)
{
    struct link *link = context;
    (void)session;
    (void)kind; /* a connected socket has one peer */
    if (is_udp(link))
        link_datagram_send(link, bytes, size);
    else
        link_stream_send(link, bytes, size);
}

static void *take_block(void *context, enum usmp_block block)
{
    struct link *link = context;
    switch (block) {
    case USMP_BLOCK_MESSAGE:
        return link->message_block;
    case USMP_BLOCK_REKEY:
        return &link->rekey_block;
    case USMP_BLOCK_REFLECTED:
        return &link->reflected_block;
    }
    return NULL;
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    (void)context;
    (void)block;
    (void)bytes;
}

struct link *link_create(const struct link_receiver *receiver)
{
    struct link *link = secret_memory_allocate(sizeof *link, SECRET_MEMORY_KEYS);
    if (link == NULL)
        return NULL;
    link->socket = -1;
    link->state = LINK_OVER;
    link->receiver = *receiver;
    link->owner = (struct usmp_session_owner){link, emit, take_block, give_block};
    return link;
}

/* Back to what link_create() made. */
static void clear(struct link *link)
{
    struct link_receiver receiver = link->receiver;
    struct usmp_session_owner owner = link->owner;
    usmp_device_wipe(&link->device);
    if (link->socket >= 0)
        close(link->socket);
    secret_memory_wipe(link, sizeof *link);
    link->socket = -1;
    link->state = LINK_OVER;
    link->receiver = receiver;
    link->owner = owner;
}

void link_destroy(struct link *link)
{
    if (link == NULL)
        return;
    clear(link);
    secret_memory_free(link);
}

void link_begin_handshake(struct link *link, uint64_t now)
{
    link->state = LINK_OPENING;
    link->start.give_up_after = link->connect_until > now ? link->connect_until - now : 0;
    crypto_random(link->start.private_key, sizeof link->start.private_key);
    usmp_device_begin(&link->device, &link->owner, NULL, &link->start, now);
    secret_memory_wipe(link->start.private_key, sizeof link->start.private_key);
    usmp_psk_wipe(&link->start.psk);
}

static void describe(struct link *link, const struct sockaddr *address, socklen_t length)
{
    struct address parsed;
    if (socket_address_import(address, length, &parsed))
        address_format(&parsed, link->address);
}

static bool connect_socket(struct link *link, const struct sockaddr *address, socklen_t length)
{
    int type = is_udp(link) ? SOCK_DGRAM : SOCK_STREAM;
    link->socket = socket(address->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return link->socket >= 0 && (connect(link->socket, address, length) == 0 || errno == EINPROGRESS);
}

void link_open(struct link *link, const struct link_identity *identity, const struct sockaddr *address,
               socklen_t length, uint64_t now)
{
    clear(link);
    link->state = LINK_CONNECTING;
    link->connect_until = now + identity->timeout;
    link->start = (struct usmp_device_start){
        .transport = identity->transport,
        .version = identity->wire,
        .cipher = identity->cipher,
        .psk = identity->psk,
    };
    memcpy(link->start.device_id, identity->device_id, sizeof link->start.device_id);
    describe(link, address, length);
    if (!connect_socket(link, address, length))
        link_finish_with_error(link, errno);
    else if (is_udp(link))
        link_begin_handshake(link, now);
    else
        link_stream_open(link);
}

static void take_message(struct link *link, uint64_t now)
{
    struct usmp_session *session = &link->device.session;
    const struct link_receiver *receiver = &link->receiver;
    if (!receiver->has_room(receiver->context)) {
        assert(is_udp(link)); /* over TCP this has been asked before */
        usmp_session_refuse(session);
        return;
    }
    receiver->receive(receiver->context, session->offer.bytes, session->offer.size);
    usmp_session_accept(session, now);
}

void link_follow(struct link *link, enum usmp_session_verdict verdict, uint64_t now)
{
    if (verdict == USMP_SESSION_OFFER)
        take_message(link, now);
    if (verdict == USMP_SESSION_SENT)
        link->is_sending = false;
    if (verdict == USMP_SESSION_OVER)
        link_finish(link, link->state == LINK_CLOSING ? LINK_END_CLOSED : LINK_END_DEVICE);
    enum usmp_device_state state = link->device.state;
    if (state == USMP_DEVICE_HELLO_ACK_SENT || state == USMP_DEVICE_CONNECTED)
        link->was_challenged = true;
    if (link->state == LINK_OPENING && state == USMP_DEVICE_CONNECTED)
        link->state = LINK_LIVE;
}

void link_take_frame(struct link *link, const struct usmp_frame *frame, uint64_t now)
{
    link_follow(link, usmp_device_receive(&link->device, frame, link->scratch, now), now);
}

short link_events(const struct link *link)
{
    if (link_is_over(link))
        return 0;
    return is_udp(link) ? POLLIN : link_stream_events(link);
}

uint64_t link_deadline(const struct link *link)
{
    if (link_is_over(link))
        return USMP_NEVER;
    return link->state == LINK_CONNECTING ? link->connect_until : usmp_device_deadline(&link->device);
}

void link_service(struct link *link, short events, uint64_t now)
{
    if (link_is_over(link))
        return;
    if (is_udp(link))
        link_datagram_service(link, events, now);
    else
        link_stream_service(link, events, now);
    if (link->state == LINK_CONNECTING && now >= link->connect_until)
        link_finish(link, LINK_END_LATE);
    else if (link->state != LINK_CONNECTING && !link_is_over(link))
        link_follow(link, usmp_device_advance(&link->device, now), now);
}

bool link_can_send(const struct link *link)
{
    return link->state == LINK_LIVE && link->stream.out_size == 0 && usmp_session_can_send(&link->device.session);
}

/* Whether something left; the session may have ended over it. */
static bool has_left(struct link *link, enum usmp_send_verdict verdict)
{
    if (verdict == USMP_SEND_OVER)
        link_finish(link, LINK_END_DEVICE);
    return verdict == USMP_SEND_STARTED || verdict == USMP_SEND_WRITTEN;
}

bool link_send(struct link *link, const uint8_t *payload, size_t size, uint64_t now)
{
    assert(size <= USMP_MESSAGE_MAX);
    if (!link_can_send(link) || !has_left(link, usmp_session_send(&link->device.session, payload, size, now)))
        return false;
    link->is_sending = true;
    return true;
}

bool link_ping(struct link *link, uint64_t now)
{
    return link_can_send(link) && has_left(link, usmp_session_ping(&link->device.session, now));
}

bool link_rekey(struct link *link, uint64_t now)
{
    if (!link_can_send(link))
        return false;
    uint8_t salt[USMP_REKEY_SALT_SIZE];
    crypto_random(salt, sizeof salt);
    return has_left(link, usmp_session_rekey(&link->device.session, salt, now));
}

void link_close(struct link *link, uint64_t now)
{
    if (link->state == LINK_CLOSING || link_is_over(link))
        return;
    if (link->state != LINK_LIVE) {
        link_finish(link, LINK_END_CLOSED);
        return;
    }
    link->state = LINK_CLOSING;
    usmp_session_close(&link->device.session, now);
    if (is_udp(link) && link->device.session.state == USMP_SESSION_ENDED)
        link_finish(link, LINK_END_CLOSED);
}
