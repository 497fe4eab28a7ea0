"""UDP as it is: datagrams get lost or come twice, and a NAT forgets a device in mid-session."""

from conftest import cases

HELLO, CHALLENGE, HELLO_ACK, SESSION_OK, DATA, BYE, REKEY = 0x01, 0x02, 0x03, 0x04, 0x05, 0x08, 0x0B

over_udp = cases(transport="udp")
DOWNLINK_FOR_ALL = {"wire": {"v1_downlink": True}}


@over_udp
def test_a_lost_acknowledgement_doubles_nothing(case, converse):
    talk = converse(case, relayed=True)
    talk.relay.lose(lambda datagram: not datagram.upward and datagram.acknowledges(DATA), 2)
    talk.send_up(b"once", b"only")
    talk.backend.expect_nothing()
    assert sum(datagram.upward and datagram.is_frame(DATA) for datagram in talk.relay.seen()) >= 4


@over_udp
def test_a_lost_message_is_repeated_by_the_device(case, converse):
    talk = converse(case, relayed=True)
    talk.relay.lose(lambda datagram: datagram.upward and datagram.is_frame(DATA), 2)
    talk.send_up(b"in spite of it")


@over_udp
def test_a_lost_message_is_repeated_by_the_gateway(case, converse):
    talk = converse(case, DOWNLINK_FOR_ALL, relayed=True)
    talk.relay.lose(lambda datagram: not datagram.upward and datagram.is_frame(DATA), 2)
    talk.send_down(b"in spite of it")


@over_udp
def test_a_device_whose_acknowledgement_is_lost_gets_the_message_once(case, converse):
    talk = converse(case, DOWNLINK_FOR_ALL, relayed=True)
    talk.relay.lose(lambda datagram: datagram.upward and datagram.acknowledges(DATA), 2)
    talk.send_down(b"once")
    talk.send_down(b"and the next")
    assert talk.device.messages() == []


@over_udp
def test_every_datagram_comes_twice(case, converse):
    talk = converse(case, DOWNLINK_FOR_ALL, relayed=True, connected=False)
    talk.device.needs("copies")
    # Not towards wire 1 devices: a copy that comes before the first was read ends their session.
    talk.relay.double(lambda datagram: datagram.upward or case.wire == 2)
    talk.connect()
    for number in range(5):
        talk.send_up(b"%d" % number + bytes(1000))
        talk.send_down(b"%d" % number + bytes(1000))
    talk.device.ping()
    talk.device.expect_opened("PONG")
    talk.device.bye()
    talk.expect_disconnected("bye")
    talk.backend.expect_nothing()


@over_udp
def test_each_step_of_the_handshake_lost_once(case, converse):
    talk = converse(case, relayed=True, connected=False)
    for step in (HELLO, CHALLENGE, HELLO_ACK, SESSION_OK):
        talk.relay.lose(lambda datagram, step=step: datagram.is_frame(step))
        talk.relay.lose(lambda datagram, step=step: datagram.acknowledges(step))
    talk.connect()
    talk.send_up(b"through at last")
    talk.backend.expect_nothing()


@over_udp
def test_a_lost_acknowledgement_of_bye(case, converse):
    talk = converse(case, relayed=True)
    talk.relay.lose(lambda datagram: not datagram.upward and datagram.acknowledges(BYE), 2)
    talk.device.bye()
    talk.expect_disconnected("bye")
    talk.backend.expect_nothing()
    assert sum(datagram.upward and datagram.is_frame(BYE) for datagram in talk.relay.seen()) >= 3


@cases(version="1.2.2", strict=("1.2.2", "1.3"), transport="udp")
def test_a_lost_acknowledgement_of_rekey(case, converse):
    talk = converse(case, relayed=True)
    talk.send_up(b"under the first keys")
    talk.relay.lose(lambda datagram: not datagram.upward and datagram.acknowledges(REKEY), 2)
    talk.device.rekey()
    talk.send_up(b"under the next")
    talk.send_down(b"and down")


@cases(wire=2, transport="udp")
def test_a_device_behind_a_nat_that_gives_it_another_port(case, converse):
    talk = converse(case, relayed=True)
    talk.send_up(b"from the first port")
    before = talk.relay.upstream
    talk.relay.change_port()
    assert talk.relay.upstream != before
    talk.send_up(b"from the second port")
    talk.send_down(b"to the second port")
    assert [session["session"] for session in talk.backend.sessions()] == [talk.device.session]
    talk.backend.expect_nothing()
