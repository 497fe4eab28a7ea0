"""The backend socket: one reader at a time, who may come and go, and several sockets beside one another."""

import time

import pytest

from conftest import cases, newest
from harness.backend import Refused
from harness.identity import new_identity
from harness.patience import USUAL, seconds
from harness.sdk import SdkError


def next_backend(daemon, name="backend.sock"):
    """Connects as soon as the daemon has noticed that the one before is gone."""
    deadline = time.monotonic() + USUAL
    while True:
        try:
            return daemon.backend(name)
        except Refused as refusal:
            assert refusal.code == "in_use" and time.monotonic() < deadline, refusal


@newest
def test_the_greeting(case, converse):
    talk = converse(case)
    greeting = dict(talk.backend.greeting)
    assert greeting.pop("version") and greeting.pop("epoch")
    assert greeting == {"type": "hello", "protocol": 1, "backend": "default", "delivery": "live", "next_id": 1}


@newest
def test_a_second_connection_is_refused(case, converse):
    talk = converse(case)
    with pytest.raises(Refused) as refusal:
        talk.daemon.backend()
    assert refusal.value.code == "in_use"
    talk.send_up(b"to the first")
    talk.backend.close()
    talk.backend = next_backend(talk.daemon)
    talk.send_up(b"to the next")


@cases()
def test_nothing_is_lost_while_the_backend_is_away(case, converse):
    talk = converse(case)
    talk.send_up(b"before")
    greeting = talk.backend.greeting
    talk.backend.close()
    messages = [b"away %d" % number for number in range(50)]
    talk.device.send(*messages)
    talk.device.bye()
    talk.backend = next_backend(talk.daemon)
    assert (talk.backend.greeting["epoch"], talk.backend.greeting["next_id"]) == (greeting["epoch"], 3)
    for message in messages:
        talk.expect_message(message)
    talk.expect_disconnected("bye")
    talk.backend.expect_nothing()


@cases()
def test_the_first_backend_comes_late(case, start, make_device):
    device = make_device(case)
    daemon = start(device.identity)
    device.connect(daemon.port)
    device.send(b"nobody is listening yet")
    backend = daemon.backend()
    backend.expect("connected", id=1, device=device.identity.id, session=device.session)
    backend.expect_message(b"nobody is listening yet", id=2)


@newest
def test_a_backend_that_never_writes(case, converse):
    talk = converse(case)
    talk.backend.shut_writing()
    talk.send_up(b"goes on")
    talk.device.bye()
    talk.expect_disconnected("bye")


@newest
def test_a_send_goes_on_when_its_backend_is_gone(case, converse):
    talk = converse(case)
    talk.backend.post_send(talk.id, b"the last wish" + bytes(1500))
    talk.backend.close()
    talk.device.expect_message(b"the last wish" + bytes(1500))
    talk.backend = next_backend(talk.daemon)
    talk.backend.expect_nothing()


@newest
def test_another_start_is_another_epoch(case, start):
    epochs = {start().backend().greeting["epoch"] for _ in range(2)}
    assert len(epochs) == 2


PATTERNS = {"backends": [
    {"name": "one", "socket": "one.sock", "devices": ["de:ad:be:*"]},
    {"name": "two", "socket": "two.sock", "devices": ["*"]},
    {"name": "watcher", "socket": "watcher.sock", "devices": ["*"], "commands": False},
]}


@newest
def test_each_backend_gets_what_its_patterns_name(case, start, make_device):
    identity = new_identity()
    device = make_device(case, identity)
    foreign = "0a:00:00:00:00:01"
    daemon = start(identity, config=PATTERNS, devices={foreign: new_identity().entry()})
    one, two = daemon.backend("one.sock"), daemon.backend("two.sock")
    assert (one.greeting["backend"], two.greeting["backend"]) == ("one", "two")
    device.connect(daemon.port)
    device.send(b"to both")
    for backend in (one, two):
        backend.expect("connected", device=identity.id)
        backend.expect_message(b"to both")
    assert one.send(foreign, b"x")["code"] == "forbidden"
    assert one.command(op="close", device=foreign)["code"] == "forbidden"
    assert two.send(foreign, b"x")["code"] == "not_connected"
    assert one.send(identity.id, b"down")["type"] == "sent"
    device.expect_message(b"down")
    assert [session["device"] for session in one.sessions()] == [identity.id]


@newest
def test_a_backend_without_commands(case, start, make_device):
    device = make_device(case)
    daemon = start(device.identity, config=PATTERNS)
    watcher = daemon.backend("watcher.sock")
    device.connect(daemon.port)
    watcher.expect("connected", device=device.identity.id)
    assert watcher.send(device.identity.id, b"x")["code"] == "forbidden"
    assert watcher.command(op="close", device=device.identity.id)["code"] == "forbidden"
    assert device.messages() == []


@newest
def test_a_device_that_no_backend_wants(case, start, make_device):
    device = make_device(case)
    only = {"backends": [{"name": "default", "socket": "backend.sock", "devices": ["0a:00:*"]}]}
    daemon = start(device.identity, config=only)
    backend = daemon.backend()
    with pytest.raises(SdkError):
        device.connect(daemon.port, timeout=seconds(2))
    backend.expect_nothing()
