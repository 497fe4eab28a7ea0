#include "registry/device_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/settings.h"

#define CAPACITY_MAX (UINT32_C(1) << 30)

/* A power of two that leaves at least a quarter of the slots free, so that a walk ends soon. */
static uint32_t slots_for(uint32_t capacity)
{
    uint32_t slots = 4;
    while (slots / 4 * 3 < capacity) {
        slots *= 2;
    }
    return slots;
}

bool registry_device_table_open(struct registry_device_table *table, uint32_t capacity,
                                const uint8_t hash_key[CRYPTO_SIPHASH_KEY_SIZE])
{
    assert(capacity <= CAPACITY_MAX);
    *table = (struct registry_device_table){.capacity = capacity};
    memcpy(table->hash_key, hash_key, sizeof(table->hash_key));
    uint32_t slots = slots_for(capacity);
    table->devices = calloc(capacity > 0 ? capacity : 1, sizeof(table->devices[0]));
    table->slots = calloc(slots, sizeof(table->slots[0]));
    if (table->devices == NULL || table->slots == NULL) {
        return false;
    }
    table->slot_mask = slots - 1;
    return true;
}

void registry_device_table_close(struct registry_device_table *table)
{
    free(table->devices);
    free(table->slots);
    *table = (struct registry_device_table){0};
}

/* The slot of the device, or the free one where it belongs. */
static uint32_t *slot_of(const struct registry_device_table *table, const uint8_t id[REGISTRY_ID_SIZE])
{
    uint32_t slot = (uint32_t)crypto_siphash(table->hash_key, id, REGISTRY_ID_SIZE) & table->slot_mask;
    while (table->slots[slot] != 0 && memcmp(table->devices[table->slots[slot] - 1].id, id, REGISTRY_ID_SIZE) != 0) {
        slot = (slot + 1) & table->slot_mask;
    }
    return &table->slots[slot];
}

const struct registry_device *registry_device_table_find(const struct registry_device_table *table,
                                                         const uint8_t id[REGISTRY_ID_SIZE])
{
    uint32_t number = *slot_of(table, id);
    return number == 0 ? NULL : &table->devices[number - 1];
}

struct registry_device *registry_device_table_add(struct registry_device_table *table,
                                                  const uint8_t id[REGISTRY_ID_SIZE])
{
    uint32_t *slot = slot_of(table, id);
    assert(*slot == 0 && table->count < table->capacity);
    struct registry_device *device = &table->devices[table->count];
    table->count++;
    *slot = table->count;
    memcpy(device->id, id, REGISTRY_ID_SIZE);
    device->session_timeout = REGISTRY_SESSION_TIMEOUT_GLOBAL;
    return device;
}

size_t registry_device_table_memory(const struct registry_device_table *table)
{
    return table->capacity * sizeof(table->devices[0]) + ((size_t)table->slot_mask + 1) * sizeof(table->slots[0]);
}
