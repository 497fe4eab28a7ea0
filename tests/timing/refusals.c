/* refusals [--samples N]              the time that each kind of refusal takes, compared
 * refusals --only TRANSPORT KIND N    N refusals of one kind; for callgrind, which counts inside answer_measured()
 *
 * A device that is refused must not learn from the time why: unknown, revoked, its key expired, on a wire that it may
 * not speak, or with a wrong PSK (docs/security.md rule 4). Measured in one process around the shard's own code: over
 * UDP all that is done about a HELLO_ACK, over TCP that and, by itself, what is done before the connection is closed.
 * Kinds take turns in random order, so that whatever else the machine does concerns all alike.
 *
 * Exit status 1: a kind differs from a wrong PSK by more than chance (|t| > 4.5) and by more than 50 ns.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <usmp/handshake_hmac.h>
#include <usmp/handshake_messages.h>
#include <usmp/keys.h>

#include "gateway/random_numbers.h"
#include "gateway/require.h"
#include "gateway/shard_internal.h"
#include "gateway/world.h"
#include "platform/log.h"
#include "timing/welch.h"

#define PSK "the secret of all these devices"
#define WRONG_PSK "not the secret of these devices"
#define SAMPLES 20000u
#define T_MAX 4.5
#define DIFFERENCE_MAX 50.0 /* nanoseconds */
#define WARM_UP 500u
#define KEPT 0.9 /* of the times; the longest are interruptions */

enum kind {
    WRONG_KEY,
    WRONG_KEY_OF_SEVERAL,
    UNKNOWN,
    REVOKED,
    EXPIRED,
    WRONG_WIRE,
    KINDS,
};

static const char *const kind_names[KINDS] = {"wrong PSK", "wrong PSK of 3", "unknown",
                                              "revoked",   "expired",        "wrong wire"};

static const char config_text[] = "handshake_timeout: 5s\n"
                                  "limits: {lockout_after: 0, handshakes_per_ip: 0}\n";
static const char devices_text[] = "devices:\n"
                                   "  '02:00:00:00:00:00': {psk: '" PSK "'}\n"
                                   "  '02:00:00:00:00:01': [{psk: 'one of the secrets of a device'},\n"
                                   "    {psk: 'another secret of that device.'}, {psk: '" PSK "'}]\n"
                                   "  '02:00:00:00:00:03': {psk: '" PSK "', revoked: true}\n"
                                   "  '02:00:00:00:00:04': {psk: '" PSK "', until: 2020-01-01}\n"
                                   "  '02:00:00:00:00:05': {psk: '" PSK "', wire: [1]}\n";

struct bench {
    struct world *world;
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
    struct usmp_challenge challenge;
    bool challenged;
    uint64_t closed_at;
    struct random_numbers numbers;
};

struct sample {
    double whole; /* nanoseconds */
    double until_answer;
};

static uint64_t clock_now(void)
{
    struct timespec time;
    require(clock_gettime(CLOCK_MONOTONIC, &time) == 0);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* Ports. */

static void take_challenge(struct bench *bench, const uint8_t *bytes, size_t size)
{
    struct usmp_frame frame;
    if (usmp_frame_parse_datagram(bytes, size, &frame) == USMP_FRAME_COMPLETE &&
        usmp_challenge_read(&frame, &bench->challenge))
        bench->challenged = true;
}

static void send_datagram(void *context, const struct shard_path *path, const uint8_t *bytes, size_t size)
{
    (void)path;
    take_challenge(context, bytes, size);
}

static enum shard_written write_stream(void *context, void *handle, const uint8_t *bytes, size_t size)
{
    (void)handle;
    take_challenge(context, bytes, size);
    return SHARD_WRITTEN;
}

static void resume_stream(void *context, void *handle)
{
    (void)context;
    (void)handle;
}

static void close_stream(void *context, void *handle)
{
    struct bench *bench = context;
    (void)handle;
    bench->closed_at = clock_now();
}

static void draw_random(void *context, void *out, size_t size)
{
    struct bench *bench = context;
    random_fill(&bench->numbers, out, size);
}

static void give(struct bench *bench, const struct shard_path *path, struct shard_stream *stream, const uint8_t *bytes,
                 size_t size)
{
    struct world *world = bench->world;
    size_t consumed = 0;
    if (path != NULL)
        shard_datagram(world->shard, path, bytes, size, world->now);
    else
        (void)!shard_stream_bytes(world->shard, stream, bytes, size, &consumed, world->now);
    while (shard_strangers(world->shard, world->now)) {
    }
}

/* What is measured; a function of its own for callgrind to see. */
void answer_measured(struct bench *bench, const struct shard_path *path, struct shard_stream *stream,
                     const uint8_t *bytes, size_t size);

__attribute__((noinline)) void answer_measured(struct bench *bench, const struct shard_path *path,
                                               struct shard_stream *stream, const uint8_t *bytes, size_t size)
{
    give(bench, path, stream, bytes, size);
}

/* One refusal. */

static size_t write_hello(const struct bench *bench, const uint8_t id[USMP_DEVICE_ID_SIZE], uint8_t *frame)
{
    struct usmp_hello hello = {.has_cookie = false};
    memcpy(hello.device_id, id, sizeof hello.device_id);
    memcpy(hello.public_key, bench->public_key, sizeof hello.public_key);
    return usmp_hello_write(USMP_WIRE_2, 0, &hello, frame);
}

static size_t write_hello_ack(const struct bench *bench, const uint8_t id[USMP_DEVICE_ID_SIZE], bool right,
                              uint8_t *frame)
{
    struct usmp_transcript transcript = {.version = USMP_WIRE_2};
    memcpy(transcript.nonce, bench->challenge.nonce, sizeof transcript.nonce);
    memcpy(transcript.device_public, bench->public_key, sizeof transcript.device_public);
    memcpy(transcript.gateway_public, bench->challenge.public_key, sizeof transcript.gateway_public);
    struct usmp_psk psk;
    usmp_psk_init(&psk, right ? PSK : WRONG_PSK, sizeof PSK - 1);
    struct usmp_hello_ack hello_ack;
    usmp_device_hmac(&psk, &transcript, id, hello_ack.hmac);
    return usmp_hello_ack_write(USMP_WIRE_2, 2, &hello_ack, frame);
}

static void let_time_pass(struct bench *bench)
{
    struct world *world = bench->world;
    world->now.monotonic += 15 * WORLD_SECOND;
    shard_advance(world->shard, world->now);
    while (shard_idle(world->shard, world->now)) {
    }
}

static struct sample refuse(struct bench *bench, enum usmp_transport transport, enum kind kind)
{
    struct world *world = bench->world;
    uint8_t frame[USMP_FRAME_MAX];
    int handle = 0;
    const uint8_t id[USMP_DEVICE_ID_SIZE] = {2, 0, 0, 0, 0, (uint8_t)kind};
    struct shard_path path = {.peer = world_address("192.0.2.1:1000"), .local = world->gateway};
    random_fill(&bench->numbers, path.peer.bytes + 13, 3);
    bool is_udp = transport == USMP_UDP;
    struct shard_stream *stream = is_udp ? NULL : shard_stream_open(world->shard, &path.peer, &handle, world->now);
    require(is_udp || stream != NULL);

    bench->challenged = false;
    size_t size = write_hello(bench, id, frame);
    give(bench, is_udp ? &path : NULL, stream, frame, size);
    require(bench->challenged);

    bool right = kind != WRONG_KEY && kind != WRONG_KEY_OF_SEVERAL;
    size = write_hello_ack(bench, id, right, frame);
    bench->closed_at = 0;
    uint64_t begun = clock_now();
    answer_measured(bench, is_udp ? &path : NULL, stream, frame, size);
    uint64_t ended = clock_now();
    require(is_udp || bench->closed_at != 0);
    require(shard_session_count(world->shard) == 0);
    let_time_pass(bench);
    return (struct sample){(double)(ended - begun), is_udp ? 0 : (double)(bench->closed_at - begun)};
}

/* Comparison. */

static int in_order(const void *one, const void *other)
{
    double first = *(const double *)one;
    double second = *(const double *)other;
    return (first > second) - (first < second);
}

/* The time that is longer than all but the last tenth, of all kinds together. */
static double longest_kept(const double *times, size_t count)
{
    double *sorted = malloc(count * sizeof *sorted);
    require(sorted != NULL);
    memcpy(sorted, times, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, in_order);
    double limit = sorted[(size_t)((double)count * KEPT)];
    free(sorted);
    return limit;
}

static bool compare(const char *what, const double *times, const enum kind *kinds, size_t count)
{
    double limit = longest_kept(times, count);
    struct welch_set sets[KINDS] = {0};
    for (size_t index = 0; index < count; index++)
        if (times[index] <= limit)
            welch_add(&sets[kinds[index]], times[index]);
    bool same = true;
    printf("%s\n", what);
    for (unsigned kind = 0; kind < KINDS; kind++) {
        double t = kind == WRONG_KEY ? 0 : welch_t(&sets[kind], &sets[WRONG_KEY]);
        double difference = sets[kind].mean - sets[WRONG_KEY].mean;
        bool differs = fabs(t) > T_MAX && fabs(difference) > DIFFERENCE_MAX;
        printf("  %-15s %6zu times  %8.1f ns  %+7.1f ns  t %+6.2f%s\n", kind_names[kind], sets[kind].count,
               sets[kind].mean, difference, t, differs ? "  DIFFERS" : "");
        same = same && !differs;
    }
    return same;
}

static bool measure(struct bench *bench, enum usmp_transport transport, size_t samples)
{
    size_t count = samples * KINDS;
    double *whole = malloc(count * sizeof *whole);
    double *until_answer = malloc(count * sizeof *until_answer);
    enum kind *kinds = malloc(count * sizeof *kinds);
    require(whole != NULL && until_answer != NULL && kinds != NULL);
    for (size_t index = 0; index < WARM_UP; index++)
        (void)refuse(bench, transport, (enum kind)(index % KINDS));
    for (size_t index = 0; index < count; index++) {
        kinds[index] = (enum kind)random_below(&bench->numbers, KINDS);
        struct sample sample = refuse(bench, transport, kinds[index]);
        whole[index] = sample.whole;
        until_answer[index] = sample.until_answer;
    }
    bool same;
    if (transport == USMP_UDP) {
        same = compare("UDP, all of it", whole, kinds, count);
    } else {
        same = compare("TCP, until the connection is closed", until_answer, kinds, count);
        (void)compare("TCP, all of it (what follows the answer may differ: it says why in the log)", whole, kinds,
                      count);
    }
    free(whole);
    free(until_answer);
    free(kinds);
    return same;
}

static void open_bench(struct bench *bench)
{
    struct registry *registry;
    const uint8_t private_key[USMP_PRIVATE_KEY_SIZE] = {7, 7, 7};
    struct config *config = world_load(config_text, devices_text, &registry);
    *bench = (struct bench){.world = world_open_loaded(config, registry, 1, NULL), .numbers = {2}};
    require(bench->world != NULL);
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    bench->world->shard->ports = (struct shard_ports){.context = bench,
                                                      .send_datagram = send_datagram,
                                                      .write = write_stream,
                                                      .resume = resume_stream,
                                                      .close = close_stream,
                                                      .random = draw_random};
    usmp_public_key(private_key, bench->public_key);
}

int main(int argument_count, char **arguments)
{
    static struct bench bench;
    open_bench(&bench);
    if (argument_count == 5 && strcmp(arguments[1], "--only") == 0) {
        enum usmp_transport transport = strcmp(arguments[2], "udp") == 0 ? USMP_UDP : USMP_TCP;
        unsigned long kind = strtoul(arguments[3], NULL, 10);
        require(kind < KINDS);
        for (unsigned long count = strtoul(arguments[4], NULL, 10); count > 0; count--)
            (void)refuse(&bench, transport, (enum kind)kind);
        puts(kind_names[kind]);
        return EXIT_SUCCESS;
    }
    size_t samples =
        argument_count == 3 && strcmp(arguments[1], "--samples") == 0 ? strtoul(arguments[2], NULL, 10) : SAMPLES;
    require(samples >= 100);
    bool same = measure(&bench, USMP_UDP, samples);
    same = measure(&bench, USMP_TCP, samples) && same;
    return same ? EXIT_SUCCESS : EXIT_FAILURE;
}
