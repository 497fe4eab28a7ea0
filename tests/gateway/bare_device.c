#include "gateway/bare_device.h"

#include <string.h>

#include <usmp/handshake_hmac.h>

#include "config/device_id.h"
#include "gateway/expect.h"

struct bare_device bare_device(struct world *world, enum usmp_transport transport, unsigned wire, const char *id,
                               const char *psk, const char *address)
{
    struct bare_device device = {
        .port = world_connect_bare(world, transport, address), .wire = wire, .suite = USMP_AES_256_GCM};
    assert_true(config_device_id_parse(id, device.id));
    usmp_psk_init(&device.psk, psk, strlen(psk));
    bare_restart(&device);
    return device;
}

void bare_restart(struct bare_device *device)
{
    random_fill(&device->port->world->numbers, device->private_key, sizeof device->private_key);
    usmp_public_key(device->private_key, device->public_key);
}

static bool is_udp(const struct bare_device *device)
{
    return device->port->transport == USMP_UDP;
}

void bare_send(struct bare_device *device, const uint8_t *bytes, size_t size)
{
    memmove(device->last, bytes, size);
    device->last_size = size;
    if (is_udp(device))
        world_carry(device->port->world, true, &device->port->path, bytes, size);
    else
        world_stream_bytes(device->port, bytes, size);
    world_settle(device->port->world);
}

void bare_repeat(struct bare_device *device)
{
    bare_send(device, device->last, device->last_size);
}

void bare_hello(struct bare_device *device, uint32_t seq, const uint8_t *cookie)
{
    struct usmp_hello hello = {.has_cookie = cookie != NULL};
    memcpy(hello.device_id, device->id, sizeof hello.device_id);
    memcpy(hello.public_key, device->public_key, sizeof hello.public_key);
    if (cookie != NULL)
        memcpy(hello.cookie, cookie, sizeof hello.cookie);
    uint8_t frame[USMP_HELLO_COOKIE_FRAME];
    bare_send(device, frame, usmp_hello_write((uint8_t)device->wire, seq, &hello, frame));
}

static struct usmp_transcript transcript_of(const struct bare_device *device)
{
    struct usmp_transcript transcript = {.version = (uint8_t)device->wire};
    memcpy(transcript.nonce, device->challenge.nonce, sizeof transcript.nonce);
    memcpy(transcript.device_public, device->public_key, sizeof transcript.device_public);
    memcpy(transcript.gateway_public, device->challenge.public_key, sizeof transcript.gateway_public);
    return transcript;
}

static void send_hello_ack(struct bare_device *device, uint32_t seq, bool right)
{
    struct usmp_transcript transcript = transcript_of(device);
    struct usmp_hello_ack hello_ack;
    usmp_device_hmac(&device->psk, &transcript, device->id, hello_ack.hmac);
    hello_ack.hmac[0] ^= right ? 0 : 1;
    uint8_t frame[USMP_HELLO_ACK_FRAME];
    bare_send(device, frame, usmp_hello_ack_write((uint8_t)device->wire, seq, &hello_ack, frame));
}

void bare_hello_ack(struct bare_device *device, uint32_t seq)
{
    send_hello_ack(device, seq, true);
}

void bare_wrong_hello_ack(struct bare_device *device, uint32_t seq)
{
    send_hello_ack(device, seq, false);
}

void bare_record(struct bare_device *device, uint8_t type, uint32_t seq, const void *plaintext, size_t size)
{
    const struct usmp_record_context context = {device->keys.device_to_gateway, device->session_ok.session_id,
                                                device->suite};
    uint8_t frame[USMP_FRAME_MAX];
    bare_send(device, frame, usmp_record_seal(&context, (uint8_t)device->wire, type, seq, plaintext, size, frame));
}

void bare_utack(struct bare_device *device, uint8_t type, uint32_t seq, bool keyed)
{
    uint8_t utack[USMP_UTACK_KEYED_SIZE];
    struct usmp_utack_key key;
    usmp_utack_key_init(&key, device->keys.gateway_to_device);
    bare_send(device, utack,
              keyed ? usmp_utack_write_keyed(&key, type, seq, utack) : usmp_utack_write_plain(type, seq, utack));
}

/* The size of what came next, which is copied. */
static size_t take(struct bare_device *device, uint8_t bytes[SHARD_DATAGRAM_MAX])
{
    struct simulated_device *port = device->port;
    if (is_udp(device)) {
        assert_non_null(port->received.first);
        size_t size = port->received.first->size;
        memcpy(bytes, port->received.first->bytes, size);
        device_messages_drop_first(&port->received);
        return size;
    }
    struct usmp_frame frame;
    size_t size;
    assert_int_equal(usmp_frame_parse(port->incoming.bytes, port->incoming.size, &frame, &size), USMP_FRAME_COMPLETE);
    memcpy(bytes, port->incoming.bytes, size);
    byte_buffer_consume(&port->incoming, size);
    return size;
}

static struct usmp_frame take_frame(struct bare_device *device, uint8_t type, uint8_t bytes[SHARD_DATAGRAM_MAX])
{
    struct usmp_frame frame;
    size_t size = take(device, bytes);
    assert_int_equal(usmp_frame_parse_datagram(bytes, size, &frame), USMP_FRAME_COMPLETE);
    assert_int_equal(frame.type, type);
    assert_int_equal(frame.version, device->wire);
    return frame;
}

void bare_expect_frame(struct bare_device *device, uint8_t type, uint8_t *bytes)
{
    uint8_t buffer[SHARD_DATAGRAM_MAX];
    struct usmp_frame frame = take_frame(device, type, buffer);
    if (bytes != NULL)
        memcpy(bytes, frame.bytes, frame.size);
}

void bare_expect_challenge(struct bare_device *device)
{
    uint8_t bytes[SHARD_DATAGRAM_MAX];
    struct usmp_frame frame = take_frame(device, USMP_CHALLENGE, bytes);
    assert_int_equal(frame.seq, 0);
    assert_true(usmp_challenge_read(&frame, &device->challenge));
}

void bare_expect_session_ok(struct bare_device *device)
{
    uint8_t bytes[SHARD_DATAGRAM_MAX];
    struct usmp_frame frame = take_frame(device, USMP_SESSION_OK, bytes);
    assert_int_equal(frame.seq, 0);
    assert_true(usmp_session_ok_read(&frame, &device->session_ok));
    struct usmp_transcript transcript = transcript_of(device);
    assert_true(
        usmp_gateway_hmac_matches(&device->psk, &transcript, device->session_ok.session_id, device->session_ok.hmac));
    assert_int_equal(usmp_keys_derive(USMP_DEVICE, device->private_key, &transcript, &device->keys), USMP_KEYS_DERIVED);
}

void bare_expect_utack(struct bare_device *device, uint8_t type, uint32_t seq, bool keyed)
{
    uint8_t bytes[SHARD_DATAGRAM_MAX];
    size_t size = take(device, bytes);
    struct usmp_utack utack;
    assert_int_equal(size, keyed ? USMP_UTACK_KEYED_SIZE : USMP_UTACK_PLAIN_SIZE);
    assert_true(usmp_utack_read(bytes, size, &utack));
    assert_int_equal(utack.type, type);
    assert_int_equal(utack.seq, seq);
    if (keyed) {
        struct usmp_utack_key key;
        usmp_utack_key_init(&key, device->keys.device_to_gateway);
        assert_true(usmp_utack_is_authentic(&key, &utack));
    }
}

void bare_expect_record(struct bare_device *device, uint8_t type, uint32_t seq, const void *plaintext, size_t size)
{
    uint8_t bytes[SHARD_DATAGRAM_MAX];
    uint8_t opened[USMP_PLAINTEXT_MAX];
    size_t opened_size;
    struct usmp_frame frame = take_frame(device, type, bytes);
    assert_int_equal(frame.seq, seq);
    const struct usmp_record_context context = {device->keys.gateway_to_device, device->session_ok.session_id,
                                                device->suite};
    assert_int_equal(usmp_record_open(&context, &frame, opened, &opened_size), USMP_RECORD_OPENED);
    assert_int_equal(opened_size, size);
    if (size > 0)
        assert_memory_equal(opened, plaintext, size);
}

void bare_expect_silence(const struct bare_device *device)
{
    assert_int_equal(device->port->received.count, 0);
    assert_int_equal(device->port->incoming.size, 0);
}

void bare_expect_closed(const struct bare_device *device)
{
    bare_expect_silence(device);
    assert_true(device->port->stream_closed);
}

void bare_ignore(struct bare_device *device)
{
    device_messages_clear(&device->port->received);
    byte_buffer_consume(&device->port->incoming, device->port->incoming.size);
}

void bare_show_cookie(struct bare_device *device)
{
    uint8_t bytes[USMP_FRAME_MAX];
    struct usmp_frame frame;
    struct usmp_hello_retry retry;
    bare_expect_frame(device, USMP_HELLO_RETRY, bytes);
    assert_int_equal(usmp_frame_parse_datagram(bytes, USMP_HELLO_RETRY_FRAME, &frame), USMP_FRAME_COMPLETE);
    assert_true(usmp_hello_retry_read(&frame, &retry));
    bare_hello(device, 1, retry.cookie);
}

static void connect_from_challenge(struct bare_device *device, uint32_t hello_seq)
{
    if (is_udp(device))
        bare_expect_utack(device, USMP_HELLO, hello_seq, false);
    bare_expect_challenge(device);
    bare_hello_ack(device, 2);
    if (is_udp(device))
        bare_expect_utack(device, USMP_HELLO_ACK, 2, false);
    bare_expect_session_ok(device);
    if (is_udp(device))
        bare_utack(device, USMP_SESSION_OK, 0, false);
    bare_expect_silence(device);
}

void bare_connect(struct bare_device *device)
{
    bare_hello(device, 0, NULL);
    connect_from_challenge(device, 0);
}

void bare_connect_with_cookie(struct bare_device *device)
{
    bare_hello(device, 0, NULL);
    bare_show_cookie(device);
    connect_from_challenge(device, 1);
}
