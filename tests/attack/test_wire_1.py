"""Rule 21: on wire 1 nothing encrypted ever leaves unless the operator says so, and our own frames do not come back."""

import time

import pytest
from harness.identity import new_identity
from harness.patience import seconds

from attacker import frames
from attacker.device import Closed, Silent
from ways import ways

ON = {"wire": {"v1_downlink": True}}


def end_bye(gateway, device, identity):
    device.send(device.seal(frames.BYE))


def end_timeout(gateway, device, identity):
    time.sleep(seconds(2.5))


def end_replaced(gateway, device, identity):
    gateway.device(identity, device.transport, 1).connect()


def end_protocol(gateway, device, identity):
    for _ in range(20):
        try:
            device.send(device.seal(frames.PING))
        except Closed:
            return


def end_closed(gateway, device, identity):
    assert gateway.backend.command(op="close", device=identity.id)["type"] == "closed"


def end_closed_between_fragments(gateway, device, identity):
    device.send(device.seal(frames.DATA_FRAG, b"the first half"))
    end_closed(gateway, device, identity)


def end_revoked(gateway, device, identity):
    gateway.daemon.write_registry({identity.id: {"revoked": True}})
    gateway.daemon.reload()


def end_shutdown(gateway, device, identity):
    gateway.end()


def end_by_overflow(gateway, device, identity):
    device.send(device.session.seal(frames.BYE, 0xFFFFFFFF))


ENDS = [end_bye, end_timeout, end_replaced, end_protocol, end_closed, end_closed_between_fragments, end_revoked,
        end_shutdown, end_by_overflow]


def encrypted(device) -> list[int]:
    device.drain(seconds(0.7))
    return [came.type for came in device.got if came.is_encrypted]


@ways(wire=1)
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_rule_21_no_encrypted_frame_leaves_whatever_ends_the_session(start_usmpd, wire, transport, end):
    identity = new_identity()
    gateway = start_usmpd(identity, config={"session_timeout": "1s", "shutdown_timeout": "1s"})
    device = gateway.connected(identity, transport, wire)
    device.say(b"up")
    gateway.backend.expect_message(b"up")
    end(gateway, device, identity)
    assert encrypted(device) == []


@ways(wire=1)
def test_rule_21_a_ping_gets_no_pong(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    for _ in range(3):
        device.deliver(device.seal(frames.PING))
    assert encrypted(device) == []
    device.say(b"goes on")
    gateway.backend.expect_message(b"goes on")


@ways(wire=1)
def test_rule_21_a_send_is_forbidden(start_usmpd, wire, transport):
    identity = new_identity()
    gateway = start_usmpd(identity)
    device = gateway.connected(identity, transport, wire)
    assert gateway.backend.send(identity.id, b"down")["code"] == "forbidden"
    assert encrypted(device) == []


@ways(wire=1)
def test_rule_21_on_for_one_device_is_off_for_the_others(start_usmpd, wire, transport):
    allowed, other = new_identity(), new_identity()
    gateway = start_usmpd(other, devices={allowed.id: allowed.entry(v1_downlink=True)})
    device = gateway.connected(allowed, transport, wire)
    gateway.connected(other, transport, wire)
    assert gateway.backend.send(other.id, b"down")["code"] == "forbidden"
    reference = gateway.backend.post_send(allowed.id, b"down")
    assert device.hear() == b"down"
    assert gateway.backend.answer(reference)["type"] == "sent"


def test_rule_21_start_says_what_it_costs(start_usmpd):
    for gateway in (start_usmpd(config=ON), start_usmpd(devices={"de:ad:be:00:00:01": new_identity().entry(v1_downlink=True)})):
        said = [line for line in gateway.log() if "confidential" in line and "authentic" in line and "path" in line]
        assert said and "warn" in said[0], gateway.log()
    assert not any("confidential" in line for line in start_usmpd(new_identity()).log())


@ways(wire=1, transport="udp")
def test_rule_21_reflected_frames_are_dropped(start_usmpd, wire, transport):
    """Who is on the path sends each frame of ours back, at once and later."""
    identity = new_identity()
    gateway = start_usmpd(identity, config=ON)
    device = gateway.connected(identity, transport, wire)
    ours = []
    for number in range(5):
        reference = gateway.backend.post_send(identity.id, b"down %d" % number)
        came = device.wait_for(frames.DATA)
        device.send(came.raw)
        device.send(device.session.utack(came.type, came.seq))
        assert gateway.backend.answer(reference)["type"] == "sent"
        ours.append(came.raw)
    for frame in ours:
        device.send(frame)
    gateway.backend.expect_nothing()


@ways(wire=1, transport="udp")
def test_rule_21_reflected_frames_do_not_refresh_the_watchdog(start_usmpd, wire, transport):
    identity = new_identity()
    gateway = start_usmpd(identity, config={**ON, "session_timeout": "2s"})
    device = gateway.connected(identity, transport, wire)
    gateway.backend.post_send(identity.id, b"down")
    ours = device.wait_for(frames.DATA)
    device.send(device.session.utack(ours.type, ours.seq))
    deadline = time.monotonic() + seconds(8)
    while not gateway.backend.has_event(0.1):
        assert time.monotonic() < deadline, "reflections keep the session alive"
        device.send(ours.raw)
    gateway.backend.expect("disconnected", reason="timeout")


@ways(wire=1, transport="tcp")
def test_rule_21_a_reflected_frame_delivers_nothing_over_tcp(start_usmpd, wire, transport):
    identity = new_identity()
    gateway = start_usmpd(identity, config=ON)
    device = gateway.connected(identity, transport, wire)
    gateway.backend.post_send(identity.id, b"down")
    device.send(device.wait_for(frames.DATA).raw)
    try:
        device.say(b"after it")
        device.drain(0.3)
    except (Closed, Silent):
        pass
    while gateway.backend.has_event(0.3):
        event = gateway.backend.next_event()
        assert event.get("text") in (None, "after it"), event


@ways(wire=1)
def test_rule_21_frames_of_the_handshake_are_as_ever(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    assert {came.type for came in device.got} <= {frames.HELLO, frames.CHALLENGE, frames.HELLO_ACK, frames.SESSION_OK}
