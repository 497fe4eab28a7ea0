"""Rules 16, 17 and 18: what a HELLO in a device's name does to its session."""

import threading
import time

import pytest
from harness.identity import new_identity
from harness.patience import seconds

from attacker import frames
from attacker.device import Closed, Silent
from attacker.forger import hello
from failing import is_refused
from ways import ways

SOURCE = "127.95.1.2"


class Forging:
    """HELLOs in the name of the live session's address and id, fifty a second, while a `with` lasts."""

    def __init__(self, forger, gateway, device) -> None:
        self._forger, self._device = forger(gateway), device
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            self._forger.send(self._device.local, hello(self._device.wire, self._device.identity.raw))

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *failure) -> None:
        self._stop.set()
        self._thread.join()


@ways(transport="udp")
def test_rule_16_forged_hellos_do_not_stop_a_session_upwards(start, namespace, forger, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    with Forging(forger, gateway, device):
        for number in range(20):
            device.say(b"%d" % number)  # within its own repeats
            gateway.backend.expect_message(b"%d" % number, device=identity.id)
            time.sleep(0.1)
    gateway.backend.expect_nothing()


@ways(wire=2, transport="udp")
def test_rule_16_forged_hellos_never_pause_a_wire_2_session(start, namespace, forger, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    with Forging(forger, gateway, device):
        for number in range(20):
            reference = gateway.backend.post_send(identity.id, b"%d" % number)
            assert device.hear(seconds(1)) == b"%d" % number
            assert gateway.backend.answer(reference)["type"] == "sent"
            time.sleep(0.1)


def test_rule_16_they_pause_a_wire_1_session_for_a_moment_once_in_10_seconds(start_usmpd, namespace, forger):
    identity = new_identity()
    gateway = start_usmpd(identity, config={"wire": {"v1_downlink": True}})
    device = gateway.connected(identity, "udp", wire=1)
    waited = []
    with Forging(forger, gateway, device):
        begun = time.monotonic()
        while time.monotonic() - begun < 8:
            sent = time.monotonic()
            reference = gateway.backend.post_send(identity.id, b"still here?")
            device.hear(seconds(4))
            gateway.backend.answer(reference)
            waited.append(time.monotonic() - sent)
            time.sleep(0.1)
    assert sum(waited) < seconds(3), f"it was paused for {sum(waited):.1f} s of 8"


ORDERS = [("tcp", "tcp"), ("udp", "udp"), ("tcp", "udp"), ("udp", "tcp")]
orders = pytest.mark.parametrize(("older", "newer"), ORDERS, ids=[f"{older} and {newer}" for older, newer in ORDERS])


@orders
@pytest.mark.parametrize("wire", [2, 1])
def test_rule_17_an_older_hello_does_not_replace_a_younger_session(start, wire, older, newer):
    identity = new_identity()
    gateway = start(identity)
    first = gateway.device(identity, older, wire)
    first.challenge()
    second = gateway.device(identity, newer, wire)
    second.challenge()
    second.prove()
    gateway.backend.expect("connected", device=identity.id)
    first.expect_refused()
    second.say(b"the newest")
    gateway.backend.expect_message(b"the newest", device=identity.id)
    gateway.backend.expect_nothing()


@orders
@pytest.mark.parametrize("wire", [2, 1])
def test_rule_17_the_younger_replaces_the_older(start_usmpd, wire, older, newer):
    identity = new_identity()
    gateway = start_usmpd(identity)
    gateway.connected(identity, older, wire)
    second = gateway.device(identity, newer, wire).connect()
    gateway.backend.expect("disconnected", reason="replaced")
    gateway.backend.expect("connected", session=second.session.id.hex())
    second.say(b"the newest")
    gateway.backend.expect_message(b"the newest")


@ways()
def test_rule_18_ten_completed_handshakes_at_once_then_one_in_2_seconds(start_usmpd, wire, transport):
    identity, other = new_identity(), new_identity()
    gateway = start_usmpd(identity, other, config={"limits": {"lockout_after": 1}})
    begun = time.monotonic()
    done = 0
    while done < 30:
        device = gateway.device(identity, transport, wire, source=SOURCE)
        device.challenge()
        try:
            device.send(device.hello_ack())
            device.wait_for(frames.SESSION_OK, patience=seconds(1))
        except (Closed, Silent):
            break
        done += 1
    allowed = 10 + int((time.monotonic() - begun) / 2) + 1
    assert 10 <= done <= allowed, f"{done} handshakes in {time.monotonic() - begun:.1f} s"
    assert not is_refused(gateway, other, SOURCE, transport=transport, wire=wire), "it was counted as a failure"
    deadline = time.monotonic() + seconds(12)
    while is_refused(gateway, identity, SOURCE, transport=transport, wire=wire):
        assert time.monotonic() < deadline, "it does not get in any more"
        time.sleep(0.5)
    assert not [line for line in gateway.log() if "authentication failed" in line]
