/* UTACK, the acknowledgement of one datagram: docs/protocol.md section 4. Which form and key a frame's UTACK has is
 * the session's business; the table is there.
 */
#ifndef USMP_UTACK_H
#define USMP_UTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/wire.h>

/* The key of the acknowledged frame's direction, kept as what HMAC-SHA256 makes of it. The owner wipes it. */
struct usmp_utack_key {
    uint32_t state[16];
};

struct usmp_utack {
    uint8_t type; /* of the acknowledged frame */
    bool has_mac;
    uint32_t seq; /* of the acknowledged frame */
    uint8_t mac[USMP_UTACK_MAC_SIZE];
};

void usmp_utack_key_init(struct usmp_utack_key *key, const uint8_t record_key[USMP_KEY_SIZE]);
void usmp_utack_key_wipe(struct usmp_utack_key *key);

/* Return the size written. */
size_t usmp_utack_write_plain(uint8_t type, uint32_t seq, uint8_t out[USMP_UTACK_PLAIN_SIZE]);
size_t usmp_utack_write_keyed(const struct usmp_utack_key *key, uint8_t type, uint32_t seq,
                              uint8_t out[USMP_UTACK_KEYED_SIZE]);

/* False when a datagram is no UTACK. 15 bytes or more have a MAC, 7 to 14 have none; what trails is ignored. `utack`
 * is set with true only. */
bool usmp_utack_read(const uint8_t *bytes, size_t size, struct usmp_utack *utack) USMP_MUST_USE;

/* Whether the MAC is there and right, in constant time. */
bool usmp_utack_is_authentic(const struct usmp_utack_key *key, const struct usmp_utack *utack) USMP_MUST_USE;

#endif
