#include <usmp/psk.h>

#include "proto/keyed_hash.h"

void usmp_psk_init(struct usmp_psk *psk, const void *bytes, size_t size)
{
    usmp_keyed_hash_init(psk->state, bytes, size);
}

void usmp_psk_wipe(struct usmp_psk *psk)
{
    usmp_keyed_hash_wipe(psk->state);
}
