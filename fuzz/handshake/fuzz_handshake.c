/* Both sides of the handshake against datagrams that the input makes: right ones, right ones with changed bytes, and
 * anything at all. The gateway gives a session only to who has the key, once for a handshake, and looks at no more
 * than eight answers (docs/security.md rules 6 and 13); the device connects to nobody else than the gateway with its
 * key.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <usmp/device.h>
#include <usmp/gateway_handshake.h>
#include <usmp/handshake_hmac.h>
#include <usmp/keys.h>
#include <usmp/start.h>
#include <usmp/transcript.h>
#include <usmp/utack.h>

#include "../input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 200

static struct {
    struct input input;
    uint8_t version;
    enum usmp_transport transport;
    uint64_t now;
    struct usmp_psk psks[2]; /* the second one is the device's */
    uint8_t device_private[USMP_PRIVATE_KEY_SIZE];
    struct usmp_hello hello; /* the device's */
    struct usmp_gateway_secrets secrets;
    size_t sent;
} fuzz;

static uint8_t scratch[USMP_PLAINTEXT_MAX];

static struct usmp_transcript transcript_of(void)
{
    struct usmp_transcript transcript = {.version = fuzz.version};
    memcpy(transcript.nonce, fuzz.secrets.nonce, sizeof transcript.nonce);
    memcpy(transcript.device_public, fuzz.hello.public_key, sizeof transcript.device_public);
    memcpy(transcript.gateway_public, fuzz.secrets.public_key, sizeof transcript.gateway_public);
    return transcript;
}

static void prepare(void)
{
    memset(fuzz.device_private, 0x11, sizeof fuzz.device_private);
    memset(fuzz.hello.device_id, 0x22, sizeof fuzz.hello.device_id);
    usmp_public_key(fuzz.device_private, fuzz.hello.public_key);
    memset(fuzz.secrets.private_key, 0x33, sizeof fuzz.secrets.private_key);
    usmp_public_key(fuzz.secrets.private_key, fuzz.secrets.public_key);
    memset(fuzz.secrets.nonce, 0x44, sizeof fuzz.secrets.nonce);
    memset(fuzz.secrets.session_id, 0x55, sizeof fuzz.secrets.session_id);
    usmp_psk_init(&fuzz.psks[0], "some other device's key", 23);
    usmp_psk_init(&fuzz.psks[1], "the key of this device", 22);
}

static size_t write_right_frame(uint8_t choice, uint8_t *frame)
{
    struct usmp_transcript transcript = transcript_of();
    struct usmp_hello hello = fuzz.hello;
    struct usmp_hello_ack hello_ack;
    struct usmp_challenge challenge;
    struct usmp_session_ok session_ok;
    struct usmp_hello_retry hello_retry = {{0x77}};
    uint32_t seq = choice >> 4;
    switch (choice % 5) {
    case 0:
        hello.has_cookie = fuzz.version == USMP_WIRE_2 && seq > 0;
        return usmp_hello_write(fuzz.version, seq, &hello, frame);
    case 1:
        usmp_device_hmac(&fuzz.psks[1], &transcript, hello.device_id, hello_ack.hmac);
        return usmp_hello_ack_write(fuzz.version, seq, &hello_ack, frame);
    case 2:
        memcpy(challenge.nonce, fuzz.secrets.nonce, sizeof challenge.nonce);
        memcpy(challenge.public_key, fuzz.secrets.public_key, sizeof challenge.public_key);
        return usmp_challenge_write(fuzz.version, seq, &challenge, frame);
    case 3:
        memcpy(session_ok.session_id, fuzz.secrets.session_id, sizeof session_ok.session_id);
        usmp_gateway_hmac(&fuzz.psks[1], &transcript, session_ok.session_id, session_ok.hmac);
        return usmp_session_ok_write(fuzz.version, seq, &session_ok, frame);
    default:
        if (fuzz.version == USMP_WIRE_1)
            return 0;
        return usmp_hello_retry_write(seq, &hello_retry, frame);
    }
}

/* The next datagram: a right one, one with a changed payload and a right CRC, or anything. */
static size_t next_datagram(uint8_t *datagram)
{
    uint8_t choice = input_byte(&fuzz.input);
    if (choice >= 0xF0) {
        size_t size = input_byte(&fuzz.input);
        for (size_t index = 0; index < size; index++)
            datagram[index] = input_byte(&fuzz.input);
        return size;
    }
    size_t size = write_right_frame(input_byte(&fuzz.input), datagram);
    if (choice >= 0x80 && size > USMP_HEADER_SIZE) {
        uint8_t payload[USMP_PAYLOAD_MAX];
        size_t length = size - USMP_HEADER_SIZE;
        memcpy(payload, datagram + USMP_HEADER_SIZE, length);
        payload[input_byte(&fuzz.input) % length] ^= (uint8_t)(1 + choice % 0x7F);
        return usmp_frame_write(fuzz.version, datagram[3], choice, payload, length, datagram);
    }
    return size;
}

/* The gateway. */

static void count_sent(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                       size_t size)
{
    (void)context;
    (void)session;
    (void)kind;
    assert(size > 0 && bytes != NULL);
    fuzz.sent++;
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

static const struct usmp_session_owner owner = {NULL, count_sent, take_block, give_block};

struct gateway {
    struct usmp_gateway_handshake handshake;
    struct usmp_session session;
    bool has_handshake;
    bool has_session;
    unsigned wrong;
};

static void check_keys(const struct usmp_session_start *start)
{
    struct usmp_transcript transcript = transcript_of();
    struct usmp_keys keys;
    enum usmp_keys_verdict verdict = usmp_keys_derive(USMP_DEVICE, fuzz.device_private, &transcript, &keys);
    assert(verdict == USMP_KEYS_DERIVED);
    (void)verdict;
    assert(memcmp(&keys, &start->keys, sizeof keys) == 0);
}

static void gateway_takes_answer(struct gateway *gateway, const struct usmp_hello_ack *hello_ack)
{
    struct usmp_transcript transcript = transcript_of();
    size_t matched = 99;
    enum usmp_handshake_verdict verdict =
        usmp_gateway_handshake_verify(&gateway->handshake, hello_ack, fuzz.psks, 2, &matched);
    assert((verdict == USMP_HANDSHAKE_SPENT) == (gateway->wrong == USMP_HANDSHAKE_CHECKS_MAX));
    if (verdict == USMP_HANDSHAKE_WRONG)
        gateway->wrong++;
    if (verdict != USMP_HANDSHAKE_RIGHT)
        return;
    memcpy(transcript.device_public, gateway->handshake.device_public, sizeof transcript.device_public);
    assert(matched < 2);
    assert(usmp_device_hmac_matches(&fuzz.psks[matched], &transcript, gateway->handshake.device_id, hello_ack->hmac));
    struct usmp_session_start start;
    if (usmp_gateway_handshake_complete(&gateway->handshake, hello_ack, &fuzz.psks[matched], &start) ==
        USMP_HANDSHAKE_COMPLETE) {
        check_keys(&start);
        start.may_send = true;
        start.confirm_within = 10000000;
        usmp_session_begin(&gateway->session, &owner, NULL, &start, fuzz.now);
        gateway->has_session = true;
    }
    gateway->has_handshake = false;
}

static void gateway_receives(struct gateway *gateway, const struct usmp_frame *frame)
{
    struct usmp_hello hello;
    struct usmp_hello_ack hello_ack;
    if (gateway->has_session) {
        (void)!usmp_session_receive_handshake(&gateway->session, frame, fuzz.now);
        return;
    }
    if (usmp_hello_read(frame, &hello)) {
        if (gateway->has_handshake && usmp_gateway_handshake_matches(&gateway->handshake, frame->version, &hello))
            return;
        usmp_gateway_handshake_begin(&gateway->handshake, fuzz.transport, frame->version, &hello, &fuzz.secrets,
                                     input_byte(&fuzz.input) % 3, fuzz.now);
        assert(usmp_gateway_handshake_matches(&gateway->handshake, frame->version, &hello));
        gateway->has_handshake = true;
        gateway->wrong = 0;
    } else if (usmp_hello_ack_read(frame, &hello_ack) && gateway->has_handshake &&
               frame->version == gateway->handshake.version) {
        gateway_takes_answer(gateway, &hello_ack);
    }
}

static void play_gateway(void)
{
    struct gateway gateway = {.has_handshake = false};
    for (int count = 0; count < STEPS_MAX && !input_is_over(&fuzz.input); count++) {
        uint8_t datagram[USMP_FRAME_MAX];
        struct usmp_frame frame;
        size_t size = next_datagram(datagram);
        if (usmp_frame_parse_datagram(datagram, size, &frame) == USMP_FRAME_COMPLETE)
            gateway_receives(&gateway, &frame);
        fuzz.now += 100000;
        if (gateway.has_handshake && usmp_gateway_handshake_repeat(&gateway.handshake, fuzz.now))
            assert(fuzz.transport == USMP_UDP);
    }
    usmp_session_wipe(&gateway.session);
    usmp_gateway_handshake_wipe(&gateway.handshake);
}

/* The device. */

static void play_device(void)
{
    struct usmp_device device;
    struct usmp_device_start start = {
        .transport = fuzz.transport,
        .version = fuzz.version,
        .psk = fuzz.psks[1],
        .give_up_after = 10000000,
    };
    memcpy(start.device_id, fuzz.hello.device_id, sizeof start.device_id);
    memcpy(start.private_key, fuzz.device_private, sizeof start.private_key);
    usmp_device_begin(&device, &owner, NULL, &start, fuzz.now);
    assert(fuzz.sent == 1);
    for (int count = 0; count < STEPS_MAX && !input_is_over(&fuzz.input); count++) {
        uint8_t datagram[USMP_FRAME_MAX];
        struct usmp_frame frame;
        size_t size = next_datagram(datagram);
        bool was_connected = device.state == USMP_DEVICE_CONNECTED;
        if (usmp_frame_parse_datagram(datagram, size, &frame) == USMP_FRAME_COMPLETE) {
            enum usmp_session_verdict verdict = usmp_device_receive(&device, &frame, scratch, fuzz.now);
            assert(verdict != USMP_SESSION_OFFER); /* no encrypted frame can be right here */
            assert(verdict != USMP_SESSION_OVER || device.state == USMP_DEVICE_FAILED || was_connected);
        }
        (void)!usmp_device_receive_utack(&device, datagram, size, fuzz.now);
        if (device.state == USMP_DEVICE_CONNECTED && !was_connected)
            assert(memcmp(device.session.session_id, fuzz.secrets.session_id, USMP_SESSION_ID_SIZE) == 0);
        fuzz.now += (uint64_t)input_byte(&fuzz.input) * 4000;
        for (int turn = 0; turn < 3 && usmp_device_deadline(&device) <= fuzz.now; turn++)
            (void)!usmp_device_advance(&device, fuzz.now);
        assert(usmp_device_deadline(&device) > fuzz.now);
    }
    usmp_device_wipe(&device);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *trouble = usmp_start();
    assert(trouble == NULL);
    (void)trouble;
    memset(&fuzz, 0, sizeof fuzz);
    fuzz.input = (struct input){data, size};
    fuzz.now = 1000000;
    uint8_t choice = input_byte(&fuzz.input);
    fuzz.version = choice & 1 ? USMP_WIRE_1 : USMP_WIRE_2;
    fuzz.transport = choice & 2 ? USMP_TCP : USMP_UDP;
    prepare();
    if (choice & 4)
        play_device();
    else
        play_gateway();
    return 0;
}
