/* A hub on a real loop, with a worker that is played by the test and backends that connect to real sockets.
 *
 * The worker keeps to the contract of seam/: it accepts nothing without credit. Everything runs in one thread, so what
 * one side has written the other can read after the loop has turned; nothing waits for time to pass.
 */
#ifndef TESTS_DELIVERY_HUB_FIXTURE_H
#define TESTS_DELIVERY_HUB_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <uv.h>

#include "config/config.h"
#include "delivery/hub.h"
#include "seam/inbox.h"
#include "seam/outbox.h"

#define FIXTURE_BACKENDS 2u
#define FIXTURE_CLIENT_BUFFER (4u << 20)
#define FIXTURE_LOG_MAX 1000u

struct hub_fixture {
    uv_loop_t loop;
    struct hub *hub;
    struct seam_inbox inbox;
    struct seam_outbox outbox;
    struct seam_credit credit;
    struct seam_denied denied;
    struct seam_command *commands; /* that came and are not finished yet, oldest first */
    unsigned wakes;
    char folder[64];
    char paths[FIXTURE_BACKENDS][96];
    struct config_pattern patterns[FIXTURE_BACKENDS];
    struct config_backend items[FIXTURE_BACKENDS];
    struct config_backends backends;
    size_t logged;
    char log[FIXTURE_LOG_MAX][64]; /* the beginnings of what was logged */
};

/* One backend "default" for every device (block, 64 KiB), opened; a second, "pumps" for de:ad:*, if asked for.
 * `prepare` may change the configuration before the hub opens. */
void fixture_open(struct hub_fixture *fixture, size_t backends, void (*prepare)(struct hub_fixture *fixture));
void fixture_close(struct hub_fixture *fixture);

/* The same, step by step: for tests that open the hub themselves. */
void fixture_prepare(struct hub_fixture *fixture, size_t backends);
void fixture_remove(struct hub_fixture *fixture);

/* Turns the loop until nothing happens any more; the worker takes what has come for it; the books are checked. */
void fixture_turn(struct hub_fixture *fixture);

/* How many messages that begin so were logged. */
size_t fixture_logged(const struct hub_fixture *fixture, const char *beginning);

/* The worker: device n is de:ad:be:ef:00:n. Each takes credit; false: there is none, or the
 * device gets none for its messages, and nothing happened. The event goes to
 * the hub at once. */
bool worker_connected(struct hub_fixture *fixture, uint8_t device, uint8_t session);
bool worker_message(struct hub_fixture *fixture, uint8_t device, uint8_t session, const void *payload, size_t size);
void worker_disconnected(struct hub_fixture *fixture, uint8_t device, uint8_t session, enum seam_reason reason);

/* Puts an event into the outbox only; worker_turn() hands it over. */
bool worker_append(struct hub_fixture *fixture, const struct seam_event *event, const void *payload);
void worker_turn(struct hub_fixture *fixture);

/* Which backends a device's events go to. */
uint32_t worker_backends_of(const struct hub_fixture *fixture, uint8_t device);

/* The oldest command that came; NULL if there is none. The worker hands it back with an outcome. */
struct seam_command *worker_command(struct hub_fixture *fixture);
void worker_finish(struct hub_fixture *fixture, enum seam_outcome outcome);

/* A backend. */
struct client {
    int descriptor;
    bool ended; /* end of file or an error was read */
    size_t start;
    size_t end;
    char *buffer;
};

void client_connect(struct hub_fixture *fixture, struct client *client, size_t backend);
void client_close(struct client *client);
void client_write(struct hub_fixture *fixture, struct client *client, const char *text);

/* Reads what is there, without turning the loop; at most `size` bytes. Returns how many came. */
size_t client_read(struct client *client, size_t size);

/* The next whole line without its LF, NULL if there is none. Valid until the next call. */
char *client_line(struct hub_fixture *fixture, struct client *client);

/* The next line, which has to be there, as an object of this type; the caller gives it back to json_decref(). */
json_t *client_object(struct hub_fixture *fixture, struct client *client, const char *type);

/* Steps over the greeting. */
void client_skip_hello(struct hub_fixture *fixture, struct client *client);

/* The next line is exactly this; there is none; the hub has closed the connection. */
void client_expect(struct hub_fixture *fixture, struct client *client, const char *line);
void client_expect_nothing(struct hub_fixture *fixture, struct client *client);
void client_expect_end(struct hub_fixture *fixture, struct client *client);

/* An `error` line with this code and this ref (NULL: none). */
void client_expect_error(struct hub_fixture *fixture, struct client *client, const char *ref, const char *code);

/* An event with this id, of this type and device; for a message also its text. */
void client_expect_event(struct hub_fixture *fixture, struct client *client, const char *type, json_int_t id,
                         uint8_t device, const char *text);

#endif
