"""What a backend may ask for, and what it is told."""

import json

import pytest

from conftest import cases, newest
from harness.identity import new_identity

# For what has nothing to do with the device.
any_device = cases(version="1.2.2", transport="tcp")


def code(answer: dict) -> str:
    assert answer["type"] == "error" and answer["message"], answer
    return answer["code"]


@newest
def test_send_to_nobody(case, converse):
    talk = converse(case)
    assert code(talk.backend.send(new_identity().id, b"hello?")) == "not_connected"
    talk.device.bye()
    talk.expect_disconnected("bye")
    assert code(talk.backend.send(talk.id, b"too late")) == "not_connected"


@newest
def test_send_to_one_session_only(case, converse):
    talk = converse(case)
    assert code(talk.backend.send(talk.id, b"x", session="0" * 32)) == "not_connected"
    talk.send_down(b"for this one", session=talk.device.session)
    former = talk.device.session
    talk.device.bye()
    talk.expect_disconnected("bye")
    talk.connect()
    assert code(talk.backend.send(talk.id, b"x", session=former)) == "not_connected"
    assert talk.device.messages() == []


@newest
def test_too_large(case, converse):
    talk = converse(case)
    answer = talk.backend.send(talk.id, bytes(1809))
    assert code(answer) == "too_large" and "1808" in answer["message"]


@newest
def test_too_large_for_this_device(case, converse):
    talk = converse(case, entry={"max_downlink": 255})
    answer = talk.backend.send(talk.id, bytes(256))
    assert code(answer) == "too_large" and "255" in answer["message"]
    talk.send_down(bytes(255))


@cases(wire=1)
def test_wire_1_gets_nothing_unless_it_is_allowed(case, converse):
    talk = converse(case)
    assert code(talk.backend.send(talk.id, b"x")) == "forbidden"
    talk.send_up(b"upward all the same")
    assert talk.device.opened_types() == []


@cases(wire=1)
def test_wire_1_allowed_for_one_device(case, converse, make_device):
    talk = converse(case, entry={"v1_downlink": True})
    talk.send_down(b"as the registry says")


@any_device
@pytest.mark.parametrize("command", [
    {"op": "send", "text": "x"},
    {"op": "send", "device": "ID"},
    {"op": "send", "device": "ID", "text": "x", "base64": "eA=="},
    {"op": "send", "device": "ID", "base64": "not base64"},
    {"op": "send", "device": "ID", "base64": "eA"},
    {"op": "send", "device": "ID", "text": 5},
    {"op": "send", "device": "ID", "text": "x", "colour": "red"},
    {"op": "send", "device": "ID", "text": "x", "session": "short"},
    {"op": "send", "device": "ID", "text": "x", "ttl": "soon"},
    {"op": "send", "device": "ID", "text": "x", "ttl": "1ms"},
    {"op": "send", "device": "no id", "text": "x"},
    {"op": "send", "device": 7, "text": "x"},
    {"op": "close"},
    {"op": "list", "device": "ID"},
    {"op": "dance"},
    {"device": "ID"},
], ids=json.dumps)
def test_bad_requests_cost_nothing_else(case, converse, command):
    talk = converse(case)
    if command.get("device") == "ID":
        command = {**command, "device": talk.id}
    assert code(talk.backend.command(**command)) == "bad_request"
    talk.send_down(b"goes on")


MALFORMED = {
    "no JSON": b"hello\n",
    "empty": b"\n",
    "no object": b"[1,2]\n",
    "half": b'{"op":"list"\n',
    "two": b'{"op":"list"}{"op":"list"}\n',
    "duplicate key": b'{"op":"list","op":"list"}\n',
    "not UTF-8": b'{"op":"list","ref":"\xff"}\n',
    "nested": b'{"op":"list","ref":' + b"[" * 1000 + b"]" * 1000 + b"}\n",
    "long": b'{"op":"list","ref":"' + b"x" * 20000 + b'"}\n',
    "very long": b"x" * 500000 + b"\n",
    "long ref": b'{"op":"list","ref":"' + b"r" * 65 + b'"}\n',
    "ref no string": b'{"op":"list","ref":5}\n',
}


@any_device
@pytest.mark.parametrize("line", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_lines_cost_nothing_else(case, converse, line):
    talk = converse(case)
    talk.backend.write(line)
    assert code(talk.backend.answer(None)) == "bad_request"
    assert [session["device"] for session in talk.backend.sessions()] == [talk.id]


@newest
def test_without_a_reference_only_errors_are_answered(case, converse):
    talk = converse(case)
    talk.backend.write(json.dumps({"op": "send", "device": talk.id, "text": "quietly"}).encode() + b"\n")
    talk.device.expect_message(b"quietly")
    talk.backend.write(json.dumps({"op": "send", "device": new_identity().id, "text": "x"}).encode() + b"\n")
    answer = talk.backend.answer(None)
    assert code(answer) == "not_connected" and "ref" not in answer


@cases()
def test_close(case, converse):
    talk = converse(case)
    answer = talk.backend.command(op="close", device=talk.id, ref="the end")
    assert answer == {"type": "closed", "ref": "the end"}
    talk.expect_disconnected("closed")
    if case.transport == "tcp" or case.wire == 2:
        ended = talk.device.expect_ended()
        assert ended.message == "Remote sent BYE" or case.wire == 1
    assert ("BYE" in talk.device.opened_types()) == (case.wire == 2)
    assert talk.backend.sessions() == []
    assert code(talk.backend.command(op="close", device=talk.id)) == "not_connected"


@cases(wire=1)
def test_close_says_bye_where_it_may(case, converse):
    talk = converse(case, {"wire": {"v1_downlink": True}})
    talk.backend.command(op="close", device=talk.id)
    talk.expect_disconnected("closed")
    assert talk.device.expect_ended().message == "Remote sent BYE"


@cases()
def test_list(case, converse, make_device):
    talk = converse(case)
    (line,) = talk.backend.sessions()
    line.pop("ref")
    line.pop("time", None)
    assert line == {
        "type": "session", "device": talk.id, "session": talk.device.session, "transport": case.transport,
        "wire": case.wire, "peer": talk.device.peer,
    }
