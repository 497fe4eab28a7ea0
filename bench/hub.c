/* hub [EVENTS]: what a message costs the hub, from hub_receive() until the kernel has its line: CPU time of this
 * thread, while a child reads the backend's socket and throws away. Text of 64 bytes, printable and binary; one message
 * a turn and 64. Beside it the same lines written without a hub, one a write and 64 a write.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "config/config.h"
#include "delivery/hub.h"
#include "platform/log.h"
#include "seam/inbox.h"
#include "seam/outbox.h"

#define PAYLOAD 64u
#define LINE 200u /* bytes of such a message's line, about */

struct bench {
    uv_loop_t loop;
    struct hub *hub;
    struct seam_inbox inbox;
    struct seam_outbox outbox;
    struct seam_credit credit;
    struct config_pattern pattern;
    struct config_backend backend;
    struct config_backends backends;
    char path[64];
    pid_t reader;
};

static void fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void no_wake(void *context)
{
    (void)context;
}

static void read_and_forget(int descriptor)
{
    static char buffer[1 << 20];
    while (read(descriptor, buffer, sizeof buffer) > 0) {
    }
    _exit(EXIT_SUCCESS);
}

static void connect_reader(struct bench *bench)
{
    bench->reader = fork();
    if (bench->reader != 0)
        return;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, bench->path, strlen(bench->path) + 1);
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
    if (descriptor < 0 || connect(descriptor, (const struct sockaddr *)&address, sizeof address) != 0)
        _exit(EXIT_FAILURE);
    read_and_forget(descriptor);
}

static void open_hub(struct bench *bench)
{
    log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    snprintf(bench->path, sizeof bench->path, "/tmp/usmpd-bench-hub-%d", (int)getpid());
    if (!config_pattern_parse("*", &bench->pattern))
        fail("pattern");
    bench->backend = (struct config_backend){
        .name = "default",
        .socket = bench->path,
        .mode = 0600,
        .group = "",
        .queue = 64u << 20,
        .devices = {.items = &bench->pattern, .count = 1},
    };
    bench->backends = (struct config_backends){.items = &bench->backend, .count = 1};
    struct error_text error;
    const struct hub_settings settings = {.backends = &bench->backends, .workers = 1, .version = "bench"};
    uv_loop_init(&bench->loop);
    seam_inbox_open(&bench->inbox, no_wake, NULL);
    seam_outbox_open(&bench->outbox);
    bench->hub = hub_open(&bench->loop, &settings, &error);
    if (bench->hub == NULL) {
        fprintf(stderr, "%s\n", error.text);
        exit(EXIT_FAILURE);
    }
    hub_attach(bench->hub, &bench->inbox);
    connect_reader(bench);
    while (!hub_backend_counters(bench->hub, 0)->connected)
        uv_run(&bench->loop, UV_RUN_ONCE);
}

static void close_hub(struct bench *bench)
{
    hub_close(bench->hub);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    seam_outbox_close(&bench->outbox);
    waitpid(bench->reader, NULL, 0);
}

static void take_credit_back(struct bench *bench)
{
    struct seam_credit credit;
    bool credited;
    (void)!seam_inbox_take(&bench->inbox, &credit, &credited);
    bench->credit.bytes[0] += credit.bytes[0];
}

static double cost_of_looking_at_the_clock(void)
{
    double start = cpu_ns();
    for (int i = 0; i < 9999; i++)
        (void)cpu_ns();
    return (cpu_ns() - start) / 10000;
}

/* The appending to the outbox is the shard's and is measured, too: some 10 ns. */
static double measure(struct bench *bench, const uint8_t *payload, unsigned events, unsigned per_turn)
{
    struct seam_event event = {.kind = SEAM_MESSAGE, .backends = 1, .size = PAYLOAD, .time = INT64_C(1795251600123456)};
    double clock = cost_of_looking_at_the_clock();
    double spent = 0;
    for (unsigned done = 0; done < events; done += per_turn) {
        double start = cpu_ns();
        for (unsigned i = 0; i < per_turn; i++) {
            event.time += 10;
            if (!seam_outbox_append(&bench->outbox, &event, payload))
                fail("outbox");
        }
        hub_receive(bench->hub, &bench->inbox, &bench->outbox);
        spent += cpu_ns() - start - clock;
        take_credit_back(bench);
        /* The reader is not to be the measure: let it catch up. */
        while (hub_backend_counters(bench->hub, 0)->queue_messages > 0)
            uv_run(&bench->loop, UV_RUN_ONCE);
    }
    return spent / events;
}

static double measure_writes(unsigned events, unsigned per_write)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        fail("socketpair");
    pid_t reader = fork();
    if (reader == 0) {
        close(pair[0]);
        read_and_forget(pair[1]);
    }
    close(pair[1]);
    static char lines[64 * LINE];
    memset(lines, 'x', sizeof lines);
    double start = cpu_ns();
    for (unsigned done = 0; done < events; done += per_write) {
        if (send(pair[0], lines, (size_t)per_write * LINE, MSG_NOSIGNAL) < 0)
            fail("send");
    }
    double spent = cpu_ns() - start;
    close(pair[0]);
    waitpid(reader, NULL, 0);
    return spent / events;
}

int main(int argument_count, char **arguments)
{
    unsigned events = argument_count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : 640000;
    events = events / 64 * 64;
    if (events == 0)
        return EXIT_FAILURE;
    static struct bench bench;
    uint8_t text[PAYLOAD];
    uint8_t binary[PAYLOAD];
    memset(text, 't', sizeof text);
    memset(binary, 0xff, sizeof binary);
    open_hub(&bench);
    take_credit_back(&bench);
    printf("ns of CPU a message of %u bytes\n", PAYLOAD);
    printf("  one write a line, no hub     %6.0f\n", measure_writes(events, 1));
    printf("  64 lines a write, no hub     %6.0f\n", measure_writes(events, 64));
    printf("  hub, one a turn, text        %6.0f\n", measure(&bench, text, events, 1));
    printf("  hub, 64 a turn, text         %6.0f\n", measure(&bench, text, events, 64));
    printf("  hub, 64 a turn, binary       %6.0f\n", measure(&bench, binary, events, 64));
    close_hub(&bench);
    return EXIT_SUCCESS;
}
