#include "admission/admission.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "admission/claims.h"
#include "admission/lockout.h"
#include "admission/places.h"
#include "admission/rate_limiter.h"
#include "admission/token_bucket.h"

static const struct token_rate challenge_rate = {.burst = 200, .interval = 5000};
static const struct token_rate check_rate = {.burst = 32, .interval = 125000};
static const struct token_rate completion_rate = {.burst = 10, .interval = 2000000};

struct admission {
    pthread_mutex_t lock;
    uint8_t hash_key[16];
    struct admission_limits limits; /* `trusted` points to the array below */
    struct address_prefix trusted[ADMISSION_TRUSTED_MAX];
    struct places places;
    struct lockout lockout;
    struct claims claims;
    struct token_bucket challenges;  /* to all unproved addresses */
    struct rate_limiter checks;      /* of wire 1 HELLO_ACKs, by address */
    struct rate_limiter completions; /* of handshakes, by device */
};

static bool is_trusted(const struct admission *admission, const struct address *peer)
{
    return address_prefixes_contain(admission->limits.trusted, admission->limits.trusted_count, peer);
}

static void copy_limits(struct admission *admission, const struct admission_limits *limits)
{
    assert(limits->trusted_count <= ADMISSION_TRUSTED_MAX);
    admission->limits = *limits;
    admission->limits.trusted = admission->trusted;
    for (size_t index = 0; index < limits->trusted_count; index++) {
        admission->trusted[index] = limits->trusted[index];
    }
}

static bool open_tables(struct admission *admission, const struct admission_limits *limits)
{
    const uint8_t *hash_key = admission->hash_key;
    return lockout_open(&admission->lockout, hash_key) && claims_open(&admission->claims, hash_key) &&
           rate_limiter_open(&admission->checks, ADMISSION_CHECKED, check_rate, hash_key) &&
           rate_limiter_open(&admission->completions, ADMISSION_COMPLETIONS, completion_rate, hash_key) &&
           places_configure(&admission->places, limits, hash_key);
}

struct admission *admission_open(const struct admission_limits *limits, const uint8_t hash_key[16])
{
    struct admission *admission = calloc(1, sizeof *admission);
    if (admission == NULL) {
        return NULL;
    }
    memcpy(admission->hash_key, hash_key, sizeof admission->hash_key);
    pthread_mutex_init(&admission->lock, NULL);
    if (!open_tables(admission, limits)) {
        admission_close(admission);
        return NULL;
    }
    copy_limits(admission, limits);
    return admission;
}

void admission_close(struct admission *admission)
{
    if (admission == NULL) {
        return;
    }
    places_close(&admission->places);
    lockout_close(&admission->lockout);
    claims_close(&admission->claims);
    rate_limiter_close(&admission->checks);
    rate_limiter_close(&admission->completions);
    pthread_mutex_destroy(&admission->lock);
    free(admission);
}

bool admission_configure(struct admission *admission, const struct admission_limits *limits)
{
    pthread_mutex_lock(&admission->lock);
    bool configured = places_configure(&admission->places, limits, admission->hash_key);
    if (configured) {
        copy_limits(admission, limits);
    }
    pthread_mutex_unlock(&admission->lock);
    return configured;
}

static bool is_locked_out(const struct admission *admission, const struct address *peer, const uint8_t *device,
                          uint64_t now)
{
    return !is_trusted(admission, peer) && lockout_concerns(&admission->lockout, peer, device, now);
}

bool admission_is_locked_out(struct admission *admission, const struct address *peer, const uint8_t *device,
                             uint64_t now)
{
    pthread_mutex_lock(&admission->lock);
    bool locked = is_locked_out(admission, peer, device, now);
    pthread_mutex_unlock(&admission->lock);
    return locked;
}

enum admission_verdict admission_handshake_begin(struct admission *admission, const struct address *peer,
                                                 const uint8_t device[6], uint64_t now)
{
    enum admission_verdict verdict = ADMISSION_WELCOME;
    pthread_mutex_lock(&admission->lock);
    if (is_locked_out(admission, peer, device, now)) {
        verdict = ADMISSION_LOCKED_OUT;
    } else if (!places_take_handshake(&admission->places, &admission->limits, peer, is_trusted(admission, peer))) {
        verdict = ADMISSION_LIMITED;
    }
    pthread_mutex_unlock(&admission->lock);
    return verdict;
}

bool admission_handshakes_are_taken(struct admission *admission, const struct address *peer)
{
    pthread_mutex_lock(&admission->lock);
    bool taken = places_are_taken(&admission->places, &admission->limits, peer, is_trusted(admission, peer));
    pthread_mutex_unlock(&admission->lock);
    return taken;
}

void admission_handshake_end(struct admission *admission, const struct address *peer)
{
    pthread_mutex_lock(&admission->lock);
    places_give_handshake(&admission->places, peer);
    pthread_mutex_unlock(&admission->lock);
}

enum admission_lock admission_failed(struct admission *admission, const struct address *peer, const uint8_t *device,
                                     uint64_t now)
{
    enum admission_lock lock = ADMISSION_NOT_LOCKED;
    pthread_mutex_lock(&admission->lock);
    if (admission->limits.lockout_after != 0 && !is_trusted(admission, peer)) {
        lock = lockout_failed(&admission->lockout, &admission->limits, &admission->places, peer, device, now);
    }
    pthread_mutex_unlock(&admission->lock);
    return lock;
}

void admission_succeeded(struct admission *admission, const struct address *peer, const uint8_t device[6])
{
    pthread_mutex_lock(&admission->lock);
    lockout_succeeded(&admission->lockout, peer, device);
    pthread_mutex_unlock(&admission->lock);
}

enum admission_verdict admission_session_begin(struct admission *admission, const struct address *peer,
                                               bool uses_default, bool replaces)
{
    pthread_mutex_lock(&admission->lock);
    bool taken = places_take_session(&admission->places, &admission->limits, peer, is_trusted(admission, peer),
                                     uses_default, replaces);
    pthread_mutex_unlock(&admission->lock);
    return taken ? ADMISSION_WELCOME : ADMISSION_LIMITED;
}

void admission_session_end(struct admission *admission, const struct address *peer, bool uses_default)
{
    pthread_mutex_lock(&admission->lock);
    places_give_session(&admission->places, peer, uses_default);
    pthread_mutex_unlock(&admission->lock);
}

bool admission_may_complete(struct admission *admission, const uint8_t device[6], uint64_t now)
{
    struct limiter_key key = limiter_key_of_device(device);
    pthread_mutex_lock(&admission->lock);
    bool may = rate_limiter_take(&admission->completions, &key, now);
    pthread_mutex_unlock(&admission->lock);
    return may;
}

bool admission_take_challenges(struct admission *admission, unsigned count, unsigned left, uint64_t now)
{
    pthread_mutex_lock(&admission->lock);
    bool taken = token_bucket_take(&admission->challenges, &challenge_rate, count + left, now);
    if (taken) {
        token_bucket_give_back(&admission->challenges, &challenge_rate, left);
    }
    pthread_mutex_unlock(&admission->lock);
    return taken;
}

void admission_give_back_challenges(struct admission *admission, unsigned count)
{
    pthread_mutex_lock(&admission->lock);
    token_bucket_give_back(&admission->challenges, &challenge_rate, count);
    pthread_mutex_unlock(&admission->lock);
}

void admission_claim_failed(struct admission *admission, const struct address *peer, uint64_t now)
{
    pthread_mutex_lock(&admission->lock);
    claims_note(&admission->claims, peer, now);
    pthread_mutex_unlock(&admission->lock);
}

bool admission_is_suspect(struct admission *admission, const struct address *peer, uint64_t now)
{
    pthread_mutex_lock(&admission->lock);
    bool suspect = claims_are_suspect(&admission->claims, peer, now);
    pthread_mutex_unlock(&admission->lock);
    return suspect;
}

bool admission_may_check(struct admission *admission, const struct address *peer, uint64_t now)
{
    struct limiter_networks networks = limiter_networks_of(peer);
    pthread_mutex_lock(&admission->lock);
    bool may = is_trusted(admission, peer) || rate_limiter_take(&admission->checks, &networks.keys[0], now);
    pthread_mutex_unlock(&admission->lock);
    return may;
}

size_t admission_lockouts(struct admission *admission, uint64_t now)
{
    pthread_mutex_lock(&admission->lock);
    size_t count = lockout_count(&admission->lockout, now);
    pthread_mutex_unlock(&admission->lock);
    return count;
}
