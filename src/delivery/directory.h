/* Which devices have a session, and where: made from the events `connected` and `disconnected`, asked by commands.
 *
 * One live session a device. Its size follows the number of live sessions, which the shards bound (`limits.sessions`);
 * it grows as needed and does not shrink. A session that finds no memory is not known here: commands for its device
 * are answered as if it had none, its events flow all the same.
 *
 * One thread.
 */
#ifndef DELIVERY_DIRECTORY_H
#define DELIVERY_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/device_table.h"
#include "seam/event.h"

struct directory_session {
    uint8_t device[6];
    uint8_t transport; /* enum seam_transport */
    uint8_t wire;
    uint8_t session[16];
    struct address peer;
    uint16_t shard;
    uint32_t backends;
    uint32_t commands; /* under way to it; counted by their owner */
    int64_t connected; /* wall clock, microseconds since 1970 */
    uint64_t since;    /* of the directory's changes */
    uint64_t until;    /* 0: it lives */
    struct directory_session *older;
    struct directory_session *newer;
    struct directory_session *next; /* of the free ones, or of the ended ones */
};

/* The live sessions as they were at one moment, whatever happens afterwards; read step by step. Ended sessions that
 * are in it are kept for it: one view costs at most what the sessions of its moment take. */
struct directory_view {
    struct directory_view *next; /* a younger one */
    uint64_t at;
    struct directory_session *cursor;
};

struct directory {
    struct device_table live;
    uint64_t changes;
    struct directory_session *oldest; /* in order of their beginning, with the ended ones that a view needs */
    struct directory_session *newest;
    struct directory_session *ended; /* in order of their end */
    struct directory_session **ended_end;
    struct directory_session *unused;
    struct directory_block *blocks;
    struct directory_view *views; /* the oldest first */
    struct directory_view **views_end;
};

/* `key`: random bytes of this process. False: memory is short. */
bool directory_open(struct directory *directory, const uint8_t key[static DEVICE_TABLE_KEY_SIZE])
    __attribute__((warn_unused_result));
/* Views must have been closed. */
void directory_close(struct directory *directory);

/* Enters the session of a `connected` event; one that the device still has ends by it. NULL: memory is short, the
 * session is not known. Valid until the next begin or end. */
struct directory_session *directory_begin(struct directory *directory, const struct seam_event *connected,
                                          uint16_t shard) __attribute__((warn_unused_result));

/* The session of a `disconnected` event has ended; nothing happens if it is not known. */
void directory_end(struct directory *directory, const struct seam_event *disconnected);

/* The live session of a device, or NULL. Valid until the next begin or end. */
struct directory_session *directory_find(const struct directory *directory, const uint8_t device[static 6]);

/* Beginning with the next change the view shows what was. */
void directory_view_open(struct directory *directory, struct directory_view *view);
void directory_view_close(struct directory *directory, struct directory_view *view);

/* The next session, oldest first, or NULL at the end. Valid until the next call of any function here. */
const struct directory_session *directory_view_next(struct directory_view *view);

#endif
