/* Each allocation of a shard fails once, and memory is short for a while from each on: nothing breaks, nothing leaks,
 * what was accepted is told once, and every session's events are paired. */
#include "gateway/bare_device.h"
#include "gateway/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/shard_internal.h"

#define CONFIG "wire: {v1_downlink: true, udp_cookie: always}\n"
#define NEVER SIZE_MAX

/* What is allocated while the shard is at work. */
static bool armed;
static size_t allocations;
static size_t fails_from;
static size_t fails_until;
static size_t secrets; /* pieces of secret memory that are in use */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_secret_memory_allocate(size_t size, int kind);
void __real_secret_memory_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_secret_memory_allocate(size_t size, int kind);
void __wrap_secret_memory_free(void *memory);

static bool fails(void)
{
    if (!armed)
        return false;
    size_t number = allocations++;
    return number >= fails_from && number < fails_until;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void *__wrap_secret_memory_allocate(size_t size, int kind)
{
    if (fails())
        return NULL;
    bool was_armed = armed;
    armed = false;
    void *memory = __real_secret_memory_allocate(size, kind);
    armed = was_armed;
    secrets += memory != NULL;
    return memory;
}

void __wrap_secret_memory_free(void *memory)
{
    secrets -= memory != NULL;
    __real_secret_memory_free(memory);
}

static void arm(bool inside)
{
    armed = inside;
}

static void expect_fail_from(size_t from, size_t until)
{
    allocations = 0;
    fails_from = from;
    fails_until = until;
}

static void memory_is_back(void)
{
    fails_from = NEVER;
    fails_until = NEVER;
}

/* Connects; one that is refused tries again, as devices do, from another port. */
static struct simulated_device *insist(struct world *world, enum usmp_transport transport, unsigned wire,
                                       const char *id, const char *psk, uint16_t port)
{
    for (uint16_t attempt = 0; attempt < 5; attempt++) {
        char address[32];
        snprintf(address, sizeof address, "192.0.2.7:%u", port + attempt);
        struct simulated_device *device = world_connect(world, transport, wire, id, psk, address);
        for (unsigned tenth = 0; tenth < 120 && !device->over && !simulated_device_is_connected(device); tenth++)
            world_run(world, WORLD_SECOND / 10);
        if (simulated_device_is_connected(device))
            return device;
        device->silent = true;
        world_lose_stream(device);
    }
    return NULL;
}

/* Messages of one to four frames, each with a text of its own in front. */
static void say(struct simulated_device *device, unsigned count)
{
    static unsigned number;
    for (unsigned index = 0; index < count; index++) {
        char message[USMP_MESSAGE_MAX] = {0};
        snprintf(message, sizeof message, "message %u", number++);
        simulated_device_send(device, message, index % 3 == 0 ? sizeof message : 20);
    }
}

static unsigned times_told(const struct world *world, const struct device_message *message)
{
    unsigned times = 0;
    for (size_t index = 0; index < world->event_count; index++) {
        const struct world_event *event = &world->events[index];
        times += event->event.kind == SEAM_MESSAGE && event->event.size == message->size &&
                 memcmp(event->payload, message->bytes, message->size) == 0;
    }
    return times;
}

static void expect_told(const struct world *world, const struct device_messages *messages, unsigned at_least)
{
    for (const struct device_message *message = messages->first; message != NULL; message = message->next)
        assert_in_range(times_told(world, message), at_least, 1);
}

/* One device's visit with all that may need memory; false if it could not get in at all. */
static bool visit(struct world *world, enum usmp_transport transport, unsigned wire, const char *id, const char *psk,
                  uint16_t port)
{
    struct simulated_device *device = insist(world, transport, wire, id, psk, port);
    if (device == NULL)
        return false;
    say(device, 4);
    world_run(world, 5 * WORLD_SECOND);
    say(device, 1);
    struct seam_command *command = world_send(world, id, "down");
    world_run(world, 5 * WORLD_SECOND);
    if (simulated_device_is_connected(device) && wire == 2 && usmp_session_can_send(&device->end.session)) {
        simulated_device_rekey(device);
        world_run(world, 5 * WORLD_SECOND);
    }
    if (simulated_device_is_connected(device) && usmp_session_can_send(&device->end.session))
        simulated_device_ping(device);
    world_run(world, 25 * WORLD_SECOND);
    world_command_free(command);
    expect_told(world, &device->sent, transport == USMP_UDP ? 1 : 0);
    expect_told(world, &device->to_send, 0);
    return true;
}

static void bring_all_to_an_end(struct world *world)
{
    shard_drain(world->shard, world->now);
    world_run(world, 60 * WORLD_SECOND);
    expect_nothing_left(world);
}

/* Everything that is said over UDP is told exactly once when the device knows that it was accepted; what was written to
 * a stream may be lost with it, as the device can see. */
static void converse(const struct config *config, struct registry *registry)
{
    struct world *world = world_open_loaded(config, registry, 7, arm);
    if (world == NULL)
        return;
    world_give_credit(world, WORLD_CREDIT);
    bool all = visit(world, USMP_UDP, 2, ID, PSK, 1000);
    all = visit(world, USMP_UDP, 2, ID, PSK, 2000) && all; /* in place of itself */
    all = visit(world, USMP_UDP, 1, OTHER_ID, OTHER_PSK, 3000) && all;
    all = visit(world, USMP_TCP, 2, THIRD_ID, PSK, 4000) && all;
    all = visit(world, USMP_TCP, 1, ID, PSK, 5000) && all;
    if (fails_until - fails_from == 1)
        assert_true(all);
    memory_is_back();
    bring_all_to_an_end(world);
    world_close(world);
}

static size_t count_allocations(const struct config *config, struct registry *registry)
{
    memory_is_back();
    allocations = 0;
    converse(config, registry);
    return allocations;
}

static void sweep(size_t length)
{
    struct registry *registry;
    struct config *config = world_load(CONFIG, DEVICES, &registry);
    size_t before = secrets;
    size_t count = count_allocations(config, registry);
    assert_in_range(count, 40, 1000);
    for (size_t number = 0; number < count; number++) {
        expect_fail_from(number, number + length);
        converse(config, registry);
        assert_int_equal(secrets, before);
    }
    memory_is_back();
    registry_release(registry);
    config_free(config);
}

static void each_allocation_fails_once(void **state)
{
    (void)state;
    sweep(1);
}

static void memory_is_short_for_some_time(void **state)
{
    (void)state;
    sweep(5);
    sweep(40);
}

/* A message for which there is no memory is not accepted: over UDP its copy is, over TCP it is read again by itself. */
static void a_message_is_accepted_when_there_is_memory_again(enum usmp_transport transport, unsigned wire)
{
    struct registry *registry;
    struct config *config = world_load(NULL, DEVICES, &registry);
    memory_is_back();
    struct world *world = world_open_loaded(config, registry, 1, arm);
    world_give_credit(world, WORLD_CREDIT);
    struct simulated_device *device = connected(world, transport, wire);
    seam_outbox_close(&world->outbox); /* it has no batch to spare */
    uint64_t credit = world->shard->credit.bytes[0];
    expect_fail_from(0, NEVER);
    simulated_device_send(device, "waits", 5);
    world_run(world, WORLD_SECOND);
    expect_events(world, 1);
    assert_int_equal(device->paused, transport == USMP_TCP);
    assert_int_equal(device->utacks_heard[USMP_DATA], 0);
    assert_int_equal(world->shard->credit.bytes[0], credit);
    world_give_credit(world, 1); /* it is not for want of that */
    assert_int_equal(device->paused, transport == USMP_TCP);
    memory_is_back();
    world_run(world, transport == USMP_TCP ? WORLD_SECOND / 2 : 4 * WORLD_SECOND);
    expect_events(world, 2);
    expect_text(world, 1, ID, "waits");
    expect_events_paired(world);
    world_close(world);
    registry_release(registry);
    config_free(config);
}

static void a_message_is_accepted_when_there_is_memory_again_on_all(void **state)
{
    (void)state;
    on_all(a_message_is_accepted_when_there_is_memory_again);
}

/* What has to be remembered of frames on wire 1 finds no memory: the message to the device leaves soon after there is
 * some, although the device says nothing. */
static void a_message_to_wire_1_leaves_when_there_is_memory_again(void **state)
{
    (void)state;
    struct registry *registry;
    struct config *config = world_load("wire: {v1_downlink: true}\n", DEVICES, &registry);
    memory_is_back();
    struct world *world = world_open_loaded(config, registry, 1, arm);
    world_give_credit(world, WORLD_CREDIT);
    struct simulated_device *device = connected(world, USMP_UDP, 1);
    expect_fail_from(0, NEVER);
    struct seam_command *command = world_send(world, ID, "down");
    world_run(world, WORLD_SECOND);
    expect_pending(command);
    assert_int_equal(device->encrypted_heard, 0);
    memory_is_back();
    world_run(world, WORLD_SECOND / 2);
    expect_outcome(command, SEAM_SENT_BY_DEVICE);
    world_close(world);
    registry_release(registry);
    config_free(config);
}

/* The places for deadlines cannot grow: whoever comes is refused, and those who are there go on. */
static void nobody_new_comes_in_without_a_place_for_his_deadline(void **state)
{
    (void)state;
    struct registry *registry;
    struct config *config = world_load("limits: {handshakes_per_ip: 0, trusted: [192.0.2.8/32]}\n", DEVICES, &registry);
    memory_is_back();
    struct world *world = world_open_loaded(config, registry, 1, arm);
    world_give_credit(world, WORLD_CREDIT);
    struct simulated_device *device = connected(world, USMP_UDP, 2);
    struct bare_device pending = bare_device(world, USMP_UDP, 2, THIRD_ID, PSK, "192.0.2.9:1");
    bare_hello(&pending, 0, NULL);
    bare_expect_utack(&pending, USMP_HELLO, 0, false);
    bare_expect_challenge(&pending);
    while (world->shard->deadlines.reserved < world->shard->deadlines.capacity)
        world_connect_bare(world, USMP_TCP, OTHER_ADDRESS);
    expect_fail_from(0, NEVER);
    assert_true(world_connect_bare(world, USMP_TCP, OTHER_ADDRESS)->stream_closed);
    struct bare_device hello = bare_device(world, USMP_UDP, 2, OTHER_ID, OTHER_PSK, OTHER_ADDRESS);
    bare_hello(&hello, 0, NULL);
    bare_expect_silence(&hello);
    assert_int_equal(shard_counters(world->shard)->handshakes[USMP_UDP][1][SHARD_HANDSHAKE_LIMITED], 1);
    bare_hello_ack(&pending, 0);
    bare_expect_silence(&pending);
    assert_int_equal(shard_counters(world->shard)->handshakes[USMP_UDP][1][SHARD_HANDSHAKE_LIMITED], 2);
    device->path.peer = world_address(OTHER_ADDRESS);
    simulated_device_send(device, "goes on", 7);
    world_settle(world);
    memory_is_back();
    expect_events(world, 2);
    expect_text(world, 1, ID, "goes on");
    world_close(world);
    registry_release(registry);
    config_free(config);
}

/* What an end that could not be told owes. */

static void run_short(struct world *world, uint64_t time)
{
    fails_from = 0;
    fails_until = NEVER;
    world_run(world, time);
}

static void an_end_is_told_when_there_is_memory_again(enum usmp_transport transport, unsigned wire)
{
    struct registry *registry;
    struct config *config = world_load(NULL, DEVICES, &registry);
    memory_is_back();
    struct world *world = world_open_loaded(config, registry, 1, arm);
    world_give_credit(world, WORLD_CREDIT);
    struct simulated_device *device = connected(world, transport, wire);
    world_run(world, WORLD_SECOND);
    int64_t ended = world->now.wall;
    /* With an outbox that has no batch to spare. */
    seam_outbox_close(&world->outbox);
    simulated_device_close(device);
    run_short(world, 10 * WORLD_SECOND);
    expect_events(world, 1);
    assert_int_equal(shard_session_count(world->shard), 0);
    assert_false(shard_is_drained(world->shard));
    memory_is_back();
    world_run(world, WORLD_SECOND);
    expect_events(world, 2);
    expect_disconnected(world, 1, ID, SEAM_BYE);
    assert_int_equal(world->events[1].event.time, ended);
    assert_true(shard_is_drained(world->shard));
    expect_nothing_left(world);
    world_close(world);
    registry_release(registry);
    config_free(config);
}

static void an_end_is_told_when_there_is_memory_again_on_all(void **state)
{
    (void)state;
    on_all(an_end_is_told_when_there_is_memory_again);
}

/* Nothing is sent for the old session meanwhile, whose command is back and whose payload is gone; and the new one is not
 * told before it. */
static void what_is_owed_is_told_before_a_new_session(void **state)
{
    (void)state;
    struct registry *registry;
    struct config *config = world_load(NULL, DEVICES, &registry);
    memory_is_back();
    struct world *world = world_open_loaded(config, registry, 1, arm);
    world_give_credit(world, WORLD_CREDIT);
    struct simulated_device *old = connected(world, USMP_UDP, 2);
    struct bare_device new = bare_device(world, USMP_UDP, 2, ID, PSK, OTHER_ADDRESS);
    bare_hello(&new, 0, NULL);
    bare_expect_utack(&new, USMP_HELLO, 0, false);
    bare_expect_challenge(&new);
    old->silent = true;
    struct seam_command *command = world_send(world, ID, "under way");
    world_settle(world);

    /* The session itself finds memory, what is to be told of the two does not. */
    seam_outbox_close(&world->outbox);
    expect_fail_from(1, NEVER);
    uint64_t sent = world->datagrams_sent;
    bare_hello_ack(&new, 0);
    old->silent = false; /* what it still says is not heard */
    simulated_device_send(old, "too late", 8);
    expect_outcome(command, SEAM_UNCONFIRMED);
    expect_events(world, 1);
    assert_int_equal(shard_session_count(world->shard), 0);
    world_run(world, 5 * WORLD_SECOND);
    assert_int_equal(world->datagrams_sent, sent);
    assert_int_equal(shard_counters(world->shard)->handshakes[USMP_UDP][1][SHARD_HANDSHAKE_LIMITED], 1);

    memory_is_back();
    bare_restart(&new);
    bare_connect(&new);
    expect_events(world, 3);
    expect_disconnected(world, 1, ID, SEAM_REPLACED);
    expect_connected(world, 2, ID);
    bare_record(&new, USMP_BYE, 0, NULL, 0);
    expect_nothing_left(world);
    world_close(world);
    registry_release(registry);
    config_free(config);
}

/* Without memory for a new session the old one goes on, and the device hears nothing that it could take for a yes. */
static void the_old_session_goes_on_if_the_new_one_cannot_begin(void **state)
{
    (void)state;
    struct registry *registry;
    struct config *config = world_load(NULL, DEVICES, &registry);
    memory_is_back();
    struct world *world = world_open_loaded(config, registry, 1, arm);
    world_give_credit(world, WORLD_CREDIT);
    struct simulated_device *old = connected(world, USMP_UDP, 2);
    struct bare_device new = bare_device(world, USMP_UDP, 2, ID, PSK, OTHER_ADDRESS);
    bare_hello(&new, 0, NULL);
    bare_expect_utack(&new, USMP_HELLO, 0, false);
    bare_expect_challenge(&new);
    expect_fail_from(0, NEVER);
    bare_hello_ack(&new, 0);
    bare_expect_silence(&new);
    memory_is_back();
    simulated_device_send(old, "still here", 10);
    world_settle(world);
    expect_events(world, 2);
    expect_text(world, 1, ID, "still here");
    simulated_device_close(old);
    expect_nothing_left(world);
    world_close(world);
    registry_release(registry);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails_once),
        cmocka_unit_test(memory_is_short_for_some_time),
        cmocka_unit_test(a_message_is_accepted_when_there_is_memory_again_on_all),
        cmocka_unit_test(a_message_to_wire_1_leaves_when_there_is_memory_again),
        cmocka_unit_test(nobody_new_comes_in_without_a_place_for_his_deadline),
        cmocka_unit_test(an_end_is_told_when_there_is_memory_again_on_all),
        cmocka_unit_test(what_is_owed_is_told_before_a_new_session),
        cmocka_unit_test(the_old_session_goes_on_if_the_new_one_cannot_begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
