/* A gateway made of libusmp on a loopback socket: one device at a time, and misbehaviour on request. It is driven by
 * whoever polls its descriptors, in the test's own thread. Included after cmocka.h. */
#ifndef TESTS_USMP_LOOPBACK_GATEWAY_H
#define TESTS_USMP_LOOPBACK_GATEWAY_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <usmp/gateway_handshake.h>
#include <usmp/session.h>

#define LOOPBACK_MESSAGES_MAX 32768
#define LOOPBACK_UTACK 0xAC /* in place of a frame's type */
#define LOOPBACK_DESCRIPTORS 2

struct loopback_message {
    uint8_t *bytes;
    size_t size;
};

struct loopback_gateway {
    /* What it does, to be changed at any time. */
    struct usmp_psk psk;
    struct usmp_psk session_ok_psk; /* another one: it cannot prove itself */
    bool asks_for_cookie;           /* UDP, wire 2 */
    bool takes_no_message;          /* UDP: no UTACK for messages */
    bool reads_nothing;
    unsigned lose_in[256];  /* UDP: how many of the next datagrams with this type never arrive */
    unsigned lose_out[256]; /* and how many of those that it sends */

    /* What has happened. */
    uint16_t port;
    unsigned connections;     /* TCP */
    unsigned refused;         /* HELLO_ACKs with a wrong HMAC */
    unsigned frames_in[256];  /* of each type, copies too */
    unsigned frames_out[256]; /* and what it sent; not what it lost */
    bool has_session;
    struct usmp_session session;
    size_t message_count;
    struct loopback_message messages[LOOPBACK_MESSAGES_MAX];
    bool message_is_out; /* of loopback_gateway_send() */

    /* Its own. */
    enum usmp_transport transport;
    int socket;     /* UDP; TCP: the listening one */
    int connection; /* TCP: -1 without one */
    struct sockaddr_storage peer;
    socklen_t peer_length;
    bool has_handshake;
    struct usmp_gateway_handshake handshake;
    uint8_t cookie[USMP_COOKIE_SIZE];
    struct usmp_session_owner owner;
    uint8_t scratch[USMP_PLAINTEXT_MAX];
    uint8_t in[65536];
    size_t in_size;
    uint8_t out[65536];
    size_t out_size;
};

/* `family`: AF_INET or AF_INET6. False when there is no such loopback address on this machine. */
bool loopback_gateway_open(struct loopback_gateway *gateway, enum usmp_transport transport, int family, const void *psk,
                           size_t psk_size) __attribute__((warn_unused_result));
void loopback_gateway_close(struct loopback_gateway *gateway);

void loopback_gateway_prepare(const struct loopback_gateway *gateway,
                              struct pollfd descriptors[static LOOPBACK_DESCRIPTORS]);
uint64_t loopback_gateway_deadline(const struct loopback_gateway *gateway);
void loopback_gateway_service(struct loopback_gateway *gateway,
                              const struct pollfd descriptors[static LOOPBACK_DESCRIPTORS]);

/* A session that may send and does not. */
bool loopback_gateway_can_send(const struct loopback_gateway *gateway);
/* The bytes are used until `message_is_out` is false again. */
void loopback_gateway_send(struct loopback_gateway *gateway, const void *bytes, size_t size);
void loopback_gateway_say_bye(struct loopback_gateway *gateway);
/* TCP: closes the connection without a word, or with bytes that are none of USMP. */
void loopback_gateway_hang_up(struct loopback_gateway *gateway);
void loopback_gateway_write(struct loopback_gateway *gateway, const void *bytes, size_t size);

#endif
