/* What an operator may have written into usmpd.yaml and devices.yaml: a fixed set of configurations with a registry
 * each, between which a story's operator switches with a reload.
 *
 * The texts are made from the same numbers that regime_accepts answers from, so a witness knows whom the gateway may let
 * in without asking the gateway. They are loaded once a process; the stories of all seeds share them.
 *
 * Regime 0 is the one that everybody is let in under, for the end of a story. Devices are numbered; every fourth is
 * unsteady: what the registry says of it differs from one regime to the next (another key, two keys, a day on which its
 * key ends, revoked, not there, another wire). The others are accepted with their first key under all of them.
 */
#ifndef TESTS_HOSTILE_REGIME_H
#define TESTS_HOSTILE_REGIME_H

#include <stdbool.h>
#include <stdint.h>

#include <usmp/wire.h>

#include "config/config.h"
#include "registry/registry.h"

#define REGIME_COUNT 24u
#define REGIME_DEVICES 336u
#define REGIME_GENERATIONS 2u /* keys that a device may have */
#define REGIME_PSK_SIZE 40u   /* with the zero behind it */

struct regime {
    unsigned number;
    struct config *config;
    struct registry *registry;
};

void regimes_load(void);
void regimes_free(void);
const struct regime *regime_at(unsigned number);

void regime_device_id(unsigned device, uint8_t id[USMP_DEVICE_ID_SIZE]);
/* The number of a device, or REGIME_DEVICES if it is none of them. */
unsigned regime_device_number(const uint8_t id[USMP_DEVICE_ID_SIZE]);

bool regime_is_unsteady(unsigned device);
/* The wire that a device was built for. */
unsigned regime_wire_of(unsigned device);
bool regime_uses_chacha(unsigned device);
void regime_psk(unsigned device, unsigned generation, char psk[REGIME_PSK_SIZE]);

/* Whether a handshake of that device with that key may lead to a session; `wall` in microseconds since 1970. */
bool regime_accepts(const struct regime *regime, unsigned device, unsigned generation, int64_t wall);
/* Whether a session that was made with that key may go on after a reload. */
bool regime_keeps(const struct regime *regime, unsigned device, unsigned generation, int64_t wall);
/* Whether anything encrypted may leave to a device whose session begins now. */
bool regime_may_send(const struct regime *regime, unsigned device);

#endif
