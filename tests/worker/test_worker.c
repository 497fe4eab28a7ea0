#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/shard_internal.h"
#include "gateway/world.h"
#include "platform/address_text.h"
#include "worker/gateway_bench.h"
#include "worker/tcp_client.h"
#include "worker/udp_client.h"
#include "worker/worker_internal.h"

static int poll_start_error;
static unsigned shards_refused;

int __real_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb callback);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb callback);
int __wrap_uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb callback)
{
    return poll_start_error != 0 ? poll_start_error : __real_uv_poll_start(poll, events, callback);
}

struct shard *__real_shard_open(const struct shard_options *options, struct shard_time now);
struct shard *__wrap_shard_open(const struct shard_options *options, struct shard_time now);
struct shard *__wrap_shard_open(const struct shard_options *options, struct shard_time now)
{
    if (shards_refused == 0)
        return __real_shard_open(options, now);
    shards_refused--;
    return NULL;
}

static void test_messages_go_up_over_both_transports_and_wires(void **state)
{
    (void)state;
    gateway_open(NULL);
    size_t events = 0;
    for (unsigned wire = 1; wire <= 2; wire++) {
        static const enum usmp_transport transports[] = {USMP_TCP, USMP_UDP};
        for (size_t i = 0; i < 2; i++) {
            struct socket_device *device = gateway_connected(transports[i], wire, ID);
            events = gateway.event_count;
            socket_device_send(device, "up", 2);
            gateway_await_events(events + 1);
            gateway_expect_event(events, SEAM_MESSAGE, "up");
            device->silent = true; /* the next one replaces it */
        }
    }
    assert_int_equal(worker_status(gateway.worker).sessions, 1);
}

static bool has_received(const void *device)
{
    return ((const struct socket_device *)device)->received > 0;
}

static void test_commands_go_down_and_come_back_once(void **state)
{
    (void)state;
    gateway_open(NULL);
    struct socket_device *tcp = gateway_connected(USMP_TCP, 2, ID);
    struct socket_device *udp = gateway_connected(USMP_UDP, 2, OTHER_ID);
    gateway_command(SEAM_SEND, ID, "over tcp");
    gateway_command(SEAM_SEND, OTHER_ID, "over udp");
    gateway_command(SEAM_SEND, "de:ad:be:ef:00:99", "to nobody");
    gateway_turn();
    gateway_run_until(has_received, tcp);
    gateway_run_until(has_received, udp);
    gateway_await_finished(3);
    assert_string_equal((char *)tcp->texts[0], "over tcp");
    assert_string_equal((char *)udp->texts[0], "over udp");
    assert_int_equal(gateway.outcomes[0], SEAM_SENT_BY_SOCKET);
    assert_int_equal(gateway.outcomes[1], SEAM_NOT_CONNECTED);
    assert_int_equal(gateway.outcomes[2], SEAM_SENT_BY_DEVICE);
    gateway_command(SEAM_CLOSE, ID, "");
    gateway_await_finished(4);
    assert_int_equal(gateway.outcomes[3], SEAM_CLOSE_DONE);
    gateway_expect_end(2, SEAM_CLOSED);
    for (int i = 0; i < 3; i++)
        gateway_turn();
    assert_int_equal(gateway.finished_count, 4);
    assert_int_equal(gateway.event_count, 3);
}

/* Everything in the inbox is done, and what came of it delivered, before the loop would sleep. */
static void test_a_turn_leaves_nothing_for_the_next(void **state)
{
    (void)state;
    gateway_open(NULL);
    for (int i = 0; i < 10; i++)
        gateway_command(SEAM_SEND, ID, "nobody is there");
    size_t deliveries = gateway.deliveries;
    (void)uv_run(&gateway.loop, UV_RUN_NOWAIT);
    assert_int_equal(gateway.finished_count, 10);
    assert_int_equal(gateway.deliveries, deliveries + 1);
    (void)uv_run(&gateway.loop, UV_RUN_NOWAIT);
    assert_int_equal(gateway.deliveries, deliveries + 1);
}

static bool wants_key_pairs(void)
{
    return gateway.worker->shard->key_pairs.wanted > 0;
}

static void test_used_key_pairs_are_made_anew_in_idle_time(void **state)
{
    (void)state;
    gateway_open(NULL);
    (void)gateway_connected(USMP_TCP, 2, ID);
    (void)gateway_connected(USMP_UDP, 2, OTHER_ID);
    while (wants_key_pairs()) {
        assert_int_equal(uv_backend_timeout(&gateway.loop), 0); /* it does not sleep meanwhile */
        gateway_turn();
    }
    assert_true(gateway.worker->shard->key_pairs.count > 0);
    gateway_turn();
    assert_int_not_equal(uv_backend_timeout(&gateway.loop), 0);
    assert_false(uv_is_active((uv_handle_t *)&gateway.worker->idle));
}

static void settle(void)
{
    while (uv_backend_timeout(&gateway.loop) == 0)
        gateway_turn();
}

/* Without sessions there is no deadline and no timer. */
static void test_idle_costs_no_turns(void **state)
{
    (void)state;
    gateway_open("session_timeout: 200ms");
    gateway_turn();
    assert_int_equal(uv_backend_timeout(&gateway.loop), -1);
    (void)gateway_connected(USMP_TCP, 2, ID);
    settle();
    assert_true(uv_backend_timeout(&gateway.loop) > 0);
    size_t turns = 0;
    while (gateway.event_count < 2) {
        (void)uv_run(&gateway.loop, UV_RUN_ONCE);
        turns++;
    }
    gateway_expect_end(1, SEAM_TIMEOUT);
    assert_in_range(turns, 1, 4); /* not a turn for each millisecond until then */
}

static void test_a_deadline_is_not_kept_too_early(void **state)
{
    (void)state;
    gateway_open("session_timeout: 100ms");
    for (int i = 0; i < 5; i++) {
        size_t events = gateway.event_count;
        struct socket_device *device = gateway_connected(USMP_TCP, 2, ID);
        const struct session *session = gateway.worker->shard->newest_session;
        uint64_t due = session->last_activity + session->timeout;
        while (gateway.event_count < events + 2)
            (void)uv_run(&gateway.loop, UV_RUN_ONCE);
        assert_true(gateway.worker->now.monotonic >= due);
        device->silent = true;
    }
}

/* The gateway finds all of it in one piece. */
static void send_at_once(struct socket_device *device, size_t count, const char *const texts[static 10])
{
    int cork = 1;
    assert_int_equal(setsockopt(device->descriptor, IPPROTO_TCP, TCP_CORK, &cork, sizeof cork), 0);
    for (size_t i = 0; i < count; i++)
        socket_device_send(device, texts[i % 10], 1);
    cork = 0;
    assert_int_equal(setsockopt(device->descriptor, IPPROTO_TCP, TCP_CORK, &cork, sizeof cork), 0);
}

static const char *const texts[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

/* The hub gives credit for one message at a time, as it gets rid of them: all that was sent in one go comes out, in
 * order and once. */
static void test_credit_in_small_pieces_brings_everything_in_order(void **state)
{
    (void)state;
    gateway_open(NULL);
    struct socket_device *device = gateway_connected(USMP_TCP, 2, ID);
    gateway.worker->shard->credit = (struct seam_credit){0};
    send_at_once(device, 40, texts);
    for (int i = 0; i < 5; i++)
        gateway_turn();
    assert_int_equal(gateway.event_count, 1);
    gateway.credit_a_delivery = seam_event_cost(SEAM_PAYLOAD_MAX);
    gateway_give_credit(gateway.credit_a_delivery);
    gateway_await_events(41);
    for (size_t i = 0; i < 40; i++)
        gateway_expect_event(i + 1, SEAM_MESSAGE, texts[i % 10]);
    gateway_turn();
    assert_int_equal(gateway.event_count, 41);
}

/* With 8 messages for each, all would come out in one turn; between them the loop looks for other input. */
static void test_deliveries_of_one_turn_have_a_bound(void **state)
{
    (void)state;
    gateway_open(NULL);
    struct socket_device *device = gateway_connected(USMP_TCP, 2, ID);
    settle();
    gateway.worker->shard->credit = (struct seam_credit){0};
    send_at_once(device, 150, texts);
    gateway_turn();
    gateway.credit_a_delivery = 8 * seam_event_cost(1) + SEAM_PAYLOAD_MAX;
    gateway_give_credit(gateway.credit_a_delivery);
    size_t deliveries = gateway.deliveries;
    (void)uv_run(&gateway.loop, UV_RUN_NOWAIT);
    assert_int_equal(gateway.deliveries, deliveries + 8);
    assert_int_equal(uv_backend_timeout(&gateway.loop), 0);
    gateway_await_events(151);
}

static void test_a_registry_without_it_ends_a_session(void **state)
{
    (void)state;
    gateway_open(NULL);
    (void)gateway_connected(USMP_TCP, 2, ID);
    (void)gateway_connected(USMP_UDP, 2, OTHER_ID);
    struct registry *registry;
    struct config *config = world_load("{}", "devices: {'" ID "': {psk: '" PSK "'}}\n", &registry);
    worker_reload(gateway.worker, config, registry);
    gateway_await_events(3);
    gateway_expect_end(2, SEAM_REVOKED);
    assert_int_equal(gateway.events[2].event.device[5], 2);
    assert_int_equal(worker_status(gateway.worker).sessions, 1);
    registry_release(gateway.registry);
    config_free(gateway.config);
    gateway.registry = registry;
    gateway.config = config;
}

static void count_drained(void *context)
{
    assert_ptr_equal(context, &gateway);
    gateway.drained++;
}

static bool is_drained(const void *context)
{
    (void)context;
    return gateway.drained > 0;
}

static void test_a_drain_says_bye_to_everybody_and_is_told_once(void **state)
{
    (void)state;
    gateway_open(NULL);
    struct socket_device *tcp = gateway_connected(USMP_TCP, 2, ID);
    struct socket_device *udp = gateway_connected(USMP_UDP, 2, OTHER_ID);
    worker_drain(gateway.worker, count_drained, &gateway);
    (void)uv_run(&gateway.loop, UV_RUN_NOWAIT);
    assert_int_equal(gateway.drained, 0); /* the UDP device has not acknowledged yet */
    gateway_expect_end(2, SEAM_SHUTDOWN);
    gateway_expect_end(3, SEAM_SHUTDOWN);
    gateway_run_until(is_drained, NULL);
    assert_true(tcp->over && udp->over);
    assert_int_equal(tcp->end.session.end, USMP_END_BYE);
    assert_int_equal(udp->end.session.end, USMP_END_BYE);
    for (int i = 0; i < 5; i++)
        gateway_turn();
    assert_int_equal(gateway.drained, 1);
}

static void test_nobody_gets_in_during_a_drain(void **state)
{
    (void)state;
    gateway_open(NULL);
    worker_drain(gateway.worker, count_drained, &gateway);
    gateway_turn();
    assert_int_equal(gateway.drained, 1);
    (void)gateway_device(USMP_TCP, 2, ID);
    (void)gateway_device(USMP_UDP, 2, OTHER_ID);
    for (int i = 0; i < 20; i++)
        gateway_turn();
    assert_int_equal(gateway.event_count, 0);
    assert_int_equal(gateway.worker->connections.count, 0);
    assert_int_equal(shard_counters(gateway.worker->shard)->sessions[USMP_UDP][1], 0);
}

/* What the sanitizers say of it is the test: sessions, a half handshake, a paused connection, bytes in a queue,
 * commands in every state. */
static void test_it_closes_with_everything_under_way(void **state)
{
    (void)state;
    gateway_open(NULL);
    struct socket_device *tcp = gateway_connected(USMP_TCP, 2, ID);
    struct socket_device *udp = gateway_connected(USMP_UDP, 2, OTHER_ID);
    struct socket_device *half = gateway_device(USMP_TCP, 2, ID);
    half->silent = true;
    int piece = tcp_client_open("127.0.0.1", gateway.tcp_port);
    assert_int_equal(send(piece, "U", 1, 0), 1);
    gateway_turn();
    udp->silent = true;
    gateway.worker->shard->credit = (struct seam_credit){0};
    for (int i = 0; i < 50; i++)
        socket_device_send(tcp, "waits for credit", 16);
    gateway_command(SEAM_SEND, OTHER_ID, "on the wire");
    gateway_command(SEAM_SEND, OTHER_ID, "waits behind it");
    gateway_turn();
    assert_non_null(gateway.worker->shard->paused_first);
    assert_int_equal(gateway.finished_count, 0);
    gateway_command(SEAM_SEND, ID, "not taken yet");
    assert_int_equal(gateway_close(NULL), 0);
    assert_int_equal(gateway.finished_count, 3);
    assert_int_equal(gateway.outcomes[0], SEAM_UNCONFIRMED);
    assert_int_equal(gateway.outcomes[1], SEAM_NOT_CONNECTED);
    assert_int_equal(gateway.outcomes[2], SEAM_NOT_CONNECTED);
    assert_int_equal(close(piece), 0);
    gateway_open(NULL); /* for the teardown */
}

static uint16_t free_port(int type)
{
    struct address any;
    struct sockaddr_storage name;
    assert_true(address_parse("127.0.0.1:0", &any));
    socklen_t length = socket_address_export(&any, AF_INET, 0, &name);
    int descriptor = socket(AF_INET, type, 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&name, length), 0);
    uint16_t port = tcp_local_port(descriptor);
    assert_int_equal(close(descriptor), 0);
    return port;
}

static void load_listening_on(const char *tcp_host, uint16_t tcp_port, const char *udp_host, uint16_t udp_port)
{
    char config[200];
    snprintf(config, sizeof config, "listen: {tcp: ['%s:%u'], udp: ['%s:%u']}", tcp_host, tcp_port, udp_host, udp_port);
    gateway_load(config);
    gateway.tcp_port = tcp_port;
    gateway.udp_port = udp_port;
}

static void test_it_listens_where_the_configuration_says(void **state)
{
    (void)state;
    load_listening_on("127.0.0.1", free_port(SOCK_STREAM), "0.0.0.0", free_port(SOCK_DGRAM));
    gateway_serve();
    gateway_give_credit(PLENTY);
    (void)gateway_connected(USMP_TCP, 2, ID);
    (void)gateway_connected(USMP_UDP, 2, OTHER_ID);
}

static void test_inherited_sockets_take_the_place_of_one_transport_only(void **state)
{
    (void)state;
    uint16_t configured = free_port(SOCK_STREAM);
    load_listening_on("127.0.0.1", configured, "127.0.0.1", free_port(SOCK_DGRAM));
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(descriptor, (struct sockaddr *)&loopback, sizeof loopback), 0);
    assert_int_equal(listen(descriptor, 4), 0);
    gateway.tcp_port = tcp_local_port(descriptor);
    gateway.inherited = (struct inherited_sockets){
        .count = 1, .sockets = {{.descriptor = descriptor, .transport = INHERITED_SOCKET_TCP, .family = AF_INET}}};
    gateway_serve();
    assert_int_equal(gateway.inherited.sockets[0].descriptor, -1);
    gateway_give_credit(PLENTY);
    (void)gateway_connected(USMP_TCP, 2, ID);
    (void)gateway_connected(USMP_UDP, 2, OTHER_ID);
    loopback.sin_port = htons(configured);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&loopback, sizeof loopback), -1);
    assert_int_equal(close(client), 0);
}

static void expect_no_worker(const char *reason)
{
    struct error_text error = {.text = ""};
    struct worker_options options = gateway_options();
    assert_null(worker_open(&options, &error));
    assert_non_null(strstr(error.text, reason));
    assert_false(uv_loop_alive(&gateway.loop));
}

static void test_an_address_in_use_is_named(void **state)
{
    (void)state;
    gateway_open(NULL);
    uint16_t tcp_port = gateway.tcp_port;
    uint16_t udp_port = gateway.udp_port;
    struct gateway_bench first = gateway;
    char expected[100];

    load_listening_on("127.0.0.1", tcp_port, "127.0.0.1", free_port(SOCK_DGRAM));
    snprintf(expected, sizeof expected, "cannot listen on TCP 127.0.0.1:%u: Address already in use", tcp_port);
    expect_no_worker(expected);
    assert_int_equal(gateway_close(NULL), 0);

    load_listening_on("127.0.0.1", free_port(SOCK_STREAM), "127.0.0.1", udp_port);
    snprintf(expected, sizeof expected, "cannot listen on UDP 127.0.0.1:%u: Address already in use", udp_port);
    expect_no_worker(expected);
    assert_int_equal(gateway_close(NULL), 0);
    gateway = first;
}

static void test_without_memory_for_the_shard_nothing_is_open(void **state)
{
    (void)state;
    load_listening_on("127.0.0.1", free_port(SOCK_STREAM), "127.0.0.1", free_port(SOCK_DGRAM));
    shards_refused = 1;
    expect_no_worker("out of memory");
    gateway_serve(); /* the addresses are free again */
}

static void test_a_start_that_fails_says_so(void **state)
{
    (void)state;
    struct error_text error;
    load_listening_on("127.0.0.1", free_port(SOCK_STREAM), "127.0.0.1", free_port(SOCK_DGRAM));
    struct worker_options options = gateway_options();
    gateway.worker = worker_open(&options, &error);
    assert_non_null(gateway.worker);
    poll_start_error = UV_EINVAL;
    assert_int_equal(worker_start(gateway.worker), UV_EINVAL);
    poll_start_error = 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, gateway_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_messages_go_up_over_both_transports_and_wires),
        TEST(test_commands_go_down_and_come_back_once),
        TEST(test_a_turn_leaves_nothing_for_the_next),
        TEST(test_used_key_pairs_are_made_anew_in_idle_time),
        TEST(test_idle_costs_no_turns),
        TEST(test_a_deadline_is_not_kept_too_early),
        TEST(test_credit_in_small_pieces_brings_everything_in_order),
        TEST(test_deliveries_of_one_turn_have_a_bound),
        TEST(test_a_registry_without_it_ends_a_session),
        TEST(test_a_drain_says_bye_to_everybody_and_is_told_once),
        TEST(test_nobody_gets_in_during_a_drain),
        TEST(test_it_closes_with_everything_under_way),
        TEST(test_it_listens_where_the_configuration_says),
        TEST(test_inherited_sockets_take_the_place_of_one_transport_only),
        TEST(test_an_address_in_use_is_named),
        TEST(test_without_memory_for_the_shard_nothing_is_open),
        TEST(test_a_start_that_fails_says_so),
    };
    return cmocka_run_group_tests(tests, gateway_start_crypto, NULL);
}
