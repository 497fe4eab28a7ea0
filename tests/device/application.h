/* The program on a strict device: the main loop of an Arduino sketch or of ESP-IDF's examples (port.h). It reads when
 * something is there, says what it is given, PINGs by its own clock, and when the session or a handshake is lost it calls
 * again by its schedule (docs/protocol.md section 5).
 *
 * Without I/O, as the device is. The owner opens sockets when it is asked to, and each new one comes from another port.
 * Times are microseconds.
 */
#ifndef TESTS_DEVICE_APPLICATION_H
#define TESTS_DEVICE_APPLICATION_H

#include "device/device.h"

#define STRICT_POSTS_MAX 8u

struct strict_application_owner {
    void *context;
    void (*send)(void *context, const uint8_t *bytes, size_t size);
    void (*random)(void *context, uint8_t *bytes, size_t size);
    /* Drop the socket there is and open another. When it is open, at once or later, the owner calls
     * strict_application_dialled(), from outside. */
    void (*dial)(void *context);
    void (*tell)(void *context, const struct strict_event *event); /* as in device.h */
};

enum strict_application_state {
    STRICT_APPLICATION_WAITS, /* for its next call */
    STRICT_APPLICATION_DIALS,
    STRICT_APPLICATION_RUNS, /* shakes hands, or has a session */
    STRICT_APPLICATION_STOPPED
};

struct strict_post {
    size_t size;
    uint8_t bytes[STRICT_MESSAGE_MAX];
};

/* Members are for application.c, and for tests to look at. */
struct strict_application {
    const struct strict_application_owner *owner;
    struct strict_owner device_owner;
    struct strict_start start;
    struct strict_device device;
    bool begun;
    enum strict_application_state state;
    uint64_t retry_at;
    unsigned failures; /* in a row */
    unsigned calls;    /* how often it has dialled */
    uint64_t next_turn;
    uint64_t busy_until;
    bool closing;
    struct strict_post posts[STRICT_POSTS_MAX];
    size_t post_count;
    bool sending; /* posts[0] is under way */
};

/* Dials at once. `start`, its key too, must live as long as the application. */
void strict_application_start(struct strict_application *application, const struct strict_application_owner *owner,
                              const struct strict_start *start, uint64_t now);
/* Wipes the keys. */
void strict_application_end(struct strict_application *application);

/* What `dial` asked for. False: it failed, and the next attempt follows the schedule. */
void strict_application_dialled(struct strict_application *application, bool open, uint64_t now);

/* False: STRICT_POSTS_MAX wait already, or it is too long. What is under way when the session ends is lost, as it is for
 * an application that looks at no return value; what waits is sent in the next one. */
bool strict_application_post(struct strict_application *application, const uint8_t *bytes, size_t size);
/* It does something else for so long, and neither reads nor sends. */
void strict_application_be_busy(struct strict_application *application, uint64_t microseconds, uint64_t now);
/* Closes and does not come back. */
void strict_application_stop(struct strict_application *application);

/* Input, as in device.h. */
void strict_application_datagram(struct strict_application *application, const uint8_t *bytes, size_t size,
                                 uint64_t now);
size_t strict_application_stream(struct strict_application *application, const uint8_t *bytes, size_t size,
                                 uint64_t now);
void strict_application_stream_closed(struct strict_application *application, uint64_t now);

uint64_t strict_application_deadline(const struct strict_application *application);
void strict_application_advance(struct strict_application *application, uint64_t now);

bool strict_application_is_connected(const struct strict_application *application);

#endif
