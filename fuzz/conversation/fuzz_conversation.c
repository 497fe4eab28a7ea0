/* Whole sessions from the handshake to the end, as scripts of steps (fuzz/steps.h): both roles, both wires, both
 * transports, both suites. The promises that are checked are named in arrival.h and departure.h.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <usmp/start.h>
#include <usmp/utack.h>

#include "conversation/arrival.h"
#include "conversation/conversation.h"
#include "conversation/departure.h"
#include "conversation/fate.h"
#include "conversation/listener.h"
#include "conversation/peer.h"
#include "gateway/require.h"
#include "steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t size_of_message(uint8_t kind, uint8_t size)
{
    static const size_t sizes[] = {0, 1, 452, 453, 904, 905, 1356, 1808};
    return kind & 1 ? sizes[kind / 2 % 8] : (size_t)size * 7 + kind / 2 % 8;
}

static void let_time_pass(struct conversation *conversation, const struct step *step)
{
    uint64_t deadline = usmp_session_deadline(conversation->session);
    if ((step->a & 1) == 0 && deadline != USMP_NEVER && deadline > conversation->now)
        conversation->now = deadline;
    else
        conversation->now += (uint64_t)step->b * 10000;
}

/* What is due leaves, and what comes of that. */
static void advance(struct conversation *conversation)
{
    for (int turn = 0; turn < 16 && usmp_session_deadline(conversation->session) <= conversation->now; turn++) {
        enum usmp_session_verdict verdict = usmp_session_advance(conversation->session, conversation->now);
        require((verdict == USMP_SESSION_OVER) == (conversation->session->state == USMP_SESSION_ENDED));
        conversation_pump(conversation);
    }
    require(usmp_session_deadline(conversation->session) > conversation->now);
}

static void change_network(struct conversation *conversation, uint8_t how)
{
    conversation->loses_frames = how & 1;
    conversation->loses_answers = how & 2;
    conversation->loses_acks = how & 4;
    conversation->holds_acks = how & 8;
}

static uint32_t seq_of(const struct conversation *conversation, uint8_t choice)
{
    uint32_t near = conversation->subject_took.next;
    switch (choice >> 6) {
    case 0:
        return near + (choice & 3);
    case 1:
        return near - (choice & 0x3F);
    case 2:
        return near + (choice & 0x3F) * 3u;
    default:
        return choice & 1 ? USMP_SEQ_LAST - (uint32_t)((choice & 2) / 2) : (uint32_t)choice << 20;
    }
}

static void forge(struct conversation *conversation, const struct step *step)
{
    static const uint8_t types[] = {USMP_DATA, USMP_DATA_FRAG, USMP_DATA_FRAG, USMP_PING,
                                    USMP_PONG, USMP_BYE,       USMP_REKEY,     USMP_DATA};
    uint8_t type = types[step->a % 8];
    if (type == USMP_REKEY && (conversation->version == USMP_WIRE_1 || conversation->role == USMP_DEVICE ||
                               conversation->subject_epoch + 1 == CONVERSATION_EPOCHS))
        type = USMP_DATA;
    unsigned epoch = conversation->subject_epoch;
    if ((step->a & 128) && epoch > 0)
        epoch -= 1;
    size_t size = 0;
    if (type == USMP_DATA || type == USMP_DATA_FRAG)
        size = step->c == 0xFF ? USMP_PLAINTEXT_MAX : step->c % 32;
    else if (type == USMP_REKEY)
        size = USMP_REKEY_SALT_SIZE;
    int entry = peer_forges(conversation, type, seq_of(conversation, step->b), size, epoch);
    if (entry >= 0)
        arrival_deliver(conversation, (unsigned)entry);
}

/* Over TCP a wrong frame is the end of an honest peer too, which is for a dishonest one to try. */
static void replay(struct conversation *conversation, const struct step *step)
{
    bool harmless = conversation_is_udp(conversation) || !conversation->honest;
    if (conversation->said_count == 0 || !harmless)
        return;
    unsigned entry = conversation->said_count - 1 - step->a % conversation->said_count;
    if ((step->b & 1) && conversation->said[entry].authentic) {
        int spoiled = peer_spoils(conversation, entry, step->c);
        if (spoiled >= 0)
            arrival_deliver(conversation, (unsigned)spoiled);
        return;
    }
    arrival_deliver(conversation, entry);
}

/* Our own frame comes back: on wire 2 it is sealed with another key, on wire 1 a gateway knows its last ones. */
static void reflect(struct conversation *conversation, uint8_t which)
{
    if (conversation->sent_count == 0 || !conversation_is_udp(conversation) ||
        (conversation->version == USMP_WIRE_1 && conversation->role == USMP_DEVICE))
        return;
    unsigned age = which % (conversation->sent_count < 40 ? conversation->sent_count : 40);
    const struct sent_frame *sent = &conversation->sent[conversation->sent_count - 1 - age];
    struct usmp_frame frame;
    uint8_t scratch[USMP_PLAINTEXT_MAX];
    require(usmp_frame_parse_datagram(sent->bytes, sent->size, &frame) == USMP_FRAME_COMPLETE);
    enum usmp_session_verdict verdict =
        conversation->role == USMP_DEVICE
            ? usmp_device_receive(&conversation->device, &frame, scratch, conversation->now)
            : usmp_session_receive(conversation->session, &frame, scratch, conversation->now);
    require(verdict == USMP_SESSION_NOT_AUTHENTIC || verdict == USMP_SESSION_UNEXPECTED);
}

static void forge_utack(struct conversation *conversation, const struct step *step)
{
    uint8_t type = step->b & 1 ? conversation->out_type : (uint8_t)USMP_DATA;
    uint32_t seq = conversation->out_seq + (step->b >> 1 & 1) * (step->b >> 2);
    uint8_t utack[USMP_UTACK_KEYED_SIZE];
    size_t size = usmp_utack_write_plain(type, seq, utack);
    if (conversation->version == USMP_WIRE_1 && !conversation->honest)
        conversation->forged = true;
    else if (conversation->version == USMP_WIRE_1)
        return;
    if (step->a & 1) {
        struct usmp_utack_key key;
        enum usmp_role signer = step->a & 2 ? conversation->role : conversation_peer_role(conversation);
        unsigned epoch = step->a & 4 && conversation->subject_epoch > 0 ? conversation->subject_epoch - 1
                                                                        : conversation->subject_epoch;
        usmp_utack_key_init(&key, conversation_key(&conversation->keys[epoch], signer));
        size = usmp_utack_write_keyed(&key, type, seq, utack);
        /* That was the peer's own hand: right for a dishonest one, nothing that could happen to an honest one. */
        if (signer == conversation->role) {
            if (conversation->honest)
                return;
            conversation->forged = true;
        }
    }
    departure_acknowledge(conversation, utack, size);
}

static void device_rekeys(struct conversation *conversation, uint8_t salt_byte)
{
    if (conversation->subject_epoch + 2 >= CONVERSATION_EPOCHS ||
        conversation->subject_epoch != conversation->peer_epoch)
        return;
    uint8_t salt[USMP_REKEY_SALT_SIZE];
    memset(salt, salt_byte, sizeof salt);
    enum usmp_send_verdict verdict = usmp_session_rekey(conversation->session, salt, conversation->now);
    require(conversation->version == USMP_WIRE_2 || verdict == USMP_SEND_FORBIDDEN);
    conversation_pump(conversation);
    if (verdict == USMP_SEND_WRITTEN) {
        const struct usmp_keys keys = conversation->keys[conversation->peer_epoch];
        require(conversation->peer_epoch == conversation->subject_epoch + 1);
        arrival_new_keys(conversation, &keys);
    }
}

static void application(struct conversation *conversation, const struct step *step)
{
    switch (step->a % 8) {
    case 0:
        departure_cancel(conversation);
        break;
    case 1:
    case 2:
        if (conversation->role == USMP_GATEWAY)
            usmp_session_pause(conversation->session, step->a % 8 == 1, conversation->now);
        else
            (void)!usmp_session_ping(conversation->session, conversation->now);
        break;
    case 3:
    case 4:
        if (conversation->role == USMP_DEVICE)
            device_rekeys(conversation, step->b);
        break;
    case 5:
        conversation->blocks_left = step->b % 4;
        break;
    case 6:
        conversation_late_handshake(conversation, step->b);
        break;
    default:
        if (step->b % 4 == 0) {
            usmp_session_close(conversation->session, conversation->now);
            departure_forget(conversation);
        }
        break;
    }
}

static void control(struct conversation *conversation, const struct step *step)
{
    static const uint8_t types[] = {USMP_PING, USMP_PONG, USMP_REKEY, USMP_REKEY};
    peer_controls(conversation, step->a == 0xFF ? (uint8_t)USMP_BYE : types[step->a % 4], step->b);
}

static void run(struct conversation *conversation, const struct step *step)
{
    conversation_trace(conversation, "step %u: %u %u %u", step->what % 16, step->a, step->b, step->c);
    switch (step->what % 16) {
    case 0:
    case 1:
    case 2:
        peer_says(conversation, size_of_message(step->a, step->b));
        break;
    case 3:
        control(conversation, step);
        break;
    case 4:
        peer_gives_up(conversation);
        break;
    case 5:
        replay(conversation, step);
        break;
    case 6:
        if (conversation->honest)
            peer_says(conversation, size_of_message(step->a, step->b));
        else
            forge(conversation, step);
        break;
    case 7:
        reflect(conversation, step->a);
        break;
    case 8:
        conversation->mood = (enum application_mood)(step->a % 3);
        break;
    case 9:
        arrival_settle(conversation, step->a & 1);
        break;
    case 10:
    case 11:
        departure_send(conversation, size_of_message(step->a, step->b));
        break;
    case 12:
        application(conversation, step);
        break;
    case 13:
        change_network(conversation, step->a);
        break;
    case 14:
        let_time_pass(conversation, step);
        break;
    default:
        if (step->c & 1)
            forge_utack(conversation, step);
        else
            listener_release(conversation, step->a);
        break;
    }
    conversation_pump(conversation);
    advance(conversation);
    if (conversation->session->state != USMP_SESSION_LIVE)
        departure_forget(conversation);
}

static void prepare(struct conversation *conversation, const uint8_t setup[STEPS_SETUP_SIZE])
{
    memset(conversation, 0, offsetof(struct conversation, queue));
    conversation->role = setup[0] & 1 ? USMP_DEVICE : USMP_GATEWAY;
    conversation->version = setup[0] & 2 ? USMP_WIRE_1 : USMP_WIRE_2;
    conversation->transport = setup[0] & 4 ? USMP_TCP : USMP_UDP;
    bool is_wire_2 = conversation->version == USMP_WIRE_2;
    conversation->suite = (setup[0] & 8) && is_wire_2 ? USMP_CHACHA20_POLY1305 : USMP_AES_256_GCM;
    conversation->may_send = is_wire_2 || conversation->role == USMP_DEVICE || (setup[0] & 16);
    conversation->honest = !(setup[0] & 32);
    conversation->blind = setup[0] & 64;
    conversation->blocks_left = 3;
    conversation->now = 1000000;
    conversation->tokens_at = conversation->now;
    conversation->tokens = FATE_TOKENS_MAX;
    conversation->last_rekey = -1;
    conversation->deferred = -1;
    conversation->downlink_out = -1;
    conversation->last_delivered = -1;
}

/* Either side may be far into its seqs; only over UDP on wire 2 may the first one be anything. */
static void choose_seqs(struct conversation *conversation, const uint8_t setup[STEPS_SETUP_SIZE])
{
    bool is_loose = conversation_is_udp(conversation) && conversation->version == USMP_WIRE_2;
    if (is_loose && setup[2] != 0)
        conversation->peer_seq = setup[2] & 128 ? USMP_SEQ_LAST - setup[2] : setup[2];
    if (setup[3] & 128) {
        conversation->session->send_next = USMP_SEQ_LAST - (setup[3] & 15);
        conversation->out_starts_late = true;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct conversation conversation;
    if (usmp_start() != NULL)
        abort();
    uint8_t setup[STEPS_SETUP_SIZE];
    struct steps steps = steps_begin(data, size, setup);
    prepare(&conversation, setup);
    conversation_run(&conversation);
    if (conversation_open(&conversation, setup[1])) {
        choose_seqs(&conversation, setup);
        conversation_pump(&conversation);
        struct step step;
        while (steps_next(&steps, &step))
            run(&conversation, &step);
    }
    if (conversation.role == USMP_DEVICE)
        usmp_device_wipe(&conversation.device);
    else
        usmp_session_wipe(&conversation.gateway);
    require(conversation.blocks_out == 0);
    return 0;
}
