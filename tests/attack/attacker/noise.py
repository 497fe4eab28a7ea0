"""Frames that are wrong in every way that chance finds: random, mutated, truncated, replayed, spliced."""

import random
import struct
from collections.abc import Callable

from . import frames


class Noise:
    """Made from recorded frames, by a seed."""

    def __init__(self, seed: int, recorded: list[bytes]) -> None:
        self._draw = random.Random(seed)
        self._recorded = recorded
        self._ways: list[Callable[[], bytes]] = [
            self._random, self._header, self._replayed, self._mutated, self._mutated_with_crc, self._truncated,
            self._extended, self._spliced, self._utack, self._lying]

    def next(self) -> bytes:
        return self._draw.choice(self._ways)()

    def _bytes(self, most: int) -> bytes:
        return self._draw.randbytes(self._draw.randint(0, most))

    def _random(self) -> bytes:
        return self._bytes(600)

    def _header(self) -> bytes:
        return frames.frame(self._draw.choice((1, 2, 2, 3)), self._draw.randrange(14), self._draw.choice(
            (0, 1, 2, 0x7FFFFFFF, 0xFFFFFFFF, self._draw.getrandbits(32))), self._bytes(480))

    def _replayed(self) -> bytes:
        return self._draw.choice(self._recorded)

    def _mutated(self) -> bytes:
        data = bytearray(self._replayed())
        for _ in range(self._draw.randint(1, 4)):
            data[self._draw.randrange(len(data))] = self._draw.getrandbits(8)
        return bytes(data)

    def _mutated_with_crc(self) -> bytes:
        data = self._mutated()
        if len(data) < frames.HEADER_SIZE:
            return data
        return data[:10] + struct.pack("<H", frames.crc16(data[:10] + data[12:])) + data[12:]

    def _truncated(self) -> bytes:
        data = self._replayed()
        return data[:self._draw.randrange(len(data))]

    def _extended(self) -> bytes:
        return self._replayed() + self._bytes(40)

    def _spliced(self) -> bytes:
        one, two = self._replayed(), self._replayed()
        return one[:self._draw.randrange(len(one))] + two[self._draw.randrange(len(two)):]

    def _utack(self) -> bytes:
        return frames.plain_utack(self._draw.randrange(14), self._draw.randrange(8)) + self._bytes(10)

    def _lying(self) -> bytes:
        return frames.frame(2, self._draw.randrange(12), 0, self._bytes(100), length=self._draw.getrandbits(16))
