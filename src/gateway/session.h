/* One device's session as the shard keeps it: libusmp's session, whose it is, how to reach it, what waits for it.
 *
 * Life: session_create (at a right HELLO_ACK) → live, its `connected` told → session_end (its `disconnected` told or
 * owed) → lingering while libusmp still has something to answer or repeat over UDP → session_destroy. A live session
 * is in all tables; a lingering one only in those that find it by its wire, and it counts in no limit.
 *
 * Memory: one piece of secret memory each, since it holds keys.
 */
#ifndef GATEWAY_SESSION_H
#define GATEWAY_SESSION_H

#include <usmp/session.h>

#include "gateway/hash_index.h"
#include "gateway/shard.h"
#include "platform/deadlines.h"
#include "registry/registry.h"
#include "seam/event.h"

#define SESSION_COMMANDS_MAX 1024u /* messages that may wait for one device; more is SEAM_BUSY */

struct session {
    struct usmp_session wire;
    struct shard *shard;
    struct shard_path path;      /* UDP */
    struct shard_stream *stream; /* TCP; NULL once it is gone */
    struct address peer;         /* whose limits it counts in: where its handshake came from, normalised */
    struct deadline deadline;
    struct hash_link by_device;  /* live ones only */
    struct hash_link by_session; /* session_id[0..7] */
    struct hash_link by_path;    /* UDP */
    struct session *older;       /* all of the shard's sessions */
    struct session *newer;
    struct session *paused_next; /* TCP: those that are not read, oldest first */
    struct session *paused_before;
    bool live;
    bool is_paused;
    bool is_denied; /* credit: see gateway/credit.h */
    bool in_tables; /* by_session */
    bool in_paths;
    bool uses_default;
    bool untold;    /* its `disconnected` found no memory and is owed */
    bool forgotten; /* too many have ended at its address and port: it lingers no more */
    bool moved;     /* to another path since it ran last */
    uint8_t device[USMP_DEVICE_ID_SIZE];
    uint8_t key_tag[REGISTRY_KEY_TAG_SIZE]; /* which PSK it was made with */
    uint16_t max_downlink;                  /* bytes */
    uint32_t backends;
    uint64_t handshake_begun; /* when its HELLO came: newest wins by this */
    uint64_t timeout;         /* of the watchdog, microseconds; 0: none */
    uint64_t last_activity;
    int64_t ended_at; /* wall clock, for an owed `disconnected` */
    enum seam_reason reason;
    struct seam_command *commands; /* sends, oldest first; the first may be out */
    struct seam_command **commands_end;
    size_t command_count;
    uint64_t commands_due; /* no command's deadline is earlier; may be earlier than all of them */
    bool command_is_out;   /* the first is on the wire (UDP) or in the stream's queue (TCP) */
    bool stream_is_busy;   /* TCP: bytes wait for the kernel */
    bool stream_failed;    /* TCP: a write failed; ends at its deadline, which is at once */
    uint64_t held_until;   /* see gateway/session_hold.h: by a handshake of wire 1 … */
    uint64_t hold_again;   /* … and the next one holds it no sooner than this */
    uint64_t retry_at;     /* when to look again for memory that was short; DEADLINE_NEVER: it was not */
};

#define SESSION_OF(link, member) HASH_INDEX_OBJECT(link, struct session, member)

/* What a new session is made of. */
struct session_start {
    const struct shard_path *path; /* UDP, else NULL */
    struct shard_stream *stream;   /* TCP, else NULL */
    const struct address *peer;
    const uint8_t *device;
    const struct registry_match *match;
    size_t matched; /* which candidate's key */
    uint64_t handshake_begun;
    uint32_t backends;
    struct session *replaced; /* the device's old one, which ends; NULL if there is none */
    struct usmp_session_start *wire;
};

/* Makes a session live: its place in the limits and its credit are taken already. Ends the one that it replaces and
 * tells `connected`; session_begin has to follow. NULL: memory is short and nothing was told of it; the old one goes on
 * if it was not even possible to begin. */
struct session *session_create(struct shard *shard, const struct session_start *start, struct shard_time now)
    __attribute__((warn_unused_result));

/* Sends SESSION_OK. */
void session_begin(struct session *session, const struct usmp_session_start *wire, struct shard_time now);

/* The live session of a device, or NULL. */
struct session *session_find(const struct shard *shard, const uint8_t device[USMP_DEVICE_ID_SIZE]);

/* The first session whose device was heard last from that address and port, and the next after it: live ones and those
 * that linger. */
struct session *session_first_at(const struct shard *shard, const struct shard_path *path);
struct session *session_next_at(const struct session *session, const struct shard_path *path);

/* Ends a live session: tells `disconnected`, hands its commands back, leaves the limits. Says BYE unless the wire is
 * over already (`reason` is bye, protocol or peer) and closes its stream. The session lingers or is gone afterwards:
 * the caller must not use it. */
void session_end(struct session *session, enum seam_reason reason, struct shard_time now);

/* Frees it; not live any more, or the shard closes. */
void session_destroy(struct session *session);

/* Something new and authentic came: the watchdog starts afresh. */
void session_touch(struct session *session, struct shard_time now);

/* A message found no credit, or no memory (`retry`: looked for again soon by itself). TCP is not read, and the watchdog
 * waits, until shard_credit, shard_deny or the retry goes on. Over UDP there is nothing to stop: the device repeats by its
 * own clock for as long as it likes, and each time the watchdog leaves it time for the next. */
void session_pause(struct session *session, bool retry, struct shard_time now);
void session_unpause(struct session *session, struct shard_time now);
/* Has the session run again soon, since memory was short. */
void session_retry(struct session *session, struct shard_time now);

/* No pause any more, without reading on: it ends. True if it was paused. */
bool session_leave_paused(struct session *session);

/* Nothing that comes in finds it any more. */
void session_leave_tables(struct session *session);

/* Keeps a session that has ended for as long as its wire has something to say and until its end has been told; frees it
 * otherwise. */
void session_linger(struct session *session, struct shard_time now);

/* One that was at an address and port has ended. Few such are kept: the oldest goes, at its deadline, which is now. */
void session_keep_few_lingering(struct session *ended, struct shard_time now);

/* Takes over what the device's entry says; what it leaves to the configuration comes from there. */
void session_apply_settings(struct session *session, const struct registry_settings *settings);

/* Moves a UDP session to where its device speaks from now. session_run has to follow. */
void session_move(struct session *session, const struct shard_path *path);

/* Does what is due and what the last input made possible: repeats, commands, watchdog, the end. To be called after
 * every input and when its deadline came. False: the session is not live any more and may be gone. */
bool session_run(struct session *session, struct shard_time now);

/* Why libusmp ended a session, in the words of the seam. */
enum seam_reason session_reason(enum usmp_end end);

#endif
