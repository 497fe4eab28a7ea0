#include "gateway/credit.h"

#include <assert.h>

#include "gateway/shard_internal.h"

#define RESUME_COST seam_event_cost(SEAM_PAYLOAD_MAX) /* what a paused session may want as soon as it goes on */

bool credit_take(struct session *session, uint64_t cost)
{
    return !session->is_denied && seam_credit_take(&session->shard->credit, session->backends, cost);
}

bool credit_is_denied(const struct shard *shard, const uint8_t device[USMP_DEVICE_ID_SIZE], uint32_t backends)
{
    SEAM_BACKENDS_EACH(index, backends) {
        if (seam_denied_contains(&shard->denied.lists[index], device)) {
            return true;
        }
    }
    return false;
}

/* The backends that have room for whatever a session may want next. */
static uint32_t backends_with_room(const struct seam_credit *credit)
{
    uint32_t backends = 0;
    for (unsigned index = 0; index < SEAM_BACKENDS_MAX; index++) {
        if (credit->bytes[index] >= RESUME_COST) {
            backends |= UINT32_C(1) << index;
        }
    }
    return backends;
}

/* Connections go on, the oldest first, and no more than there is room for: the others would stop again at once, for
 * nothing. Each that goes on spends credit or ends, and of either comes new credit for those behind it; so what waits
 * for memory, and might spend none, is not among them. */
static void resume_paused(struct shard *shard, struct shard_time now)
{
    struct seam_credit left = shard->credit;
    uint32_t with_room = backends_with_room(&left);
    for (struct session *session = shard->paused_first, *next; session != NULL && with_room != 0; session = next) {
        next = session->paused_next;
        if ((session->backends & ~with_room) == 0 && session->retry_at == DEADLINE_NEVER && !session->is_denied) {
            bool taken = seam_credit_take(&left, session->backends, RESUME_COST);
            assert(taken);
            (void)taken;
            with_room = backends_with_room(&left);
            session_unpause(session, now);
            (void)!session_run(session, now);
        }
    }
}

void shard_credit(struct shard *shard, const struct seam_credit *credit, struct shard_time now)
{
    for (unsigned index = 0; index < SEAM_BACKENDS_MAX; index++) {
        shard->credit.bytes[index] += credit->bytes[index];
    }
    resume_paused(shard, now);
}

/* Looks at these devices' sessions again. */
static void look_at(const struct shard *shard, const struct seam_denied *denied)
{
    for (unsigned index = 0; index < SEAM_BACKENDS_MAX; index++) {
        const struct seam_denied_list *list = &denied->lists[index];
        for (unsigned place = 0; place < list->count; place++) {
            struct session *session = session_find(shard, list->devices[place]);
            if (session != NULL) {
                session->is_denied = credit_is_denied(shard, session->device, session->backends);
            }
        }
    }
}

void shard_deny(struct shard *shard, const struct seam_denied *denied, struct shard_time now)
{
    const struct seam_denied before = shard->denied;
    shard->denied = *denied;
    look_at(shard, &before);
    look_at(shard, denied);
    resume_paused(shard, now);
}
