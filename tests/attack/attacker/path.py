"""The attacker who sees everything: a path for UDP between one device and the gateway, which he owns."""

import random
import selectors
import socket
import threading
from collections.abc import Callable

from harness import addresses
from harness.patience import USUAL

# What becomes of a datagram: the ones that go on in its place. The first argument is whether it goes up.
Hook = Callable[[bool, bytes], list[bytes]]


def passing(up: bool, data: bytes) -> list[bytes]:
    return [data]


def losing(share: float, seed: int) -> Hook:
    """Loses that share of what goes either way."""
    draw = random.Random(seed)
    return lambda up, data: [] if draw.random() < share else [data]


class Path:
    """Devices call `address`; the gateway sees `upstream`. `seen` has what came, with its direction."""

    def __init__(self, gateway: tuple[str, int], hook: Hook = passing) -> None:
        self.hook = hook
        self.seen: list[tuple[bool, bytes]] = []
        self._down = self._bound(addresses.GATEWAY)
        self._up = self._bound(addresses.new_source())
        self._up.connect(gateway)
        self._device: tuple[str, int] | None = None
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="path", daemon=True)
        self._thread.start()

    def _bound(self, address: str) -> socket.socket:
        result = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        result.bind((address, 0))
        return result

    @property
    def address(self) -> tuple[str, int]:
        return self._down.getsockname()

    @property
    def upstream(self) -> tuple[str, int]:
        return self._up.getsockname()

    def inject(self, up: bool, data: bytes) -> None:
        """As if it came from the other side."""
        try:
            if up:
                self._up.send(data)
            elif self._device is not None:
                self._down.sendto(data, self._device)
        except ConnectionRefusedError:
            pass  # the other side has no socket any more

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for each in (self._wake_receiver, self._down, self._up):
                selector.register(each, selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._wake_receiver in ready:
                    return
                for each in ready:
                    self._pass_on(each)

    def _pass_on(self, source: socket.socket) -> None:
        try:
            data, sender = source.recvfrom(2048)
        except ConnectionRefusedError:
            return
        up = source is self._down
        if up:
            self._device = sender
        self.seen.append((up, data))
        for each in self.hook(up, data):
            self.inject(up, each)

    def close(self) -> None:
        self._wake_sender.send(b"x")
        self._thread.join(USUAL)
        for each in (self._wake_receiver, self._wake_sender, self._up, self._down):
            each.close()
