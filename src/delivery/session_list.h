/* The `list` commands of one connection: answered one after the other, each at its place in the stream of events.
 *
 * What a list shows are the sessions that lived when it was begun, which is when the command came or the list before
 * it was finished. It stands behind all events of before, and events that came later stand behind it; so a reader who
 * goes on from a list with the events after it knows every session. While the queue is long the answer waits.
 *
 * Lists of any length take fixed memory: the lines are made as the socket takes them, from a view of the directory.
 * Of further lists SESSION_LIST_WAITING_MAX - 1 may wait.
 */
#ifndef DELIVERY_SESSION_LIST_H
#define DELIVERY_SESSION_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delivery/answer_ndjson.h"
#include "delivery/byte_fifo.h"
#include "delivery/directory.h"
#include "delivery/event_queue.h"

#define SESSION_LIST_WAITING_MAX 16u

/* What lists are made from; belongs to the backend. */
struct session_list_source {
    struct directory *directory;
    const struct event_queue *queue;
    struct event_ndjson *encoder;
    uint32_t backend; /* its bit */
};

struct session_list {
    struct answer_ref refs[SESSION_LIST_WAITING_MAX]; /* a ring; the first is the one that is answered */
    size_t first;
    size_t count;
    struct directory_view view; /* open while count > 0 */
    uint64_t position;          /* of the queue's arrivals when the view was opened */
    uint64_t listed;
};

enum session_list_verdict {
    SESSION_LIST_DONE, /* nothing waits, or events come first */
    SESSION_LIST_MORE, /* call again when the answers have gone out */
    SESSION_LIST_SHORT_OF_MEMORY,
};

void session_list_open(struct session_list *list);
void session_list_close(struct session_list *list, const struct session_list_source *source);

/* False: too many wait. */
bool session_list_ask(struct session_list *list, const struct session_list_source *source, const struct answer_ref *ref)
    __attribute__((warn_unused_result));

/* Whether the event that the queue would hand out next has to wait for a list. */
bool session_list_goes_first(const struct session_list *list, const struct session_list_source *source);

/* Writes some lines. Only while no event that has left the queue is unsent. */
enum session_list_verdict session_list_write(struct session_list *list, const struct session_list_source *source,
                                             struct byte_fifo *answers) __attribute__((warn_unused_result));

#endif
