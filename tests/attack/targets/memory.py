"""How much memory a process has, and whether that stays as it is."""

import re
import time
from pathlib import Path


def resident(pid: int) -> int:
    """Bytes of its own: what it shares with others (libraries) does not count."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(size) << 10 for size in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+) kB$", text, re.M))


class Growth:
    """Samples taken while something happens; the first part of the time, in which tables fill, does not count."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._samples: list[tuple[float, int]] = []

    def sample(self) -> None:
        self._samples.append((time.monotonic(), resident(self._pid)))

    def after_warming_up(self) -> int:
        """Bytes that the last sample is above the highest of the first half."""
        begun, ended = self._samples[0][0], self._samples[-1][0]
        early = [size for at, size in self._samples if at <= begun + (ended - begun) / 2]
        return max(0, self._samples[-1][1] - max(early))

    def in_all(self) -> int:
        return self._samples[-1][1] - self._samples[0][1]
