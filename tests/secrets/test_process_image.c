/* Secrets in the memory of a running usmpd (docs/security.md rule 5): in locked pages while they are used, and nowhere
 * once they are not. Looked for in every mapping of the process, at each stage of its life. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <unistd.h>

#include <usmp/device.h>
#include <usmp/keys.h>

#include "crypto/hkdf.h"
#include "crypto/hmac.h"
#include "crypto/random.h"
#include "crypto/start.h"
#include "crypto/x25519.h"
#include "secrets/gateway_process.h"
#include "secrets/secret.h"
#include "worker/socket_device.h"

#define DEVICES 4u
#define TURNS 6000
#define TURN 2000          /* microseconds */
#define LINGERING 18000000 /* microseconds: the 15 s of docs/protocol.md section 3, and some */

struct bench {
    struct gateway_process gateway;
    struct process_image image;
    struct secret psks[DEVICES];
    char hex[DEVICES][65];
    uint8_t private_key[USMP_PRIVATE_KEY_SIZE]; /* of the device that is connecting */
};

static const char *const ids[DEVICES] = {"02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03",
                                         "02:00:00:00:00:04"};

/* Stages. */

static void look(struct bench *bench)
{
    process_image_free(&bench->image);
    if (!process_image_read(bench->gateway.pid, &bench->image))
        skip();
}

static void expect_nowhere(const struct bench *bench, const struct secret *secret)
{
    struct process_image_places places = secret_find(&bench->image, secret);
    if (places.unguarded > 0 || places.guarded > 0)
        fail_msg("%s: %u times in locked memory, %u times elsewhere: %s", secret->name, places.guarded,
                 places.unguarded, places.where);
}

static void expect_guarded(const struct bench *bench, const char *name, const struct process_image_places *places)
{
    (void)bench;
    if (places->unguarded > 0)
        fail_msg("%s: %u times outside of locked memory: %s", name, places->unguarded, places->where);
    if (places->guarded == 0)
        fail_msg("%s is in use, and is not found", name);
}

static void expect_in_use(const struct bench *bench, const struct secret *secret)
{
    const struct process_image_places places = secret_find(&bench->image, secret);
    expect_guarded(bench, secret->name, &places);
}

static void expect_states_in_use(const struct bench *bench, const struct secret *secret)
{
    const struct process_image_places places = secret_find_states(&bench->image, secret);
    expect_guarded(bench, secret->name, &places);
}

static void expect_no_states(const struct bench *bench, const struct secret *secret)
{
    struct process_image_places places = secret_find_states(&bench->image, secret);
    if (places.unguarded > 0 || places.guarded > 0)
        fail_msg("HMAC states of %s: %u times in locked memory, %u times elsewhere: %s", secret->name, places.guarded,
                 places.unguarded, places.where);
}

static void new_psk(struct bench *bench, unsigned device)
{
    uint8_t bytes[32];
    crypto_random(bytes, sizeof bytes);
    bench->psks[device] = secret_of("a PSK", bytes, sizeof bytes);
    for (size_t index = 0; index < sizeof bytes; index++)
        snprintf(bench->hex[device] + 2 * index, 3, "%02x", bytes[index]);
}

static void write_registry(const struct bench *bench, unsigned devices)
{
    char text[1024] = "devices:\n";
    for (unsigned device = 0; device < devices; device++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "  '%s': {psk_hex: '%s'%s}\n", ids[device], bench->hex[device],
                 device == 1 ? ", cipher: chacha20-poly1305" : ", v1_downlink: true");
    }
    gateway_process_write(&bench->gateway, "devices.yaml", text);
}

/* Devices. */

static void turn(struct socket_device *device)
{
    socket_device_turn(device);
    usleep(TURN);
}

/* `psk` of socket_device_begin() is text; a random one is put in its place before anything but HELLO has left. */
static void connect_device(struct bench *bench, struct socket_device *device, unsigned number,
                           enum usmp_transport transport, unsigned wire)
{
    socket_device_begin(device, transport, wire, ids[number], "put in place below", bench->gateway.host,
                        bench->gateway.port);
    usmp_psk_init(&device->end.start.psk, bench->psks[number].bytes, bench->psks[number].size);
    if (number == 1)
        device->end.start.cipher = USMP_CIPHER_CHACHA20_POLY1305;
    memcpy(bench->private_key, device->end.start.private_key, sizeof bench->private_key);
    for (int turns = 0; turns < TURNS && !socket_device_is_connected(device); turns++)
        turn(device);
    assert_true(socket_device_is_connected(device));
}

static void send_message(struct socket_device *device)
{
    size_t before = device->sent;
    socket_device_send(device, "a message", 9);
    for (int turns = 0; turns < TURNS && device->sent == before; turns++)
        turn(device);
    assert_true(device->sent > before);
}

static void rekey(struct socket_device *device)
{
    uint8_t salt[USMP_REKEY_SALT_SIZE];
    crypto_random(salt, sizeof salt);
    struct usmp_keys before = device->end.session.keys;
    enum usmp_send_verdict verdict = usmp_session_rekey(&device->end.session, salt, 0);
    assert_true(verdict == USMP_SEND_STARTED || verdict == USMP_SEND_WRITTEN);
    for (int turns = 0; turns < TURNS && memcmp(&before, &device->end.session.keys, sizeof before) == 0; turns++)
        turn(device);
    assert_memory_not_equal(&before, &device->end.session.keys, sizeof before);
    send_message(device); /* the gateway sees that the device has the new keys */
    for (int turns = 0; turns < 50; turns++)
        turn(device);
}

static void say_bye(struct socket_device *device)
{
    socket_device_say_bye(device);
    for (int turns = 0; turns < 50; turns++)
        turn(device);
    socket_device_end(device);
    usleep(50 * TURN);
}

struct session_secrets {
    struct secret to_gateway;
    struct secret to_device;
    struct secret shared;       /* what X25519 gave */
    struct secret pseudorandom; /* what HKDF made of it first */
};

static struct session_secrets secrets_of(const struct bench *bench, const struct socket_device *device)
{
    const struct usmp_device *end = &device->end;
    uint8_t shared[CRYPTO_X25519_SIZE];
    assert_int_equal(crypto_x25519_shared(bench->private_key, end->challenge.public_key, shared), CRYPTO_X25519_AGREED);
    struct crypto_hmac_key salt;
    uint8_t pseudorandom[CRYPTO_HMAC_SIZE];
    const struct crypto_part part = {shared, sizeof shared};
    crypto_hmac_key_init(&salt, end->challenge.nonce, sizeof end->challenge.nonce);
    crypto_hmac(&salt, &part, 1, pseudorandom);
    return (struct session_secrets){
        .to_gateway = secret_of("the key of a device's frames", end->session.keys.device_to_gateway, USMP_KEY_SIZE),
        .to_device = secret_of("the key of frames to a device", end->session.keys.gateway_to_device, USMP_KEY_SIZE),
        .shared = secret_of("the shared secret of a handshake", shared, sizeof shared),
        .pseudorandom = secret_of("the key of a derivation", pseudorandom, sizeof pseudorandom),
    };
}

static void expect_session(struct bench *bench, const struct session_secrets *secrets)
{
    look(bench);
    expect_in_use(bench, &secrets->to_gateway);
    expect_in_use(bench, &secrets->to_device);
    expect_nowhere(bench, &secrets->shared);
    expect_nowhere(bench, &secrets->pseudorandom);
    expect_no_states(bench, &secrets->pseudorandom);
}

static void expect_session_gone(struct bench *bench, const struct session_secrets *secrets)
{
    look(bench);
    const struct secret *all[] = {&secrets->to_gateway, &secrets->to_device, &secrets->shared, &secrets->pseudorandom};
    for (size_t index = 0; index < sizeof all / sizeof *all; index++) {
        expect_nowhere(bench, all[index]);
        expect_no_states(bench, all[index]);
    }
}

/* Tests. */

static int set_up(void **state)
{
    static struct bench bench;
    if (crypto_start() != CRYPTO_STARTED)
        return -1;
    bench = (struct bench){0};
    for (unsigned device = 0; device < DEVICES; device++)
        new_psk(&bench, device);
    gateway_process_prepare(&bench.gateway, "");
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    process_image_free(&bench->image);
    gateway_process_clean_up(&bench->gateway);
    return 0;
}

static void test_psks_are_kept_as_what_hmac_makes_of_them(void **state)
{
    struct bench *bench = *state;
    write_registry(bench, DEVICES);
    gateway_process_start(&bench->gateway, NULL);
    look(bench);
    for (unsigned device = 0; device < DEVICES; device++) {
        expect_nowhere(bench, &bench->psks[device]);
        expect_states_in_use(bench, &bench->psks[device]);
    }
}

static void test_a_master_secret_is_in_locked_memory_only(void **state)
{
    struct bench *bench = *state;
    uint8_t bytes[48];
    char text[65];
    char variable[128];
    crypto_random(bytes, sizeof bytes);
    for (size_t index = 0; index < 64; index++)
        text[index] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[bytes[index % 48] % 64];
    text[64] = '\0';
    snprintf(variable, sizeof variable, "USMPD_TEST_MASTER=%s", text);
    const struct secret master = secret_of("the master secret", text, 64);
    gateway_process_clean_up(&bench->gateway);
    gateway_process_prepare(&bench->gateway, "psk: {master_secret: {env: USMPD_TEST_MASTER}}\n");
    write_registry(bench, 1);
    gateway_process_start(&bench->gateway, variable);

    /* It is looked at again at each reload, so it is kept; the PSK of a device is made for each handshake. */
    uint8_t id[USMP_DEVICE_ID_SIZE] = {2, 0, 0, 0, 0, 4};
    struct crypto_hmac_key key;
    const struct crypto_part part = {id, sizeof id};
    uint8_t psk[CRYPTO_HMAC_SIZE];
    crypto_hmac_key_init(&key, text, 64);
    crypto_hmac(&key, &part, 1, psk);
    bench->psks[3] = secret_of("a derived PSK", psk, sizeof psk);
    struct socket_device device;
    connect_device(bench, &device, 3, USMP_UDP, 2);
    send_message(&device);
    look(bench);
    expect_states_in_use(bench, &master);
    struct process_image_places places = secret_find(&bench->image, &master);
    if (places.unguarded > 0)
        fail_msg("the master secret: %s", places.where);
    expect_nowhere(bench, &bench->psks[3]);
    expect_no_states(bench, &bench->psks[3]);
    say_bye(&device);
}

/* A handshake that has come as far as CHALLENGE. */
static void test_an_ephemeral_key_lasts_as_long_as_its_handshake(void **state)
{
    struct bench *bench = *state;
    write_registry(bench, DEVICES);
    gateway_process_start(&bench->gateway, NULL);
    struct socket_device device;
    socket_device_begin(&device, USMP_TCP, 2, ids[0], "the key does not matter yet", bench->gateway.host,
                        bench->gateway.port);
    uint8_t bytes[USMP_CHALLENGE_FRAME];
    assert_int_equal(recv(device.descriptor, bytes, sizeof bytes, MSG_WAITALL), sizeof bytes);
    struct usmp_frame frame;
    struct usmp_challenge challenge;
    assert_int_equal(usmp_frame_parse_datagram(bytes, sizeof bytes, &frame), USMP_FRAME_COMPLETE);
    assert_true(usmp_challenge_read(&frame, &challenge));
    look(bench);
    struct process_image_places during = {0};
    process_image_find_private_key(&bench->image, challenge.public_key, &during);
    expect_guarded(bench, "an ephemeral key", &during);

    socket_device_end(&device);
    usleep(100 * TURN);
    look(bench);
    struct process_image_places after = {0};
    process_image_find_private_key(&bench->image, challenge.public_key, &after);
    assert_int_equal(after.guarded, 0);
    assert_int_equal(after.unguarded, 0);

    connect_device(bench, &device, 0, USMP_UDP, 2);
    look(bench);
    struct process_image_places used = {0};
    process_image_find_private_key(&bench->image, device.end.challenge.public_key, &used);
    assert_int_equal(used.guarded, 0);
    assert_int_equal(used.unguarded, 0);
    say_bye(&device);
}

static struct session_secrets run_session(struct bench *bench, unsigned number, enum usmp_transport transport,
                                          unsigned wire)
{
    struct socket_device device;
    connect_device(bench, &device, number, transport, wire);
    send_message(&device);
    struct session_secrets first = secrets_of(bench, &device);
    expect_session(bench, &first);
    if (wire == 2) {
        rekey(&device);
        expect_session_gone(bench, &first);
        struct session_secrets second = secrets_of(bench, &device);
        expect_session(bench, &second);
        first = second;
    }
    say_bye(&device);
    return first;
}

static void test_session_keys_over_tcp(void **state)
{
    struct bench *bench = *state;
    write_registry(bench, DEVICES);
    gateway_process_start(&bench->gateway, NULL);
    for (unsigned number = 0; number < 3; number++) {
        struct session_secrets secrets = run_session(bench, number, USMP_TCP, number == 2 ? 1 : 2);
        expect_session_gone(bench, &secrets);
    }
}

static void test_session_keys_over_udp(void **state)
{
    struct bench *bench = *state;
    write_registry(bench, DEVICES);
    gateway_process_start(&bench->gateway, NULL);
    struct session_secrets secrets[3];
    for (unsigned number = 0; number < 3; number++)
        secrets[number] = run_session(bench, number, USMP_UDP, number == 2 ? 1 : 2);
    usleep(LINGERING); /* copies of a BYE are answered, with the session's key */
    for (unsigned number = 0; number < 3; number++)
        expect_session_gone(bench, &secrets[number]);
}

static void test_a_reload_drops_what_it_replaces(void **state)
{
    struct bench *bench = *state;
    write_registry(bench, DEVICES);
    gateway_process_start(&bench->gateway, NULL);
    struct socket_device devices[2];
    struct session_secrets sessions[2];
    for (unsigned number = 0; number < 2; number++) {
        connect_device(bench, &devices[number], number, USMP_TCP, 2);
        send_message(&devices[number]);
        sessions[number] = secrets_of(bench, &devices[number]);
    }
    const struct secret replaced = bench->psks[0];
    const struct secret removed = bench->psks[DEVICES - 1];
    new_psk(bench, 0);
    write_registry(bench, DEVICES - 1);
    gateway_process_reload(&bench->gateway);
    usleep(100 * TURN);
    expect_session_gone(bench, &sessions[0]);
    expect_session(bench, &sessions[1]);
    expect_nowhere(bench, &replaced);
    expect_no_states(bench, &replaced);
    expect_nowhere(bench, &removed);
    expect_no_states(bench, &removed);
    expect_nowhere(bench, &bench->psks[0]);
    expect_states_in_use(bench, &bench->psks[0]);
    for (unsigned number = 0; number < 2; number++)
        socket_device_end(&devices[number]);
}

static void test_nothing_is_left_at_the_end(void **state)
{
    struct bench *bench = *state;
    write_registry(bench, DEVICES);
    gateway_process_start(&bench->gateway, NULL);
    struct socket_device devices[3];
    struct session_secrets sessions[3];
    for (unsigned number = 0; number < 3; number++) {
        connect_device(bench, &devices[number], number, number == 1 ? USMP_TCP : USMP_UDP, 2);
        send_message(&devices[number]);
        sessions[number] = secrets_of(bench, &devices[number]);
    }
    process_image_free(&bench->image);
    if (!gateway_process_stop(&bench->gateway, &bench->image))
        skip();
    for (unsigned number = 0; number < DEVICES; number++) {
        expect_nowhere(bench, &bench->psks[number]);
        expect_no_states(bench, &bench->psks[number]);
    }
    for (unsigned number = 0; number < 3; number++) {
        expect_nowhere(bench, &sessions[number].to_gateway);
        expect_nowhere(bench, &sessions[number].to_device);
        expect_no_states(bench, &sessions[number].to_gateway);
        expect_no_states(bench, &sessions[number].to_device);
        socket_device_end(&devices[number]);
    }
}

/* What is searched with does find: a secret that is certainly there. */
static void test_what_is_there_is_found(void **state)
{
    struct bench *bench = *state;
    write_registry(bench, 1);
    gateway_process_start(&bench->gateway, "USMPD_TEST_NOTHING=this text is not a secret, and stays");
    look(bench);
    const struct secret seen = secret_of("a text", "this text is not a secret, and s", 32);
    struct process_image_places places = secret_find(&bench->image, &seen);
    assert_true(places.unguarded > 0);
    assert_int_equal(places.guarded, 0);
    assert_string_not_equal(places.where, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_there_is_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_psks_are_kept_as_what_hmac_makes_of_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_master_secret_is_in_locked_memory_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_ephemeral_key_lasts_as_long_as_its_handshake, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_session_keys_over_tcp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_session_keys_over_udp, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_reload_drops_what_it_replaces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_is_left_at_the_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
