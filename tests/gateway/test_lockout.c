/* Who fails too often waits (docs/security.md rules 8, 13 to 15). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <stdio.h>
#include <string.h>

#include "platform/log.h"

#define WRONG "a wrong secret, but a long one"
#define COOKIES "wire: {udp_cookie: always}\n"

static uint64_t counted(const struct world *world, enum usmp_transport transport, enum shard_handshake_result result)
{
    return shard_counters(world->shard)->handshakes[transport][1][result];
}

static void fail_over_tcp(struct world *world, const char *id, unsigned times)
{
    for (unsigned time = 0; time < times; time++) {
        struct simulated_device *device = refused(world, USMP_TCP, 2, id, WRONG, "192.0.2.7:40000");
        assert_true(device->stream_closed);
        world_vanish(device);
    }
}

static bool is_let_in(struct world *world, enum usmp_transport transport, const char *id, const char *psk,
                      const char *address)
{
    struct simulated_device *device = world_connect(world, transport, 2, id, psk, address);
    world_settle(world);
    bool let_in = simulated_device_is_connected(device);
    if (let_in)
        simulated_device_close(device);
    world_settle(world);
    world_vanish(device);
    return let_in;
}

static void five_wrong_psks_over_tcp_lock_the_address(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    fail_over_tcp(world, ID, 4);
    assert_true(is_let_in(world, USMP_TCP, OTHER_ID, OTHER_PSK, "192.0.2.7:40001"));
    fail_over_tcp(world, ID, 1);
    assert_int_equal(counted(world, USMP_TCP, SHARD_HANDSHAKE_BAD_PSK), 5);
    assert_int_equal(world_count_logs(world, "authentication failed"), 5);
    assert_int_equal(world_count_logs(world, "address locked out"), 1);
    assert_int_equal(admission_lockouts(world->admission, world->now.monotonic), 2);

    /* Whoever it is, and over whatever; the connection is not even looked at. */
    struct simulated_device *device = world_connect(world, USMP_TCP, 2, OTHER_ID, OTHER_PSK, "192.0.2.7:40001");
    assert_true(device->stream_closed);
    assert_false(is_let_in(world, USMP_UDP, OTHER_ID, OTHER_PSK, "192.0.2.7:40002"));
    assert_int_equal(counted(world, USMP_UDP, SHARD_HANDSHAKE_LOCKED_OUT), 1);
    assert_true(is_let_in(world, USMP_UDP, OTHER_ID, OTHER_PSK, "192.0.2.8:40002"));
    world_close(world);
}

static void it_ends_after_its_time_and_counts_afresh(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    fail_over_tcp(world, ID, 5);
    world_run(world, 59900000);
    assert_false(is_let_in(world, USMP_UDP, ID, PSK, ADDRESS)); /* tries do not prolong it */
    world_run(world, 200000);
    assert_int_equal(admission_lockouts(world->admission, world->now.monotonic), 0);
    fail_over_tcp(world, ID, 4);
    assert_true(is_let_in(world, USMP_TCP, ID, PSK, "192.0.2.7:40001"));
    world_close(world);
}

/* Somebody behind the same NAT is connected: the one that fails is locked out, the others are not. */
static void one_bad_device_does_not_lock_out_those_behind_its_nat(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *neighbour = world_connect(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, "192.0.2.7:1000");
    world_settle(world);
    assert_true(simulated_device_is_connected(neighbour));
    fail_over_tcp(world, ID, 5);
    assert_int_equal(world_count_logs(world, "device locked out at this address"), 1);
    assert_int_equal(world_count_logs(world, "address locked out after"), 0);

    struct simulated_device *locked = refused(world, USMP_TCP, 2, ID, PSK, "192.0.2.7:40001");
    assert_true(locked->stream_closed);
    assert_int_equal(counted(world, USMP_TCP, SHARD_HANDSHAKE_LOCKED_OUT), 1);
    assert_true(is_let_in(world, USMP_TCP, THIRD_ID, PSK, "192.0.2.7:40001"));
    assert_true(is_let_in(world, USMP_TCP, ID, PSK, "192.0.2.8:40001"));
    world_close(world);
}

/* At ten times the number it is too much for anybody's neighbours. */
static void fifty_failures_lock_an_address_with_a_live_session(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct simulated_device *neighbour = world_connect(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, "192.0.2.7:1000");
    world_settle(world);
    for (unsigned number = 0; number < 49; number++) {
        char id[18];
        snprintf(id, sizeof id, "02:00:00:00:00:%02x", number);
        fail_over_tcp(world, id, 1);
    }
    assert_true(is_let_in(world, USMP_TCP, THIRD_ID, PSK, "192.0.2.7:40001"));
    fail_over_tcp(world, "02:00:00:00:01:00", 1);
    assert_false(is_let_in(world, USMP_TCP, THIRD_ID, PSK, "192.0.2.7:40001"));

    /* A lockout concerns handshakes and new connections, never a live session. */
    simulated_device_send(neighbour, "still here", 10);
    world_settle(world);
    assert_int_equal(neighbour->acknowledged, 1);
    world_close(world);
}

static void success_clears_what_its_own_id_contributed(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    fail_over_tcp(world, ID, 2);
    fail_over_tcp(world, OTHER_ID, 2);
    assert_true(is_let_in(world, USMP_TCP, ID, PSK, "192.0.2.7:40001"));
    fail_over_tcp(world, ID, 2); /* four again, two of them of the other one */
    assert_true(is_let_in(world, USMP_TCP, THIRD_ID, PSK, "192.0.2.7:40001"));
    fail_over_tcp(world, UNKNOWN_ID, 1);
    assert_false(is_let_in(world, USMP_TCP, THIRD_ID, PSK, "192.0.2.7:40001"));
    world_close(world);
}

/* Before a HELLO nobody has said who he is; what is no frame of the protocol counts all the same. */
static void breaking_the_protocol_over_tcp_counts(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    for (unsigned time = 0; time < 5; time++) {
        struct bare_device device = bare_device(world, USMP_TCP, 2, ID, PSK, "192.0.2.7:40000");
        bare_send(&device, (const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18);
        bare_expect_closed(&device);
    }
    assert_int_equal(counted(world, USMP_TCP, SHARD_HANDSHAKE_PROTOCOL), 5);
    assert_int_equal(world_count_logs(world, "reason=protocol"), 5);
    assert_false(is_let_in(world, USMP_TCP, ID, PSK, "192.0.2.7:40001"));
    world_close(world);
}

/* None of these is a failure: to hang up, to say nothing, to be refused. */
static void going_away_does_not_count(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    for (unsigned time = 0; time < 10; time++) {
        struct bare_device device = bare_device(world, USMP_TCP, 2, ID, PSK, "192.0.2.7:40000");
        bare_hello(&device, 0, NULL);
        bare_ignore(&device);
        if (time % 2 == 0)
            world_lose_stream(device.port);
        else
            world_run(world, 11 * WORLD_SECOND);
        struct bare_device silent = bare_device(world, USMP_TCP, 2, ID, PSK, "192.0.2.7:40001");
        bare_send(&silent, (const uint8_t *)"\xcd\xab", 2);
        world_run(world, 4 * WORLD_SECOND);
        bare_expect_closed(&silent);
    }
    assert_int_equal(counted(world, USMP_TCP, SHARD_HANDSHAKE_TIMEOUT), 5);
    assert_int_equal(world_count_logs(world, "authentication failed"), 0);
    assert_true(is_let_in(world, USMP_TCP, ID, PSK, "192.0.2.7:40001"));
    world_close(world);
}

/* Whoever knows an address can make these arrive from it. */
static void what_may_be_forged_never_counts(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = world_open(NULL, DEVICES);
        for (unsigned time = 0; time < 20; time++) {
            struct bare_device device = bare_device(world, USMP_UDP, wire, ID, WRONG, "192.0.2.7:40000");
            bare_hello(&device, 0, NULL);
            bare_expect_utack(&device, USMP_HELLO, 0, false);
            bare_expect_challenge(&device);
            for (unsigned copy = 0; copy < 5; copy++)
                bare_hello_ack(&device, 2);
            bare_expect_silence(&device);
            world_run(world, 61 * WORLD_SECOND); /* two in a minute would be asked for a cookie */
        }
        assert_int_equal(shard_counters(world->shard)->handshakes[USMP_UDP][wire - 1][SHARD_HANDSHAKE_BAD_PSK], 20);
        assert_int_equal(shard_counters(world->shard)->handshakes[USMP_UDP][wire - 1][SHARD_HANDSHAKE_TIMEOUT], 0);
        assert_int_equal(admission_lockouts(world->admission, world->now.monotonic), 0);
        assert_true(is_let_in(world, USMP_TCP, ID, PSK, "192.0.2.7:40001"));
        assert_int_equal(world_count_logs(world, "authentication failed"), 0);
        assert_int_equal(world_count_logs(world, "192.0.2.7"), 2); /* the one that was let in */
        world_run(world, 61 * WORLD_SECOND);
        assert_int_equal(world_count_logs(world, "addresses that are not proved failed"), 20);

        /* What is not reported yet when the shard goes is reported then. */
        struct bare_device device = bare_device(world, USMP_UDP, wire, ID, WRONG, "192.0.2.7:40000");
        bare_hello(&device, 0, NULL);
        bare_expect_utack(&device, USMP_HELLO, 0, false);
        bare_expect_challenge(&device);
        bare_hello_ack(&device, 2);
        world_run(world, 11 * WORLD_SECOND);
        shard_close(world->shard);
        world->shard = NULL;
        assert_int_equal(world_count_logs(world, "addresses that are not proved failed"), 21);
        world_close(world);
    }
}

/* With a cookie it has shown that it hears what is sent there. One failure, however many HELLO_ACKs. */
static void with_a_cookie_it_counts_once_a_handshake(void **state)
{
    (void)state;
    struct world *world = world_open(COOKIES, DEVICES);
    for (unsigned time = 0; time < 5; time++) {
        struct simulated_device *device = world_connect(world, USMP_UDP, 2, ID, WRONG, "192.0.2.7:40000");
        world_run(world, 9 * WORLD_SECOND);
        assert_int_equal(device->frames_heard[USMP_CHALLENGE], 1 + 4); /* and its repeats */
        assert_int_equal(counted(world, USMP_UDP, SHARD_HANDSHAKE_BAD_PSK), time);
        assert_int_equal(world_count_logs(world, "authentication failed"), time);
        world_run(world, 2 * WORLD_SECOND);
        world_vanish(device);
        assert_int_equal(counted(world, USMP_UDP, SHARD_HANDSHAKE_BAD_PSK), time + 1);
        assert_int_equal(world_count_logs(world, "authentication failed device="), time + 1);
    }
    assert_int_equal(world_count_logs(world, "reason=bad_psk"), 5);
    assert_false(is_let_in(world, USMP_TCP, ID, PSK, "192.0.2.7:40001"));
    world_close(world);
}

/* A wrong HELLO_ACK that somebody else slipped in before the right one. */
static void a_handshake_that_was_completed_has_not_failed(void **state)
{
    (void)state;
    struct world *world = world_open(COOKIES, DEVICES);
    for (unsigned time = 0; time < 10; time++) {
        struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, "192.0.2.7:40000");
        struct usmp_hello_retry retry;
        uint8_t bytes[USMP_FRAME_MAX];
        struct usmp_frame frame;
        bare_hello(&device, 0, NULL);
        bare_expect_frame(&device, USMP_HELLO_RETRY, bytes);
        assert_int_equal(usmp_frame_parse_datagram(bytes, USMP_HELLO_RETRY_FRAME, &frame), USMP_FRAME_COMPLETE);
        assert_true(usmp_hello_retry_read(&frame, &retry));
        bare_hello(&device, 1, retry.cookie);
        bare_expect_utack(&device, USMP_HELLO, 1, false);
        bare_expect_challenge(&device);
        bare_wrong_hello_ack(&device, 2);
        bare_hello_ack(&device, 2);
        bare_expect_utack(&device, USMP_HELLO_ACK, 2, false);
        bare_expect_session_ok(&device);
        world_run(world, 20 * WORLD_SECOND);
        bare_ignore(&device);
        world_vanish(device.port);
    }
    assert_int_equal(world_count_logs(world, "authentication failed"), 0);
    assert_int_equal(counted(world, USMP_UDP, SHARD_HANDSHAKE_OK), 10);
    world_close(world);
}

static void trusted_addresses_are_never_locked_out(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {trusted: ['192.0.2.0/24']}\n", DEVICES);
    fail_over_tcp(world, ID, 60);
    assert_true(is_let_in(world, USMP_TCP, ID, PSK, "192.0.2.7:40001"));
    world_close(world);
}

/* To the device every refusal is the same; the log tells which one it was, once it has its answer. */
static void every_refusal_looks_the_same(void **state)
{
    static const char registry[] = "devices:\n"
                                   "  '" ID "': {psk: '" PSK "'}\n"
                                   "  '02:00:00:00:00:01': {psk: '" PSK "', revoked: true}\n"
                                   "  '02:00:00:00:00:02': [{psk: '" PSK "', until: 2020-01-01}]\n"
                                   "  '02:00:00:00:00:03': {psk: '" PSK "', wire: [1]}\n";
    static const char *const cases[][3] = {{ID, WRONG, "bad_psk"},
                                           {UNKNOWN_ID, PSK, "unknown_device"},
                                           {"02:00:00:00:00:01", PSK, "revoked"},
                                           {"02:00:00:00:00:02", PSK, "expired"},
                                           {"02:00:00:00:00:03", PSK, "wrong_wire"}};
    (void)state;
    struct world *world = world_open("limits: {lockout_after: 0}\n", registry);
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        struct bare_device device = bare_device(world, USMP_TCP, 2, cases[index][0], cases[index][1], ADDRESS);
        bare_hello(&device, 0, NULL);
        bare_expect_challenge(&device);
        bare_hello_ack(&device, 0);
        bare_expect_closed(&device);
        assert_int_equal(world_count_logs(world, cases[index][2]), 1);
        assert_int_equal(world->log_count, index + 1);

        char address[24];
        snprintf(address, sizeof address, "203.0.113.%zu:1", index);
        struct bare_device udp = bare_device(world, USMP_UDP, 2, cases[index][0], cases[index][1], address);
        bare_hello(&udp, 0, NULL);
        bare_expect_utack(&udp, USMP_HELLO, 0, false);
        bare_expect_challenge(&udp);
        bare_hello_ack(&udp, 0);
        bare_expect_silence(&udp);
    }
    expect_events(world, 0);
    assert_int_equal(counted(world, USMP_TCP, SHARD_HANDSHAKE_BAD_PSK), 1);
    assert_int_equal(counted(world, USMP_TCP, SHARD_HANDSHAKE_UNKNOWN_DEVICE), 4);
    world_close(world);
}

struct closed_before {
    const struct simulated_device *device;
    unsigned lines;
    bool was_closed;
};

static void look_whether_it_is_closed(void *context, const struct log_record *record)
{
    struct closed_before *seen = context;
    seen->lines += strstr(record->message, "authentication failed") != NULL;
    seen->was_closed = seen->device->stream_closed;
}

/* So that the time it takes to write does not tell which refusal it was. */
static void the_line_is_written_after_the_answer(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_TCP, 2, ID, WRONG, ADDRESS);
    bare_hello(&device, 0, NULL);
    bare_expect_challenge(&device);
    struct closed_before seen = {.device = device.port};
    log_divert(look_whether_it_is_closed, &seen);
    bare_hello_ack(&device, 0);
    bare_expect_closed(&device);
    assert_int_equal(seen.lines, 1);
    assert_true(seen.was_closed);
    world_close(world);
}

/* The device holds the key, but shows a public key for which there is no secret. It counts against its own id. */
static void a_forged_public_key_is_a_failure_of_its_device(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    for (unsigned time = 0; time < 5; time++) {
        struct bare_device device = bare_device(world, USMP_TCP, 2, ID, PSK, "192.0.2.7:40000");
        memset(device.public_key, 0, sizeof device.public_key);
        bare_hello(&device, 0, NULL);
        bare_expect_challenge(&device);
        bare_hello_ack(&device, 0);
        bare_expect_closed(&device);
    }
    assert_int_equal(counted(world, USMP_TCP, SHARD_HANDSHAKE_PROTOCOL), 5);
    assert_int_equal(world_count_logs(world, "reason=protocol"), 5);
    uint8_t id[USMP_DEVICE_ID_SIZE] = {0xde, 0xad, 0xbe, 0xef, 0x00, 0x01};
    struct address elsewhere = world_address("192.0.2.7:1");
    assert_true(admission_is_locked_out(world->admission, &elsewhere, id, world->now.monotonic));
    assert_int_equal(admission_lockouts(world->admission, world->now.monotonic), 2); /* it, and the address */
    expect_events(world, 0);
    expect_nothing_left(world);
    world_close(world);

    world = world_open(NULL, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    memset(device.public_key, 0, sizeof device.public_key);
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_challenge(&device);
    bare_hello_ack(&device, 0);
    bare_expect_silence(&device);
    assert_int_equal(counted(world, USMP_UDP, SHARD_HANDSHAKE_PROTOCOL), 1);
    expect_events(world, 0);
    expect_nothing_left(world);
    world_close(world);
}

/* What the limit on lines holds back is told as a number, although nothing else is ever due. */
static void held_back_lines_are_told_as_a_number(void **state)
{
    (void)state;
    struct world *world = world_open("limits: {lockout_after: 0}\n", DEVICES);
    fail_over_tcp(world, ID, 100);
    assert_int_equal(world_count_logs(world, "authentication failed"), 20);
    world_run(world, 10 * WORLD_SECOND);
    assert_int_equal(world_count_logs(world, "80 further messages of this kind suppressed"), 1);
    world_run(world, 100 * WORLD_SECOND);
    assert_int_equal(shard_deadline(world->shard), SHARD_NEVER);
    fail_over_tcp(world, ID, 21);
    size_t before = world->log_count;
    shard_close(world->shard);
    world->shard = NULL;
    assert_int_equal(world->log_count, before + 1);
    assert_int_equal(world_count_logs(world, "1 further messages"), 1);
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_wrong_psks_over_tcp_lock_the_address),
        cmocka_unit_test(it_ends_after_its_time_and_counts_afresh),
        cmocka_unit_test(one_bad_device_does_not_lock_out_those_behind_its_nat),
        cmocka_unit_test(fifty_failures_lock_an_address_with_a_live_session),
        cmocka_unit_test(success_clears_what_its_own_id_contributed),
        cmocka_unit_test(breaking_the_protocol_over_tcp_counts),
        cmocka_unit_test(going_away_does_not_count),
        cmocka_unit_test(what_may_be_forged_never_counts),
        cmocka_unit_test(with_a_cookie_it_counts_once_a_handshake),
        cmocka_unit_test(a_handshake_that_was_completed_has_not_failed),
        cmocka_unit_test(trusted_addresses_are_never_locked_out),
        cmocka_unit_test(every_refusal_looks_the_same),
        cmocka_unit_test(the_line_is_written_after_the_answer),
        cmocka_unit_test(a_forged_public_key_is_a_failure_of_its_device),
        cmocka_unit_test(held_back_lines_are_told_as_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
