"""Rule 22: a queue that fills is not one device's alone, and the end of a session always fits in."""

import pytest
from harness.identity import new_identity
from harness.patience import seconds

from attacker import frames
from attacker.device import Closed, Silent, gets_in
from failing import is_refused
from ways import ways

SMALL = {"backends": [{"name": "default", "socket": "backend.sock", "queue": "64KiB", "when_full": "block"}]}
# What the queue takes of such messages: each counts with 256 bytes more.
SIZE, ROOM = 200, 64 * 1024 // (200 + 256)


def fill(device, limit: int) -> int:
    """Sends over UDP until a message is not acknowledged; how many were."""
    for number in range(limit):
        if not device.is_acknowledged(device.seal(frames.DATA, b"%06d" % number + bytes(SIZE - 6)), seconds(0.3)):
            device.seq -= 1
            return number
    return limit


def say_a_little(device, numbers) -> None:
    for number in numbers:
        assert device.is_acknowledged(device.seal(frames.DATA, b"%06d" % number)), f"no room for message {number}"


def drain(gateway) -> dict[str, list[str]]:
    """What a backend that comes now gets, by device."""
    got: dict[str, list[str]] = {}
    while gateway.backend.has_event(0.5):
        event = gateway.backend.next_event()
        got.setdefault(event["device"], []).append(event.get("text", event["type"])[:6])
    return got


@ways(transport="udp")
def test_rule_22_a_greedy_device_leaves_room_for_the_others(start_usmpd, wire, transport):
    greedy, modest = new_identity(), new_identity()
    gateway = start_usmpd(greedy, modest, config=SMALL)
    quiet = gateway.device(modest, transport, wire).connect()
    say_a_little(quiet, range(5))
    loud = gateway.device(greedy, transport, wire).connect()
    taken = fill(loud, 2 * ROOM)
    assert ROOM // 3 <= taken <= ROOM * 6 // 10, f"{taken} of {ROOM}"
    say_a_little(quiet, range(5, 25))
    got = drain(gateway)
    assert got[modest.id] == ["connec", *(f"{number:06d}" for number in range(25))]
    assert got[greedy.id] == ["connec", *(f"{number:06d}" for number in range(taken))]


def test_rule_22_a_greedy_tcp_device_does_too(start_usmpd):
    greedy, modest = new_identity(), new_identity()
    gateway = start_usmpd(greedy, modest, config=SMALL)
    quiet = gateway.device(modest, "udp").connect()
    say_a_little(quiet, range(5))
    loud = gateway.device(greedy, "tcp").connect()
    loud.socket.settimeout(0.3)
    try:
        for number in range(20000):
            loud.socket.sendall(loud.seal(frames.DATA, b"%06d" % number + bytes(SIZE - 6)))
    except TimeoutError:
        pass
    say_a_little(quiet, range(5, 25))


@ways(transport="udp")
def test_rule_22_an_end_always_fits_and_a_beginning_may_not(start_usmpd, wire, transport):
    """A full queue: the session that is there can end, the one that is not is refused, which is no failure."""
    inside, outside = new_identity(), new_identity()
    gateway = start_usmpd(inside, outside, config={**SMALL, "limits": {"lockout_after": 1}})
    device = gateway.device(inside, transport, wire).connect()
    assert fill(device, 2 * ROOM) > ROOM // 2
    while device.is_acknowledged(device.seal(frames.DATA, b"x"), seconds(0.3)):
        pass
    device.seq -= 1
    assert is_refused(gateway, outside, "127.97.1.1")
    assert is_refused(gateway, outside, "127.97.1.1", transport=transport, wire=wire)
    device.deliver(device.seal(frames.BYE))
    got = drain(gateway)
    assert got[inside.id][-1] == "discon" and outside.id not in got
    assert not is_refused(gateway, outside, "127.97.1.1"), "it was counted as a failure"
    assert gets_in(gateway.device(outside, transport, wire, source="127.97.1.1"))
    refused = [line for line in gateway.log() if "refused" in line]
    assert refused and all("authentication failed" not in line for line in gateway.log())


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_rule_22_no_session_ok_without_room(start_usmpd, transport):
    inside, outside = new_identity(), new_identity()
    gateway = start_usmpd(inside, outside, config=SMALL)
    device = gateway.device(inside, "udp").connect()
    fill(device, 2 * ROOM)
    while device.is_acknowledged(device.seal(frames.DATA, b"x"), seconds(0.3)):
        pass
    newcomer = gateway.device(outside, transport)
    try:
        newcomer.challenge()
        newcomer.expect_refused()
    except (Closed, Silent):
        pass
    assert frames.SESSION_OK not in {came.type for came in newcomer.got if not came.is_utack}
