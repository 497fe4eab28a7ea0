/* What sets apart the versions of the C core that are in the field, one row an era (docs/protocol.md, all sentences
 * marked "habit"). Where that page is silent the row says in era.c what was chosen and why.
 */
#ifndef TESTS_DEVICE_ERA_H
#define TESTS_DEVICE_ERA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which handshake frames a device throws away as copies of one that it has had; it acknowledges them all the same. */
enum strict_copies {
    STRICT_COPIES_TAKEN,      /* none: a second CHALLENGE is an unexpected frame */
    STRICT_COPIES_BELOW_5,    /* types 1 to 4 that are not above the last one; a second HELLO_RETRY is not among them */
    STRICT_COPIES_OF_ANY_TYPE /* HELLO_RETRY too, and CHALLENGE behind SESSION_OK */
};

/* Times are in microseconds. */
struct strict_era {
    const char *name;
    uint8_t version; /* the wire's version byte */
    bool has_udp;
    bool numbers_handshake;    /* HELLO 0, HELLO with cookie 1, HELLO_ACK 2; otherwise all 0 */
    uint64_t handshake_wait;   /* for CHALLENGE and for SESSION_OK, each; 0: for ever */
    uint64_t repeat_after;     /* until the second of five sends */
    bool estimates_round_trip; /* the first interval follows an estimate, each further one doubles */
    unsigned reads_max;        /* in one receive call, counting everything; 0: no limit */
    uint64_t read_wait;        /* UDP: for each of them; 0: until a frame comes */
    bool spent_reads_end;      /* running out of reads inside a message ends the session; otherwise what was read of the
                                    message is forgotten and its rest taken for a message of its own */
    bool drops_misfits;        /* UDP: a frame of a wrong kind or one that is too long is dropped; otherwise the receive
                                    call fails */
    enum strict_copies copies; /* UDP */
    bool only_forward;         /* UDP: frames that are not above the last authentic one are copies, window or not */
    bool keeps_old_keys;       /* UDP: a reconnect acknowledges HELLO_RETRY under the session before */
    bool sees_queue;           /* Arduino over UDP: sees what waits in the socket before it sends something itself */
    bool reuses_seq;           /* of a frame that it gave up */
    bool says_bye;             /* when it closes */
    unsigned control_frames_max; /* in one receive call; one more ends the session */
    bool has_rekey;              /* and ChaCha20-Poly1305 */
    uint64_t stall_max;          /* TCP: a frame that makes no progress for so long is fatal */
};

/* From the oldest to the newest. */
extern const struct strict_era strict_eras[];
extern const size_t strict_era_count;

/* NULL: there is no such era. */
const struct strict_era *strict_era_find(const char *name);

#endif
