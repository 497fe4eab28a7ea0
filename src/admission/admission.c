#include "admission/admission.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "admission/limiter_table.h"

struct admission {
    pthread_mutex_t lock;
    uint8_t hash_key[16];
    struct admission_limits limits; /* `trusted` points to the array below */
    struct address_prefix trusted[ADMISSION_TRUSTED_MAX];
    uint32_t sessions;
    uint32_t default_psk_sessions;
    uint32_t handshakes;
    struct limiter_table *hosts;       /* sessions and handshakes by address */
    struct limiter_table *failures;    /* by address, and by address and device */
    struct limiter_table *completions; /* by device */
};

/* Completed handshakes of one device. */
static const struct token_rate completion_rate = {.burst = 10, .interval = 2000000};

static struct limiter_key key_of(const struct address *peer, const uint8_t *device)
{
    struct address_prefix prefix = address_prefix_host(peer);
    struct limiter_key key = {0};
    _Static_assert(sizeof prefix + 6 < LIMITER_KEY_SIZE, "one byte is left to tell the two kinds of key apart");
    memcpy(key.bytes, &prefix, sizeof prefix);
    if (device != NULL) {
        memcpy(key.bytes + sizeof prefix, device, 6);
        key.bytes[LIMITER_KEY_SIZE - 1] = 1;
    }
    return key;
}

static bool is_trusted(const struct admission *admission, const struct address *peer)
{
    for (size_t index = 0; index < admission->limits.trusted_count; index++) {
        if (address_prefix_contains(&admission->limits.trusted[index], peer)) {
            return true;
        }
    }
    return false;
}

static uint32_t hosts_needed(const struct admission_limits *limits)
{
    uint64_t needed = (uint64_t)limits->sessions + limits->handshakes + 1;
    return needed > UINT32_MAX / 4 ? UINT32_MAX / 4 : (uint32_t)needed;
}

static void copy_entry(void *context, const struct limiter_entry *entry)
{
    struct limiter_entry *copy = limiter_table_use(context, &entry->key, 0);
    assert(copy != NULL);
    copy->sessions = entry->sessions;
    copy->handshakes = entry->handshakes;
}

/* There may be more alive than new limits allow; those stay. */
static bool resize_hosts(struct admission *admission, const struct admission_limits *limits)
{
    uint32_t capacity = hosts_needed(limits);
    if (admission->hosts != NULL && limiter_table_capacity(admission->hosts) >= capacity) {
        return true;
    }
    struct limiter_table *hosts = limiter_table_open(capacity, admission->hash_key);
    if (hosts == NULL) {
        return false;
    }
    if (admission->hosts != NULL) {
        limiter_table_each(admission->hosts, copy_entry, hosts);
        limiter_table_close(admission->hosts);
    }
    admission->hosts = hosts;
    return true;
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

struct admission *admission_open(const struct admission_limits *limits, const uint8_t hash_key[16])
{
    struct admission *admission = calloc(1, sizeof *admission);
    if (admission == NULL) {
        return NULL;
    }
    memcpy(admission->hash_key, hash_key, sizeof admission->hash_key);
    pthread_mutex_init(&admission->lock, NULL);
    admission->failures = limiter_table_open(ADMISSION_FAILURES, hash_key);
    admission->completions = limiter_table_open(ADMISSION_COMPLETIONS, hash_key);
    if (admission->failures == NULL || admission->completions == NULL || !resize_hosts(admission, limits)) {
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
    limiter_table_close(admission->hosts);
    limiter_table_close(admission->failures);
    limiter_table_close(admission->completions);
    pthread_mutex_destroy(&admission->lock);
    free(admission);
}

bool admission_configure(struct admission *admission, const struct admission_limits *limits)
{
    pthread_mutex_lock(&admission->lock);
    bool resized = resize_hosts(admission, limits);
    if (resized) {
        copy_limits(admission, limits);
    }
    pthread_mutex_unlock(&admission->lock);
    return resized;
}

static bool is_locked(struct admission *admission, const struct address *peer, const uint8_t *device, uint64_t now)
{
    struct limiter_key key = key_of(peer, device);
    const struct limiter_entry *entry = limiter_table_find(admission->failures, &key);
    return entry != NULL && entry->locked_until > now;
}

static bool locked_out(struct admission *admission, const struct address *peer, const uint8_t *device, uint64_t now)
{
    if (is_trusted(admission, peer)) {
        return false;
    }
    return is_locked(admission, peer, NULL, now) || (device != NULL && is_locked(admission, peer, device, now));
}

bool admission_is_locked_out(struct admission *admission, const struct address *peer, const uint8_t *device,
                             uint64_t now)
{
    pthread_mutex_lock(&admission->lock);
    bool locked = locked_out(admission, peer, device, now);
    pthread_mutex_unlock(&admission->lock);
    return locked;
}

static void drop_if_idle(struct admission *admission, struct limiter_entry *host)
{
    if (host->sessions == 0 && host->handshakes == 0) {
        limiter_table_drop(admission->hosts, host);
    }
}

static enum admission_verdict begin_handshake(struct admission *admission, const struct address *peer,
                                              const uint8_t device[6], uint64_t now)
{
    const struct admission_limits *limits = &admission->limits;
    if (locked_out(admission, peer, device, now)) {
        return ADMISSION_LOCKED_OUT;
    }
    if (admission->handshakes >= limits->handshakes) {
        return ADMISSION_LIMITED;
    }
    struct limiter_key key = key_of(peer, NULL);
    struct limiter_entry *host = limiter_table_use(admission->hosts, &key, now);
    if (host == NULL) {
        return ADMISSION_LIMITED;
    }
    if (limits->handshakes_per_address != 0 && host->handshakes >= limits->handshakes_per_address &&
        !is_trusted(admission, peer)) {
        return ADMISSION_LIMITED;
    }
    host->handshakes++;
    admission->handshakes++;
    return ADMISSION_WELCOME;
}

enum admission_verdict admission_handshake_begin(struct admission *admission, const struct address *peer,
                                                 const uint8_t device[6], uint64_t now)
{
    pthread_mutex_lock(&admission->lock);
    enum admission_verdict verdict = begin_handshake(admission, peer, device, now);
    pthread_mutex_unlock(&admission->lock);
    return verdict;
}

void admission_handshake_end(struct admission *admission, const struct address *peer)
{
    struct limiter_key key = key_of(peer, NULL);
    pthread_mutex_lock(&admission->lock);
    struct limiter_entry *host = limiter_table_find(admission->hosts, &key);
    assert(host != NULL && host->handshakes > 0 && admission->handshakes > 0);
    host->handshakes--;
    admission->handshakes--;
    drop_if_idle(admission, host);
    pthread_mutex_unlock(&admission->lock);
}

/* True when this failure locks the entry. An attempt during a lockout does not prolong it. */
static bool add_failure(struct admission *admission, struct limiter_entry *entry, uint64_t threshold, uint64_t now)
{
    if (entry == NULL || entry->locked_until > now) {
        return false;
    }
    entry->failures++;
    if (entry->failures < threshold) {
        return false;
    }
    entry->failures = 0;
    entry->locked_until = now + admission->limits.lockout;
    return true;
}

/* What the device adds to its address's count is remembered, so that its success can take it back. */
static void contribute(struct limiter_entry *pair, const struct limiter_entry *address, uint64_t now)
{
    if (pair == NULL || address == NULL || address->locked_until > now) {
        return;
    }
    if (pair->counted_under != address->locked_until) {
        pair->counted_under = address->locked_until;
        pair->contributed = 0;
    }
    pair->contributed++;
}

static uint64_t threshold_of_address(struct admission *admission, const struct limiter_key *address)
{
    const struct limiter_entry *host = limiter_table_find(admission->hosts, address);
    bool busy = host != NULL && host->sessions > 0;
    return (uint64_t)admission->limits.lockout_after * (busy ? ADMISSION_BUSY_ADDRESS_FACTOR : 1);
}

static enum admission_lock fail(struct admission *admission, const struct address *peer, const uint8_t *device,
                                uint64_t now)
{
    if (admission->limits.lockout_after == 0 || is_trusted(admission, peer)) {
        return ADMISSION_NOT_LOCKED;
    }
    struct limiter_key address_key = key_of(peer, NULL);
    struct limiter_key pair_key = key_of(peer, device);
    struct limiter_entry *address = limiter_table_use(admission->failures, &address_key, now);
    struct limiter_entry *pair = device == NULL ? NULL : limiter_table_use(admission->failures, &pair_key, now);
    contribute(pair, address, now);
    enum admission_lock lock = ADMISSION_NOT_LOCKED;
    if (add_failure(admission, pair, admission->limits.lockout_after, now)) {
        lock = ADMISSION_DEVICE_LOCKED;
    }
    if (add_failure(admission, address, threshold_of_address(admission, &address_key), now)) {
        lock = ADMISSION_ADDRESS_LOCKED;
    }
    return lock;
}

enum admission_lock admission_failed(struct admission *admission, const struct address *peer, const uint8_t *device,
                                     uint64_t now)
{
    pthread_mutex_lock(&admission->lock);
    enum admission_lock lock = fail(admission, peer, device, now);
    pthread_mutex_unlock(&admission->lock);
    return lock;
}

void admission_succeeded(struct admission *admission, const struct address *peer, const uint8_t device[6])
{
    struct limiter_key pair_key = key_of(peer, device);
    struct limiter_key address_key = key_of(peer, NULL);
    pthread_mutex_lock(&admission->lock);
    struct limiter_entry *pair = limiter_table_find(admission->failures, &pair_key);
    if (pair != NULL) {
        struct limiter_entry *address = limiter_table_find(admission->failures, &address_key);
        if (address != NULL && address->locked_until == pair->counted_under) {
            address->failures -= pair->contributed < address->failures ? pair->contributed : address->failures;
        }
        limiter_table_drop(admission->failures, pair);
    }
    pthread_mutex_unlock(&admission->lock);
}

static enum admission_verdict begin_session(struct admission *admission, const struct address *peer, bool uses_default,
                                            bool replaces, uint64_t now)
{
    const struct admission_limits *limits = &admission->limits;
    if (!replaces && (admission->sessions >= limits->sessions ||
                      (uses_default && admission->default_psk_sessions >= limits->default_psk_sessions))) {
        return ADMISSION_LIMITED;
    }
    struct limiter_key key = key_of(peer, NULL);
    struct limiter_entry *host = limiter_table_use(admission->hosts, &key, now);
    if (host == NULL) {
        return ADMISSION_LIMITED;
    }
    if (!replaces && limits->sessions_per_address != 0 && host->sessions >= limits->sessions_per_address &&
        !is_trusted(admission, peer)) {
        return ADMISSION_LIMITED;
    }
    host->sessions++;
    admission->sessions++;
    admission->default_psk_sessions += uses_default ? 1 : 0;
    return ADMISSION_WELCOME;
}

enum admission_verdict admission_session_begin(struct admission *admission, const struct address *peer,
                                               bool uses_default, bool replaces, uint64_t now)
{
    pthread_mutex_lock(&admission->lock);
    enum admission_verdict verdict = begin_session(admission, peer, uses_default, replaces, now);
    pthread_mutex_unlock(&admission->lock);
    return verdict;
}

void admission_session_end(struct admission *admission, const struct address *peer, bool uses_default)
{
    struct limiter_key key = key_of(peer, NULL);
    pthread_mutex_lock(&admission->lock);
    struct limiter_entry *host = limiter_table_find(admission->hosts, &key);
    assert(host != NULL && host->sessions > 0 && admission->sessions > 0);
    host->sessions--;
    admission->sessions--;
    admission->default_psk_sessions -= uses_default ? 1 : 0;
    drop_if_idle(admission, host);
    pthread_mutex_unlock(&admission->lock);
}

bool admission_may_complete(struct admission *admission, const uint8_t device[6], uint64_t now)
{
    struct limiter_key key = {0};
    memcpy(key.bytes, device, 6);
    pthread_mutex_lock(&admission->lock);
    struct limiter_entry *entry = limiter_table_use(admission->completions, &key, now);
    assert(entry != NULL);
    bool may = token_bucket_take(&entry->bucket, &completion_rate, 1, now);
    pthread_mutex_unlock(&admission->lock);
    return may;
}

struct lockout_count {
    uint64_t now;
    size_t locked;
};

static void count_locked(void *context, const struct limiter_entry *entry)
{
    struct lockout_count *count = context;
    if (entry->locked_until > count->now) {
        count->locked++;
    }
}

size_t admission_lockouts(struct admission *admission, uint64_t now)
{
    struct lockout_count count = {.now = now};
    pthread_mutex_lock(&admission->lock);
    limiter_table_each(admission->failures, count_locked, &count);
    pthread_mutex_unlock(&admission->lock);
    return count.locked;
}
