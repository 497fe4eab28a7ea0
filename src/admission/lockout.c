#include "admission/lockout.h"

#include <assert.h>
#include <stddef.h>

#include "admission/limiter_table.h"
#include "admission/places.h"

#define LOOKED_AT 4u

/* Of a network, or of a device in one. A network's count has periods, with a number each: a new one begins with the
 * record and after each lockout. What a device has contributed is worth something in the same period only. */
struct record {
    struct limiter_entry entry;
    uint32_t failures; /* in a row, of this period */
    uint32_t period;   /* a network's */
    uint32_t contributed[2];
    uint32_t contributed_in[2]; /* period of the address, of the /48 */
    uint64_t locked_until;      /* microseconds, monotonic; 0: never was */
};

_Static_assert(offsetof(struct record, entry) == 0, "a table's object begins with its entry");

bool lockout_open(struct lockout *lockout, const uint8_t hash_key[16])
{
    lockout->records = limiter_table_open(ADMISSION_FAILURES, sizeof(struct record), hash_key);
    return lockout->records != NULL;
}

void lockout_close(struct lockout *lockout)
{
    limiter_table_close(lockout->records);
    lockout->records = NULL;
}

static bool is_locked(const struct lockout *lockout, const struct limiter_key *key, uint64_t now)
{
    const struct record *record = limiter_table_find(lockout->records, key);
    return record != NULL && record->locked_until > now;
}

bool lockout_concerns(const struct lockout *lockout, const struct address *peer, const uint8_t *device, uint64_t now)
{
    struct limiter_networks networks = limiter_networks_of(peer);
    for (size_t index = 0; index < networks.count; index++) {
        if (is_locked(lockout, &networks.keys[index], now)) {
            return true;
        }
    }
    if (device == NULL) {
        return false;
    }
    struct limiter_key pair = limiter_key_of_device_in(&networks.keys[0], device);
    return is_locked(lockout, &pair, now);
}

/* More at a time than one failure can lock, so those that are over do not pile up. */
static void let_go_of_expired(struct lockout *lockout, uint64_t now)
{
    for (unsigned looked_at = 0; looked_at < LOOKED_AT; looked_at++) {
        struct record *record = limiter_table_first_held(lockout->records);
        if (record == NULL || record->locked_until > now) {
            return;
        }
        limiter_table_let_go(lockout->records, &record->entry);
    }
}

static void begin_period(struct lockout *lockout, struct record *network)
{
    network->failures = 0;
    network->period = ++lockout->periods;
}

/* True when this failure locks it. */
static bool add_failure(struct lockout *lockout, const struct admission_limits *limits, struct record *record,
                        uint64_t threshold, uint64_t now)
{
    record->failures++;
    if (record->failures < threshold) {
        return false;
    }
    begin_period(lockout, record);
    record->locked_until = now + limits->lockout;
    limiter_table_hold(lockout->records, &record->entry);
    return true;
}

static void contribute(struct record *pair, const struct record *network, size_t index)
{
    if (pair->contributed_in[index] != network->period) {
        pair->contributed_in[index] = network->period;
        pair->contributed[index] = 0;
    }
    pair->contributed[index]++;
}

static uint64_t threshold_of(const struct admission_limits *limits, const struct places *places,
                             const struct limiter_key *network, size_t index)
{
    uint64_t site = index == 0 ? 1 : ADMISSION_SITE_LOCK_FACTOR;
    uint64_t busy = places_has_session(places, network) ? ADMISSION_BUSY_FACTOR : 1;
    return limits->lockout_after * site * busy;
}

/* A full table gives up what is older, and making one record may take another's place: so all are made before any is
 * looked at, the device's first, since what it contributed is worth nothing without the network. */
static void make_records(struct lockout *lockout, const struct limiter_networks *networks,
                         const struct limiter_key *pair)
{
    if (pair != NULL) {
        (void)!limiter_table_use(lockout->records, pair);
    }
    for (size_t index = 0; index < networks->count; index++) {
        struct record *network = limiter_table_use(lockout->records, &networks->keys[index]);
        if (network != NULL && network->period == 0) {
            begin_period(lockout, network);
        }
    }
}

enum admission_lock lockout_failed(struct lockout *lockout, const struct admission_limits *limits,
                                   const struct places *places, const struct address *peer, const uint8_t *device,
                                   uint64_t now)
{
    struct limiter_networks networks = limiter_networks_of(peer);
    struct limiter_key pair_key = {{0}};
    if (device != NULL) {
        pair_key = limiter_key_of_device_in(&networks.keys[0], device);
    }
    let_go_of_expired(lockout, now);
    make_records(lockout, &networks, device == NULL ? NULL : &pair_key);
    struct record *pair = device == NULL ? NULL : limiter_table_find(lockout->records, &pair_key);
    enum admission_lock lock = ADMISSION_NOT_LOCKED;
    if (pair != NULL && pair->locked_until <= now && add_failure(lockout, limits, pair, limits->lockout_after, now)) {
        lock = ADMISSION_DEVICE_LOCKED;
    }
    for (size_t index = 0; index < networks.count; index++) {
        const struct limiter_key *key = &networks.keys[index];
        struct record *network = limiter_table_find(lockout->records, key);
        if (network == NULL || network->locked_until > now) {
            continue;
        }
        if (pair != NULL) {
            contribute(pair, network, index);
        }
        if (add_failure(lockout, limits, network, threshold_of(limits, places, key, index), now)) {
            lock = index == 0 ? ADMISSION_ADDRESS_LOCKED : ADMISSION_SITE_LOCKED;
        }
    }
    return lock;
}

void lockout_succeeded(struct lockout *lockout, const struct address *peer, const uint8_t device[LIMITER_DEVICE_SIZE])
{
    struct limiter_networks networks = limiter_networks_of(peer);
    struct limiter_key pair_key = limiter_key_of_device_in(&networks.keys[0], device);
    struct record *pair = limiter_table_find(lockout->records, &pair_key);
    if (pair == NULL) {
        return;
    }
    for (size_t index = 0; index < networks.count; index++) {
        struct record *network = limiter_table_find(lockout->records, &networks.keys[index]);
        if (network != NULL && network->period == pair->contributed_in[index]) {
            assert(network->failures >= pair->contributed[index]);
            network->failures -= pair->contributed[index];
        }
    }
    limiter_table_drop(lockout->records, &pair->entry);
}

size_t lockout_count(const struct lockout *lockout, uint64_t now)
{
    size_t count = 0;
    for (const struct record *record = limiter_table_first_held(lockout->records); record != NULL;
         record = limiter_table_next_held(lockout->records, &record->entry)) {
        count += record->locked_until > now ? 1 : 0;
    }
    return count;
}
