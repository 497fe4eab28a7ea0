#include "device/frame.h"

#include <assert.h>
#include <string.h>

static const uint8_t magic[2] = {0xcd, 0xab};

static uint16_t crc_over(uint16_t crc, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = (uint16_t)((crc >> 1) ^ ((crc & 1u) != 0 ? 0xa001u : 0u));
    }
    return crc;
}

uint16_t strict_crc16(const uint8_t *header, const uint8_t *payload, size_t size)
{
    return crc_over(crc_over(0xffff, header, STRICT_AAD_SIZE), payload, size);
}

static void write_u16(uint8_t *out, size_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
}

static void write_u32(uint8_t *out, uint32_t value)
{
    write_u16(out, value & 0xffffu);
    write_u16(out + 2, value >> 16);
}

static unsigned read_u16(const uint8_t *bytes)
{
    return bytes[0] | (unsigned)bytes[1] << 8;
}

uint32_t strict_read_u32(const uint8_t bytes[4])
{
    return read_u16(bytes) | (uint32_t)read_u16(bytes + 2) << 16;
}

void strict_frame_header(uint8_t version, uint8_t type, uint32_t seq, size_t size, uint8_t out[STRICT_AAD_SIZE])
{
    memcpy(out, magic, sizeof magic);
    out[2] = version;
    out[3] = type;
    write_u32(out + 4, seq);
    write_u16(out + 8, size);
}

size_t strict_frame_write(uint8_t version, uint8_t type, uint32_t seq, const uint8_t *payload, size_t size,
                          uint8_t out[STRICT_FRAME_MAX])
{
    assert(size <= STRICT_PAYLOAD_MAX);
    strict_frame_header(version, type, seq, size, out);
    write_u16(out + STRICT_AAD_SIZE, strict_crc16(out, payload, size));
    memcpy(out + STRICT_HEADER_SIZE, payload, size);
    return STRICT_HEADER_SIZE + size;
}

bool strict_has_magic(const uint8_t *bytes, size_t size)
{
    return size >= STRICT_HEADER_SIZE && memcmp(bytes, magic, sizeof magic) == 0;
}

bool strict_frame_read(const uint8_t *bytes, size_t size, uint8_t version, struct strict_frame *frame)
{
    if (!strict_has_magic(bytes, size) || bytes[2] != version)
        return false;
    size_t payload_size = read_u16(bytes + 8);
    const uint8_t *payload = bytes + STRICT_HEADER_SIZE;
    if (payload_size > STRICT_PAYLOAD_MAX || size != STRICT_HEADER_SIZE + payload_size ||
        strict_crc16(bytes, payload, payload_size) != read_u16(bytes + STRICT_AAD_SIZE))
        return false;
    *frame = (struct strict_frame){.version = version,
                                   .type = bytes[3],
                                   .seq = strict_read_u32(bytes + 4),
                                   .size = payload_size,
                                   .payload = payload,
                                   .header = bytes};
    return true;
}

size_t strict_frame_announced(const uint8_t header[STRICT_HEADER_SIZE])
{
    return STRICT_HEADER_SIZE + read_u16(header + 8);
}

void strict_utack_write(uint8_t type, uint32_t seq, uint8_t out[STRICT_UTACK_PLAIN])
{
    out[0] = 0xac;
    out[1] = 0xac;
    out[2] = type;
    write_u32(out + 3, seq);
}

bool strict_is_utack(const uint8_t *bytes, size_t size)
{
    return size >= STRICT_UTACK_PLAIN && bytes[0] == 0xac && bytes[1] == 0xac;
}
