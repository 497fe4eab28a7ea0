/* The pending handshakes of the simulated gateway: HELLO, cookie, CHALLENGE, HELLO_ACK (docs/protocol.md section 4).
 * Internal to gateway_end.
 */
#ifndef TESTS_SIMULATION_GATEWAY_HANDSHAKES_H
#define TESTS_SIMULATION_GATEWAY_HANDSHAKES_H

#include <stdbool.h>
#include <stdint.h>

#include <usmp/frame.h>

#include "simulation/gateway_end.h"

/* A frame of a handshake that is no late copy of the session's own. */
void gateway_handshakes_receive(struct gateway_end *gateway, const struct usmp_frame *frame);
uint64_t gateway_handshakes_deadline(const struct gateway_end *gateway);
void gateway_handshakes_advance(struct gateway_end *gateway);
void gateway_handshakes_wipe(struct gateway_end *gateway);

/* In gateway_end.c. */
void gateway_end_note(struct gateway_end *gateway, const char *what);
bool gateway_end_is_udp(const struct gateway_end *gateway);
/* Newest wins. */
void gateway_end_replace_session(struct gateway_end *gateway, const struct usmp_session_start *start);

#endif
