"""Rules 23 and 25: what a backend may do, and what devices may write to whom looks on."""

import json
import os

import pytest
from harness.identity import Identity, new_identity

from attacker import frames
from attacker.device import Closed
from ways import ways


def two_backends(start_usmpd):
    ours, theirs = Identity(0x100001, os.urandom(32)), Identity(0x200001, os.urandom(32))
    gateway = start_usmpd(ours, theirs, config={"backends": [
        {"name": "default", "socket": "backend.sock", "devices": ["de:ad:be:10:*"]},
        {"name": "other", "socket": "other.sock", "devices": ["de:ad:be:20:*"]}]})
    return gateway, ours, theirs


def test_rule_23_outside_its_devices_everything_is_forbidden(start_usmpd):
    gateway, ours, theirs = two_backends(start_usmpd)
    other = gateway.daemon.backend("other.sock")
    absent = {"op": "send", "device": theirs.id, "text": "x"}
    answers = [gateway.backend.command(**absent)]
    gateway.device(theirs).connect()
    other.expect("connected", device=theirs.id)
    answers.append(gateway.backend.command(**absent))
    answers.append(gateway.backend.command(op="close", device=theirs.id))
    answers.append(gateway.backend.command(op="send", device="de:ad:be:30:00:01", text="x"))
    assert {answer["code"] for answer in answers} == {"forbidden"}
    # Nothing tells whether the device is there.
    assert answers[0]["message"] == answers[1]["message"]
    assert gateway.backend.sessions() == []
    gateway.backend.expect_nothing()
    assert [session["device"] for session in other.sessions()] == [theirs.id]


def test_rule_23_a_backend_without_commands_only_reads(start_usmpd):
    identity = new_identity()
    gateway = start_usmpd(identity, config={"backends": [
        {"name": "default", "socket": "backend.sock", "commands": False}]})
    device = gateway.connected(identity)
    assert gateway.backend.send(identity.id, b"x")["code"] == "forbidden"
    assert gateway.backend.command(op="close", device=identity.id)["code"] == "forbidden"
    assert len(gateway.backend.sessions()) == 1
    device.say(b"still here")
    gateway.backend.expect_message(b"still here")


LONG = b'{"op":"list","ref":"' + b"x" * 16384 + b'"}'
NESTED = b'{"op":"list","x":{"a":{"a":{"a":{"a":1}}}}}'


@pytest.mark.parametrize("line", [
    LONG, LONG * 40, NESTED, b"[" * 5000, b'{"op":"list","op":"list"}', b'{"op":"list","ref":"a","ref":"b"}',
    b'{"op":"send","device":"de:ad:be:00:00:01","text":"x","text":"y"}', b'{"op":"list"', b"\xff\xfe", b"", b"\0" * 100,
    b'{"op":"list"}{"op":"list"}', b'{"op":"list","more":1}', b'{"op":["list"]}', b'{"op":"send","device":1,"text":"x"}',
    b'{"op":"list","ref":"' + b"x" * 65 + b'"}', b'{"op":"send","device":"de:ad:be:00:00:01","base64":"A"}',
], ids=range(17))
def test_rule_23_a_malformed_line_is_refused_and_costs_nothing_else(start_usmpd, line):
    identity = new_identity()
    gateway = start_usmpd(identity)
    device = gateway.connected(identity)
    gateway.backend.write(line + b"\n")
    assert gateway.backend.answer(None)["code"] == "bad_request"
    assert len(gateway.backend.sessions()) == 1
    device.say(b"goes on")
    gateway.backend.expect_message(b"goes on")


def test_rule_23_what_waits_with_ttl_is_bounded(start_usmpd):
    """More than can wait, for devices that are not there: busy, and no memory for it."""
    gateway = start_usmpd(new_identity())
    before = gateway.resident()
    references = [gateway.backend.post(op="send", device=f"de:ad:be:44:{number >> 8:02x}:{number & 255:02x}", ttl="10m",
                                       text="x" * 1500) for number in range(30000)]
    gateway.backend.sessions()
    codes = set()
    for reference in references[-100:]:
        codes.add(gateway.backend.answer(reference).get("code"))
    assert codes == {"busy"}
    # 8 MiB may wait; the sanitizers want some for themselves. All of it would be 45 MB.
    assert gateway.resident() - before < 32 << 20


def test_rule_23_the_uid_of_a_backend_is_logged(start_usmpd):
    gateway = start_usmpd(new_identity())
    gateway.backend.sessions()
    gateway.daemon.log.wait_for(lambda line: "backend connected" in line and f"uid={os.getuid()}" in line)


HOSTILE = ["\x1b[2J\x1b]0;owned\x07", "\x00\x01\x08\x0d\n\x0b", "\x7f\x80\x9b31m\x9f", "\u202e\u2066\u200f\u2028\u2029",
           "\"\\</script>", "\r\n{\"type\":\"connected\"}\n"]


@ways()
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_rule_25_what_a_device_says_does_nothing_to_a_terminal(start_usmpd, wire, transport, text):
    identity = new_identity()
    gateway = start_usmpd(identity, config={"log": {"level": "debug"}})
    lines: list[bytes] = []
    backend = gateway.backend
    take = backend._take
    backend._take = lambda line: (lines.append(line), take(line))[1]
    device = gateway.connected(identity, transport, wire)
    device.say(text.encode())
    backend.expect_message(text.encode())
    for line in lines:
        assert line.count(b"\n") == 1 and line.endswith(b"\n")
        shown = line.decode()[:-1]
        assert shown.isprintable(), f"not for a terminal: {shown!r}"
        json.loads(shown)


@ways()
def test_rule_25_ids_and_garbage_reach_the_log_as_text(start_usmpd, wire, transport):
    """The gateway's log is looked through when the test ends."""
    hostile = Identity(0, os.urandom(32))
    gateway = start_usmpd(new_identity(), config={"log": {"level": "debug"}, "handshake_timeout": "500ms"})
    for raw in (b"\x1b[2J\r\n", b"\x00" * 6, b"\xff\x9b31m\x07"):
        device = gateway.device(hostile, transport, wire)
        device.send(frames.frame(wire, frames.HELLO, 0, raw + device.public))
        device.drain(0.1)
        try:
            device.send(frames.frame(wire, frames.HELLO_ACK, 2, bytes(32)))
            device.send(b"\x1b[2J\r\n" * 20)
        except Closed:
            pass
        device.drain(0.2)
