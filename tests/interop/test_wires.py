"""Which wire versions get in, and the cookie of wire 2."""

import pytest

from conftest import cases
from harness.patience import seconds
from harness.sdk import SdkError

HELLO, CHALLENGE, HELLO_RETRY = 0x01, 0x02, 0x0A


def expect_refusal(case, daemon, device) -> None:
    with pytest.raises(SdkError) as refusal:
        device.connect(daemon.port, timeout=seconds(3))
    if case.transport == "tcp":
        assert "TimeoutError" not in refusal.value.kinds, "the connection was not closed"


@cases()
def test_a_gateway_for_the_other_wire_only(case, start, make_device):
    device = make_device(case)
    daemon = start(device.identity, config={"wire": {"versions": [3 - case.wire]}})
    backend = daemon.backend()
    expect_refusal(case, daemon, device)
    backend.expect_nothing()


@cases()
def test_a_device_allowed_on_the_other_wire_only(case, start, make_device):
    device, other = make_device(case), make_device(case)
    devices = {device.identity.id: device.identity.entry(wire=[3 - case.wire])}
    daemon = start(other.identity, devices=devices)
    backend = daemon.backend()
    expect_refusal(case, daemon, device)
    other.connect(daemon.port)
    backend.expect("connected", device=other.identity.id, wire=case.wire)


@cases(wire=2, transport="udp")
def test_a_cookie_for_every_handshake(case, converse):
    talk = converse(case, {"wire": {"udp_cookie": "always"}}, relayed=True)
    talk.send_up(b"after a cookie")
    talk.send_down(b"and down")
    hellos = [len(datagram.data) for datagram in talk.relay.seen() if datagram.is_frame(HELLO)]
    assert min(hellos) == 50 and max(hellos) == 66
    assert any(datagram.is_frame(HELLO_RETRY) for datagram in talk.relay.seen())


@cases(wire=1, transport="udp")
def test_no_cookie_for_wire_1(case, converse):
    talk = converse(case, {"wire": {"udp_cookie": "always"}}, relayed=True)
    talk.send_up(b"without a cookie")
    assert not any(datagram.is_frame(HELLO_RETRY) for datagram in talk.relay.seen())


@cases(transport="udp")
def test_no_cookie_where_nothing_is_wrong(case, converse):
    talk = converse(case, relayed=True)
    assert not any(datagram.is_frame(HELLO_RETRY) for datagram in talk.relay.seen())


@cases(wire=2, transport="udp")
def test_what_leaves_before_the_address_is_proved_is_little(case, converse):
    talk = converse(case, {"wire": {"udp_cookie": "always"}}, relayed=True, connected=False)
    talk.relay.lose(lambda datagram: datagram.upward and len(datagram.data) == 66, 1 << 30)
    with pytest.raises(SdkError):
        talk.device.connect(talk.port, timeout=seconds(2))
    upward = sum(len(datagram.data) for datagram in talk.relay.seen() if len(datagram.data) == 50)
    downward = sum(len(datagram.data) for datagram in talk.relay.seen() if not datagram.upward)
    assert not any(datagram.is_frame(CHALLENGE) for datagram in talk.relay.seen())
    assert 0 < downward <= 0.7 * upward
