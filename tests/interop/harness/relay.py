"""A UDP path between one device and the daemon: sees every datagram, loses or doubles some, changes its port."""

import dataclasses
import selectors
import socket
import threading
from collections.abc import Callable

from . import addresses
from .patience import USUAL


@dataclasses.dataclass(frozen=True)
class Datagram:
    upward: bool  # from the device to the gateway
    data: bytes

    @property
    def is_utack(self) -> bool:
        return self.data[:2] == b"\xac\xac"

    @property
    def type(self) -> int:
        """The frame's type, or that of the frame it acknowledges."""
        return self.data[2] if self.is_utack else self.data[3]

    def is_frame(self, type: int) -> bool:
        return not self.is_utack and self.type == type

    def acknowledges(self, type: int) -> bool:
        return self.is_utack and self.type == type


class Relay:
    """Devices connect to `port`; the daemon sees them coming from `upstream`."""

    def __init__(self, gateway_port: int) -> None:
        self._gateway = (addresses.GATEWAY, gateway_port)
        self._address = addresses.new_source()
        self._downstream = self._bound(addresses.GATEWAY)
        self.port: int = self._downstream.getsockname()[1]
        self._device: tuple[str, int] | None = None
        self._changed = threading.Condition()
        self._seen: list[Datagram] = []
        self._rules: list[tuple[Callable[[Datagram], bool], int, list[int]]] = []
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_receiver, selectors.EVENT_READ)
        self._selector.register(self._downstream, selectors.EVENT_READ)
        self._open_upstream()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def _bound(self, address: str) -> socket.socket:
        result = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        result.bind((address, 0))
        return result

    def _open_upstream(self) -> None:
        self._upstream = self._bound(self._address)
        self._upstream.connect(self._gateway)
        self._selector.register(self._upstream, selectors.EVENT_READ)

    @property
    def upstream(self) -> tuple[str, int]:
        return self._upstream.getsockname()

    def change_port(self) -> None:
        """What a NAT does that has forgotten the device: from now on it comes from another port."""
        with self._changed:
            self._selector.unregister(self._upstream)
            self._upstream.close()
            self._open_upstream()

    def lose(self, which: Callable[[Datagram], bool], count: int = 1) -> None:
        """The next `count` datagrams for which `which` holds do not arrive."""
        with self._changed:
            self._rules.append((which, 0, [count]))

    def double(self, which: Callable[[Datagram], bool], count: int = 1 << 30) -> None:
        """They arrive twice."""
        with self._changed:
            self._rules.append((which, 2, [count]))

    def seen(self) -> list[Datagram]:
        """Everything that came to the relay, whether or not it went on."""
        with self._changed:
            return list(self._seen)

    def wait_for(self, which: Callable[[Datagram], bool], count: int = 1, timeout: float = USUAL) -> None:
        with self._changed:
            came = self._changed.wait_for(lambda: sum(map(which, self._seen)) >= count, timeout)
            assert came, f"only {sum(map(which, self._seen))} of {count} datagrams came"

    def _run(self) -> None:
        while True:
            ready = [key.fileobj for key, _ in self._selector.select()]
            if self._wake_receiver in ready:
                return
            with self._changed:
                for source in ready:
                    if source.fileno() >= 0:
                        self._pass_on(source)
                self._changed.notify_all()

    def _pass_on(self, source: socket.socket) -> None:
        try:
            data, sender = source.recvfrom(2048)
        except OSError:
            return  # an ICMP message: the other side has no socket any more
        upward = source is self._downstream
        if upward:
            self._device = sender
        datagram = Datagram(upward, data)
        self._seen.append(datagram)
        for _ in range(self._copies(datagram)):
            try:
                if upward:
                    self._upstream.send(data)
                else:
                    self._downstream.sendto(data, self._device)
            except OSError:
                return

    def _copies(self, datagram: Datagram) -> int:
        for which, copies, left in self._rules:
            if left[0] > 0 and which(datagram):
                left[0] -= 1
                return copies
        return 1

    def close(self) -> None:
        self._wake_sender.send(b"x")
        self._thread.join(USUAL)
        for opened in (self._wake_receiver, self._wake_sender, self._upstream, self._downstream):
            opened.close()
