/* The hub: what shards accepted goes to backends, what backends ask for goes to shards (docs/design.md).
 *
 * A guest on a libuv loop; every function is called on that loop's thread. A worker is known to it by its inbox
 * (seam/inbox.h), through which commands and credit go; the worker hands its outbox over at the end of each turn.
 * With several workers on threads of their own, their outboxes come over a bounded queue and hub_receive() is called
 * here; nothing else changes.
 *
 * For each backend (docs/backend.md): a Unix socket with one connection at a time, a queue in memory bounded by
 * `queue`, lines of JSON. Delivery is `live`: an event is done with when the kernel has all of its line.
 *
 * Bounds, for each backend: its queue; 64 KiB of encoded lines; HUB_COMMANDS_MAX commands and HUB_COMMAND_BYTES_MAX
 * bytes of them under way, and with a `ttl` HUB_TTL_COMMANDS_MAX and HUB_TTL_COMMAND_BYTES_MAX under way or waiting,
 * HUB_DEVICE_COMMANDS_MAX of both for one device (over it: `busy`); answers to those, beyond which no commands are read
 * until the answers have been; 16 lists in waiting.
 */
#ifndef DELIVERY_HUB_H
#define DELIVERY_HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "config/config.h"
#include "platform/error_text.h"
#include "seam/inbox.h"
#include "seam/outbox.h"

#define HUB_COMMANDS_MAX 4096u
#define HUB_COMMAND_BYTES_MAX (8u << 20)
#define HUB_TTL_COMMANDS_MAX 16384u /* those with a ttl, wherever they are */
#define HUB_TTL_COMMAND_BYTES_MAX (16u << 20)
#define HUB_DEVICE_COMMANDS_MAX 1024u
#define HUB_COMMAND_DEADLINE UINT64_C(30000000) /* microseconds */

struct hub;

struct hub_settings {
    const struct config_backends *backends; /* lives as long as the hub */
    unsigned workers;                       /* how many inboxes will be attached; at least 1 */
    const char *version;                    /* of usmpd, for the greeting; lives as long as the hub */
};

/* Makes the sockets and listens; changes the umask for a moment, so it comes before there are threads. NULL with
 * `error` set. In either case libuv has handles of it that close on the loop: see hub_close(). */
struct hub *hub_open(uv_loop_t *loop, const struct hub_settings *settings, struct error_text *error)
    __attribute__((warn_unused_result));

/* A worker is there: its inbox gets the credit for the free queues at once. `inbox` lives until hub_close(); its
 * `wake` must not call the hub. */
void hub_attach(struct hub *hub, struct seam_inbox *inbox);

/* The end of a worker's turn: takes all events and finished commands of the outbox, and writes to the backends what
 * their sockets take. `inbox` says whose they are. */
void hub_receive(struct hub *hub, const struct seam_inbox *inbox, struct seam_outbox *outbox);

enum hub_drain_verdict {
    HUB_DRAINED,  /* nothing to wait for */
    HUB_DRAINING, /* `drained` will be called once */
};

/* The shards have ended and their last outboxes are received: no backend connects any more, no command is read, what
 * waits for a device ends as expired, and what is queued goes to the backends that are connected, as far as they
 * take it. What is queued for one that is not connected is lost, and hub_close() logs how much. Whoever cannot wait
 * any longer calls hub_close(). */
enum hub_drain_verdict hub_drain(struct hub *hub, void (*drained)(void *context), void *context)
    __attribute__((warn_unused_result));

/* Closes everything and removes the sockets. The memory goes when the loop has run the closing callbacks, so it is run
 * once more. Shards have handed back all commands or are gone: those still under way are freed. */
void hub_close(struct hub *hub);

/* For metrics and the status line; of the loop's thread, valid until hub_close(). */
struct hub_counters {
    bool connected;
    uint64_t queue_messages;
    uint64_t queue_bytes; /* as `queue` counts */
    uint64_t written;     /* events since the start, without `lost` */
    uint64_t lost;        /* since the start: what `lost` events tell of */
    uint32_t commands;    /* under way or waiting */
};

size_t hub_backend_count(const struct hub *hub);
const char *hub_backend_name(const struct hub *hub, size_t backend);
const struct hub_counters *hub_backend_counters(const struct hub *hub, size_t backend);

#endif
