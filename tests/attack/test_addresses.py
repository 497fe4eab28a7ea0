"""Rules 7 and 8: what counts as one address, and that sessions come before strangers."""

import pytest
from harness import addresses
from harness.identity import new_identity

from attacker import frames
from attacker.device import Closed, Silent, gets_in
from failing import fail, is_refused
from ways import ways

SOURCE = "127.90.1.2"


def test_rule_07_a_mapped_ipv4_address_is_that_ipv4_address(start_usmpd, ipv6):
    """Failures that come through an IPv6 socket lock the address on an IPv4 socket, too."""
    identity, other = new_identity(), new_identity()
    plain = addresses.free_port()
    gateway = start_usmpd(identity, other, config={"listen": {"tcp": ["[::]:PORT", f"127.0.0.1:{plain}"], "udp": []}})
    device = gateway.connected(other, source="127.90.1.9")
    assert gateway.backend.sessions()[0]["peer"] == device.peer
    device.bye()
    fail(gateway, identity, SOURCE, 5)
    assert is_refused(gateway, other, SOURCE, at=("127.0.0.1", plain))
    assert not is_refused(gateway, other, "127.90.1.3", at=("127.0.0.1", plain))


def test_rule_07_a_trusted_network_holds_for_mapped_addresses(start_usmpd, ipv6):
    identity = new_identity()
    config = {"listen": {"tcp": ["[::]:PORT"], "udp": ["[::]:PORT"]}, "limits": {"trusted": ["127.90.0.0/16"]}}
    gateway = start_usmpd(identity, config=config)
    fail(gateway, identity, SOURCE, 12)
    assert not is_refused(gateway, identity, SOURCE)


@pytest.mark.parametrize("there,back", [("64:ff9b::c612:709", "198.18.7.9"), ("198.18.7.9", "64:ff9b::c612:709")])
def test_rule_07_an_address_behind_nat64_is_that_ipv4_address(start_usmpd, ipv6, there, back):
    identity = new_identity()
    gateway = start_usmpd(identity)
    ends = {True: ("::1", gateway.port), False: ("127.0.0.1", gateway.port)}
    fail(gateway, identity, there, 5, at=ends[":" in there])
    assert is_refused(gateway, identity, back, at=ends[":" in back])


def test_rule_07_ipv6_counts_by_64(start_usmpd, ipv6):
    identity, other = new_identity(), new_identity()
    gateway = start_usmpd(identity, other)
    here = {"at": ("::1", gateway.port)}
    for host in range(5):
        fail(gateway, identity, f"2001:db8:1:1::{host + 1:x}", **here)
    assert is_refused(gateway, other, "2001:db8:1:1:ffff::99", **here)
    assert not is_refused(gateway, other, "2001:db8:1:2::1", **here)
    assert not is_refused(gateway, other, "2001:db8:2:1::1", **here)


def test_rule_07_ipv6_counts_by_48_too(start_usmpd, ipv6):
    """Who has a /48 has 65,536 networks. They do not give him as many tries."""
    identity, other = new_identity(), new_identity()
    gateway = start_usmpd(identity, other)
    here = {"at": ("::1", gateway.port)}
    for network in range(400):
        fail(gateway, new_identity(), f"2001:db8:3:{network:x}::1", **here)
        if network % 20 == 19 and is_refused(gateway, other, f"2001:db8:3:{network + 30000:x}::1", **here):
            break
    else:
        raise AssertionError("400 failures from one /48 lock nothing")
    assert not is_refused(gateway, other, "2001:db8:4:1::1", **here)


@ways()
def test_rule_08_a_lockout_leaves_the_live_session_alone(start, wire, transport):
    live, newcomer = new_identity(), new_identity()
    gateway = start(live, newcomer)
    device = gateway.connected(live, transport, wire, source=SOURCE)
    for guilty in range(11):
        fail(gateway, new_identity(), SOURCE, 5, wire=wire)
    assert is_refused(gateway, newcomer, SOURCE, wire=wire), "nothing was locked"
    device.say(b"undisturbed")
    gateway.backend.expect_message(b"undisturbed", device=live.id)
    if wire == 2:
        device.ping()
        reference = gateway.backend.post_send(live.id, b"down")
        assert device.hear() == b"down"
        assert gateway.backend.answer(reference)["type"] == "sent"


@ways(wire=2, transport="udp")
def test_rule_08_a_session_moves_to_another_port_of_a_locked_address(start, wire, transport):
    live, newcomer = new_identity(), new_identity()
    gateway = start(live, newcomer)
    device = gateway.connected(live, transport, wire, source=SOURCE)
    for guilty in range(11):
        fail(gateway, new_identity(), SOURCE, 5)
    moved = gateway.device(live, transport, wire, source=SOURCE)
    moved.session, moved.seq = device.session, device.seq
    moved.say(b"from another port")
    gateway.backend.expect_message(b"from another port", device=live.id)


@ways()
def test_rule_08_pending_handshakes_of_an_address_do_not_concern_its_session(start, wire, transport):
    live = new_identity()
    gateway = start(live)
    device = gateway.connected(live, transport, wire, source=SOURCE)
    for _ in range(10):
        try:
            gateway.device(new_identity(), transport, wire, source=SOURCE).challenge()
        except (Closed, Silent):
            pass
    device.say(b"undisturbed")
    gateway.backend.expect_message(b"undisturbed", device=live.id)


def malformed(hello: bytes) -> dict[str, bytes]:
    """HELLOs with one thing wrong that is looked at before anything else."""
    def changed(at: int, value: int) -> bytes:
        return hello[:at] + bytes([value]) + hello[at + 1:]

    wire, payload = hello[2], hello[12:]
    return {
        "magic": changed(0, 0xCE), "version 0": frames.frame(0, 1, 0, payload), "version 3": frames.frame(3, 1, 0, payload),
        "type 0": frames.frame(wire, 0, 0, payload), "type 12": frames.frame(wire, 12, 0, payload),
        "type 255": frames.frame(wire, 0xFF, 0, payload), "CRC": changed(10, hello[10] ^ 1),
        "too short": frames.frame(wire, 1, 0, payload[:-1]), "too long": frames.frame(wire, 1, 0, payload + b"x"),
        "a length that lies": frames.frame(wire, 1, 0, payload, length=len(payload) - 1),
        "a huge length": frames.frame(wire, 1, 0, payload, length=0xFFFF), "cut off": hello[:-1],
        "a CHALLENGE": frames.frame(wire, frames.CHALLENGE, 0, bytes(64)),
        "a SESSION_OK": frames.frame(wire, frames.SESSION_OK, 0, bytes(48)),
        "a HELLO_ACK out of the blue": frames.frame(wire, frames.HELLO_ACK, 2, bytes(32)),
        "DATA out of the blue": frames.frame(wire, frames.DATA, 0, bytes(28)), "nothing": b"", "one byte": hello[:1],
    }


@ways(transport="udp")
def test_rule_08_what_is_malformed_is_not_answered(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.device(identity, transport, wire)
    for name, datagram in malformed(device.hello()).items():
        device.send(datagram)
        assert device.drain(0.1) == [], name
    device.connect()


@ways(transport="tcp")
def test_rule_08_what_is_malformed_ends_a_connection(start, wire, transport):
    identity = new_identity()
    gateway = start(identity, config={"limits": {"trusted": ["127.0.0.0/8"]}})
    wrong = malformed(gateway.device(identity, transport, wire).hello())
    for name in set(wrong) - {"nothing", "one byte", "cut off", "a huge length"}:
        device = gateway.device(identity, transport, wire)
        device.send(wrong[name] + bytes(1000))
        assert device.drain(5) == [], name
        with pytest.raises(Closed):
            device.receive(0.1)
    assert gets_in(gateway.device(identity, transport, wire))
