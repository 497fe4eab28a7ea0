"""PING, BYE, and sessions that end without one."""

import pytest

from conftest import cases, newest


@cases()
def test_ping_is_answered(case, converse):
    talk = converse(case, {"wire": {"v1_downlink": True}})
    # Seven: SDKs up to 1.0.0 end a session at the eighth control frame in a row.
    for seq in range(7):
        talk.device.ping()
        assert talk.device.expect_opened("PONG") == seq
    talk.send_up(b"still here")


@cases(wire=1)
def test_ping_is_not_answered_where_nothing_may_be_sent(case, converse):
    talk = converse(case)
    talk.device.ping()
    talk.send_up(b"after it")
    talk.backend.command(op="close", device=talk.id)
    talk.expect_disconnected("closed")
    if case.transport == "tcp":
        talk.device.expect_ended()
    assert talk.device.opened_types() == []


@cases(wire=1)
def test_too_many_pings_end_the_session(case, converse):
    # Wire 1, because a device that gets no PONG does not end the session itself.
    talk = converse(case)
    for _ in range(100):
        talk.device.start("ping")
    talk.expect_disconnected("protocol")


@cases()
def test_bye(case, converse):
    talk = converse(case)
    talk.device.send(b"the last words")
    talk.device.bye()
    talk.expect_message(b"the last words")
    talk.expect_disconnected("bye")
    assert talk.backend.sessions() == []


@newest
def test_bye_of_a_device_that_never_sent_anything(case, converse):
    talk = converse(case)
    talk.device.bye()
    talk.expect_disconnected("bye")
    talk.backend.expect_nothing()


@cases(transport="tcp")
@pytest.mark.parametrize("reset", [False, True], ids=["fin", "reset"])
def test_a_connection_lost_without_bye(case, converse, reset):
    talk = converse(case)
    talk.device.abort(reset)
    talk.expect_disconnected("peer")
    assert talk.backend.sessions() == []
