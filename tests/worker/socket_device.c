#define _GNU_SOURCE
#include "worker/socket_device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <usmp/frame.h>
#include <usmp/psk.h>

#include "crypto/random.h"
#include "platform/clock.h"
#include "worker/tcp_client.h"
#include "worker/udp_client.h"

static void send_frame(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                       size_t size)
{
    const struct socket_device *device = context;
    (void)session;
    (void)kind;
    /* A gateway that has closed the connection is no failure of the test. */
    if (!device->silent && device->descriptor >= 0)
        (void)send(device->descriptor, bytes, size, MSG_NOSIGNAL);
}

static void *take_block(void *context, enum usmp_block block)
{
    static const size_t sizes[] = {[USMP_BLOCK_MESSAGE] = USMP_MESSAGE_MAX,
                                   [USMP_BLOCK_REKEY] = sizeof(struct usmp_rekey_record),
                                   [USMP_BLOCK_REFLECTED] = sizeof(struct usmp_sent_tags)};
    (void)context;
    return calloc(1, sizes[block]);
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    (void)context;
    (void)block;
    free(bytes);
}

static void parse_id(const char *text, uint8_t id[USMP_DEVICE_ID_SIZE])
{
    assert_int_equal(sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &id[0], &id[1], &id[2], &id[3], &id[4], &id[5]), 6);
}

void socket_device_begin(struct socket_device *device, enum usmp_transport transport, unsigned wire, const char *id,
                         const char *psk, const char *host, uint16_t port)
{
    *device = (struct socket_device){.transport = transport};
    device->owner =
        (struct usmp_session_owner){.context = device, .send = send_frame, .take = take_block, .give = give_block};
    device->descriptor = transport == USMP_TCP ? tcp_client_open(host, port) : udp_client_open(host, port);
    struct usmp_device_start start = {
        .transport = transport, .version = (uint8_t)wire, .cipher = USMP_CIPHER_AUTO, .give_up_after = 20000000};
    parse_id(id, start.device_id);
    crypto_random(start.private_key, sizeof start.private_key);
    usmp_psk_init(&start.psk, psk, strlen(psk));
    usmp_device_begin(&device->end, &device->owner, device, &start, clock_monotonic_us());
}

void socket_device_end(struct socket_device *device)
{
    usmp_device_wipe(&device->end);
    if (device->descriptor >= 0)
        assert_int_equal(close(device->descriptor), 0);
    device->descriptor = -1;
}

static void take_offer(struct socket_device *device)
{
    struct usmp_session *session = &device->end.session;
    if (device->received < SOCKET_DEVICE_RECEIVED_MAX) {
        size_t size = session->offer.size;
        device->sizes[device->received] = size;
        memcpy(device->texts[device->received], session->offer.bytes, size < 31 ? size : 31);
    }
    device->received++;
    usmp_session_accept(session, clock_monotonic_us());
}

static void act(struct socket_device *device, enum usmp_session_verdict verdict)
{
    if (verdict == USMP_SESSION_OFFER)
        take_offer(device);
    else if (verdict == USMP_SESSION_SENT)
        device->sent++;
    else if (verdict == USMP_SESSION_OVER)
        device->over = true;
}

static void take_frame(struct socket_device *device, const struct usmp_frame *frame)
{
    uint8_t scratch[USMP_PLAINTEXT_MAX];
    act(device, usmp_device_receive(&device->end, frame, scratch, clock_monotonic_us()));
}

static void read_stream(struct socket_device *device)
{
    ssize_t size = recv(device->descriptor, device->incoming + device->incoming_size,
                        sizeof device->incoming - device->incoming_size, MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno == ECONNRESET))
        device->stream_ended = true;
    if (size <= 0)
        return;
    device->incoming_size += (size_t)size;
    struct usmp_frame frame;
    size_t total;
    while (usmp_frame_parse(device->incoming, device->incoming_size, &frame, &total) == USMP_FRAME_COMPLETE) {
        take_frame(device, &frame);
        device->incoming_size -= total;
        memmove(device->incoming, device->incoming + total, device->incoming_size);
    }
}

static void read_datagrams(struct socket_device *device)
{
    uint8_t bytes[1024];
    ssize_t received;
    struct usmp_frame frame;
    while ((received = recv(device->descriptor, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        size_t size = (size_t)received;
        if (size >= USMP_UTACK_PLAIN_SIZE && bytes[0] == USMP_UTACK_MAGIC && bytes[1] == USMP_UTACK_MAGIC)
            act(device, usmp_device_receive_utack(&device->end, bytes, size, clock_monotonic_us()));
        else if (usmp_frame_parse_datagram(bytes, size, &frame) == USMP_FRAME_COMPLETE)
            take_frame(device, &frame);
    }
}

void socket_device_turn(struct socket_device *device)
{
    if (device->silent || device->descriptor < 0)
        return;
    if (device->transport == USMP_TCP)
        read_stream(device);
    else
        read_datagrams(device);
    act(device, usmp_device_advance(&device->end, clock_monotonic_us()));
}

bool socket_device_is_connected(const struct socket_device *device)
{
    return device->end.state == USMP_DEVICE_CONNECTED && device->end.session.state == USMP_SESSION_LIVE;
}

bool socket_device_can_send(const struct socket_device *device)
{
    return usmp_session_can_send(&device->end.session);
}

void socket_device_send(struct socket_device *device, const void *bytes, size_t size)
{
    enum usmp_send_verdict verdict = usmp_session_send(&device->end.session, bytes, size, clock_monotonic_us());
    assert_true(verdict == USMP_SEND_STARTED || verdict == USMP_SEND_WRITTEN);
    device->sent += verdict == USMP_SEND_WRITTEN;
}

void socket_device_say_bye(struct socket_device *device)
{
    usmp_session_close(&device->end.session, clock_monotonic_us());
}
