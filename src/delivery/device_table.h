/* What there is for a device, found by its id: pointers to objects whose first member is `uint8_t device[6]`.
 *
 * The objects are their owners'; one object a device. The table grows as needed and does not shrink. It is keyed
 * (docs/security.md rule 25). One thread.
 */
#ifndef DELIVERY_DEVICE_TABLE_H
#define DELIVERY_DEVICE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVICE_TABLE_KEY_SIZE 16u

struct device_table {
    void **places;   /* open addressing, at most three quarters full */
    size_t capacity; /* a power of two */
    size_t count;
    uint8_t key[DEVICE_TABLE_KEY_SIZE];
};

/* `key`: random bytes of this process. False: memory is short. */
bool device_table_open(struct device_table *table, const uint8_t key[static DEVICE_TABLE_KEY_SIZE])
    __attribute__((warn_unused_result));
/* The objects are not touched. Also on an all-zero struct. */
void device_table_close(struct device_table *table);

/* NULL: there is none. */
void *device_table_find(const struct device_table *table, const uint8_t device[static 6]);

/* Makes sure that one more can be inserted. False: memory is short, nothing has changed. */
bool device_table_reserve(struct device_table *table) __attribute__((warn_unused_result));

/* Needs device_table_reserve() before; the device must have none. */
void device_table_insert(struct device_table *table, void *object);

/* The device must have one. */
void device_table_remove(struct device_table *table, const uint8_t device[static 6]);

#endif
