/* A whole shard: datagrams, bytes of streams, commands, credit and time, in any order.
 *
 * The input is a list of steps. Devices with the right keys are among what it can call upon, so that it gets behind the
 * handshake; what they send it can change, send again and send from elsewhere, with a CRC that is right again. Held to
 * what must be true of any conversation: events in pairs, credit conserved, nothing left when all is over, no frame to
 * a receive-only device that is encrypted, and nothing due that stays due.
 */
#include <string.h>

#include <usmp/frame.h>
#include <usmp/record.h>

#include "gateway/require.h"
#include "gateway/shard_internal.h"
#include "gateway/world.h"
#include "input.h"
#include "proto/crc16.h"

#define DEVICES 6u
#define ADDRESSES 4u
#define KEPT 16u /* datagrams that can be sent again */
#define STEPS 400u
#define PSK "one secret for all fuzzed devices"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char config_text[] = "wire: {udp_cookie: always}\n"
                                  "handshake_timeout: 2s\n"
                                  "session_timeout: 10s\n"
                                  "limits: {sessions: 4, handshakes: 4, lockout_after: 3, lockout: 5s}\n";

static const char devices_text[] = "devices:\n"
                                   "  '02:00:00:00:00:01': {psk: '" PSK "', v1_downlink: true, max_downlink: 600}\n"
                                   "  '02:00:00:00:00:02': {psk: '" PSK "', cipher: chacha20-poly1305}\n"
                                   "  '02:00:00:00:00:03': {psk: '" PSK "', session_timeout: 0s}\n"
                                   "default: {psk: '" PSK "'}\n";

/* What is done to the next datagrams of devices. */
struct change {
    uint8_t datagrams; /* how many it still concerns */
    uint8_t place;
    uint8_t bits;
    uint8_t cut; /* bytes less */
    bool mend;   /* the CRC is made right again */
    bool doubled;
};

struct fuzz {
    struct world *world;
    struct simulated_device *devices[DEVICES];
    struct change change;
    struct packet kept[KEPT];
    unsigned kept_count;
    struct seam_command *commands[STEPS];
    size_t command_count;
    size_t deadlines_at_first; /* of the shard itself */
};

static void mend_crc(uint8_t *bytes, size_t size)
{
    if (size < USMP_HEADER_SIZE)
        return;
    uint16_t crc = usmp_crc16(USMP_CRC16_INITIAL, bytes, USMP_HEADER_AUTHENTIC_SIZE);
    crc = usmp_crc16(crc, bytes + USMP_HEADER_SIZE, size - USMP_HEADER_SIZE);
    bytes[USMP_HEADER_AUTHENTIC_SIZE] = (uint8_t)crc;
    bytes[USMP_HEADER_AUTHENTIC_SIZE + 1] = (uint8_t)(crc >> 8);
}

static size_t apply(const struct change *change, uint8_t *bytes, size_t size)
{
    size -= change->cut < size ? change->cut : size;
    if (size > 0)
        bytes[change->place % size] ^= change->bits;
    if (change->mend)
        mend_crc(bytes, size);
    return size;
}

/* Nothing encrypted goes to a session on wire 1 that may not be spoken to. */
static void check_that_it_may_leave(const struct shard *shard, const struct packet *packet)
{
    struct usmp_frame frame;
    if (usmp_frame_parse_datagram(packet->bytes, packet->size, &frame) != USMP_FRAME_COMPLETE ||
        frame.version != USMP_WIRE_1 || !usmp_type_is_encrypted(frame.type))
        return;
    const struct session *session = shard->newest_session;
    while (session != NULL &&
           memcmp(session->wire.session_id, usmp_record_session(&frame), USMP_NONCE_SESSION_SIZE) != 0)
        session = session->older;
    require(session != NULL && session->wire.may_send);
}

/* Asked by the link about each datagram; what is changed is lost, and goes its way as what it has become. */
static bool intercept(void *context, const struct packet *packet)
{
    struct fuzz *fuzz = context;
    if (!packet->to_gateway) {
        check_that_it_may_leave(fuzz->world->shard, packet);
        return false;
    }
    fuzz->kept[fuzz->kept_count++ % KEPT] = *packet;
    struct change change = fuzz->change;
    if (change.datagrams == 0)
        return false;
    fuzz->change.datagrams--;
    struct packet changed = *packet;
    changed.size = apply(&change, changed.bytes, changed.size);
    struct link *link = &fuzz->world->link;
    link->loses = NULL;
    for (unsigned copy = 0; copy < (change.doubled ? 2 : 1); copy++)
        (void)link_send(link, true, &changed.path, changed.bytes, changed.size, fuzz->world->now.monotonic);
    link->loses = intercept;
    return true;
}

static struct address address_of(unsigned number)
{
    static const char *const texts[ADDRESSES] = {"192.0.2.1:1000", "192.0.2.1:1001", "192.0.2.2:1000",
                                                 "[2001:db8::1]:1000"};
    return world_address(texts[number % ADDRESSES]);
}

/* Steps. */

static void connect_device(struct fuzz *fuzz, struct input *input)
{
    uint8_t which = input_byte(input);
    uint8_t how = input_byte(input);
    uint8_t id[USMP_DEVICE_ID_SIZE] = {2, 0, 0, 0, 0, which % DEVICES};
    struct address address = address_of(how >> 4);
    static const enum usmp_cipher ciphers[] = {USMP_CIPHER_AES_256_GCM, USMP_CIPHER_CHACHA20_POLY1305};
    unsigned wire = how & 1 ? 1 : 2;
    fuzz->devices[which % DEVICES] = world_connect_as(fuzz->world, how & 2 ? USMP_TCP : USMP_UDP, wire, id,
                                                      how & 4 ? "a wrong secret, long enough" : PSK, &address,
                                                      ciphers[wire == 2 && how & 8 ? 1 : 0]);
}

static void talk(struct simulated_device *device, struct input *input)
{
    static const uint8_t message[USMP_MESSAGE_MAX] = "what a device has to say";
    uint8_t what = input_byte(input);
    size_t size = (size_t)input_byte(input) * 8 % (sizeof message + 1);
    bool is_free = simulated_device_is_connected(device) && usmp_session_can_send(&device->end.session);
    switch (what % 8) {
    case 0:
    case 1:
    case 2:
        if (device->to_send.count < 20)
            simulated_device_send(device, message, size);
        break;
    case 3:
        if (is_free)
            simulated_device_ping(device);
        break;
    case 4:
        if (is_free && device->wire == 2 && device->end.session.rekey == NULL)
            simulated_device_rekey(device);
        break;
    case 5:
        if (device->end.state == USMP_DEVICE_CONNECTED)
            simulated_device_close(device);
        break;
    case 6:
        device->path.peer = address_of((unsigned)size);
        break;
    default:
        device->silent = !device->silent;
        break;
    }
}

static void handle_stream(struct simulated_device *device, struct input *input)
{
    uint8_t what = input_byte(input);
    uint8_t bytes[64];
    size_t size = what % sizeof bytes;
    switch (what >> 6) {
    case 0:
        for (size_t index = 0; index < size; index++)
            bytes[index] = input_byte(input);
        byte_buffer_append(&device->outgoing, bytes, size);
        break;
    case 1:
        if (device->outgoing.size > 0)
            device->outgoing.bytes[what % device->outgoing.size] ^= (uint8_t)(1 + input_byte(input));
        break;
    case 2:
        world_lose_stream(device);
        break;
    default:
        if (device->full)
            world_unblock_stream(device);
        else
            device->full = true;
        break;
    }
}

static void send_raw(struct fuzz *fuzz, struct input *input)
{
    uint8_t bytes[SHARD_DATAGRAM_MAX];
    struct shard_path path = {.peer = address_of(input_byte(input)), .local = fuzz->world->gateway};
    size_t size = (size_t)input_byte(input) * 2;
    for (size_t index = 0; index < size; index++)
        bytes[index] = input_byte(input);
    if (size >= USMP_HEADER_SIZE && bytes[0] == USMP_MAGIC_0)
        mend_crc(bytes, size);
    world_carry(fuzz->world, true, &path, bytes, size);
}

static void send_again(struct fuzz *fuzz, struct input *input)
{
    if (fuzz->kept_count == 0)
        return;
    uint8_t which = input_byte(input);
    uint8_t from = input_byte(input);
    struct packet packet = fuzz->kept[which % (fuzz->kept_count < KEPT ? fuzz->kept_count : KEPT)];
    if (from & 1)
        packet.path.peer = address_of(from >> 1);
    if (from & 128)
        packet.size =
            apply(&(struct change){.place = input_byte(input), .bits = 1, .mend = true}, packet.bytes, packet.size);
    world_carry(fuzz->world, true, &packet.path, packet.bytes, packet.size);
}

static void command(struct fuzz *fuzz, struct input *input)
{
    static const uint8_t payload[USMP_MESSAGE_MAX] = "what a backend has to say";
    uint8_t which = input_byte(input);
    size_t size = (size_t)input_byte(input) * 8 % (sizeof payload + 1);
    char id[18];
    snprintf(id, sizeof id, "02:00:00:00:00:%02x", which % DEVICES);
    struct seam_command *made = world_command(fuzz->world, which & 128 ? SEAM_CLOSE : SEAM_SEND, id, payload,
                                              which & 128 ? 0 : size, (uint64_t)(which & 127) * 100000);
    fuzz->commands[fuzz->command_count++] = made;
    world_submit(fuzz->world, made);
}

static void change_the_next(struct fuzz *fuzz, struct input *input)
{
    uint8_t how = input_byte(input);
    fuzz->change = (struct change){.datagrams = how & 3,
                                   .mend = how & 4,
                                   .doubled = how & 8,
                                   .cut = how >> 4,
                                   .place = input_byte(input),
                                   .bits = input_byte(input)};
}

static void step(struct fuzz *fuzz, struct input *input)
{
    struct world *world = fuzz->world;
    uint8_t what = input_byte(input);
    struct simulated_device *device = fuzz->devices[what / 16 % DEVICES];
    switch (what % 16) {
    case 0:
    case 1:
        connect_device(fuzz, input);
        break;
    case 2:
    case 3:
    case 4:
        if (device != NULL)
            talk(device, input);
        break;
    case 5:
        if (device != NULL && device->transport == USMP_TCP && device->stream != NULL)
            handle_stream(device, input);
        break;
    case 6:
        change_the_next(fuzz, input);
        break;
    case 7:
        send_raw(fuzz, input);
        break;
    case 8:
        send_again(fuzz, input);
        break;
    case 9:
    case 10:
        command(fuzz, input);
        break;
    case 11:
        world_run(world, (uint64_t)input_byte(input) * 50000);
        break;
    case 12:
        world_take_credit(world);
        break;
    case 13:
        world_give_credit(world, (uint64_t)input_byte(input) * 100);
        break;
    case 14:
        if (what & 128)
            shard_reload(world->shard, world->config, world->registry, world->now);
        else
            (void)shard_idle(world->shard, world->now);
        break;
    default:
        world_settle(world);
        break;
    }
}

/* What must be true of any conversation. */

static const struct seam_event *last_change(const struct world *world, size_t index, const uint8_t *device)
{
    while (index-- > 0) {
        const struct seam_event *event = &world->events[index].event;
        if (event->kind != SEAM_MESSAGE && memcmp(event->device, device, sizeof event->device) == 0)
            return event;
    }
    return NULL;
}

static void check_event(const struct world *world, size_t index)
{
    const struct seam_event *event = &world->events[index].event;
    const struct seam_event *before = last_change(world, index, event->device);
    if (event->kind == SEAM_CONNECTED) {
        require(before == NULL || before->kind == SEAM_DISCONNECTED);
        return;
    }
    require(before != NULL && before->kind == SEAM_CONNECTED);
    require(memcmp(before->session, event->session, sizeof event->session) == 0);
}

static void check(const struct fuzz *fuzz)
{
    const struct world *world = fuzz->world;
    const struct shard *shard = world->shard;
    for (size_t index = 0; index < world->event_count; index++)
        check_event(world, index);
    require(shard->session_count == 0 && shard->lingering_count == 0 && shard->newest_session == NULL);
    require(shard->paused_first == NULL && shard->streams.newest == NULL && shard->streams.silent.count == 0);
    require(shard->pending.by_path.count == 0 && shard->deadlines.reserved == fuzz->deadlines_at_first);
    require(world->credit_given[0] == world->credit_spent[0] + shard->credit.bytes[0]);
    for (const struct simulated_device *device = world->devices; device != NULL; device = device->next)
        require(device->transport == USMP_UDP || device->wire == 2 || device->id[5] == 1 ||
                device->encrypted_heard == 0);
    for (size_t index = 0; index < fuzz->command_count; index++)
        world_command_free(fuzz->commands[index]);
}

static void end_all(struct world *world)
{
    world->link.loses = NULL;
    world_give_credit(world, WORLD_CREDIT);
    shard_drain(world->shard, world->now);
    world_run(world, 60 * WORLD_SECOND);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct config *config;
    static struct registry *registry;
    if (config == NULL)
        config = world_load(config_text, devices_text, &registry);
    struct fuzz fuzz = {.world = world_open_loaded(config, registry, 1, NULL)};
    require(fuzz.world != NULL);
    fuzz.deadlines_at_first = fuzz.world->shard->deadlines.reserved;
    fuzz.world->link.loses = intercept;
    fuzz.world->link.context = &fuzz;
    world_give_credit(fuzz.world, 20000);
    struct input input = {bytes, size};
    for (unsigned count = 0; count < STEPS && !input_is_over(&input); count++)
        step(&fuzz, &input);
    end_all(fuzz.world);
    check(&fuzz);
    world_close(fuzz.world);
    return 0;
}
