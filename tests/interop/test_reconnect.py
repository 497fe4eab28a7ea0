"""Devices that come back, and several at once."""

from conftest import ALL, cases
from harness.identity import new_identity


def come_again(talk, device) -> None:
    """`device` takes the conversation over."""
    device.connect(talk.port)
    talk.expect_disconnected("replaced")
    talk.device = device
    talk.expect_connected()


@cases()
def test_from_another_port(case, converse, make_device):
    talk = converse(case)
    former = talk.device
    come_again(talk, make_device(case, former.identity))
    talk.send_up(b"from the new session")
    if case.transport == "tcp":
        former.expect_ended()
    talk.backend.expect_nothing()


@cases(transport="udp")
def test_from_the_same_port_without_a_word(case, converse):
    talk = converse(case)
    port = talk.device.local[1]
    talk.send_up(b"before")
    talk.device.abort()
    talk.device.connect(talk.daemon.port, local_port=port)
    talk.backend.expect("disconnected", device=talk.id, reason="replaced")
    talk.expect_connected()
    talk.send_up(b"after")


@cases(transport="tcp")
def test_from_the_same_port_after_a_reset(case, converse):
    talk = converse(case)
    port = talk.device.local[1]
    talk.device.abort(reset=True)
    talk.expect_disconnected("peer")
    talk.connect(local_port=port)
    talk.send_up(b"after")


@cases(transport="udp")
def test_from_the_same_port_after_bye(case, converse):
    talk = converse(case)
    port = talk.device.local[1]
    for number in range(3):
        talk.device.bye()
        talk.expect_disconnected("bye")
        talk.connect(local_port=port)
        talk.send_up(b"round %d" % number)


@cases(wire=2, transport="udp")
def test_on_the_other_transport(case, converse, make_device):
    talk = converse(case)
    stream = make_device(case, talk.device.identity)
    stream.transport = "tcp"
    come_again(talk, stream)
    come_again(talk, make_device(case, stream.identity))
    stream.expect_ended()


def test_every_sdk_at_once(start, make_device):
    devices = [make_device(case, new_identity()) for case in ALL]
    daemon = start(*(device.identity for device in devices), config={"wire": {"v1_downlink": True}})
    backend = daemon.backend()
    for device in devices:
        device.connect(daemon.port)
        backend.expect("connected", device=device.identity.id, session=device.session)
    sendings = [device.start_send(*(b"%d" % number for number in range(20))) for device in devices]
    for sending in sendings:
        sending.result()
    received = {device.identity.id: [] for device in devices}
    for _ in range(20 * len(devices)):
        event = backend.expect("message")
        received[event["device"]].append(event["text"])
    assert all(texts == [str(number) for number in range(20)] for texts in received.values())
    for device in devices:
        answer = backend.send(device.identity.id, device.identity.raw)
        assert answer["type"] == "sent"
    for device in devices:
        device.expect_message(device.identity.raw)
    assert {session["device"] for session in backend.sessions()} == set(received)


@cases()
def test_two_devices_of_a_kind(case, start, make_device):
    first, second = make_device(case), make_device(case)
    daemon = start(first.identity, second.identity)
    backend = daemon.backend()
    for device in (first, second):
        device.connect(daemon.port)
        backend.expect("connected", device=device.identity.id)
    for device in (first, second, first):
        device.send(b"mine")
        backend.expect_message(b"mine", device=device.identity.id)
    first.bye()
    backend.expect("disconnected", device=first.identity.id, reason="bye")
    second.send(b"still here")
    backend.expect_message(b"still here", device=second.identity.id)
