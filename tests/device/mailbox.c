#include "device/mailbox.h"

#include <assert.h>
#include <string.h>

static void put(struct strict_datagram *place, const uint8_t *bytes, size_t size)
{
    place->size = size < sizeof place->bytes ? size : sizeof place->bytes;
    memcpy(place->bytes, bytes, place->size);
}

void strict_mailbox_clear(struct strict_mailbox *mailbox, size_t queue_room)
{
    assert(queue_room <= STRICT_SOCKET_QUEUE_MAX);
    mailbox->slot_full = false;
    mailbox->queue_count = 0;
    mailbox->queue_room = queue_room;
}

bool strict_mailbox_queue(struct strict_mailbox *mailbox, const uint8_t *bytes, size_t size)
{
    if (mailbox->queue_count == mailbox->queue_room)
        return false;
    put(&mailbox->queue[mailbox->queue_count++], bytes, size);
    return true;
}

bool strict_mailbox_keep(struct strict_mailbox *mailbox, const uint8_t *bytes, size_t size)
{
    if (mailbox->slot_full)
        return false;
    put(&mailbox->slot, bytes, size);
    mailbox->slot_full = true;
    return true;
}

bool strict_mailbox_take_slot(struct strict_mailbox *mailbox, struct strict_datagram *out)
{
    if (!mailbox->slot_full)
        return false;
    *out = mailbox->slot;
    mailbox->slot_full = false;
    return true;
}

bool strict_mailbox_take_queue(struct strict_mailbox *mailbox, struct strict_datagram *out)
{
    if (mailbox->queue_count == 0)
        return false;
    *out = mailbox->queue[0];
    mailbox->queue_count--;
    memmove(mailbox->queue, mailbox->queue + 1, mailbox->queue_count * sizeof mailbox->queue[0]);
    return true;
}
