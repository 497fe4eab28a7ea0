"""Rules 19 and 20: what a session takes, from where, and under which key."""

import os
import struct
import time

import pytest
from harness.identity import new_identity
from harness.patience import seconds

from attacker import frames
from attacker.device import Closed
from ways import ways


@ways(transport="udp")
def test_rule_19_a_replayed_frame_is_acknowledged_and_not_delivered(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    sent = device.say(b"once")
    gateway.backend.expect_message(b"once")
    for _ in range(5):
        assert device.is_acknowledged(sent, seconds(1))
    gateway.backend.expect_nothing()


@ways(wire=2, transport="udp")
def test_rule_19_nothing_of_the_window_comes_twice_in_any_order(start, wire, transport):
    """70 frames, then all of them again, newest first, and again with gaps."""
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    sent = []
    for number in range(70):
        sent.append(device.say(b"%d" % number))
        gateway.backend.expect_message(b"%d" % number)
    for again in [*reversed(sent), *sent[::3], *sent[-64:], sent[0]]:
        device.send(again)
    device.say(b"the end")
    gateway.backend.expect_message(b"the end")
    gateway.backend.expect_nothing()


@ways(wire=2, transport="udp")
def test_rule_19_frames_out_of_order_come_once_each(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    sealed = [device.session.seal(frames.DATA, seq, b"%d" % seq) for seq in range(200)]
    for seq in (100, 37, 99, 99, 36, 100, 163, 100, 99):  # 36 is too old at 100, and 99 at 163 is a copy
        device.send(sealed[seq])
    for seq in (100, 37, 99, 163):
        gateway.backend.expect_message(b"%d" % seq)
    gateway.backend.expect_nothing()


@ways(transport="tcp")
def test_rule_19_a_replayed_frame_ends_a_tcp_session(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    sent = device.say(b"once")
    gateway.backend.expect_message(b"once")
    device.send(sent)
    gateway.backend.expect("disconnected", reason="protocol")
    device.expect_closed()


@ways(wire=2, transport="udp")
def test_rule_19_under_the_old_key_only_the_rekey_frame_is_known(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    old_data = device.say(b"before")
    gateway.backend.expect_message(b"before")
    old = device.session
    salt = os.urandom(32)
    rekey = device.seal(frames.REKEY, salt)
    device.deliver(rekey)
    first_utack = [came.raw for came in device.got if came.is_utack and came.type == frames.REKEY]
    device.session, device.seq = old.rekeyed(salt), 0
    device.drain(0.1)
    device.send(rekey)
    assert [came.raw for came in device.drain(0.5) if came.is_utack] == first_utack[:1], "its copy is not answered"
    for wrong in (old_data, old.seal(frames.DATA, 5, b"forged"), old.seal(frames.BYE, 6), old.seal(frames.REKEY, 7, salt),
                  old.seal(frames.REKEY, frames.parse(rekey).seq, os.urandom(32))):
        device.send(wrong)
    assert device.drain(0.5) == []
    device.say(b"after")
    gateway.backend.expect_message(b"after")
    gateway.backend.expect_nothing()


def outcome(gateway, reference: str, patience: float) -> str:
    try:
        return gateway.backend.answer(reference, patience)["type"]
    except AssertionError:
        return "waiting"


@ways(wire=2, transport="udp")
def test_rule_19_a_utack_counts_with_the_key_of_the_frame_in_flight_only(start_usmpd, wire, transport):
    identity = new_identity()
    gateway = start_usmpd(identity)
    device = gateway.connected(identity, transport, wire)
    older = device.session
    device.rekey()
    reference = gateway.backend.post_send(identity.id, b"is it there?")
    came = device.wait_for(frames.DATA)
    for wrong in (frames.plain_utack(came.type, came.seq), frames.plain_utack(came.type, came.seq) + bytes(8),
                  older.utack(came.type, came.seq), device.session.utack(came.type, came.seq, key=device.session.up),
                  device.session.utack(frames.PING, came.seq), device.session.utack(came.type, came.seq + 1)):
        device.send(wrong)
    assert outcome(gateway, reference, 0.4) == "waiting"
    device.send(device.session.utack(came.type, came.seq))
    assert outcome(gateway, reference, seconds(5)) == "sent"


def changed(frame: bytes, bit: int) -> bytes:
    """With one bit turned, and the CRC made right again."""
    data = bytearray(frame)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data[:10]) + struct.pack("<H", frames.crc16(bytes(data[:10]) + bytes(data[12:]))) + bytes(data[12:])


TYPE_AND_SEQ, NONCE, REST = range(24, 64), range(96, 192), range(192, 192 + 8 * 28)


@ways(transport="udp")
def test_rule_19_what_somebody_on_the_path_changes_is_not_taken(start, wire, transport):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    true = device.seal(frames.DATA, b"eleven bytes")
    device.drain(0.1)
    for bit in (*TYPE_AND_SEQ, *NONCE, *REST):
        device.send(changed(true, bit))
        if bit % 16 == 0:
            time.sleep(0.001)
    assert device.drain(0.3) == []
    device.deliver(true)
    gateway.backend.expect_message(b"eleven bytes")
    gateway.backend.expect_nothing()


@ways(transport="tcp")
@pytest.mark.parametrize("bit", [TYPE_AND_SEQ[3], TYPE_AND_SEQ[8], NONCE[0], NONCE[95], REST[7], REST[-1]])
def test_rule_19_a_changed_frame_ends_a_tcp_session(start, wire, transport, bit):
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    device.send(changed(device.seal(frames.DATA, b"eleven bytes"), bit))
    device.expect_closed()
    gateway.backend.expect("disconnected", reason="protocol")
    gateway.backend.expect_nothing()


@ways(wire=2, transport="udp")
def test_rule_20_a_copy_moves_a_session_nowhere(start, make_path, wire, transport):
    """The attacker sends what he saw from an address of his own, and would get what goes down."""
    identity = new_identity()
    gateway = start(identity)
    device = gateway.connected(identity, transport, wire)
    seen = [device.say(b"%d" % number) for number in range(3)]
    for number in range(3):
        gateway.backend.expect_message(b"%d" % number)
    thief = gateway.device(identity, transport, wire, source="127.96.1.9")
    for copy in seen * 3:
        thief.send(copy)
    reference = gateway.backend.post_send(identity.id, b"for the device only")
    assert device.hear() == b"for the device only"
    assert gateway.backend.answer(reference)["type"] == "sent"
    assert not [came for came in thief.drain(0.5) if not came.is_utack]


@ways(wire=2, transport="udp")
def test_rule_20_only_the_newest_frame_moves_a_session(start_usmpd, wire, transport):
    """A frame that is new to the window but older than the newest: it is taken, and moves nothing."""
    identity = new_identity()
    gateway = start_usmpd(identity)
    device = gateway.connected(identity, transport, wire)
    held_back = device.seal(frames.DATA, b"held back")
    device.say(b"newer")
    gateway.backend.expect_message(b"newer")
    thief = gateway.device(identity, transport, wire, source="127.96.1.9")
    thief.send(held_back)
    reference = gateway.backend.post_send(identity.id, b"for the device only")
    assert device.hear() == b"for the device only"
    assert gateway.backend.answer(reference)["type"] == "sent"


@ways(wire=2, transport="udp")
def test_rule_20_a_new_frame_from_another_port_does_move_it(start_usmpd, wire, transport):
    identity = new_identity()
    gateway = start_usmpd(identity)
    device = gateway.connected(identity, transport, wire)
    moved = gateway.device(identity, transport, wire)
    moved.session, moved.seq = device.session, device.seq
    moved.say(b"from here now")
    gateway.backend.expect_message(b"from here now", session=device.session.id.hex())
    gateway.backend.post_send(identity.id, b"to there")
    assert moved.hear() == b"to there"


@ways(transport="udp")
def test_rule_20_copies_do_not_keep_a_session_alive(start, wire, transport):
    identity = new_identity()
    gateway = start(identity, config={"session_timeout": "2s"})
    device = gateway.connected(identity, transport, wire)
    copy = device.say(b"the last")
    gateway.backend.expect_message(b"the last")
    deadline = time.monotonic() + seconds(8)
    while not gateway.backend.has_event(0.1):
        assert time.monotonic() < deadline, "copies keep the session alive"
        try:
            device.send(copy)
            device.send(frames.frame(wire, frames.DATA, device.seq, os.urandom(40)))
        except Closed:
            break
    gateway.backend.expect("disconnected", reason="timeout")


@ways()
def test_rule_20_true_frames_do(start, wire, transport):
    identity = new_identity()
    gateway = start(identity, config={"session_timeout": "1s"})
    device = gateway.connected(identity, transport, wire)
    for number in range(12):
        device.say(b"%d" % number)
        gateway.backend.expect_message(b"%d" % number)
        time.sleep(0.25)
    gateway.backend.expect_nothing()
