"""Failed handshakes in a row, and what follows for an address and for a device."""

import os
import time

import pytest

from conftest import cases, newest
from harness.identity import new_identity
from harness.patience import seconds
from harness.sdk import SdkError

tcp = cases(version="1.2.2", transport="tcp")


def fail(daemon, device, times: int) -> None:
    for _ in range(times):
        with pytest.raises(SdkError):
            device.connect(daemon.port, psk=os.urandom(32), timeout=seconds(3))


def is_refused(daemon, device, timeout: float = seconds(3)) -> bool:
    try:
        device.connect(daemon.port, timeout=timeout)
        return False
    except SdkError:
        return True


def until_admitted(daemon, device) -> None:
    deadline = time.monotonic() + seconds(15)
    while is_refused(daemon, device):
        assert time.monotonic() < deadline, "the lockout did not end"
        time.sleep(0.1)


@cases(transport="tcp")
def test_five_failures_lock_the_address_for_a_while(case, start, make_device):
    device, elsewhere = make_device(case), make_device(case)
    daemon = start(device.identity, elsewhere.identity, config={"limits": {"lockout": "3s"}})
    backend = daemon.backend()
    fail(daemon, device, 5)
    assert is_refused(daemon, device), "the address is not locked"
    elsewhere.connect(daemon.port)
    backend.expect("connected", device=elsewhere.identity.id)
    until_admitted(daemon, device)
    backend.expect("connected", device=device.identity.id)


@tcp
def test_four_failures_do_not(case, start, make_device):
    device = make_device(case)
    daemon = start(device.identity)
    fail(daemon, device, 4)
    device.connect(daemon.port)
    device.bye()
    fail(daemon, device, 4)  # the count began anew
    device.connect(daemon.port)


@tcp
def test_a_locked_address_concerns_all_its_devices(case, start, make_device):
    guilty, innocent = make_device(case), make_device(case)
    innocent.source = guilty.source
    daemon = start(guilty.identity, innocent.identity)
    fail(daemon, guilty, 5)
    assert is_refused(daemon, innocent)


@tcp
def test_a_live_session_at_the_address_leaves_the_lock_on_the_guilty_device(case, start, make_device):
    live, guilty, innocent = (make_device(case) for _ in range(3))
    live.source = innocent.source = guilty.source
    daemon = start(live.identity, guilty.identity, innocent.identity)
    backend = daemon.backend()
    live.connect(daemon.port)
    backend.expect("connected", device=live.identity.id)
    fail(daemon, guilty, 5)
    assert is_refused(daemon, guilty)
    innocent.connect(daemon.port)
    backend.expect("connected", device=innocent.identity.id)
    live.send(b"undisturbed")
    backend.expect_message(b"undisturbed", device=live.identity.id)


@tcp
def test_unknown_ids_count_too(case, start, make_device):
    stranger, known = make_device(case), make_device(case)
    known.source = stranger.source
    daemon = start(known.identity)
    fail(daemon, stranger, 5)
    assert is_refused(daemon, known)


@tcp
def test_a_trusted_address_is_never_locked(case, start, make_device):
    device = make_device(case)
    daemon = start(device.identity, config={"limits": {"trusted": [f"{device.source}/32"]}})
    fail(daemon, device, 7)
    device.connect(daemon.port)


@cases(transport="udp")
def test_what_may_be_forged_locks_nobody(case, start, make_device):
    device = make_device(case)
    daemon = start(device.identity, config={"handshake_timeout": "300ms", "limits": {"lockout_after": 2}})
    for _ in range(3):
        with pytest.raises(SdkError):
            device.connect(daemon.port, psk=os.urandom(32), timeout=seconds(0.8))
    device.connect(daemon.port)


@cases(wire=2, transport="udp")
def test_a_cookie_proves_the_address_so_its_failures_count(case, start, make_device):
    device = make_device(case)
    config = {"handshake_timeout": "300ms", "limits": {"lockout_after": 2}, "wire": {"udp_cookie": "always"}}
    daemon = start(device.identity, config=config)
    for _ in range(2):
        with pytest.raises(SdkError):
            device.connect(daemon.port, psk=os.urandom(32), timeout=seconds(2))
    # A failure counts when its handshake has ended; the log line says that it has.
    daemon.log.wait_for_count("authentication failed", 2)
    assert is_refused(daemon, device, timeout=seconds(2))


@newest
def test_a_lockout_leaves_live_sessions_alone(case, converse, make_device):
    newcomer = make_device(case)
    talk = converse(case, others=[newcomer.identity])
    # The address is locked at ten times the number while one of its sessions is live.
    for _ in range(10):
        guilty = make_device(case, new_identity())
        guilty.transport, guilty.source = "tcp", talk.device.source
        fail(talk.daemon, guilty, 5)
    newcomer.source = talk.device.source
    assert is_refused(talk.daemon, newcomer)
    talk.send_up(b"undisturbed")
    talk.send_down(b"as ever")
