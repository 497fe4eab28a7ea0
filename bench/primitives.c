/* What the primitives under a message and a handshake cost on this machine, in nanoseconds.
 *
 * Each is run in batches until enough time has passed, and the median batch counts, so that an interruption does not.
 * Sessions are many, so that the cache misses of their keys are in the numbers: compare ratios of one run.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <usmp/frame.h>
#include <usmp/keys.h>
#include <usmp/record.h>
#include <usmp/start.h>
#include <usmp/utack.h>

#include "crypto/random.h"
#include "crypto/start.h"

#define BATCHES 201
#define SESSIONS 10000

struct session {
    uint8_t key[USMP_KEY_SIZE];
    uint8_t session_id[USMP_SESSION_ID_SIZE];
    struct usmp_utack_key utack_key;
    uint8_t frame_64[USMP_HEADER_SIZE + USMP_RECORD_OVERHEAD + 64];
    uint8_t frame_452[USMP_FRAME_MAX];
};

static struct session *sessions;
static uint32_t sum; /* of results, so that no work can be left out */

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int by_size(const void *one, const void *other)
{
    double a = *(const double *)one;
    double b = *(const double *)other;
    return (a > b) - (a < b);
}

static void measure(const char *what, void (*once)(size_t number), size_t per_batch)
{
    double batches[BATCHES];
    size_t number = 0;
    for (size_t batch = 0; batch < BATCHES; batch++) {
        double start = now_ns();
        for (size_t i = 0; i < per_batch; i++)
            once(number++);
        batches[batch] = (now_ns() - start) / (double)per_batch;
    }
    qsort(batches, BATCHES, sizeof *batches, by_size);
    printf("%-44s %9.0f ns\n", what, batches[BATCHES / 2]);
}

/* Steps through the sessions in an order that no prefetcher guesses. */
static const struct session *any(size_t number)
{
    return &sessions[number * 7919 % SESSIONS];
}

static void open_frame(const struct session *session, const uint8_t *bytes, size_t size)
{
    const struct usmp_record_context context = {session->key, session->session_id, USMP_AES_256_GCM};
    uint8_t plaintext[USMP_PLAINTEXT_MAX];
    size_t plaintext_size = 0;
    struct usmp_frame frame;
    if (usmp_frame_parse_datagram(bytes, size, &frame) != USMP_FRAME_COMPLETE ||
        usmp_record_open(&context, &frame, plaintext, &plaintext_size) != USMP_RECORD_OPENED)
        abort();
    sum += plaintext[0];
}

static void open_64_one_session(size_t number)
{
    (void)number;
    open_frame(sessions, sessions->frame_64, sizeof sessions->frame_64);
}

static void open_64(size_t number)
{
    open_frame(any(number), any(number)->frame_64, sizeof any(number)->frame_64);
}

static void open_452(size_t number)
{
    open_frame(any(number), any(number)->frame_452, sizeof any(number)->frame_452);
}

static void seal_64(size_t number)
{
    const struct session *session = any(number);
    const struct usmp_record_context context = {session->key, session->session_id, USMP_AES_256_GCM};
    static const uint8_t plaintext[64];
    uint8_t out[USMP_FRAME_MAX];
    sum += (uint32_t)usmp_record_seal(&context, USMP_WIRE_2, USMP_DATA, (uint32_t)number, plaintext, sizeof plaintext,
                                      out);
}

static void parse_64(size_t number)
{
    struct usmp_frame frame;
    if (usmp_frame_parse_datagram(any(number)->frame_64, sizeof any(number)->frame_64, &frame) != USMP_FRAME_COMPLETE)
        abort();
    sum += frame.seq;
}

static void make_utack(size_t number)
{
    uint8_t out[USMP_UTACK_KEYED_SIZE];
    usmp_utack_write_keyed(&any(number)->utack_key, USMP_DATA, (uint32_t)number, out);
    sum += out[USMP_UTACK_PLAIN_SIZE];
}

static void rekey(size_t number)
{
    static const uint8_t salt[USMP_REKEY_SALT_SIZE];
    static struct usmp_keys keys;
    usmp_keys_rekey(&keys, USMP_DEVICE, any(number)->session_id, salt, &keys);
    sum += keys.device_to_gateway[0];
}

static void make_key_pair(size_t number)
{
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
    usmp_public_key(any(number)->key, public_key);
    sum += public_key[0];
}

static void derive(size_t number)
{
    struct usmp_transcript transcript = {.version = USMP_WIRE_2, .device_public = {9}};
    struct usmp_keys keys;
    if (usmp_keys_derive(USMP_GATEWAY, any(number)->key, &transcript, &keys) != USMP_KEYS_DERIVED)
        abort();
    sum += keys.device_to_gateway[0];
}

static void take_random(size_t number)
{
    static struct crypto_random_pool *pool;
    uint8_t out[32];
    if (pool == NULL && (pool = crypto_random_pool_open()) == NULL)
        abort();
    crypto_random_take(pool, number, out, sizeof out);
    sum += out[0];
}

static void make_sessions(void)
{
    static const uint8_t plaintext[USMP_PLAINTEXT_MAX];
    sessions = calloc(SESSIONS, sizeof *sessions);
    if (sessions == NULL)
        abort();
    for (size_t i = 0; i < SESSIONS; i++) {
        struct session *session = &sessions[i];
        crypto_random(session->key, sizeof session->key);
        crypto_random(session->session_id, sizeof session->session_id);
        usmp_utack_key_init(&session->utack_key, session->key);
        const struct usmp_record_context context = {session->key, session->session_id, USMP_AES_256_GCM};
        uint8_t frame[USMP_FRAME_MAX];
        usmp_record_seal(&context, USMP_WIRE_2, USMP_DATA, 1, plaintext, 64, frame);
        memcpy(session->frame_64, frame, sizeof session->frame_64);
        usmp_record_seal(&context, USMP_WIRE_2, USMP_DATA, 1, plaintext, USMP_PLAINTEXT_MAX, session->frame_452);
    }
}

int main(void)
{
    const char *problem = usmp_start();
    if (problem != NULL) {
        (void)fprintf(stderr, "primitives: %s\n", problem);
        return EXIT_FAILURE;
    }
    make_sessions();
    printf("AES-256-GCM by %s; %d sessions where not said otherwise\n", crypto_aes_name(), SESSIONS);
    measure("frame of 64 B: parse and open, one session", open_64_one_session, 2000);
    measure("frame of 64 B: parse and open", open_64, 2000);
    measure("frame of 452 B: parse and open", open_452, 1000);
    measure("frame of 64 B: parse with its CRC", parse_64, 4000);
    measure("frame of 64 B: seal and write", seal_64, 2000);
    measure("UTACK with MAC", make_utack, 4000);
    measure("REKEY: HKDF to 64 B", rekey, 1000);
    measure("random 32 B from a pool", take_random, 4000);
    measure("X25519 key pair", make_key_pair, 20);
    measure("X25519 and HKDF: a session's keys", derive, 20);
    free(sessions);
    return sum == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
