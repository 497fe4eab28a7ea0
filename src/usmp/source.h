/* Where the messages come from that go up. */
#ifndef USMP_SOURCE_H
#define USMP_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include <usmp/wire.h>

struct source_message {
    uint8_t bytes[USMP_MESSAGE_MAX];
    size_t size;
};

enum source_verdict {
    SOURCE_MESSAGE, /* `message` is set */
    SOURCE_WAIT,    /* there may be one when `descriptor` has become readable and source_read() has been called */
    SOURCE_REFUSED, /* one could not be made a message and is left out; why has been said on standard error */
    SOURCE_END,     /* there are no more */
    SOURCE_FAILED,  /* reading failed, which has been said on standard error; there are no more */
};

/* The first member of every source. */
struct source {
    enum source_verdict (*next)(struct source *source, struct source_message *message);
    void (*read)(struct source *source); /* NULL where `next` never says SOURCE_WAIT */
    int descriptor;
};

#endif
