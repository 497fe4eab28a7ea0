#include "gateway/simulated_device.h"

#include <string.h>

#include <usmp/frame.h>
#include <usmp/psk.h>

#include "gateway/random_numbers.h"
#include "gateway/require.h"
#include "gateway/world.h"

void byte_buffer_append(struct byte_buffer *buffer, const uint8_t *bytes, size_t size)
{
    if (buffer->size + size > buffer->capacity) {
        buffer->capacity = (buffer->size + size) * 2;
        buffer->bytes = realloc(buffer->bytes, buffer->capacity);
        require(buffer->bytes != NULL);
    }
    if (size > 0)
        memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
}

void byte_buffer_consume(struct byte_buffer *buffer, size_t size)
{
    require(size <= buffer->size);
    buffer->size -= size;
    if (buffer->size > 0)
        memmove(buffer->bytes, buffer->bytes + size, buffer->size);
}

static void byte_buffer_free(struct byte_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct byte_buffer){0};
}

static void messages_add(struct device_messages *messages, const void *bytes, size_t size)
{
    struct device_message *message = malloc(sizeof *message + size);
    require(message != NULL);
    message->size = size;
    message->next = NULL;
    if (size > 0)
        memcpy(message->bytes, bytes, size);
    if (messages->end == NULL)
        messages->end = &messages->first;
    *messages->end = message;
    messages->end = &message->next;
    messages->count++;
}

void device_messages_drop_first(struct device_messages *messages)
{
    struct device_message *first = messages->first;
    messages->first = first->next;
    if (messages->first == NULL)
        messages->end = &messages->first;
    messages->count--;
    free(first);
}

/* What libusmp asks of the owner of a session. */

static void send_frame(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                       size_t size)
{
    struct simulated_device *device = context;
    (void)session;
    (void)kind;
    if (device->silent)
        return;
    if (device->transport == USMP_TCP)
        byte_buffer_append(&device->outgoing, bytes, size);
    else
        world_carry(device->world, true, &device->path, bytes, size);
}

static void *take_block(void *context, enum usmp_block block)
{
    static const size_t sizes[] = {[USMP_BLOCK_MESSAGE] = USMP_MESSAGE_MAX,
                                   [USMP_BLOCK_REKEY] = sizeof(struct usmp_rekey_record),
                                   [USMP_BLOCK_REFLECTED] = sizeof(struct usmp_sent_tags)};
    (void)context;
    void *bytes = calloc(1, sizes[block]);
    require(bytes != NULL);
    return bytes;
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    (void)context;
    (void)block;
    free(bytes);
}

static uint64_t now_of(const struct simulated_device *device)
{
    return device->world->now.monotonic;
}

void simulated_device_begin(struct simulated_device *device, enum usmp_cipher cipher, const char *psk,
                            uint64_t give_up_after)
{
    device->owner =
        (struct usmp_session_owner){.context = device, .send = send_frame, .take = take_block, .give = give_block};
    device->last_heard = now_of(device);
    struct usmp_device_start start = {.transport = device->transport,
                                      .version = (uint8_t)device->wire,
                                      .cipher = cipher,
                                      .give_up_after = give_up_after};
    memcpy(start.device_id, device->id, sizeof start.device_id);
    random_fill(&device->world->numbers, start.private_key, sizeof start.private_key);
    usmp_psk_init(&start.psk, psk, strlen(psk));
    usmp_device_begin(&device->end, &device->owner, device, &start, now_of(device));
}

void device_messages_clear(struct device_messages *messages)
{
    while (messages->first != NULL)
        device_messages_drop_first(messages);
}

void simulated_device_end(struct simulated_device *device)
{
    usmp_device_wipe(&device->end);
    device_messages_clear(&device->to_send);
    device_messages_clear(&device->sent);
    device_messages_clear(&device->received);
    byte_buffer_free(&device->outgoing);
    byte_buffer_free(&device->kept);
    byte_buffer_free(&device->incoming);
}

bool simulated_device_is_connected(const struct simulated_device *device)
{
    return !device->over && device->end.state == USMP_DEVICE_CONNECTED &&
           device->end.session.state == USMP_SESSION_LIVE;
}

static void message_is_done(struct simulated_device *device)
{
    device->sending = false;
    device->acknowledged++;
    messages_add(&device->sent, device->to_send.first->bytes, device->to_send.first->size);
    device_messages_drop_first(&device->to_send);
}

static void send_what_may_leave(struct simulated_device *device)
{
    while (simulated_device_is_connected(device) && device->to_send.first != NULL && !device->sending &&
           usmp_session_can_send(&device->end.session)) {
        const struct device_message *message = device->to_send.first;
        enum usmp_send_verdict verdict =
            usmp_session_send(&device->end.session, message->bytes, message->size, now_of(device));
        require(verdict == USMP_SEND_STARTED || verdict == USMP_SEND_WRITTEN);
        device->sending = true;
        if (verdict == USMP_SEND_WRITTEN)
            message_is_done(device);
    }
}

void simulated_device_send(struct simulated_device *device, const void *bytes, size_t size)
{
    require(size <= USMP_MESSAGE_MAX);
    messages_add(&device->to_send, bytes, size);
    send_what_may_leave(device);
}

static void take_offer(struct simulated_device *device)
{
    struct usmp_session *session = &device->end.session;
    if (device->refuses) {
        usmp_session_refuse(session);
        return;
    }
    messages_add(&device->received, session->offer.bytes, session->offer.size);
    usmp_session_accept(session, now_of(device));
}

static void act(struct simulated_device *device, enum usmp_session_verdict verdict)
{
    switch (verdict) {
    case USMP_SESSION_OFFER:
        take_offer(device);
        break;
    case USMP_SESSION_SENT:
        message_is_done(device);
        break;
    case USMP_SESSION_OVER:
        device->over = true;
        break;
    default:
        break;
    }
}

static void go_on(struct simulated_device *device)
{
    act(device, usmp_device_advance(&device->end, now_of(device)));
    send_what_may_leave(device);
}

static void receive_frame(struct simulated_device *device, const struct usmp_frame *frame)
{
    uint8_t scratch[USMP_PLAINTEXT_MAX];
    device->frames_heard[frame->type]++;
    if (usmp_type_is_encrypted(frame->type))
        device->encrypted_heard++;
    act(device, usmp_device_receive(&device->end, frame, scratch, now_of(device)));
}

void simulated_device_datagram(struct simulated_device *device, const uint8_t *bytes, size_t size)
{
    if (device->silent)
        return;
    device->last_heard = now_of(device);
    if (device->behind != NULL) {
        device->behind->datagram(device->behind_context, bytes, size);
        return;
    }
    if (device->bare) {
        messages_add(&device->received, bytes, size);
        return;
    }
    struct usmp_frame frame;
    if (size >= USMP_UTACK_PLAIN_SIZE && bytes[0] == USMP_UTACK_MAGIC && bytes[1] == USMP_UTACK_MAGIC) {
        device->utacks_heard[bytes[2]]++;
        act(device, usmp_device_receive_utack(&device->end, bytes, size, now_of(device)));
    } else if (usmp_frame_parse_datagram(bytes, size, &frame) == USMP_FRAME_COMPLETE) {
        receive_frame(device, &frame);
    }
    go_on(device);
}

void simulated_device_read(struct simulated_device *device)
{
    struct usmp_frame frame;
    size_t total;
    if (device->behind != NULL && !device->silent)
        byte_buffer_consume(&device->incoming, device->behind->stream(device->behind_context, device->incoming.bytes,
                                                                      device->incoming.size));
    if (device->bare)
        return;
    while (!device->silent && !device->over && device->incoming.size > 0) {
        device->last_heard = now_of(device);
        enum usmp_frame_verdict verdict =
            usmp_frame_parse(device->incoming.bytes, device->incoming.size, &frame, &total);
        if (verdict == USMP_FRAME_INCOMPLETE)
            break;
        require(verdict == USMP_FRAME_COMPLETE);
        receive_frame(device, &frame);
        byte_buffer_consume(&device->incoming, total);
    }
    go_on(device);
}

uint64_t simulated_device_deadline(const struct simulated_device *device)
{
    if (device->silent || device->over)
        return UINT64_MAX;
    if (device->behind != NULL)
        return device->behind->deadline(device->behind_context);
    return device->bare ? UINT64_MAX : usmp_device_deadline(&device->end);
}

void simulated_device_advance(struct simulated_device *device)
{
    if (device->behind != NULL)
        device->behind->advance(device->behind_context);
    else
        go_on(device);
}

void simulated_device_ping(struct simulated_device *device)
{
    enum usmp_send_verdict verdict = usmp_session_ping(&device->end.session, now_of(device));
    require(verdict == USMP_SEND_STARTED || verdict == USMP_SEND_WRITTEN);
}

void simulated_device_rekey(struct simulated_device *device)
{
    uint8_t salt[USMP_REKEY_SALT_SIZE];
    random_fill(&device->world->numbers, salt, sizeof salt);
    enum usmp_send_verdict verdict = usmp_session_rekey(&device->end.session, salt, now_of(device));
    require(verdict == USMP_SEND_STARTED || verdict == USMP_SEND_WRITTEN);
}

void simulated_device_close(struct simulated_device *device)
{
    usmp_session_close(&device->end.session, now_of(device));
    if (device->end.session.state == USMP_SESSION_ENDED)
        device->over = true;
}
