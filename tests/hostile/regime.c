#include "hostile/regime.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/random_numbers.h"
#include "gateway/require.h"
#include "gateway/world.h"

#define TEXT_SIZE 100000u
#define DAY INT64_C(86400000000)
#define FIRST_UNTIL_DAY 23u /* of the month in which a world begins, on the day before at 09:00 */

/* What a registry says of an unsteady device. */
enum entry {
    ENTRY_FIRST_KEY,
    ENTRY_SECOND_KEY,
    ENTRY_BOTH_KEYS,
    ENTRY_REVOKED,
    ENTRY_NOT_THERE,
    ENTRY_FIRST_ENDS, /* and the second goes on */
    ENTRY_OTHER_WIRE,
    ENTRIES,
};

static struct regime regimes[REGIME_COUNT];

/* A number that is always the same for the same question. */
static uint64_t fate(unsigned regime, unsigned device, unsigned question)
{
    struct random_numbers numbers = {.state = ((uint64_t)regime << 40) + ((uint64_t)device << 16) + question};
    return random_next(&numbers) >> 8;
}

void regime_device_id(unsigned device, uint8_t id[USMP_DEVICE_ID_SIZE])
{
    const uint8_t bytes[USMP_DEVICE_ID_SIZE] = {2, 0, 0, 0, (uint8_t)(device >> 8), (uint8_t)device};
    memcpy(id, bytes, sizeof bytes);
}

unsigned regime_device_number(const uint8_t id[USMP_DEVICE_ID_SIZE])
{
    uint8_t same[USMP_DEVICE_ID_SIZE];
    unsigned device = (unsigned)id[4] << 8 | id[5];
    regime_device_id(device, same);
    return device < REGIME_DEVICES && memcmp(same, id, sizeof same) == 0 ? device : REGIME_DEVICES;
}

bool regime_is_unsteady(unsigned device)
{
    return device % 4 == 3;
}

unsigned regime_wire_of(unsigned device)
{
    return device % 5 == 0 ? 1 : 2;
}

bool regime_uses_chacha(unsigned device)
{
    return regime_wire_of(device) == 2 && device % 7 == 1;
}

/* Every eighth has the key that those share who are not listed, or listed without one. */
static bool uses_default(unsigned device)
{
    return device % 8 == 6;
}

void regime_psk(unsigned device, unsigned generation, char psk[REGIME_PSK_SIZE])
{
    if (uses_default(device))
        snprintf(psk, REGIME_PSK_SIZE, "what all of them share, 7Gx0 qLw2");
    else
        snprintf(psk, REGIME_PSK_SIZE, "key %u of device %03u, kV8s Zp3r", generation, device);
}

static enum entry entry_of(const struct regime *regime, unsigned device)
{
    if (regime->number == 0)
        return ENTRY_BOTH_KEYS;
    return regime_is_unsteady(device) ? (enum entry)(fate(regime->number, device, 1) % ENTRIES) : ENTRY_FIRST_KEY;
}

static unsigned until_day(const struct regime *regime, unsigned device)
{
    return FIRST_UNTIL_DAY - 1 + (unsigned)(fate(regime->number, device, 2) % 4);
}

static bool has_ended(const struct regime *regime, unsigned device, int64_t wall)
{
    int64_t first = WORLD_WALL - WORLD_WALL % DAY;
    return wall >= first + (int64_t)(until_day(regime, device) - FIRST_UNTIL_DAY + 1) * DAY;
}

bool regime_keeps(const struct regime *regime, unsigned device, unsigned generation, int64_t wall)
{
    switch (entry_of(regime, device)) {
    case ENTRY_FIRST_KEY:
    case ENTRY_OTHER_WIRE:
        return generation == 0;
    case ENTRY_SECOND_KEY:
        return generation == 1;
    case ENTRY_BOTH_KEYS:
        return true;
    case ENTRY_FIRST_ENDS:
        return generation == 1 || !has_ended(regime, device, wall);
    case ENTRY_REVOKED:
    case ENTRY_NOT_THERE:
    case ENTRIES:
        break;
    }
    return false;
}

bool regime_accepts(const struct regime *regime, unsigned device, unsigned generation, int64_t wall)
{
    return entry_of(regime, device) != ENTRY_OTHER_WIRE && regime_keeps(regime, device, generation, wall);
}

static unsigned v1_downlink_of(const struct regime *regime, unsigned device)
{
    return (unsigned)(fate(regime->number, device, 3) % 3);
}

static bool v1_downlink_for_all(const struct regime *regime)
{
    return regime->number % 3 == 1;
}

bool regime_may_send(const struct regime *regime, unsigned device)
{
    if (regime_wire_of(device) == 2)
        return true;
    unsigned entry = entry_of(regime, device) == ENTRY_NOT_THERE ? 2 : v1_downlink_of(regime, device);
    return entry == 0 || (entry == 2 && v1_downlink_for_all(regime));
}

/* The texts. */

static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text + used, TEXT_SIZE - used, format, arguments);
    va_end(arguments);
    require(size >= 0 && (size_t)size < TEXT_SIZE - used);
}

static void append_keys(char *text, const struct regime *regime, unsigned device)
{
    char first[REGIME_PSK_SIZE];
    char second[REGIME_PSK_SIZE];
    regime_psk(device, 0, first);
    regime_psk(device, 1, second);
    switch (entry_of(regime, device)) {
    case ENTRY_FIRST_KEY:
    case ENTRY_OTHER_WIRE:
        append(text, "psk: '%s', ", first);
        break;
    case ENTRY_SECOND_KEY:
        append(text, "psk: '%s', ", second);
        break;
    case ENTRY_BOTH_KEYS:
        append(text, "psk: '%s'}, {psk: '%s', ", first, second);
        break;
    case ENTRY_FIRST_ENDS:
        append(text, "psk: '%s', until: 2026-11-%02u}, {psk: '%s', ", first, until_day(regime, device), second);
        break;
    case ENTRY_REVOKED:
    case ENTRY_NOT_THERE:
    case ENTRIES:
        break;
    }
}

static void append_settings(char *text, const struct regime *regime, unsigned device)
{
    static const char *const downlinks[] = {"true", "false"};
    unsigned downlink = v1_downlink_of(regime, device);
    if (downlink < 2)
        append(text, "v1_downlink: %s, ", downlinks[downlink]);
    if (regime_uses_chacha(device) && fate(regime->number, device, 4) % 2 == 0)
        append(text, "cipher: chacha20-poly1305, ");
    if (fate(regime->number, device, 5) % 6 == 0)
        append(text, "session_timeout: 8s, ");
    if (entry_of(regime, device) == ENTRY_OTHER_WIRE)
        append(text, "wire: [%u], ", 3 - regime_wire_of(device));
}

static void append_device(char *text, const struct regime *regime, unsigned device)
{
    switch (entry_of(regime, device)) {
    case ENTRY_NOT_THERE:
        return;
    case ENTRY_REVOKED:
        append(text, "  '02000000%04x': {revoked: true}\n", device);
        return;
    default:
        break;
    }
    append(text, "  '02000000%04x': [{", device);
    if (!uses_default(device))
        append_keys(text, regime, device);
    append_settings(text, regime, device);
    append(text, "note: ''}]\n");
}

static void write_devices(char *text, const struct regime *regime)
{
    char psk[REGIME_PSK_SIZE];
    text[0] = '\0';
    append(text, "devices:\n");
    for (unsigned device = 0; device < REGIME_DEVICES; device++)
        append_device(text, regime, device);
    regime_psk(6, 0, psk);
    append(text, "default: {psk: '%s'}\n", psk);
}

/* Not below three: a device that restarts at its old port may answer the CHALLENGE of its handshake before, which is wrong
 * and counts. */
static uint64_t lockout_after(const struct regime *regime)
{
    uint64_t drawn = fate(regime->number, 0, 13) % 6;
    return regime->number == 0 ? 5 : drawn < 2 ? 0 : drawn + 1;
}

/* The last regimes are narrow: there is not room for everybody. */
static void write_config(char *text, const struct regime *regime)
{
    static const char *const cookies[] = {"auto", "always"};
    bool is_narrow = regime->number >= REGIME_COUNT - REGIME_COUNT / 4;
    text[0] = '\0';
    append(text, "wire: {udp_cookie: %s, v1_downlink: %s}\n",
           cookies[regime->number == 0 ? 0 : fate(regime->number, 0, 10) % 2],
           v1_downlink_for_all(regime) ? "true" : "false");
    append(text, "handshake_timeout: %" PRIu64 "s\n", regime->number == 0 ? 10 : 4 + fate(regime->number, 0, 11) % 7);
    append(text, "session_timeout: %" PRIu64 "s\n", regime->number == 0 ? 60 : 8 + fate(regime->number, 0, 12) % 30);
    append(text, "limits: {sessions: %u, handshakes: %u, handshakes_per_ip: %u, sessions_per_ip: %u, ",
           is_narrow ? 6 : 2000, is_narrow ? 3 : 500, is_narrow ? 2 : 0, is_narrow ? 3 : 0);
    append(text, "default_psk_sessions: %u, lockout_after: %" PRIu64 ", lockout: %" PRIu64 "s}\n", is_narrow ? 1 : 1000,
           lockout_after(regime), 2 + fate(regime->number, 0, 14) % 9);
}

static void load(struct regime *regime, unsigned number)
{
    static char config[TEXT_SIZE];
    static char devices[TEXT_SIZE];
    *regime = (struct regime){.number = number};
    write_config(config, regime);
    write_devices(devices, regime);
    regime->config = world_load(config, devices, &regime->registry);
}

void regimes_load(void)
{
    for (unsigned number = 0; number < REGIME_COUNT; number++)
        load(&regimes[number], number);
}

void regimes_free(void)
{
    for (unsigned number = 0; number < REGIME_COUNT; number++) {
        registry_release(regimes[number].registry);
        config_free(regimes[number].config);
    }
}

const struct regime *regime_at(unsigned number)
{
    require(number < REGIME_COUNT);
    return &regimes[number];
}
