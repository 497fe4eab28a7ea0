"""A backend: the other end of the daemon's NDJSON socket, which checks whatever comes out of it."""

import base64
import collections
import itertools
import json
import socket
import threading
from pathlib import Path
from typing import Any

from .event_rules import EventRules
from .patience import USUAL

EVENTS = {"connected", "message", "disconnected", "lost"}


class Refused(Exception):
    """The daemon refused the connection; `code` says why."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(f"{answer}")
        self.code = answer["code"]


def payload(message: dict[str, Any]) -> bytes:
    if "text" in message:
        return message["text"].encode()
    return base64.b64decode(message["base64"], validate=True)


def shown(data: bytes) -> str:
    return repr(data) if len(data) <= 40 else f"{data[:20]!r}... ({len(data)} bytes)"


class Backend:
    """One connection. Events must be expected one by one, in order, and none may be left over.

    With `reading=False` nothing is read after the greeting until `start_reading` is called.
    """

    def __init__(self, path: Path, reading: bool = True, encoding: str = "auto") -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(USUAL)
        self._socket.connect(str(path))
        self._stream = self._socket.makefile("rb")
        self.greeting = json.loads(self._stream.readline())
        if self.greeting["type"] == "error":
            assert self._stream.readline() == b"", "something follows the refusal"
            raise Refused(self.greeting)
        self._rules = EventRules(self.greeting, encoding)
        self._references = (f"r{number}" for number in itertools.count(1))
        self._changed = threading.Condition()
        self._events: collections.deque[dict[str, Any]] = collections.deque()
        self._answers: dict[str | None, collections.deque[dict[str, Any]]] = collections.defaultdict(collections.deque)
        self._broken: Exception | None = None
        self._ended = False
        self._reader: threading.Thread | None = None
        if reading:
            self.start_reading()

    def start_reading(self) -> None:
        self._socket.settimeout(None)
        self._reader = threading.Thread(target=self._read, name="backend", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            for line in self._stream:
                self._take(line)
        except Exception as failure:  # told to the test at its next wait
            with self._changed:
                self._broken = failure
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _take(self, line: bytes) -> None:
        if not line.endswith(b"\n"):
            return  # half a line, because the connection ended
        assert len(line) <= 16384, f"a line of {len(line)} bytes"
        fields = json.loads(line.decode("utf-8"))
        with self._changed:
            if fields["type"] in EVENTS:
                self._rules.check(fields)
                self._events.append(fields)
            else:
                self._answers[fields.get("ref")].append(fields)
            self._changed.notify_all()

    def _wait(self, queue: collections.deque[dict[str, Any]], what: str, timeout: float) -> dict[str, Any]:
        with self._changed:
            self._changed.wait_for(lambda: queue or self._ended, timeout)
            if not queue and self._broken is not None:
                raise AssertionError(f"the backend socket broke a rule: {self._broken}") from self._broken
            assert queue, f"no {what} came{' before the end' if self._ended else f' in {timeout:g} s'}"
            return queue.popleft()

    def expect(self, type: str, timeout: float = USUAL, **fields: Any) -> dict[str, Any]:
        """The next event, which must be of this type and have these fields."""
        event = self._wait(self._events, type, timeout)
        wanted = {"type": type, **fields}
        assert {key: event.get(key) for key in wanted} == wanted, f"expected {wanted}, got {event}"
        return event

    def expect_message(self, data: bytes, timeout: float = USUAL, **fields: Any) -> dict[str, Any]:
        event = self.expect("message", timeout, **fields)
        assert payload(event) == data, f"got {shown(payload(event))} in place of {shown(data)}"
        return event

    def next_event(self, timeout: float = USUAL) -> dict[str, Any]:
        return self._wait(self._events, "event", timeout)

    def has_event(self, timeout: float) -> bool:
        """Whether an event is there, or comes within `timeout`."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._events) or self._ended, timeout)

    def expect_nothing(self) -> None:
        """No event has been made since the last one expected: the answer to `list` comes behind them all."""
        self.sessions()
        with self._changed:
            assert not self._events, f"unexpected: {list(self._events)}"

    def expect_end(self, timeout: float = USUAL) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._ended, timeout), "the connection did not end"
            assert not self._events, f"unexpected: {list(self._events)}"

    def write(self, line: bytes) -> None:
        self._socket.sendall(line)

    def post(self, **fields: Any) -> str:
        """Sends a command; its `ref`."""
        reference = fields.setdefault("ref", next(self._references))
        self.write(json.dumps(fields).encode() + b"\n")
        return reference

    def answer(self, reference: str | None, timeout: float = USUAL) -> dict[str, Any]:
        return self._wait(self._answers[reference], f"answer to {reference}", timeout)

    def command(self, **fields: Any) -> dict[str, Any]:
        return self.answer(self.post(**fields))

    def post_send(self, device: str, data: bytes, **fields: Any) -> str:
        return self.post(op="send", device=device, base64=base64.b64encode(data).decode(), **fields)

    def send(self, device: str, data: bytes, **fields: Any) -> dict[str, Any]:
        return self.answer(self.post_send(device, data, **fields))

    def sessions(self) -> list[dict[str, Any]]:
        """What `list` says."""
        reference = self.post(op="list")
        found = []
        while (line := self.answer(reference))["type"] == "session":
            found.append(line)
        assert line == {"type": "listed", "ref": reference, "count": len(found)}, line
        return found

    def shut_writing(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the daemon was first
        if self._reader is not None:
            self._reader.join(USUAL)
        self._stream.close()
        self._socket.close()
        if self._broken is not None:
            raise AssertionError(f"the backend socket broke a rule: {self._broken}") from self._broken
