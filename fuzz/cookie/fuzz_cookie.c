/* Cookies: two claims, made of the input. A cookie is good for the claim it was made for, in its slot and the next, and
 * for no other claim (docs/security.md rule 12), whatever the sizes of the addresses are.
 */
#include <stdlib.h>
#include <string.h>

#include <usmp/cookie.h>
#include <usmp/start.h>

#include "gateway/require.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct claim {
    struct usmp_cookie_claim claim;
    uint8_t peer[USMP_COOKIE_ADDRESS_MAX];
    uint8_t local[USMP_COOKIE_ADDRESS_MAX];
    uint8_t device_id[USMP_DEVICE_ID_SIZE];
    uint8_t public_key[USMP_PUBLIC_KEY_SIZE];
};

static void fill(struct input *input, uint8_t *bytes, size_t size)
{
    for (size_t index = 0; index < size; index++)
        bytes[index] = input_byte(input);
}

static void read_claim(struct input *input, struct claim *claim)
{
    uint8_t sizes = input_byte(input);
    memset(claim, 0, sizeof *claim);
    claim->claim.peer_address_size = sizes % (USMP_COOKIE_ADDRESS_MAX + 1);
    claim->claim.local_address_size = (sizes >> 4) % (USMP_COOKIE_ADDRESS_MAX + 1);
    claim->claim.version = input_byte(input);
    claim->claim.peer_port = (uint16_t)input_number(input);
    fill(input, claim->peer, claim->claim.peer_address_size);
    fill(input, claim->local, claim->claim.local_address_size);
    fill(input, claim->device_id, sizeof claim->device_id);
    fill(input, claim->public_key, 8);
}

static void point(struct claim *claim)
{
    claim->claim.peer_address = claim->peer;
    claim->claim.local_address = claim->local;
    claim->claim.device_id = claim->device_id;
    claim->claim.public_key = claim->public_key;
}

static bool is_same(const struct claim *one, const struct claim *other)
{
    return one->claim.peer_address_size == other->claim.peer_address_size &&
           one->claim.local_address_size == other->claim.local_address_size &&
           one->claim.version == other->claim.version && one->claim.peer_port == other->claim.peer_port &&
           memcmp(one->peer, other->peer, one->claim.peer_address_size) == 0 &&
           memcmp(one->local, other->local, one->claim.local_address_size) == 0 &&
           memcmp(one->device_id, other->device_id, sizeof one->device_id) == 0 &&
           memcmp(one->public_key, other->public_key, sizeof one->public_key) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (usmp_start() != NULL)
        abort();
    struct input input = {data, size};
    struct usmp_cookie_secret secret;
    uint8_t cookie[USMP_COOKIE_SIZE];
    uint8_t before[USMP_COOKIE_SIZE];
    uint8_t any[USMP_COOKIE_SIZE];
    const uint8_t bytes[USMP_COOKIE_SECRET_SIZE] = {1, 2, 3};
    usmp_cookie_secret_init(&secret, bytes);
    uint8_t how = input_byte(&input);
    uint64_t made = input_number(&input);
    uint64_t later = input_number(&input) % (4 * USMP_COOKIE_SLOT);
    struct claim one;
    struct claim other;
    fill(&input, any, sizeof any);
    read_claim(&input, &one);
    if (how & 1)
        other = one;
    else
        read_claim(&input, &other);
    if (how & 2) /* what is the end of one address is the beginning of the other */
        other.claim.local_address_size = one.claim.local_address_size ^ (how >> 2 & 1);
    point(&one);
    point(&other);
    usmp_cookie_make(&secret, &one.claim, made, cookie);
    uint64_t slots = (made + later) / USMP_COOKIE_SLOT - made / USMP_COOKIE_SLOT;
    require(usmp_cookie_is_right(&secret, &other.claim, made + later, cookie) == (slots < 2 && is_same(&one, &other)));
    /* The fuzzer sees what is compared, and copies it: the cookie of the slot before is a right one too. */
    usmp_cookie_make(&secret, &one.claim, made - USMP_COOKIE_SLOT, before);
    bool known = memcmp(any, cookie, sizeof any) == 0 || memcmp(any, before, sizeof any) == 0;
    require(made < USMP_COOKIE_SLOT || usmp_cookie_is_right(&secret, &one.claim, made, any) == known);
    usmp_cookie_secret_wipe(&secret);
    return 0;
}
