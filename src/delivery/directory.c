#include "delivery/directory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SESSIONS 128u

struct directory_block {
    struct directory_block *next;
    struct directory_session sessions[BLOCK_SESSIONS];
};

_Static_assert(offsetof(struct directory_session, device) == 0, "device_table.h finds the id there");

bool directory_open(struct directory *directory, const uint8_t key[static DEVICE_TABLE_KEY_SIZE])
{
    *directory = (struct directory){.blocks = NULL};
    directory->ended_end = &directory->ended;
    directory->views_end = &directory->views;
    return device_table_open(&directory->live, key);
}

void directory_close(struct directory *directory)
{
    assert(directory->views == NULL);
    while (directory->blocks != NULL) {
        struct directory_block *block = directory->blocks;
        directory->blocks = block->next;
        free(block);
    }
    device_table_close(&directory->live);
}

struct directory_session *directory_find(const struct directory *directory, const uint8_t device[static 6])
{
    return device_table_find(&directory->live, device);
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

static void end(struct directory *directory, struct directory_session *session)
{
    device_table_remove(&directory->live, session->device);
    session->until = ++directory->changes;
    if (!is_viewed(directory, session)) {
        forget(directory, session);
        return;
    }
    session->next = NULL;
    *directory->ended_end = session;
    directory->ended_end = &session->next;
}

struct directory_session *directory_begin(struct directory *directory, const struct seam_event *connected,
                                          uint16_t shard)
{
    assert(connected->kind == SEAM_CONNECTED);
    struct directory_session *before = directory_find(directory, connected->device);
    if (before != NULL)
        end(directory, before);
    if (!device_table_reserve(&directory->live))
        return NULL;
    struct directory_session *session = take_unused(directory);
    if (session == NULL)
        return NULL;
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
    device_table_insert(&directory->live, session);
    return session;
}

void directory_end(struct directory *directory, const struct seam_event *disconnected)
{
    struct directory_session *session = directory_find(directory, disconnected->device);
    if (session != NULL && memcmp(session->session, disconnected->session, sizeof session->session) == 0)
        end(directory, session);
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
