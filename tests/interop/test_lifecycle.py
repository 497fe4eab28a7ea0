"""Signals, reload, the watchdog: what sessions and backends see of them."""

import os
import signal

import pytest

from conftest import cases, newest
from harness.patience import seconds
from harness.sdk import SdkError


@cases()
def test_sigterm(case, converse):
    talk = converse(case)
    talk.device.send(b"just before")
    talk.daemon.terminate()
    talk.daemon.notify.expect("STOPPING=1")
    talk.expect_message(b"just before")
    talk.expect_disconnected("shutdown")
    talk.backend.expect_end()
    talk.daemon.expect_exit()
    if case.wire == 2:
        assert talk.device.expect_ended().message == "Remote sent BYE"
    elif case.transport == "tcp":
        assert talk.device.expect_ended().message != "Remote sent BYE"
    assert ("BYE" in talk.device.opened_types()) == (case.wire == 2)


@cases(wire=1)
def test_sigterm_says_bye_to_wire_1_where_it_may(case, converse):
    talk = converse(case, {"wire": {"v1_downlink": True}})
    talk.daemon.terminate()
    talk.expect_disconnected("shutdown")
    assert talk.device.expect_ended().message == "Remote sent BYE"
    talk.daemon.expect_exit()


@newest
def test_sigint_is_the_same(case, converse):
    talk = converse(case)
    talk.daemon.process.send_signal(signal.SIGINT)
    talk.expect_disconnected("shutdown")
    assert talk.device.expect_ended().message == "Remote sent BYE"
    talk.daemon.expect_exit()


@cases(version="1.2.2", transport="udp")
def test_a_second_sigterm_does_not_wait(case, converse):
    talk = converse(case, {"shutdown_timeout": "1h"})
    talk.device.abort()  # nobody will acknowledge the BYE
    talk.daemon.exits = {0, 1}
    talk.daemon.terminate()
    talk.daemon.notify.expect("STOPPING=1")
    assert talk.daemon.process.poll() is None
    talk.daemon.terminate()
    talk.daemon.expect_exit()


@newest
def test_a_second_sigterm_while_a_backend_catches_up(case, start, make_device):
    device = make_device(case)
    daemon = start(device.identity, config={"shutdown_timeout": "1h"})
    backend = daemon.backend(reading=False)
    device.connect(daemon.port)
    device.send(*[b"%d" % number + bytes(1000) for number in range(300)])
    daemon.terminate()
    daemon.notify.expect("STOPPING=1")
    backend.start_reading()
    daemon.terminate()
    daemon.expect_exit()
    backend.expect("connected")


@newest
def test_what_waits_for_a_backend_is_flushed_at_the_end(case, start, make_device):
    device = make_device(case)
    daemon = start(device.identity, config={"shutdown_timeout": "1h"})
    backend = daemon.backend(reading=False)
    device.connect(daemon.port)
    messages = [b"%d" % number + bytes(1000) for number in range(300)]
    device.send(*messages)
    # Over TCP they are written, not accepted yet; the answer to what comes behind them tells that they are.
    device.ping()
    device.expect_opened("PONG")
    daemon.terminate()
    daemon.notify.expect("STOPPING=1")
    backend.start_reading()
    backend.expect("connected")
    for message in messages:
        backend.expect_message(message)
    backend.expect("disconnected", reason="shutdown")
    backend.expect_end()


@cases()
def test_the_watchdog_ends_silent_sessions(case, start, make_device):
    silent, patient = make_device(case), make_device(case)
    devices = {patient.identity.id: patient.identity.entry(session_timeout="1h")}
    daemon = start(silent.identity, devices=devices, config={"session_timeout": "1s"})
    backend = daemon.backend()
    for device in (patient, silent):
        device.connect(daemon.port)
        backend.expect("connected", device=device.identity.id)
    backend.expect("disconnected", device=silent.identity.id, session=silent.session, reason="timeout")
    if case.transport == "tcp":
        silent.expect_ended()
    patient.send(b"still here")
    backend.expect_message(b"still here", device=patient.identity.id)
    silent.connect(daemon.port)
    backend.expect("connected", device=silent.identity.id)


@newest
def test_pings_keep_a_session_alive(case, converse, make_device):
    silent = make_device(case)
    talk = converse(case, {"session_timeout": "1s"}, others=[silent.identity])
    # It connects later and says nothing: the clock.
    silent.connect(talk.port)
    talk.backend.expect("connected", device=silent.identity.id)
    while not talk.backend.has_event(seconds(0.25)):
        talk.device.ping()
        talk.device.expect_opened("PONG")
    talk.backend.expect("disconnected", device=silent.identity.id, reason="timeout")
    talk.send_up(b"still here")


@cases()
def test_a_device_removed_from_the_registry(case, start, make_device):
    removed, kept = make_device(case), make_device(case)
    daemon = start(removed.identity, kept.identity)
    backend = daemon.backend()
    for device in (removed, kept):
        device.connect(daemon.port)
        backend.expect("connected", device=device.identity.id)
    daemon.write_registry({kept.identity.id: kept.identity.entry()})
    daemon.reload()
    backend.expect("disconnected", device=removed.identity.id, session=removed.session, reason="revoked")
    if case.transport == "tcp" or case.wire == 2:
        removed.expect_ended()
    with pytest.raises(SdkError):
        removed.connect(daemon.port, timeout=seconds(2))
    kept.send(b"undisturbed")
    backend.expect_message(b"undisturbed", device=kept.identity.id)


@newest
@pytest.mark.parametrize("change", ["revoked", "another key"])
def test_a_session_whose_key_is_no_longer_accepted(case, converse, change):
    talk = converse(case)
    entry = {
        "revoked": {"revoked": True},
        "another key": {"psk_hex": os.urandom(32).hex()},
    }[change]
    talk.daemon.write_registry({talk.id: entry})
    talk.daemon.reload()
    talk.expect_disconnected("revoked")


@newest
def test_a_rotation_keeps_the_session_whose_key_is_still_there(case, converse):
    talk = converse(case)
    fresh = os.urandom(32)
    talk.daemon.write_registry({talk.id: [{"psk_hex": fresh.hex()}, talk.device.identity.entry()]})
    talk.daemon.reload()
    talk.send_up(b"undisturbed")
    talk.daemon.write_registry({talk.id: {"psk_hex": fresh.hex()}})
    talk.daemon.reload()
    talk.expect_disconnected("revoked")
    talk.device.expect_ended()
    talk.connect(psk=fresh)


@newest
def test_a_new_device_gets_in_after_a_reload(case, converse, make_device):
    talk = converse(case)
    fresh = make_device(case)
    with pytest.raises(SdkError):
        fresh.connect(talk.port, timeout=seconds(2))
    talk.daemon.write_registry({
        identity.id: identity.entry() for identity in (talk.device.identity, fresh.identity)
    })
    talk.daemon.reload()
    fresh.connect(talk.port)
    talk.backend.expect("connected", device=fresh.identity.id)


@newest
def test_a_broken_registry_changes_nothing(case, converse):
    talk = converse(case)
    talk.daemon.write_registry({"no id": {"psk_hex": "77"}})
    talk.daemon.reload()
    talk.daemon.log.wait_for(lambda line: "devices.yaml:" in line)
    talk.send_up(b"undisturbed")
    talk.device.bye()
    talk.expect_disconnected("bye")
    talk.connect()


@newest
def test_a_broken_configuration_changes_nothing(case, converse):
    talk = converse(case)
    talk.daemon.write_config({"session_timeout": "soon"})
    talk.daemon.reload()
    talk.daemon.log.wait_for(lambda line: "usmpd.yaml:" in line and "session_timeout" in line)
    talk.send_down(b"undisturbed")


@cases(wire=1)
def test_wire_versions_concern_new_sessions(case, converse):
    talk = converse(case)
    talk.daemon.write_config({"wire": {"versions": [2]}})
    talk.daemon.reload()
    talk.send_up(b"undisturbed")
    talk.device.bye()
    talk.expect_disconnected("bye")
    with pytest.raises(SdkError):
        talk.device.connect(talk.port, timeout=seconds(2))

