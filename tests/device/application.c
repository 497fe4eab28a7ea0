#include "device/application.h"

#include <string.h>

static void send_bytes(void *context, const uint8_t *bytes, size_t size)
{
    const struct strict_application *application = context;
    application->owner->send(application->owner->context, bytes, size);
}

static void give_random(void *context, uint8_t *bytes, size_t size)
{
    const struct strict_application *application = context;
    application->owner->random(application->owner->context, bytes, size);
}

static void drop_first_post(struct strict_application *application)
{
    application->sending = false;
    application->post_count--;
    memmove(application->posts, application->posts + 1, application->post_count * sizeof application->posts[0]);
}

static void hear(void *context, const struct strict_event *event)
{
    struct strict_application *application = context;
    if (event->kind == STRICT_CONNECTED)
        application->failures = 0;
    bool ends_sending = event->kind == STRICT_SENT || event->kind == STRICT_UNSENT || event->kind == STRICT_OVER;
    if (application->sending && ends_sending)
        drop_first_post(application);
    application->owner->tell(application->owner->context, event);
}

static void dial(struct strict_application *application)
{
    application->state = STRICT_APPLICATION_DIALS;
    application->calls++;
    application->owner->dial(application->owner->context);
}

void strict_application_start(struct strict_application *application, const struct strict_application_owner *owner,
                              const struct strict_start *start, uint64_t now)
{
    memset(application, 0, sizeof *application);
    application->owner = owner;
    application->start = *start;
    application->device_owner = (struct strict_owner){application, send_bytes, give_random, hear};
    application->next_turn = now;
    dial(application);
}

void strict_application_end(struct strict_application *application)
{
    if (application->begun)
        strict_device_wipe(&application->device);
    application->state = STRICT_APPLICATION_STOPPED;
}

static uint64_t next_delay(const struct strict_application *application)
{
    const struct strict_port *port = application->start.port;
    if (application->failures == 0)
        return port->first_retry;
    uint64_t delay = port->second_retry;
    for (unsigned i = 1; i < application->failures && delay < port->last_retry; i++)
        delay *= 2;
    return delay < port->last_retry ? delay : port->last_retry;
}

static void call_later(struct strict_application *application, uint64_t now)
{
    application->state = STRICT_APPLICATION_WAITS;
    application->retry_at = now + next_delay(application);
    application->failures++;
}

/* After anything that may have ended the session. */
static void look(struct strict_application *application, uint64_t now)
{
    if (application->state != STRICT_APPLICATION_RUNS || !application->device.over)
        return;
    if (application->closing)
        application->state = STRICT_APPLICATION_STOPPED;
    else
        call_later(application, now);
}

void strict_application_dialled(struct strict_application *application, bool open, uint64_t now)
{
    if (application->state != STRICT_APPLICATION_DIALS)
        return;
    if (!open) {
        call_later(application, now);
        return;
    }
    application->state = STRICT_APPLICATION_RUNS;
    application->next_turn = now;
    if (application->begun) {
        strict_device_restart(&application->device, now);
    } else {
        application->begun = true;
        strict_device_begin(&application->device, &application->device_owner, &application->start, now);
    }
    look(application, now);
}

bool strict_application_post(struct strict_application *application, const uint8_t *bytes, size_t size)
{
    if (application->post_count == STRICT_POSTS_MAX || size > STRICT_MESSAGE_MAX)
        return false;
    struct strict_post *post = &application->posts[application->post_count++];
    post->size = size;
    if (size > 0)
        memcpy(post->bytes, bytes, size);
    return true;
}

void strict_application_be_busy(struct strict_application *application, uint64_t microseconds, uint64_t now)
{
    application->busy_until = now + microseconds;
}

void strict_application_stop(struct strict_application *application)
{
    application->closing = true;
    if (application->state != STRICT_APPLICATION_RUNS)
        application->state = STRICT_APPLICATION_STOPPED;
}

/* One pass of the main loop, when nothing is under way. */
static void turn(struct strict_application *application, uint64_t now)
{
    struct strict_device *device = &application->device;
    application->next_turn = now + application->start.port->turn;
    if (application->closing) {
        (void)strict_device_close(device, now);
    } else if (strict_device_has_input(device, now)) {
        (void)strict_device_read(device, now);
    } else if (application->post_count > 0) {
        application->sending = true;
        (void)strict_device_send(device, application->posts[0].bytes, application->posts[0].size, now);
    } else if (now - device->last_sent >= application->start.port->ping_after) {
        (void)strict_device_ping(device, now);
    }
    look(application, now);
}

static uint64_t turn_due(const struct strict_application *application)
{
    const struct strict_device *device = &application->device;
    if (!strict_application_is_connected(application) || device->operation != STRICT_IDLE)
        return UINT64_MAX;
    return application->next_turn > application->busy_until ? application->next_turn : application->busy_until;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t strict_application_deadline(const struct strict_application *application)
{
    switch (application->state) {
    case STRICT_APPLICATION_WAITS:
        return application->retry_at;
    case STRICT_APPLICATION_RUNS:
        return earlier(strict_device_deadline(&application->device), turn_due(application));
    default:
        return UINT64_MAX;
    }
}

void strict_application_advance(struct strict_application *application, uint64_t now)
{
    if (application->state == STRICT_APPLICATION_WAITS && application->retry_at <= now) {
        dial(application);
        return;
    }
    if (application->state != STRICT_APPLICATION_RUNS)
        return;
    strict_device_advance(&application->device, now);
    look(application, now);
    if (application->state == STRICT_APPLICATION_RUNS && turn_due(application) <= now)
        turn(application, now);
}

void strict_application_datagram(struct strict_application *application, const uint8_t *bytes, size_t size,
                                 uint64_t now)
{
    if (application->state != STRICT_APPLICATION_RUNS)
        return;
    strict_device_datagram(&application->device, bytes, size, now);
    look(application, now);
}

size_t strict_application_stream(struct strict_application *application, const uint8_t *bytes, size_t size,
                                 uint64_t now)
{
    if (application->state != STRICT_APPLICATION_RUNS)
        return size;
    size_t taken = strict_device_stream(&application->device, bytes, size, now);
    look(application, now);
    return taken;
}

void strict_application_stream_closed(struct strict_application *application, uint64_t now)
{
    if (application->state != STRICT_APPLICATION_RUNS)
        return;
    strict_device_stream_closed(&application->device, now);
    look(application, now);
}

bool strict_application_is_connected(const struct strict_application *application)
{
    return application->state == STRICT_APPLICATION_RUNS && application->device.connected && !application->device.over;
}
