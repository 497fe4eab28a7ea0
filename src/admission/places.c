#include "admission/places.h"

#include <assert.h>
#include <stddef.h>

#include "admission/limiter_table.h"

/* For a moment a worker has a session's place and that of the one that it replaces. */
#define REPLACED_AT_ONCE 64u

/* Always held: it goes with the last that is alive in it. */
struct place {
    struct limiter_entry entry;
    uint32_t sessions;
    uint32_t handshakes;
};

_Static_assert(offsetof(struct place, entry) == 0, "a table's object begins with its entry");

static uint32_t networks_needed(const struct admission_limits *limits)
{
    uint64_t alive = (uint64_t)limits->sessions + limits->handshakes + REPLACED_AT_ONCE;
    return alive * 2 > PLACES_NETWORKS_MAX ? PLACES_NETWORKS_MAX : (uint32_t)alive * 2;
}

static struct place *use(struct limiter_table *networks, const struct limiter_key *key)
{
    struct place *place = limiter_table_use(networks, key);
    if (place != NULL) {
        limiter_table_hold(networks, &place->entry);
    }
    return place;
}

static void move(struct limiter_table *from, struct limiter_table *to)
{
    for (struct place *old = limiter_table_first_held(from); old != NULL;
         old = limiter_table_next_held(from, &old->entry)) {
        struct place *place = use(to, &old->entry.key);
        assert(place != NULL);
        place->sessions = old->sessions;
        place->handshakes = old->handshakes;
    }
    limiter_table_close(from);
}

bool places_configure(struct places *places, const struct admission_limits *limits, const uint8_t hash_key[16])
{
    uint32_t capacity = networks_needed(limits);
    if (places->networks != NULL && limiter_table_capacity(places->networks) >= capacity) {
        return true;
    }
    struct limiter_table *networks = limiter_table_open(capacity, sizeof(struct place), hash_key);
    if (networks == NULL) {
        return false;
    }
    if (places->networks != NULL) {
        move(places->networks, networks);
    }
    places->networks = networks;
    return true;
}

void places_close(struct places *places)
{
    limiter_table_close(places->networks);
    places->networks = NULL;
}

static void drop_if_empty(struct places *places, struct place *place)
{
    if (place->sessions == 0 && place->handshakes == 0) {
        limiter_table_drop(places->networks, &place->entry);
    }
}

/* The places of an address in its networks, made if need be. */
static bool open_places(struct places *places, const struct limiter_networks *networks, struct place *opened[2])
{
    for (size_t index = 0; index < networks->count; index++) {
        opened[index] = use(places->networks, &networks->keys[index]);
        if (opened[index] == NULL) {
            while (index-- > 0) {
                drop_if_empty(places, opened[index]);
            }
            return false;
        }
    }
    return true;
}

static void close_places(struct places *places, const struct limiter_networks *networks, struct place *opened[2])
{
    for (size_t index = 0; index < networks->count; index++) {
        drop_if_empty(places, opened[index]);
    }
}

/* `limit` is that of one address; the second network, if there is one, is a site. */
static bool is_within(uint32_t count, uint32_t limit, size_t network)
{
    uint64_t factor = network == 0 ? 1 : ADMISSION_SITE_PLACES_FACTOR;
    return limit == 0 || count < limit * factor;
}

static bool find_room(const struct limiter_networks *networks, struct place *const opened[2], uint32_t sessions_limit,
                      uint32_t handshakes_limit)
{
    for (size_t index = 0; index < networks->count; index++) {
        if (!is_within(opened[index]->sessions, sessions_limit, index) ||
            !is_within(opened[index]->handshakes, handshakes_limit, index)) {
            return false;
        }
    }
    return true;
}

bool places_take_handshake(struct places *places, const struct admission_limits *limits, const struct address *peer,
                           bool trusted)
{
    struct limiter_networks networks = limiter_networks_of(peer);
    struct place *opened[2];
    if (places->handshakes >= limits->handshakes || !open_places(places, &networks, opened)) {
        return false;
    }
    if (!find_room(&networks, opened, 0, trusted ? 0 : limits->handshakes_per_address)) {
        close_places(places, &networks, opened);
        return false;
    }
    for (size_t index = 0; index < networks.count; index++) {
        opened[index]->handshakes++;
    }
    places->handshakes++;
    return true;
}

bool places_are_taken(const struct places *places, const struct admission_limits *limits, const struct address *peer,
                      bool trusted)
{
    struct limiter_networks networks = limiter_networks_of(peer);
    uint32_t limit = trusted ? 0 : limits->handshakes_per_address;
    for (size_t index = 0; index < networks.count; index++) {
        const struct place *place = limiter_table_find(places->networks, &networks.keys[index]);
        if (place != NULL && !is_within(place->handshakes, limit, index)) {
            return false;
        }
    }
    return places->handshakes >= limits->handshakes;
}

static struct place *taken_place(struct places *places, const struct limiter_key *network)
{
    struct place *place = limiter_table_find(places->networks, network);
    assert(place != NULL);
    return place;
}

void places_give_handshake(struct places *places, const struct address *peer)
{
    struct limiter_networks networks = limiter_networks_of(peer);
    for (size_t index = 0; index < networks.count; index++) {
        struct place *place = taken_place(places, &networks.keys[index]);
        assert(place->handshakes > 0);
        place->handshakes--;
        drop_if_empty(places, place);
    }
    assert(places->handshakes > 0);
    places->handshakes--;
}

static bool is_full(const struct places *places, const struct admission_limits *limits, bool uses_default)
{
    return places->sessions >= limits->sessions ||
           (uses_default && places->default_psk_sessions >= limits->default_psk_sessions);
}

bool places_take_session(struct places *places, const struct admission_limits *limits, const struct address *peer,
                         bool trusted, bool uses_default, bool replaces)
{
    struct limiter_networks networks = limiter_networks_of(peer);
    struct place *opened[2];
    if ((!replaces && is_full(places, limits, uses_default)) || !open_places(places, &networks, opened)) {
        return false;
    }
    if (!replaces && !find_room(&networks, opened, trusted ? 0 : limits->sessions_per_address, 0)) {
        close_places(places, &networks, opened);
        return false;
    }
    for (size_t index = 0; index < networks.count; index++) {
        opened[index]->sessions++;
    }
    places->sessions++;
    places->default_psk_sessions += uses_default ? 1 : 0;
    return true;
}

void places_give_session(struct places *places, const struct address *peer, bool uses_default)
{
    struct limiter_networks networks = limiter_networks_of(peer);
    for (size_t index = 0; index < networks.count; index++) {
        struct place *place = taken_place(places, &networks.keys[index]);
        assert(place->sessions > 0);
        place->sessions--;
        drop_if_empty(places, place);
    }
    assert(places->sessions > 0 && places->default_psk_sessions >= (uses_default ? 1u : 0u));
    places->sessions--;
    places->default_psk_sessions -= uses_default ? 1 : 0;
}

bool places_has_session(const struct places *places, const struct limiter_key *network)
{
    const struct place *place = limiter_table_find(places->networks, network);
    return place != NULL && place->sessions > 0;
}
