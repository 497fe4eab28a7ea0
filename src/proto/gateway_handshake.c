#include <usmp/gateway_handshake.h>

#include <assert.h>
#include <string.h>

#include <usmp/handshake_hmac.h>
#include <usmp/keys.h>
#include <usmp/transcript.h>

#include "crypto/memory.h"

void usmp_gateway_handshake_begin(struct usmp_gateway_handshake *handshake, enum usmp_transport transport,
                                  uint8_t version, const struct usmp_hello *hello,
                                  const struct usmp_gateway_secrets *secrets, unsigned repeats, uint64_t now)
{
    assert(repeats <= UINT8_MAX);
    bool repeats_at_all = transport == USMP_UDP && repeats > 0;
    *handshake = (struct usmp_gateway_handshake){
        .version = version,
        .transport = transport,
        .secrets = *secrets,
        .repeats_left = repeats_at_all ? (uint8_t)repeats : 0,
        .begun = now,
        .repeat_due = repeats_at_all ? now + USMP_CHALLENGE_REPEAT_AFTER : USMP_NEVER,
    };
    memcpy(handshake->device_id, hello->device_id, sizeof handshake->device_id);
    memcpy(handshake->device_public, hello->public_key, sizeof handshake->device_public);
}

void usmp_gateway_handshake_wipe(struct usmp_gateway_handshake *handshake)
{
    crypto_wipe(handshake, sizeof *handshake);
}

void usmp_gateway_handshake_challenge(const struct usmp_gateway_handshake *handshake,
                                      uint8_t frame[USMP_CHALLENGE_FRAME])
{
    struct usmp_challenge challenge;
    memcpy(challenge.nonce, handshake->secrets.nonce, sizeof challenge.nonce);
    memcpy(challenge.public_key, handshake->secrets.public_key, sizeof challenge.public_key);
    size_t size = usmp_challenge_write(handshake->version, 0, &challenge, frame);
    assert(size == USMP_CHALLENGE_FRAME);
    (void)size;
}

bool usmp_gateway_handshake_matches(const struct usmp_gateway_handshake *handshake, uint8_t version,
                                    const struct usmp_hello *hello)
{
    return handshake->version == version &&
           memcmp(handshake->device_id, hello->device_id, sizeof handshake->device_id) == 0 &&
           memcmp(handshake->device_public, hello->public_key, sizeof handshake->device_public) == 0;
}

bool usmp_gateway_handshake_repeat(struct usmp_gateway_handshake *handshake, uint64_t now)
{
    if (now < handshake->repeat_due)
        return false;
    handshake->repeats_left--;
    handshake->repeat_due = handshake->repeats_left > 0 ? now + USMP_CHALLENGE_REPEAT_AFTER : USMP_NEVER;
    return true;
}

static struct usmp_transcript transcript_of(const struct usmp_gateway_handshake *handshake)
{
    struct usmp_transcript transcript = {.version = handshake->version};
    memcpy(transcript.nonce, handshake->secrets.nonce, sizeof transcript.nonce);
    memcpy(transcript.device_public, handshake->device_public, sizeof transcript.device_public);
    memcpy(transcript.gateway_public, handshake->secrets.public_key, sizeof transcript.gateway_public);
    return transcript;
}

enum usmp_handshake_verdict usmp_gateway_handshake_verify(struct usmp_gateway_handshake *handshake,
                                                          const struct usmp_hello_ack *hello_ack,
                                                          const struct usmp_psk *keys, size_t count, size_t *matched)
{
    if (handshake->checks >= USMP_HANDSHAKE_CHECKS_MAX)
        return USMP_HANDSHAKE_SPENT;
    handshake->checks++;
    struct usmp_transcript transcript = transcript_of(handshake);
    size_t found = count;
    /* Downwards and without a break: the first key that fits wins, and the time does not tell which one it was. */
    for (size_t index = count; index-- > 0;) {
        if (usmp_device_hmac_matches(&keys[index], &transcript, handshake->device_id, hello_ack->hmac))
            found = index;
    }
    if (found == count)
        return USMP_HANDSHAKE_WRONG;
    *matched = found;
    return USMP_HANDSHAKE_RIGHT;
}

enum usmp_handshake_completion usmp_gateway_handshake_complete(struct usmp_gateway_handshake *handshake,
                                                               const struct usmp_hello_ack *hello_ack,
                                                               const struct usmp_psk *key,
                                                               struct usmp_session_start *start)
{
    struct usmp_transcript transcript = transcript_of(handshake);
    enum usmp_handshake_completion completion = USMP_HANDSHAKE_REFUSED;
    struct usmp_keys keys;
    if (usmp_keys_derive(USMP_GATEWAY, handshake->secrets.private_key, &transcript, &keys) != USMP_KEYS_DERIVED)
        goto wipe;

    *start = (struct usmp_session_start){
        .role = USMP_GATEWAY,
        .transport = handshake->transport,
        .version = handshake->version,
        .keys = keys,
    };
    usmp_keys_wipe(&keys);
    memcpy(start->session_id, handshake->secrets.session_id, sizeof start->session_id);
    memcpy(start->device_public, handshake->device_public, sizeof start->device_public);
    memcpy(start->hello_ack_hmac, hello_ack->hmac, sizeof start->hello_ack_hmac);
    usmp_gateway_hmac(key, &transcript, start->session_id, start->session_ok_hmac);
    completion = USMP_HANDSHAKE_COMPLETE;

wipe:
    usmp_gateway_handshake_wipe(handshake);
    return completion;
}
