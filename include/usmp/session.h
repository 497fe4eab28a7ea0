/* A session: what both ends do between the handshake and the end (docs/protocol.md sections 3 and 4).
 *
 * Sans-IO. Frames, UTACKs and the time go in; bytes to send go out through the owner's table of functions; what the
 * owner has to do next is the verdict. There is no clock, no allocation and no randomness in here, so the same code
 * runs in the daemon, in a client, in a simulation and under a fuzzer.
 *
 * Opening and accepting are two steps. A frame that completes a message is *offered* (USMP_SESSION_OFFER) and the
 * session stays as it was until the owner answers, before any other call on this session, with exactly one of
 *   usmp_session_accept   the message is taken: the window moves, the UTACK leaves
 *   usmp_session_refuse   not now: nothing moves; a device on UDP repeats, on TCP the owner feeds the frame again
 *   usmp_session_defer    later, usmp_session_settle follows; meanwhile copies are dropped unanswered, other data
 *                         is refused
 * because a UTACK that is withheld after the window has moved would lose the message.
 *
 * Ownership: the owner owns the struct, the table and every payload it sends (unchanged until the verdict
 * USMP_SESSION_SENT, a cancel or the end). Blocks come from `take` and go back through `give`, at the latest in
 * usmp_session_wipe, which must be the last call on every session that was begun.
 *
 * Time is in microseconds of a monotonic clock and never goes back. After every call that takes `now`, ask
 * usmp_session_deadline and call usmp_session_advance when it has come. Over UDP frames of the session's own (PONG, the
 * next fragment, a repeat) leave in usmp_session_advance only, so that the owner can move the session to a new address
 * first; a receiving call sends nothing but UTACKs and, to a late copy of HELLO_ACK, SESSION_OK. Over TCP PONG is
 * written at once.
 */
#ifndef USMP_SESSION_H
#define USMP_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/frame.h>
#include <usmp/keys.h>
#include <usmp/reassembly.h>
#include <usmp/replay_window.h>
#include <usmp/round_trip.h>
#include <usmp/utack.h>
#include <usmp/wire.h>

#define USMP_NEVER UINT64_MAX /* a deadline that does not come */

/* Which cipher a session may use; nothing on the wire says it (docs/protocol.md section 3). */
enum usmp_cipher {
    USMP_CIPHER_AUTO, /* wire 2: the suite that opens the first frame; what we send first is AES */
    USMP_CIPHER_AES_256_GCM,
    USMP_CIPHER_CHACHA20_POLY1305, /* wire 2 only */
};

enum usmp_send_kind {
    USMP_SEND_FRAME,  /* to the peer's address */
    USMP_SEND_ANSWER, /* a UTACK: to where the datagram being handled came from; from settle, the deferred one */
};

/* The blocks a session may borrow. */
enum usmp_block {
    USMP_BLOCK_MESSAGE,   /* USMP_MESSAGE_MAX bytes, while a fragmented message is arriving */
    USMP_BLOCK_REKEY,     /* sizeof(struct usmp_rekey_record), until a frame under the new keys has opened */
    USMP_BLOCK_REFLECTED, /* sizeof(struct usmp_sent_tags), a gateway's wire 1 sessions that send */
};

struct usmp_session;

struct usmp_session_owner {
    void *context;
    /* `bytes` are whole frames or one UTACK and live during the call. Over UDP exactly one datagram. The session must
     * not be called from within. */
    void (*send)(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                 size_t size);
    /* NULL when there is none: the frame that needed it is then refused or not sent. */
    void *(*take)(void *context, enum usmp_block block);
    void (*give)(void *context, enum usmp_block block, void *bytes);
};

enum usmp_session_state {
    USMP_SESSION_LIVE,
    USMP_SESSION_CLOSING, /* our BYE is out over UDP and repeated until acknowledged or given up */
    USMP_SESSION_ENDED,   /* over UDP identical copies of the peer's BYE are still answered, until `linger_until` */
};

enum usmp_end {
    USMP_END_NONE,
    USMP_END_BYE,         /* the peer said BYE */
    USMP_END_PROTOCOL,    /* the peer broke the protocol, or too many control frames */
    USMP_END_EXHAUSTED,   /* sequence numbers used up */
    USMP_END_UNCONFIRMED, /* SESSION_OK was never acknowledged and no frame came */
    USMP_END_GIVEN_UP,    /* UDP: a frame of ours was given up that no later one may follow: any on wire 1, REKEY */
    USMP_END_CLOSED,      /* usmp_session_close */
};

enum usmp_session_verdict {
    USMP_SESSION_NOTHING,       /* handled, nothing to do */
    USMP_SESSION_OFFER,         /* a message: see `offer` */
    USMP_SESSION_SENT,          /* our message is acknowledged (UDP); its payload may go */
    USMP_SESSION_NOT_NOW,       /* no block, or a deferred message is in the way: as if refused */
    USMP_SESSION_DUPLICATE,     /* opened, but known before or too old; answered where it has to be */
    USMP_SESSION_WAITING,       /* a copy of the deferred message: unanswered */
    USMP_SESSION_NOT_AUTHENTIC, /* UDP: dropped, no trace */
    USMP_SESSION_UNEXPECTED,    /* UDP: authentic or not, not for this state, version or type: dropped */
    USMP_SESSION_OVER,          /* it ended just now: see `end`; `state` says whether it lingers */
};

/* What usmp_session_send says. */
enum usmp_send_verdict {
    USMP_SEND_STARTED,   /* UDP: USMP_SESSION_SENT will follow, or cancel it */
    USMP_SEND_WRITTEN,   /* TCP: all frames went to `send`; the payload may go */
    USMP_SEND_BUSY,      /* something is out, or SESSION_OK is not confirmed yet: try when advance lets it */
    USMP_SEND_FORBIDDEN, /* wire 1 without permission to send: docs/security.md rule 21 */
    USMP_SEND_TOO_LARGE, /* over USMP_MESSAGE_MAX */
    USMP_SEND_NO_BLOCK,  /* `take` gave nothing */
    USMP_SEND_OVER,      /* the session is not live */
};

/* A message offered to the owner; `bytes` live until it is answered. A deferred one must be copied. */
struct usmp_offer {
    const uint8_t *bytes;
    size_t size;
};

/* What is left of the old keys after a REKEY that came over UDP: its frame and answer, and what checks the UTACK of our
 * frame that was in flight. For our own REKEY: its salt, until it is acknowledged. Internal, but sized here. */
struct usmp_rekey_record {
    uint8_t frame[USMP_REKEY_FRAME];
    uint8_t utack[USMP_UTACK_KEYED_SIZE];
    bool answers; /* copies of `frame` are answered: nothing has opened under the new keys yet */
    struct usmp_utack_key old_send_utack;
    uint8_t salt[USMP_REKEY_SALT_SIZE];
};

/* Wire 1 has one key for both directions: our own frames, reflected, would open. Internal, but sized here. */
struct usmp_sent_tags {
    uint64_t used;      /* bit n: entry n is in use */
    uint32_t seq[64];   /* entry n: of the last frame with seq % 64 == n */
    uint8_t tag[64][8]; /* the first bytes of its tag */
};

/* UDP: the message that is out and the one frame in flight. Internal, but sized here: a session is embedded in its
 * owner's table. */
struct usmp_outgoing {
    const uint8_t *payload; /* of the message that is out; may be NULL for an empty one */
    uint64_t due;           /* when something of ours leaves next, if there is something */
    uint32_t seq;           /* of the frame in flight */
    uint16_t size;          /* of the message that is out */
    uint8_t fragment;       /* index of the message's frame in flight, or of the next one */
    uint8_t type;           /* of the frame in flight, 0 when none is */
    uint8_t sends;          /* how often it left */
    uint8_t doublings;      /* of the time-out, by frames before: kept until the next measurement */
    bool message;           /* a message is out */
    bool fence;             /* a PONG goes before anything else: it ends a partial message on the peer's side */
    bool under_old_key;     /* REKEY came while it was in flight: it only waits for its old UTACK, until `due` */
};

struct usmp_session {
    const struct usmp_session_owner *owner;
    void *user; /* the owner's */
    enum usmp_role role;
    enum usmp_transport transport;
    enum usmp_session_state state;
    enum usmp_end end;
    enum usmp_cipher cipher; /* AUTO until a frame has opened */
    uint8_t version;         /* 1 or 2 */
    bool may_send;           /* encrypted frames may leave (always on wire 2) */
    bool confirmed;          /* SESSION_OK acknowledged or a frame has opened */
    bool paused;             /* see usmp_session_pause */
    bool fresh;              /* the last frame was new to the window: it may refresh the watchdog */
    bool newest;             /* and newer than all before: it may move the session to its address */
    bool deferred;           /* an offer waits for usmp_session_settle */
    bool deferred_is_moot;   /* REKEY came meanwhile: nobody waits for its UTACK any more */
    uint8_t pongs_held;      /* PINGs not answered yet */
    uint8_t offer_type;
    uint16_t partial_size; /* bytes in `partial` */
    uint32_t offer_seq;
    struct usmp_round_trip round_trip; /* of our frames over UDP */
    struct usmp_offer offer;           /* valid after USMP_SESSION_OFFER until it is answered */
    uint32_t receive_next;             /* TCP, and UDP wire 1: the seq that must come */
    uint32_t send_next;                /* seq of our next frame */
    uint8_t session_id[USMP_SESSION_ID_SIZE];
    struct usmp_keys keys;
    struct usmp_utack_key receive_utack; /* of the peer's frames; wire 2 over UDP */
    struct usmp_utack_key send_utack;    /* of ours */
    struct usmp_replay_window window;    /* wire 2 over UDP */
    struct usmp_reassembly reassembly;
    uint8_t *partial; /* USMP_BLOCK_MESSAGE while a fragmented message arrives */
    struct usmp_rekey_record *rekey;
    struct usmp_sent_tags *sent_tags;
    struct usmp_outgoing outgoing;
    uint64_t control_budget;   /* token bucket of control frames: when it will be full again */
    uint64_t session_ok_due;   /* gateway over UDP, not confirmed: when SESSION_OK leaves again */
    uint64_t session_ok_until; /* and when the session ends without it */
    uint64_t linger_until;     /* ENDED: how long copies of the peer's BYE are answered; 0: not at all */
    /* The handshake as far as late copies of it are still answered (gateway, UDP). */
    uint8_t device_public[USMP_PUBLIC_KEY_SIZE];
    uint8_t hello_ack_hmac[USMP_HANDSHAKE_HMAC_SIZE];
    uint8_t session_ok_hmac[USMP_HANDSHAKE_HMAC_SIZE];
};

/* What a finished handshake gives to its session; wiped by the caller afterwards. */
struct usmp_session_start {
    enum usmp_role role;
    enum usmp_transport transport;
    uint8_t version;
    enum usmp_cipher cipher;
    bool may_send; /* false: nothing encrypted ever leaves (wire 1 without v1_downlink) */
    struct usmp_keys keys;
    uint8_t session_id[USMP_SESSION_ID_SIZE];
    /* gateway only */
    uint64_t confirm_within; /* microseconds until an unconfirmed session ends (handshake_timeout) */
    uint8_t device_public[USMP_PUBLIC_KEY_SIZE];
    uint8_t hello_ack_hmac[USMP_HANDSHAKE_HMAC_SIZE];
    uint8_t session_ok_hmac[USMP_HANDSHAKE_HMAC_SIZE];
};

/* Begins a session in `session`. A gateway sends SESSION_OK from here (after the keys are in place) and, over UDP,
 * repeats it from usmp_session_advance. */
void usmp_session_begin(struct usmp_session *session, const struct usmp_session_owner *owner, void *user,
                        const struct usmp_session_start *start, uint64_t now);

/* Gives back all blocks and wipes everything. Allowed in every state, also on an all-zero struct. */
void usmp_session_wipe(struct usmp_session *session);

/* A frame of the peer, already parsed (so its CRC is right). `scratch` takes the plaintext
 * (USMP_PLAINTEXT_MAX bytes, the owner's, one for all sessions; an offer may point into it). Frames of the
 * handshake (late copies, see usmp_session_receive_handshake) must not come here.
 * TCP: everything wrong ends the session. UDP: everything wrong is dropped. */
enum usmp_session_verdict usmp_session_receive(struct usmp_session *session, const struct usmp_frame *frame,
                                               uint8_t *scratch, uint64_t now) USMP_MUST_USE;

/* The answer to USMP_SESSION_OFFER, before any other call on this session. */
void usmp_session_accept(struct usmp_session *session, uint64_t now);
void usmp_session_refuse(struct usmp_session *session);
void usmp_session_defer(struct usmp_session *session);
/* A deferred message: `accepted` sends the UTACK unless a REKEY came in between or the session is not live. Not
 * accepted: as if it had been refused. */
void usmp_session_settle(struct usmp_session *session, bool accepted, uint64_t now);

/* UDP: a datagram that begins with `ac ac`. USMP_SESSION_SENT, NOTHING (it finished a fragment, a PONG, SESSION_OK or
 * our BYE; OVER if that was the last thing to wait for), NOT_AUTHENTIC (wrong MAC) or UNEXPECTED (not what is in
 * flight). */
enum usmp_session_verdict usmp_session_receive_utack(struct usmp_session *session, const uint8_t *bytes, size_t size,
                                                     uint64_t now) USMP_MUST_USE;

/* Gateway, UDP: a HELLO or HELLO_ACK while the session is there. True: it is a late copy of this session's own
 * handshake and has been answered (UTACK; the same SESSION_OK again for HELLO_ACK); false: not ours. */
bool usmp_session_receive_handshake(struct usmp_session *session, const struct usmp_frame *frame,
                                    uint64_t now) USMP_MUST_USE;

/* Sends a message; one at a time. `payload` must stay unchanged until SENT, cancel or the end (UDP). */
enum usmp_send_verdict usmp_session_send(struct usmp_session *session, const uint8_t *payload, size_t size,
                                         uint64_t now) USMP_MUST_USE;
/* Whether usmp_session_send would take a message now (nothing out, confirmed, live, not paused). */
bool usmp_session_can_send(const struct usmp_session *session) USMP_MUST_USE;
/* Gives up the message that is out; true if any of it has been on the wire (it always has been over UDP), false if
 * none is out. Wire 1 over UDP: the session ends with it (USMP_END_GIVEN_UP; ask `state`), since a sequence number may
 * not be skipped. Wire 2: after a message of several fragments a PONG goes before the next one, so that the device does
 * not take that for the rest of this. */
bool usmp_session_cancel(struct usmp_session *session);

/* Device: sends PING, or REKEY with 32 random bytes of salt (wire 2, FORBIDDEN on wire 1). Same verdicts as
 * usmp_session_send. Over UDP the new keys are in place when the UTACK of REKEY arrives, over TCP at once. */
enum usmp_send_verdict usmp_session_ping(struct usmp_session *session, uint64_t now) USMP_MUST_USE;
enum usmp_send_verdict usmp_session_rekey(struct usmp_session *session, const uint8_t salt[USMP_REKEY_SALT_SIZE],
                                          uint64_t now) USMP_MUST_USE;

/* Ends the session from our side, with BYE where one may be sent. TCP: `state` is ENDED at once; UDP: CLOSING until
 * the BYE is acknowledged or given up after five sends, then advance or receive_utack says OVER. */
void usmp_session_close(struct usmp_session *session, uint64_t now);

/* UDP: holds back everything of ours but answers, because a handshake that may be genuine is pending at this address
 * (docs/protocol.md section 5); resumed, repeats go on. */
void usmp_session_pause(struct usmp_session *session, bool paused, uint64_t now);

/* When usmp_session_advance has something to do, also in the past; USMP_NEVER if nothing will come by itself. Lingering
 * needs no advance: the owner looks at `linger_until`. */
uint64_t usmp_session_deadline(const struct usmp_session *session) USMP_MUST_USE;
/* Sends what is due. NOTHING or OVER. Early calls are harmless. */
enum usmp_session_verdict usmp_session_advance(struct usmp_session *session, uint64_t now) USMP_MUST_USE;

#endif
