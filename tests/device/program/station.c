#include "device/program/station.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "device/program/output.h"

#define SECOND UINT64_C(1000000)
#define TURN (SECOND / 100)

/* As in today's examples of ESP-IDF, which read into as much as there can be; and the main loop turns as on an Arduino,
 * so that the tests do not take ten times as long. */
static const struct strict_port port = {
    .name = "strict-device",
    .buffer_size = STRICT_MESSAGE_MAX,
    .gives_up_on_failure = true,
    .turn = TURN,
};

static void send_bytes(void *context, const uint8_t *bytes, size_t size)
{
    struct station *station = context;
    line_send(&station->line, bytes, size);
    if (station->line.unsent_size > 0 && !station->told_paused) {
        station->told_paused = true;
        output_paused(station->name);
    }
}

static void give_random(void *context, uint8_t *bytes, size_t size)
{
    (void)context;
    randombytes_buf(bytes, size);
}

static void hear(void *context, const struct strict_event *event)
{
    struct station *station = context;
    switch (event->kind) {
    case STRICT_OPENED:
        output_frame(station->name, "opened", event->type, event->seq);
        break;
    case STRICT_REPEATED:
        output_frame(station->name, "repeated", event->type, event->seq);
        break;
    case STRICT_MESSAGE:
        output_message(station->name, event->bytes, event->size);
        break;
    case STRICT_OVER:
        station->failure = output_end_text(event->end);
        break;
    case STRICT_UNSENT:
        station->failure = output_end_text(STRICT_END_GAVE_UP);
        break;
    case STRICT_CONNECTED:
    case STRICT_SENT:
    case STRICT_CLOSED:
        station->done = true;
        break;
    case STRICT_NOTHING:
    case STRICT_LOST:
        break;
    }
}

struct station *station_new(const char *name, const struct strict_era *era)
{
    struct station *station = calloc(1, sizeof *station);
    if (station == NULL || (station->name = strdup(name)) == NULL)
        abort();
    station->era = era;
    station->owner = (struct strict_owner){station, send_bytes, give_random, hear};
    station->line.descriptor = -1;
    station->calls_end = &station->calls;
    strict_device_wipe(&station->device);
    return station;
}

static void drop_first_call(struct station *station)
{
    struct call *first = station->calls;
    station->calls = first->next;
    if (station->calls == NULL)
        station->calls_end = &station->calls;
    station->started = false;
    station->told_paused = false;
    json_decref(first->arguments);
    free(first);
}

static void answer(struct station *station, json_t *result)
{
    json_int_t number = station->calls->number;
    drop_first_call(station);
    output_result(number, result);
}

static void refuse(struct station *station, const char *kind, const char *message)
{
    json_int_t number = station->calls->number;
    drop_first_call(station);
    output_error(number, kind, message);
}

void station_free(struct station *station)
{
    station_abort(station, false);
    while (station->calls != NULL)
        refuse(station, "ConnectionClosedError", "the device is gone");
    free(station->name);
    free(station);
}

void station_call(struct station *station, json_int_t number, json_t *arguments)
{
    struct call *call = calloc(1, sizeof *call);
    if (call == NULL)
        abort();
    call->number = number;
    call->arguments = arguments;
    *station->calls_end = call;
    station->calls_end = &call->next;
}

void station_abort(struct station *station, bool reset)
{
    line_close(&station->line, reset);
    strict_device_wipe(&station->device);
    station->up = false;
}

static const char *text_of(const struct call *call, const char *name)
{
    return json_string_value(json_object_get(call->arguments, name));
}

static bool is_connect(const struct call *call)
{
    const char *operation = text_of(call, "op");
    return operation != NULL && strcmp(operation, "connect") == 0;
}

/* False: it is no hex, or longer than there is room. */
static bool read_hex(const char *hex, uint8_t *bytes, size_t room, size_t *size)
{
    return hex != NULL && sodium_hex2bin(bytes, room, hex, strlen(hex), NULL, size, NULL) == 0;
}

static void begin_handshake(struct station *station, uint64_t now)
{
    const struct call *call = station->calls;
    uint8_t psk[STRICT_PSK_MAX];
    size_t id_size;
    struct strict_start start = {.era = station->era,
                                 .port = &port,
                                 .transport = station->line.transport,
                                 .psk = psk,
                                 .socket_queue = STRICT_SOCKET_QUEUE_MAX};
    if (!read_hex(text_of(call, "psk"), psk, sizeof psk, &start.psk_size) || start.psk_size == 0 ||
        !read_hex(text_of(call, "id"), start.id, sizeof start.id, &id_size)) {
        station->failure = "psk or id is no hex";
        return;
    }
    strict_device_begin(&station->device, &station->owner, &start, now);
    sodium_memzero(psk, sizeof psk);
}

static void start_connect(struct station *station, uint64_t now)
{
    const struct call *call = station->calls;
    const json_t *source = json_object_get(call->arguments, "source");
    const char *host = text_of(call, "host");
    const char *own = json_string_value(json_array_get(source, 0));
    const char *transport = text_of(call, "transport");
    station_abort(station, false);
    station->failure = NULL;
    station->done = false;
    station->connect_deadline =
        now + (uint64_t)(json_number_value(json_object_get(call->arguments, "timeout")) * (double)SECOND);
    enum strict_transport kind = transport != NULL && strcmp(transport, "udp") == 0 ? STRICT_UDP : STRICT_TCP;
    uint16_t remote = (uint16_t)json_integer_value(json_object_get(call->arguments, "port"));
    uint16_t local = (uint16_t)json_integer_value(json_array_get(source, 1));
    if (host == NULL || own == NULL || (kind == STRICT_UDP && !station->era->has_udp) ||
        !line_open(&station->line, kind, host, remote, own, local))
        station->failure = "no socket for that";
    else if (kind == STRICT_UDP)
        begin_handshake(station, now);
}

static void answer_connect(struct station *station)
{
    const json_t *source = json_object_get(station->calls->arguments, "source");
    char *session = output_hex(station->device.session_id, STRICT_SESSION_ID_SIZE);
    json_t *result = json_pack("{s:s, s:[s, i]}", "session", session, "local",
                               json_string_value(json_array_get(source, 0)), (int)line_local_port(&station->line));
    free(session);
    answer(station, result);
}

static void send_hex(struct station *station, const char *hex, uint64_t now)
{
    uint8_t bytes[STRICT_MESSAGE_MAX];
    size_t size;
    if (!read_hex(hex, bytes, sizeof bytes, &size))
        refuse(station, "PayloadError", "too long, or no hex");
    else if (strict_device_send(&station->device, bytes, size, now) != STRICT_BEGUN)
        refuse(station, "ConnectionClosedError", "there is no session");
}

/* An operation that ends at once, or never began. */
static void start_other(struct station *station, const char *operation, uint64_t now)
{
    enum strict_verdict verdict = STRICT_BEGUN;
    if (strcmp(operation, "ping") == 0) {
        verdict = strict_device_ping(&station->device, now);
    } else if (strcmp(operation, "rekey") == 0) {
        verdict = strict_device_rekey(&station->device, now);
    } else if (strcmp(operation, "bye") == 0) {
        verdict = strict_device_close(&station->device, now);
    } else if (strcmp(operation, "use_chacha20") == 0 && station->era->has_rekey) {
        station->device.cipher = STRICT_CHACHA20_POLY1305;
        station->done = true;
    } else {
        verdict = STRICT_REFUSED;
    }
    if (verdict == STRICT_REFUSED)
        refuse(station, "ValueError", "this device cannot do that");
    else if (verdict != STRICT_BEGUN)
        refuse(station, "ConnectionClosedError", "there is no session");
}

static void start_call(struct station *station, uint64_t now)
{
    struct call *call = station->calls;
    const char *operation = text_of(call, "op");
    const json_t *data = json_object_get(call->arguments, "data");
    station->started = true;
    station->done = false;
    if (operation == NULL)
        refuse(station, "ValueError", "a call without op");
    else if (strcmp(operation, "connect") == 0)
        start_connect(station, now);
    else if (strcmp(operation, "send") == 0)
        send_hex(station, json_string_value(data), now);
    else if (strcmp(operation, "send_all") == 0 && json_array_size(data) == 0)
        station->done = true;
    else if (strcmp(operation, "send_all") == 0)
        send_hex(station, json_string_value(json_array_get(data, call->index)), now);
    else
        start_other(station, operation, now);
}

/* The operation of the call that is under way has ended well, and what it wrote is out. */
static void finish_call(struct station *station, uint64_t now)
{
    struct call *call = station->calls;
    const char *operation = text_of(call, "op");
    const char *first_message = text_of(call, "first_message");
    const json_t *data = json_object_get(call->arguments, "data");
    station->done = false;
    if (is_connect(call)) {
        station->up = true;
        if (first_message != NULL && call->index++ == 0)
            send_hex(station, first_message, now);
        else
            answer_connect(station);
    } else if (strcmp(operation, "send_all") == 0 && ++call->index < json_array_size(data)) {
        send_hex(station, json_string_value(json_array_get(data, call->index)), now);
    } else {
        if (station->device.over) {
            line_close(&station->line, false);
            station->up = false;
        }
        answer(station, NULL);
    }
}

static void report_failure(struct station *station)
{
    const char *failure = station->failure;
    bool connecting = station->started && is_connect(station->calls);
    station->failure = NULL;
    if (station->up && !connecting && station->device.over)
        output_ended(station->name, "ConnectionClosedError", failure);
    if (station->device.over || connecting) {
        line_close(&station->line, false);
        station->up = false;
    }
    if (station->started)
        refuse(station, connecting ? "HandshakeError" : "ConnectionClosedError", failure);
}

static bool may_act(const struct station *station)
{
    return station->device.operation == STRICT_IDLE && station->line.unsent_size == 0;
}

static void act(struct station *station, uint64_t now)
{
    if (station->failure != NULL) {
        report_failure(station);
    } else if (station->done && may_act(station)) {
        finish_call(station, now);
    } else if (station->up && !station->device.over && may_act(station) && now >= station->next_read &&
               strict_device_has_input(&station->device, now)) {
        station->next_read = now + TURN;
        (void)strict_device_read(&station->device, now);
    } else if (station->calls != NULL && !station->started && may_act(station)) {
        start_call(station, now);
    }
}

static bool has_something_to_do(struct station *station, uint64_t now)
{
    return station->failure != NULL || (station->done && may_act(station)) ||
           (station->calls != NULL && !station->started && may_act(station)) ||
           (station->up && !station->device.over && may_act(station) && now >= station->next_read &&
            strict_device_has_input(&station->device, now));
}

static size_t room(const struct station *station)
{
    return station->line.transport == STRICT_UDP ? STRICT_FRAME_MAX : STRICT_STREAM_MAX - station->device.stream_size;
}

static void receive(struct station *station, uint64_t now)
{
    uint8_t bytes[STRICT_STREAM_MAX];
    size_t size;
    while (station->line.descriptor >= 0 && room(station) > 0 && !station->device.stream_closed) {
        enum line_verdict verdict = line_receive(&station->line, bytes, room(station), &size);
        if (verdict == LINE_NOTHING)
            return;
        if (verdict == LINE_CLOSED)
            strict_device_stream_closed(&station->device, now);
        else if (station->line.transport == STRICT_UDP)
            strict_device_datagram(&station->device, bytes, size, now);
        else
            (void)strict_device_stream(&station->device, bytes, size, now);
        if (station->device.over)
            return;
    }
}

short station_events(const struct station *station)
{
    short events = 0;
    if (station->line.connecting || station->line.unsent_size > 0)
        events |= POLLOUT;
    if (!station->line.connecting && room(station) > 0 && !station->device.stream_closed)
        events |= POLLIN;
    return events;
}

uint64_t station_deadline(struct station *station)
{
    uint64_t deadline = strict_device_deadline(&station->device);
    if (station->started && is_connect(station->calls) && station->connect_deadline < deadline)
        deadline = station->connect_deadline;
    if (station->up && station->device.operation == STRICT_IDLE && station->next_read < deadline &&
        strict_device_has_input(&station->device, station->device.now))
        deadline = station->next_read;
    return deadline;
}

static void give_up_connecting(struct station *station)
{
    station_abort(station, false);
    refuse(station, "TimeoutError", "no session in time");
}

void station_turn(struct station *station, short events, uint64_t now)
{
    if (station->line.connecting && events != 0) {
        if (line_has_connected(&station->line))
            begin_handshake(station, now);
        else
            station->failure = "nobody took the connection";
    } else if (events != 0) {
        line_flush(&station->line);
        receive(station, now);
    }
    if (strict_device_deadline(&station->device) <= now)
        strict_device_advance(&station->device, now);
    if (station->started && is_connect(station->calls) && station->connect_deadline <= now)
        give_up_connecting(station);
    while (has_something_to_do(station, now))
        act(station, now);
}
