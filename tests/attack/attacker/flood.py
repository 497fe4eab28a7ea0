"""Forged HELLOs in the background: the program forger.py, for as long as a `with` lasts."""

import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from harness.patience import USUAL

FORGER = Path(__file__).resolve().parent / "forger.py"


class Flood:
    def __init__(self, gateway: tuple[str, int], rate: int, seed: int = 1, ids: list[bytes] = []) -> None:
        self._arguments = [gateway[0], str(gateway[1]), str(rate), str(seed), *(id.hex() for id in ids)]
        self.sent = 0
        self.rate = 0.0

    def __enter__(self) -> "Flood":
        self._process = subprocess.Popen([sys.executable, "-B", str(FORGER), *self._arguments], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        self._begun = time.monotonic()
        return self

    def __exit__(self, type: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        lasted = time.monotonic() - self._begun
        out, _ = self._process.communicate(input="\n", timeout=USUAL)
        self.sent = int(out)
        self.rate = self.sent / lasted
