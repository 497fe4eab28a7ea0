/* A device's way to its gateway: one connected socket with libusmp's device on it (docs/protocol.md sections 2 to 5).
 *
 * It lives in secret memory, since keys are in it. The owner polls `socket` for link_events() until link_deadline(),
 * then calls link_service() with what came of it; all of this without ever blocking. What a link is doing is in
 * `state`, and how it ended in `end`.
 *
 * Time is in microseconds of the monotonic clock.
 */
#ifndef USMP_LINK_H
#define USMP_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <usmp/device.h>

#include "platform/error_text.h"

#define LINK_STREAM_SIZE 4096u /* TCP, each way: two messages and some control frames */
#define LINK_ADDRESS_SIZE 48u  /* of the gateway, as text */

enum link_state {
    LINK_CONNECTING, /* TCP: waits for the kernel */
    LINK_OPENING,    /* the handshake */
    LINK_LIVE,       /* messages may go both ways */
    LINK_CLOSING,    /* BYE is on its way; nothing comes down any more */
    LINK_OVER,       /* see `end` */
};

enum link_end {
    LINK_END_NONE,
    LINK_END_CLOSED,   /* link_close() came to its end */
    LINK_END_SOCKET,   /* what the kernel said is in `error` */
    LINK_END_HUNG_UP,  /* TCP: the gateway closed the connection */
    LINK_END_NOT_USMP, /* TCP: what came is no frame */
    LINK_END_DEVICE,   /* the handshake failed or the session ended: `device` knows why */
    LINK_END_LATE,     /* TCP: no connection in time */
};

/* Who takes the messages that come down. */
struct link_receiver {
    void *context;
    /* False: not now. UDP: the gateway repeats it; TCP: nothing is read until this says otherwise. */
    bool (*has_room)(void *context);
    void (*receive)(void *context, const uint8_t *bytes, size_t size);
};

/* TCP only: frames that are not whole yet, and what the kernel has not taken yet. */
struct link_stream {
    uint8_t in[LINK_STREAM_SIZE];
    size_t in_size;
    uint8_t out[LINK_STREAM_SIZE];
    size_t out_size;
    bool is_shut; /* our direction */
};

struct link {
    int socket; /* -1: none */
    enum link_state state;
    enum link_end end;
    int error;              /* of the kernel */
    bool was_challenged;    /* the gateway has answered HELLO */
    bool is_sending;        /* a message is under way */
    uint64_t connect_until; /* CONNECTING */
    char address[LINK_ADDRESS_SIZE];
    struct link_receiver receiver;
    struct usmp_device_start start;
    struct usmp_session_owner owner;
    struct usmp_device device;
    struct link_stream stream;
    uint8_t scratch[USMP_PLAINTEXT_MAX];
    /* The blocks that a session may borrow: there is one session, so one of each. */
    uint8_t message_block[USMP_MESSAGE_MAX];
    struct usmp_rekey_record rekey_block;
    struct usmp_sent_tags reflected_block;
};

/* What stays the same over several attempts, such as with another address of the same host. */
struct link_identity {
    enum usmp_transport transport;
    uint8_t wire;
    enum usmp_cipher cipher;
    uint8_t device_id[USMP_DEVICE_ID_SIZE];
    struct usmp_psk psk; /* the owner wipes it */
    uint64_t timeout;    /* microseconds, for the connection and the handshake */
};

/* NULL when memory is short. */
struct link *link_create(const struct link_receiver *receiver) __attribute__((warn_unused_result));
/* Wipes and frees, and closes the socket; NULL is allowed. */
void link_destroy(struct link *link);

/* Begins an attempt with a new key pair, anew if there was one. It may be over when this returns. */
void link_open(struct link *link, const struct link_identity *identity, const struct sockaddr *address,
               socklen_t length, uint64_t now);

/* What to poll the socket for; 0: leave it out, or a hang-up that nobody wants to hear of now ends every wait. */
short link_events(const struct link *link) __attribute__((warn_unused_result));
/* When link_service() has something to do without an event; USMP_NEVER if nothing comes by itself. */
uint64_t link_deadline(const struct link *link) __attribute__((warn_unused_result));
/* Reads, writes, and does what is due. */
void link_service(struct link *link, short events, uint64_t now);

/* Live, and nothing of ours is under way. */
bool link_can_send(const struct link *link) __attribute__((warn_unused_result));
/* At most USMP_MESSAGE_MAX bytes, which must stay as they are while `is_sending` holds and the link is not over:
 * `is_sending` ends when the gateway has acknowledged the message (UDP) or the kernel has all of it (TCP), and with
 * nothing else. False, and nothing has happened, when it cannot be sent now. */
bool link_send(struct link *link, const uint8_t *payload, size_t size, uint64_t now)
    __attribute__((warn_unused_result));
/* False: not now. */
bool link_ping(struct link *link, uint64_t now) __attribute__((warn_unused_result));
/* New keys; wire 2 only. False: not now. */
bool link_rekey(struct link *link, uint64_t now) __attribute__((warn_unused_result));

/* Says BYE, whatever else is under way. Over UDP it is over when the gateway has acknowledged it or been silent for too
 * long, over TCP when the gateway has closed its side: so nothing that is on its way to it is thrown away. */
void link_close(struct link *link, uint64_t now);

/* Why it is over, in words for the user. Not before it is. */
void link_explain(const struct link *link, struct error_text *reason);

#endif
