/* The cookie of HELLO_RETRY: shows that who sends a HELLO receives what is sent to its address, and costs the gateway
 * no memory. docs/protocol.md section 4, docs/security.md rule 12. Opaque to devices.
 */
#ifndef USMP_COOKIE_H
#define USMP_COOKIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <usmp/wire.h>

#define USMP_COOKIE_SECRET_SIZE 32
#define USMP_COOKIE_ADDRESS_MAX 16
#define USMP_COOKIE_SLOT UINT64_C(30000000) /* microseconds; a cookie is good for one to two of them */

/* Made at start from random bytes and never stored. The owner wipes it. */
struct usmp_cookie_secret {
    uint32_t state[16];
};

/* Addresses as bytes, normalised by the caller (docs/security.md rule 7): 4 for IPv4, 16 for IPv6. */
struct usmp_cookie_claim {
    const uint8_t *peer_address;
    size_t peer_address_size; /* at most USMP_COOKIE_ADDRESS_MAX */
    uint16_t peer_port;
    const uint8_t *local_address;
    size_t local_address_size; /* at most USMP_COOKIE_ADDRESS_MAX */
    uint8_t version;
    const uint8_t *device_id;  /* USMP_DEVICE_ID_SIZE */
    const uint8_t *public_key; /* USMP_PUBLIC_KEY_SIZE: pub_C */
};

void usmp_cookie_secret_init(struct usmp_cookie_secret *secret, const uint8_t bytes[USMP_COOKIE_SECRET_SIZE]);
void usmp_cookie_secret_wipe(struct usmp_cookie_secret *secret);

/* `now`: microseconds of a monotonic clock. */
void usmp_cookie_make(const struct usmp_cookie_secret *secret, const struct usmp_cookie_claim *claim, uint64_t now,
                      uint8_t out[USMP_COOKIE_SIZE]);

/* Whether it was made for this claim in the current slot or the one before, in constant time. */
bool usmp_cookie_is_right(const struct usmp_cookie_secret *secret, const struct usmp_cookie_claim *claim, uint64_t now,
                          const uint8_t cookie[USMP_COOKIE_SIZE]) USMP_MUST_USE;

#endif
