"""The backend of a trial: it comes back when its connection ends, and remembers all it has heard."""

import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Ear:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket: socket.socket | None = None
        self._rest = b""
        self.heard: list[dict[str, Any]] = []

    def connect(self, timeout: float) -> bool:
        """Whether it was greeted."""
        self.close()
        try:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(timeout)
            self._socket.connect(str(self._path))
            return self._next(time.monotonic() + timeout)["type"] == "hello"
        except (OSError, EOFError):
            self.close()
            return False

    def _next(self, until: float) -> dict[str, Any]:
        while b"\n" not in self._rest:
            self._socket.settimeout(max(0.001, until - time.monotonic()))
            part = self._socket.recv(65536)
            if not part:
                raise EOFError
            self._rest += part
        line, self._rest = self._rest.split(b"\n", 1)
        self.heard.append(json.loads(line))
        return self.heard[-1]

    def hear(self, wanted: Callable[[dict[str, Any]], bool], timeout: float,
             worthwhile: Callable[[], bool] = lambda: True) -> bool:
        """Whether a line that is `wanted` has been heard, or is heard while it is `worthwhile` to wait."""
        until = time.monotonic() + timeout
        if any(map(wanted, self.heard)):
            return True
        while time.monotonic() < until and worthwhile():
            try:
                if self._socket is None:
                    time.sleep(0.02)
                    self.connect(1)
                elif wanted(self._next(min(until, time.monotonic() + 0.1))):
                    return True
            except (OSError, EOFError) as failure:
                if not isinstance(failure, TimeoutError):
                    self.close()
        return False

    def hear_text(self, text: str, timeout: float, worthwhile: Callable[[], bool] = lambda: True) -> bool:
        return self.hear(lambda line: line.get("text") == text, timeout, worthwhile)

    def ask(self, timeout: float, **command: Any) -> bool:
        """Whether the command was answered with anything."""
        try:
            self._socket.sendall(json.dumps(command).encode() + b"\n")
        except (OSError, AttributeError):
            return False
        return self.hear(lambda line: line.get("ref") == command["ref"], timeout)

    def close(self) -> None:
        if self._socket is not None:
            try:
                # A process that another thread is about to start may have a copy of it for a moment.
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it never came to a connection, or usmpd was first
            self._socket.close()
        self._socket, self._rest = None, b""
