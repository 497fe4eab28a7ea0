"""Lines that another process writes, read by a thread, waited for by the test."""

import threading
from collections.abc import Callable
from typing import BinaryIO

from .patience import USUAL


class Lines:
    """Collects all lines of `stream` until it ends. Any thread may wait; the lines stay."""

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._ended = False
        threading.Thread(target=self._read, name=name, daemon=True).start()

    def _read(self) -> None:
        for line in self._stream:
            with self._changed:
                self._lines.append(line.decode(errors="backslashreplace").rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def all(self) -> list[str]:
        with self._changed:
            return list(self._lines)

    def matching(self, predicate: Callable[[str], bool]) -> list[str]:
        return [line for line in self.all() if predicate(line)]

    def wait_for(self, predicate: Callable[[str], bool], timeout: float = USUAL) -> str:
        """The first line, from the beginning on, for which `predicate` holds."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or any(map(predicate, self._lines)), timeout)
            found = next(filter(predicate, self._lines), None)
            assert found is not None, "the line waited for did not come; there is:\n" + "\n".join(self._lines)
            return found

    def wait_for_count(self, text: str, count: int, timeout: float = USUAL) -> None:
        """Waits until `text` has been in `count` lines."""
        with self._changed:
            came = self._changed.wait_for(lambda: sum(text in line for line in self._lines) >= count, timeout)
            assert came, f"not {count} lines with {text!r}:\n" + "\n".join(self._lines)

    def wait_for_end(self, timeout: float = USUAL) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._ended, timeout), "the stream did not end"
