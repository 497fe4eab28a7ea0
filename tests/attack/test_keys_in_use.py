"""Rules 3, 4 and 6: which key a session stands on, what a refusal shows, and that nothing is used twice."""

import os

import pytest
from harness.identity import Identity, new_identity

from attacker import frames
from attacker.device import Closed, Silent, gets_in
from ways import ways


@ways()
def test_rule_03_a_pending_handshake_is_resolved_again_after_a_reload(start_usmpd, wire, transport):
    revoked, rekeyed, kept = (new_identity() for _ in range(3))
    gateway = start_usmpd(revoked, rekeyed, kept)
    devices = {each: gateway.device(each, transport, wire) for each in (revoked, rekeyed, kept)}
    for device in devices.values():
        device.challenge()
    fresh = Identity(rekeyed.number, os.urandom(32))
    gateway.daemon.write_registry({revoked.id: {"revoked": True}, fresh.id: fresh.entry(), kept.id: kept.entry()})
    gateway.daemon.reload()
    devices[revoked].expect_refused()
    devices[rekeyed].expect_refused()
    devices[kept].prove()
    gateway.backend.expect("connected", device=kept.id)
    gateway.backend.expect_nothing()


@ways()
def test_rule_03_a_revoked_session_ends_with_the_reload(start_usmpd, wire, transport):
    guilty, innocent = new_identity(), new_identity()
    gateway = start_usmpd(guilty, innocent)
    device, other = gateway.connected(guilty, transport, wire), gateway.connected(innocent, transport, wire)
    gateway.daemon.write_registry({guilty.id: {"revoked": True}, innocent.id: innocent.entry()})
    gateway.daemon.reload()
    gateway.backend.expect("disconnected", device=guilty.id, reason="revoked")
    try:
        device.send(device.seal(frames.DATA, b"from beyond"))
    except Closed:
        pass
    other.say(b"goes on")
    gateway.backend.expect_message(b"goes on", device=innocent.id)
    assert not gets_in(gateway.device(guilty, transport, wire))


def test_rule_03_a_session_that_lost_the_race_is_swept(start_usmpd):
    """The right HELLO_ACK and the reload that revokes are under way at the same time, many times."""
    identity = new_identity()
    gateway = start_usmpd(identity, config={"limits": {"trusted": ["127.0.0.0/8"]}})
    backend = gateway.backend
    for round in range(10):
        gateway.daemon.write_registry({identity.id: identity.entry()})
        gateway.daemon.reload()
        device = gateway.device(identity, "tcp")
        device.challenge()
        gateway.daemon.write_registry({identity.id: {"revoked": True}})
        gateway.daemon.process.send_signal(1)
        device.send(device.hello_ack())
        gateway.daemon.notify.expect("READY=1")
        device.close()
        while backend.has_event(0):
            backend.next_event()
        assert backend.sessions() == []


REVOKED, EXPIRED, WIRE_1_ONLY = 0xFFFF01, 0xFFFF02, 0xFFFF03


def refusals(gateway, psk: bytes, known: Identity, transport: str) -> dict[str, list[tuple]]:
    """What each kind of refused device sees, from HELLO to the end."""
    kinds = {"unknown": new_identity(), "revoked": Identity(REVOKED, psk), "expired": Identity(EXPIRED, psk),
             "wrong wire": Identity(WIRE_1_ONLY, psk), "wrong key": Identity(known.number, os.urandom(32))}
    seen = {}
    for kind, identity in kinds.items():
        device = gateway.device(identity, transport)
        device.challenge()
        device.send(device.hello_ack())
        end = "silence"
        try:
            while True:
                device.receive(0.7)
        except Closed:
            end = "closed"
        except Silent:
            pass
        seen[kind] = ([(came.is_utack, came.type, len(came.raw)) for came in device.got
                       if (came.is_utack, came.type) != (False, frames.CHALLENGE)], end)
    return seen


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("cookie", ["auto", "always"])
def test_rule_04_all_refusals_look_the_same(start_usmpd, transport, cookie):
    known = new_identity()
    psk = os.urandom(32)
    entry = {"psk_hex": psk.hex()}
    gateway = start_usmpd(known, config={"wire": {"udp_cookie": cookie}}, devices={
        Identity(REVOKED, psk).id: {"revoked": True}, Identity(EXPIRED, psk).id: {**entry, "until": "2020-01-01"},
        Identity(WIRE_1_ONLY, psk).id: {**entry, "wire": [1]}})
    seen = refusals(gateway, psk, known, transport)
    assert len({str(frames_seen) for frames_seen in seen.values()}) == 1, seen
    assert seen["unknown"][1] == ("closed" if transport == "tcp" else "silence")
    assert all(type != frames.SESSION_OK for _, type, _ in seen["unknown"][0])


@ways()
def test_rule_04_a_refused_device_gets_a_challenge_like_any_other(start, wire, transport):
    known = new_identity()
    gateway = start(known)
    for identity in (known, Identity(known.number, os.urandom(32)), new_identity()):
        device = gateway.device(identity, transport, wire)
        handshake = device.challenge()
        assert len(handshake.nonce) == len(handshake.gateway_key) == 32


@ways()
def test_rule_06_a_gateway_key_belongs_to_one_handshake(start, wire, transport):
    """Many HELLOs, some with the same public key, over many ways: no key and no nonce comes twice."""
    identity = new_identity()
    gateway = start(identity, config={"limits": {"trusted": ["127.0.0.0/8"]}})
    seen = set()
    first = gateway.device(identity, transport, wire)
    for _ in range(8):
        device = gateway.device(identity, transport, wire)
        device.private, device.public = first.private, first.public
        handshake = device.challenge()
        seen.add(handshake.gateway_key)
        seen.add(handshake.nonce)
        device.close()
    assert len(seen) == 16


@ways(transport="udp")
def test_rule_06_a_pending_handshake_repeats_its_challenge(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.device(identity, transport, wire)
    device.challenge()
    first = {came.raw for came in device.got if came.type == frames.CHALLENGE and not came.is_utack}
    for _ in range(3):
        device.send(device.hello())
    device.drain(1.2)
    assert {came.raw for came in device.got if came.type == frames.CHALLENGE and not came.is_utack} == first
    device.prove()


@ways(transport="udp")
def test_rule_06_one_hello_ack_completes_a_handshake_once(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    sessions = {came.raw for came in device.got if came.type == frames.SESSION_OK and not came.is_utack}
    for _ in range(5):
        device.send(device.hello_ack())
    device.drain(0.5)
    assert {came.raw for came in device.got if came.type == frames.SESSION_OK and not came.is_utack} == sessions
    device.say(b"the same session")
    gateway.backend.expect_message(b"the same session", device=identity.id)
    gateway.backend.expect_nothing()


@ways()
def test_rule_06_a_recorded_conversation_opens_nothing(start, wire, transport):
    """Who sees everything plays all that the device sent, from the same address and from another one."""
    identity = new_identity()
    gateway = start(identity)
    device = gateway.device(identity, transport, wire)
    device.challenge()
    record = [device.hello(), device.hello_ack()]
    device.prove()
    gateway.backend.expect("connected", device=identity.id)
    record.append(device.say(b"once"))
    gateway.backend.expect_message(b"once")
    record.append(device.seal(frames.BYE))
    device.deliver(record[-1])
    gateway.backend.expect("disconnected")
    local = device.local
    device.close()
    sources = [local if transport == "udp" else local[0], "127.200.0.1"]
    for source in sources:
        thief = gateway.device(identity, transport, wire, source=source)
        try:
            for sent in record:
                thief.send(sent)
        except Closed:
            pass
        thief.drain(0.5)
        thief.close()
    gateway.backend.expect_nothing()
    gateway.connected(identity, transport, wire).say(b"the true one")
    gateway.backend.expect_message(b"the true one")
