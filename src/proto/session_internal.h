/* What the files of a session share; usmp/session.h is the contract. */
#ifndef PROTO_SESSION_INTERNAL_H
#define PROTO_SESSION_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/session.h>

/* Microseconds. */
#define USMP_REPEAT_AFTER_WIRE_1 500000u   /* at least, to a wire 1 device: docs/protocol.md section 3 */
#define USMP_REPEAT_FRAGMENT_AFTER 130000u /* fragments 2 to 4 to a wire 2 device: docs/protocol.md section 4 */
#define USMP_SESSION_OK_REPEAT_AFTER 500000u
#define USMP_OLD_UTACK_WAIT 500000u /* after REKEY, at least */
#define USMP_LINGER 15000000u       /* copies of a BYE are answered */
#define USMP_CONTROL_INTERVAL 125000u

#define USMP_CONTROL_BURST 8u /* control frames at once, and one more for each interval */
#define USMP_PONGS_HELD_MAX 8u
#define USMP_SENDS_MAX 5u /* of a frame that is no message; a message lives as long as its owner wants it to */

static inline bool usmp_session_is_udp(const struct usmp_session *session)
{
    return session->transport == USMP_UDP;
}

/* Has a replay window, and UTACKs with a MAC. */
static inline bool usmp_session_is_udp_wire_2(const struct usmp_session *session)
{
    return session->transport == USMP_UDP && session->version == USMP_WIRE_2;
}

static inline bool usmp_session_is_message_part(uint8_t type)
{
    return type == USMP_DATA || type == USMP_DATA_FRAG;
}

/* session.c */

/* Ends it at once, for this reason unless it has one. Returns USMP_SESSION_OVER. */
enum usmp_session_verdict usmp_session_end(struct usmp_session *session, enum usmp_end end);
void usmp_session_emit(struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes, size_t size);
void usmp_session_drop_partial(struct usmp_session *session);
/* The UTACK keys that belong to the session's keys. */
void usmp_session_set_utack_keys(struct usmp_session *session);

/* session_record.c */

/* Opens a frame with the suite that is known, or else finds it. False: it is not authentic. */
bool usmp_session_open(struct usmp_session *session, const struct usmp_frame *frame,
                       uint8_t plaintext[USMP_PLAINTEXT_MAX], size_t *size) USMP_MUST_USE;
/* Seals a frame of ours and remembers it where it could be reflected; usmp_session_may_seal comes first. */
size_t usmp_session_seal(struct usmp_session *session, uint8_t type, uint32_t seq, const uint8_t *plaintext,
                         size_t size, uint8_t out[USMP_FRAME_MAX]);
/* False: there is no block for what has to be remembered. */
bool usmp_session_may_seal(struct usmp_session *session) USMP_MUST_USE;

/* session_receive_stream.c, session_receive_datagram.c */
enum usmp_session_verdict usmp_session_receive_stream(struct usmp_session *session, const struct usmp_frame *frame,
                                                      uint8_t *scratch, uint64_t now) USMP_MUST_USE;
enum usmp_session_verdict usmp_session_receive_datagram(struct usmp_session *session, const struct usmp_frame *frame,
                                                        uint8_t *scratch, uint64_t now) USMP_MUST_USE;

/* session_accept.c */

/* What a frame does that is authentic and new: offer, collect, control, end. */
enum usmp_session_verdict usmp_session_handle(struct usmp_session *session, const struct usmp_frame *frame,
                                              const uint8_t *plaintext, size_t size, uint64_t now) USMP_MUST_USE;
/* The window moves past it. */
void usmp_session_pass(struct usmp_session *session, uint32_t seq);
/* The frame is taken: window, order of fragments, UTACK. Not for BYE, nor for REKEY over UDP. */
void usmp_session_commit(struct usmp_session *session, uint8_t type, uint32_t seq);

/* session_control.c: PING, PONG, REKEY. */
enum usmp_session_verdict usmp_session_control(struct usmp_session *session, const struct usmp_frame *frame,
                                               const uint8_t *plaintext, uint64_t now) USMP_MUST_USE;

/* session_bye.c */
enum usmp_session_verdict usmp_session_receive_bye(struct usmp_session *session, uint32_t seq,
                                                   uint64_t now) USMP_MUST_USE;
/* A datagram of the peer to a session that has ended. */
enum usmp_session_verdict usmp_session_linger(struct usmp_session *session, const struct usmp_frame *frame,
                                              uint8_t *scratch, uint64_t now) USMP_MUST_USE;

/* session_rekey.c */
enum usmp_session_verdict usmp_session_receive_rekey(struct usmp_session *session, const struct usmp_frame *frame,
                                                     const uint8_t *salt, uint64_t now) USMP_MUST_USE;
/* Answers a copy of the last REKEY frame. False: the frame is none. */
bool usmp_session_answer_rekey_copy(struct usmp_session *session, const struct usmp_frame *frame) USMP_MUST_USE;
/* A frame has opened under the keys of now: the device knows them. */
void usmp_session_rekey_confirmed(struct usmp_session *session);
/* The UTACK of our own REKEY has come. */
void usmp_session_rekey_acknowledged(struct usmp_session *session);
/* Gives the record back if nothing of it is needed any more. */
void usmp_session_release_rekey(struct usmp_session *session);

/* session_flight.c: the one frame that is out over UDP. */

/* Sends a frame under the next seq; what it carries is where its type has it. False: there is no seq left, and the
 * session has ended. */
bool usmp_session_launch(struct usmp_session *session, uint8_t type, uint64_t now) USMP_MUST_USE;
/* Sends it again: sealed again, since one key, seq and plaintext give the same bytes. */
void usmp_session_repeat(struct usmp_session *session, uint64_t now);
/* The UTACK of what is in flight has come: a measurement if that was sent once. Comes before usmp_session_land. */
void usmp_session_measure_flight(struct usmp_session *session, uint64_t now);
/* Nothing is in flight any more; what waited for that may leave from `now` on. */
void usmp_session_land(struct usmp_session *session, uint64_t now);
/* The message that is out starts again, with its first fragment. */
void usmp_session_restart_message(struct usmp_session *session, uint64_t now);
/* The peer may hold a part of a message of ours and must not take what comes next for its rest. */
void usmp_session_fence(struct usmp_session *session);

/* session_send.c */

/* Over TCP: writes a frame that is no message. False: no block, or no seq left and the session has ended. */
bool usmp_session_write(struct usmp_session *session, uint8_t type, const uint8_t *plaintext,
                        size_t size) USMP_MUST_USE;
/* What speaks against sending something of `size` bytes; USMP_SEND_STARTED if nothing does. */
enum usmp_send_verdict usmp_session_check_send(struct usmp_session *session, size_t size) USMP_MUST_USE;

/* session_utack.c */
void usmp_session_acknowledge(struct usmp_session *session, uint8_t type, uint32_t seq);
void usmp_session_acknowledge_plain(struct usmp_session *session, uint8_t type, uint32_t seq);

/* session_handshake_copies.c */
void usmp_session_send_session_ok(struct usmp_session *session);

#endif
