#include <string.h>

#include "device/inside.h"

static void consume(struct strict_device *device, size_t size)
{
    device->stream_size -= size;
    memmove(device->stream, device->stream + size, device->stream_size);
}

static void take(struct strict_device *device, const struct strict_frame *frame)
{
    if (device->operation == STRICT_HANDSHAKE)
        strict_handshake_frame(device, frame);
    else
        strict_receive_frame(device, frame);
}

bool strict_stream_step(struct strict_device *device)
{
    uint8_t bytes[STRICT_FRAME_MAX];
    struct strict_frame frame;
    size_t size = device->stream_size < STRICT_HEADER_SIZE ? 0 : strict_frame_announced(device->stream);
    if (size > sizeof bytes) {
        strict_die(device, STRICT_END_UNEXPECTED_FRAME);
        return false;
    }
    if (size == 0 || device->stream_size < size) {
        if (device->stream_closed)
            strict_die(device, STRICT_END_STREAM_CLOSED);
        return false;
    }
    memcpy(bytes, device->stream, size);
    consume(device, size);
    if (strict_frame_read(bytes, size, device->era->version, &frame))
        take(device, &frame);
    else
        strict_die(device, STRICT_END_BAD_FRAME);
    return true;
}

void strict_stream_stalled(struct strict_device *device)
{
    if (device->stream_size > 0)
        strict_die(device, STRICT_END_STALLED);
    else
        strict_end_operation(device, STRICT_NOTHING);
}
