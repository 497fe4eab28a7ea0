/* Texts that people and other programs write: addresses, networks, ids, patterns, dates, numbers with units, HOST:PORT,
 * hex. The first byte of the input chooses the reader, the rest is the text.
 *
 * What is read can be written, and what is written is read again as the same; what is refused leaves its output alone.
 */
#include <stdlib.h>
#include <string.h>

#include "config/device_id.h"
#include "config/device_pattern.h"
#include "config/units.h"
#include "gateway/require.h"
#include "platform/address_prefix.h"
#include "platform/address_text.h"
#include "platform/utf8.h"
#include "registry/date.h"
#include "registry/key_strength.h"
#include "usmp/endpoint.h"
#include "usmp/hex.h"
#include "usmp/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_address(const char *text)
{
    struct address address;
    struct address again;
    char written[ADDRESS_TEXT_SIZE];
    memset(&address, 0x5A, sizeof address);
    const struct address untouched = address;
    if (address_parse(text, &address)) {
        address_format(&address, written);
        require(address_parse(written, &again) && address_equal(&address, &again));
    } else {
        require(memcmp(&address, &untouched, sizeof address) == 0);
    }
    if (address_parse_host(text, &address)) {
        address_format_host(&address, written);
        require(address_parse_host(written, &again) && address_equal(&address, &again));
    }
}

static void read_prefix(const char *text)
{
    struct address_prefix prefix;
    if (!address_prefix_parse(text, &prefix))
        return;
    require(prefix.length <= 128);
    struct address inside = {.port = 0};
    memcpy(inside.bytes, prefix.bytes, sizeof inside.bytes);
    struct address normalised = address_normalised(&inside);
    bool changes_its_kind = memcmp(&normalised, &inside, sizeof inside) != 0;
    bool holds_ipv4_only_in_part = prefix.length < 96 && address_is_ipv4(&inside);
    require(changes_its_kind || holds_ipv4_only_in_part || address_prefix_contains(&prefix, &inside));
}

static void read_device(const char *text)
{
    uint8_t id[CONFIG_DEVICE_ID_SIZE];
    struct config_pattern pattern;
    bool is_pattern = config_pattern_parse(text, &pattern);
    if (is_pattern)
        require(pattern.digits <= CONFIG_PATTERN_DIGITS && config_pattern_matches(&pattern, pattern.bytes));
    if (config_device_id_parse(text, id))
        require(is_pattern && pattern.digits == CONFIG_PATTERN_DIGITS && config_pattern_matches(&pattern, id));
}

static void read_units(const char *text)
{
    uint64_t value;
    uint64_t again;
    mode_t mode;
    bool is_true;
    char written[CONFIG_UNITS_TEXT];
    if (config_units_duration(text, &value) == NULL) {
        config_units_format_duration(value, written);
        require(config_units_duration(written, &again) == NULL && again == value);
    }
    if (config_units_size(text, &value) == NULL && value > 0) {
        config_units_format_size(value, written);
        require(config_units_size(written, &again) == NULL && again == value);
    }
    if (config_units_count(text, &value) == NULL)
        require(strtoull(text, NULL, 10) == value);
    if (config_units_mode(text, &mode) == NULL)
        require(mode <= 0777);
    (void)!config_units_boolean(text, &is_true);
}

static void read_numbers(const char *text)
{
    uint64_t microseconds;
    uint32_t count;
    if (number_parse_seconds(text, &microseconds))
        require(microseconds <= NUMBER_SECONDS_MAX * UINT64_C(1000000));
    if (number_parse_count(text, 3, 1000, &count))
        require(count >= 3 && count <= 1000 && strtoul(text, NULL, 10) == count);
}

static void read_date(const char *text)
{
    int32_t days;
    if (registry_date_parse(text, strlen(text), &days))
        require(days >= 0 && days <= 2932896); /* 9999-12-31 */
}

static void read_endpoint(const char *text)
{
    struct endpoint endpoint;
    enum endpoint_verdict verdict = endpoint_parse(text, &endpoint);
    if (verdict != ENDPOINT_GOOD) {
        require(endpoint_explain(verdict) != NULL);
        return;
    }
    unsigned long port = strtoul(endpoint.port, NULL, 10);
    require(endpoint.host[0] != '\0' && port >= 1 && port <= 65535);
    require(strlen(endpoint.host) < ENDPOINT_HOST_SIZE && strlen(endpoint.port) < ENDPOINT_PORT_SIZE);
}

static void read_hex(const char *text)
{
    size_t length = strlen(text);
    uint8_t *bytes = malloc(length / 2 + 1);
    char *written = malloc(length + 1);
    require(bytes != NULL && written != NULL);
    if (hex_decode(text, length, bytes)) {
        hex_encode(bytes, length / 2, written);
        for (size_t index = 0; index < length; index++)
            require(hex_digit(written[index]) == hex_digit(text[index]));
    }
    free(bytes);
    free(written);
}

/* Characters of 1 to 4 bytes one after the other, as RFC 3629 has them. */
static void read_utf8(const uint8_t *bytes, size_t size)
{
    size_t at = 0;
    uint32_t point = 0;
    while (at < size) {
        size_t length = utf8_decode(bytes + at, size - at, &point);
        if (length == 0)
            break;
        require(length <= 4 && at + length <= size && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF));
        at += length;
    }
    require(utf8_is_valid(bytes, size) == (at == size));
}

/* No estimate is over what the bytes can hold. */
static void weigh_key(const uint8_t *bytes, size_t size)
{
    static const uint8_t id[CONFIG_DEVICE_ID_SIZE] = {0xDE, 0xAD, 0xBE, 0xEF, 0, 1};
    require(registry_key_strength(bytes, size, NULL) <= size * 8);
    require(registry_key_strength(bytes, size, id) <= size * 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size);
    require(text != NULL);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0] % 10) {
    case 0:
        read_address(text);
        break;
    case 1:
        read_prefix(text);
        break;
    case 2:
        read_device(text);
        break;
    case 3:
        read_units(text);
        break;
    case 4:
        read_numbers(text);
        break;
    case 5:
        read_date(text);
        break;
    case 6:
        read_endpoint(text);
        break;
    case 7:
        read_hex(text);
        break;
    case 8:
        read_utf8(data + 1, size - 1);
        break;
    default:
        weigh_key(data + 1, size - 1);
        break;
    }
    free(text);
    return 0;
}
