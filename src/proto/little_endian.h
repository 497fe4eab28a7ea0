/* Integers as they stand on the wire (docs/protocol.md section 1). */
#ifndef PROTO_LITTLE_ENDIAN_H
#define PROTO_LITTLE_ENDIAN_H

#include <stdint.h>

static inline uint16_t usmp_load_le16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t usmp_load_le32(const uint8_t *bytes)
{
    return (uint32_t)usmp_load_le16(bytes) | (uint32_t)usmp_load_le16(bytes + 2) << 16;
}

static inline void usmp_store_le16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static inline void usmp_store_le32(uint8_t *bytes, uint32_t value)
{
    usmp_store_le16(bytes, (uint16_t)value);
    usmp_store_le16(bytes + 2, (uint16_t)(value >> 16));
}

static inline void usmp_store_le64(uint8_t *bytes, uint64_t value)
{
    usmp_store_le32(bytes, (uint32_t)value);
    usmp_store_le32(bytes + 4, (uint32_t)(value >> 32));
}

#endif
