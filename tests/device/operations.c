#include <string.h>

#include "device/inside.h"

static enum strict_verdict may_begin(struct strict_device *device, uint64_t now)
{
    if (device->over || !device->connected)
        return device->operation == STRICT_IDLE ? STRICT_NO_SESSION : STRICT_BUSY;
    if (device->operation != STRICT_IDLE)
        return STRICT_BUSY;
    device->now = now;
    return STRICT_BEGUN;
}

enum strict_verdict strict_device_send(struct strict_device *device, const uint8_t *bytes, size_t size, uint64_t now)
{
    enum strict_verdict verdict = may_begin(device, now);
    if (verdict != STRICT_BEGUN)
        return verdict;
    if (size > STRICT_MESSAGE_MAX)
        return STRICT_REFUSED;
    if (size > 0)
        memcpy(device->outgoing, bytes, size);
    device->outgoing_size = size;
    device->outgoing_sent = 0;
    device->operation = STRICT_SENDING;
    strict_transmit_next_fragment(device);
    strict_pump(device);
    return STRICT_BEGUN;
}

enum strict_verdict strict_device_ping(struct strict_device *device, uint64_t now)
{
    enum strict_verdict verdict = may_begin(device, now);
    if (verdict != STRICT_BEGUN)
        return verdict;
    device->operation = STRICT_PINGING;
    strict_transmit_sealed(device, STRICT_TYPE_PING, NULL, 0);
    strict_pump(device);
    return STRICT_BEGUN;
}

enum strict_verdict strict_device_rekey(struct strict_device *device, uint64_t now)
{
    enum strict_verdict verdict = may_begin(device, now);
    if (verdict != STRICT_BEGUN)
        return verdict;
    if (!device->era->has_rekey)
        return STRICT_REFUSED;
    device->operation = STRICT_REKEYING;
    device->owner->random(device->owner->context, device->salt, sizeof device->salt);
    strict_transmit_sealed(device, STRICT_TYPE_REKEY, device->salt, sizeof device->salt);
    strict_pump(device);
    return STRICT_BEGUN;
}

enum strict_verdict strict_device_read(struct strict_device *device, uint64_t now)
{
    enum strict_verdict verdict = may_begin(device, now);
    if (verdict != STRICT_BEGUN)
        return verdict;
    strict_receive_begin(device);
    strict_pump(device);
    return STRICT_BEGUN;
}

enum strict_verdict strict_device_close(struct strict_device *device, uint64_t now)
{
    enum strict_verdict verdict = may_begin(device, now);
    if (verdict != STRICT_BEGUN)
        return verdict;
    device->operation = STRICT_CLOSING;
    if (device->era->says_bye) {
        strict_transmit_sealed(device, STRICT_TYPE_BYE, NULL, 0);
        strict_pump(device);
    } else {
        device->over = true;
        strict_end_operation(device, STRICT_CLOSED);
    }
    return STRICT_BEGUN;
}
