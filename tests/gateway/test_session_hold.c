/* What we say by ourselves waits while the device may be in the middle of a new handshake at the same address and port
 * (docs/security.md rule 16, docs/protocol.md section 5). */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include "gateway/session_hold.h"
#include "gateway/shard_internal.h"

#define ALWAYS "wire: {udp_cookie: always}\n"
#define DOWNLINK "wire: {v1_downlink: true}\n"
#define HANDSHAKE_TIMEOUT (10 * WORLD_SECOND)

/* Takes all that has come, and counts the datagrams of that kind. */
static size_t heard(struct bare_device *device, uint8_t type)
{
    size_t count = 0;
    const struct device_message *message = device->port->received.first;
    for (; message != NULL; message = message->next)
        count += message->bytes[0] == USMP_MAGIC_0 && message->bytes[3] == type ? 1 : 0;
    bare_ignore(device);
    return count;
}

static size_t heard_within(struct bare_device *device, uint8_t type, uint64_t time)
{
    bare_ignore(device);
    world_run(device->port->world, time);
    return heard(device, type);
}

/* A HELLO with the cookie that the gateway asks for. */
static void prove_and_hello(struct bare_device *device)
{
    uint8_t retry[USMP_HELLO_RETRY_FRAME];
    bare_hello(device, 0, NULL);
    bare_expect_frame(device, USMP_HELLO_RETRY, retry);
    bare_hello(device, 1, retry + USMP_HEADER_SIZE);
    bare_expect_utack(device, USMP_HELLO, 1, false);
    bare_expect_challenge(device);
}

static void connect_with_cookie(struct bare_device *device)
{
    prove_and_hello(device);
    bare_hello_ack(device, 2);
    bare_expect_utack(device, USMP_HELLO_ACK, 2, false);
    bare_expect_session_ok(device);
    bare_utack(device, USMP_SESSION_OK, 0, false);
    bare_expect_silence(device);
}

static struct seam_command *say(struct world *world, const char *text)
{
    struct seam_command *command = world_command(world, SEAM_SEND, ID, text, strlen(text), 120 * WORLD_SECOND);
    world_submit(world, command);
    world_settle(world);
    return command;
}

static void waits_for_a_proved_handshake_and_goes_on_when_it_fails(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS "session_timeout: 10m\n", DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    connect_with_cookie(&device);
    struct seam_command *command = say(world, "repeated");
    assert_true(heard_within(&device, USMP_DATA, 8 * WORLD_SECOND) >= 2);

    struct bare_device before = device;
    bare_restart(&device);
    prove_and_hello(&device);
    assert_int_equal(heard_within(&device, USMP_DATA, HANDSHAKE_TIMEOUT - 1), 0);
    /* Its answers still leave: somebody is there who has the old keys. */
    bare_record(&before, USMP_DATA, 0, "still here", 10);
    bare_expect_utack(&before, USMP_DATA, 0, true);
    bare_expect_silence(&before);

    assert_int_equal(heard_within(&device, USMP_DATA, 1), 1);
    bare_utack(&before, USMP_DATA, 0, true);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    expect_events(world, 2);
    world_close(world);
}

static void is_replaced_without_a_word_when_it_succeeds(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    connect_with_cookie(&device);
    struct seam_command *command = say(world, "for the one before");
    bare_restart(&device);
    bare_ignore(&device);
    prove_and_hello(&device);
    world_run(world, 3 * WORLD_SECOND);
    bare_hello_ack(&device, 2);
    assert_int_equal(heard(&device, USMP_DATA), 0);
    bare_utack(&device, USMP_SESSION_OK, 0, false);
    expect_outcome(command, SEAM_UNCONFIRMED);
    /* The new one is not held. */
    command = say(world, "for the new one");
    assert_int_equal(heard(&device, USMP_DATA), 1);
    expect_pending(command);
    shard_drain(world->shard, world->now);
    world_settle(world);
    expect_outcome(command, SEAM_UNCONFIRMED);
    world_close(world);
}

/* Anybody can forge a HELLO without a cookie, of either wire. */
static void does_not_wait_for_what_may_be_forged(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = world_open("session_timeout: 10m\n", DEVICES);
        struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
        bare_connect(&device);
        struct seam_command *command = say(world, "repeated");
        device.wire = wire;
        for (unsigned forged = 0; forged < 20; forged++) {
            bare_restart(&device);
            bare_hello(&device, 0, NULL);
            assert_true(heard_within(&device, USMP_DATA, 5 * WORLD_SECOND) >= 1);
        }
        shard_drain(world->shard, world->now);
        world_settle(world);
        expect_outcome(command, SEAM_UNCONFIRMED);
        world_close(world);
    }
}

/* Wire 1 has no cookie: its session waits for a while, and not again before long. */
static void waits_for_wire_1_a_little_and_seldom(void **state)
{
    (void)state;
    struct world *world = world_open(DOWNLINK "session_timeout: 10m\n", DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 1, ID, PSK, ADDRESS);
    bare_connect(&device);
    struct bare_device before = device;
    uint32_t seq = 0;
    for (unsigned second = 0; second < 36; second += 3) {
        bool holds_again = second % 12 == 0;
        bare_restart(&device);
        bare_hello(&device, 0, NULL);
        bare_ignore(&device);
        struct seam_command *command = say(world, "waits");
        assert_int_equal(heard(&device, USMP_DATA), holds_again ? 0 : 1);
        if (holds_again) {
            assert_int_equal(heard_within(&device, USMP_DATA, SESSION_HOLD_WIRE_1 - 1), 0);
            assert_int_equal(heard_within(&device, USMP_DATA, 1), 1);
        }
        bare_utack(&before, USMP_DATA, seq++, false);
        expect_outcome(command, SEAM_SENT_BY_DEVICE);
        world_run(world, 3 * WORLD_SECOND - (holds_again ? SESSION_HOLD_WIRE_1 : 0));
    }
    world_close(world);
}

/* The handshake of wire 1 ends before its time: the session need not wait longer. */
static void goes_on_when_wire_1_fails_early(void **state)
{
    (void)state;
    struct world *world = world_open(DOWNLINK "handshake_timeout: 1s\n", DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 1, ID, PSK, ADDRESS);
    bare_connect(&device);
    bare_restart(&device);
    bare_hello(&device, 0, NULL);
    bare_ignore(&device);
    struct seam_command *command = say(world, "waits");
    assert_int_equal(heard_within(&device, USMP_DATA, WORLD_SECOND - 1), 0);
    assert_int_equal(heard_within(&device, USMP_DATA, 1), 1);
    bare_utack(&device, USMP_DATA, 0, false);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    world_close(world);
}

/* A NAT gave the session the port at which somebody else's handshake is pending. */
static void waits_where_it_has_moved_to(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS "session_timeout: 10m\n", DEVICES);
    struct bare_device other = bare_device(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    prove_and_hello(&other);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    connect_with_cookie(&device);
    device.port->path.peer = world_address(OTHER_ADDRESS);
    other.port->path.peer = world_address(ADDRESS);
    bare_record(&device, USMP_DATA, 0, "from there", 10);
    bare_expect_utack(&device, USMP_DATA, 0, true);
    struct seam_command *command = say(world, "waits");
    assert_int_equal(heard_within(&device, USMP_DATA, HANDSHAKE_TIMEOUT - 1), 0);
    assert_int_equal(heard_within(&device, USMP_DATA, 1), 1);
    bare_utack(&device, USMP_DATA, 0, true);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    world_close(world);
}

/* The cookie came later than the HELLO, and the session in between. */
static void waits_once_the_handshake_is_proved(void **state)
{
    (void)state;
    struct world *world = world_open("session_timeout: 10m\n", DEVICES);
    struct bare_device other = bare_device(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    bare_hello(&other, 0, NULL);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    bare_connect(&device);
    device.port->path.peer = world_address(OTHER_ADDRESS);
    other.port->path.peer = world_address(ADDRESS);
    bare_record(&device, USMP_DATA, 0, "from there", 10);
    struct seam_command *command = say(world, "waits");
    assert_int_equal(heard(&device, USMP_DATA), 1);

    struct shard_path path = {.peer = world_address(OTHER_ADDRESS), .local = world->gateway};
    struct pending *pending = pending_first(world->shard, &path);
    assert_int_equal(
        admission_handshake_begin(world->admission, &pending->peer, pending->handshake.device_id, world->now.monotonic),
        ADMISSION_WELCOME);
    pending_prove(world->shard, pending, world->now);
    assert_int_equal(heard_within(&device, USMP_DATA, 5 * WORLD_SECOND), 0);
    assert_true(heard_within(&device, USMP_DATA, 5 * WORLD_SECOND) >= 1);
    shard_drain(world->shard, world->now);
    world_settle(world);
    expect_outcome(command, SEAM_UNCONFIRMED);
    world_close(world);
}

/* A wire 1 session and a wire 2 handshake at one address and port: what is held has no time of its own to wait for, and
 * one that has passed would come again and again, with no end to the turn. */
static void waits_for_the_other_wire_without_standing_still(void **state)
{
    (void)state;
    struct world *world = world_open("wire: {udp_cookie: always, v1_downlink: true}\n"
                                     "session_timeout: 10m\n",
                                     DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 1, ID, PSK, ADDRESS);
    bare_connect(&device);
    struct bare_device other = bare_device(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, ADDRESS);
    prove_and_hello(&other);
    struct seam_command *command = say(world, "waits");
    assert_int_equal(heard_within(&other, USMP_DATA, HANDSHAKE_TIMEOUT - 1), 0);
    assert_int_equal(heard_within(&other, USMP_DATA, 1), 1);
    shard_drain(world->shard, world->now);
    world_settle(world);
    expect_outcome(command, SEAM_UNCONFIRMED);
    world_close(world);
}

/* When usmpd ends, no handshake is left for which anything could wait. */
static void says_bye_when_it_drains(void **state)
{
    (void)state;
    struct world *world = world_open(ALWAYS, DEVICES);
    struct bare_device device = bare_device(world, USMP_UDP, 2, ID, PSK, ADDRESS);
    connect_with_cookie(&device);
    struct bare_device before = device;
    bare_restart(&device);
    prove_and_hello(&device);
    world_run(world, WORLD_SECOND);
    shard_drain(world->shard, world->now);
    assert_int_equal(heard_within(&device, USMP_BYE, 1), 1);
    assert_false(shard_is_drained(world->shard));
    bare_utack(&before, USMP_BYE, 0, true);
    assert_true(shard_is_drained(world->shard));
    world_close(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_a_proved_handshake_and_goes_on_when_it_fails),
        cmocka_unit_test(is_replaced_without_a_word_when_it_succeeds),
        cmocka_unit_test(does_not_wait_for_what_may_be_forged),
        cmocka_unit_test(waits_for_wire_1_a_little_and_seldom),
        cmocka_unit_test(goes_on_when_wire_1_fails_early),
        cmocka_unit_test(waits_where_it_has_moved_to),
        cmocka_unit_test(waits_once_the_handshake_is_proved),
        cmocka_unit_test(waits_for_the_other_wire_without_standing_still),
        cmocka_unit_test(says_bye_when_it_drains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
