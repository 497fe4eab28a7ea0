#include "delivery/directory.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64u
#define BLOCK_SESSIONS 128u

struct directory_block {
    struct directory_block *next;
    struct directory_session sessions[BLOCK_SESSIONS];
};

_Static_assert(DIRECTORY_KEY_SIZE == crypto_shorthash_KEYBYTES, "SipHash takes the key as it is");

bool directory_open(struct directory *directory, const uint8_t key[static DIRECTORY_KEY_SIZE])
{
    struct directory_session **table = calloc(FIRST_CAPACITY, sizeof *table);
    if (table == NULL)
        return false;
    *directory = (struct directory){.table = table, .capacity = FIRST_CAPACITY};
    directory->ended_end = &directory->ended;
    directory->views_end = &directory->views;
    memcpy(directory->key, key, DIRECTORY_KEY_SIZE);
    return true;
}

void directory_close(struct directory *directory)
{
    assert(directory->views == NULL);
    while (directory->blocks != NULL) {
        struct directory_block *block = directory->blocks;
        directory->blocks = block->next;
        free(block);
    }
    free(directory->table);
    directory->table = NULL;
}

/* Where a search for the device begins. */
static size_t home_of(const struct directory *directory, const uint8_t device[static 6])
{
    uint8_t hash[crypto_shorthash_BYTES];
    (void)crypto_shorthash(hash, device, 6, directory->key);
    uint64_t number;
    memcpy(&number, hash, sizeof number);
    return (size_t)number & (directory->capacity - 1);
}

/* The place of the device, or the empty one where it would go. */
static size_t place_of(const struct directory *directory, const uint8_t device[static 6])
{
    size_t place = home_of(directory, device);
    while (directory->table[place] != NULL && memcmp(directory->table[place]->device, device, 6) != 0)
        place = (place + 1) & (directory->capacity - 1);
    return place;
}

struct directory_session *directory_find(const struct directory *directory, const uint8_t device[static 6])
{
    return directory->table[place_of(directory, device)];
}

static bool has_room_for_another(struct directory *directory)
{
    if ((directory->live + 1) * 4 <= directory->capacity * 3)
        return true;
    size_t old_capacity = directory->capacity;
    struct directory_session **old_table = directory->table;
    struct directory_session **table = calloc(old_capacity * 2, sizeof *table);
    if (table == NULL)
        return false;
    directory->table = table;
    directory->capacity = old_capacity * 2;
    for (size_t i = 0; i < old_capacity; i++) {
        if (old_table[i] != NULL)
            table[place_of(directory, old_table[i]->device)] = old_table[i];
    }
    free(old_table);
    return true;
}

static struct directory_session *take_unused(struct directory *directory)
{
    if (directory->unused == NULL) {
        struct directory_block *block = malloc(sizeof *block);
        if (block == NULL)
            return NULL;
        block->next = directory->blocks;
        directory->blocks = block;
        for (size_t i = 0; i < BLOCK_SESSIONS; i++) {
            block->sessions[i].next = directory->unused;
            directory->unused = &block->sessions[i];
        }
    }
    struct directory_session *session = directory->unused;
    directory->unused = session->next;
    return session;
}

/* Closes the gap, so that no search ends at it early. */
static void empty_place(struct directory *directory, size_t place)
{
    size_t mask = directory->capacity - 1;
    size_t gap = place;
    directory->table[gap] = NULL;
    for (size_t next = (gap + 1) & mask; directory->table[next] != NULL; next = (next + 1) & mask) {
        size_t home = home_of(directory, directory->table[next]->device);
        if (((next - home) & mask) >= ((next - gap) & mask)) {
            directory->table[gap] = directory->table[next];
            directory->table[next] = NULL;
            gap = next;
        }
    }
}

static void append_newest(struct directory *directory, struct directory_session *session)
{
    session->older = directory->newest;
    session->newer = NULL;
    if (directory->newest != NULL)
        directory->newest->newer = session;
    else
        directory->oldest = session;
    directory->newest = session;
}

static void forget(struct directory *directory, struct directory_session *session)
{
    for (struct directory_view *view = directory->views; view != NULL; view = view->next) {
        if (view->cursor == session)
            view->cursor = session->newer;
    }
    if (session->older != NULL)
        session->older->newer = session->newer;
    else
        directory->oldest = session->newer;
    if (session->newer != NULL)
        session->newer->older = session->older;
    else
        directory->newest = session->older;
    session->next = directory->unused;
    directory->unused = session;
}

static bool is_viewed(const struct directory *directory, const struct directory_session *session)
{
    for (const struct directory_view *view = directory->views; view != NULL; view = view->next) {
        if (session->since <= view->at && view->at < session->until)
            return true;
    }
    return false;
}

static void end_at(struct directory *directory, size_t place)
{
    struct directory_session *session = directory->table[place];
    empty_place(directory, place);
    directory->live--;
    session->until = ++directory->changes;
    if (!is_viewed(directory, session)) {
        forget(directory, session);
        return;
    }
    session->next = NULL;
    *directory->ended_end = session;
    directory->ended_end = &session->next;
}

bool directory_begin(struct directory *directory, const struct seam_event *connected, uint16_t shard)
{
    assert(connected->kind == SEAM_CONNECTED);
    size_t place = place_of(directory, connected->device);
    if (directory->table[place] != NULL)
        end_at(directory, place);
    if (!has_room_for_another(directory))
        return false;
    struct directory_session *session = take_unused(directory);
    if (session == NULL)
        return false;
    *session = (struct directory_session){
        .transport = (uint8_t)connected->transport,
        .wire = (uint8_t)connected->wire,
        .peer = connected->peer,
        .shard = shard,
        .backends = connected->backends,
        .connected = connected->time,
        .since = ++directory->changes,
    };
    memcpy(session->device, connected->device, sizeof session->device);
    memcpy(session->session, connected->session, sizeof session->session);
    append_newest(directory, session);
    directory->table[place_of(directory, session->device)] = session;
    directory->live++;
    return true;
}

void directory_end(struct directory *directory, const struct seam_event *disconnected)
{
    size_t place = place_of(directory, disconnected->device);
    const struct directory_session *session = directory->table[place];
    if (session != NULL && memcmp(session->session, disconnected->session, sizeof session->session) == 0)
        end_at(directory, place);
}

void directory_view_open(struct directory *directory, struct directory_view *view)
{
    *view = (struct directory_view){.at = directory->changes, .cursor = directory->oldest};
    *directory->views_end = view;
    directory->views_end = &view->next;
}

static void forget_what_nobody_views(struct directory *directory)
{
    struct directory_session **link = &directory->ended;
    while (*link != NULL) {
        struct directory_session *session = *link;
        if (is_viewed(directory, session)) {
            link = &session->next;
        } else {
            *link = session->next;
            forget(directory, session);
        }
    }
    directory->ended_end = link;
}

void directory_view_close(struct directory *directory, struct directory_view *view)
{
    struct directory_view **link = &directory->views;
    while (*link != view) {
        assert(*link != NULL);
        link = &(*link)->next;
    }
    *link = view->next;
    if (view->next == NULL)
        directory->views_end = link;
    forget_what_nobody_views(directory);
}

const struct directory_session *directory_view_next(struct directory_view *view)
{
    struct directory_session *session = view->cursor;
    while (session != NULL && session->until != 0 && session->until <= view->at)
        session = session->newer;
    if (session == NULL || session->since > view->at)
        return NULL;
    view->cursor = session->newer;
    return session;
}
