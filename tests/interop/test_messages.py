"""Messages both ways: every length that the wire treats differently, and in what form backends get them."""

import base64
import os

import pytest

from conftest import cases, newest

# A frame carries 452 bytes, a message four frames.
SIZES = (0, 1, 16, 255, 452, 453, 904, 905, 1356, 1807, 1808)
DOWNLINK_FOR_ALL = {"wire": {"v1_downlink": True}}


@cases()
def test_every_length_upward(case, converse):
    talk = converse(case)
    for data in map(os.urandom, SIZES):
        talk.send_up(data)
    talk.backend.expect_nothing()


@cases()
def test_every_length_downward(case, converse):
    talk = converse(case, DOWNLINK_FOR_ALL)
    for data in map(os.urandom, SIZES):
        talk.send_down(data)
    assert talk.device.messages() == []


@cases()
def test_a_burst_keeps_its_order_upward(case, converse):
    talk = converse(case)
    messages = [b"reading %d" % number for number in range(100)]
    talk.device.send(*messages)
    for message in messages:
        talk.expect_message(message)


@cases()
def test_a_burst_keeps_its_order_downward(case, converse):
    talk = converse(case, DOWNLINK_FOR_ALL)
    messages = [b"command %d" % number for number in range(40)]
    references = [talk.backend.post_send(talk.id, message) for message in messages]
    for message in messages:
        talk.device.expect_message(message)
    assert [talk.backend.answer(reference)["type"] for reference in references] == ["sent"] * len(messages)


@cases()
def test_both_directions_at_once(case, converse):
    talk = converse(case, DOWNLINK_FOR_ALL)
    upward = [b"up %d" % number + bytes(500) for number in range(20)]
    downward = [b"down %d" % number + bytes(500) for number in range(20)]
    sending = talk.device.start_send(*upward)
    references = [talk.backend.post_send(talk.id, message) for message in downward]
    for message in upward:
        talk.expect_message(message)
    for message in downward:
        talk.device.expect_message(message)
    sending.result()
    assert [talk.backend.answer(reference)["type"] for reference in references] == ["sent"] * len(downward)


@cases()
def test_a_first_message_right_behind_the_handshake(case, converse, make_device):
    talk = converse(case)
    talk.device.bye()
    talk.expect_disconnected("bye")
    talk.connect(first_message=b"at once")
    talk.expect_message(b"at once")


TEXTS = ["temp=21.5", "grüße 🌊", "\x00\x1f\x7f", 'quoted " and \\ and / and\nlines\r\n', "\ufeff", "\uffff", "\u2028", ""]
NO_TEXTS = [b"\xff", b"\x80", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"cut \xc3", bytes(range(256))]


@newest
def test_text_arrives_as_text_and_anything_else_in_base64(case, converse):
    talk = converse(case)
    for text in TEXTS:
        talk.device.send(text.encode())
        assert talk.backend.next_event().get("text") == text
    for data in NO_TEXTS:
        talk.device.send(data)
        assert talk.backend.next_event().get("base64") == base64.b64encode(data).decode()


@newest
def test_base64_for_all_where_the_backend_asks_for_it(case, converse):
    backend = {"name": "default", "socket": "backend.sock", "payload": "base64"}
    talk = converse(case, {"backends": [backend]}, encoding="base64")
    for data in (b"", b"temp=21.5", b"\xff"):
        talk.device.send(data)
        assert talk.backend.next_event().get("base64") == base64.b64encode(data).decode()


@newest
@pytest.mark.parametrize("text", ["", "relay=on", "grüße 🌊", "\x00"])
def test_text_downward_is_sent_as_its_utf8_bytes(case, converse, text):
    talk = converse(case)
    answer = talk.backend.command(op="send", device=talk.id, text=text)
    assert answer["type"] == "sent"
    talk.device.expect_message(text.encode())
