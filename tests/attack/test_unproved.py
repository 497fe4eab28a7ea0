"""Rules 9 and 11: what strangers may take up, and how little they get back."""

import resource
import socket
import time
from pathlib import Path

import pytest
from harness.identity import new_identity
from harness.patience import seconds

from attacker import frames
from attacker.device import Silent, gets_in
from attacker.forger import Answers, hello, sources
from failing import is_refused
from ways import ways

HELLO_SIZE = 50


@pytest.fixture
def answers(namespace):
    opened = Answers()
    yield opened
    opened.close()


def connections(gateway, count: int, source=lambda number: f"127.92.{number >> 8}.{number & 255}",
                at: tuple[str, int] | None = None) -> list[socket.socket]:
    made = []
    address = at or gateway.address("tcp")
    for number in range(1, count + 1):
        opened = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        opened.bind((source(number), 0))
        opened.settimeout(seconds(5))
        try:
            opened.connect(address)
        except OSError:
            pass
        made.append(opened)
    return made


def close(opened: list[socket.socket]) -> None:
    for each in opened:
        each.close()


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@ways()
def test_rule_09_forged_hellos_take_no_place_of_proved_ones(start_usmpd, namespace, forger, wire, transport):
    identity = new_identity()
    gateway = start_usmpd(identity, config={"limits": {"handshakes": 2}})
    for source in sources(1, 150):
        forger(gateway).send(source, hello(wire, identity.raw))
    gateway.connected(identity, transport, wire)


@ways(transport="udp")
def test_rule_09_a_pending_handshake_outlives_many_forged_ones(start, namespace, forger, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.device(identity, transport, wire)
    device.challenge()
    sender = forger(gateway)
    for number, source in enumerate(sources(2, 5000)):
        sender.send(source, hello(wire, identity.raw))
        if number % 100 == 0:
            time.sleep(0.005)
    device.prove()


def test_rule_09_a_tcp_handshake_counts_from_its_hello(start_usmpd):
    """Three pending ones from an address; a fourth is refused, which is no failure; silent ones do not count."""
    identity, source = new_identity(), "127.92.250.1"
    gateway = start_usmpd(identity, config={"limits": {"lockout_after": 1}})
    silent = connections(gateway, 6, lambda number: source)
    pending = [gateway.device(new_identity(), source=source) for _ in range(3)]
    for device in pending:
        device.challenge()
    assert is_refused(gateway, identity, source)
    assert is_refused(gateway, identity, source)
    for device in pending:
        device.close()
    deadline = time.monotonic() + seconds(5)
    while is_refused(gateway, identity, source):
        assert time.monotonic() < deadline, "a refusal by a limit was counted as a failure"
    close(silent)


def test_rule_09_a_connection_without_a_whole_hello_has_3_seconds(start):
    identity = new_identity()
    gateway = start(identity)
    begun = time.monotonic()
    silent = connections(gateway, 20)
    half = gateway.device(identity)
    half.send(half.hello()[:-1])
    for each in silent:
        try:
            assert each.recv(1) == b""
        except ConnectionResetError:
            pass
        except TimeoutError:
            raise AssertionError("it is still open") from None
    half.expect_closed()
    # Not the time-out of handshakes, which is ten.
    assert time.monotonic() - begun < seconds(6)
    close(silent)


def test_rule_09_silent_connections_do_not_keep_devices_out(start, many_descriptors):
    identities = [new_identity() for _ in range(20)]
    gateway = start(*identities)
    silent = connections(gateway, 3000)
    for host, identity in enumerate(identities):
        assert any(gets_in(gateway.device(identity, source=f"127.93.1.{host + 1}")) for _ in range(3)), host
    close(silent)


def test_rule_09_nor_do_those_of_one_ipv6_customer(start_usmpd, ipv6, many_descriptors):
    """One /48, a network of its own for each connection."""
    identities = [new_identity() for _ in range(20)]
    gateway = start_usmpd(*identities)
    here = ("::1", gateway.port)
    silent = connections(gateway, 3000, lambda number: f"2001:db8:5:{number:x}::1", here)
    for host, identity in enumerate(identities):
        device = gateway.device(identity, source=f"2001:db8:{0x100 + host:x}::1", at=here)
        assert gets_in(device), "somebody else's connections keep a device out"
        device.bye()
    close(silent)


def test_rule_09_a_spare_descriptor_answers_when_there_are_no_more(start, many_descriptors):
    live, newcomer = new_identity(), new_identity()
    gateway = start(live, newcomer)
    device = gateway.connected(live)
    used = len(list(Path(f"/proc/{gateway.pid}/fd").iterdir()))
    before = resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(gateway.pid, resource.RLIMIT_NOFILE, (used + 10, before[1]))
    crowd = connections(gateway, 40)
    refused = 0
    for each in crowd:
        each.settimeout(0.05)
        try:
            refused += each.recv(1) == b""
        except ConnectionResetError:
            refused += 1
        except OSError:
            pass
    assert refused > 0, "connections are left waiting"
    device.say(b"goes on")
    gateway.backend.expect_message(b"goes on", device=live.id)
    close(crowd)
    deadline = time.monotonic() + seconds(5)
    while not gets_in(gateway.device(newcomer)):
        assert time.monotonic() < deadline, "nobody gets in any more"
    assert len(gateway.log()) < 60, "the log is flooded"


def replies(device, silence: float) -> list[bytes]:
    return [came.raw for came in device.drain(silence)]


@ways(transport="udp")
def test_rule_11_one_hello_is_answered_with_three_challenges_at_most(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.device(identity, transport, wire)
    device.send(device.hello())
    came = replies(device, seconds(2.5))
    challenges = [raw for raw in came if raw[:2] == frames.MAGIC and raw[3] == frames.CHALLENGE]
    assert len(challenges) <= 3 and len(set(challenges)) <= 1
    assert came, "no answer at all"
    assert sum(map(len, came)) <= 4.7 * HELLO_SIZE


@ways(transport="udp")
def test_rule_11_a_forged_utack_does_not_bring_more(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.device(identity, transport, wire)
    device.send(device.hello())
    for seq in range(3):
        device.send(frames.plain_utack(frames.CHALLENGE, seq))
    assert sum(map(len, replies(device, seconds(2.5)))) <= 4.7 * HELLO_SIZE


@ways(transport="udp")
def test_rule_11_what_unproved_addresses_get_is_bounded_in_all(start, answers, forger, wire, transport):
    """HELLOs from everywhere: 200 CHALLENGEs a second on wire 2. Wire 1 has no cookie, so there these are the repeats."""
    identity = new_identity()
    gateway = start(identity)
    gateway.device(identity, transport, wire).connect()  # it speaks this wire
    sender, count = forger(gateway), 3000
    begun = time.monotonic()
    for number, source in enumerate(sources(wire, count, answers.port)):
        sender.send(source, hello(wire, identity.raw))
        if number % 50 == 0:
            time.sleep(0.01)
    came = answers.take(seconds(2))
    budget = 200 * (time.monotonic() - begun + 1)
    challenges = [raw for raw in came if raw[:2] == frames.MAGIC and raw[3] == frames.CHALLENGE]
    assert came and len(challenges) <= budget + (count if wire == 1 else 0)
    others = sum(map(len, came)) - sum(map(len, challenges))
    assert others <= 0.7 * count * HELLO_SIZE, f"{others} bytes besides CHALLENGEs"
    assert sum(map(len, came)) <= 1.7 * count * HELLO_SIZE + 76 * budget


@ways(wire=2, transport="udp")
def test_rule_11_a_cookie_demand_is_shorter_than_the_hello(start_usmpd, answers, forger, wire, transport):
    identity = new_identity()
    gateway = start_usmpd(identity, config={"wire": {"udp_cookie": "always"}})
    sender = forger(gateway)
    for source in sources(5, 300, answers.port):
        sender.send(source, hello(wire, identity.raw))
        time.sleep(0.0005)
    came = answers.take(seconds(1))
    assert {raw[3] for raw in came if raw[:2] == frames.MAGIC} == {frames.HELLO_RETRY}
    assert 0 < sum(map(len, came)) <= 0.7 * 300 * HELLO_SIZE


@ways(transport="udp")
def test_rule_11_many_hellos_of_one_address_bring_1_7_times_their_bytes(start, wire, transport):
    """A device that is on purpose restarted all the time: a new public key in each HELLO."""
    identity = new_identity()
    gateway = start(identity)
    device = gateway.device(identity, transport, wire)
    count = 600
    for _ in range(count):
        device.send(hello(wire, identity.raw))
        time.sleep(0.0005)
    assert sum(map(len, replies(device, seconds(2)))) <= 1.7 * count * HELLO_SIZE


@pytest.mark.parametrize("type", [frames.HELLO_ACK, frames.DATA, frames.BYE, frames.REKEY])
def test_rule_11_nothing_else_is_answered(start, type):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.device(identity, "udp")
    for seq in range(20):
        device.send(frames.frame(2, type, seq, bytes(32)))
        device.send(frames.plain_utack(type, seq))
    with pytest.raises(Silent):
        device.receive(seconds(0.5))
