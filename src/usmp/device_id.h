/* A device id as people write it: 12 hex digits in any case, with `:` between all bytes or between none. */
#ifndef USMP_DEVICE_ID_H
#define USMP_DEVICE_ID_H

#include <stdbool.h>
#include <stdint.h>

#include <usmp/wire.h>

/* False, and `id` untouched, when `text` is anything else. */
bool device_id_parse(const char *text, uint8_t id[USMP_DEVICE_ID_SIZE]) __attribute__((warn_unused_result));

#endif
