/* A session's records: which key and suite a frame opens and is sealed with (docs/protocol.md section 3). */
#include "proto/session_internal.h"

#include <assert.h>

#include <usmp/record.h>

#include "proto/sent_tags.h"

static const uint8_t *receiving_key(const struct usmp_session *session)
{
    return session->role == USMP_GATEWAY ? session->keys.device_to_gateway : session->keys.gateway_to_device;
}

static const uint8_t *sending_key(const struct usmp_session *session)
{
    return session->role == USMP_GATEWAY ? session->keys.gateway_to_device : session->keys.device_to_gateway;
}

/* As long as none is known, AES. */
static enum usmp_suite suite_of(enum usmp_cipher cipher)
{
    return cipher == USMP_CIPHER_CHACHA20_POLY1305 ? USMP_CHACHA20_POLY1305 : USMP_AES_256_GCM;
}

bool usmp_session_open(struct usmp_session *session, const struct usmp_frame *frame,
                       uint8_t plaintext[USMP_PLAINTEXT_MAX], size_t *size)
{
    struct usmp_record_context context = {receiving_key(session), session->session_id, suite_of(session->cipher)};
    enum usmp_record_verdict verdict = usmp_record_open(&context, frame, plaintext, size);
    if (verdict == USMP_RECORD_WRONG_TAG && session->cipher == USMP_CIPHER_AUTO) {
        context.suite = USMP_CHACHA20_POLY1305;
        verdict = usmp_record_open(&context, frame, plaintext, size);
    }
    if (verdict != USMP_RECORD_OPENED)
        return false;
    session->cipher = context.suite == USMP_AES_256_GCM ? USMP_CIPHER_AES_256_GCM : USMP_CIPHER_CHACHA20_POLY1305;
    return true;
}

/* A gateway remembers what it sent on wire 1 (docs/security.md rule 21). A device does not, as released ones do not:
 * a gateway that echoes sends the very frame of the device back, and means it. */
static bool remembers_own_frames(const struct usmp_session *session)
{
    return session->version == USMP_WIRE_1 && session->role == USMP_GATEWAY;
}

bool usmp_session_may_seal(struct usmp_session *session)
{
    if (!remembers_own_frames(session) || session->sent_tags != NULL)
        return true;
    session->sent_tags = session->owner->take(session->owner->context, USMP_BLOCK_REFLECTED);
    if (session->sent_tags == NULL)
        return false;
    usmp_sent_tags_init(session->sent_tags);
    return true;
}

size_t usmp_session_seal(struct usmp_session *session, uint8_t type, uint32_t seq, const uint8_t *plaintext,
                         size_t size, uint8_t out[USMP_FRAME_MAX])
{
    assert(session->may_send);
    assert(!remembers_own_frames(session) || session->sent_tags != NULL);
    const struct usmp_record_context context = {sending_key(session), session->session_id, suite_of(session->cipher)};
    size_t frame_size = usmp_record_seal(&context, session->version, type, seq, plaintext, size, out);
    if (session->sent_tags != NULL)
        usmp_sent_tags_remember(session->sent_tags, seq, out, frame_size);
    return frame_size;
}
