"""A daemon with one backend and one device: what most tests are about."""

import dataclasses
from typing import Any

from .backend import Backend
from .daemon import Daemon
from .relay import Relay
from .sdk import Device


@dataclasses.dataclass
class Conversation:
    wire: int
    daemon: Daemon
    backend: Backend
    device: Device
    relay: Relay | None = None

    @property
    def id(self) -> str:
        return self.device.identity.id

    @property
    def port(self) -> int:
        """Where the device is to connect to."""
        return self.relay.port if self.relay else self.daemon.port

    @property
    def peer(self) -> str:
        """Where the daemon sees the device, as it prints it."""
        return "%s:%d" % self.relay.upstream if self.relay else self.device.peer

    def connect(self, **options: Any) -> None:
        self.device.connect(self.port, **options)
        self.expect_connected()

    def expect_connected(self) -> None:
        self.backend.expect(
            "connected", device=self.id, session=self.device.session, transport=self.device.transport,
            wire=self.wire, peer=self.peer,
        )

    def expect_message(self, data: bytes) -> None:
        self.backend.expect_message(data, device=self.id, session=self.device.session)

    def expect_disconnected(self, reason: str) -> None:
        self.backend.expect("disconnected", device=self.id, session=self.device.session, reason=reason)

    def send_up(self, *messages: bytes) -> None:
        """Sends to the backend, and sees it arrive."""
        self.device.send(*messages)
        for message in messages:
            self.expect_message(message)

    def send_down(self, data: bytes, **fields: Any) -> None:
        """Sends to the device, and sees it arrive and be confirmed."""
        reference = self.backend.post_send(self.id, data, **fields)
        self.device.expect_message(data)
        by = "device" if self.device.transport == "udp" else "socket"
        assert self.backend.answer(reference) == {"type": "sent", "ref": reference, "by": by}
