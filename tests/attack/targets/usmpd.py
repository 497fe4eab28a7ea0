"""The target is usmpd: its daemon, its backend and devices for it."""

import os
from collections.abc import Mapping
from typing import Any

from harness import addresses
from harness.backend import Backend
from harness.daemon import Daemon
from harness.identity import Identity

from attacker.device import Device

from . import memory

# What AddressSanitizer keeps of freed memory would look like a leak.
SANITIZER = {"ASAN_OPTIONS": ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1")))}


class Usmpd:
    """One daemon that knows `identities`. Devices have an address of their own unless the test gives one."""

    wires = (1, 2)

    def __init__(
        self, identities: tuple[Identity, ...], config: Mapping[str, Any], registry: Mapping[str, Any],
        devices: Mapping[str, Any], environment: Mapping[str, str],
    ) -> None:
        known = {identity.id: identity.entry() for identity in identities}
        self.daemon = Daemon({**known, **devices}, config, registry, {**SANITIZER, **environment})
        self.daemon.knows(*identities)
        self.known = known
        self._backend: Backend | None = None
        self._made: list[Device] = []
        self._ended = False

    @property
    def port(self) -> int:
        return self.daemon.port

    def address(self, transport: str) -> tuple[str, int]:
        return addresses.GATEWAY, self.port

    @property
    def pid(self) -> int:
        return self.daemon.process.pid

    @property
    def backend(self) -> Backend:
        """Of this test, from its first use on."""
        if self._backend is None:
            self._backend = self.daemon.backend()
        return self._backend

    def device(
        self, identity: Identity, transport: str = "tcp", wire: int = 2,
        source: str | tuple[str, int] | None = None, at: tuple[str, int] | None = None, **options: Any,
    ) -> Device:
        made = Device(identity, at or self.address(transport), transport, wire, source or addresses.new_source(),
                      **options)
        self._made.append(made)
        return made

    def connected(self, identity: Identity, transport: str = "tcp", wire: int = 2, **options: Any) -> Device:
        """With a session, of which the backend has been told."""
        device = self.device(identity, transport, wire, **options).connect()
        self.backend.expect("connected", device=identity.id, session=device.session.id.hex())
        return device

    def log(self) -> list[str]:
        return self.daemon.log.all()

    def resident(self) -> int:
        return memory.resident(self.pid)

    def is_running(self) -> bool:
        return self.daemon.process.poll() is None or self._ended

    def end(self) -> None:
        """In order, by the test."""
        self.daemon.terminate()
        self.daemon.expect_exit()
        self._ended = True

    def stop(self) -> None:
        try:
            self.daemon.stop()
        finally:
            for device in self._made:
                device.close()
        for line in self.log():
            # docs/security.md rule 25, whatever the test was about.
            assert line.isprintable() and line.isascii(), f"a control character in the log: {line!r}"
