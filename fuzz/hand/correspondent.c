#include "hand/correspondent.h"

#include <string.h>

#include <usmp/handshake_hmac.h>
#include <usmp/utack.h>

static void private_key(const struct correspondent *correspondent, uint8_t generation,
                        uint8_t key[USMP_PRIVATE_KEY_SIZE])
{
    memset(key, 0x40 + generation, USMP_PRIVATE_KEY_SIZE);
    memcpy(key + 4, correspondent->id, sizeof correspondent->id);
}

static void public_key(const struct correspondent *correspondent, uint8_t generation, uint8_t key[USMP_PUBLIC_KEY_SIZE])
{
    uint8_t secret[USMP_PRIVATE_KEY_SIZE];
    private_key(correspondent, generation, secret);
    usmp_public_key(secret, key);
}

void correspondent_begin(struct correspondent *correspondent, uint8_t number, uint8_t version, enum usmp_suite suite,
                         const char *psk)
{
    *correspondent = (struct correspondent){.id = {2, 0, 0, 0, 0, number}, .version = version, .suite = suite};
    usmp_psk_init(&correspondent->psk, psk, strlen(psk));
}

size_t correspondent_hello(struct correspondent *correspondent, uint8_t generation, const uint8_t *cookie,
                           uint8_t *frame)
{
    struct usmp_hello hello = {.has_cookie = cookie != NULL && correspondent->version == USMP_WIRE_2};
    memcpy(hello.device_id, correspondent->id, sizeof hello.device_id);
    correspondent->generation = generation % CORRESPONDENT_GENERATIONS;
    public_key(correspondent, correspondent->generation, hello.public_key);
    if (hello.has_cookie)
        memcpy(hello.cookie, cookie, sizeof hello.cookie);
    return usmp_hello_write(correspondent->version, hello.has_cookie ? 1 : 0, &hello, frame);
}

static struct usmp_transcript transcript_of(const struct correspondent *correspondent)
{
    struct usmp_transcript transcript = {.version = correspondent->version};
    memcpy(transcript.nonce, correspondent->challenge.nonce, sizeof transcript.nonce);
    public_key(correspondent, correspondent->generation, transcript.device_public);
    memcpy(transcript.gateway_public, correspondent->challenge.public_key, sizeof transcript.gateway_public);
    return transcript;
}

size_t correspondent_hello_ack(const struct correspondent *correspondent, bool right, uint8_t *frame)
{
    struct usmp_transcript transcript = transcript_of(correspondent);
    struct usmp_hello_ack hello_ack;
    usmp_device_hmac(&correspondent->psk, &transcript, correspondent->id, hello_ack.hmac);
    hello_ack.hmac[7] ^= right ? 0 : 1;
    return usmp_hello_ack_write(correspondent->version, 2, &hello_ack, frame);
}

size_t correspondent_record(const struct correspondent *correspondent, uint8_t type, uint32_t seq,
                            const uint8_t *plaintext, size_t size, uint8_t *frame)
{
    const struct usmp_record_context context = {correspondent->keys.device_to_gateway, correspondent->session_id,
                                                correspondent->suite};
    return usmp_record_seal(&context, correspondent->version, type, seq, plaintext, size, frame);
}

size_t correspondent_utack(const struct correspondent *correspondent, uint8_t type, uint32_t seq, bool keyed,
                           uint8_t *bytes)
{
    if (!keyed)
        return usmp_utack_write_plain(type, seq, bytes);
    struct usmp_utack_key key;
    usmp_utack_key_init(&key, correspondent->keys.gateway_to_device);
    return usmp_utack_write_keyed(&key, type, seq, bytes);
}

static void hear_session_ok(struct correspondent *correspondent, const struct usmp_session_ok *session_ok)
{
    struct usmp_transcript transcript = transcript_of(correspondent);
    uint8_t secret[USMP_PRIVATE_KEY_SIZE];
    bool is_copy = correspondent->connected &&
                   memcmp(session_ok->session_id, correspondent->session_id, sizeof correspondent->session_id) == 0;
    if (is_copy || !correspondent->challenged ||
        !usmp_gateway_hmac_matches(&correspondent->psk, &transcript, session_ok->session_id, session_ok->hmac))
        return;
    private_key(correspondent, correspondent->generation, secret);
    if (usmp_keys_derive(USMP_DEVICE, secret, &transcript, &correspondent->keys) != USMP_KEYS_DERIVED)
        return;
    memcpy(correspondent->session_id, session_ok->session_id, sizeof correspondent->session_id);
    correspondent->connected = true;
    correspondent->next_seq = 0;
    correspondent->heard_type = 0;
}

void correspondent_hear(struct correspondent *correspondent, const struct usmp_frame *frame)
{
    struct usmp_hello_retry retry;
    struct usmp_session_ok session_ok;
    if (frame->version != correspondent->version)
        return;
    if (usmp_hello_retry_read(frame, &retry)) {
        memcpy(correspondent->cookie, retry.cookie, sizeof correspondent->cookie);
        correspondent->has_cookie = true;
    } else if (usmp_challenge_read(frame, &correspondent->challenge)) {
        correspondent->challenged = true;
    } else if (usmp_session_ok_read(frame, &session_ok)) {
        hear_session_ok(correspondent, &session_ok);
    } else if (usmp_type_is_encrypted(frame->type) && correspondent->connected &&
               memcmp(usmp_record_session(frame), correspondent->session_id, USMP_NONCE_SESSION_SIZE) == 0) {
        correspondent->heard_type = frame->type;
        correspondent->heard_seq = frame->seq;
    }
}
