/* The subject's owner: what it sends is queued and looked at when its call is over; blocks come and go. */
#include "conversation/conversation.h"

#include <stdlib.h>
#include <string.h>

#include "conversation/departure.h"
#include "gateway/require.h"

static void send(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                 size_t size)
{
    (void)context;
    struct conversation *conversation = session->user;
    struct departed *departed = &conversation->queue[conversation->queue_count++];
    require(conversation->queue_count < CONVERSATION_QUEUE && size <= sizeof departed->bytes);
    departed->kind = kind;
    bool is_answer = kind == USMP_SEND_ANSWER && conversation->delivering != NULL;
    departed->epoch = is_answer ? conversation->delivering->epoch : conversation->subject_epoch;
    departed->size = size;
    memcpy(departed->bytes, bytes, size);
    departure_check(conversation, departed);
}

/* The context of the owner's table is shared by all conversations: how many blocks are there is the running one's. */
static struct conversation *running;

static void *take(void *context, enum usmp_block block)
{
    static const size_t sizes[] = {USMP_MESSAGE_MAX, sizeof(struct usmp_rekey_record), sizeof(struct usmp_sent_tags)};
    (void)context;
    if (running->blocks_left == 0)
        return NULL;
    running->blocks_left--;
    running->blocks_out++;
    return malloc(sizes[block]);
}

static void give(void *context, enum usmp_block block, void *bytes)
{
    (void)context;
    (void)block;
    require(bytes != NULL && running->blocks_out > 0);
    running->blocks_left++;
    running->blocks_out--;
    free(bytes);
}

const struct usmp_session_owner conversation_owner = {NULL, send, take, give};

void conversation_run(struct conversation *conversation)
{
    running = conversation;
}

void conversation_pump(struct conversation *conversation)
{
    while (conversation->queue_count > 0) {
        struct departed departed = conversation->queue[0];
        conversation->queue_count--;
        memmove(conversation->queue, conversation->queue + 1, conversation->queue_count * sizeof *conversation->queue);
        departure_handle(conversation, &departed);
    }
}
