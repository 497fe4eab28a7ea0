/* Many devices at once, for measurements: `load HOST PORT --key HEX [options]`; see usage below.
 *
 * Loopback only by intention: it makes as much traffic as it can. It does what is asked once and prints one JSON line;
 * what it cost the gateway is for the caller to measure (bench/run).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <usmp/device.h>

#include "crypto/start.h"

static const char usage[] =
    "usage: load ADDRESS PORT --key HEX [--udp] [--wire 1|2] [--devices N] [--messages M] [--size BYTES]\n"
    "            [--together K] [--hold SECONDS]\n"
    "\n"
    "Connects N devices, has each send M messages of that size (over TCP K of them in one write), waits that long,\n"
    "and says BYE. Prints what was done and how long each part took as JSON; waits for a line on standard input\n"
    "before each part when that is a pipe, so that the caller can read counters in between.\n";

#define GIVE_UP_AFTER UINT64_C(60000000)

struct load {
    struct sockaddr_storage address;
    socklen_t address_length;
    struct usmp_psk psk;
    bool udp;
    uint8_t wire;
    unsigned devices;
    unsigned messages;
    unsigned together;
    size_t size;
    unsigned hold;
    int epoll;
    struct usmp_session_owner owner;
    unsigned connected;
    unsigned long sent;
    unsigned long done;
    unsigned over;
    uint8_t payload[USMP_MESSAGE_MAX];
};

struct peer {
    struct load *load;
    struct usmp_device device;
    int descriptor;
    bool was_connected;
    unsigned left;
    uint8_t in[4096];
    size_t in_size;
    uint8_t out[16384];
    size_t out_size;
};

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void flush(struct peer *peer)
{
    size_t written = 0;
    while (written < peer->out_size) {
        ssize_t result = write(peer->descriptor, peer->out + written, peer->out_size - written);
        if (result < 0 && errno == EAGAIN) {
            usleep(100);
            continue;
        }
        if (result <= 0)
            fail("write");
        written += (size_t)result;
    }
    peer->out_size = 0;
}

static void send_bytes(void *context, struct usmp_session *session, enum usmp_send_kind kind, const uint8_t *bytes,
                       size_t size)
{
    struct load *load = context;
    struct peer *peer = session->user;
    (void)kind;
    if (load->udp) {
        if (send(peer->descriptor, bytes, size, 0) < 0 && errno != EAGAIN && errno != ECONNREFUSED)
            fail("send");
        return;
    }
    if (peer->out_size + size > sizeof peer->out)
        flush(peer);
    memcpy(peer->out + peer->out_size, bytes, size);
    peer->out_size += size;
}

static void *take(void *context, enum usmp_block block)
{
    (void)context;
    size_t size = block == USMP_BLOCK_REKEY       ? sizeof(struct usmp_rekey_record)
                  : block == USMP_BLOCK_REFLECTED ? sizeof(struct usmp_sent_tags)
                                                  : USMP_MESSAGE_MAX;
    return calloc(1, size);
}

static void give(void *context, enum usmp_block block, void *bytes)
{
    (void)context;
    (void)block;
    free(bytes);
}

static int open_socket(const struct load *load)
{
    int type = load->udp ? SOCK_DGRAM : SOCK_STREAM;
    int descriptor = socket(load->address.ss_family, type | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        fail("socket");
    if (connect(descriptor, (const struct sockaddr *)&load->address, load->address_length) != 0)
        fail("connect");
    if (!load->udp) {
        int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    fcntl(descriptor, F_SETFL, O_NONBLOCK);
    return descriptor;
}

static void begin(struct load *load, struct peer *peer, unsigned number)
{
    *peer = (struct peer){.load = load, .left = load->messages};
    peer->descriptor = open_socket(load);
    struct usmp_device_start start = {.transport = load->udp ? USMP_UDP : USMP_TCP,
                                      .version = load->wire,
                                      .cipher = USMP_CIPHER_AES_256_GCM,
                                      .psk = load->psk,
                                      .give_up_after = GIVE_UP_AFTER};
    memcpy(start.device_id, &(uint32_t){htonl(number + 1)}, 4);
    if (getrandom(start.private_key, sizeof start.private_key, 0) != sizeof start.private_key)
        fail("getrandom");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, peer->descriptor, &event) != 0)
        fail("epoll_ctl");
    usmp_device_begin(&peer->device, &load->owner, peer, &start, now_us());
    flush(peer);
}

/* Keeps sending as long as it may: one message in flight over UDP, `together` in one write over TCP. */
static void pump(struct peer *peer)
{
    struct load *load = peer->load;
    for (unsigned count = 0; peer->left > 0 && count < load->together; count++) {
        if (!usmp_session_can_send(&peer->device.session))
            break;
        enum usmp_send_verdict verdict = usmp_session_send(&peer->device.session, load->payload, load->size, now_us());
        if (verdict != USMP_SEND_STARTED && verdict != USMP_SEND_WRITTEN)
            break;
        peer->left--;
        load->sent++;
        if (verdict == USMP_SEND_STARTED)
            break;
        load->done++;
    }
    flush(peer);
}

static void judge(struct peer *peer, enum usmp_session_verdict verdict, bool sending)
{
    struct load *load = peer->load;
    if (verdict == USMP_SESSION_OFFER)
        usmp_session_accept(&peer->device.session, now_us());
    if (verdict == USMP_SESSION_OVER) {
        fprintf(stderr, "a session ended early\n");
        exit(1);
    }
    if (verdict == USMP_SESSION_SENT)
        load->done++;
    if (!peer->was_connected && peer->device.state == USMP_DEVICE_CONNECTED) {
        peer->was_connected = true;
        load->connected++;
    }
    if (sending && verdict == USMP_SESSION_SENT)
        pump(peer);
    flush(peer);
}

static void receive(struct peer *peer, bool sending)
{
    uint8_t scratch[USMP_PLAINTEXT_MAX];
    for (;;) {
        ssize_t size = read(peer->descriptor, peer->in + peer->in_size, sizeof peer->in - peer->in_size);
        if (size == 0 && !peer->load->udp) {
            fprintf(stderr, "the gateway closed a connection\n");
            exit(1);
        }
        if (size < 0)
            return;
        size_t have = peer->in_size + (size_t)size;
        struct usmp_frame frame;
        if (peer->load->udp) {
            if (peer->in[0] == USMP_UTACK_MAGIC)
                judge(peer, usmp_device_receive_utack(&peer->device, peer->in, have, now_us()), sending);
            else if (usmp_frame_parse_datagram(peer->in, have, &frame) == USMP_FRAME_COMPLETE)
                judge(peer, usmp_device_receive(&peer->device, &frame, scratch, now_us()), sending);
            continue;
        }
        size_t offset = 0;
        size_t total;
        while (usmp_frame_parse(peer->in + offset, have - offset, &frame, &total) == USMP_FRAME_COMPLETE) {
            judge(peer, usmp_device_receive(&peer->device, &frame, scratch, now_us()), sending);
            offset += total;
        }
        memmove(peer->in, peer->in + offset, have - offset);
        peer->in_size = have - offset;
    }
}

static void turn(struct load *load, struct peer *peers, bool sending)
{
    struct epoll_event events[256];
    int count = epoll_wait(load->epoll, events, 256, 100);
    for (int index = 0; index < count; index++)
        receive(events[index].data.ptr, sending);
    if (count > 0 && !load->udp)
        return;
    for (unsigned index = 0; index < load->devices && load->udp && count <= 0; index++)
        judge(&peers[index], usmp_device_advance(&peers[index].device, now_us()), sending);
}

static void await_caller(const char *part)
{
    printf("{\"part\":\"%s\"}\n", part);
    fflush(stdout);
    char line[16];
    if (!isatty(STDIN_FILENO) && fgets(line, sizeof line, stdin) == NULL)
        exit(0);
}

static void report(const char *part, unsigned long count, uint64_t began)
{
    printf("{\"done\":\"%s\",\"count\":%lu,\"seconds\":%.6f}\n", part, count, (double)(now_us() - began) / 1e6);
    fflush(stdout);
}

/* Few at a time: limits for one address are the gateway's, and so is what waits in its listen queue. */
static void connect_all(struct load *load, struct peer *peers)
{
    uint64_t began = now_us();
    unsigned begun = 0;
    while (load->connected < load->devices) {
        while (begun < load->devices && begun - load->connected < 64)
            begin(load, &peers[begun], begun), begun++;
        struct epoll_event events[256];
        int count = epoll_wait(load->epoll, events, 256, 100);
        for (int index = 0; index < count; index++)
            receive(events[index].data.ptr, false);
        for (unsigned index = 0; count == 0 && index < begun; index++)
            judge(&peers[index], usmp_device_advance(&peers[index].device, now_us()), false);
        if (now_us() - began > 120 * UINT64_C(1000000)) {
            fprintf(stderr, "%u of %u connected\n", load->connected, load->devices);
            exit(1);
        }
    }
    report("connect", load->devices, began);
}

static void send_all(struct load *load, struct peer *peers)
{
    uint64_t began = now_us();
    unsigned long wanted = (unsigned long)load->devices * load->messages;
    if (load->udp) {
        for (unsigned index = 0; index < load->devices; index++)
            pump(&peers[index]);
        while (load->done < wanted)
            turn(load, peers, true);
    } else {
        for (bool more = true; more;) {
            more = false;
            for (unsigned index = 0; index < load->devices; index++) {
                pump(&peers[index]);
                more = more || peers[index].left > 0;
            }
        }
    }
    report("send", load->done, began);
}

static void leave(struct load *load, struct peer *peers)
{
    uint64_t began = now_us();
    for (unsigned index = 0; index < load->devices; index++) {
        usmp_session_close(&peers[index].device.session, now_us());
        (void)!usmp_session_advance(&peers[index].device.session, now_us());
        flush(&peers[index]);
        usmp_device_wipe(&peers[index].device);
        close(peers[index].descriptor);
    }
    report("leave", load->devices, began);
}

static bool read_key(const char *hex, struct usmp_psk *psk)
{
    uint8_t key[64];
    size_t size = strlen(hex) / 2;
    if (size == 0 || size > sizeof key || strlen(hex) % 2 != 0)
        return false;
    for (size_t index = 0; index < size; index++) {
        unsigned byte;
        if (sscanf(hex + 2 * index, "%2x", &byte) != 1)
            return false;
        key[index] = (uint8_t)byte;
    }
    usmp_psk_init(psk, key, size);
    return true;
}

static bool read_address(struct load *load, const char *host, unsigned port)
{
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)&load->address;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&load->address;
    if (inet_pton(AF_INET, host, &ipv4->sin_addr) == 1) {
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons((uint16_t)port);
        load->address_length = sizeof *ipv4;
        return true;
    }
    if (inet_pton(AF_INET6, host, &ipv6->sin6_addr) == 1) {
        ipv6->sin6_family = AF_INET6;
        ipv6->sin6_port = htons((uint16_t)port);
        load->address_length = sizeof *ipv6;
        return true;
    }
    return false;
}

static void parse(int argc, char **argv, struct load *load)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},
        {"udp", no_argument, NULL, 'u'},
        {"wire", required_argument, NULL, 'w'},
        {"devices", required_argument, NULL, 'n'},
        {"messages", required_argument, NULL, 'm'},
        {"size", required_argument, NULL, 's'},
        {"together", required_argument, NULL, 't'},
        {"hold", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    bool key = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        unsigned number = optarg == NULL ? 0 : (unsigned)strtoul(optarg, NULL, 10);
        switch (option) {
        case 'k':
            key = read_key(optarg, &load->psk);
            break;
        case 'u':
            load->udp = true;
            break;
        case 'w':
            load->wire = (uint8_t)number;
            break;
        case 'n':
            load->devices = number;
            break;
        case 'm':
            load->messages = number;
            break;
        case 's':
            load->size = number;
            break;
        case 't':
            load->together = number;
            break;
        case 'o':
            load->hold = number;
            break;
        default:
            fputs(usage, stderr);
            exit(2);
        }
    }
    bool right = key && argc - optind == 2 && load->size <= USMP_MESSAGE_MAX && load->devices > 0 &&
                 (load->wire == 1 || load->wire == 2) &&
                 read_address(load, argv[optind], (unsigned)strtoul(argv[optind + 1], NULL, 10));
    if (!right) {
        fputs(usage, stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static struct load load = {.wire = USMP_WIRE_2, .devices = 1, .messages = 0, .size = 64, .together = 1};
    if (crypto_start() != CRYPTO_STARTED)
        return 1;
    parse(argc, argv, &load);
    memset(load.payload, 'x', sizeof load.payload);
    load.owner = (struct usmp_session_owner){.context = &load, .send = send_bytes, .take = take, .give = give};
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    struct peer *peers = calloc(load.devices, sizeof *peers);
    if (peers == NULL || load.epoll < 0)
        fail("start");
    await_caller("connect");
    connect_all(&load, peers);
    await_caller("send");
    send_all(&load, peers);
    sleep(load.hold);
    await_caller("leave");
    leave(&load, peers);
    await_caller("end");
    free(peers);
    return 0;
}
