/* A device's pre-shared key, kept as what HMAC-SHA256 makes of it: as secret as the PSK itself. The owner wipes it. */
#ifndef USMP_PSK_H
#define USMP_PSK_H

#include <stddef.h>
#include <stdint.h>

struct usmp_psk {
    uint32_t state[16];
};

/* Any size; the raw bytes are the HMAC key (docs/protocol.md section 2). */
void usmp_psk_init(struct usmp_psk *psk, const void *bytes, size_t size);

void usmp_psk_wipe(struct usmp_psk *psk);

#endif
