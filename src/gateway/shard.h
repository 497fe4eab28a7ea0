/* A shard: everything a gateway decides about its devices, without I/O (docs/design.md).
 *
 * Datagrams, bytes of streams, commands, credit and the time go in; what is to be done comes out through the table of
 * ports, what backends are to hear through the outbox. A worker puts a loop around it, a simulation puts hundreds of
 * devices in virtual time around the same code.
 *
 * Ownership: a session belongs to one shard for its whole life. The shard owns its tables and the commands under way;
 * it borrows configuration, registry (retained), admission and outbox from whoever opens it. It allocates no more
 * than the limits of the configuration allow; what finds no memory is refused and counted.
 *
 * Time: every call takes `now`; the monotonic clock never goes back, the wall clock may step. After any call ask
 * shard_deadline and call shard_advance when it has come.
 *
 * One thread. Ports must not call back into the shard.
 */
#ifndef GATEWAY_SHARD_H
#define GATEWAY_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/counters.h"
#include "platform/address.h"
#include "seam/command.h"
#include "seam/credit.h"
#include "seam/denied.h"
#include "seam/outbox.h"

#define SHARD_NEVER UINT64_MAX
#define SHARD_DATAGRAM_MAX 512u /* bytes; no longer datagram can be a frame or a UTACK worth reading */

struct admission;
struct config;
struct registry;
struct shard;
struct shard_stream;

struct shard_time {
    uint64_t monotonic; /* microseconds */
    int64_t wall;       /* microseconds since 1970 UTC */
};

/* Where a datagram came from and which of our addresses it was sent to: answers leave from there. */
struct shard_path {
    struct address peer;
    struct address local;
    uint32_t interface; /* of a link-local address, otherwise 0 */
};

enum shard_written {
    SHARD_WRITTEN, /* the kernel has all of it */
    SHARD_QUEUED,  /* shard_stream_drained follows when the kernel has it */
    SHARD_FAILED,  /* the stream is of no use any more; the shard closes it */
};

/* What a shard does to the world. */
struct shard_ports {
    void *context;
    /* Exactly one datagram; may be lost like any other. */
    void (*send_datagram)(void *context, const struct shard_path *path, const uint8_t *bytes, size_t size);
    /* Bounded by the worker: at most SHARD_STREAM_QUEUE_MAX bytes wait, more is SHARD_FAILED. */
    enum shard_written (*write)(void *context, void *handle, const uint8_t *bytes, size_t size);
    /* Read this stream again; what was handed in and not consumed comes again first. Not from within. */
    void (*resume)(void *context, void *handle);
    /* The stream is over: queued bytes may still leave. The shard never names the handle again. */
    void (*close)(void *context, void *handle);
    void (*random)(void *context, void *out, size_t size);
};

#define SHARD_STREAM_QUEUE_MAX 8192u

struct shard_options {
    const struct config *config; /* of the start; what a reload may change is taken over by shard_reload */
    struct registry *registry;   /* retained */
    struct admission *admission; /* shared by all shards */
    struct seam_outbox *outbox;
    const struct shard_ports *ports;
};

/* NULL when memory is short. */
struct shard *shard_open(const struct shard_options *options, struct shard_time now)
    __attribute__((warn_unused_result));
/* Ends what is left without a word to anybody, hands all commands back and wipes everything. */
void shard_close(struct shard *shard);

/* One datagram. Everything that is not for us is dropped and counted. What belongs to a handshake only waits:
 * shard_strangers. */
void shard_datagram(struct shard *shard, const struct shard_path *path, const uint8_t *bytes, size_t size,
                    struct shard_time now);

/* A connection was accepted. NULL: close it at once (locked out, no room). */
struct shard_stream *shard_stream_open(struct shard *shard, const struct address *peer, void *handle,
                                       struct shard_time now) __attribute__((warn_unused_result));

enum shard_reading {
    SHARD_READ_ON,     /* keep what was not consumed (a piece of a frame, under 492 bytes), read on */
    SHARD_READ_PAUSED, /* keep what was not consumed, do not read until `resume` */
    SHARD_READ_CLOSED, /* ports->close was called: the stream is gone */
};

/* Bytes of a stream, beginning with what was not consumed before. */
enum shard_reading shard_stream_bytes(struct shard *shard, struct shard_stream *stream, const uint8_t *bytes,
                                      size_t size, size_t *consumed, struct shard_time now)
    __attribute__((warn_unused_result));
/* All queued bytes are with the kernel. */
void shard_stream_drained(struct shard *shard, struct shard_stream *stream, struct shard_time now);
/* The peer is gone, or reading or writing failed. The stream is freed; ports->close is not called. */
void shard_stream_lost(struct shard *shard, struct shard_stream *stream, struct shard_time now);

/* A command from the inbox. The shard owns it until it comes back through the outbox. */
void shard_command(struct shard *shard, struct seam_command *command, struct shard_time now);
/* New credit: sessions that were paused for want of it go on. */
void shard_credit(struct shard *shard, const struct seam_credit *credit, struct shard_time now);
/* Who gets no credit from now on, and who gets it again (docs/security.md rule 22). */
void shard_deny(struct shard *shard, const struct seam_denied *denied, struct shard_time now);

/* Swaps registry and settings (docs: "HUP" in the table of the configuration), then closes every session whose key is
 * not accepted any more. `config` is borrowed until the next one. */
void shard_reload(struct shard *shard, const struct config *config, struct registry *registry, struct shard_time now);

/* Ends every session (`shutdown`), with BYE where one may be sent, and takes no new ones. shard_is_drained tells when
 * every BYE is acknowledged or given up. */
void shard_drain(struct shard *shard, struct shard_time now);
bool shard_is_drained(const struct shard *shard);

/* When something is due; SHARD_NEVER when nothing is. */
uint64_t shard_deadline(const struct shard *shard);
void shard_advance(struct shard *shard, struct shard_time now);

/* Handshakes, a bounded share of a turn: to be called once at the end of each, when all that came for sessions is done
 * and its answers have left (docs/design/sessions-first.md). True while more waits: then the loop must not sleep. */
bool shard_strangers(struct shard *shard, struct shard_time now) __attribute__((warn_unused_result));

/* Work for idle time (key pairs made ahead). True while there is more; each call takes well under 100 µs. */
bool shard_idle(struct shard *shard, struct shard_time now);

const struct shard_counters *shard_counters(const struct shard *shard);

/* For the status line and tests: live sessions now. */
size_t shard_session_count(const struct shard *shard);

#endif
