#define _GNU_SOURCE
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/start.h>

#include "gateway/world.h"
#include "platform/clock.h"
#include "platform/log.h"
#include "registry/load.h"
#include "worker/gateway_bench.h"
#include "worker/tcp_client.h"

#define PATIENCE UINT64_C(30000000) /* microseconds: longer than anything that a test waits for */

struct gateway_bench gateway;

static void no_log(void *context, const struct log_record *record)
{
    (void)context;
    (void)record;
}

int gateway_start_crypto(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    log_divert(no_log, NULL);
    return usmp_start() == NULL ? 0 : -1;
}

static void keep_event(void *context, const struct seam_event *event, const uint8_t *payload)
{
    (void)context;
    assert_true(gateway.event_count < GATEWAY_EVENTS_MAX);
    struct gateway_event *kept = &gateway.events[gateway.event_count++];
    kept->event = *event;
    if (event->size > 0)
        memcpy(kept->payload, payload, event->size < 31 ? event->size : 31);
}

static void deliver(void *context, struct seam_outbox *outbox)
{
    (void)context;
    gateway.deliveries++;
    if (outbox->first != NULL && gateway.credit_a_delivery > 0)
        gateway_give_credit(gateway.credit_a_delivery);
    seam_outbox_drain(outbox, keep_event, NULL);
    struct seam_command *command = seam_outbox_take_finished(outbox);
    while (command != NULL) {
        struct seam_command *next = command->next;
        assert_true(gateway.finished_count < GATEWAY_EVENTS_MAX);
        gateway.outcomes[gateway.finished_count++] = command->outcome;
        free(command);
        command = next;
    }
}

struct worker_options gateway_options(void)
{
    return (struct worker_options){.loop = &gateway.loop,
                                   .config = gateway.config,
                                   .registry = gateway.registry,
                                   .admission = gateway.admission,
                                   .inherited = &gateway.inherited,
                                   .deliver = deliver};
}

static void inherit(int type, enum inherited_socket_transport transport)
{
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int descriptor = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&loopback, sizeof loopback), 0);
    if (transport == INHERITED_SOCKET_TCP)
        assert_int_equal(listen(descriptor, 64), 0);
    gateway.inherited.sockets[gateway.inherited.count++] =
        (struct inherited_socket){.descriptor = descriptor, .transport = transport, .family = AF_INET};
    *(transport == INHERITED_SOCKET_TCP ? &gateway.tcp_port : &gateway.udp_port) = tcp_local_port(descriptor);
}

void gateway_load(const char *config)
{
    memset(&gateway, 0, sizeof gateway);
    assert_int_equal(uv_loop_init(&gateway.loop), 0);
    gateway.config = world_load(config, DEVICES, &gateway.registry);
    assert_non_null(gateway.config);
    struct admission_limits limits = {.sessions = 100,
                                      .default_psk_sessions = 100,
                                      .handshakes = 100,
                                      .handshakes_per_address = 100,
                                      .lockout_after = 5,
                                      .lockout = 60000000};
    gateway.admission = admission_open(&limits, (const uint8_t[16]){1});
    assert_non_null(gateway.admission);
}

void gateway_serve(void)
{
    struct error_text error;
    struct worker_options options = gateway_options();
    gateway.worker = worker_open(&options, &error);
    assert_non_null(gateway.worker);
    assert_int_equal(worker_start(gateway.worker), 0);
}

void gateway_open(const char *config)
{
    gateway_load(config);
    inherit(SOCK_STREAM, INHERITED_SOCKET_TCP);
    inherit(SOCK_DGRAM, INHERITED_SOCKET_UDP);
    gateway_serve();
    gateway_give_credit(PLENTY);
}

int gateway_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < gateway.device_count; i++)
        socket_device_end(&gateway.devices[i]);
    if (gateway.worker != NULL) {
        worker_close(gateway.worker);
        (void)uv_run(&gateway.loop, UV_RUN_NOWAIT);
        worker_free(gateway.worker);
    }
    admission_close(gateway.admission);
    registry_release(gateway.registry);
    config_free(gateway.config);
    inherited_sockets_close(&gateway.inherited);
    return uv_loop_close(&gateway.loop);
}

struct socket_device *gateway_device(enum usmp_transport transport, unsigned wire, const char *id)
{
    assert_true(gateway.device_count < GATEWAY_DEVICES_MAX);
    struct socket_device *device = &gateway.devices[gateway.device_count++];
    uint16_t port = transport == USMP_TCP ? gateway.tcp_port : gateway.udp_port;
    socket_device_begin(device, transport, wire, id, PSK, "127.0.0.1", port);
    return device;
}

static bool is_connected(const void *context)
{
    return socket_device_is_connected(context);
}

struct socket_device *gateway_connected(enum usmp_transport transport, unsigned wire, const char *id)
{
    size_t before = gateway.event_count;
    struct socket_device *device = gateway_device(transport, wire, id);
    gateway_run_until(is_connected, device);
    gateway_await_events(before + 1);
    gateway_turn(); /* its UTACK for SESSION_OK */
    gateway_expect_event(gateway.event_count - 1, SEAM_CONNECTED, "");
    return device;
}

void gateway_turn(void)
{
    (void)uv_run(&gateway.loop, UV_RUN_NOWAIT);
    for (size_t i = 0; i < gateway.device_count; i++)
        socket_device_turn(&gateway.devices[i]);
}

void gateway_run_until(bool (*holds)(const void *context), const void *context)
{
    uint64_t give_up = clock_monotonic_us() + PATIENCE;
    while (!holds(context)) {
        assert_true(clock_monotonic_us() < give_up);
        gateway_turn();
    }
}

static bool has_events(const void *count)
{
    return gateway.event_count >= *(const size_t *)count;
}

void gateway_await_events(size_t count)
{
    gateway_run_until(has_events, &count);
}

static bool has_finished(const void *count)
{
    return gateway.finished_count >= *(const size_t *)count;
}

void gateway_await_finished(size_t count)
{
    gateway_run_until(has_finished, &count);
}

void gateway_give_credit(uint64_t bytes)
{
    seam_inbox_give_credit(worker_inbox(gateway.worker), 0, bytes);
}

void gateway_command(enum seam_operation operation, const char *id, const char *text)
{
    struct seam_command *command = calloc(1, sizeof *command);
    assert_non_null(command);
    command->operation = operation;
    command->deadline = clock_monotonic_us() + 2 * PATIENCE;
    command->payload = (const uint8_t *)text;
    command->size = (uint16_t)strlen(text);
    assert_int_equal(sscanf(id, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &command->device[0], &command->device[1],
                            &command->device[2], &command->device[3], &command->device[4], &command->device[5]),
                     6);
    seam_inbox_command(worker_inbox(gateway.worker), command);
}

void gateway_expect_event(size_t index, enum seam_event_kind kind, const char *text)
{
    assert_true(index < gateway.event_count);
    const struct gateway_event *event = &gateway.events[index];
    assert_int_equal(event->event.kind, kind);
    assert_int_equal(event->event.size, strlen(text));
    assert_memory_equal(event->payload, text, strlen(text));
}

void gateway_expect_end(size_t index, enum seam_reason reason)
{
    gateway_expect_event(index, SEAM_DISCONNECTED, "");
    assert_int_equal(gateway.events[index].event.reason, reason);
}
