"""Frames and UTACKs as docs/protocol.md sections 1 and 4 have them. Nothing is checked that an attacker would not check."""

import dataclasses
import struct

HELLO, CHALLENGE, HELLO_ACK, SESSION_OK, DATA, PING, PONG, BYE, DATA_FRAG, HELLO_RETRY, REKEY = range(1, 12)
MAGIC = b"\xcd\xab"
ACK_MAGIC = b"\xac\xac"
HEADER_SIZE = 12
MAX_PAYLOAD = 480
MAX_TEXT = 452


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ 0xA001 if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


_CRC_TABLE = _crc_table()


def crc16(data: bytes, crc: int = 0xFFFF) -> int:
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def header(wire: int, type: int, seq: int, length: int) -> bytes:
    """Without the CRC: what session frames have as additional data."""
    return struct.pack("<2sBBIH", MAGIC, wire, type, seq & 0xFFFFFFFF, length)


def frame(wire: int, type: int, seq: int, payload: bytes = b"", length: int | None = None) -> bytes:
    """`length` may lie."""
    head = header(wire, type, seq, len(payload) if length is None else length)
    return head + struct.pack("<H", crc16(payload, crc16(head))) + payload


def plain_utack(type: int, seq: int) -> bytes:
    """Those 7 bytes that acknowledge a frame of the handshake, or any frame on wire 1."""
    return ACK_MAGIC + struct.pack("<BI", type, seq)


@dataclasses.dataclass(frozen=True)
class Received:
    """A frame, or with `is_utack` an acknowledgement of one, whose type and seq it then has."""

    raw: bytes
    is_utack: bool
    type: int
    seq: int
    payload: bytes

    @property
    def is_encrypted(self) -> bool:
        return not self.is_utack and self.type >= DATA


def parse(raw: bytes) -> Received:
    if raw[:2] == ACK_MAGIC:
        type, seq = struct.unpack_from("<BI", raw, 2)
        return Received(raw, True, type, seq, raw[7:])
    assert raw[:2] == MAGIC and len(raw) >= HEADER_SIZE, f"this is no frame: {raw.hex()}"
    type, seq, length = struct.unpack_from("<BIH", raw, 3)
    assert len(raw) == HEADER_SIZE + length, f"the length is wrong: {raw.hex()}"
    return Received(raw, False, type, seq, raw[HEADER_SIZE:])


def first_size(stream: bytes) -> int | None:
    """The size of the frame that a TCP stream begins with, or None as long as that is not all there."""
    if len(stream) < HEADER_SIZE:
        return None
    size = HEADER_SIZE + struct.unpack_from("<H", stream, 8)[0]
    return size if len(stream) >= size else None
