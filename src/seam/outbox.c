#include "seam/outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Records begin where any of their fields may stand. */
#define RECORD_ALIGNMENT _Alignof(struct seam_event)

static size_t record_size(size_t payload_size)
{
    size_t size = sizeof(struct seam_event) + payload_size;
    return (size + RECORD_ALIGNMENT - 1) / RECORD_ALIGNMENT * RECORD_ALIGNMENT;
}

void seam_outbox_open(struct seam_outbox *outbox)
{
    *outbox = (struct seam_outbox){.finished = NULL};
    outbox->finished_end = &outbox->finished;
}

static void free_batches(struct seam_batch *batch)
{
    while (batch != NULL) {
        struct seam_batch *next = batch->next;
        free(batch);
        batch = next;
    }
}

void seam_outbox_close(struct seam_outbox *outbox)
{
    assert(outbox->finished == NULL);
    free_batches(outbox->first);
    free_batches(outbox->spare);
    seam_outbox_open(outbox);
}

bool seam_outbox_is_empty(const struct seam_outbox *outbox)
{
    return outbox->first == NULL && outbox->finished == NULL;
}

static struct seam_batch *batch_take(struct seam_outbox *outbox)
{
    struct seam_batch *batch = outbox->spare;
    if (batch != NULL) {
        outbox->spare = batch->next;
        outbox->spares--;
    } else {
        batch = malloc(sizeof *batch);
        if (batch == NULL)
            return NULL;
    }
    batch->next = NULL;
    batch->used = 0;
    return batch;
}

static void batch_give_back(struct seam_outbox *outbox, struct seam_batch *batch)
{
    if (outbox->spares == SEAM_BATCH_SPARES) {
        free(batch);
        return;
    }
    batch->next = outbox->spare;
    outbox->spare = batch;
    outbox->spares++;
}

bool seam_outbox_append(struct seam_outbox *outbox, const struct seam_event *event, const uint8_t *payload)
{
    assert(event->backends != 0);
    assert(event->size <= SEAM_PAYLOAD_MAX);
    assert(event->kind == SEAM_MESSAGE || event->size == 0);

    size_t size = record_size(event->size);
    struct seam_batch *batch = outbox->last;
    if (batch == NULL || sizeof batch->records - batch->used < size) {
        batch = batch_take(outbox);
        if (batch == NULL)
            return false;
        if (outbox->last == NULL)
            outbox->first = batch;
        else
            outbox->last->next = batch;
        outbox->last = batch;
    }
    uint8_t *record = batch->records + batch->used;
    memcpy(record, event, sizeof *event);
    if (event->size > 0)
        memcpy(record + sizeof *event, payload, event->size);
    batch->used += size;
    return true;
}

void seam_outbox_finish(struct seam_outbox *outbox, struct seam_command *command, enum seam_outcome outcome)
{
    assert(command->outcome == SEAM_PENDING);
    assert(outcome != SEAM_PENDING);
    command->outcome = outcome;
    command->next = NULL;
    *outbox->finished_end = command;
    outbox->finished_end = &command->next;
}

void seam_outbox_drain(struct seam_outbox *outbox,
                       void (*each)(void *context, const struct seam_event *event, const uint8_t *payload),
                       void *context)
{
    struct seam_batch *batch = outbox->first;
    outbox->first = NULL;
    outbox->last = NULL;
    while (batch != NULL) {
        size_t offset = 0;
        while (offset < batch->used) {
            const struct seam_event *event = (const void *)(batch->records + offset);
            each(context, event, batch->records + offset + sizeof *event);
            offset += record_size(event->size);
        }
        struct seam_batch *next = batch->next;
        batch_give_back(outbox, batch);
        batch = next;
    }
}

struct seam_command *seam_outbox_take_finished(struct seam_outbox *outbox)
{
    struct seam_command *finished = outbox->finished;
    outbox->finished = NULL;
    outbox->finished_end = &outbox->finished;
    return finished;
}
