#include "gateway/strangers.h"

#include <assert.h>

#include "gateway/datagram_handshake.h"
#include "gateway/shard_internal.h"
#include "gateway/stream_waiting.h"

bool strangers_open(struct strangers *strangers)
{
    return stranger_queue_open(&strangers->answers) && stranger_queue_open(&strangers->first_words);
}

void strangers_close(struct strangers *strangers)
{
    stranger_queue_close(&strangers->answers);
    stranger_queue_close(&strangers->first_words);
}

void strangers_wait(struct shard *shard, const struct shard_path *path, const struct usmp_frame *frame,
                    const uint8_t *bytes, size_t size, struct shard_time now)
{
    if (frame->type == USMP_HELLO_ACK && pending_first(shard, path) == NULL) {
        shard->counters.dropped[SHARD_DROP_UNKNOWN]++;
        return;
    }
    bool is_first_word = frame->type == USMP_HELLO && size == USMP_HELLO_FRAME;
    struct stranger_queue *queue = is_first_word ? &shard->strangers.first_words : &shard->strangers.answers;
    uint32_t chance = 0;
    if (stranger_queue_is_full(queue)) {
        shard->ports.random(shard->ports.context, &chance, sizeof chance);
        shard->counters.dropped[SHARD_DROP_CROWDED]++;
    }
    stranger_queue_put(queue, path, bytes, size, now.monotonic, chance);
}

void strangers_spend(struct shard *shard, enum stranger_cost cost)
{
    shard->strangers.spent += cost;
}

bool strangers_may_spend(const struct shard *shard)
{
    return shard->strangers.spent < STRANGERS_SHARE;
}

static bool take_next(struct strangers *strangers, struct stranger *taken)
{
    struct stranger_queue *first = strangers->first_words_later ? &strangers->answers : &strangers->first_words;
    struct stranger_queue *other = strangers->first_words_later ? &strangers->first_words : &strangers->answers;
    strangers->first_words_later = !strangers->first_words_later;
    return stranger_queue_take(first, taken) || stranger_queue_take(other, taken);
}

static void work(struct shard *shard, const struct stranger *stranger, struct shard_time now)
{
    struct usmp_frame frame;
    enum usmp_frame_verdict verdict = usmp_frame_parse_datagram(stranger->bytes, stranger->size, &frame);
    assert(verdict == USMP_FRAME_COMPLETE);
    (void)verdict;
    strangers_spend(shard, STRANGER_COST_FRAME);
    shard->strangers.hello_came = stranger->came;
    shard->answer_path = &stranger->path;
    if (frame.type == USMP_HELLO) {
        datagram_receive_hello(shard, &stranger->path, &frame, now);
    } else {
        datagram_receive_hello_ack(shard, &stranger->path, &frame, now);
    }
    shard->answer_path = NULL;
}

static bool anybody_waits(const struct shard *shard)
{
    return shard->strangers.answers.count + shard->strangers.first_words.count > 0 || stream_any_waits(shard);
}

/* What is left to streams is spent when they are read, which comes after this. */
bool strangers_work(struct shard *shard, struct shard_time now)
{
    struct strangers *strangers = &shard->strangers;
    bool datagrams_wait = strangers->answers.count + strangers->first_words.count > 0;
    unsigned for_streams = stream_let_go_on(shard, datagrams_wait ? STRANGERS_SHARE / 2 : STRANGERS_SHARE);
    struct stranger stranger;
    strangers->spent = 0;
    while (strangers->spent + for_streams < STRANGERS_SHARE && take_next(strangers, &stranger)) {
        work(shard, &stranger, now);
    }
    return for_streams > 0 || anybody_waits(shard);
}
