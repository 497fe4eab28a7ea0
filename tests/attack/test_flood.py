"""10,000 forged HELLOs a second, while devices of both wires connect."""

import time

import pytest
from harness.identity import new_identity

from attacker.device import Closed, Silent
from attacker.flood import Flood
from honest import Fleet
from lengths import FLAT, LINES, SECONDS, SEED
from targets.memory import Growth

RATE = 10000
NEWCOMERS = 3  # at a time, each way


def come_and_go(gateway, identity, wire: int, transport: str) -> str:
    """One device connects within the patience of devices, sends, and leaves."""
    deadline = time.monotonic() + 10  # what later SDKs give a handshake, tries included
    trouble = ""
    while time.monotonic() < deadline:
        device = None
        try:
            device = gateway.device(identity, transport, wire, patience=deadline - time.monotonic())
            device.connect()
            device.say(b"message 0")
            return ""
        except (Closed, Silent) as failure:
            trouble = repr(failure)
        finally:
            if device is not None:
                device.close()
    return trouble or "no time left"


@pytest.mark.heavy
@pytest.mark.parametrize("known", [True, False], ids=["ids of devices", "unknown ids"])
def test_forged_hellos_for_a_while(start, namespace, known):
    ways = [(2, "tcp"), (2, "udp"), (1, "tcp"), (1, "udp")]
    fleet = {way: new_identity() for way in ways}
    newcomers = [(way, new_identity()) for way in ways for _ in range(NEWCOMERS)]
    gateway = start(*fleet.values(), *(identity for _, identity in newcomers))
    ways = [way for way in ways if way[0] in gateway.wires]
    fleet = {way: identity for way, identity in fleet.items() if way in ways}
    newcomers = [(way, identity) for way, identity in newcomers if way in ways]
    ids = [identity.raw for _, identity in newcomers] + [identity.raw for identity in fleet.values()]
    growth = Growth(gateway.pid)
    locked_out: list[str] = []
    came = {identity.id: 0 for _, identity in newcomers}
    with Fleet(gateway, fleet) as honest, Flood(gateway.address("udp"), RATE, SEED, ids if known else []) as flood:
        end = time.monotonic() + SECONDS
        time.sleep(1)
        while time.monotonic() < end:
            for (wire, transport), identity in newcomers:
                if came[identity.id] > 0 and time.monotonic() >= end:
                    break
                trouble = come_and_go(gateway, identity, wire, transport)
                if trouble:
                    locked_out.append(f"{transport} wire {wire}: {trouble}")
                came[identity.id] += not trouble
                growth.sample()
                time.sleep(0.2)  # no device comes more often than one may
    assert flood.rate > RATE / 2, f"only {flood.rate:.0f} a second"
    # One in ten may have to come once more: devices do, and the machine that floods is the one that answers.
    assert 10 * len(locked_out) <= len(came), f"{len(locked_out)} of {len(came)}: {locked_out}"
    assert all(came.values()), f"somebody never got in: {locked_out}"
    honest.expect_unharmed()
    assert growth.after_warming_up() < FLAT, f"{growth.after_warming_up()} bytes more"
    assert len(gateway.log()) < LINES + 2 * sum(came.values()), f"{len(gateway.log())} lines in the log"
