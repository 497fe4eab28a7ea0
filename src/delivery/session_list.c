#include "delivery/session_list.h"

#include <assert.h>

/* In one go: a bound on time, since sessions of other backends are passed over, and one on memory. */
#define SESSIONS_AT_A_TIME 256u
#define ANSWERS_ENOUGH 32768u

void session_list_open(struct session_list *list)
{
    list->first = 0;
    list->count = 0;
}

static void begin(struct session_list *list, const struct session_list_source *source)
{
    directory_view_open(source->directory, &list->view);
    list->position = source->queue->pushed;
    list->listed = 0;
}

void session_list_close(struct session_list *list, const struct session_list_source *source)
{
    if (list->count > 0)
        directory_view_close(source->directory, &list->view);
    list->count = 0;
}

bool session_list_ask(struct session_list *list, const struct session_list_source *source, const struct answer_ref *ref)
{
    if (list->count == SESSION_LIST_WAITING_MAX)
        return false;
    list->refs[(list->first + list->count) % SESSION_LIST_WAITING_MAX] = *ref;
    list->count++;
    if (list->count == 1)
        begin(list, source);
    return true;
}

bool session_list_goes_first(const struct session_list *list, const struct session_list_source *source)
{
    return list->count > 0 && event_queue_left(source->queue) >= list->position;
}

static bool append(struct byte_fifo *answers, const char *line, size_t size)
{
    if (!byte_fifo_reserve(answers, size))
        return false;
    byte_fifo_append(answers, line, size);
    return true;
}

static bool finish(struct session_list *list, const struct session_list_source *source, struct byte_fifo *answers)
{
    char line[ANSWER_NDJSON_LINE_MAX];
    const struct answer_ref *ref = &list->refs[list->first];
    if (!append(answers, line, answer_ndjson_listed(ref, list->listed, line)))
        return false;
    directory_view_close(source->directory, &list->view);
    list->first = (list->first + 1) % SESSION_LIST_WAITING_MAX;
    list->count--;
    if (list->count > 0)
        begin(list, source);
    return true;
}

enum session_list_verdict session_list_write(struct session_list *list, const struct session_list_source *source,
                                             struct byte_fifo *answers)
{
    for (unsigned i = 0; i < SESSIONS_AT_A_TIME && answers->size < ANSWERS_ENOUGH; i++) {
        if (!session_list_goes_first(list, source))
            return SESSION_LIST_DONE;
        const struct directory_session *session = directory_view_next(&list->view);
        if (session == NULL) {
            if (!finish(list, source, answers))
                return SESSION_LIST_SHORT_OF_MEMORY;
            continue;
        }
        if ((session->backends & source->backend) == 0)
            continue;
        char line[ANSWER_NDJSON_LINE_MAX];
        const struct answer_ref *ref = &list->refs[list->first];
        if (!append(answers, line, answer_ndjson_session(source->encoder, ref, session, line)))
            return SESSION_LIST_SHORT_OF_MEMORY;
        list->listed++;
    }
    return SESSION_LIST_MORE;
}
