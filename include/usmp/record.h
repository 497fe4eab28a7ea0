/* Encrypted frames: docs/protocol.md section 3. Payload = nonce ‖ ciphertext ‖ tag, nonce = seq ‖ session_id[0..7],
 * AAD = the header without its CRC.
 *
 * No state: seq, order and replay are the session's business, and so is never sealing twice under one key and seq.
 */
#ifndef USMP_RECORD_H
#define USMP_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include <usmp/frame.h>
#include <usmp/wire.h>

/* What one direction of a session seals and opens with; borrowed for the call. */
struct usmp_record_context {
    const uint8_t *key;        /* USMP_KEY_SIZE */
    const uint8_t *session_id; /* USMP_SESSION_ID_SIZE */
    enum usmp_suite suite;
};

enum usmp_record_verdict {
    USMP_RECORD_OPENED,
    USMP_RECORD_WRONG_NONCE, /* the nonce on the wire is not that of seq and session */
    USMP_RECORD_WRONG_TAG,
    USMP_RECORD_NOT_ENCRYPTED, /* a frame of a type that carries no record */
};

/* Writes a whole frame and returns its size. `size` is at most USMP_PLAINTEXT_MAX and right for the type (0 for PING,
 * PONG and BYE, USMP_REKEY_SALT_SIZE for REKEY); `plaintext` may be NULL when it is 0 and must not lie in `out`. */
size_t usmp_record_seal(const struct usmp_record_context *context, uint8_t version, uint8_t type, uint32_t seq,
                        const uint8_t *plaintext, size_t size, uint8_t out[USMP_FRAME_MAX]);

/* Opens a frame that usmp_frame_parse() or usmp_frame_parse_datagram() called complete. `size` is set with
 * USMP_RECORD_OPENED only; `plaintext` holds nothing of use otherwise. */
enum usmp_record_verdict usmp_record_open(const struct usmp_record_context *context, const struct usmp_frame *frame,
                                          uint8_t plaintext[USMP_PLAINTEXT_MAX], size_t *size) USMP_MUST_USE;

/* The USMP_NONCE_SESSION_SIZE bytes of a frame's nonce that name its session, or NULL when it carries no record. Not
 * authentic before the frame has opened. */
const uint8_t *usmp_record_session(const struct usmp_frame *frame);

#endif
