/* One gateway in the simulation: a small table of pending handshakes and one session, what a shard is in little
 * (docs/protocol.md section 4). Newest wins; a session follows its device to another port.
 */
#ifndef TESTS_SIMULATION_GATEWAY_END_H
#define TESTS_SIMULATION_GATEWAY_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/cookie.h>
#include <usmp/gateway_handshake.h>
#include <usmp/psk.h>
#include <usmp/session.h>

#include "simulation/application.h"
#include "simulation/blocks.h"
#include "simulation/link.h"
#include "simulation/random.h"
#include "simulation/stream_buffer.h"
#include "simulation/trace.h"

#define GATEWAY_END_PENDING_MAX 4

struct gateway_settings {
    bool ask_cookie; /* wire 2 over UDP */
    bool may_send;
    enum usmp_cipher cipher;
    struct usmp_psk psk;
    uint64_t handshake_timeout;
};

struct gateway_pending {
    bool used;
    unsigned port;
    struct usmp_gateway_handshake handshake;
};

struct gateway_end {
    struct gateway_settings settings;
    struct application application;
    struct link *link;
    struct simulation_random *random;
    struct trace *trace;
    struct blocks *blocks;
    uint64_t now;
    struct usmp_session_owner owner;
    struct usmp_cookie_secret cookie_secret;
    bool has_seen; /* a HELLO without cookie, of this public key */
    uint8_t seen_public[USMP_PUBLIC_KEY_SIZE];
    struct gateway_pending pending[GATEWAY_END_PENDING_MAX];
    bool has_session;
    struct usmp_session session;
    unsigned port;        /* the session's */
    unsigned answer_port; /* where what is being handled came from */
    struct stream_buffer stream;
    uint64_t feed_at; /* TCP: when a frame that was not taken is tried again */
    bool has_deferred;
    uint64_t settle_at;
    size_t deferred_size;
    uint8_t deferred[USMP_MESSAGE_MAX];
};

void gateway_end_begin(struct gateway_end *gateway, const struct gateway_settings *settings, struct link *link,
                       struct simulation_random *random, struct trace *trace, struct blocks *blocks);
void gateway_end_end(struct gateway_end *gateway);

void gateway_end_receive(struct gateway_end *gateway, const struct link_packet *packet, uint64_t now);

bool gateway_end_can_send(const struct gateway_end *gateway);
/* `bytes` must stay until it is acknowledged, cancelled or the session has ended. */
void gateway_end_send(struct gateway_end *gateway, const uint8_t *bytes, size_t size, uint64_t now);
void gateway_end_cancel(struct gateway_end *gateway, uint64_t now);
void gateway_end_close(struct gateway_end *gateway, uint64_t now);
/* Whether a session is there that has not ended. */
bool gateway_end_is_live(const struct gateway_end *gateway);

uint64_t gateway_end_deadline(const struct gateway_end *gateway);
void gateway_end_advance(struct gateway_end *gateway, uint64_t now);

#endif
