/* The CRC of a frame: polynomial 0xA001 (0x8005 reflected), docs/protocol.md section 1. Guards against accidents. */
#ifndef PROTO_CRC16_H
#define PROTO_CRC16_H

#include <stddef.h>
#include <stdint.h>

#define USMP_CRC16_INITIAL 0xFFFFu

/* Continues `crc` (USMP_CRC16_INITIAL at the beginning) over further bytes. */
uint16_t usmp_crc16(uint16_t crc, const uint8_t *bytes, size_t size);

#endif
