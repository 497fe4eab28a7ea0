#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <usmp/start.h>

#include "platform/clock.h"
#include "usmp/stage.h"

#define ARGUMENTS_MAX 24
#define STAGE_MOMENT 200000u /* microseconds */

struct stage_way stage_tcp_1 = {"tcp, wire 1", USMP_TCP, 1};
struct stage_way stage_tcp_2 = {"tcp, wire 2", USMP_TCP, 2};
struct stage_way stage_udp_1 = {"udp, wire 1", USMP_UDP, 1};
struct stage_way stage_udp_2 = {"udp, wire 2", USMP_UDP, 2};

static void name_endpoint(struct stage *stage, int family)
{
    (void)snprintf(stage->endpoint, sizeof stage->endpoint, family == AF_INET6 ? "[::1]:%u" : "127.0.0.1:%u",
                   stage->gateway.port);
}

bool stage_reopen_gateway(struct stage *stage, int family)
{
    loopback_gateway_close(&stage->gateway);
    bool is_open = loopback_gateway_open(&stage->gateway, stage->way.transport, family, STAGE_KEY, strlen(STAGE_KEY));
    name_endpoint(stage, family);
    return is_open;
}

static int write_key(struct stage *stage)
{
    strcpy(stage->key_path, "usmp-test-psk-XXXXXX");
    int descriptor = mkstemp(stage->key_path);
    if (descriptor < 0)
        return -1;
    ssize_t written = write(descriptor, STAGE_KEY "\n", strlen(STAGE_KEY) + 1);
    close(descriptor);
    return written == (ssize_t)strlen(STAGE_KEY) + 1 ? 0 : -1;
}

int stage_open(void **state)
{
    const struct stage_way *way = *state;
    struct stage *stage = calloc(1, sizeof *stage);
    if (stage == NULL || usmp_start() != NULL)
        return -1;
    stage->way = *way;
    *state = stage;
    if (write_key(stage) != 0 ||
        !loopback_gateway_open(&stage->gateway, way->transport, AF_INET, STAGE_KEY, strlen(STAGE_KEY)))
        return -1;
    name_endpoint(stage, AF_INET);
    return 0;
}

int stage_close(void **state)
{
    struct stage *stage = *state;
    program_end(&stage->program);
    loopback_gateway_close(&stage->gateway);
    int removed = remove(stage->key_path);
    free(stage);
    return removed;
}

void stage_start(struct stage *stage, const char *command, ...)
{
    const char *arguments[ARGUMENTS_MAX] = {
        command,      stage->endpoint, "--device", STAGE_DEVICE,
        "--psk-file", stage->key_path, "--wire",   stage->way.wire == 1 ? "1" : "2"};
    size_t count = 8;
    if (stage->way.transport == USMP_UDP)
        arguments[count++] = "--udp";
    va_list further;
    va_start(further, command);
    const char *argument;
    while ((argument = va_arg(further, const char *)) != NULL) {
        assert_true(count < ARGUMENTS_MAX - 1);
        arguments[count++] = argument;
    }
    va_end(further);
    program_start(&stage->program, arguments);
}

uint64_t stage_give_up(void)
{
    return clock_monotonic_us() + STAGE_PATIENCE;
}

static int milliseconds_until(uint64_t deadline, uint64_t now)
{
    return deadline > now ? (int)((deadline - now) / 1000 + 1) : 0;
}

/* Whether anything happened before `deadline`. */
static bool turn(struct stage *stage, uint64_t deadline)
{
    struct pollfd descriptors[LOOPBACK_DESCRIPTORS + PROGRAM_DESCRIPTORS];
    struct pollfd *of_program = descriptors + LOOPBACK_DESCRIPTORS;
    loopback_gateway_prepare(&stage->gateway, descriptors);
    program_prepare(&stage->program, of_program);
    uint64_t of_gateway = loopback_gateway_deadline(&stage->gateway);
    int ready = poll(descriptors, LOOPBACK_DESCRIPTORS + PROGRAM_DESCRIPTORS,
                     milliseconds_until(of_gateway < deadline ? of_gateway : deadline, clock_monotonic_us()));
    assert_true(ready >= 0);
    loopback_gateway_service(&stage->gateway, descriptors);
    program_service(&stage->program, of_program);
    return ready > 0;
}

void stage_turn(struct stage *stage, uint64_t give_up, const char *waiting_for)
{
    if (clock_monotonic_us() >= give_up)
        fail_msg("%s: waiting in vain for %s; it said: %s", stage->way.name, waiting_for, stage->program.errors.bytes);
    (void)turn(stage, give_up);
}

bool stage_goes_on(struct stage *stage)
{
    return turn(stage, clock_monotonic_us() + STAGE_MOMENT);
}

void stage_assert_exit(struct stage *stage, int status)
{
    stage_until(stage, program_is_silent(&stage->program));
    int actual = program_exit_status(&stage->program);
    if (actual != status)
        fail_msg("%s: exit status %d in place of %d; it said: %s", stage->way.name, actual, status,
                 stage->program.errors.bytes);
    assert_null(strstr(stage->program.errors.bytes, STAGE_KEY));
    assert_null(strstr(stage->program.output.bytes, STAGE_KEY));
}

void stage_assert_output(const struct stage *stage, const void *bytes, size_t size)
{
    assert_int_equal(stage->program.output.size, size);
    assert_memory_equal(stage->program.output.bytes, bytes, size);
}

void stage_assert_errors(const struct stage *stage, const char *part)
{
    const char *errors = stage->program.errors.bytes;
    if (part[0] == '\0')
        assert_string_equal(errors, "");
    else if (strstr(errors, part) == NULL)
        fail_msg("%s: \"%s\" is not in: %s", stage->way.name, part, errors);
}

void stage_assert_message(const struct stage *stage, size_t index, const void *bytes, size_t size)
{
    assert_true(index < stage->gateway.message_count);
    assert_int_equal(stage->gateway.messages[index].size, size);
    assert_memory_equal(stage->gateway.messages[index].bytes, bytes, size);
}

void stage_assert_message_count(const struct stage *stage, size_t count)
{
    assert_int_equal(stage->gateway.message_count, count);
}

void stage_send_down(struct stage *stage, const void *bytes, size_t size)
{
    stage_until(stage, loopback_gateway_can_send(&stage->gateway));
    loopback_gateway_send(&stage->gateway, bytes, size);
    stage_until(stage, !stage->gateway.message_is_out);
}

void stage_write(struct stage *stage, const void *bytes, size_t size)
{
    uint64_t give_up = stage_give_up();
    for (size_t done = 0; done < size;) {
        size_t written = program_write(&stage->program, (const char *)bytes + done, size - done);
        done += written;
        if (written == 0)
            stage_turn(stage, give_up, "room on standard input");
    }
}
