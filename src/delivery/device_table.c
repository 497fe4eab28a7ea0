#include "delivery/device_table.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64u

_Static_assert(DEVICE_TABLE_KEY_SIZE == crypto_shorthash_KEYBYTES, "SipHash takes the key as it is");

bool device_table_open(struct device_table *table, const uint8_t key[static DEVICE_TABLE_KEY_SIZE])
{
    void **places = calloc(FIRST_CAPACITY, sizeof *places);
    if (places == NULL)
        return false;
    *table = (struct device_table){.places = places, .capacity = FIRST_CAPACITY};
    memcpy(table->key, key, DEVICE_TABLE_KEY_SIZE);
    return true;
}

void device_table_close(struct device_table *table)
{
    free(table->places);
    *table = (struct device_table){.places = NULL};
}

static const uint8_t *device_of(const void *object)
{
    return object;
}

/* Where a search for the device begins. */
static size_t home_of(const struct device_table *table, const uint8_t device[static 6])
{
    uint8_t hash[crypto_shorthash_BYTES];
    (void)crypto_shorthash(hash, device, 6, table->key);
    uint64_t number;
    memcpy(&number, hash, sizeof number);
    return (size_t)number & (table->capacity - 1);
}

/* The place of the device, or the empty one where it would go. */
static size_t place_of(const struct device_table *table, const uint8_t device[static 6])
{
    size_t place = home_of(table, device);
    while (table->places[place] != NULL && memcmp(device_of(table->places[place]), device, 6) != 0)
        place = (place + 1) & (table->capacity - 1);
    return place;
}

void *device_table_find(const struct device_table *table, const uint8_t device[static 6])
{
    return table->places[place_of(table, device)];
}

bool device_table_reserve(struct device_table *table)
{
    if ((table->count + 1) * 4 <= table->capacity * 3)
        return true;
    size_t old_capacity = table->capacity;
    void **old_places = table->places;
    void **places = calloc(old_capacity * 2, sizeof *places);
    if (places == NULL)
        return false;
    table->places = places;
    table->capacity = old_capacity * 2;
    for (size_t i = 0; i < old_capacity; i++) {
        if (old_places[i] != NULL)
            places[place_of(table, device_of(old_places[i]))] = old_places[i];
    }
    free(old_places);
    return true;
}

void device_table_insert(struct device_table *table, void *object)
{
    assert((table->count + 1) * 4 <= table->capacity * 3);
    size_t place = place_of(table, device_of(object));
    assert(table->places[place] == NULL);
    table->places[place] = object;
    table->count++;
}

/* Closes the gap, so that no search ends at it early. */
static void empty_place(struct device_table *table, size_t place)
{
    size_t mask = table->capacity - 1;
    size_t gap = place;
    table->places[gap] = NULL;
    for (size_t next = (gap + 1) & mask; table->places[next] != NULL; next = (next + 1) & mask) {
        size_t home = home_of(table, device_of(table->places[next]));
        if (((next - home) & mask) >= ((next - gap) & mask)) {
            table->places[gap] = table->places[next];
            table->places[next] = NULL;
            gap = next;
        }
    }
}

void device_table_remove(struct device_table *table, const uint8_t device[static 6])
{
    size_t place = place_of(table, device);
    assert(table->places[place] != NULL);
    empty_place(table, place);
    table->count--;
}
