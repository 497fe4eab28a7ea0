/* The handshake, with the peer's side by hand (docs/protocol.md section 2). */
#include "conversation/conversation.h"

#include <string.h>

#include <usmp/gateway_handshake.h>
#include <usmp/handshake_hmac.h>

#include "conversation/arrival.h"
#include "conversation/departure.h"
#include "gateway/require.h"

#define GIVE_UP_AFTER 10000000u /* microseconds */

static const uint8_t device_private[USMP_PRIVATE_KEY_SIZE] = {0x11, 1};
static const uint8_t gateway_private[USMP_PRIVATE_KEY_SIZE] = {0x33, 2};
static const uint8_t device_id[USMP_DEVICE_ID_SIZE] = {2, 0, 0, 0, 0, 9};
static const uint8_t session_id[USMP_SESSION_ID_SIZE] = {0x55, 3, 4, 5, 6, 7, 8, 9, 10};
static const uint8_t psk_bytes[] = "the secret of this device, long";
static const uint8_t other_psk_bytes[] = "the secret of another one, long";

static struct usmp_transcript transcript_of(const struct conversation *conversation)
{
    struct usmp_transcript transcript = {.version = conversation->version, .nonce = {0x44, 11}};
    usmp_public_key(device_private, transcript.device_public);
    usmp_public_key(gateway_private, transcript.gateway_public);
    return transcript;
}

static struct usmp_psk psk_of(bool right)
{
    struct usmp_psk psk;
    usmp_psk_init(&psk, right ? psk_bytes : other_psk_bytes, sizeof psk_bytes - 1);
    return psk;
}

static struct usmp_frame parse(const uint8_t *bytes, size_t size)
{
    struct usmp_frame frame;
    require(usmp_frame_parse_datagram(bytes, size, &frame) == USMP_FRAME_COMPLETE);
    return frame;
}

/* Takes the frame that the subject sent, and what it acknowledged before. */
static struct departed take_frame(struct conversation *conversation)
{
    for (;;) {
        require(conversation->queue_count > 0);
        struct departed departed = conversation->queue[0];
        conversation->queue_count--;
        memmove(conversation->queue, conversation->queue + 1, conversation->queue_count * sizeof *conversation->queue);
        if (departed.kind == USMP_SEND_FRAME)
            return departed;
    }
}

/* The subject is a gateway. */

static bool verify(struct usmp_gateway_handshake *handshake, const struct usmp_transcript *transcript, bool right,
                   unsigned checks, struct usmp_hello_ack *hello_ack)
{
    const struct usmp_psk keys[] = {psk_of(false), psk_of(true)};
    struct usmp_psk psk = psk_of(true);
    usmp_device_hmac(&psk, transcript, device_id, hello_ack->hmac);
    if (!right)
        hello_ack->hmac[checks % sizeof hello_ack->hmac] ^= 1;
    size_t matched = 7;
    enum usmp_handshake_verdict verdict = usmp_gateway_handshake_verify(handshake, hello_ack, keys, 2, &matched);
    if (checks >= USMP_HANDSHAKE_CHECKS_MAX) {
        require(verdict == USMP_HANDSHAKE_SPENT);
        return false;
    }
    require(verdict == (right ? USMP_HANDSHAKE_RIGHT : USMP_HANDSHAKE_WRONG));
    require(matched == (right ? 1 : 7));
    return right;
}

static bool open_gateway(struct conversation *conversation, uint8_t hindrances)
{
    struct usmp_transcript transcript = transcript_of(conversation);
    struct usmp_hello hello = {0};
    memcpy(hello.device_id, device_id, sizeof device_id);
    memcpy(hello.public_key, transcript.device_public, sizeof hello.public_key);
    struct usmp_gateway_secrets secrets;
    memcpy(secrets.private_key, gateway_private, sizeof secrets.private_key);
    memcpy(secrets.public_key, transcript.gateway_public, sizeof secrets.public_key);
    memcpy(secrets.nonce, transcript.nonce, sizeof secrets.nonce);
    memcpy(secrets.session_id, session_id, sizeof secrets.session_id);

    struct usmp_gateway_handshake handshake;
    usmp_gateway_handshake_begin(&handshake, conversation->transport, conversation->version, &hello, &secrets, 2,
                                 conversation->now);
    unsigned wrong = hindrances % 16 > 6 ? hindrances % 16 - 6 : 0;
    struct usmp_hello_ack hello_ack;
    for (unsigned check = 0; check < wrong; check++)
        require(!verify(&handshake, &transcript, false, check, &hello_ack));
    if (!verify(&handshake, &transcript, true, wrong, &hello_ack)) {
        usmp_gateway_handshake_wipe(&handshake);
        return false;
    }
    struct usmp_psk psk = psk_of(true);
    struct usmp_session_start start;
    require(usmp_gateway_handshake_complete(&handshake, &hello_ack, &psk, &start) == USMP_HANDSHAKE_COMPLETE);
    require(usmp_keys_derive(USMP_DEVICE, device_private, &transcript, &conversation->keys[0]) == USMP_KEYS_DERIVED);
    require(memcmp(&start.keys, &conversation->keys[0], sizeof start.keys) == 0);
    require(usmp_gateway_hmac_matches(&psk, &transcript, session_id, start.session_ok_hmac));
    start.may_send = conversation->may_send;
    start.confirm_within = GIVE_UP_AFTER;
    bool names_suite = conversation->version == USMP_WIRE_1 || (hindrances & 16) != 0;
    start.cipher = !names_suite                              ? USMP_CIPHER_AUTO
                   : conversation->suite == USMP_AES_256_GCM ? USMP_CIPHER_AES_256_GCM
                                                             : USMP_CIPHER_CHACHA20_POLY1305;
    conversation->suite_known = names_suite;
    conversation->session = &conversation->gateway;
    usmp_session_begin(&conversation->gateway, &conversation_owner, conversation, &start, conversation->now);
    return true;
}

/* The subject is a device. */

static void give(struct conversation *conversation, const uint8_t *bytes, size_t size,
                 enum usmp_session_verdict expected)
{
    uint8_t scratch[USMP_PLAINTEXT_MAX];
    struct usmp_frame frame = parse(bytes, size);
    require(usmp_device_receive(&conversation->device, &frame, scratch, conversation->now) == expected);
}

static struct usmp_session_ok session_ok_of(const struct usmp_transcript *transcript, bool right)
{
    struct usmp_psk psk = psk_of(right);
    struct usmp_session_ok session_ok;
    memcpy(session_ok.session_id, session_id, sizeof session_id);
    usmp_gateway_hmac(&psk, transcript, session_id, session_ok.hmac);
    return session_ok;
}

static size_t write_challenge(const struct conversation *conversation, const struct usmp_transcript *transcript,
                              uint8_t *frame)
{
    struct usmp_challenge challenge;
    memcpy(challenge.nonce, transcript->nonce, sizeof challenge.nonce);
    memcpy(challenge.public_key, transcript->gateway_public, sizeof challenge.public_key);
    return usmp_challenge_write(conversation->version, 0, &challenge, frame);
}

static void answer_hello(struct conversation *conversation, const struct usmp_transcript *transcript,
                         uint8_t hindrances)
{
    uint8_t frame[USMP_FRAME_MAX];
    struct usmp_hello hello;
    struct departed departed = take_frame(conversation);
    struct usmp_frame first = parse(departed.bytes, departed.size);
    require(usmp_hello_read(&first, &hello) && !hello.has_cookie);
    require(memcmp(hello.public_key, transcript->device_public, sizeof hello.public_key) == 0);
    if ((hindrances & 1) != 0 && conversation_is_udp(conversation) && conversation->version == USMP_WIRE_2) {
        const struct usmp_hello_retry retry = {{0x77, hindrances}};
        size_t size = usmp_hello_retry_write(0, &retry, frame);
        give(conversation, frame, size, USMP_SESSION_NOTHING);
        departed = take_frame(conversation);
        struct usmp_frame second = parse(departed.bytes, departed.size);
        require(usmp_hello_read(&second, &hello) && hello.has_cookie);
        require(memcmp(hello.cookie, retry.cookie, sizeof hello.cookie) == 0);
        give(conversation, frame, size, USMP_SESSION_DUPLICATE);
    }
    size_t size = write_challenge(conversation, transcript, frame);
    give(conversation, frame, size, USMP_SESSION_NOTHING);
    if ((hindrances & 2) != 0 && conversation_is_udp(conversation))
        give(conversation, frame, size, USMP_SESSION_DUPLICATE);
}

static bool open_device(struct conversation *conversation, uint8_t hindrances)
{
    struct usmp_transcript transcript = transcript_of(conversation);
    struct usmp_device_start start = {
        .transport = conversation->transport,
        .version = conversation->version,
        .cipher =
            conversation->suite == USMP_CHACHA20_POLY1305 ? USMP_CIPHER_CHACHA20_POLY1305 : USMP_CIPHER_AES_256_GCM,
        .psk = psk_of(true),
        .give_up_after = GIVE_UP_AFTER,
    };
    memcpy(start.device_id, device_id, sizeof device_id);
    memcpy(start.private_key, device_private, sizeof device_private);
    usmp_device_begin(&conversation->device, &conversation_owner, conversation, &start, conversation->now);
    conversation->session = &conversation->device.session;
    conversation->suite_known = true;
    answer_hello(conversation, &transcript, hindrances);

    struct departed departed = take_frame(conversation);
    struct usmp_frame ack_frame = parse(departed.bytes, departed.size);
    struct usmp_hello_ack hello_ack;
    struct usmp_psk psk = psk_of(true);
    require(usmp_hello_ack_read(&ack_frame, &hello_ack));
    require(usmp_device_hmac_matches(&psk, &transcript, device_id, hello_ack.hmac));

    uint8_t frame[USMP_FRAME_MAX];
    if (hindrances & 4) {
        struct usmp_session_ok wrong = session_ok_of(&transcript, false);
        size_t size = usmp_session_ok_write(conversation->version, 0, &wrong, frame);
        bool goes_on = conversation_is_udp(conversation);
        give(conversation, frame, size, goes_on ? USMP_SESSION_NOT_AUTHENTIC : USMP_SESSION_OVER);
        if (!goes_on)
            return false;
    }
    struct usmp_session_ok session_ok = session_ok_of(&transcript, true);
    size_t size = usmp_session_ok_write(conversation->version, 0, &session_ok, frame);
    give(conversation, frame, size, USMP_SESSION_NOTHING);
    require(usmp_keys_derive(USMP_GATEWAY, gateway_private, &transcript, &conversation->keys[0]) == USMP_KEYS_DERIVED);
    require(memcmp(&conversation->session->keys, &conversation->keys[0], sizeof conversation->keys[0]) == 0);
    return true;
}

bool conversation_open(struct conversation *conversation, uint8_t hindrances)
{
    memcpy(conversation->session_id, session_id, sizeof session_id);
    bool opened = conversation->role == USMP_GATEWAY ? open_gateway(conversation, hindrances)
                                                     : open_device(conversation, hindrances);
    if (conversation->role == USMP_DEVICE)
        conversation->queue_count = 0; /* UTACKs of the handshake */
    return opened;
}

void conversation_late_handshake(struct conversation *conversation, uint8_t choice)
{
    if (!conversation_is_udp(conversation))
        return;
    struct usmp_transcript transcript = transcript_of(conversation);
    uint8_t frame[USMP_FRAME_MAX];
    bool known = (choice & 2) == 0;
    if (conversation->role == USMP_DEVICE) {
        transcript.nonce[0] ^= known ? 0 : 1;
        size_t size = write_challenge(conversation, &transcript, frame);
        if (choice & 1) {
            struct usmp_session_ok session_ok = session_ok_of(&transcript, true);
            size = usmp_session_ok_write(conversation->version, 0, &session_ok, frame);
        }
        give(conversation, frame, size, known ? USMP_SESSION_DUPLICATE : USMP_SESSION_UNEXPECTED);
        conversation->queue_count = 0;
        return;
    }
    struct usmp_psk psk = psk_of(true);
    struct usmp_hello_ack hello_ack;
    struct usmp_hello hello = {0};
    usmp_device_hmac(&psk, &transcript, device_id, hello_ack.hmac);
    hello_ack.hmac[0] ^= known ? 0 : 1;
    memcpy(hello.public_key, transcript.device_public, sizeof hello.public_key);
    hello.public_key[0] ^= known ? 0 : 1;
    size_t size = choice & 1 ? usmp_hello_ack_write(conversation->version, 2, &hello_ack, frame)
                             : usmp_hello_write(conversation->version, 0, &hello, frame);
    struct usmp_frame late = parse(frame, size);
    unsigned before = conversation->queue_count;
    require(usmp_session_receive_handshake(conversation->session, &late, conversation->now) == known);
    bool answered = known && conversation->session->state != USMP_SESSION_ENDED;
    require(conversation->queue_count - before == (answered ? 1u + (choice & 1) : 0u));
    conversation->queue_count = before;
}
