#!/usr/bin/env python3
"""What 10,000 forged HELLOs a second do to the messages of sessions that are there: p99, as a ratio in one run.

Three phases take turns, so that what else the machine does falls on all of them: no flood; the same flood at a port
that nobody reads, which costs the machine what it costs to send it; the flood at usmpd. A message is measured from the
device's send to its line on the backend socket, one at a time, from each kind of device in turn.
"""

import argparse
import json
import socket
import statistics
import sys
import time
from contextlib import nullcontext
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent / "interop")]

from harness.identity import new_identity  # noqa: E402

from attacker import frames  # noqa: E402
from attacker.flood import Flood  # noqa: E402
from targets.usmpd import Usmpd  # noqa: E402

RATE = 10000
WAYS = [(2, "udp"), (2, "tcp"), (1, "udp"), (1, "tcp")]
TARGET = 5.0


class Sessions:
    """Devices of all kinds, and the backend socket, in one thread."""

    def __init__(self, gateway: Usmpd, identities: list) -> None:
        self.devices = [gateway.device(identity, transport, wire).connect()
                        for identity, (wire, transport) in zip(identities, WAYS * (len(identities) // len(WAYS)))]
        self._backend = socket.socket(socket.AF_UNIX)
        self._backend.connect(str(gateway.daemon.folder / "backend.sock"))
        self._lines = self._backend.makefile("rb")
        for _ in range(len(self.devices) + 1):
            self._lines.readline()  # the greeting, and `connected` of each
        self._number = 0

    def once(self, device) -> float:
        self._number += 1
        text = f"message {self._number}"
        begun = time.perf_counter()
        sealed = device.seal(frames.DATA, text.encode())
        device.send(sealed)
        while json.loads(self._lines.readline()).get("text") != text:
            pass
        lasted = time.perf_counter() - begun
        if device.is_udp:
            device.wait(lambda came: came.is_utack and came.seq == device.seq - 1)
        device.got.clear()
        return lasted

    def phase(self, seconds: float) -> list[float]:
        samples, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            samples += [self.once(device) for device in self.devices]
            time.sleep(0.002)
        return samples


def show(name: str, samples: list[float]) -> float:
    cuts = statistics.quantiles(samples, n=1000)
    print(f"{name:28}{len(samples):8} messages  p50 {cuts[499] * 1e6:7.0f} µs  p99 {cuts[989] * 1e6:7.0f} µs  "
          f"p99.9 {cuts[998] * 1e6:7.0f} µs")
    return cuts[989]


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/attack/run --latency BUILD_DIR --", description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--phase", type=float, default=10, metavar="SECONDS")
    options = parser.parse_args()
    identities = [new_identity() for _ in range(20)]
    gateway = Usmpd(tuple(identities), {}, {}, {}, {})
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.1", 0))
    ids = [identity.raw for identity in identities]
    try:
        sessions = Sessions(gateway, identities)
        sessions.phase(2)
        found: dict[str, list[float]] = {"no flood": [], "the flood elsewhere": [], "the flood at usmpd": []}
        rates = []
        for number in range(options.rounds):
            for name, samples in found.items():
                target = sink.getsockname() if "elsewhere" in name else gateway.address("udp")
                with nullcontext() if name == "no flood" else Flood(target, RATE, number, ids) as flood:
                    time.sleep(1)
                    samples += sessions.phase(options.phase)
                if flood:
                    rates.append(flood.rate)
    finally:
        gateway.stop()
    p99 = {name: show(name, samples) for name, samples in found.items()}
    ratio = p99["the flood at usmpd"] / p99["no flood"]
    of_its_own = p99["the flood at usmpd"] / p99["the flood elsewhere"]
    print(f"floods of {min(rates):.0f} to {max(rates):.0f} HELLOs a second")
    print(f"p99 under the flood: {ratio:.1f} times that without one ({of_its_own:.1f} times that with one elsewhere); "
          f"the aim is {TARGET:g} times")
    return int(ratio > TARGET)


if __name__ == "__main__":
    sys.exit(main())
