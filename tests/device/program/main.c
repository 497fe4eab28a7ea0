/* strict-device ERA: strict devices of one era over real sockets, steered by JSON lines as tests/interop/device.py is,
 * whose head describes calls and events. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "device/program/output.h"
#include "device/program/station.h"

#define STATIONS_MAX 1000u

static struct station *stations;
static const struct strict_era *era;

static uint64_t microseconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct station **place_of(const char *name)
{
    struct station **place = &stations;
    while (*place != NULL && strcmp((*place)->name, name) != 0)
        place = &(*place)->next;
    return place;
}

static void remove_station(struct station **place)
{
    struct station *station = *place;
    *place = station->next;
    station_free(station);
}

/* Takes the line over. */
static void perform(json_t *line)
{
    json_int_t number = json_integer_value(json_object_get(line, "call"));
    const char *operation = json_string_value(json_object_get(line, "op"));
    const char *name = json_string_value(json_object_get(line, "device"));
    if (operation == NULL || name == NULL) {
        output_error(number, "ValueError", "a call needs op and device");
        json_decref(line);
        return;
    }
    struct station **place = place_of(name);
    if (strcmp(operation, "abort") == 0) {
        /* A later connect under this name is another device. */
        if (*place != NULL) {
            station_abort(*place, json_is_true(json_object_get(line, "reset")));
            remove_station(place);
        }
        output_result(number, NULL);
        json_decref(line);
        return;
    }
    if (*place == NULL)
        *place = station_new(name, era);
    station_call(*place, number, line);
}

static void take_lines(char *bytes, size_t *size)
{
    char *end;
    size_t used = 0;
    while ((end = memchr(bytes + used, '\n', *size - used)) != NULL) {
        json_error_t error;
        json_t *line = json_loadb(bytes + used, (size_t)(end - bytes) - used, 0, &error);
        used = (size_t)(end - bytes) + 1;
        if (line == NULL)
            output_error(0, "ValueError", error.text);
        else
            perform(line);
    }
    *size -= used;
    memmove(bytes, bytes + used, *size);
}

/* False: the caller is gone. */
static bool read_calls(void)
{
    static char *bytes;
    static size_t size;
    static size_t capacity;
    if (size == capacity) {
        capacity = capacity == 0 ? 65536 : 2 * capacity;
        bytes = realloc(bytes, capacity);
        if (bytes == NULL)
            abort();
    }
    ssize_t received = read(STDIN_FILENO, bytes + size, capacity - size);
    if (received < 0 && errno == EINTR)
        return true;
    if (received <= 0) {
        free(bytes);
        return false;
    }
    size += (size_t)received;
    take_lines(bytes, &size);
    return true;
}

static int milliseconds_until(uint64_t deadline, uint64_t now)
{
    if (deadline == UINT64_MAX)
        return -1;
    return deadline <= now ? 0 : (int)((deadline - now + 999) / 1000);
}

static void serve(void)
{
    static struct pollfd polled[1 + STATIONS_MAX];
    for (;;) {
        nfds_t count = 1;
        uint64_t deadline = UINT64_MAX;
        polled[0] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
        for (struct station *station = stations; station != NULL && count <= STATIONS_MAX; station = station->next) {
            uint64_t next = station_deadline(station);
            deadline = next < deadline ? next : deadline;
            polled[count++] = (struct pollfd){.fd = station->line.descriptor, .events = station_events(station)};
        }
        if (poll(polled, count, milliseconds_until(deadline, microseconds())) < 0 && errno != EINTR)
            abort();
        uint64_t now = microseconds();
        nfds_t index = 1;
        for (struct station *station = stations; station != NULL && index < count; station = station->next)
            station_turn(station, polled[index++].revents, now);
        if ((polled[0].revents & (POLLIN | POLLHUP)) != 0 && !read_calls())
            return;
        for (struct station *station = stations; station != NULL; station = station->next)
            station_turn(station, 0, now);
    }
}

int main(int argc, char **argv)
{
    era = argc == 2 ? strict_era_find(argv[1]) : NULL;
    if (era == NULL || sodium_init() < 0) {
        (void)fputs("usage: strict-device ERA, with one of", stderr);
        for (size_t i = 0; i < strict_era_count; i++)
            (void)fprintf(stderr, " %s", strict_eras[i].name);
        (void)fputc('\n', stderr);
        return 2;
    }
    output_ready(era->name);
    serve();
    while (stations != NULL)
        remove_station(&stations);
    return 0;
}
