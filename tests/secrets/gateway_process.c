#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "secrets/gateway_process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/random.h"

#define PATIENCE 30000 /* milliseconds */

void gateway_process_write(const struct gateway_process *gateway, const char *name, const char *text)
{
    char path[80];
    snprintf(path, sizeof path, "%s/%s", gateway->folder, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    assert_int_equal(close(file), 0);
}

static void open_notify(struct gateway_process *gateway)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", gateway->folder);
    gateway->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(gateway->notify >= 0);
    assert_int_equal(bind(gateway->notify, (const struct sockaddr *)&address, sizeof address), 0);
}

void gateway_process_prepare(struct gateway_process *gateway, const char *more_configuration)
{
    uint8_t draw[5];
    crypto_random(draw, sizeof draw);
    *gateway = (struct gateway_process){.folder = "/tmp/usmpd-secrets-XXXXXX"};
    assert_non_null(mkdtemp(gateway->folder));
    snprintf(gateway->host, sizeof gateway->host, "127.%u.%u.%u", 64u + draw[0] % 64u, draw[1], 1u + draw[2] % 254u);
    gateway->port = (uint16_t)(20000 + (draw[3] << 8 | draw[4]) % 12000);
    open_notify(gateway);
    char text[1024];
    snprintf(text, sizeof text,
             "listen: {tcp: ['%s:%u'], udp: ['%s:%u']}\n"
             "backends: [{name: default, socket: backend.sock}]\n"
             "shutdown_timeout: 2s\n"
             "%s",
             gateway->host, gateway->port, gateway->host, gateway->port, more_configuration);
    gateway_process_write(gateway, "usmpd.yaml", text);
}

/* Waits for what the gateway tells its service manager. */
static void await(const struct gateway_process *gateway, const char *what)
{
    for (;;) {
        char text[512];
        struct pollfd poll_descriptor = {.fd = gateway->notify, .events = POLLIN};
        if (poll(&poll_descriptor, 1, PATIENCE) != 1)
            fail_msg("usmpd does not say %s", what);
        ssize_t size = recv(gateway->notify, text, sizeof text - 1, 0);
        assert_true(size >= 0);
        text[size] = '\0';
        if (strstr(text, what) != NULL)
            return;
    }
}

static void become_usmpd(const struct gateway_process *gateway, const char *variable)
{
    char notify[80];
    snprintf(notify, sizeof notify, "NOTIFY_SOCKET=%s/notify", gateway->folder);
    char *environment[3] = {notify, NULL, NULL};
    char copy[256];
    if (variable != NULL) {
        snprintf(copy, sizeof copy, "%s", variable);
        environment[1] = copy;
    }
    char *arguments[] = {(char[]){"usmpd"}, (char[]){"--config"}, (char[]){"usmpd.yaml"}, NULL};
    if (chdir(gateway->folder) == 0)
        execve(USMPD_PROGRAM, arguments, environment);
    _exit(127);
}

void gateway_process_start(struct gateway_process *gateway, const char *variable)
{
    gateway->pid = fork();
    assert_true(gateway->pid >= 0);
    if (gateway->pid == 0)
        become_usmpd(gateway, variable);
    await(gateway, "READY=1");
}

void gateway_process_reload(const struct gateway_process *gateway)
{
    assert_int_equal(kill(gateway->pid, SIGHUP), 0);
    await(gateway, "RELOADING=1");
    await(gateway, "READY=1");
}

static int wait_for_stop(struct gateway_process *gateway)
{
    int status;
    while (waitpid(gateway->pid, &status, __WALL) < 0)
        assert_int_equal(errno, EINTR);
    if (!WIFSTOPPED(status))
        gateway->pid = 0;
    return status;
}

static void go_on(const struct gateway_process *gateway, int signal_number)
{
    assert_int_equal(ptrace(PTRACE_CONT, gateway->pid, NULL, (void *)(intptr_t)signal_number), 0);
}

bool gateway_process_stop(struct gateway_process *gateway, struct process_image *last)
{
    if (ptrace(PTRACE_SEIZE, gateway->pid, NULL, (void *)(intptr_t)PTRACE_O_TRACEEXIT) != 0) {
        assert_int_equal(kill(gateway->pid, SIGTERM), 0);
        (void)wait_for_stop(gateway);
        return false;
    }
    assert_int_equal(kill(gateway->pid, SIGTERM), 0);
    bool read = false;
    for (;;) {
        int status = wait_for_stop(gateway);
        if (gateway->pid == 0) {
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
            break;
        }
        bool exits = status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8);
        bool stops = status >> 16 == PTRACE_EVENT_STOP;
        if (exits)
            read = process_image_read(gateway->pid, last);
        go_on(gateway, exits || stops ? 0 : WSTOPSIG(status));
    }
    assert_true(read);
    return true;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void gateway_process_clean_up(struct gateway_process *gateway)
{
    if (gateway->pid > 0) {
        (void)kill(gateway->pid, SIGKILL);
        (void)wait_for_stop(gateway);
    }
    (void)close(gateway->notify);
    (void)nftw(gateway->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
