/* A session whose peer has the right keys and does what the input says: frames of every type and order, UTACKs, time,
 * a moody owner, blocks that run out. Whatever comes, the session keeps these rules:
 *
 * - one key, suite and seq never seal two different frames (docs/protocol.md section 3, nonces)
 * - a message is accepted once, a frame is acknowledged only when it is not needed again (section 4)
 * - without permission nothing encrypted leaves (docs/security.md rule 21); paused, nothing but answers
 * - every block comes back, and there is always a deadline in the future or none
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <usmp/record.h>
#include <usmp/session.h>
#include <usmp/start.h>
#include <usmp/utack.h>

#include "../input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 600
#define SENT_KEPT 4096
#define ACCEPTED_KEPT 4096

struct sent_frame {
    uint64_t epoch; /* which keys */
    enum usmp_cipher cipher;
    uint32_t seq;
    uint16_t size;
    uint8_t bytes[USMP_FRAME_MAX];
};

struct accepted {
    uint64_t epoch;
    uint32_t seq;
};

static struct {
    struct input input;
    struct usmp_session session;
    struct usmp_keys old_keys; /* before the last REKEY */
    enum usmp_suite suite;     /* the peer's */
    uint64_t epoch;
    uint64_t now;
    uint32_t peer_seq; /* its next */
    bool answers_only; /* in a call that must send nothing but answers */
    unsigned blocks_left;
    size_t blocks_out;
    bool has_ticket; /* a deferred message */
    size_t sent_count;
    size_t accepted_count;
} fuzz;

static struct sent_frame sent[SENT_KEPT];
static struct accepted accepted[ACCEPTED_KEPT];
static uint8_t message[USMP_MESSAGE_MAX];
static uint8_t scratch[USMP_PLAINTEXT_MAX];

static bool is_gateway(void)
{
    return fuzz.session.role == USMP_GATEWAY;
}

static const uint8_t *peer_key(const struct usmp_keys *keys)
{
    return is_gateway() ? keys->device_to_gateway : keys->gateway_to_device;
}

static const uint8_t *our_key(const struct usmp_keys *keys)
{
    return is_gateway() ? keys->gateway_to_device : keys->device_to_gateway;
}

static void check_nonce(const struct usmp_frame *frame)
{
    for (size_t index = 0; index < fuzz.sent_count; index++) {
        const struct sent_frame *before = &sent[index];
        if (before->epoch == fuzz.epoch && before->seq == frame->seq && before->cipher == fuzz.session.cipher) {
            assert(before->size == frame->size && memcmp(before->bytes, frame->bytes, frame->size) == 0);
            return;
        }
    }
    if (fuzz.sent_count == SENT_KEPT)
        return;
    struct sent_frame *kept = &sent[fuzz.sent_count++];
    *kept = (struct sent_frame){fuzz.epoch, fuzz.session.cipher, frame->seq, frame->size, {0}};
    memcpy(kept->bytes, frame->bytes, frame->size);
}

static void check_frames(const uint8_t *bytes, size_t size)
{
    for (size_t offset = 0; offset < size;) {
        struct usmp_frame frame;
        size_t total = 0;
        enum usmp_frame_verdict verdict = usmp_frame_parse(bytes + offset, size - offset, &frame, &total);
        assert(verdict == USMP_FRAME_COMPLETE);
        (void)verdict;
        assert(fuzz.session.transport == USMP_TCP || total == size);
        offset += total;
        if (!usmp_type_is_encrypted(frame.type)) {
            assert(frame.type == USMP_SESSION_OK);
            continue;
        }
        assert(fuzz.session.may_send && fuzz.session.confirmed);
        assert(!fuzz.answers_only && !fuzz.session.paused);
        check_nonce(&frame);
    }
}

static void check_utack(const uint8_t *bytes, size_t size)
{
    struct usmp_utack utack;
    bool is_utack = usmp_utack_read(bytes, size, &utack);
    assert(is_utack && fuzz.session.transport == USMP_UDP);
    assert(utack.has_mac == (utack.type >= USMP_DATA && fuzz.session.version == USMP_WIRE_2));
    /* Never withheld after the window has moved, never before. */
    if (utack.has_mac && utack.type != USMP_REKEY)
        assert(usmp_replay_window_check(&fuzz.session.window, utack.seq) != USMP_REPLAY_NEW);
}

static void check_sent(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                       size_t size)
{
    (void)context;
    assert(session == &fuzz.session);
    if (kind == USMP_SEND_ANSWER)
        check_utack(bytes, size);
    else
        check_frames(bytes, size);
}

static void *take_block(void *context, enum usmp_block block)
{
    static const size_t sizes[] = {USMP_MESSAGE_MAX, sizeof(struct usmp_rekey_record), sizeof(struct usmp_sent_tags)};
    (void)context;
    if (fuzz.blocks_left == 0)
        return NULL;
    fuzz.blocks_left--;
    fuzz.blocks_out++;
    return malloc(sizes[block]);
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    (void)context;
    (void)block;
    assert(bytes != NULL && fuzz.blocks_out > 0);
    fuzz.blocks_left++;
    fuzz.blocks_out--;
    free(bytes);
}

static const struct usmp_session_owner owner = {NULL, check_sent, take_block, give_block};

static void note_accepted(uint32_t seq)
{
    for (size_t index = 0; index < fuzz.accepted_count; index++)
        assert(accepted[index].epoch != fuzz.epoch || accepted[index].seq != seq);
    if (fuzz.accepted_count < ACCEPTED_KEPT)
        accepted[fuzz.accepted_count++] = (struct accepted){fuzz.epoch, seq};
}

static void answer_offer(void)
{
    const struct usmp_offer offer = fuzz.session.offer;
    assert(offer.bytes != NULL && offer.size <= USMP_MESSAGE_MAX);
    assert(!fuzz.has_ticket && fuzz.session.state == USMP_SESSION_LIVE);
    memcpy(message, offer.bytes, offer.size); /* all of it is there to be read */
    switch (input_byte(&fuzz.input) % 4) {
    case 0:
        usmp_session_refuse(&fuzz.session);
        break;
    case 1:
        usmp_session_defer(&fuzz.session);
        fuzz.has_ticket = true;
        break;
    default:
        note_accepted(fuzz.session.offer_seq);
        usmp_session_accept(&fuzz.session, fuzz.now);
    }
}

static void settle(void)
{
    if (!fuzz.has_ticket)
        return;
    bool is_taken = input_byte(&fuzz.input) % 2 == 0;
    if (is_taken && fuzz.session.deferred && !fuzz.session.deferred_is_moot)
        note_accepted(fuzz.session.offer_seq);
    fuzz.has_ticket = false;
    fuzz.answers_only = true;
    usmp_session_settle(&fuzz.session, is_taken, fuzz.now);
    fuzz.answers_only = false;
}

static enum usmp_session_verdict receive(const uint8_t *bytes, size_t size)
{
    struct usmp_frame frame;
    if (usmp_frame_parse_datagram(bytes, size, &frame) != USMP_FRAME_COMPLETE)
        return USMP_SESSION_NOTHING;
    if (fuzz.session.transport == USMP_TCP && fuzz.has_ticket) /* the owner does not read then */
        return USMP_SESSION_NOTHING;
    struct usmp_keys before = fuzz.session.keys;
    fuzz.answers_only = fuzz.session.transport == USMP_UDP;
    enum usmp_session_verdict verdict = usmp_session_receive(&fuzz.session, &frame, scratch, fuzz.now);
    fuzz.answers_only = false;
    if (memcmp(&before, &fuzz.session.keys, sizeof before) != 0) {
        fuzz.old_keys = before;
        fuzz.epoch++;
        fuzz.peer_seq = 0;
    }
    assert((verdict == USMP_SESSION_OFFER) == (fuzz.session.offer.bytes != NULL));
    assert(verdict != USMP_SESSION_OVER || fuzz.session.end != USMP_END_NONE);
    if (verdict == USMP_SESSION_OFFER)
        answer_offer();
    return verdict;
}

static size_t plaintext_size(uint8_t type)
{
    if (type == USMP_REKEY)
        return USMP_REKEY_SALT_SIZE;
    if (type != USMP_DATA && type != USMP_DATA_FRAG)
        return 0;
    uint8_t choice = input_byte(&fuzz.input);
    return choice == 0xFF ? USMP_PLAINTEXT_MAX : choice % 16;
}

static uint32_t choose_seq(void)
{
    uint8_t choice = input_byte(&fuzz.input);
    switch (choice >> 6) {
    case 0: /* the next, or a little later */
        fuzz.peer_seq += choice & 0x3F;
        return fuzz.peer_seq++;
    case 1: /* before */
        return fuzz.peer_seq - 1 - (choice & 0x3F);
    case 2:
        fuzz.peer_seq++;
        return fuzz.peer_seq - 1;
    default:
        return input_number(&fuzz.input);
    }
}

/* Of any type that this wire has; under the key of now, the one before, or spoiled. */
static void peer_sends_frame(void)
{
    static const uint8_t types[] = {USMP_DATA, USMP_DATA_FRAG, USMP_PING, USMP_PONG, USMP_BYE, USMP_REKEY};
    uint8_t choice = input_byte(&fuzz.input);
    uint8_t type = types[choice % sizeof types];
    if (type == USMP_REKEY && fuzz.session.version == USMP_WIRE_1)
        type = USMP_DATA;
    bool is_old = choice >> 6 == 1;
    bool is_spoiled = choice >> 6 == 2;
    const struct usmp_record_context context = {peer_key(is_old ? &fuzz.old_keys : &fuzz.session.keys),
                                                fuzz.session.session_id, fuzz.suite};
    uint8_t frame[USMP_FRAME_MAX];
    size_t size = plaintext_size(type);
    size_t frame_size = usmp_record_seal(&context, fuzz.session.version, type, choose_seq(), message, size, frame);
    if (is_spoiled)
        frame[USMP_HEADER_SIZE + input_byte(&fuzz.input) % (frame_size - USMP_HEADER_SIZE)] ^= 0x40;
    (void)receive(frame, frame_size);
    if (choice >> 6 == 3) /* and a copy */
        (void)receive(frame, frame_size);
}

static void peer_sends_anything(void)
{
    uint8_t frame[USMP_FRAME_MAX];
    size_t size = input_byte(&fuzz.input);
    for (size_t index = 0; index < size; index++)
        frame[index] = input_byte(&fuzz.input);
    (void)receive(frame, size);
    enum usmp_session_verdict verdict = usmp_session_receive_utack(&fuzz.session, frame, size, fuzz.now);
    assert(verdict != USMP_SESSION_OFFER);
}

static void reflect(void)
{
    if (fuzz.sent_count == 0)
        return;
    const struct sent_frame *frame = &sent[input_byte(&fuzz.input) % fuzz.sent_count];
    bool is_remembered = fuzz.session.send_next - frame->seq <= 64;
    bool may_be_echo = fuzz.session.version == USMP_WIRE_1 && fuzz.session.role == USMP_DEVICE;
    enum usmp_session_verdict verdict = receive(frame->bytes, frame->size);
    assert(verdict != USMP_SESSION_OFFER || !is_remembered || may_be_echo);
}

static void peer_acknowledges(void)
{
    const struct usmp_outgoing *outgoing = &fuzz.session.outgoing;
    uint8_t choice = input_byte(&fuzz.input);
    uint8_t type = choice & 1 ? outgoing->type : (uint8_t)USMP_SESSION_OK;
    uint32_t seq = choice & 1 ? outgoing->seq : 0;
    if (choice & 2)
        seq = input_number(&fuzz.input);
    uint8_t utack[USMP_UTACK_KEYED_SIZE];
    size_t size = usmp_utack_write_plain(type, seq, utack);
    if (choice & 4) {
        struct usmp_utack_key key;
        usmp_utack_key_init(&key, our_key(choice & 8 ? &fuzz.old_keys : &fuzz.session.keys));
        size = usmp_utack_write_keyed(&key, type, seq, utack);
    }
    struct usmp_keys before = fuzz.session.keys;
    bool was_out = outgoing->message;
    fuzz.answers_only = true;
    enum usmp_session_verdict verdict = usmp_session_receive_utack(&fuzz.session, utack, size, fuzz.now);
    fuzz.answers_only = false;
    assert(verdict != USMP_SESSION_SENT || (was_out && !outgoing->message));
    if (memcmp(&before, &fuzz.session.keys, sizeof before) != 0) { /* our own REKEY */
        fuzz.old_keys = before;
        fuzz.epoch++;
        fuzz.peer_seq = 0;
    }
}

static void owner_sends(void)
{
    static uint8_t payload[USMP_MESSAGE_MAX + 1];
    if (fuzz.session.outgoing.message) /* its payload must stay as it is */
        return;
    uint8_t choice = input_byte(&fuzz.input);
    size_t size = choice < 0xF0 ? choice : (size_t)(choice - 0xEF) * USMP_PLAINTEXT_MAX / 4 + 1;
    memset(payload, choice, sizeof payload);
    bool could = usmp_session_can_send(&fuzz.session);
    enum usmp_send_verdict verdict = usmp_session_send(&fuzz.session, payload, size, fuzz.now);
    assert(could || (verdict != USMP_SEND_STARTED && verdict != USMP_SEND_WRITTEN));
}

static void owner_rekeys(void)
{
    uint8_t salt[USMP_REKEY_SALT_SIZE];
    memset(salt, input_byte(&fuzz.input), sizeof salt);
    struct usmp_keys before = fuzz.session.keys;
    /* Frames of ours under the old key are checked as such: the epoch changes behind the call. */
    enum usmp_send_verdict verdict = usmp_session_rekey(&fuzz.session, salt, fuzz.now);
    if (verdict == USMP_SEND_WRITTEN) {
        fuzz.old_keys = before;
        fuzz.epoch++;
        fuzz.peer_seq = 0;
    }
}

static void let_time_pass(void)
{
    uint8_t choice = input_byte(&fuzz.input);
    uint64_t deadline = usmp_session_deadline(&fuzz.session);
    if (choice < 0x80 && deadline != USMP_NEVER && deadline > fuzz.now)
        fuzz.now = deadline;
    else
        fuzz.now += (uint64_t)(choice & 0x7F) * 10000;
    for (int turn = 0; turn < 4 && usmp_session_deadline(&fuzz.session) <= fuzz.now; turn++)
        if (usmp_session_advance(&fuzz.session, fuzz.now) == USMP_SESSION_OVER)
            assert(fuzz.session.state == USMP_SESSION_ENDED);
    assert(usmp_session_deadline(&fuzz.session) > fuzz.now);
}

static void step(void)
{
    switch (input_byte(&fuzz.input) % 16) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
        peer_sends_frame();
        break;
    case 5:
    case 6:
        peer_acknowledges();
        break;
    case 7:
        peer_sends_anything();
        break;
    case 8:
        reflect();
        break;
    case 9:
    case 10:
        owner_sends();
        break;
    case 11:
        settle();
        break;
    case 12:
        let_time_pass();
        break;
    case 13:
        (void)usmp_session_cancel(&fuzz.session);
        break;
    case 14:
        if (is_gateway())
            usmp_session_pause(&fuzz.session, input_byte(&fuzz.input) % 2 == 0, fuzz.now);
        else if (input_byte(&fuzz.input) % 2 == 0)
            owner_rekeys();
        else
            (void)!usmp_session_ping(&fuzz.session, fuzz.now);
        break;
    default:
        if (input_byte(&fuzz.input) % 4 == 0)
            usmp_session_close(&fuzz.session, fuzz.now);
        else
            fuzz.blocks_left = input_byte(&fuzz.input) % 4;
    }
}

static void begin(void)
{
    uint8_t choice = input_byte(&fuzz.input);
    struct usmp_session_start start = {
        .role = choice & 1 ? USMP_DEVICE : USMP_GATEWAY,
        .version = choice & 2 ? USMP_WIRE_1 : USMP_WIRE_2,
        .transport = choice & 4 ? USMP_TCP : USMP_UDP,
        .may_send = !(choice & 8) || !(choice & 2),
        .cipher = USMP_CIPHER_AUTO,
        .confirm_within = 10000000,
    };
    memset(&start.keys, 0xD6, sizeof start.keys);
    if (start.version == USMP_WIRE_2)
        memset(start.keys.gateway_to_device, 0x6D, sizeof start.keys.gateway_to_device);
    bool is_chacha = (choice & 16) && start.version == USMP_WIRE_2;
    if (is_chacha && start.role == USMP_DEVICE)
        start.cipher = USMP_CIPHER_CHACHA20_POLY1305;
    fuzz.suite = is_chacha ? USMP_CHACHA20_POLY1305 : USMP_AES_256_GCM;
    fuzz.old_keys = start.keys;
    fuzz.old_keys.device_to_gateway[0] ^= 1;
    fuzz.old_keys.gateway_to_device[0] ^= 1;
    fuzz.blocks_left = 3;
    fuzz.now = 1000000;
    fuzz.session = (struct usmp_session){.transport = start.transport};
    usmp_session_begin(&fuzz.session, &owner, NULL, &start, fuzz.now);
    if (choice & 32) /* near the end of all seqs */
        fuzz.session.send_next = USMP_SEQ_LAST - choice / 64;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *trouble = usmp_start();
    assert(trouble == NULL);
    (void)trouble;
    memset(&fuzz, 0, sizeof fuzz);
    fuzz.input = (struct input){data, size};
    begin();
    for (int count = 0; count < STEPS_MAX && !input_is_over(&fuzz.input); count++)
        step();
    usmp_session_wipe(&fuzz.session);
    assert(fuzz.blocks_out == 0);
    return 0;
}
