#include "delivery/flight.h"

#include <assert.h>

void flight_clear(struct flight *flight)
{
    flight->count = 0;
    flight->done = 0;
    flight->length = 0;
    flight->sent = 0;
    flight->cost = 0;
}

bool flight_is_empty(const struct flight *flight)
{
    return flight->count == 0;
}

static size_t end_of_done(const struct flight *flight)
{
    return flight->done > 0 ? flight->lines[flight->done - 1].end : 0;
}

bool flight_is_between_lines(const struct flight *flight)
{
    return flight->sent == end_of_done(flight);
}

char *flight_line_begin(struct flight *flight)
{
    if (flight->count == FLIGHT_LINES || sizeof flight->bytes - flight->length < EVENT_NDJSON_LINE_MAX)
        return NULL;
    return flight->bytes + flight->length;
}

void flight_line_end(struct flight *flight, size_t size, uint64_t cost, uint64_t next_id)
{
    assert(size > 0 && size <= EVENT_NDJSON_LINE_MAX);
    flight->length += size;
    flight->cost += cost;
    flight->lines[flight->count++] = (struct flight_line){.end = flight->length, .cost = cost, .next_id = next_id};
}

const char *flight_unsent(const struct flight *flight, size_t *size)
{
    *size = flight->length - flight->sent;
    return flight->bytes + flight->sent;
}

struct flight_progress flight_sent(struct flight *flight, size_t size)
{
    assert(size <= flight->length - flight->sent);
    struct flight_progress progress = {.events = 0};
    flight->sent += size;
    while (flight->done < flight->count && flight->lines[flight->done].end <= flight->sent) {
        uint64_t cost = flight->lines[flight->done++].cost;
        progress.cost += cost;
        progress.events += cost > 0;
    }
    flight->cost -= progress.cost;
    if (flight->done == flight->count)
        flight_clear(flight);
    return progress;
}

void flight_rewind(struct flight *flight)
{
    flight->sent = end_of_done(flight);
}

uint64_t flight_next_id(const struct flight *flight)
{
    assert(flight->done < flight->count);
    return flight->lines[flight->done].next_id;
}
