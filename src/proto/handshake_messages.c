#include <usmp/handshake_messages.h>

#include <string.h>

/* Takes the next `size` bytes of a payload. */
static void take(const uint8_t **payload, uint8_t *field, size_t size)
{
    memcpy(field, *payload, size);
    *payload += size;
}

/* Puts the next `size` bytes of a payload. */
static void put(uint8_t **payload, const uint8_t *field, size_t size)
{
    memcpy(*payload, field, size);
    *payload += size;
}

/* The payload has been put behind the header's place. */
static size_t finish(uint8_t version, uint8_t type, uint32_t seq, const uint8_t *payload_end, uint8_t *out)
{
    const uint8_t *payload = out + USMP_HEADER_SIZE;
    return usmp_frame_write(version, type, seq, payload, (size_t)(payload_end - payload), out);
}

size_t usmp_hello_write(uint8_t version, uint32_t seq, const struct usmp_hello *hello,
                        uint8_t out[USMP_HELLO_COOKIE_FRAME])
{
    uint8_t *payload = out + USMP_HEADER_SIZE;
    put(&payload, hello->device_id, sizeof hello->device_id);
    put(&payload, hello->public_key, sizeof hello->public_key);
    if (hello->has_cookie)
        put(&payload, hello->cookie, sizeof hello->cookie);
    return finish(version, USMP_HELLO, seq, payload, out);
}

bool usmp_hello_read(const struct usmp_frame *frame, struct usmp_hello *hello)
{
    if (frame->type != USMP_HELLO)
        return false;
    const uint8_t *payload = frame->payload;
    *hello = (struct usmp_hello){.has_cookie = frame->length == USMP_HELLO_COOKIE_PAYLOAD};
    take(&payload, hello->device_id, sizeof hello->device_id);
    take(&payload, hello->public_key, sizeof hello->public_key);
    if (hello->has_cookie)
        take(&payload, hello->cookie, sizeof hello->cookie);
    return true;
}

size_t usmp_challenge_write(uint8_t version, uint32_t seq, const struct usmp_challenge *challenge,
                            uint8_t out[USMP_CHALLENGE_FRAME])
{
    uint8_t *payload = out + USMP_HEADER_SIZE;
    put(&payload, challenge->nonce, sizeof challenge->nonce);
    put(&payload, challenge->public_key, sizeof challenge->public_key);
    return finish(version, USMP_CHALLENGE, seq, payload, out);
}

bool usmp_challenge_read(const struct usmp_frame *frame, struct usmp_challenge *challenge)
{
    if (frame->type != USMP_CHALLENGE)
        return false;
    const uint8_t *payload = frame->payload;
    take(&payload, challenge->nonce, sizeof challenge->nonce);
    take(&payload, challenge->public_key, sizeof challenge->public_key);
    return true;
}

size_t usmp_hello_ack_write(uint8_t version, uint32_t seq, const struct usmp_hello_ack *hello_ack,
                            uint8_t out[USMP_HELLO_ACK_FRAME])
{
    uint8_t *payload = out + USMP_HEADER_SIZE;
    put(&payload, hello_ack->hmac, sizeof hello_ack->hmac);
    return finish(version, USMP_HELLO_ACK, seq, payload, out);
}

bool usmp_hello_ack_read(const struct usmp_frame *frame, struct usmp_hello_ack *hello_ack)
{
    if (frame->type != USMP_HELLO_ACK)
        return false;
    const uint8_t *payload = frame->payload;
    take(&payload, hello_ack->hmac, sizeof hello_ack->hmac);
    return true;
}

size_t usmp_session_ok_write(uint8_t version, uint32_t seq, const struct usmp_session_ok *session_ok,
                             uint8_t out[USMP_SESSION_OK_FRAME])
{
    uint8_t *payload = out + USMP_HEADER_SIZE;
    put(&payload, session_ok->session_id, sizeof session_ok->session_id);
    put(&payload, session_ok->hmac, sizeof session_ok->hmac);
    return finish(version, USMP_SESSION_OK, seq, payload, out);
}

bool usmp_session_ok_read(const struct usmp_frame *frame, struct usmp_session_ok *session_ok)
{
    if (frame->type != USMP_SESSION_OK)
        return false;
    const uint8_t *payload = frame->payload;
    take(&payload, session_ok->session_id, sizeof session_ok->session_id);
    take(&payload, session_ok->hmac, sizeof session_ok->hmac);
    return true;
}

size_t usmp_hello_retry_write(uint32_t seq, const struct usmp_hello_retry *hello_retry,
                              uint8_t out[USMP_HELLO_RETRY_FRAME])
{
    uint8_t *payload = out + USMP_HEADER_SIZE;
    put(&payload, hello_retry->cookie, sizeof hello_retry->cookie);
    return finish(USMP_WIRE_2, USMP_HELLO_RETRY, seq, payload, out);
}

bool usmp_hello_retry_read(const struct usmp_frame *frame, struct usmp_hello_retry *hello_retry)
{
    if (frame->type != USMP_HELLO_RETRY)
        return false;
    const uint8_t *payload = frame->payload;
    take(&payload, hello_retry->cookie, sizeof hello_retry->cookie);
    return true;
}
