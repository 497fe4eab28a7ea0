/* TCP connections as the shard sees them: bytes become frames, a handshake becomes a session.
 *
 * A connection is silent until a whole HELLO has come; silent ones have a bound and a short time of their own
 * (gateway/silent_streams.h, docs/security.md rule 9). With its HELLO it takes a place in admission, with its session it
 * gives it back. Everything wrong ends it at once. Frames of a handshake are looked at while a turn's share for
 * strangers lasts (gateway/stream_waiting.h), those of a session always.
 */
#ifndef GATEWAY_STREAM_H
#define GATEWAY_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/gateway_handshake.h>

#include "gateway/half_done.h"
#include "gateway/hash_index.h"
#include "gateway/shard.h"
#include "gateway/silent_streams.h"
#include "gateway/stream_waiting.h"
#include "platform/deadlines.h"

#define STREAM_SILENT_TIMEOUT UINT64_C(3000000) /* microseconds, or the handshake's timeout if that is shorter */

struct session;

enum stream_state {
    STREAM_SILENT,
    STREAM_CHALLENGED,
    STREAM_SESSION,
};

struct shard_stream {
    struct shard *shard;
    void *handle;
    struct address peer; /* normalised */
    enum stream_state state;
    struct usmp_gateway_handshake *handshake; /* secret memory; from HELLO to the session */
    struct hash_link by_device;               /* while there is a handshake */
    struct half_done half_done;
    struct session *session;
    struct deadline deadline;   /* of the handshake */
    struct shard_stream *older; /* all streams of the shard */
    struct shard_stream *newer;
    size_t silent_place; /* among the silent ones, while it is one */
    bool waits;          /* for a turn that has something left for its handshake */
    bool goes_on;        /* this turn has */
    uint64_t frame_came; /* what it waits with */
    struct shard_stream *waits_before;
    struct shard_stream *waits_behind;
};

struct stream_table {
    struct hash_index by_device;
    struct shard_stream *newest;
    struct silent_streams silent;
    struct stream_waiting waiting;
};

/* Closes the connection and frees the stream; its session, if any, has ended or forgets it. */
void stream_close(struct shard_stream *stream);

/* It has said who it is: the bound on silent ones does not concern it any more. */
void stream_leave_silent(struct shard_stream *stream);

/* Gives back what belongs to the handshake and not to a session. */
void stream_end_handshake(struct shard_stream *stream);

/* Reads on after a pause. */
void stream_resume(struct shard_stream *stream);

/* Its handshake's time is up. */
void stream_due(struct shard_stream *stream, struct shard_time now);

/* Closes those whose handshake for this device began before `begun`: newest wins. */
void stream_cancel_older(struct shard *shard, const uint8_t device[USMP_DEVICE_ID_SIZE], uint64_t begun);

/* The table must be all zeros before. After a failure stream_close_all is still to be called. */
enum hash_index_result stream_open_table(struct stream_table *table) __attribute__((warn_unused_result));
/* Frees all without a word, when the shard closes. */
void stream_close_all(struct shard *shard);

#endif
