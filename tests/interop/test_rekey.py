"""New keys in mid-session, which SDKs since 1.2.0 may ask for."""

from conftest import cases

rekeying = cases(version="1.2.2", strict=("1.2.2", "1.3"))

# More than a replay window has, so that sequence numbers of the old key are in nobody's way.
MANY = 70


def exchange(talk, label: bytes, count: int = MANY) -> None:
    """`count` messages up and as many down; all must arrive."""
    talk.device.send(*(b"%s up %d" % (label, number) for number in range(count)))
    for number in range(count):
        talk.expect_message(b"%s up %d" % (label, number))
    references = [talk.backend.post_send(talk.id, b"%s down %d" % (label, number)) for number in range(count)]
    for number in range(count):
        talk.device.expect_message(b"%s down %d" % (label, number))
    assert [talk.backend.answer(reference)["type"] for reference in references] == ["sent"] * count


@rekeying
def test_more_than_a_window_before_and_after(case, converse):
    talk = converse(case)
    for label in (b"first", b"second", b"third"):
        exchange(talk, label)
        talk.device.rekey()
    exchange(talk, b"fourth")
    talk.device.bye()
    talk.expect_disconnected("bye")


@rekeying
def test_the_first_frame_of_a_session(case, converse):
    talk = converse(case)
    talk.device.rekey()
    exchange(talk, b"fresh", 3)


@rekeying
def test_one_upon_the_other(case, converse):
    talk = converse(case)
    for _ in range(4):
        talk.device.rekey()
    exchange(talk, b"after four", 3)


@rekeying
def test_a_ping_under_the_new_keys(case, converse):
    talk = converse(case)
    talk.device.rekey()
    talk.device.ping()
    talk.device.expect_opened("PONG")


@rekeying
def test_long_messages_under_the_new_keys(case, converse):
    talk = converse(case)
    talk.device.rekey()
    talk.send_up(bytes(1808))
    talk.send_down(bytes(1808))
