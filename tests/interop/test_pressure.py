"""What happens when backends are slower than devices, or away for long."""

from conftest import cases, newest

SMALL = {"name": "default", "socket": "backend.sock", "queue": "64KiB"}
BLOCK = {"backends": [{**SMALL, "when_full": "block"}]}
DROP_OLDEST = {"backends": [{**SMALL, "when_full": "drop_oldest"}]}

# Each counts for 256 bytes more. The rest of 64 KiB, and over TCP the kernel's buffers, take some hundreds.
MESSAGES = [b"%6d" % number + bytes(1000) for number in range(1200)]


def count_for(case) -> int:
    return len(MESSAGES) if case.transport == "tcp" else 100


@cases()
def test_block_holds_devices_back_and_loses_nothing(case, start, make_device):
    device = make_device(case)
    daemon = start(device.identity, config=BLOCK)
    device.connect(daemon.port)
    messages = MESSAGES[:count_for(case)]
    sending = device.start_send(*messages)
    device.expect_pressure()
    assert not sending.done()
    backend = daemon.backend()
    backend.expect("connected", device=device.identity.id)
    for message in messages:
        backend.expect_message(message)
    sending.result()
    backend.expect_nothing()


@newest
def test_block_with_a_backend_that_does_not_read(case, start, make_device):
    device = make_device(case)
    daemon = start(device.identity, config=BLOCK)
    backend = daemon.backend(reading=False)
    device.connect(daemon.port)
    messages = MESSAGES[:count_for(case) * 6] if case.transport == "udp" else MESSAGES
    sending = device.start_send(*messages)
    device.expect_pressure()
    backend.start_reading()
    backend.expect("connected", device=device.identity.id)
    for message in messages:
        backend.expect_message(message)
    sending.result()


@newest
def test_a_paused_session_is_not_timed_out(case, start, make_device):
    # Over UDP the pause must be over before the SDK gives its frame up, after 3 s; over TCP the time-out must be longer
    # than a busy machine keeps the SDK from writing.
    short, pause = ("500ms", "1500ms") if case.transport == "udp" else ("2s", "4500ms")
    device, clock = make_device(case), make_device(case)
    clock.transport = "tcp"
    devices = {
        device.identity.id: device.identity.entry(session_timeout=short),
        clock.identity.id: clock.identity.entry(session_timeout=pause),
    }
    daemon = start(devices=devices, config=BLOCK)
    clock.connect(daemon.port)
    device.connect(daemon.port)
    messages = MESSAGES[:count_for(case)]
    sending = device.start_send(*messages)
    device.expect_pressure()
    clock.expect_ended()
    backend = daemon.backend()
    backend.expect("connected", device=clock.identity.id)
    backend.expect("connected", device=device.identity.id)
    for message in messages:
        while (event := backend.next_event())["device"] == clock.identity.id:
            assert event["reason"] == "timeout"
        assert (event["type"], event.get("text")) == ("message", message.decode())
    sending.result()


@cases()
def test_drop_oldest_lets_devices_go_on_and_says_what_went(case, start, make_device):
    device = make_device(case)
    daemon = start(device.identity, config=DROP_OLDEST)
    device.connect(daemon.port)
    messages = MESSAGES[:200]
    device.send(*messages)
    device.bye()
    backend = daemon.backend()
    lost = backend.next_event()
    assert lost["type"] == "lost" and lost["count"] > 100, lost
    kept = []
    while (event := backend.next_event())["type"] == "message":
        kept.append(event["text"].encode())
    assert event["type"] == "disconnected"
    assert kept == messages[-len(kept):] and 10 < len(kept) < 60
    assert lost["count"] == 1 + len(messages) - len(kept), "the count includes `connected`"
