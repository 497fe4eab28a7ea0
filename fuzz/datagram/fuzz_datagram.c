/* What a shard does with datagrams from several addresses, in virtual time: devices by hand, each with the right PSK,
 * that say HELLO with and without cookies, answer right and wrong, move, repeat, and send anything. Steps as in
 * fuzz/steps.h.
 *
 * - an address that has proved nothing gets no more than 4.7 times the bytes of its HELLOs (docs/security.md rule 11)
 * - what is encrypted goes only where an authentic frame of that session came from (rule 20)
 * - a message is told once, a CHALLENGE makes one session at most (rule 6), events come in pairs
 * - when all is over nothing is left, and all credit is accounted for
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <usmp/utack.h>

#include "gateway/require.h"
#include "gateway/shard_internal.h"
#include "gateway/world.h"
#include "hand/correspondent.h"
#include "steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEVICES 5u
#define ADDRESSES 5u
#define KEPT 16u
#define TEXT_MAX 200u
#define PSK "one secret for all fuzzed devices"

static const char config_always[] = "wire: {udp_cookie: always}\n"
                                    "handshake_timeout: 2s\n"
                                    "session_timeout: 10s\n"
                                    "limits: {sessions: 3, lockout_after: 3, lockout: 5s}\n";
static const char config_auto[] = "handshake_timeout: 2s\n"
                                  "session_timeout: 10s\n"
                                  "limits: {sessions: 3, lockout_after: 3, lockout: 5s}\n";
/* 02:…:00 is AES, :01 ChaCha20-Poly1305 by trial, :02 wire 1, :03 wire 1 with downlink, :04 revoked. */
static const char devices_text[] = "devices:\n"
                                   "  '02:00:00:00:00:00': {psk: '" PSK "'}\n"
                                   "  '02:00:00:00:00:01': {psk: '" PSK "'}\n"
                                   "  '02:00:00:00:00:02': {psk: '" PSK "'}\n"
                                   "  '02:00:00:00:00:03': {psk: '" PSK "', v1_downlink: true}\n"
                                   "  '02:00:00:00:00:04': {psk: '" PSK "', revoked: true}\n";

struct kept {
    size_t size;
    uint8_t bytes[USMP_FRAME_MAX];
    unsigned address;
};

struct place {
    uint64_t heard;          /* bytes of HELLOs from there */
    uint64_t said;           /* bytes to there while it had proved nothing */
    bool proved;             /* a cookie or a right HELLO_ACK came from there */
    bool authentic[DEVICES]; /* a frame of this device's keys came from there */
};

static struct {
    struct world *world;
    struct correspondent devices[DEVICES];
    struct place places[ADDRESSES];
    unsigned right_answers; /* HELLO_ACKs that were right, of different CHALLENGEs */
    struct usmp_challenge answered;
    struct kept kept[KEPT];
    unsigned kept_count;
    unsigned address; /* where the next datagram comes from */
    uint32_t texts;   /* messages so far */
    struct seam_command *commands[STEPS_MAX];
    unsigned command_count;
} fuzz;

static struct address address_of(unsigned number)
{
    static const char *const texts[ADDRESSES] = {"192.0.2.1:1000", "192.0.2.1:1001", "[::ffff:192.0.2.2]:1000",
                                                 "[2001:db8::1]:1000", "[2001:db8::2]:1000"};
    return world_address(texts[number]);
}

static unsigned number_of(const struct address *address)
{
    unsigned number = 0;
    struct address known = address_of(number);
    while (!address_equal(&known, address)) {
        require(++number < ADDRESSES);
        known = address_of(number);
    }
    return number;
}

/* From the gateway. */

static struct correspondent *device_of_session(const struct usmp_frame *frame)
{
    for (unsigned number = 0; number < DEVICES; number++) {
        struct correspondent *device = &fuzz.devices[number];
        if (device->connected && memcmp(usmp_record_session(frame), device->session_id, USMP_NONCE_SESSION_SIZE) == 0)
            return device;
    }
    return NULL;
}

static void check_encrypted(const struct usmp_frame *frame, unsigned place)
{
    const struct correspondent *device = device_of_session(frame);
    if (device == NULL) /* of a session that its device has given up for a new one */
        return;
    unsigned number = (unsigned)(device - fuzz.devices);
    require(number != 2 && fuzz.places[place].authentic[number]);
}

/* To standard error, if FUZZ_TRACE is set in the environment: for who looks into a finding. */
static void trace(const char *what, unsigned place, const uint8_t *bytes, size_t size)
{
    if (getenv("FUZZ_TRACE") == NULL)
        return;
    bool is_frame = size >= USMP_HEADER_SIZE && bytes[0] == USMP_MAGIC_0;
    fprintf(stderr, "%8.3f s  %s %u: %s, %zu bytes\n", (double)fuzz.world->now.monotonic / 1e6, what, place,
            is_frame ? usmp_type_name(bytes[3]) : "UTACK", size);
}

static void hear(const struct packet *packet)
{
    unsigned place = number_of(&packet->path.peer);
    trace("to", place, packet->bytes, packet->size);
    if (!fuzz.places[place].proved) {
        fuzz.places[place].said += packet->size;
        require(fuzz.places[place].said * 10 <= fuzz.places[place].heard * 47);
    }
    struct usmp_frame frame;
    if (usmp_frame_parse_datagram(packet->bytes, packet->size, &frame) != USMP_FRAME_COMPLETE) {
        struct usmp_utack utack;
        require(usmp_utack_read(packet->bytes, packet->size, &utack));
        return;
    }
    if (usmp_type_is_encrypted(frame.type))
        check_encrypted(&frame, place);
    for (unsigned number = 0; number < DEVICES; number++)
        correspondent_hear(&fuzz.devices[number], &frame);
}

/* Every datagram of the gateway ends here; those of devices go their way. */
static bool intercept(void *context, const struct packet *packet)
{
    (void)context;
    if (packet->to_gateway)
        return false;
    hear(packet);
    return true;
}

/* To the gateway. */

static void carry(const uint8_t *bytes, size_t size)
{
    struct shard_path path = {.peer = address_of(fuzz.address), .local = fuzz.world->gateway};
    struct usmp_frame frame;
    trace("from", fuzz.address, bytes, size);
    if (usmp_frame_parse_datagram(bytes, size, &frame) == USMP_FRAME_COMPLETE && frame.type == USMP_HELLO)
        fuzz.places[fuzz.address].heard += size;
    world_carry(fuzz.world, true, &path, bytes, size);
    world_settle(fuzz.world);
}

static void send_frame(const uint8_t *bytes, size_t size)
{
    struct kept *kept = &fuzz.kept[fuzz.kept_count++ % KEPT];
    kept->size = size;
    kept->address = fuzz.address;
    memcpy(kept->bytes, bytes, size);
    carry(bytes, size);
}

static void send_hello(struct correspondent *device, const struct step *step)
{
    uint8_t frame[USMP_FRAME_MAX];
    uint8_t cookie[USMP_COOKIE_SIZE];
    const struct correspondent *giver = step->b & 8 ? &fuzz.devices[step->c % DEVICES] : device;
    memcpy(cookie, giver->cookie, sizeof cookie);
    if (step->b & 4)
        cookie[step->c % sizeof cookie] ^= 1;
    bool with_cookie = (step->b & 2) && giver->has_cookie;
    size_t size = correspondent_hello(device, step->b & 1, with_cookie ? cookie : NULL, frame);
    /* Whether that cookie is right is not worked out here: it may be, so the address counts as proved. */
    if (with_cookie && !(step->b & 4))
        fuzz.places[fuzz.address].proved = true;
    send_frame(frame, size);
}

/* What comes from this address next shows that the device has its keys. */
static void is_authentic(const struct correspondent *device)
{
    fuzz.places[fuzz.address].proved = true;
    fuzz.places[fuzz.address].authentic[device - fuzz.devices] = true;
}

static void send_hello_ack(const struct correspondent *device, bool right)
{
    uint8_t frame[USMP_FRAME_MAX];
    if (!device->challenged)
        return;
    if (right && memcmp(&fuzz.answered, &device->challenge, sizeof fuzz.answered) != 0) {
        fuzz.right_answers++;
        fuzz.answered = device->challenge;
    }
    if (right)
        is_authentic(device);
    send_frame(frame, correspondent_hello_ack(device, right, frame));
}

static uint8_t type_of(const struct correspondent *device, uint8_t choice)
{
    static const uint8_t types[] = {USMP_DATA, USMP_DATA, USMP_DATA_FRAG, USMP_PING, USMP_PONG, USMP_BYE};
    (void)device;
    return choice == 0xFF ? (uint8_t)USMP_BYE : types[choice % (sizeof types - 1)];
}

static void send_record(struct correspondent *device, const struct step *step)
{
    uint8_t frame[USMP_FRAME_MAX];
    uint8_t text[TEXT_MAX] = {0};
    if (!device->connected)
        return;
    uint8_t type = type_of(device, step->b);
    bool has_text = type == USMP_DATA || type == USMP_DATA_FRAG;
    uint32_t number = fuzz.texts++;
    memcpy(text, &number, sizeof number);
    uint32_t seq = step->c < 128 ? device->next_seq++ : device->next_seq + (uint32_t)(step->c - 192);
    size_t size = correspondent_record(device, type, seq, text, has_text ? sizeof number + step->c : 0, frame);
    if (step->b & 64)
        frame[size - 1] ^= 1; /* and its CRC is wrong */
    else
        is_authentic(device);
    send_frame(frame, size);
}

static void send_utack(const struct correspondent *device, const struct step *step)
{
    uint8_t bytes[USMP_UTACK_KEYED_SIZE];
    uint8_t type = step->b & 1 ? device->heard_type : (uint8_t)USMP_SESSION_OK;
    uint32_t seq = step->b & 1 ? device->heard_seq : 0;
    send_frame(bytes, correspondent_utack(device, type, seq + (step->b >> 1 & 1), step->b & 4, bytes));
}

static void send_again(const struct step *step)
{
    if (fuzz.kept_count == 0)
        return;
    const struct kept *kept = &fuzz.kept[step->b % (fuzz.kept_count < KEPT ? fuzz.kept_count : KEPT)];
    uint8_t bytes[USMP_FRAME_MAX];
    memcpy(bytes, kept->bytes, kept->size);
    if ((step->c & 1) && kept->size > 0)
        bytes[step->c % kept->size] ^= step->b | 1u;
    /* From elsewhere it is a listener's work; what it carries is authentic all the same. */
    if (kept->address != fuzz.address && !(step->c & 1)) {
        fuzz.places[fuzz.address].proved = true;
        for (unsigned device = 0; device < DEVICES; device++)
            fuzz.places[fuzz.address].authentic[device] |= fuzz.places[kept->address].authentic[device];
    }
    carry(bytes, kept->size);
}

static void send_raw(const struct step *step)
{
    uint8_t bytes[64];
    size_t size = step->b % sizeof bytes;
    memset(bytes, step->c, sizeof bytes);
    bytes[0] = step->a & 128 ? USMP_UTACK_MAGIC : USMP_MAGIC_0;
    bytes[1] = step->a & 128 ? USMP_UTACK_MAGIC : USMP_MAGIC_1;
    bytes[2] = step->c % 4;
    bytes[3] = step->b % 16;
    carry(bytes, size);
}

/* The gateway's own side. */

static void submit(unsigned device, const struct step *step)
{
    static const uint8_t payload[USMP_MESSAGE_MAX] = "what a backend has to say";
    char id[18];
    snprintf(id, sizeof id, "02:00:00:00:00:%02x", device);
    bool closes = step->b == 0xFF;
    struct seam_command *command =
        world_command(fuzz.world, closes ? SEAM_CLOSE : SEAM_SEND, id, payload,
                      closes ? 0 : (size_t)step->b * 8 % (sizeof payload + 1), (uint64_t)step->c * 50000);
    fuzz.commands[fuzz.command_count++] = command;
    world_submit(fuzz.world, command);
    world_settle(fuzz.world);
}

static void run(const struct step *step)
{
    unsigned number = step->a % DEVICES;
    struct correspondent *device = &fuzz.devices[number];
    fuzz.address = (step->what >> 4) % ADDRESSES;
    switch (step->what % 12) {
    case 0:
    case 1:
        send_hello(device, step);
        break;
    case 2:
        send_hello_ack(device, step->b % 4 != 0);
        break;
    case 3:
    case 4:
        send_record(device, step);
        break;
    case 5:
        send_utack(device, step);
        break;
    case 6:
        send_again(step);
        break;
    case 7:
        send_raw(step);
        break;
    case 8:
        submit(number, step);
        break;
    case 9:
        world_run(fuzz.world, (uint64_t)step->b * 20000);
        break;
    case 10:
        if (step->b & 1)
            world_give_credit(fuzz.world, (uint64_t)step->c * 100);
        else
            world_take_credit(fuzz.world);
        break;
    default:
        if (step->b == 0)
            shard_reload(fuzz.world->shard, fuzz.world->config, fuzz.world->registry, fuzz.world->now);
        else
            (void)shard_idle(fuzz.world->shard, fuzz.world->now);
        break;
    }
}

/* What must be true of any conversation. */

static void check_events(void)
{
    const struct world *world = fuzz.world;
    unsigned connected = 0;
    for (size_t index = 0; index < world->event_count; index++) {
        const struct world_event *one = &world->events[index];
        connected += one->event.kind == SEAM_CONNECTED;
        require(one->event.device[5] != 4);
        bool has_number = one->event.kind == SEAM_MESSAGE && one->event.size >= sizeof(uint32_t);
        for (size_t later = index + 1; has_number && later < world->event_count; later++) {
            const struct world_event *other = &world->events[later];
            require(other->event.kind != SEAM_MESSAGE || other->event.size < sizeof(uint32_t) ||
                    memcmp(one->payload, other->payload, sizeof(uint32_t)) != 0);
        }
    }
    require(connected <= fuzz.right_answers);
}

static void check_end(void)
{
    const struct world *world = fuzz.world;
    const struct shard *shard = world->shard;
    require(shard->session_count == 0 && shard->lingering_count == 0 && shard->newest_session == NULL);
    require(shard->paused_first == NULL && shard->pending.by_path.count == 0);
    require(world->credit_given[0] == world->credit_spent[0] + shard->credit.bytes[0]);
    for (unsigned index = 0; index < fuzz.command_count; index++)
        world_command_free(fuzz.commands[index]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config *configs[2];
    static struct registry *registries[2];
    if (configs[0] == NULL) {
        configs[0] = world_load(config_auto, devices_text, &registries[0]);
        configs[1] = world_load(config_always, devices_text, &registries[1]);
    }
    uint8_t setup[STEPS_SETUP_SIZE];
    struct steps steps = steps_begin(data, size, setup);
    memset(&fuzz, 0, sizeof fuzz);
    fuzz.world = world_open_loaded(configs[setup[0] & 1], registries[setup[0] & 1], 1, NULL);
    require(fuzz.world != NULL);
    fuzz.world->link.loses = intercept;
    world_give_credit(fuzz.world, 20000);
    for (unsigned number = 0; number < DEVICES; number++)
        correspondent_begin(&fuzz.devices[number], (uint8_t)number,
                            number == 2 || number == 3 ? USMP_WIRE_1 : USMP_WIRE_2,
                            number == 1 ? USMP_CHACHA20_POLY1305 : USMP_AES_256_GCM, PSK);
    struct step step;
    while (steps_next(&steps, &step))
        run(&step);
    world_give_credit(fuzz.world, WORLD_CREDIT);
    shard_drain(fuzz.world->shard, fuzz.world->now);
    world_run(fuzz.world, 60 * WORLD_SECOND);
    check_events();
    check_end();
    world_close(fuzz.world);
    return 0;
}
