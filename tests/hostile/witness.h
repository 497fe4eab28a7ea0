/* Who looks on and says what must never happen, at the moment it happens.
 *
 *   sessions   every session belongs to a handshake that a device with an accepted key began; `connected` once and first,
 *              `disconnected` once and last, one session a device at a time; after a reload none under a key that is not
 *              accepted any more
 *   messages   what a device says is told once, in order, none left out, nothing else; nothing is acknowledged that was
 *              not told
 *   traffic    to an address that nothing proves, never more than 4.7 times what came from there, and no more than
 *              200 CHALLENGEs of wire 2 a second to all of them (docs/security.md rules 10, 11); nothing encrypted to a
 *              wire 1 device that may not be sent to (rule 21); no nonce twice
 *   lockouts   no host whose inhabitants do nothing wrong is ever locked out (rules 10, 13 to 15)
 *   bounds     tables within their limits, credit conserved, memory within what the tables account for
 *
 * Ends are told to the witness when they are made. What he finds he says on standard error and ends the process.
 */
#ifndef TESTS_HOSTILE_WITNESS_H
#define TESTS_HOSTILE_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/world.h"
#include "hostile/host.h"
#include "hostile/key_map.h"
#include "hostile/memory_watch.h"
#include "hostile/regime.h"

#define WITNESS_NOBODY UINT32_MAX
#define WITNESS_NONCES 64u

struct story;

/* One life of a device, from its reset to the next; its public key is its own. */
struct witnessed_end {
    uint64_t public_key; /* hashed */
    unsigned device;
    unsigned generation;
    unsigned wire;
    enum usmp_transport transport;
    bool honest;
    bool may_skip; /* it gave up a message and goes on: what it says next may be taken for a copy of that */
    struct simulated_device *device_end; /* NULL once it is gone */
    uint64_t first_message;              /* the number of the first message that it may say */
    uint64_t told;                       /* how many of them were told */
};

enum witnessed_state {
    WITNESSED_BEGUN, /* its SESSION_OK left */
    WITNESSED_CONNECTED,
    WITNESSED_DISCONNECTED,
};

struct witnessed_nonce {
    uint32_t seq;
    uint64_t frame; /* hashed; 0: none yet */
};

struct witnessed_session {
    uint8_t id[USMP_SESSION_ID_SIZE];
    uint32_t end; /* index */
    enum witnessed_state state;
    bool may_send;
    struct witnessed_nonce sent[WITNESS_NONCES]; /* over UDP, by seq */
};

/* What went where over UDP, by address and port. */
struct witnessed_address {
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t challenge; /* the last that was sent there, hashed */
    uint64_t cookie;    /* the last that was sent there, hashed */
    uint64_t shown;     /* when a cookie of ours came back, 0: never */
    bool proved;        /* a cookie of ours came back, or it has or had a session */
};

struct witness {
    struct story *story;
    struct world_watch watch;
    struct witnessed_end *ends;
    size_t end_count;
    size_t end_capacity;
    struct key_map ends_by_key;
    struct witnessed_session *sessions;
    size_t session_count;
    size_t session_capacity;
    struct key_map sessions_by_id; /* the part that nonces have */
    struct witnessed_address *addresses;
    size_t address_count;
    size_t address_capacity;
    struct key_map addresses_by_path;
    uint32_t live[REGIME_DEVICES]; /* sessions, WITNESS_NOBODY for none */
    size_t live_count;
    unsigned replaced; /* the device whose session the last event told to be replaced; REGIME_DEVICES: it did not */
    bool guilty[HOST_MAX + 16]; /* hosts whose inhabitants do what a lockout is for, or may seem to */
    uint64_t locked_out;        /* so far, of handshakes */
    uint64_t challenges_due;    /* when the budget of CHALLENGEs to addresses that nothing proves is full again */
    struct memory_use base;     /* what the shard had before anybody came, and what a reload added for its limits */
    size_t things_most;         /* sessions, handshakes, connections, at most so far */
    uint64_t messages;          /* told, of honest devices */
    uint64_t checks;            /* how often the shard was looked at */
};

void witness_open(struct witness *witness, struct story *story);
void witness_close(struct witness *witness);

/* An end that has just begun its handshake. Wire and transport are taken from `end`. Returns its index. */
uint32_t witness_end(struct witness *witness, struct simulated_device *end, const struct witnessed_end *about);
void witness_end_may_skip(struct witness *witness, uint32_t end);
void witness_end_is_gone(struct witness *witness, uint32_t end);

/* Right after a reload; `before`: what was in use before it. */
void witness_reloaded(struct witness *witness, struct memory_use before);

/* Whether a device has a live session, as far as backends know. */
bool witness_is_connected(const struct witness *witness, unsigned device);

/* The parts: what is told (witness_events.c), what leaves (witness_traffic.c), what the shard holds
 * (witness_tables.c). */
void witness_tells(void *context, const struct seam_event *event, const uint8_t *payload);
void witness_arrives(void *context, const struct packet *packet);
void witness_leaves(void *context, const struct shard_path *path, const uint8_t *bytes, size_t size);
void witness_writes(void *context, const struct simulated_device *device, const uint8_t *bytes, size_t size);
void witness_looks_at_tables(struct witness *witness);

/* A session of which backends have heard or will hear; NULL: never seen. */
struct witnessed_session *witness_session(const struct witness *witness, const uint8_t *id);

/* Tells what was found, with the trace, and ends the process. */
void witness_objects(const struct witness *witness, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

#define WITNESS_REQUIRE(witness, condition, ...)                                                                       \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            witness_objects(witness, __VA_ARGS__);                                                                     \
    } while (0)

#endif
