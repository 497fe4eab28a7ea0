/* A device, its connection, and the application on it that does what calls ask for, one after the other, and reads what
 * comes in between. */
#ifndef TESTS_DEVICE_PROGRAM_STATION_H
#define TESTS_DEVICE_PROGRAM_STATION_H

#include <poll.h>

#include <jansson.h>

#include "device/device.h"
#include "device/program/line.h"

struct call {
    struct call *next;
    json_int_t number;
    json_t *arguments; /* the whole line */
    size_t index;      /* of the message that is under way */
};

struct station {
    struct station *next;
    char *name;
    const struct strict_era *era;
    struct strict_owner owner;
    struct strict_device device; /* wiped, or as far as `line` is open */
    struct line line;
    bool up;   /* `connect` has succeeded */
    bool done; /* the operation under way */
    bool told_paused;
    const char *failure; /* the end of the session or handshake, not reported yet */
    struct call *calls;  /* the first is under way when `started` */
    struct call **calls_end;
    bool started;
    uint64_t connect_deadline;
    uint64_t next_read;
};

struct station *station_new(const char *name, const struct strict_era *era);
/* Its calls are answered with an error. */
void station_free(struct station *station);

/* Takes the line over. */
void station_call(struct station *station, json_int_t number, json_t *arguments);

/* For poll(). */
short station_events(const struct station *station);
uint64_t station_deadline(struct station *station);
/* `events`: what poll() saw. Call it for each station in each turn. */
void station_turn(struct station *station, short events, uint64_t now);

/* Leaves without BYE. */
void station_abort(struct station *station, bool reset);

#endif
