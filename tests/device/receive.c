/* The receive call of the C core: it reads frame by frame until a message is whole, and each read counts. */
#include <string.h>

#include "device/inside.h"

#define FRAGMENTS_MAX 4u
#define SALT_SIZE STRICT_KEY_SIZE
#define CONTROL_ROOM 32u

void strict_receive_begin(struct strict_device *device)
{
    device->operation = STRICT_READING;
    device->reads = 0;
    device->control_frames = 0;
    device->fragments = 0;
    device->incoming_size = 0;
    strict_receive_next(device);
}

static bool in_strict_order(const struct strict_device *device)
{
    return device->transport == STRICT_TCP || device->era->version == 1;
}

/* The call returns an error. Behind one nothing fits any more over TCP and on wire 1. */
static void fail(struct strict_device *device, enum strict_end end)
{
    if (in_strict_order(device) || device->port->gives_up_on_failure)
        strict_die(device, end);
    else
        strict_end_operation(device, STRICT_NOTHING);
}

static void drop_or_fail(struct strict_device *device, enum strict_end end)
{
    if (device->transport == STRICT_UDP && device->era->drops_misfits)
        strict_receive_next(device);
    else
        fail(device, end);
}

void strict_receive_next(struct strict_device *device)
{
    if (device->era->reads_max > 0 && device->reads == device->era->reads_max) {
        if (device->fragments > 0 && device->era->spent_reads_end)
            strict_die(device, STRICT_END_READS_SPENT);
        else
            strict_end_operation(device, STRICT_NOTHING);
        return;
    }
    device->reads++;
    uint64_t wait = device->transport == STRICT_TCP ? device->era->stall_max : device->era->read_wait;
    device->read_deadline = wait == 0 ? STRICT_NEVER : device->now + wait;
}

void strict_receive_rubbish(struct strict_device *device)
{
    if (in_strict_order(device))
        strict_die(device, STRICT_END_BAD_FRAME);
    else
        strict_receive_next(device);
}

void strict_receive_after_control(struct strict_device *device)
{
    if (++device->control_frames > device->era->control_frames_max)
        strict_die(device, STRICT_END_CONTROL_FRAMES);
    else if (!strict_device_has_input(device, device->now))
        strict_end_operation(device, STRICT_NOTHING);
    else
        strict_receive_next(device);
}

static void take_salt(struct strict_device *device, const uint8_t *salt, size_t size)
{
    if (size != SALT_SIZE) {
        fail(device, STRICT_END_UNEXPECTED_FRAME);
        return;
    }
    struct strict_session_keys theirs;
    memcpy(theirs.send, device->keys.receive, sizeof theirs.send);
    memcpy(theirs.receive, device->keys.send, sizeof theirs.receive);
    strict_session_keys_renew(&theirs, salt, device->session_id);
    memcpy(device->keys.send, theirs.receive, sizeof theirs.receive);
    memcpy(device->keys.receive, theirs.send, sizeof theirs.send);
    strict_wipe(&theirs, sizeof theirs);
    device->next_seq = 0;
    device->window = (struct strict_window){0};
    strict_receive_after_control(device);
}

static void take_data(struct strict_device *device, const struct strict_frame *frame, const uint8_t *plain, size_t size)
{
    if (device->fragments > 0 && frame->seq != device->next_fragment) {
        fail(device, STRICT_END_OUT_OF_ORDER);
        return;
    }
    device->next_fragment = frame->seq + 1;
    device->fragments++;
    if (size > 0)
        memcpy(device->incoming + device->incoming_size, plain, size);
    device->incoming_size += size;
    if (frame->type == STRICT_TYPE_DATA)
        strict_end_operation(device, STRICT_MESSAGE);
    else if (device->fragments == FRAGMENTS_MAX)
        fail(device, STRICT_END_TOO_LONG);
    else
        strict_receive_next(device);
}

static void take_opened(struct strict_device *device, const struct strict_frame *frame, const uint8_t *plain,
                        size_t size)
{
    switch (frame->type) {
    case STRICT_TYPE_PING:
        strict_transmit_sealed(device, STRICT_TYPE_PONG, NULL, 0);
        break;
    case STRICT_TYPE_PONG:
        strict_receive_after_control(device);
        break;
    case STRICT_TYPE_BYE:
        strict_die(device, STRICT_END_BYE);
        break;
    case STRICT_TYPE_REKEY:
        take_salt(device, plain, size);
        break;
    default:
        take_data(device, frame, plain, size);
        break;
    }
}

static bool is_data(uint8_t type)
{
    return type == STRICT_TYPE_DATA || type == STRICT_TYPE_DATA_FRAG;
}

static bool is_control(const struct strict_device *device, uint8_t type)
{
    return type == STRICT_TYPE_PING || type == STRICT_TYPE_PONG || type == STRICT_TYPE_BYE ||
           (type == STRICT_TYPE_REKEY && device->era->has_rekey);
}

/* False: it has been dropped, or the call has failed. */
static bool fits(struct strict_device *device, const struct strict_frame *frame)
{
    size_t room = is_data(frame->type) ? device->port->buffer_size - device->incoming_size : CONTROL_ROOM;
    if (!is_data(frame->type) && (!is_control(device, frame->type) || device->incoming_size > 0))
        drop_or_fail(device, STRICT_END_UNEXPECTED_FRAME);
    else if (frame->size < STRICT_SEALED_EXTRA)
        drop_or_fail(device, STRICT_END_BAD_FRAME);
    else if (frame->size - STRICT_SEALED_EXTRA > room)
        drop_or_fail(device, STRICT_END_TOO_LONG);
    else
        return true;
    return false;
}

void strict_receive_frame(struct strict_device *device, const struct strict_frame *frame)
{
    uint8_t plain[STRICT_PAYLOAD_MAX];
    if (frame->seq == UINT32_MAX) {
        strict_die(device, STRICT_END_SEQ_SPENT);
        return;
    }
    if (!in_strict_order(device) && strict_window_had(&device->window, frame->seq)) {
        strict_receive_next(device);
        return;
    }
    if (!fits(device, frame))
        return;
    if (!strict_open(device->cipher, device->keys.receive, device->session_id, frame->seq, frame->header,
                     STRICT_AAD_SIZE, frame->payload, frame->size, plain)) {
        strict_receive_rubbish(device);
        return;
    }
    if (in_strict_order(device) && frame->seq != device->window.next) {
        strict_die(device, STRICT_END_OUT_OF_ORDER);
        return;
    }
    device->window.next++;
    strict_window_note(&device->window, frame->seq);
    strict_tell_frame(device, STRICT_OPENED, frame->type, frame->seq);
    take_opened(device, frame, plain, frame->size - STRICT_SEALED_EXTRA);
    strict_wipe(plain, sizeof plain);
}
