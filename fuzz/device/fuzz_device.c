/* libusmp's device in the hands of a gateway that may be anybody's: without the PSK it can waste the device's time, and
 * no more than that (docs/protocol.md sections 2 and 4).
 *
 * - connected is only who showed the PSK for this very HELLO, and the keys are those of docs/protocol.md section 2
 * - HELLO and HELLO_ACK leave five times at most; the attempt ends in its time; a failed one stays failed
 * - what is answered is answered with a plain UTACK of that frame, or the next frame of the handshake
 * - nothing of an unconnected device is encrypted, and the private key and PSK are gone once they are not needed
 */
#include <stdlib.h>
#include <string.h>

#include <usmp/device.h>
#include <usmp/handshake_hmac.h>
#include <usmp/record.h>
#include <usmp/start.h>
#include <usmp/utack.h>

#include "gateway/require.h"
#include "input.h"
#include "proto/frame_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 200
#define GIVE_UP_AFTER 5000000u
#define SENDS_MAX 5u

static const uint8_t device_private[USMP_PRIVATE_KEY_SIZE] = {1, 2, 3};
static const uint8_t gateway_private[USMP_PRIVATE_KEY_SIZE] = {4, 5, 6};

static struct {
    struct input input;
    struct usmp_device device;
    struct usmp_psk psk;
    struct usmp_transcript transcript; /* with the CHALLENGE that the device followed */
    bool challenged;
    bool proved; /* the SESSION_OK that the device was given last is right */
    uint64_t began;
    uint64_t now;
    uint8_t frame[USMP_FRAME_MAX]; /* what left last, and how often */
    size_t frame_size;
    unsigned sends;
    const struct usmp_frame *giving;
    uint32_t gateway_seq;
} fuzz;

static uint8_t scratch[USMP_PLAINTEXT_MAX];

static void check_frame(const uint8_t *bytes, size_t size)
{
    struct usmp_frame frame;
    size_t total = 0;
    require(usmp_frame_parse(bytes, size, &frame, &total) == USMP_FRAME_COMPLETE);
    require(frame.version == fuzz.device.start.version);
    bool is_connected = fuzz.device.state == USMP_DEVICE_CONNECTED;
    require(usmp_type_is_encrypted(frame.type) == is_connected);
    if (is_connected)
        return;
    require(total == size && (frame.type == USMP_HELLO || frame.type == USMP_HELLO_ACK));
    if (size == fuzz.frame_size && memcmp(bytes, fuzz.frame, size) == 0) {
        require(++fuzz.sends <= SENDS_MAX && fuzz.device.start.transport == USMP_UDP);
        return;
    }
    memcpy(fuzz.frame, bytes, size);
    fuzz.frame_size = size;
    fuzz.sends = 1;
}

static void check_sent(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                       size_t size)
{
    (void)context;
    require(session == &fuzz.device.session);
    if (kind == USMP_SEND_FRAME) {
        check_frame(bytes, size);
        return;
    }
    struct usmp_utack utack;
    require(fuzz.giving != NULL && fuzz.device.start.transport == USMP_UDP && usmp_utack_read(bytes, size, &utack));
    require(utack.type == fuzz.giving->type && utack.seq == fuzz.giving->seq);
    require(utack.has_mac == (usmp_type_is_encrypted(utack.type) && fuzz.device.start.version == USMP_WIRE_2));
}

static void *take_block(void *context, enum usmp_block block)
{
    (void)context;
    return malloc(block == USMP_BLOCK_REFLECTED ? sizeof(struct usmp_sent_tags) : USMP_MESSAGE_MAX);
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    (void)context;
    (void)block;
    free(bytes);
}

static const struct usmp_session_owner owner = {NULL, check_sent, take_block, give_block};

static void begin(uint8_t how)
{
    struct usmp_device_start start = {
        .transport = how & 1 ? USMP_TCP : USMP_UDP,
        .version = how & 2 ? USMP_WIRE_1 : USMP_WIRE_2,
        .cipher = USMP_CIPHER_AUTO,
        .device_id = {2, 0, 0, 0, 0, 1},
        .give_up_after = GIVE_UP_AFTER,
    };
    usmp_psk_init(&fuzz.psk, "the key of this very device", 27);
    start.psk = fuzz.psk;
    memcpy(start.private_key, device_private, sizeof device_private);
    fuzz.now = fuzz.began = 1000000;
    fuzz.transcript.version = start.version;
    /* The owner's function is asked within the call that begins. */
    fuzz.device.start = start;
    usmp_device_begin(&fuzz.device, &owner, NULL, &start, fuzz.now);
    memcpy(fuzz.transcript.device_public, fuzz.device.public_key, sizeof fuzz.transcript.device_public);
}

/* Frames. */

static size_t write_challenge(uint8_t choice, uint8_t *bytes)
{
    struct usmp_challenge challenge = {.nonce = {choice & 3}};
    usmp_public_key(gateway_private, challenge.public_key);
    if ((choice & 0x0C) == 0x0C) /* a point of small order: the shared secret is zero */
        memset(challenge.public_key, 0, sizeof challenge.public_key);
    return usmp_challenge_write(fuzz.transcript.version, choice >> 4, &challenge, bytes);
}

static size_t write_session_ok(uint8_t choice, uint8_t *bytes)
{
    struct usmp_session_ok session_ok = {.session_id = {choice >> 6}};
    usmp_gateway_hmac(&fuzz.psk, &fuzz.transcript, session_ok.session_id, session_ok.hmac);
    if (choice & 1)
        session_ok.hmac[choice % sizeof session_ok.hmac] ^= (uint8_t)(choice | 1);
    return usmp_session_ok_write(fuzz.transcript.version, 0, &session_ok, bytes);
}

static size_t write_record(uint8_t choice, uint8_t *bytes)
{
    static const uint8_t types[] = {USMP_DATA, USMP_DATA_FRAG, USMP_PING, USMP_PONG, USMP_BYE, USMP_REKEY};
    uint8_t type = types[choice % sizeof types];
    bool has_text = type == USMP_DATA || type == USMP_DATA_FRAG;
    if (type == USMP_REKEY && fuzz.transcript.version == USMP_WIRE_1)
        type = USMP_PING;
    size_t size = type == USMP_REKEY ? USMP_REKEY_SALT_SIZE : has_text ? choice : 0;
    struct usmp_keys keys = {{0}, {0}};
    if (fuzz.device.state == USMP_DEVICE_CONNECTED && !(choice & 64))
        keys = fuzz.device.session.keys;
    const struct usmp_record_context context = {keys.gateway_to_device, fuzz.device.session_ok.session_id,
                                                USMP_AES_256_GCM};
    uint32_t seq = choice & 128 ? fuzz.gateway_seq++ : choice;
    return usmp_record_seal(&context, fuzz.transcript.version, type, seq, scratch, size, bytes);
}

static size_t write_frame(uint8_t *bytes)
{
    uint8_t what = input_byte(&fuzz.input);
    uint8_t choice = input_byte(&fuzz.input);
    struct usmp_hello_retry retry = {{choice}};
    struct usmp_hello hello = {.device_id = {choice}};
    size_t size = 0;
    switch (what % 8) {
    case 0:
        size = write_challenge(choice, bytes);
        break;
    case 1:
        size = write_session_ok(choice, bytes);
        break;
    case 2:
        if (fuzz.transcript.version == USMP_WIRE_2)
            size = usmp_hello_retry_write(choice & 1, &retry, bytes);
        break;
    case 3:
    case 4:
        size = write_record(choice, bytes);
        break;
    case 5:
        size = usmp_hello_write(fuzz.transcript.version, 0, &hello, bytes);
        break;
    default:
        size = input_byte(&fuzz.input) * 2u % USMP_FRAME_MAX;
        for (size_t index = 0; index < size; index++)
            bytes[index] = input_byte(&fuzz.input);
        break;
    }
    if ((what & 128) && size > USMP_HEADER_SIZE) /* the same for the other wire */
        bytes[2] ^= 3;
    return size;
}

/* What the frame proves, seen from outside of the device. */
static void weigh(const struct usmp_frame *frame)
{
    struct usmp_challenge challenge;
    struct usmp_session_ok session_ok;
    if (frame->version != fuzz.transcript.version)
        return;
    if (!fuzz.challenged && fuzz.device.state == USMP_DEVICE_HELLO_SENT && usmp_challenge_read(frame, &challenge)) {
        memcpy(fuzz.transcript.nonce, challenge.nonce, sizeof challenge.nonce);
        memcpy(fuzz.transcript.gateway_public, challenge.public_key, sizeof challenge.public_key);
        fuzz.challenged = true;
    }
    if (usmp_session_ok_read(frame, &session_ok))
        fuzz.proved = fuzz.challenged &&
                      usmp_gateway_hmac_matches(&fuzz.psk, &fuzz.transcript, session_ok.session_id, session_ok.hmac);
}

static void check_connected(void)
{
    struct usmp_keys keys;
    static const uint8_t zeros[USMP_PRIVATE_KEY_SIZE];
    static const struct usmp_psk no_psk;
    require(fuzz.proved);
    require(usmp_keys_derive(USMP_GATEWAY, gateway_private, &fuzz.transcript, &keys) == USMP_KEYS_DERIVED);
    require(memcmp(&keys, &fuzz.device.session.keys, sizeof keys) == 0);
    require(memcmp(fuzz.device.start.private_key, zeros, sizeof zeros) == 0);
    require(memcmp(&fuzz.device.start.psk, &no_psk, sizeof no_psk) == 0);
    fuzz.gateway_seq = 0;
}

static void answer_offer(void)
{
    switch (input_byte(&fuzz.input) % 3) {
    case 0:
        usmp_session_refuse(&fuzz.device.session);
        break;
    case 1:
        usmp_session_defer(&fuzz.device.session);
        usmp_session_settle(&fuzz.device.session, true, fuzz.now);
        break;
    default:
        usmp_session_accept(&fuzz.device.session, fuzz.now);
        break;
    }
}

static void receive_frame(void)
{
    uint8_t bytes[USMP_FRAME_MAX];
    size_t size = write_frame(bytes);
    struct usmp_frame frame;
    struct usmp_frame mended;
    if (usmp_frame_parse_datagram(bytes, size, &frame) == USMP_FRAME_BAD_CRC)
        (void)usmp_frame_header_finish(bytes, size - USMP_HEADER_SIZE);
    if (usmp_frame_parse_datagram(bytes, size, &mended) != USMP_FRAME_COMPLETE)
        return;
    weigh(&mended);
    enum usmp_device_state before = fuzz.device.state;
    enum usmp_device_failure failure = fuzz.device.failure;
    fuzz.giving = &mended;
    enum usmp_session_verdict verdict = usmp_device_receive(&fuzz.device, &mended, scratch, fuzz.now);
    if (verdict == USMP_SESSION_OFFER)
        answer_offer();
    fuzz.giving = NULL;
    require(verdict != USMP_SESSION_OFFER || before == USMP_DEVICE_CONNECTED);
    if (before != USMP_DEVICE_CONNECTED && fuzz.device.state == USMP_DEVICE_CONNECTED)
        check_connected();
    if (before == USMP_DEVICE_CONNECTED || before == USMP_DEVICE_FAILED)
        require(fuzz.device.state == before);
    if (before == USMP_DEVICE_FAILED)
        require(verdict == USMP_SESSION_UNEXPECTED && fuzz.device.failure == failure);
    if (fuzz.device.state == USMP_DEVICE_FAILED && before != USMP_DEVICE_FAILED)
        require(verdict == USMP_SESSION_OVER && fuzz.device.failure != USMP_DEVICE_NO_FAILURE);
}

static void receive_utack(void)
{
    uint8_t bytes[USMP_UTACK_KEYED_SIZE + 4] = {USMP_UTACK_MAGIC, USMP_UTACK_MAGIC};
    uint8_t choice = input_byte(&fuzz.input);
    size_t size = choice % (sizeof bytes + 1);
    for (size_t index = choice & 128 ? 2 : 0; index < size; index++)
        bytes[index] = input_byte(&fuzz.input);
    if (choice & 64)
        (void)usmp_utack_write_plain(fuzz.device.state == USMP_DEVICE_HELLO_SENT ? USMP_HELLO : USMP_HELLO_ACK,
                                     fuzz.device.handshake_seq, bytes);
    enum usmp_device_state before = fuzz.device.state;
    (void)!usmp_device_receive_utack(&fuzz.device, bytes, size, fuzz.now);
    require(fuzz.device.state == before);
}

static void use_session(void)
{
    uint8_t choice = input_byte(&fuzz.input);
    const uint8_t salt[USMP_REKEY_SALT_SIZE] = {choice};
    if (fuzz.device.state != USMP_DEVICE_CONNECTED)
        return;
    struct usmp_session *session = &fuzz.device.session;
    switch (choice % 5) {
    case 0:
        (void)!usmp_session_ping(session, fuzz.now);
        break;
    case 1:
        (void)!usmp_session_rekey(session, salt, fuzz.now);
        break;
    case 2:
        if (choice > 250)
            usmp_session_close(session, fuzz.now);
        break;
    case 3:
        (void)usmp_session_cancel(session);
        break;
    default:
        if (usmp_session_can_send(session))
            (void)!usmp_session_send(session, fuzz.frame, choice, fuzz.now);
        break;
    }
}

static void let_time_pass(void)
{
    uint8_t choice = input_byte(&fuzz.input);
    uint64_t deadline = usmp_device_deadline(&fuzz.device);
    if (choice < 128 && deadline != USMP_NEVER && deadline > fuzz.now)
        fuzz.now = deadline;
    else
        fuzz.now += (uint64_t)(choice & 127) * 20000;
    for (int turn = 0; turn < 8 && usmp_device_deadline(&fuzz.device) <= fuzz.now; turn++)
        (void)!usmp_device_advance(&fuzz.device, fuzz.now);
    require(usmp_device_deadline(&fuzz.device) > fuzz.now);
    bool is_under_way = fuzz.device.state == USMP_DEVICE_HELLO_SENT || fuzz.device.state == USMP_DEVICE_HELLO_ACK_SENT;
    require(!is_under_way || fuzz.now < fuzz.began + GIVE_UP_AFTER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (usmp_start() != NULL)
        abort();
    memset(&fuzz, 0, sizeof fuzz);
    memset(scratch, 0, sizeof scratch);
    fuzz.input = (struct input){data, size};
    begin(input_byte(&fuzz.input));
    for (int count = 0; count < STEPS_MAX && !input_is_over(&fuzz.input); count++) {
        switch (input_byte(&fuzz.input) % 8) {
        case 0:
            receive_utack();
            break;
        case 1:
            let_time_pass();
            break;
        case 2:
            use_session();
            break;
        default:
            receive_frame();
            break;
        }
    }
    usmp_device_wipe(&fuzz.device);
    return 0;
}
