/* What a connection writes: its answers, and between whole lines of them the backend's events, one flat write for up
 * to 64 events. Answers go first, lists have their place among the events (delivery/session_list.h).
 */
#ifndef DELIVERY_CONNECTION_OUTPUT_H
#define DELIVERY_CONNECTION_OUTPUT_H

struct connection;

enum connection_output_verdict {
    CONNECTION_OUTPUT_DONE,    /* everything is written */
    CONNECTION_OUTPUT_BLOCKED, /* the socket takes no more */
    CONNECTION_OUTPUT_MORE,    /* `writes` are used up */
    CONNECTION_OUTPUT_GONE,    /* nothing can be written any more */
};

/* `writes` is how many it may make and becomes what is left of that. */
enum connection_output_verdict connection_output_write(struct connection *connection, unsigned *writes)
    __attribute__((warn_unused_result));

#endif
