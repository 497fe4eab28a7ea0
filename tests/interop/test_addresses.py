"""IPv6, and addresses the daemon has besides the one that a test usually calls."""

import pytest

from conftest import cases, newest
from harness import addresses
from harness.patience import seconds
from harness.sdk import SdkError

needs_ipv6 = pytest.mark.skipif(not addresses.has_ipv6(), reason="there is no ::1 on this machine")


@needs_ipv6
@cases()
def test_ipv6(case, converse):
    talk = converse(case, {"wire": {"v1_downlink": True}}, connected=False)
    talk.connect(host="::1")
    assert talk.peer == f"[::1]:{talk.device.local[1]}"
    talk.send_up(b"up" + bytes(1000))
    talk.send_down(b"down" + bytes(1000))
    talk.device.bye()
    talk.expect_disconnected("bye")


@newest
@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.77", pytest.param("::1", marks=needs_ipv6)])
def test_the_wildcard_address_answers_from_the_address_that_was_called(case, converse, host):
    # A device's UDP socket is connected: it takes nothing from another address.
    talk = converse(case, {"listen": {"tcp": ["[::]:PORT"], "udp": ["[::]:PORT"]}}, connected=False)
    talk.connect(host=host)
    talk.send_up(b"up" + bytes(1000))
    talk.send_down(b"down" + bytes(1000))


@newest
def test_tcp_only_or_udp_only(case, converse, make_device):
    other = {"tcp": "udp", "udp": "tcp"}[case.transport]
    stranger = make_device(case)
    stranger.transport = other
    talk = converse(case, {"listen": {other: []}}, others=[stranger.identity])
    with pytest.raises(SdkError):
        stranger.connect(talk.port, timeout=seconds(2))
    talk.send_up(b"on the one that is left")
