"""Rules 13, 14 and 15: what counts as a failed handshake, what it leads to, and what the log says of it."""

import os
import re
import time

import pytest
from harness.identity import Identity, new_identity
from harness.patience import seconds

from attacker import frames
from attacker.device import Silent, gets_in
from failing import fail, is_refused, until_let_in
from ways import ways

SOURCE = "127.91.1.2"
# docs/operations.md, as given to operators.
FAIL2BAN = re.compile(r"^\s*(?:\S+ usmpd\[\d+\]: |warn |<4>)?authentication failed device=\S+ "
                      r"peer=\[?(?P<host>[0-9a-f.:]+?)\]?:\d+ reason=\S+$")
LOCK_AT_ONCE = {"handshake_timeout": "500ms", "limits": {"lockout_after": 1}}
ALWAYS = {"wire": {"udp_cookie": "always"}}


def fail2ban_hosts(gateway) -> list[str]:
    """Hosts that fail2ban would ban, after it has removed the time."""
    matches = (FAIL2BAN.match(re.sub(r"^\S+Z ", "", line)) for line in gateway.log())
    return [match["host"] for match in matches if match]


@ways(transport="udp")
def test_rule_13_wrong_hello_acks_leave_the_handshake(start, wire, transport):
    """Somebody who does not even see the path sends them, in the device's name."""
    identity = new_identity()
    gateway = start(identity)
    device = gateway.device(identity, transport, wire)
    device.challenge()
    for _ in range(7):
        device.send(device.hello_ack(os.urandom(32)))
    device.prove()
    gateway.backend.expect("connected", device=identity.id)


@ways(transport="udp")
def test_rule_13_a_wrong_hello_ack_is_not_answered(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.device(identity, transport, wire)
    device.challenge()
    device.send(device.hello_ack(os.urandom(32)))
    assert {came.type for came in device.drain(0.3)} <= {frames.CHALLENGE, frames.HELLO}


@ways(transport="udp")
def test_rule_13_eight_checks_are_all(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.device(identity, transport, wire)
    device.challenge()
    for _ in range(8):
        device.send(device.hello_ack(os.urandom(32)))
    device.expect_refused()
    assert gets_in(gateway.device(identity, transport, wire))


def proved_failure(gateway, identity: Identity, checks: int) -> None:
    """Over UDP, with a cookie: that many wrong HELLO_ACKs in one handshake."""
    device = gateway.device(identity, "udp", source=SOURCE)
    device.challenge()
    for _ in range(checks):
        device.send(device.hello_ack(os.urandom(32)))
    device.drain(0.1)
    device.close()


def test_rule_13_a_proved_handshake_with_wrong_proofs_counts_once_when_it_ends(start_usmpd):
    identity = new_identity()
    gateway = start_usmpd(identity, config={**ALWAYS, "handshake_timeout": "500ms", "limits": {"lockout_after": 2}})
    proved_failure(gateway, identity, 8)
    gateway.daemon.log.wait_for_count("authentication failed", 1)
    assert not is_refused(gateway, identity, SOURCE, transport="udp")
    for number in (2, 3):
        proved_failure(gateway, identity, 3)
        gateway.daemon.log.wait_for_count("authentication failed", number)
    assert is_refused(gateway, identity, SOURCE, transport="udp")


def test_rule_13_a_right_proof_behind_wrong_ones_is_no_failure(start_usmpd):
    identity = new_identity()
    gateway = start_usmpd(identity, config={**ALWAYS, "handshake_timeout": "500ms", "limits": {"lockout_after": 1}})
    for _ in range(2):
        device = gateway.device(identity, "udp", source=SOURCE)
        device.challenge()
        device.send(device.hello_ack(os.urandom(32)))
        device.prove().bye()
        time.sleep(seconds(0.8))  # what would count, counts when the handshake is over
    assert not is_refused(gateway, identity, SOURCE, transport="udp")


@ways(transport="udp")
def test_rule_13_an_unproved_failure_locks_nobody(start_usmpd, wire, transport):
    identity = new_identity()
    gateway = start_usmpd(identity, config=LOCK_AT_ONCE)
    for _ in range(2):  # after which wire 2 asks for a cookie
        fail(gateway, identity, SOURCE, transport=transport, wire=wire)
    time.sleep(seconds(0.8))  # past the end of the second one
    until_let_in(gateway, identity, SOURCE, 10, transport=transport, wire=wire)
    assert not is_refused(gateway, identity, SOURCE, wire=wire), "locked out over TCP"


@ways(transport="tcp")
def test_rule_14_failures_in_a_row_lock_device_and_address(start, wire, transport):
    guilty, other = new_identity(), new_identity()
    gateway = start(guilty, other)
    fail(gateway, guilty, SOURCE, 4, wire=wire)
    assert not is_refused(gateway, other, SOURCE, wire=wire)
    fail(gateway, guilty, SOURCE, 1, wire=wire)
    assert is_refused(gateway, guilty, SOURCE, wire=wire)
    assert is_refused(gateway, other, SOURCE, wire=wire)
    assert not is_refused(gateway, guilty, "127.91.1.3", wire=wire)


@ways(transport="tcp")
def test_rule_14_with_a_live_session_the_address_has_ten_times_as_many(start, wire, transport):
    live, guilty, other = (new_identity() for _ in range(3))
    gateway = start(live, guilty, other)
    gateway.connected(live, transport, wire, source=SOURCE)
    fail(gateway, guilty, SOURCE, 5, wire=wire)
    assert is_refused(gateway, guilty, SOURCE, wire=wire)
    assert not is_refused(gateway, other, SOURCE, wire=wire), "the neighbour is locked out"
    for _ in range(9):
        fail(gateway, new_identity(), SOURCE, 5, wire=wire)
    assert is_refused(gateway, other, SOURCE, wire=wire), "fifty failures lock nothing"


def test_rule_14_a_completed_handshake_clears_what_its_own_id_contributed(start_usmpd):
    guilty, honest, third = (new_identity() for _ in range(3))
    gateway = start_usmpd(guilty, honest, third)
    fail(gateway, guilty, SOURCE, 4)
    assert not is_refused(gateway, honest, SOURCE)  # it clears nothing of the other's
    fail(gateway, new_identity(), SOURCE)
    assert is_refused(gateway, third, SOURCE)


def test_rule_14_a_completed_handshake_clears_its_own_failures(start_usmpd):
    identity = new_identity()
    gateway = start_usmpd(identity)
    for _ in range(3):
        fail(gateway, identity, SOURCE, 4)
        assert not is_refused(gateway, identity, SOURCE)


def test_rule_14_attempts_do_not_prolong_a_lockout_and_then_the_count_starts_at_0(start_usmpd):
    identity = new_identity()
    gateway = start_usmpd(identity, config={"limits": {"lockout": "3s"}})
    fail(gateway, identity, SOURCE, 5)
    begun = time.monotonic()
    while time.monotonic() < begun + seconds(2):
        assert is_refused(gateway, identity, SOURCE)
        time.sleep(0.05)
    until_let_in(gateway, identity, SOURCE, 3)
    fail(gateway, identity, SOURCE, 4)
    assert not is_refused(gateway, identity, SOURCE)


@ways(transport="udp")
def test_rule_14_a_locked_address_gets_no_answer_over_udp(start_usmpd, wire, transport):
    guilty, other = new_identity(), new_identity()
    gateway = start_usmpd(guilty, other)
    fail(gateway, guilty, SOURCE, 5)
    device = gateway.device(other, transport, wire, source=SOURCE)
    device.send(device.hello())
    with pytest.raises(Silent):
        device.receive(seconds(0.7))


def test_rule_15_a_proved_failure_has_a_line_for_fail2ban(start_usmpd):
    identity = new_identity()
    gateway = start_usmpd(identity, config={**ALWAYS, "handshake_timeout": "500ms", "log": {"format": "text"}})
    fail(gateway, identity, SOURCE)
    gateway.daemon.log.wait_for_count("authentication failed", 1)
    fail(gateway, identity, "127.91.1.3", transport="udp")
    gateway.daemon.log.wait_for_count("authentication failed", 2)
    assert fail2ban_hosts(gateway) == [SOURCE, "127.91.1.3"]


@ways(transport="udp")
def test_rule_15_an_unproved_failure_has_none_but_is_counted(start_usmpd, wire, transport):
    """Otherwise forged addresses would have anybody banned."""
    identity = new_identity()
    gateway = start_usmpd(identity, config={"handshake_timeout": "300ms", "log": {"level": "debug", "format": "text"}})
    for host in range(3):
        fail(gateway, identity, f"127.91.2.{host + 1}", transport=transport, wire=wire)
    gateway.daemon.log.wait_for(lambda line: "not proved" in line, timeout=seconds(75))
    assert fail2ban_hosts(gateway) == []
    assert not [line for line in gateway.log() if "127.91.2." in line]
