"""A device's id and key, and how a registry writes them down."""

import dataclasses
import itertools
import os

_numbers = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Identity:
    number: int
    psk: bytes

    @property
    def raw(self) -> bytes:
        return bytes.fromhex("deadbe") + self.number.to_bytes(3, "big")

    @property
    def id(self) -> str:
        """As usmpd prints it."""
        return self.raw.hex(":")

    def entry(self, **settings: object) -> dict[str, object]:
        """The registry's entry for it."""
        return {"psk_hex": self.psk.hex(), **settings}


def new_identity(psk: bytes | None = None) -> Identity:
    return Identity(next(_numbers), os.urandom(32) if psk is None else psk)
