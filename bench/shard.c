/* bench/shard [SESSIONS [MESSAGES [BYTES]]]
 *
 * What the shard itself costs, without sockets: a UDP message from the datagram to the outbox with its UTACK, a TCP
 * message, a handshake of each kind, a message behind a flood of HELLOs, a reload over all sessions, and the memory of
 * a session. Prints CPU time each.
 *
 *     valgrind --tool=callgrind --toggle-collect=shard_datagram build/release/bin/shard 100 10000
 *
 * counts instructions of what happens inside shard_datagram alone.
 */
#define _GNU_SOURCE
#include <string.h>
#include <time.h>

#include <usmp/handshake_messages.h>
#include <usmp/record.h>

#include "gateway/require.h"
#include "gateway/shard_internal.h"
#include "gateway/world.h"
#include "platform/secret_memory.h"

#define PSK "a secret for all that is measured"
#define BATCH 64u

static const char config_text[] = "session_timeout: 10m\n"
                                  "limits: {default_psk_sessions: 10000000, sessions: 10000000,\n"
                                  "         handshakes_per_ip: 0, handshakes: 1000000}\n";
static const char devices_text[] = "default: {psk: '" PSK "'}\n";

static uint64_t answers;
static uint64_t time_inside; /* nanoseconds in the shard, its ports left out */
static uint64_t entered_at;

static uint64_t cpu_time(void)
{
    struct timespec time;
    require(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void clock_the_shard(bool inside)
{
    if (inside)
        entered_at = cpu_time();
    else if (entered_at != 0) {
        time_inside += cpu_time() - entered_at;
        entered_at = 0;
    }
}

static void count_answer(void *context, const struct shard_path *path, const uint8_t *bytes, size_t size)
{
    (void)context;
    (void)path;
    (void)bytes;
    (void)size;
    answers++;
}

static void throw_away(void *context, const struct seam_event *event, const uint8_t *payload)
{
    (void)context;
    (void)event;
    (void)payload;
}

static struct simulated_device *connect_number(struct world *world, enum usmp_transport transport, size_t number)
{
    uint8_t id[USMP_DEVICE_ID_SIZE] = {2, 0, 0, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    struct address address = world_address("10.0.0.1:1000");
    memcpy(address.bytes + 12, id + 2, 4);
    return world_connect_as(world, transport, 2, id, PSK, &address, USMP_CIPHER_AES_256_GCM);
}

/* The next message of a device, without its session's knowledge: nothing is measured of the device. */
static size_t seal_next(struct simulated_device *device, const uint8_t *payload, size_t size, uint8_t *frame)
{
    struct usmp_session *session = &device->end.session;
    const struct usmp_record_context context = {session->keys.device_to_gateway, session->session_id, USMP_AES_256_GCM};
    return usmp_record_seal(&context, USMP_WIRE_2, USMP_DATA, session->send_next++, payload, size, frame);
}

struct batch {
    struct simulated_device *devices[BATCH];
    uint8_t frames[BATCH][USMP_FRAME_MAX];
    size_t sizes[BATCH];
};

static void fill(struct batch *batch, struct simulated_device **devices, size_t count, struct random_numbers *numbers,
                 size_t size)
{
    static const uint8_t payload[USMP_PLAINTEXT_MAX];
    for (unsigned index = 0; index < BATCH; index++) {
        batch->devices[index] = devices[random_below(numbers, count)];
        batch->sizes[index] = seal_next(batch->devices[index], payload, size, batch->frames[index]);
    }
}

static void feed(struct world *world, const struct batch *batch)
{
    for (unsigned index = 0; index < BATCH; index++) {
        struct simulated_device *device = batch->devices[index];
        if (device->transport == USMP_UDP) {
            shard_datagram(world->shard, &device->path, batch->frames[index], batch->sizes[index], world->now);
        } else {
            size_t consumed;
            enum shard_reading reading = shard_stream_bytes(world->shard, device->stream, batch->frames[index],
                                                            batch->sizes[index], &consumed, world->now);
            require(reading == SHARD_READ_ON && consumed == batch->sizes[index]);
        }
    }
}

static void measure_messages(struct world *world, enum usmp_transport transport, struct simulated_device **devices,
                             size_t count, size_t messages, size_t size)
{
    static struct batch batch;
    struct random_numbers numbers = {1};
    uint64_t feeding = 0;
    uint64_t draining = 0;
    uint64_t before = shard_counters(world->shard)->messages_up;
    size_t rounds = (messages + BATCH - 1) / BATCH;
    for (size_t round = 0; round < rounds; round++) {
        fill(&batch, devices, count, &numbers, size);
        world->now.monotonic += 100;
        uint64_t start = cpu_time();
        feed(world, &batch);
        uint64_t fed = cpu_time();
        seam_outbox_drain(&world->outbox, throw_away, NULL);
        draining += cpu_time() - fed;
        feeding += fed - start;
    }
    require(shard_counters(world->shard)->messages_up - before == rounds * BATCH);
    printf("%s message of %zu bytes: %llu ns, and %llu ns to take it from the outbox\n",
           transport == USMP_UDP ? "UDP" : "TCP", size, (unsigned long long)(feeding / (rounds * BATCH)),
           (unsigned long long)(draining / (rounds * BATCH)));
}

static struct simulated_device **measure_handshakes(struct world *world, enum usmp_transport transport, size_t count,
                                                    size_t first)
{
    struct simulated_device **devices = calloc(count, sizeof(struct simulated_device *));
    require(devices != NULL);
    size_t secrets = secret_memory_state(SECRET_MEMORY_SESSIONS).mapped_bytes;
    uint64_t inside = 0;
    for (size_t index = 0; index < count; index++) {
        devices[index] = connect_number(world, transport, first + index);
        struct simulated_device *others = devices[index]->next;
        devices[index]->next = NULL; /* the world need not look through all of them for this one */
        uint64_t entered = time_inside;
        world_settle(world);
        inside += time_inside - entered;
        devices[index]->next = others;
        require(simulated_device_is_connected(devices[index]));
    }
    printf("%s handshake: %llu ns; %zu bytes of secret memory a session\n", transport == USMP_UDP ? "UDP" : "TCP",
           (unsigned long long)(inside / count),
           (secret_memory_state(SECRET_MEMORY_SESSIONS).mapped_bytes - secrets) / count);
    return devices;
}

/* What a session waits for when forged HELLOs came before its message, and what a turn then does for strangers. */
static void measure_flood(struct world *world, struct simulated_device *device, size_t hellos, size_t rounds)
{
    struct random_numbers numbers = {2};
    uint64_t waited = 0;
    uint64_t worked = 0;
    uint64_t longest = 0;
    size_t turns = 0;
    for (size_t round = 0; round < rounds; round++) {
        uint8_t message[USMP_FRAME_MAX];
        size_t size = seal_next(device, (const uint8_t *)"behind", 6, message);
        struct shard_path path = device->path;
        uint64_t start = cpu_time();
        for (size_t number = 0; number < hellos; number++) {
            struct usmp_hello hello = {.has_cookie = false};
            uint8_t frame[USMP_HELLO_COOKIE_FRAME];
            random_fill(&numbers, &hello.device_id, sizeof hello.device_id);
            random_fill(&numbers, &hello.public_key, sizeof hello.public_key);
            random_fill(&numbers, path.peer.bytes + 13, 3);
            size_t hello_size = usmp_hello_write(USMP_WIRE_2, 0, &hello, frame);
            shard_datagram(world->shard, &path, frame, hello_size, world->now);
        }
        shard_datagram(world->shard, &device->path, message, size, world->now);
        waited += cpu_time() - start;
        bool more = true;
        while (more) {
            start = cpu_time();
            more = shard_strangers(world->shard, world->now);
            uint64_t turn = cpu_time() - start;
            worked += turn;
            longest = turn > longest ? turn : longest;
            turns++;
        }
        seam_outbox_drain(&world->outbox, throw_away, NULL);
        world->now.monotonic += 20000;
        shard_advance(world->shard, world->now);
    }
    printf(
        "a message behind %zu forged HELLOs: %llu us; the %zu turns of strangers after it: %llu us each, at most %llu "
        "us\n",
        hellos, (unsigned long long)(waited / rounds / 1000), turns / rounds,
        (unsigned long long)(worked / turns / 1000), (unsigned long long)(longest / 1000));
}

static void measure_reload(struct world *world, size_t sessions)
{
    uint64_t start = cpu_time();
    shard_reload(world->shard, world->config, world->registry, world->now);
    printf("reload: %llu ns a session\n", (unsigned long long)((cpu_time() - start) / sessions));
}

int main(int argument_count, char **arguments)
{
    size_t sessions = argument_count > 1 ? strtoul(arguments[1], NULL, 10) : 1000;
    size_t messages = argument_count > 2 ? strtoul(arguments[2], NULL, 10) : 1000000;
    size_t size = argument_count > 3 ? strtoul(arguments[3], NULL, 10) : 64;
    if (sessions == 0 || messages == 0 || size > USMP_PLAINTEXT_MAX) {
        fprintf(stderr, "bench/shard [SESSIONS [MESSAGES [BYTES]]]\n");
        return 2;
    }
    struct registry *registry;
    struct config *config = world_load(config_text, devices_text, &registry);
    struct world *world = world_open_loaded(config, registry, 1, clock_the_shard);
    require(world != NULL);
    world_give_credit(world, WORLD_CREDIT);
    struct simulated_device **udp = measure_handshakes(world, USMP_UDP, sessions, 0);
    struct simulated_device **tcp = measure_handshakes(world, USMP_TCP, sessions, sessions);
    world->around = NULL;
    world->shard->ports.send_datagram = count_answer;
    measure_messages(world, USMP_UDP, udp, sessions, messages, size);
    measure_messages(world, USMP_TCP, tcp, sessions, messages, size);
    require(answers > 0);
    measure_flood(world, udp[0], 256, 200);
    measure_reload(world, 2 * sessions);
    free(udp);
    free(tcp);
    world_close(world);
    registry_release(registry);
    config_free(config);
    return 0;
}
