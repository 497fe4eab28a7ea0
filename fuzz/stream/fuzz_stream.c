/* What a shard does with streams: several at once, cut anywhere, paused for want of credit, blocked, broken off. Each is
 * a device by hand with the right PSK; steps as in fuzz/steps.h.
 *
 * - whatever a stream is cut into, the messages of a device that keeps to the protocol are told whole, once, in order,
 *   and all of them as long as nothing ended its session but itself
 * - nothing is told of a device that broke the protocol from there on, and its stream is closed
 * - a stream that was opened is closed, events come in pairs, credit is accounted for
 */
#include <stdio.h>
#include <string.h>

#include "gateway/require.h"
#include "gateway/shard_internal.h"
#include "gateway/world.h"
#include "hand/correspondent.h"
#include "steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEVICES 4u
#define CONNECTIONS_MAX 24u
#define MESSAGES_MAX 300u
#define PSK "one secret for all fuzzed devices"

static const char config_text[] = "wire: {v1_downlink: true}\n"
                                  "handshake_timeout: 2s\n"
                                  "session_timeout: 20s\n"
                                  "limits: {sessions: 3, lockout_after: 0}\n";
static const char devices_text[] = "default: {psk: '" PSK "'}\n";

struct connection {
    struct simulated_device *port;
    struct correspondent device;
    bool honest; /* so far */
    bool said_hello;
    bool answered;
    bool over; /* it or its network ended it */

    unsigned count;
};

static struct {
    struct world *world;
    struct connection connections[CONNECTIONS_MAX];
    unsigned connection_count;
    struct connection *devices[DEVICES]; /* the last one of each */
    uint8_t cut;
    struct random_numbers numbers;
} fuzz;

static size_t cut(struct world *world, size_t available)
{
    (void)world;
    if (fuzz.cut == 0)
        return available;
    return 1 + random_below(&fuzz.numbers, fuzz.cut * UINT64_C(4));
}

/* Message `number` of a connection: its size, and its bytes. */
static size_t size_of_text(const struct connection *connection, unsigned number)
{
    static const size_t sizes[] = {8, 40, 452, 453, 905, 1808};
    return sizes[(connection->device.id[5] + number * 5) % (sizeof sizes / sizeof *sizes)];
}

static uint8_t byte_of_text(const struct connection *connection, unsigned number, size_t index)
{
    if (index == 0)
        return (uint8_t)number;
    if (index == 1)
        return (uint8_t)(connection - fuzz.connections);
    return (uint8_t)(number * 7 + index * 3 + connection->device.id[5]);
}

static void write_frame(struct connection *connection, const uint8_t *frame, size_t size)
{
    if (connection->port->stream == NULL)
        connection->over = true;
    else
        world_stream_bytes(connection->port, frame, size);
}

/* What the gateway has written is heard, frame by frame. */
static void hear(struct connection *connection)
{
    struct byte_buffer *incoming = &connection->port->incoming;
    struct usmp_frame frame;
    size_t total = 0;
    while (usmp_frame_parse(incoming->bytes, incoming->size, &frame, &total) == USMP_FRAME_COMPLETE) {
        correspondent_hear(&connection->device, &frame);
        byte_buffer_consume(incoming, total);
    }
    require(incoming->size < USMP_FRAME_MAX);
}

static void settle(void)
{
    world_settle(fuzz.world);
    for (unsigned index = 0; index < fuzz.connection_count; index++)
        hear(&fuzz.connections[index]);
}

/* Steps. */

static void open_connection(unsigned number, const struct step *step)
{
    static const char *const addresses[] = {"192.0.2.1:1000", "192.0.2.2:1000", "[2001:db8::1]:1000"};
    if (fuzz.connection_count == CONNECTIONS_MAX)
        return;
    struct connection *connection = &fuzz.connections[fuzz.connection_count++];
    *connection =
        (struct connection){.port = world_connect_bare(fuzz.world, USMP_TCP, addresses[step->b % 3]), .honest = true};
    correspondent_begin(&connection->device, (uint8_t)number, step->c & 1 ? USMP_WIRE_1 : USMP_WIRE_2,
                        (step->c & 3) == 2 ? USMP_CHACHA20_POLY1305 : USMP_AES_256_GCM, PSK);
    fuzz.devices[number] = connection;
}

static void shake_hands(struct connection *connection, const struct step *step)
{
    uint8_t frame[USMP_FRAME_MAX];
    if (!connection->said_hello) {
        connection->said_hello = true;
        write_frame(connection, frame, correspondent_hello(&connection->device, 0, NULL, frame));
    } else if (connection->device.challenged && !connection->answered) {
        connection->answered = true;
        bool right = step->b % 8 != 7;
        connection->honest = connection->honest && right;
        write_frame(connection, frame, correspondent_hello_ack(&connection->device, right, frame));
    }
}

static void say(struct connection *connection)
{
    if (!connection->device.connected || connection->over || connection->count == MESSAGES_MAX)
        return;
    unsigned number = connection->count;
    size_t size = size_of_text(connection, number);
    for (size_t offset = 0; offset < size; offset += USMP_PLAINTEXT_MAX) {
        uint8_t text[USMP_PLAINTEXT_MAX];
        uint8_t frame[USMP_FRAME_MAX];
        size_t part = size - offset < sizeof text ? size - offset : sizeof text;
        for (size_t index = 0; index < part; index++)
            text[index] = byte_of_text(connection, number, offset + index);
        uint8_t type = offset + part == size ? USMP_DATA : USMP_DATA_FRAG;
        write_frame(connection, frame,
                    correspondent_record(&connection->device, type, connection->device.next_seq++, text, part, frame));
    }
    connection->count++;
}

static void say_control(struct connection *connection, uint8_t type)
{
    uint8_t frame[USMP_FRAME_MAX];
    if (!connection->device.connected || connection->over)
        return;
    write_frame(connection, frame,
                correspondent_record(&connection->device, type, connection->device.next_seq++, NULL, 0, frame));
    /* A control frame too many ends the session: nothing more is expected of it than what it said before. */
    connection->honest = false;
}

static void say_wrong(struct connection *connection, const struct step *step)
{
    uint8_t bytes[48];
    memset(bytes, step->c, sizeof bytes);
    if (step->b & 1) {
        bytes[0] = USMP_MAGIC_0;
        bytes[1] = USMP_MAGIC_1;
        bytes[2] = connection->device.version;
        bytes[3] = step->b >> 1 & 15;
    }
    connection->honest = false;
    write_frame(connection, bytes, 1 + step->b % sizeof bytes);
}

static void use(struct connection *connection, const struct step *step)
{
    switch (step->what % 16) {
    case 2:
    case 3:
        shake_hands(connection, step);
        break;
    case 4:
    case 5:
    case 6:
        for (unsigned count = step->b % 8; count > 0; count--)
            say(connection);
        break;
    case 7:
        say_control(connection, step->b % 4 == 0 ? USMP_BYE : USMP_PING);
        break;
    case 8:
        if (step->b % 4 == 0)
            say_wrong(connection, step);
        break;
    case 9:
        connection->over = true;
        world_lose_stream(connection->port);
        break;
    case 10:
        if (connection->port->full)
            world_unblock_stream(connection->port);
        else
            connection->port->full = true;
        break;
    default:
        connection->port->broken = step->b % 8 == 0;
        connection->over = connection->over || connection->port->broken;
        break;
    }
}

static void submit(unsigned device, const struct step *step)
{
    static const uint8_t payload[USMP_MESSAGE_MAX] = "what a backend has to say";
    uint8_t id[USMP_DEVICE_ID_SIZE] = {2, 0, 0, 0, 0, (uint8_t)device};
    char text[18];
    snprintf(text, sizeof text, "02:00:00:00:00:%02x", id[5]);
    bool closes = step->b >= 0xF0;
    if (closes && fuzz.devices[device] != NULL)
        fuzz.devices[device]->over = true;
    struct seam_command *command =
        world_command(fuzz.world, closes ? SEAM_CLOSE : SEAM_SEND, text, payload,
                      closes ? 0 : (size_t)step->b * 8 % (sizeof payload + 1), (uint64_t)step->c * 10000);
    world_submit(fuzz.world, command);
}

static void run(const struct step *step)
{
    unsigned number = step->a % DEVICES;
    switch (step->what % 16) {
    case 0:
    case 1:
        open_connection(number, step);
        break;
    case 12:
        fuzz.cut = step->b;
        break;
    case 13:
        if (step->b & 1)
            world_give_credit(fuzz.world, (uint64_t)step->c * 200);
        else
            world_take_credit(fuzz.world);
        break;
    case 14:
        submit(number, step);
        break;
    case 15:
        world_run(fuzz.world, (uint64_t)step->b * 10000);
        break;
    default:
        if (fuzz.devices[number] != NULL)
            use(fuzz.devices[number], step);
        break;
    }
    if (step->c & 64) /* otherwise what comes next stands right behind it */
        settle();
}

/* What must be true of any conversation. */

static struct connection *connection_of(const struct world_event *event)
{
    require(event->event.size >= 2 && event->payload[1] < fuzz.connection_count);
    return &fuzz.connections[event->payload[1]];
}

static void check_messages(void)
{
    unsigned told[CONNECTIONS_MAX] = {0};
    for (size_t index = 0; index < fuzz.world->event_count; index++) {
        const struct world_event *event = &fuzz.world->events[index];
        if (event->event.kind != SEAM_MESSAGE)
            continue;
        const struct connection *connection = connection_of(event);
        unsigned number = told[connection - fuzz.connections]++;
        require(event->event.size == size_of_text(connection, number));
        for (size_t at = 0; at < event->event.size; at++)
            require(event->payload[at] == byte_of_text(connection, number, at));
    }
    for (unsigned index = 0; index < fuzz.connection_count; index++) {
        const struct connection *connection = &fuzz.connections[index];
        if (connection->honest && !connection->over)
            require(told[index] == connection->count);
    }
}

static void check_end(void)
{
    const struct world *world = fuzz.world;
    const struct shard *shard = world->shard;
    require(shard->session_count == 0 && shard->lingering_count == 0 && shard->newest_session == NULL);
    require(shard->paused_first == NULL && shard->streams.newest == NULL);
    require(world->credit_given[0] == world->credit_spent[0] + shard->credit.bytes[0]);
    for (size_t index = 0; index < world->finished_count; index++)
        world_command_free(world->finished[index]);
}

/* A session that ended by another's doing (newest wins, a time-out, its place) is no fault of its device. */
static void note_ends(void)
{
    for (unsigned index = 0; index < fuzz.connection_count; index++)
        if (fuzz.connections[index].port->stream == NULL)
            fuzz.connections[index].over = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config *config;
    static struct registry *registry;
    if (config == NULL)
        config = world_load(config_text, devices_text, &registry);
    uint8_t setup[STEPS_SETUP_SIZE];
    struct steps steps = steps_begin(data, size, setup);
    memset(&fuzz, 0, sizeof fuzz);
    fuzz.numbers.state = setup[1];
    fuzz.cut = setup[0];
    fuzz.world = world_open_loaded(config, registry, 1, NULL);
    require(fuzz.world != NULL);
    fuzz.world->cut = cut;
    world_give_credit(fuzz.world, 20000);
    struct step step;
    while (steps_next(&steps, &step))
        run(&step);
    world_give_credit(fuzz.world, WORLD_CREDIT);
    settle();
    note_ends();
    check_messages();
    shard_drain(fuzz.world->shard, fuzz.world->now);
    world_run(fuzz.world, 60 * WORLD_SECOND);
    check_end();
    world_close(fuzz.world);
    return 0;
}
