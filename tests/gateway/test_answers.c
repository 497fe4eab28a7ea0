/* "What the gateway answers, and when, by state" (docs/protocol.md section 4): a test for each row of the table, named
 * after it. Which frames leave, their bytes, and that nothing else leaves. */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <string.h>

#include <usmp/gateway_handshake.h>

static struct bare_device bare(struct world *world, unsigned wire)
{
    return bare_device(world, USMP_UDP, wire, ID, PSK, ADDRESS);
}

static uint64_t dropped(const struct world *world, enum shard_drop reason)
{
    return shard_counters(world->shard)->dropped[reason];
}

static void hello_without_a_handshake_from_that_address_with_this_key(unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, wire);
    bare_hello(&device, 7, NULL);
    bare_expect_utack(&device, USMP_HELLO, 7, false);
    bare_expect_challenge(&device);
    bare_expect_silence(&device);
    expect_events(world, 0);
    expect_nothing_left(world);
    world_close(world);
}

static void hello_with_the_same_id_and_key_while_pending(unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, wire);
    uint8_t first[USMP_CHALLENGE_FRAME];
    uint8_t again[USMP_CHALLENGE_FRAME];
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_frame(&device, USMP_CHALLENGE, first);
    for (uint32_t seq = 0; seq < 3; seq++) {
        bare_hello(&device, seq, NULL);
        bare_expect_utack(&device, USMP_HELLO, seq, false);
        bare_expect_frame(&device, USMP_CHALLENGE, again);
        assert_memory_equal(again, first, sizeof first);
    }
    bare_expect_silence(&device);
    world_close(world);
}

/* With a cookie, whatever it is: it is not asked for here. */
static void hello_with_a_cookie_while_pending(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, 2);
    uint8_t first[USMP_CHALLENGE_FRAME];
    uint8_t again[USMP_CHALLENGE_FRAME];
    const uint8_t cookie[USMP_COOKIE_SIZE] = {1, 2, 3};
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_frame(&device, USMP_CHALLENGE, first);
    bare_hello(&device, 1, cookie);
    bare_expect_utack(&device, USMP_HELLO, 1, false);
    bare_expect_frame(&device, USMP_CHALLENGE, again);
    assert_memory_equal(again, first, sizeof first);
    bare_expect_silence(&device);
    world_close(world);
}

/* The device restarted; which CHALLENGE arrived, the HELLO_ACK says. Both can still complete. */
static void hello_with_another_key_while_pending(unsigned wire)
{
    for (unsigned choice = 0; choice < 2; choice++) {
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device before = bare(world, wire);
        bare_hello(&before, 0, NULL);
        bare_ignore(&before);
        bare_hello(&before, 0, NULL);
        bare_expect_utack(&before, USMP_HELLO, 0, false);
        bare_expect_challenge(&before);
        struct bare_device after = before;
        bare_restart(&after);
        bare_hello(&after, 0, NULL);
        bare_expect_utack(&after, USMP_HELLO, 0, false);
        bare_expect_challenge(&after);
        assert_memory_not_equal(after.challenge.nonce, before.challenge.nonce, sizeof after.challenge.nonce);
        assert_memory_not_equal(after.challenge.public_key, before.challenge.public_key,
                                sizeof after.challenge.public_key);

        struct bare_device *chosen = choice == 0 ? &before : &after;
        bare_hello_ack(chosen, 0);
        bare_expect_utack(chosen, USMP_HELLO_ACK, 0, false);
        bare_expect_session_ok(chosen);
        bare_expect_silence(chosen);
        expect_connected(world, 0, ID);
        expect_events(world, 1);
        world_close(world);
    }
}

static void hello_with_the_live_sessions_key(unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, wire);
    bare_connect(&device);
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_silence(&device);
    expect_events(world, 1);
    world_close(world);
}

static void hello_ack_that_is_right_while_pending(unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, wire);
    uint8_t first[USMP_SESSION_OK_FRAME];
    uint8_t again[USMP_SESSION_OK_FRAME];
    bare_hello(&device, 0, NULL);
    bare_ignore(&device);
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_challenge(&device);
    bare_hello_ack(&device, 9);
    bare_expect_utack(&device, USMP_HELLO_ACK, 9, false);
    bare_expect_frame(&device, USMP_SESSION_OK, first);
    bare_repeat(&device);
    bare_expect_utack(&device, USMP_HELLO_ACK, 9, false);
    bare_expect_frame(&device, USMP_SESSION_OK, again);
    assert_memory_equal(again, first, sizeof first);
    bare_expect_silence(&device);
    expect_events(world, 1);
    world_close(world);
}

/* A lost UTACK of HELLO_ACK, a lost SESSION_OK: whenever the copy comes it is answered. */
static void hello_ack_again_after_the_session_is_up(unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, wire);
    bare_connect(&device);
    bare_record(&device, USMP_DATA, 0, "first", 5);
    bare_ignore(&device);
    bare_hello_ack(&device, 2);
    bare_expect_utack(&device, USMP_HELLO_ACK, 2, false);
    struct usmp_session_ok before = device.session_ok;
    bare_expect_session_ok(&device);
    assert_memory_equal(&device.session_ok, &before, sizeof before);
    bare_expect_silence(&device);
    expect_events(world, 2);
    world_run(world, 20 * WORLD_SECOND);
    bare_expect_silence(&device); /* it is no reason to begin repeating again */
    world_close(world);
}

static void hello_ack_that_is_wrong_while_pending(unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, wire);
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_challenge(&device);
    for (unsigned check = 0; check < USMP_HANDSHAKE_CHECKS_MAX - 1; check++) {
        bare_wrong_hello_ack(&device, 0);
        bare_expect_silence(&device);
    }
    bare_hello_ack(&device, 0);
    bare_expect_utack(&device, USMP_HELLO_ACK, 0, false);
    bare_expect_session_ok(&device);
    assert_int_equal(dropped(world, SHARD_DROP_NOT_AUTHENTIC), USMP_HANDSHAKE_CHECKS_MAX - 1);
    world_close(world);
}

/* At most 8 checks: the ninth is not looked at, be it right. */
static void hello_ack_that_is_right_after_eight_wrong_ones(unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, wire);
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_challenge(&device);
    for (unsigned check = 0; check < USMP_HANDSHAKE_CHECKS_MAX; check++)
        bare_wrong_hello_ack(&device, 0);
    bare_hello_ack(&device, 0);
    bare_expect_silence(&device);
    expect_events(world, 0);
    expect_nothing_left(world);
    world_close(world);
}

static void first_frame_that_opens_while_session_ok_is_not_acknowledged(unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, wire);
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_challenge(&device);
    bare_hello_ack(&device, 0);
    bare_expect_utack(&device, USMP_HELLO_ACK, 0, false);
    bare_expect_session_ok(&device);
    world_run(world, 1600000);
    for (unsigned repeat = 0; repeat < 3; repeat++)
        bare_expect_session_ok(&device);
    bare_expect_silence(&device);
    bare_record(&device, USMP_DATA, 0, "first", 5);
    bare_expect_utack(&device, USMP_DATA, 0, wire == 2);
    world_run(world, 9 * WORLD_SECOND);
    bare_expect_silence(&device);
    expect_events(world, 2);
    expect_text(world, 1, ID, "first");
    world_close(world);
}

static void data_that_is_new_with_room_for_it(unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, wire);
    bare_connect(&device);
    bare_record(&device, USMP_DATA, 0, "one", 3);
    bare_expect_utack(&device, USMP_DATA, 0, wire == 2);
    bare_record(&device, USMP_DATA_FRAG, 1, "tw", 2);
    bare_expect_utack(&device, USMP_DATA_FRAG, 1, wire == 2);
    bare_record(&device, USMP_DATA, 2, "o", 1);
    bare_expect_utack(&device, USMP_DATA, 2, wire == 2);
    bare_expect_silence(&device);
    expect_events(world, 3);
    expect_text(world, 1, ID, "one");
    expect_text(world, 2, ID, "two");
    world_close(world);
}

static void data_that_is_new_without_room(unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, wire);
    bare_connect(&device);
    world_take_credit(world);
    bare_record(&device, USMP_DATA, 0, "one", 3);
    bare_repeat(&device);
    bare_repeat(&device);
    bare_expect_silence(&device);
    expect_events(world, 1);
    assert_int_equal(dropped(world, SHARD_DROP_NO_ROOM), 3);
    world_give_credit(world, WORLD_CREDIT);
    bare_expect_silence(&device);
    bare_repeat(&device);
    bare_expect_utack(&device, USMP_DATA, 0, wire == 2);
    expect_events(world, 2);
    expect_text(world, 1, ID, "one");
    bare_repeat(&device);
    bare_expect_utack(&device, USMP_DATA, 0, wire == 2);
    expect_events(world, 2);
    world_close(world);
}

static void what_was_accepted_before(unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, wire);
    bare_connect(&device);
    bare_record(&device, USMP_DATA, 0, "one", 3);
    bare_ignore(&device);
    bare_record(&device, USMP_DATA, 0, "one", 3);
    bare_expect_utack(&device, USMP_DATA, 0, wire == 2);
    bare_expect_silence(&device);
    expect_events(world, 2);

    uint8_t forged[USMP_FRAME_MAX];
    memcpy(forged, device.last, device.last_size);
    struct usmp_frame frame;
    assert_int_equal(usmp_frame_parse_datagram(forged, device.last_size, &frame), USMP_FRAME_COMPLETE);
    uint8_t payload[USMP_PAYLOAD_MAX];
    memcpy(payload, frame.payload, frame.length);
    payload[frame.length - 1] ^= 1;
    bare_send(&device, forged, usmp_frame_write(frame.version, frame.type, frame.seq, payload, frame.length, forged));
    bare_expect_silence(&device);
    assert_int_equal(dropped(world, SHARD_DROP_NOT_AUTHENTIC), 1);
    world_close(world);
}

static void what_is_too_old(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, 2);
    bare_connect(&device);
    bare_record(&device, USMP_DATA, 100, "new", 3);
    bare_record(&device, USMP_DATA, 37, "just in it", 10);
    bare_ignore(&device);
    expect_events(world, 3);
    bare_record(&device, USMP_DATA, 36, "too old", 7);
    bare_expect_utack(&device, USMP_DATA, 36, true);
    bare_expect_silence(&device);
    expect_events(world, 3);
    world_close(world);
}

static void copy_of_the_rekey_frame_after_rekey(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, 2);
    uint8_t salt[USMP_REKEY_SALT_SIZE] = "thirty-two bytes that are random";
    bare_connect(&device);
    bare_record(&device, USMP_DATA, 0, "before", 6);
    bare_ignore(&device);
    bare_record(&device, USMP_REKEY, 1, salt, sizeof salt);
    bare_expect_utack(&device, USMP_REKEY, 1, true);
    bare_repeat(&device);
    bare_expect_utack(&device, USMP_REKEY, 1, true); /* under the old key, as it was */
    bare_record(&device, USMP_DATA, 0, "before", 6);
    bare_record(&device, USMP_DATA, 2, "old key", 7);
    bare_expect_silence(&device);
    expect_events(world, 2);

    usmp_keys_rekey(&device.keys, USMP_DEVICE, device.session_ok.session_id, salt, &device.keys);
    bare_record(&device, USMP_DATA, 0, "after", 5);
    bare_expect_utack(&device, USMP_DATA, 0, true);
    expect_text(world, 2, ID, "after");
    world_close(world);
}

static void anything_else(unsigned wire)
{
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, wire);
    uint8_t bytes[USMP_FRAME_MAX] = {0};
    uint64_t expected_unknown = 0;
    bare_send(&device, bytes, 0);
    bare_send(&device, bytes, 1);
    bare_send(&device, bytes, sizeof bytes);
    bare_send(&device, (const uint8_t *)"\xac\xac\x05", 3);
    assert_int_equal(dropped(world, SHARD_DROP_MALFORMED), 4);

    /* What only a gateway says. */
    struct usmp_challenge challenge = {.nonce = {1}};
    bare_send(&device, bytes, usmp_challenge_write((uint8_t)wire, 0, &challenge, bytes));
    struct usmp_session_ok session_ok = {.session_id = {1}};
    bare_send(&device, bytes, usmp_session_ok_write((uint8_t)wire, 0, &session_ok, bytes));
    assert_int_equal(dropped(world, SHARD_DROP_UNEXPECTED), 2);

    /* What would need a handshake or a session. */
    bare_hello_ack(&device, 0);
    bare_record(&device, USMP_DATA, 0, "no session", 10);
    bare_utack(&device, USMP_DATA, 0, wire == 2);
    bare_utack(&device, USMP_SESSION_OK, 0, false);
    expected_unknown += 4;
    assert_int_equal(dropped(world, SHARD_DROP_UNKNOWN), expected_unknown);

    /* One byte of it is damaged: an accident. */
    struct usmp_hello hello = {.device_id = {1}};
    size_t size = usmp_hello_write((uint8_t)wire, 0, &hello, bytes);
    bytes[size - 1] ^= 1;
    bare_send(&device, bytes, size);
    assert_int_equal(dropped(world, SHARD_DROP_CRC), 1);

    bare_expect_silence(&device);
    expect_events(world, 0);
    expect_nothing_left(world);
    world_close(world);
}

/* A session over TCP is not found by a datagram, whatever it carries. */
static void a_record_of_a_session_over_tcp(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device tcp = bare_device(world, USMP_TCP, 2, ID, PSK, ADDRESS);
    bare_connect(&tcp);
    struct bare_device udp = bare(world, 2);
    udp.keys = tcp.keys;
    udp.session_ok = tcp.session_ok;
    uint64_t before = dropped(world, SHARD_DROP_UNKNOWN);
    bare_record(&udp, USMP_DATA, 0, "by the other way", 16);
    bare_expect_silence(&udp);
    assert_int_equal(dropped(world, SHARD_DROP_UNKNOWN), before + 1);
    bare_record(&tcp, USMP_DATA, 0, "by its own", 10);
    expect_events(world, 2);
    expect_text(world, 1, ID, "by its own");
    world_close(world);
}

/* A HELLO_ACK of the other wire is not checked against a handshake of this one. */
static void hello_ack_of_the_other_wire_while_pending(void **state)
{
    (void)state;
    struct world *world = world_open(NULL, DEVICES);
    struct bare_device device = bare(world, 2);
    bare_hello(&device, 0, NULL);
    bare_expect_utack(&device, USMP_HELLO, 0, false);
    bare_expect_challenge(&device);
    device.wire = 1;
    for (unsigned time = 0; time < 20; time++)
        bare_hello_ack(&device, 0);
    bare_expect_silence(&device);
    device.wire = 2;
    bare_hello_ack(&device, 0);
    bare_expect_utack(&device, USMP_HELLO_ACK, 0, false);
    bare_expect_session_ok(&device);
    world_close(world);
}

/* A session keeps the version of its HELLO; a HELLO of the other one may start a handshake. */
static void another_version_than_the_sessions(void **state)
{
    (void)state;
    for (unsigned wire = 1; wire <= 2; wire++) {
        struct world *world = world_open(NULL, DEVICES);
        struct bare_device device = bare(world, wire);
        bare_connect(&device);
        struct bare_device other = device;
        other.wire = 3 - wire;
        bare_record(&other, USMP_DATA, 0, "other", 5);
        bare_expect_silence(&other);
        expect_events(world, 1);
        bare_hello(&other, 0, NULL);
        if (other.wire == 1) {
            bare_expect_utack(&other, USMP_HELLO, 0, false);
            bare_expect_challenge(&other);
        } else {
            uint8_t retry[USMP_FRAME_MAX]; /* there is a session: it has to show a cookie first */
            bare_expect_frame(&other, USMP_HELLO_RETRY, retry);
        }
        bare_record(&device, USMP_DATA, 0, "still there", 11);
        bare_expect_utack(&device, USMP_DATA, 0, wire == 2);
        expect_text(world, 1, ID, "still there");
        world_close(world);
    }
}

#define ON_BOTH(test)                                                                                                  \
    static void test##_on_both_wires(void **state)                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        test(1);                                                                                                       \
        test(2);                                                                                                       \
    }

ON_BOTH(hello_without_a_handshake_from_that_address_with_this_key)
ON_BOTH(hello_with_the_same_id_and_key_while_pending)
ON_BOTH(hello_with_another_key_while_pending)
ON_BOTH(hello_with_the_live_sessions_key)
ON_BOTH(hello_ack_that_is_right_while_pending)
ON_BOTH(hello_ack_again_after_the_session_is_up)
ON_BOTH(hello_ack_that_is_wrong_while_pending)
ON_BOTH(hello_ack_that_is_right_after_eight_wrong_ones)
ON_BOTH(first_frame_that_opens_while_session_ok_is_not_acknowledged)
ON_BOTH(data_that_is_new_with_room_for_it)
ON_BOTH(data_that_is_new_without_room)
ON_BOTH(what_was_accepted_before)
ON_BOTH(anything_else)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_without_a_handshake_from_that_address_with_this_key_on_both_wires),
        cmocka_unit_test(hello_with_the_same_id_and_key_while_pending_on_both_wires),
        cmocka_unit_test(hello_with_a_cookie_while_pending),
        cmocka_unit_test(hello_with_another_key_while_pending_on_both_wires),
        cmocka_unit_test(hello_with_the_live_sessions_key_on_both_wires),
        cmocka_unit_test(hello_ack_that_is_right_while_pending_on_both_wires),
        cmocka_unit_test(hello_ack_again_after_the_session_is_up_on_both_wires),
        cmocka_unit_test(hello_ack_that_is_wrong_while_pending_on_both_wires),
        cmocka_unit_test(hello_ack_that_is_right_after_eight_wrong_ones_on_both_wires),
        cmocka_unit_test(first_frame_that_opens_while_session_ok_is_not_acknowledged_on_both_wires),
        cmocka_unit_test(data_that_is_new_with_room_for_it_on_both_wires),
        cmocka_unit_test(data_that_is_new_without_room_on_both_wires),
        cmocka_unit_test(what_was_accepted_before_on_both_wires),
        cmocka_unit_test(what_is_too_old),
        cmocka_unit_test(copy_of_the_rekey_frame_after_rekey),
        cmocka_unit_test(anything_else_on_both_wires),
        cmocka_unit_test(a_record_of_a_session_over_tcp),
        cmocka_unit_test(hello_ack_of_the_other_wire_while_pending),
        cmocka_unit_test(another_version_than_the_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
