#include "gateway/session_owner.h"

#include "gateway/shard_internal.h"
#include "platform/secret_memory.h"

static void send_for_session(void *context, struct usmp_session *wire, enum usmp_send_kind kind, const uint8_t *bytes,
                             size_t size)
{
    struct shard *shard = context;
    struct session *session = wire->user;
    if (wire->transport == USMP_UDP) {
        bool answers = kind == USMP_SEND_ANSWER && shard->answer_path != NULL;
        shard->ports.send_datagram(shard->ports.context, answers ? shard->answer_path : &session->path, bytes, size);
        return;
    }
    if (session->stream == NULL || session->stream_failed) {
        shard->stream_written = SHARD_FAILED;
        return;
    }
    shard->stream_written = shard->ports.write(shard->ports.context, session->stream->handle, bytes, size);
    session->stream_failed = shard->stream_written == SHARD_FAILED;
}

static size_t block_size(enum usmp_block block)
{
    switch (block) {
    case USMP_BLOCK_MESSAGE:
        return USMP_MESSAGE_MAX;
    case USMP_BLOCK_REKEY:
        return sizeof(struct usmp_rekey_record);
    case USMP_BLOCK_REFLECTED:
        return sizeof(struct usmp_sent_tags);
    }
    return USMP_MESSAGE_MAX;
}

/* One block of a kind a session at most, so bounded by the sessions there may be. */
static void *take_block(void *context, enum usmp_block block)
{
    (void)context;
    return secret_memory_allocate(block_size(block), SECRET_MEMORY_SESSIONS);
}

static void give_block(void *context, enum usmp_block block, void *bytes)
{
    (void)context;
    (void)block;
    secret_memory_free(bytes);
}

struct usmp_session_owner session_owner(struct shard *shard)
{
    return (struct usmp_session_owner){
        .context = shard, .send = send_for_session, .take = take_block, .give = give_block};
}
