"""Who gets in, who does not, and what is said about it."""

import datetime
import hashlib
import hmac
import os

import pytest

from conftest import cases, newest
from harness.identity import new_identity
from harness.patience import seconds
from harness.sdk import SdkError

# Over UDP a refusal is silence; the device gives up by itself only later.
REFUSAL = seconds(3)


def expect_refusal(case, daemon, device, **options) -> SdkError:
    """The handshake fails, at once over TCP; no backend hears of it."""
    with pytest.raises(SdkError) as refusal:
        device.connect(daemon.port, timeout=REFUSAL, **options)
    if case.transport == "tcp":
        assert "TimeoutError" not in refusal.value.kinds, "the connection was not closed"
    daemon.backends[0].expect_nothing()
    return refusal.value


def failures(daemon, device) -> list[str]:
    return daemon.log.matching(lambda line: f"authentication failed device={device.identity.id} " in line)


@cases()
def test_a_wrong_key(case, start, make_device):
    device = make_device(case)
    daemon = start(device.identity)
    daemon.backend()
    expect_refusal(case, daemon, device, psk=os.urandom(32))
    if case.transport == "tcp":
        daemon.log.wait_for_count("authentication failed", 1)
        (line,) = failures(daemon, device)
        assert f"peer={device.source}:" in line and line.endswith("reason=bad_psk")
    device.connect(daemon.port)  # and once more with the right one


@cases()
def test_an_unknown_device(case, start, make_device):
    device = make_device(case)
    daemon = start(new_identity())
    daemon.backend()
    expect_refusal(case, daemon, device)
    if case.transport == "tcp":
        daemon.log.wait_for_count("authentication failed", 1)
        (line,) = failures(daemon, device)
        assert line.endswith("reason=unknown_device")


@cases(transport="tcp")
def test_nobody_learns_which_ids_are_known(case, start, make_device):
    known, unknown, revoked = make_device(case), make_device(case), make_device(case)
    daemon = start(known.identity, devices={revoked.identity.id: {"revoked": True}})
    daemon.backend()
    refusals = [expect_refusal(case, daemon, device, psk=os.urandom(32)) for device in (known, unknown, revoked)]
    assert len({(refusal.kind, refusal.message) for refusal in refusals}) == 1, refusals


def at_midnight(days: int) -> str:
    return str(datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days))


@newest
def test_an_expired_key(case, start, make_device):
    device = make_device(case)
    daemon = start(devices={device.identity.id: device.identity.entry(until=at_midnight(0))})
    daemon.backend()
    expect_refusal(case, daemon, device)


@cases()
def test_any_key_of_a_rotation(case, start, make_device):
    device = make_device(case)
    keys = [os.urandom(32) for _ in range(4)]
    entries = [{"psk_hex": key.hex()} for key in keys]
    entries[1]["until"] = at_midnight(2)
    daemon = start(devices={device.identity.id: entries})
    backend = daemon.backend()
    for key in keys:
        device.connect(daemon.port, psk=key)
        backend.expect("connected", session=device.session)
        device.bye()
        backend.expect("disconnected", reason="bye")
    expect_refusal(case, daemon, device, psk=os.urandom(32))


@cases()
def test_a_key_written_as_text(case, start, make_device):
    key = "Größe: 4 Wälder, 17 Hügel; no two alike"
    device = make_device(case, new_identity(key.encode()))
    daemon = start(devices={device.identity.id: {"psk": key}})
    daemon.knows(device.identity)
    backend = daemon.backend()
    device.connect(daemon.port)
    backend.expect("connected", device=device.identity.id)


@newest
def test_text_that_looks_like_hex_is_text(case, start, make_device):
    digits = os.urandom(32).hex()
    device = make_device(case, new_identity(digits.encode()))
    daemon = start(devices={device.identity.id: {"psk": digits}})
    backend = daemon.backend()
    expect_refusal(case, daemon, device, psk=bytes.fromhex(digits))
    device.connect(daemon.port)
    backend.expect("connected", device=device.identity.id)


@newest
@pytest.mark.parametrize("writing", [str.upper, lambda text: text.replace(":", "")], ids=["upper", "bare"])
def test_a_device_id_in_another_spelling(case, start, make_device, writing):
    device = make_device(case)
    daemon = start(devices={writing(device.identity.id): device.identity.entry()})
    backend = daemon.backend()
    device.connect(daemon.port)
    backend.expect("connected", device=device.identity.id)


def derived(secret: bytes, identity) -> bytes:
    return hmac.new(secret, identity.raw, hashlib.sha256).digest()


@cases()
def test_keys_derived_from_a_master_secret(case, start, make_device):
    secret, previous = os.urandom(32).hex(), os.urandom(32).hex()
    config = {"psk": {
        "master_secret": {"env": "TEST_MASTER_SECRET"}, "previous_master_secret": {"env": "TEST_PREVIOUS_SECRET"},
    }}
    environment = {"TEST_MASTER_SECRET": secret, "TEST_PREVIOUS_SECRET": previous}
    device = make_device(case)
    revoked = make_device(case)
    daemon = start(config=config, environment=environment, devices={revoked.identity.id: {"revoked": True}})
    backend = daemon.backend()
    for text in (secret, previous):
        device.connect(daemon.port, psk=derived(text.encode(), device.identity))
        backend.expect("connected", session=device.session)
        device.bye()
        backend.expect("disconnected", reason="bye")
    expect_refusal(case, daemon, device, psk=derived(b"another secret", device.identity))
    expect_refusal(case, daemon, revoked, psk=derived(secret.encode(), revoked.identity))


@newest
def test_a_master_secret_in_a_file_loses_one_newline(case, start, make_device, tmp_path):
    secret = os.urandom(32).replace(b"\n", b"n") + b"\n"
    path = tmp_path / "master"
    path.touch(mode=0o600)
    path.write_bytes(secret + b"\n")
    device = make_device(case)
    daemon = start(config={"psk": {"master_secret": {"file": str(path)}}})
    backend = daemon.backend()
    device.connect(daemon.port, psk=derived(secret, device.identity))
    backend.expect("connected", device=device.identity.id)


@newest
def test_the_default_key_serves_who_is_not_listed(case, start, make_device):
    shared = os.urandom(32)
    stranger, listed = make_device(case), make_device(case)
    daemon = start(listed.identity, registry={"default": {"psk_hex": shared.hex()}})
    backend = daemon.backend()
    stranger.connect(daemon.port, psk=shared)
    backend.expect("connected", device=stranger.identity.id)
    expect_refusal(case, daemon, listed, psk=shared)
