#include "gateway/silent_streams.h"

#include <assert.h>
#include <stdlib.h>

typedef bool same_origin(const struct silent_origin *one, const struct silent_origin *other);

bool silent_streams_open(struct silent_streams *silent)
{
    silent->places = calloc(SILENT_STREAMS_MAX, sizeof *silent->places);
    return silent->places != NULL;
}

void silent_streams_close(struct silent_streams *silent)
{
    free(silent->places);
    *silent = (struct silent_streams){0};
}

static bool same_host(const struct silent_origin *one, const struct silent_origin *other)
{
    return one->host == other->host;
}

static bool same_site(const struct silent_origin *one, const struct silent_origin *other)
{
    return one->site == other->site;
}

static size_t count_same(const struct silent_streams *silent, const struct silent_origin *origin, same_origin *same)
{
    size_t count = 0;
    for (size_t place = 0; place < silent->count; place++) {
        count += same(&silent->places[place].origin, origin) ? 1 : 0;
    }
    return count;
}

static struct shard_stream *nth_same(const struct silent_streams *silent, const struct silent_origin *origin,
                                     same_origin *same, size_t number)
{
    size_t place = 0;
    while (!same(&silent->places[place].origin, origin) || number-- > 0) {
        place++;
        assert(place < silent->count);
    }
    return silent->places[place].stream;
}

enum silent_verdict silent_streams_judge(const struct silent_streams *silent, const struct silent_origin *origin,
                                         void (*random)(void *context, void *out, size_t size), void *context,
                                         struct shard_stream **leaves)
{
    static const struct {
        same_origin *same;
        size_t limit;
    } shares[] = {{same_host, SILENT_STREAMS_HOST_MAX}, {same_site, SILENT_STREAMS_SITE_MAX}};
    uint32_t chance[2];
    for (size_t share = 0; !origin->trusted && share < sizeof shares / sizeof *shares; share++) {
        size_t count = count_same(silent, origin, shares[share].same);
        if (count >= shares[share].limit) {
            random(context, chance, sizeof chance);
            *leaves = nth_same(silent, origin, shares[share].same, chance[0] % count);
            return SILENT_WELCOME_FOR_ANOTHER;
        }
    }
    if (silent->count <= SILENT_STREAMS_HALF) {
        return SILENT_WELCOME;
    }
    random(context, chance, sizeof chance);
    if (chance[0] % SILENT_STREAMS_HALF >= silent->count - SILENT_STREAMS_HALF) {
        return SILENT_WELCOME;
    }
    size_t who = chance[1] % (silent->count + 1);
    if (who == silent->count) {
        return SILENT_TURNED_AWAY;
    }
    *leaves = silent->places[who].stream;
    return SILENT_WELCOME_FOR_ANOTHER;
}

size_t silent_streams_enter(struct silent_streams *silent, struct shard_stream *stream,
                            const struct silent_origin *origin)
{
    assert(silent->count < SILENT_STREAMS_MAX);
    silent->places[silent->count] = (struct silent_place){stream, *origin};
    return silent->count++;
}

struct shard_stream *silent_streams_leave(struct silent_streams *silent, size_t place)
{
    assert(place < silent->count);
    silent->places[place] = silent->places[--silent->count];
    return place == silent->count ? NULL : silent->places[place].stream;
}
