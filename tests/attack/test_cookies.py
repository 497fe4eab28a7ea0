"""Rules 10 and 12: when a wire 2 device is asked to prove its address, and what proves it."""

import itertools
import os
import threading
import time

import pytest
from harness.identity import new_identity
from harness.patience import seconds

from attacker import frames
from attacker.device import Silent, gets_in
from attacker.forger import hello, sources
from ways import ways

SOURCE = "127.94.1.2"
ALWAYS = {"wire": {"udp_cookie": "always"}}


def test_rule_10_no_cookie_is_asked_for_in_peace(start_usmpd):
    identity = new_identity()
    gateway = start_usmpd(identity)
    for _ in range(5):
        assert not gateway.device(identity, "udp").is_asked_for_cookie()


def test_rule_10_always_means_always_on_wire_2(start_usmpd):
    identity = new_identity()
    gateway = start_usmpd(identity, config=ALWAYS)
    for _ in range(5):
        assert gateway.device(identity, "udp").is_asked_for_cookie()
    gateway.connected(identity, "udp", wire=2)
    assert not gateway.device(identity, "udp", wire=1).is_asked_for_cookie()


@pytest.mark.parametrize("forged", [1, 2])
def test_rule_10_asked_for_when_too_many_strangers_were_challenged(start_usmpd, namespace, forger, forged):
    """200 a second are: so here is a second of several times as many, and another device in the midst of it."""
    identity = new_identity()
    gateway = start_usmpd(identity)
    sender, stop = forger(gateway), threading.Event()

    def forge() -> None:
        everywhere = sources(3, 1 << 30)
        while not stop.wait(0.01):
            for source in itertools.islice(everywhere, 20):
                sender.send(source, hello(forged, identity.raw))

    thread = threading.Thread(target=forge)
    thread.start()
    try:
        time.sleep(seconds(1))
        assert any(gateway.device(identity, "udp").is_asked_for_cookie() for _ in range(5))
        gateway.connected(identity, "udp")
    finally:
        stop.set()
        thread.join()


def test_rule_10_asked_for_when_two_handshakes_of_that_address_failed(start_usmpd):
    identity, other = new_identity(), new_identity()
    gateway = start_usmpd(identity, other, config={"handshake_timeout": "400ms"})
    for _ in range(2):
        device = gateway.device(identity, "udp", source=SOURCE)
        device.challenge()
        device.send(device.hello_ack(os.urandom(32)))
        device.drain(seconds(0.8))
        device.close()
    assert gateway.device(other, "udp", source=SOURCE).is_asked_for_cookie()
    assert not gateway.device(other, "udp", source="127.94.1.3").is_asked_for_cookie()
    gateway.connected(identity, "udp", source=SOURCE)


def test_rule_10_asked_for_where_a_live_session_is(start_usmpd):
    """Who forges HELLOs in the name of a live session's address gets nothing but a demand."""
    identity, other = new_identity(), new_identity()
    gateway = start_usmpd(identity, other)
    live = gateway.connected(identity, "udp", source=SOURCE)
    for id in (identity.raw, other.raw):
        live.send(hello(2, id))
        assert live.wait_for(frames.CHALLENGE, frames.HELLO_RETRY).type == frames.HELLO_RETRY
    assert not gateway.device(other, "udp", source=SOURCE).is_asked_for_cookie()  # from another port
    live.say(b"goes on")
    gateway.backend.expect_message(b"goes on")


def test_rule_10_a_device_that_restarts_on_its_old_port_gets_in(start_usmpd):
    identity = new_identity()
    gateway = start_usmpd(identity)
    live = gateway.connected(identity, "udp", source=SOURCE)
    local = live.local
    live.close()
    again = gateway.device(identity, "udp", source=local).connect()
    gateway.backend.expect("disconnected", reason="replaced")
    gateway.backend.expect("connected", session=again.session.id.hex())


def test_rule_10_a_device_is_not_stranded_by_a_lost_demand(start_usmpd, make_path):
    """C devices up to 1.2.2 wait for ever once their HELLO is acknowledged; so it is not, until it comes again."""
    identity = new_identity()
    gateway = start_usmpd(identity, config=ALWAYS)
    path = make_path(gateway)
    device = gateway.device(identity, "udp", source="127.0.0.1", at=path.address)
    path.hook = lambda up, data: [data] if up or data[:2] == b"\xac\xac" else []
    device.send(device.hello())
    with pytest.raises(Silent):
        device.receive(seconds(0.5))
    path.hook = lambda up, data: [data]
    device.send(device.hello())
    came = device.drain(0.3)
    assert [each.type for each in came if not each.is_utack] == [frames.HELLO_RETRY]
    assert [each.type for each in came if each.is_utack] == [frames.HELLO]


@ways(wire=1, transport="udp")
def test_rule_10_wire_1_is_never_locked_out_by_what_may_be_forged(start, namespace, forger, wire, transport):
    """Handshakes in the device's name and from its address, with proofs that are wrong."""
    identity = new_identity()
    gateway = start(identity, config={"handshake_timeout": "1s"})
    sender = forger(gateway)
    for _ in range(3):
        device = gateway.device(identity, transport, wire, source=SOURCE)
        device.challenge()
        for _ in range(40):
            sender.send(device.local, frames.frame(1, frames.HELLO_ACK, 2, os.urandom(32)))
            sender.send(device.local, hello(1, identity.raw))
        device.close()
    time.sleep(seconds(2.5))
    assert any(gets_in(gateway.device(identity, transport, wire, source=SOURCE)) for _ in range(3))


@pytest.fixture
def asking(start_usmpd):
    """A gateway that always asks, with a second address, and a device of it with its cookie."""
    identity, other = new_identity(), new_identity()
    listen = ["127.0.0.1:PORT", "127.0.0.2:PORT"]
    gateway = start_usmpd(identity, other, config={
        **ALWAYS, "listen": {"tcp": listen, "udp": listen}, "limits": {"lockout_after": 1}})
    device = gateway.device(identity, "udp", source=SOURCE)
    return gateway, device, other, device.ask_cookie()


def is_taken(device, cookie: bytes) -> bool:
    device.send(device.hello(cookie, 1))
    try:
        return device.wait_for(frames.CHALLENGE, frames.HELLO_RETRY, patience=seconds(0.6)).type == frames.CHALLENGE
    except Silent:
        return False


def test_rule_12_the_right_cookie_is_taken(asking):
    gateway, device, other, cookie = asking
    assert is_taken(device, cookie)


def stolen(asking, what: str):
    """The same HELLO with one thing changed."""
    gateway, device, other, cookie = asking
    local = device.local
    if what == "another port":
        return gateway.device(device.identity, "udp", source=SOURCE)
    if what == "another address":
        return gateway.device(device.identity, "udp", source=("127.94.1.4", local[1]))
    device.close()
    return gateway.device(other if what == "another id" else device.identity, "udp", source=local,
                          at=("127.0.0.2", gateway.port) if what == "another local address" else None)


@pytest.mark.parametrize("what", ["another port", "another address", "another id", "another local address",
                                  "another public key"])
def test_rule_12_a_cookie_is_good_for_one_hello_from_one_place(asking, what):
    gateway, device, other, cookie = asking
    thief = stolen(asking, what)
    if what != "another public key":
        thief.private, thief.public = device.private, device.public
    assert not is_taken(thief, cookie)


@pytest.mark.parametrize("change", [lambda cookie: bytes(16), lambda cookie: cookie[:-1] + bytes([cookie[-1] ^ 1]),
                                    lambda cookie: bytes([cookie[0] ^ 128]) + cookie[1:],
                                    lambda cookie: os.urandom(16)], ids=["zeros", "last bit", "first bit", "random"])
def test_rule_12_a_wrong_cookie_is_dropped_and_no_failure(asking, change):
    gateway, device, other, cookie = asking
    for _ in range(5):
        device.send(device.hello(change(cookie), 1))
    assert device.drain(seconds(0.4)) == []
    assert is_taken(device, cookie)
    gateway.connected(other, "udp", source=SOURCE)
    assert not [line for line in gateway.log() if "authentication failed" in line]


def test_rule_12_a_cookie_is_good_for_its_slot_and_the_next(asking):
    """Slots have 30 s."""
    gateway, device, other, cookie = asking
    time.sleep(29)
    assert is_taken(device, cookie)


def test_rule_12_a_cookie_is_not_good_for_longer(asking):
    gateway, device, other, cookie = asking
    time.sleep(61)
    assert not is_taken(device, cookie)


def test_rule_12_a_restart_forgets_the_secret(start_usmpd):
    identity = new_identity()
    first = start_usmpd(identity, config=ALWAYS)
    device = first.device(identity, "udp", source=SOURCE)
    cookie, port = device.ask_cookie(), first.port
    first.end()
    second = start_usmpd(identity, config={**ALWAYS, "listen": {"tcp": [], "udp": [f"127.0.0.1:{port}"]}})
    assert not is_taken(device, cookie)
    second.connected(identity, "udp", at=("127.0.0.1", port))


def test_rule_12_over_tcp_there_is_no_cookie(start_usmpd):
    identity = new_identity()
    gateway = start_usmpd(identity, config=ALWAYS)
    device = gateway.device(identity)
    device.challenge()
    assert frames.HELLO_RETRY not in {came.type for came in device.got}
    device.prove()
