"""Messages with a `ttl`: for devices that are not there yet, or not any more."""

from conftest import cases, newest


def sent(talk, reference: str) -> None:
    by = "device" if talk.device.transport == "udp" else "socket"
    assert talk.backend.answer(reference) == {"type": "sent", "ref": reference, "by": by}


def failed(talk, reference: str, code: str) -> None:
    answer = talk.backend.answer(reference)
    assert answer["type"] == "error" and answer["code"] == code, answer


@cases(wire=2)
def test_messages_wait_for_the_device_in_order(case, converse):
    talk = converse(case, connected=False)
    waiting = [talk.backend.post_send(talk.id, b"waits %d" % number, ttl="10m") for number in range(5)]
    talk.connect()
    later = talk.backend.post_send(talk.id, b"comes later")
    for number in range(5):
        talk.device.expect_message(b"waits %d" % number)
        sent(talk, waiting[number])
    talk.device.expect_message(b"comes later")
    sent(talk, later)


@newest
def test_a_message_may_wait_in_vain(case, converse):
    talk = converse(case, connected=False)
    failed(talk, talk.backend.post_send(talk.id, b"in vain", ttl="100ms"), "expired")
    talk.connect()
    talk.send_down(b"the next")
    assert talk.device.messages() == []


@newest
def test_a_message_waits_from_session_to_session(case, converse):
    talk = converse(case)
    talk.device.bye()
    talk.expect_disconnected("bye")
    reference = talk.backend.post_send(talk.id, b"for the next session", ttl="10m")
    talk.connect()
    talk.device.expect_message(b"for the next session")
    sent(talk, reference)


@cases(wire=1)
def test_wire_1_hears_of_the_refusal_when_it_connects(case, converse):
    talk = converse(case, connected=False)
    reference = talk.backend.post_send(talk.id, b"x", ttl="10m")
    talk.connect()
    failed(talk, reference, "forbidden")
    talk.send_up(b"goes on")


@newest
def test_what_waits_is_told_of_the_end(case, converse):
    talk = converse(case, connected=False)
    reference = talk.backend.post_send(talk.id, b"x", ttl="10m")
    talk.backend.expect_nothing()
    talk.daemon.terminate()
    failed(talk, reference, "expired")
    talk.backend.expect_end()
    talk.daemon.expect_exit()
