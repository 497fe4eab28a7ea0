"""TCP connections that drip (slow loris), while devices connect."""

import resource
import socket
import time

import pytest
from harness.identity import new_identity
from harness.patience import seconds

from attacker import frames
from attacker.device import gets_in
from attacker.forger import hello
from honest import Fleet
from lengths import FLAT, LINES, SECONDS
from targets.memory import Growth
from ways import ways

CROWD = 2000


@pytest.fixture
def descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(CROWD + 1000, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Drips:
    """Connections that send a HELLO, or a proof behind it, byte by byte, and come again when they are closed."""

    def __init__(self, gateway, wire: int, identity) -> None:
        self._address = gateway.address("tcp")
        self._text = hello(wire, identity.raw) + frames.frame(wire, frames.HELLO_ACK, 2, bytes(32))
        self._open: list[tuple[socket.socket, int]] = []
        self._number = 0

    def round(self) -> None:
        """One byte of each; as many new connections as are missing, but at most 200."""
        going_on = []
        for opened, position in self._open:
            try:
                opened.send(self._text[position:position + 1])
                if position + 1 < len(self._text):
                    going_on.append((opened, position + 1))
                    continue
            except OSError:
                pass
            opened.close()
        for _ in range(min(200, CROWD - len(going_on))):
            self._number += 1
            opened = socket.socket()
            opened.setblocking(False)
            opened.bind((f"127.{100 + self._number % 20}.{self._number >> 8 & 255}.{self._number & 255 or 1}", 0))
            try:
                opened.connect(self._address)
            except BlockingIOError:
                pass
            going_on.append((opened, 0))
        self._open = going_on

    def close(self) -> None:
        for opened, _ in self._open:
            opened.close()


@pytest.mark.heavy
@ways(transport="tcp")
def test_slow_connections_for_a_while(start, descriptors, wire, transport):
    fleet, newcomers = {(wire, way): new_identity() for way in ("tcp", "udp")}, [new_identity() for _ in range(100)]
    gateway = start(*fleet.values(), *newcomers)
    growth = Growth(gateway.pid)
    let_in, tries = 0, 0
    with Fleet(gateway, fleet) as honest:
        drips = Drips(gateway, wire, newcomers[0])
        end = time.monotonic() + SECONDS / 2
        while time.monotonic() < end:
            drips.round()
            growth.sample()
            device = gateway.device(newcomers[tries % len(newcomers)], transport, wire)
            tries += 1
            let_in += gets_in(device)
            device.close()
            time.sleep(0.05)
        drips.close()
    honest.expect_unharmed()
    # A device tries again at once, and then after some seconds.
    assert tries >= 3 and let_in >= 0.8 * tries, f"{let_in} of {tries} tries"
    assert growth.after_warming_up() < FLAT, f"{growth.after_warming_up()} bytes more"
    assert len(gateway.log()) < LINES


@pytest.mark.heavy
def test_slow_connections_of_one_address_do_not_concern_others(start, descriptors):
    identities = [new_identity() for _ in range(10)]
    gateway = start(*identities)
    slow = []
    for _ in range(1500):
        opened = socket.socket()
        opened.setblocking(False)
        opened.bind(("127.99.1.1", 0))
        try:
            opened.connect(gateway.address("tcp"))
        except BlockingIOError:
            pass
        slow.append(opened)
    for opened in slow:
        try:
            opened.send(b"\xcd")
        except OSError:
            pass
    for host, identity in enumerate(identities):
        assert gets_in(gateway.device(identity, source=f"127.99.2.{host + 1}", patience=seconds(4))), host
    for opened in slow:
        opened.close()
