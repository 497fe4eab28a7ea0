#include "gateway/half_done.h"

#include "gateway/shard_internal.h"

void half_done_enter(struct shard *shard, struct half_done *half_done, enum usmp_transport transport,
                     struct shard_time now)
{
    struct half_done_list *list = &shard->half_done;
    *half_done =
        (struct half_done){.older = list->newest, .since = now.monotonic, .transport = transport, .entered = true};
    *(list->newest != NULL ? &list->newest->newer : &list->oldest) = half_done;
    list->newest = half_done;
    list->count++;
}

void half_done_leave(struct shard *shard, struct half_done *half_done)
{
    struct half_done_list *list = &shard->half_done;
    if (!half_done->entered) {
        return;
    }
    *(half_done->older != NULL ? &half_done->older->newer : &list->oldest) = half_done->newer;
    *(half_done->newer != NULL ? &half_done->newer->older : &list->newest) = half_done->older;
    half_done->entered = false;
    list->count--;
}

/* Ends the oldest as its time-out would. False: it has not had its time yet. */
static bool oldest_gives_way(struct shard *shard, struct shard_time now)
{
    struct half_done *oldest = shard->half_done.oldest;
    if (oldest == NULL || now.monotonic - oldest->since < HALF_DONE_PATIENCE) {
        return false;
    }
    if (oldest->transport == USMP_TCP) {
        stream_due(HASH_INDEX_OBJECT(oldest, struct shard_stream, half_done), now);
    } else {
        pending_expire(shard, HASH_INDEX_OBJECT(oldest, struct pending, half_done), now);
    }
    return true;
}

enum admission_verdict half_done_admit(struct shard *shard, const struct address *peer,
                                       const uint8_t device[USMP_DEVICE_ID_SIZE], struct shard_time now)
{
    enum admission_verdict verdict = admission_handshake_begin(shard->admission, peer, device, now.monotonic);
    if (verdict == ADMISSION_LIMITED && admission_handshakes_are_taken(shard->admission, peer) &&
        oldest_gives_way(shard, now)) {
        verdict = admission_handshake_begin(shard->admission, peer, device, now.monotonic);
    }
    return verdict;
}
