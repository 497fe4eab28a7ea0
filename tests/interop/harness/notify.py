"""The service manager's end of sd_notify: what the daemon says of its own state."""

import socket
import threading
from pathlib import Path

from .patience import USUAL


class NotifySocket:
    """A NOTIFY_SOCKET. Messages are kept in order; each `expect` goes on from the one before."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._changed = threading.Condition()
        self._fields: list[str] = []
        self._seen = 0
        threading.Thread(target=self._read, name="notify", daemon=True).start()

    def _read(self) -> None:
        while text := self._socket.recv(4096).decode():
            with self._changed:
                self._fields += text.splitlines()
                self._changed.notify_all()

    def expect(self, field: str, timeout: float = USUAL) -> None:
        """Waits for `field`, e.g. READY=1, among what has not been passed over yet."""
        with self._changed:
            found = self._changed.wait_for(lambda: field in self._fields[self._seen:], timeout)
            assert found, f"{field} was not notified; after what is known came {self._fields[self._seen:]}"
            self._seen = self._fields.index(field, self._seen) + 1

    def close(self) -> None:
        # An empty datagram ends the thread; closing alone would leave it in recv().
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", self._socket.getsockname())
