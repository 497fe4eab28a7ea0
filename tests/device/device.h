/* A device that behaves as the C core of ESP-IDF and Arduino devices does where it is strictest, without a line
 * of libusmp in it: an implementation of its own finds what a shared one hides.
 *
 * It is without I/O. Whoever owns one gives it bytes and the time, carries away what it sends, and plays the application
 * on it: calls strict_device_send(), strict_device_read() and so on, one at a time, because the C core is a blocking
 * library on one thread. Such a call is an operation: it begins with the call and goes on, with the bytes and the time
 * that come in, until `tell` hears how it ended. While one is under way the device does nothing else, and that is the
 * point: what comes from the gateway meanwhile waits, or is lost.
 *
 * Over UDP:
 *   - a datagram that comes while nobody reads waits in the socket (strict_device_start.socket_queue datagrams, 0 to
 *     STRICT_SOCKET_QUEUE_MAX) and is acknowledged when the application reads, seconds later if need be;
 *   - while the device sends and waits for its UTACK, the first frame that comes is kept in the one receive slot, and
 *     whatever comes while it is full is lost. With socket_queue 0, the strictest, the slot is all there is at any time;
 *   - it acknowledges a frame before it looks into it;
 *   - any frame but the one that its handshake waits for ends the handshake, an encrypted one above all;
 *   - a receive call makes at most ten reads of 50 ms, counting everything.
 * What differs from version to version is in era.h, what differs between Arduino and ESP-IDF in port.h.
 *
 * Over TCP the owner opens the connection first. It gives the device what arrives as far as there is room (the window of
 * a microcontroller's TCP), and what the device sends is taken to be written at once.
 *
 * Times are microseconds of any clock that does not go back, never 0. The memory is the owner's: no allocation, about
 * 20 KiB a device. Keys are wiped by strict_device_wipe(), which belongs behind each strict_device_begin().
 */
#ifndef TESTS_DEVICE_DEVICE_H
#define TESTS_DEVICE_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/era.h"
#include "device/frame.h"
#include "device/keys.h"
#include "device/mailbox.h"
#include "device/port.h"
#include "device/transmission.h"
#include "device/window.h"

#define STRICT_DEVICE_ID_SIZE 6u
#define STRICT_MESSAGE_MAX 1808u
#define STRICT_PSK_MAX 64u
#define STRICT_STREAM_MAX 5744u /* lwIP's usual TCP window */

enum strict_transport { STRICT_TCP, STRICT_UDP };

enum strict_event_kind {
    STRICT_CONNECTED,
    STRICT_SENT,    /* send, ping or rekey is done: acknowledged over UDP, written over TCP */
    STRICT_UNSENT,  /* five sends without an answer, and the session goes on (only eras that reuse the seq) */
    STRICT_MESSAGE, /* read is done: a message */
    STRICT_NOTHING, /* read is done: no message, and the session goes on */
    STRICT_CLOSED,  /* close is done */
    STRICT_OVER,    /* the handshake failed or the session ended, and with it the operation that was under way */
    /* The ones below end no operation. */
    STRICT_OPENED,   /* a frame of the gateway was authentic */
    STRICT_REPEATED, /* the device sent the same frame again */
    STRICT_LOST      /* a datagram found the slot and the queue full */
};

/* Why it is over. */
enum strict_end {
    STRICT_END_BYE,              /* the gateway's */
    STRICT_END_GAVE_UP,          /* five sends without a UTACK */
    STRICT_END_TIMED_OUT,        /* the handshake; eras that have a limit */
    STRICT_END_UNEXPECTED_FRAME, /* a type, length or version that does not fit there */
    STRICT_END_BAD_FRAME,        /* magic, CRC or tag */
    STRICT_END_BAD_GATEWAY,      /* wrong HMAC in SESSION_OK, or a shared secret of zeros */
    STRICT_END_OUT_OF_ORDER,     /* TCP and wire 1: not the next seq; fragments that are not consecutive */
    STRICT_END_TOO_LONG,         /* for the application's buffer, or more than four fragments */
    STRICT_END_CONTROL_FRAMES,   /* too many in one receive call */
    STRICT_END_READS_SPENT,      /* the ten reads, inside a message */
    STRICT_END_SEQ_SPENT,
    STRICT_END_STALLED,      /* TCP: a frame that stood still */
    STRICT_END_STREAM_CLOSED /* TCP: by the other side */
};

struct strict_event {
    enum strict_event_kind kind;
    enum strict_end end;  /* STRICT_OVER */
    uint8_t type;         /* STRICT_OPENED, STRICT_REPEATED, STRICT_LOST */
    uint32_t seq;         /* the same */
    const uint8_t *bytes; /* STRICT_MESSAGE; until the next call */
    size_t size;
};

/* The owner's. None of these may call the device: what an event asks for is done when the call that told it is back. */
struct strict_owner {
    void *context;
    void (*send)(void *context, const uint8_t *bytes, size_t size); /* a datagram, or bytes of the stream */
    void (*random)(void *context, uint8_t *bytes, size_t size);
    void (*tell)(void *context, const struct strict_event *event);
};

struct strict_start {
    const struct strict_era *era;
    const struct strict_port *port;
    enum strict_transport transport; /* one that the era has */
    enum strict_cipher cipher;       /* ChaCha20-Poly1305: eras with has_rekey */
    uint8_t id[STRICT_DEVICE_ID_SIZE];
    const uint8_t *psk; /* copied */
    size_t psk_size;    /* 1 to STRICT_PSK_MAX */
    size_t socket_queue;
};

enum strict_operation {
    STRICT_IDLE,
    STRICT_HANDSHAKE,
    STRICT_SENDING,
    STRICT_PINGING,
    STRICT_REKEYING,
    STRICT_READING,
    STRICT_CLOSING
};

enum strict_verdict {
    STRICT_BEGUN, /* `tell` hears, or has heard already, how it ended */
    STRICT_BUSY,  /* another operation is under way */
    STRICT_NO_SESSION,
    STRICT_REFUSED /* the era does not know it, or the message is too long */
};

/* Members are for the files of this folder and for tests to look at. */
struct strict_device {
    const struct strict_era *era;
    const struct strict_port *port;
    const struct strict_owner *owner;
    enum strict_transport transport;
    enum strict_cipher cipher;
    uint64_t now;
    enum strict_operation operation;
    bool connected;
    bool over;

    uint8_t id[STRICT_DEVICE_ID_SIZE];
    uint8_t psk[STRICT_PSK_MAX];
    size_t psk_size;
    struct strict_handshake_secrets handshake;
    bool cookie_sent;
    bool challenged;
    uint64_t handshake_deadline; /* UINT64_MAX: none */

    uint8_t session_id[STRICT_SESSION_ID_SIZE];
    struct strict_session_keys keys;
    bool has_old_keys; /* of the session before: eras that keep them */
    uint8_t old_receive_key[STRICT_KEY_SIZE];
    uint32_t next_seq; /* of ours */
    struct strict_window window;

    struct strict_mailbox mailbox;
    uint8_t last_handshake_type; /* of the gateway's; 0: none yet */
    struct strict_transmission transmission;
    bool written; /* the frame in `transmission` is out: the operation goes on with its next step */

    uint8_t outgoing[STRICT_MESSAGE_MAX];
    size_t outgoing_size;
    size_t outgoing_sent;
    uint8_t salt[STRICT_KEY_SIZE];
    uint64_t last_sent; /* the last frame of ours */

    /* The receive call under way. A PONG that it sends suspends it. */
    unsigned reads;
    uint64_t read_deadline; /* UINT64_MAX: none */
    unsigned control_frames;
    unsigned fragments;
    uint32_t next_fragment;
    uint8_t incoming[STRICT_MESSAGE_MAX];
    size_t incoming_size;

    uint8_t stream[STRICT_STREAM_MAX];
    size_t stream_size;
    bool stream_closed;
};

/* Sends HELLO. `device` need not be initialised the first time; the same device may begin again after strict_device_wipe(),
 * or, to reconnect as the C core does, after strict_device_restart(). */
void strict_device_begin(struct strict_device *device, const struct strict_owner *owner,
                         const struct strict_start *start, uint64_t now);
/* A new handshake of a device whose session or handshake is over, from a new port or on a new connection. */
void strict_device_restart(struct strict_device *device, uint64_t now);
void strict_device_wipe(struct strict_device *device);

/* Input. Any bytes are allowed; what is no datagram from the address and port that the device calls must be kept from
 * it, because its socket is connected. */
void strict_device_datagram(struct strict_device *device, const uint8_t *bytes, size_t size, uint64_t now);
/* How many bytes were taken; the rest waits until there is room again. */
size_t strict_device_stream(struct strict_device *device, const uint8_t *bytes, size_t size, uint64_t now);
void strict_device_stream_closed(struct strict_device *device, uint64_t now);

/* When strict_device_advance() is due; UINT64_MAX: never. */
uint64_t strict_device_deadline(const struct strict_device *device);
void strict_device_advance(struct strict_device *device, uint64_t now);

/* Operations. */
enum strict_verdict strict_device_send(struct strict_device *device, const uint8_t *bytes, size_t size, uint64_t now);
enum strict_verdict strict_device_ping(struct strict_device *device, uint64_t now);
enum strict_verdict strict_device_rekey(struct strict_device *device, uint64_t now);
enum strict_verdict strict_device_read(struct strict_device *device, uint64_t now);
/* Says BYE if the era does. The device is over then, whatever becomes of the BYE. */
enum strict_verdict strict_device_close(struct strict_device *device, uint64_t now);

/* What an application asks before it reads. May take a datagram out of the socket into the slot. */
bool strict_device_has_input(struct strict_device *device, uint64_t now);

#endif
