#include "platform/address_prefix.h"

#include <assert.h>
#include <string.h>

#include "platform/address_text.h"

#define IPV4_OFFSET_BITS 96u /* where an IPv4 address begins in its mapped form */
#define CUSTOMER_BITS 64u
#define SITE_BITS 48u

static struct address_prefix cut(const uint8_t bytes[static 16], unsigned length)
{
    struct address_prefix prefix = {.length = (uint8_t)length};
    unsigned whole = length / 8;
    memcpy(prefix.bytes, bytes, whole);
    if (length % 8 != 0)
        prefix.bytes[whole] = (uint8_t)(bytes[whole] & (0xff00u >> (length % 8)));
    return prefix;
}

struct address_prefix address_prefix_of(const struct address *address, unsigned ipv4_length, unsigned ipv6_length)
{
    assert(ipv4_length <= 32 && ipv6_length <= 128);
    struct address host = address_normalised(address);
    return cut(host.bytes, address_is_ipv4(&host) ? IPV4_OFFSET_BITS + ipv4_length : ipv6_length);
}

struct address_prefix address_prefix_host(const struct address *address)
{
    return address_prefix_of(address, 32, CUSTOMER_BITS);
}

struct address_prefix address_prefix_site(const struct address *address)
{
    return address_prefix_of(address, 32, SITE_BITS);
}

bool address_prefix_equal(const struct address_prefix *a, const struct address_prefix *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool address_prefix_contains(const struct address_prefix *prefix, const struct address *address)
{
    struct address host = address_normalised(address);
    /* Mapped addresses are our way to hold IPv4, not a part of the IPv6 network ::/0 that somebody wrote. */
    if (address_is_ipv4(&host) && prefix->length < IPV4_OFFSET_BITS)
        return false;
    struct address_prefix network = cut(host.bytes, prefix->length);
    return address_prefix_equal(prefix, &network);
}

bool address_prefixes_contain(const struct address_prefix *prefixes, size_t count, const struct address *address)
{
    for (size_t index = 0; index < count; index++) {
        if (address_prefix_contains(&prefixes[index], address))
            return true;
    }
    return false;
}

/* One to three decimal digits and nothing else, which is stricter than strtoul(). */
static bool parse_length(const char *text, unsigned maximum, unsigned *length)
{
    unsigned value = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 3 || text[digits] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (unsigned)(text[i] - '0');
    if (value > maximum)
        return false;
    *length = value;
    return true;
}

bool address_prefix_parse(const char *text, struct address_prefix *prefix)
{
    char host_text[ADDRESS_TEXT_SIZE];
    const char *slash = strchr(text, '/');
    size_t host_size = slash != NULL ? (size_t)(slash - text) : strlen(text);
    if (host_size >= sizeof host_text)
        return false;
    memcpy(host_text, text, host_size);
    host_text[host_size] = '\0';

    struct address address;
    if (!address_parse_host(host_text, &address))
        return false;
    bool written_as_ipv4 = strchr(host_text, ':') == NULL;
    unsigned length = written_as_ipv4 ? 32 : 128;
    if (slash != NULL && !parse_length(slash + 1, length, &length))
        return false;
    if (written_as_ipv4)
        length += IPV4_OFFSET_BITS;

    /* A network larger than 64:ff9b::/96 has no IPv4 counterpart and stays what it is. */
    *prefix = cut(length >= IPV4_OFFSET_BITS ? address_normalised(&address).bytes : address.bytes, length);
    return true;
}
