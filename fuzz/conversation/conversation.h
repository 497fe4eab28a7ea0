/* One conversation with one end of libusmp, the subject, in the hands of a fuzzer: what its parts share.
 *
 * The other end, the peer, is made by hand from libusmp's lowest layers (frames, records, UTACKs, keys), not from its
 * sessions. An honest peer keeps to docs/protocol.md, whatever the network does to it; one that is not has the right
 * keys and sends what it likes. What has to follow is worked out beside the subject, from what was sent and received
 * and nothing else, and compared: see arrival.h for what the subject receives, departure.h for what it sends.
 */
#ifndef FUZZ_CONVERSATION_H
#define FUZZ_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/device.h>
#include <usmp/keys.h>
#include <usmp/record.h>
#include <usmp/session.h>

#define CONVERSATION_EPOCHS 24u    /* keys of one conversation */
#define CONVERSATION_FRAMES 512u   /* frames of the peer that can come again */
#define CONVERSATION_MESSAGES 250u /* in each direction */
#define CONVERSATION_SEQS 1024u    /* under one key */
#define CONVERSATION_SENT 1024u    /* frames of the subject */
#define CONVERSATION_HELD 8u       /* acknowledgements that come later */
#define CONVERSATION_QUEUE 64u     /* what one call of the subject sends */

/* A frame that the peer made. */
struct said {
    uint8_t bytes[USMP_FRAME_MAX];
    uint16_t size;
    uint16_t plaintext_size;
    uint8_t plaintext[USMP_PLAINTEXT_MAX];
    unsigned epoch; /* whose keys it was sealed with */
    uint32_t seq;
    uint8_t type;
    uint8_t fragment;
    int message;    /* an honest peer's; -1: none */
    bool authentic; /* nothing was changed behind the seal */
    bool collected; /* the subject took it as a part of a message, which is not delivered yet */
};

struct message {
    size_t size;
    unsigned delivered; /* how often the other side's application got it */
    unsigned rekeys;    /* while it was out: it may arrive once more for each */
};

/* What of the peer waits for its acknowledgement; an honest one has one thing out at a time. */
struct flight {
    bool out;
    uint8_t type;
    uint8_t fragment;
    int message;
    unsigned entry; /* in `said` */
};

struct departed {
    enum usmp_send_kind kind;
    unsigned epoch; /* the subject's, when it left */
    size_t size;
    uint8_t bytes[USMP_FRAGMENTS_MAX * USMP_FRAME_MAX];
};

struct sent_frame {
    unsigned epoch;
    enum usmp_suite suite;
    uint32_t seq;
    uint16_t size;
    uint8_t bytes[USMP_FRAME_MAX];
};

struct acknowledgement {
    size_t size;
    uint8_t bytes[USMP_UTACK_KEYED_SIZE];
};

enum application_mood {
    APPLICATION_ACCEPTS,
    APPLICATION_REFUSES,
    APPLICATION_DEFERS,
};

/* Seqs that one side has taken under the keys of now. */
struct taken {
    uint32_t seqs[CONVERSATION_SEQS];
    size_t count;
    uint32_t highest;
    uint32_t next; /* where the order is strict */
};

struct conversation {
    enum usmp_role role; /* the subject's */
    enum usmp_transport transport;
    uint8_t version;
    enum usmp_suite suite; /* the peer's */
    bool honest;
    bool blind; /* the peer acknowledges before it opens, as released devices do */
    bool may_send;
    uint64_t now;

    struct usmp_device device;    /* the subject, as a device */
    struct usmp_session gateway;  /* or as a gateway */
    struct usmp_session *session; /* the one of the two that is used */
    bool suite_known;             /* the subject has opened a frame */
    uint8_t session_id[USMP_SESSION_ID_SIZE];
    struct usmp_keys keys[CONVERSATION_EPOCHS];
    unsigned peer_epoch;
    unsigned subject_epoch;
    unsigned blocks_left;
    unsigned blocks_out;

    /* The network. */
    bool loses_frames;  /* of the subject */
    bool loses_answers; /* UTACKs of the subject */
    bool loses_acks;    /* UTACKs of the peer */
    bool holds_acks;
    struct acknowledgement held[CONVERSATION_HELD];
    unsigned held_count;
    unsigned queue_count;

    /* From the peer to the subject. */
    unsigned said_count;
    struct message uplink[CONVERSATION_MESSAGES];
    int uplink_count;
    struct flight flight;
    uint32_t peer_seq;
    bool owes_fence;               /* the peer gave up a message of which a part had left */
    struct taken subject_took;     /* by the subject */
    const struct said *delivering; /* the frame that the subject is being given, or whose fate is being settled */
    unsigned answers;              /* UTACKs of the subject since */
    int last_rekey;                /* entry of the REKEY that the subject applied and still answers; -1: none */
    int deferred;                  /* entry that waits to be settled; -1: none */
    bool deferred_is_moot;
    bool intact;     /* nothing new has come since the first part below but further ones, in order */
    int whose_parts; /* message whose parts the subject took last */
    unsigned parts;
    enum application_mood mood;
    uint64_t tokens_at; /* of control frames, in millionths */
    uint64_t tokens;

    /* From the subject to the peer. */
    unsigned sent_count;
    struct message downlink[CONVERSATION_MESSAGES];
    int downlink_count;
    int downlink_out; /* -1: none */
    uint8_t payload[USMP_MESSAGE_MAX];
    unsigned fragments_acknowledged; /* of the message that is out */
    uint64_t rekeyed_at;             /* when the subject's keys changed last */
    bool may_restart;                /* REKEY came: it may begin again */
    uint8_t out_type;                /* of the subject's frame in flight, 0: not known */
    uint32_t out_seq;
    unsigned out_epoch;
    bool forged;          /* a UTACK that anyone could have sent was right (wire 1) */
    bool out_starts_late; /* its first seq is not 0 */
    struct taken peer_took;
    uint8_t partial[USMP_MESSAGE_MAX];
    size_t partial_size;
    unsigned partial_fragments;
    uint32_t partial_next;
    int last_delivered;

    /* As many of each as are counted above; what lies behind those is not looked at, nor cleared. */
    struct departed queue[CONVERSATION_QUEUE];
    struct said said[CONVERSATION_FRAMES];
    struct sent_frame sent[CONVERSATION_SENT];
};

/* Byte `index` of message `number` of the side with this role. */
static inline uint8_t conversation_content(enum usmp_role role, int number, size_t index)
{
    if (index == 0)
        return (uint8_t)number;
    return (uint8_t)((size_t)number * 37 + index * 11 + (index >> 8) + (role == USMP_GATEWAY ? 128 : 0));
}

static inline enum usmp_role conversation_peer_role(const struct conversation *conversation)
{
    return conversation->role == USMP_GATEWAY ? USMP_DEVICE : USMP_GATEWAY;
}

static inline const uint8_t *conversation_key(const struct usmp_keys *keys, enum usmp_role sender)
{
    return sender == USMP_DEVICE ? keys->device_to_gateway : keys->gateway_to_device;
}

static inline bool conversation_is_udp(const struct conversation *conversation)
{
    return conversation->transport == USMP_UDP;
}

/* To standard error, if FUZZ_TRACE is set in the environment: for who looks into a finding. */
void conversation_trace(const struct conversation *conversation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void taken_clear(struct taken *taken);
bool taken_has(const struct taken *taken, uint32_t seq);
void taken_add(struct taken *taken, uint32_t seq);

/* opening.c: the handshake, with the hindrances that `hindrances` says. False: it came to nothing, as it had to. */
bool conversation_open(struct conversation *conversation, uint8_t hindrances);
/* Late copies of the handshake's frames. */
void conversation_late_handshake(struct conversation *conversation, uint8_t choice);

/* owner.c */
/* The one whose blocks are taken and given from now on. */
void conversation_run(struct conversation *conversation);
extern const struct usmp_session_owner conversation_owner;
/* Handles what the subject has sent, until nothing more comes of it. */
void conversation_pump(struct conversation *conversation);

#endif
