/* Connections that have not sent a whole HELLO: who stays and who goes when there are many (docs/security.md rule 9,
 * docs/design/tcp-strangers.md).
 *
 * One address keeps at most SILENT_STREAMS_HOST_MAX of them and one site (an IPv4 address, an IPv6 /48) at most
 * SILENT_STREAMS_SITE_MAX: the next one takes the place of one of its own, at random. Beyond half of all places someone
 * goes at random even while there is room, the newcomer as likely as any other, and the fuller it is the likelier; with
 * all places taken someone always does. So whoever opens connections and says nothing loses them as fast as he opens
 * them, while a device, which is silent for one round trip only, is rarely hit.
 *
 * Memory: fixed. Addresses are told apart by keyed hashes, so a look through all of them is some two thousand
 * comparisons at most.
 */
#ifndef GATEWAY_SILENT_STREAMS_H
#define GATEWAY_SILENT_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SILENT_STREAMS_MAX 1024u
#define SILENT_STREAMS_HALF (SILENT_STREAMS_MAX / 2)
#define SILENT_STREAMS_SITE_MAX 128u
#define SILENT_STREAMS_HOST_MAX 32u

struct shard_stream;

/* Where a connection comes from, as far as it is counted. */
struct silent_origin {
    bool trusted;  /* no share of an address or a site concerns it */
    uint64_t host; /* keyed hashes */
    uint64_t site;
};

struct silent_place {
    struct shard_stream *stream;
    struct silent_origin origin;
};

struct silent_streams {
    struct silent_place *places; /* SILENT_STREAMS_MAX */
    size_t count;
};

/* False: memory is short. */
bool silent_streams_open(struct silent_streams *silent) __attribute__((warn_unused_result));
void silent_streams_close(struct silent_streams *silent);

enum silent_verdict {
    SILENT_WELCOME,
    SILENT_WELCOME_FOR_ANOTHER, /* *leaves has to be closed first */
    SILENT_TURNED_AWAY,
};

/* One more comes. Draws random numbers only when somebody has to go. */
enum silent_verdict silent_streams_judge(const struct silent_streams *silent, const struct silent_origin *origin,
                                         void (*random)(void *context, void *out, size_t size), void *context,
                                         struct shard_stream **leaves) __attribute__((warn_unused_result));

/* There is room, as silent_streams_judge has said. Returns its place, which it needs to leave. */
size_t silent_streams_enter(struct silent_streams *silent, struct shard_stream *stream,
                            const struct silent_origin *origin);

/* The one at `place` goes. Returns the one that has that place now, or NULL. */
struct shard_stream *silent_streams_leave(struct silent_streams *silent, size_t place)
    __attribute__((warn_unused_result));

#endif
