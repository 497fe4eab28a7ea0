/* The order of fragments: docs/protocol.md section 3. Knows seq and type only; the caller has the bytes.
 *
 * For authentic frames that are new to the session. Asking and accepting are two steps: usmp_reassembly_check() says
 * what a frame would do and changes nothing, so a frame that is refused may come again; usmp_reassembly_accept() does
 * it. A REKEY that is applied needs usmp_reassembly_init() instead.
 *
 * Over UDP a frame later than the one that is due drops the partial message. What would have continued a dropped
 * message is remembered as far back as the replay window reaches and dropped when it comes, up to its DATA. A frame
 * sent before the partial message began (its sender gave it up, a late copy of it arrived) is no part of its order:
 * it leaves the partial alone, a DATA being a message of its own and a DATA_FRAG nothing.
 */
#ifndef USMP_REASSEMBLY_H
#define USMP_REASSEMBLY_H

#include <stdbool.h>
#include <stdint.h>

#include <usmp/wire.h>

struct usmp_reassembly {
    uint64_t tails; /* bit n: the frame tails_newest − n, if it comes, continues a dropped message */
    uint32_t tails_newest;
    uint32_t first;    /* seq of the partial message's first fragment */
    uint8_t fragments; /* of the partial message so far; 0: there is none */
};

enum usmp_reassembly_action {
    USMP_REASSEMBLY_WHOLE,    /* the frame is a message by itself */
    USMP_REASSEMBLY_BEGIN,    /* the first fragment of a message */
    USMP_REASSEMBLY_APPEND,   /* a further one, more follow */
    USMP_REASSEMBLY_COMPLETE, /* the last one: the message is the partial and this frame */
    USMP_REASSEMBLY_CONTROL,  /* not a part of any message: PING, PONG, BYE, REKEY */
    USMP_REASSEMBLY_DROP,     /* a rest of a message that has been dropped: acknowledge it, deliver nothing */
    USMP_REASSEMBLY_BROKEN,   /* TCP: the session ends */
};

struct usmp_reassembly_step {
    enum usmp_reassembly_action action;
    bool drops_partial; /* the partial message is lost, whatever the action begins */
};

void usmp_reassembly_init(struct usmp_reassembly *reassembly);

/* `type` must be an encrypted one; seq must not be USMP_SEQ_LAST, except for BYE. */
struct usmp_reassembly_step usmp_reassembly_check(const struct usmp_reassembly *reassembly,
                                                  enum usmp_transport transport, uint8_t type,
                                                  uint32_t seq) USMP_MUST_USE;

/* Does what usmp_reassembly_check() says for the same arguments; that must not be USMP_REASSEMBLY_BROKEN. */
void usmp_reassembly_accept(struct usmp_reassembly *reassembly, enum usmp_transport transport, uint8_t type,
                            uint32_t seq);

/* Whether a message has begun and not ended: nothing of it may be sent on yet. */
bool usmp_reassembly_is_partial(const struct usmp_reassembly *reassembly);

#endif
