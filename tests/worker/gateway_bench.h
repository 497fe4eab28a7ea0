#ifndef TESTS_WORKER_GATEWAY_BENCH_H
#define TESTS_WORKER_GATEWAY_BENCH_H

/* A worker with its shard on a loop, devices with sockets before it, and in the place of the hub a list of what came
 * out. Included after cmocka.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "admission/admission.h"
#include "config/config.h"
#include "platform/inherited_sockets.h"
#include "registry/registry.h"
#include "worker/socket_device.h"
#include "worker/worker.h"

#define ID "de:ad:be:ef:00:01"
#define OTHER_ID "de:ad:be:ef:00:02"
#define PSK "a long secret that nobody guesses"
#define DEVICES "devices: {'" ID "': {psk: '" PSK "'}, '" OTHER_ID "': {psk: '" PSK "'}}\n"
#define PLENTY (UINT64_C(1) << 40)

#define GATEWAY_EVENTS_MAX 256
#define GATEWAY_DEVICES_MAX 8

struct gateway_event {
    struct seam_event event;
    uint8_t payload[32]; /* how it begins */
};

struct gateway_bench {
    uv_loop_t loop;
    struct worker *worker;
    struct config *config;
    struct registry *registry;
    struct admission *admission;
    struct inherited_sockets inherited;
    uint16_t tcp_port;
    uint16_t udp_port;
    size_t deliveries;
    size_t event_count;
    struct gateway_event events[GATEWAY_EVENTS_MAX];
    size_t finished_count;
    enum seam_outcome outcomes[GATEWAY_EVENTS_MAX]; /* in the order in which commands came back */
    uint64_t credit_a_delivery;                     /* given for each delivery that brings an event */
    size_t drained;
    struct socket_device devices[GATEWAY_DEVICES_MAX];
    size_t device_count;
};

extern struct gateway_bench gateway;

/* With sockets of its own on loopback, in the way of socket activation; config is YAML or NULL. */
void gateway_open(const char *config);
/* What is open closes, whatever state it is in. For cmocka. */
int gateway_close(void **state);
int gateway_start_crypto(void **state);

/* The options of worker_open(). */
struct worker_options gateway_options(void);
/* Reads YAML texts; opens admission. */
void gateway_load(const char *config);
void gateway_serve(void);

struct socket_device *gateway_device(enum usmp_transport transport, unsigned wire, const char *id);
/* One that has its session, and whose `connected` has come. */
struct socket_device *gateway_connected(enum usmp_transport transport, unsigned wire, const char *id);

/* A turn of the loop and of every device, without waiting. */
void gateway_turn(void);
/* Turns until it holds; a test that waits in vain fails. */
void gateway_run_until(bool (*holds)(const void *context), const void *context);
/* Turns until so many events have come. */
void gateway_await_events(size_t count);
void gateway_await_finished(size_t count);

void gateway_give_credit(uint64_t bytes);
/* Freed when it comes back. `text` lives as long. */
void gateway_command(enum seam_operation operation, const char *id, const char *text);

void gateway_expect_event(size_t index, enum seam_event_kind kind, const char *text);
void gateway_expect_end(size_t index, enum seam_reason reason);

#endif
