"""Rules 1 and 2: which keys usmpd takes at all, at start and at reload."""

import base64
import hashlib
import hmac
import os
import subprocess
from pathlib import Path

import pytest
from harness import configuration
from harness.identity import Identity, new_identity
from harness.patience import USUAL

from attacker.device import gets_in

EX_CONFIG = 78
DOCUMENTED_HEX = "7f3a1b9e2c4d5f6a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a"
PUBLISHED = ["usmp-dev-psk-change-me-before-prod", "your-generated-psk-here", "unique-psk-for-device-1",
             "unique-psk-for-device-2", DOCUMENTED_HEX]

WEAK_ENTRIES = {
    **{f"published {text[:12]} {text[-4:]}": {"psk": text} for text in PUBLISHED},
    "published, decoded": {"psk_hex": DOCUMENTED_HEX},
    "published, as hex": {"psk_hex": PUBLISHED[1].encode().hex()},
    "zero bytes": {"psk_hex": "00" * 32},
    "one repeated byte": {"psk_hex": "a7" * 32},
    "one repeated letter": {"psk": "x" * 40},
    "15 bytes": {"psk_hex": os.urandom(14).hex() + "01"},
    "15 bytes and zeros": {"psk_hex": os.urandom(14).hex() + "01" + "00" * 17},
    "empty": {"psk": ""},
}
WEAK_SECRETS = {"empty": b"", "only a newline": b"\n", "31 bytes": os.urandom(30) + b"x", "one byte": b"q" * 64,
                "31 bytes and a newline": b"k" + os.urandom(29) + b"x\n"}

usmpd_only = pytest.mark.usefixtures("start_usmpd")
entries = pytest.mark.parametrize("entry", WEAK_ENTRIES.values(), ids=WEAK_ENTRIES.keys())
secrets = pytest.mark.parametrize("secret", WEAK_SECRETS.values(), ids=WEAK_SECRETS.keys())


def check(folder: Path, registry: dict, psk: dict = {}, start: bool = False) -> "subprocess.CompletedProcess[str]":
    configuration.write(folder / "devices.yaml", registry)
    configuration.write(folder / "usmpd.yaml", {
        "listen": {"tcp": ["127.0.0.1:19999"], "udp": []}, "psk": {"registry": "devices.yaml", **psk},
        "backends": [{"socket": str(folder / "backend.sock")}]})
    command = [os.environ["USMPD_BINARY"], "--config", str(folder / "usmpd.yaml")] + ([] if start else ["--check"])
    return subprocess.run(command, capture_output=True, text=True, timeout=USUAL)


def secret_file(folder: Path, content: bytes) -> dict:
    path = folder / "master"
    path.touch(mode=0o600)
    path.write_bytes(content)
    return {"master_secret": {"file": "master"}}


@usmpd_only
@entries
def test_rule_01_a_weak_psk_is_refused_at_start(tmp_path, entry):
    registry = {"devices": {"de:ad:be:00:00:01": entry}}
    for start in (False, True):
        done = check(tmp_path, registry, start=start)
        assert done.returncode == EX_CONFIG, done
        assert "devices.yaml:" in done.stderr and "psk" in done.stderr


@usmpd_only
@entries
def test_rule_01_a_weak_default_psk_is_refused_at_start(tmp_path, entry):
    assert check(tmp_path, {"devices": {}, "default": entry}).returncode == EX_CONFIG


@usmpd_only
@secrets
def test_rule_01_a_weak_master_secret_is_refused_at_start(tmp_path, secret):
    for start in (False, True):
        done = check(tmp_path, {"devices": {}}, secret_file(tmp_path, secret), start)
        assert done.returncode == EX_CONFIG and "master_secret" in done.stderr, done


@usmpd_only
def test_rule_01_good_keys_are_taken(tmp_path):
    registry = {"devices": {"de:ad:be:00:00:01": {"psk_hex": os.urandom(32).hex()},
                            "de:ad:be:00:00:02": {"psk_hex": (b"\1" + os.urandom(14) + b"\1").hex()}}}
    done = check(tmp_path, registry, secret_file(tmp_path, b"\1" + os.urandom(30) + b"\1\n"))
    assert (done.returncode, done.stderr) == (0, ""), done


@usmpd_only
@pytest.mark.parametrize("text", ["abcabcabcabcabcabcabcabc", "aaaaaaaaaaaaaaaaaaab", "0000000000000001",
                                  "de:ad:be:00:00:01abcd"])
def test_rule_01_a_psk_that_can_be_guessed_is_a_warning(tmp_path, text):
    done = check(tmp_path, {"devices": {"de:ad:be:00:00:01": {"psk": text}}})
    assert done.returncode == 0 and "devices.yaml:" in done.stderr and "guess" in done.stderr, done


@usmpd_only
def test_rule_01_a_long_random_text_is_no_warning(tmp_path):
    text = base64.b64encode(os.urandom(24)).decode()
    done = check(tmp_path, {"devices": {"de:ad:be:00:00:01": {"psk": text}}})
    assert (done.returncode, done.stderr) == (0, "")


@entries
def test_rule_01_a_reload_does_not_bring_a_weak_psk(start_usmpd, entry):
    known = new_identity()
    gateway = start_usmpd(known)
    text = entry.get("psk", "").encode() or bytes.fromhex(entry.get("psk_hex", ""))
    weak = Identity(new_identity().number, text)
    gateway.daemon.write_registry({known.id: known.entry(), weak.id: entry})
    gateway.daemon.reload()
    gateway.daemon.log.wait_for(lambda line: "everything stays as it was" in line)
    assert not gets_in(gateway.device(weak))
    gateway.connected(known)


def test_rule_01_a_reload_does_not_bring_a_weak_master_secret(start_usmpd):
    known = new_identity()
    gateway = start_usmpd(known)
    gateway.daemon.write_config({"psk": secret_file(gateway.daemon.folder, b"\0" * 32)})
    gateway.daemon.reload()
    gateway.daemon.log.wait_for(lambda line: "everything stays as it was" in line)
    gateway.connected(known)


@usmpd_only
def test_rule_02_default_and_a_master_secret_exclude_each_other(tmp_path):
    registry = {"devices": {}, "default": {"psk_hex": os.urandom(32).hex()}}
    assert check(tmp_path, registry, secret_file(tmp_path, os.urandom(31) + b"x")).returncode == EX_CONFIG


@pytest.mark.parametrize("entry", [
    {"psk_hex": "c1" + os.urandom(31).hex(), "until": "2020-01-01"},
    [{"psk_hex": "c1" + os.urandom(31).hex(), "until": "2020-01-01"},
     {"psk_hex": "c2" + os.urandom(31).hex(), "until": "2021-01-01"}],
    {"psk_hex": "c3" + os.urandom(31).hex()},
    {"revoked": True},
], ids=["expired", "all expired", "another key", "revoked"])
def test_rule_02_such_an_entry_does_not_fall_through_to_default(start_usmpd, entry):
    device, stranger = new_identity(), new_identity()
    gateway = start_usmpd(devices={device.id: entry}, registry={"default": {"psk_hex": stranger.psk.hex()}})
    assert not gets_in(gateway.device(Identity(device.number, stranger.psk)))
    gateway.connected(stranger)


def test_rule_02_nor_to_the_master_secret(start_usmpd):
    secret = base64.b64encode(os.urandom(32)).decode()
    revoked, expired, free = (
        Identity(each.number, hmac.new(secret.encode(), each.raw, hashlib.sha256).digest())
        for each in (new_identity() for _ in range(3)))
    gateway = start_usmpd(
        config={"psk": {"master_secret": {"env": "ATTACKED_SECRET"}}}, environment={"ATTACKED_SECRET": secret},
        devices={revoked.id: {"revoked": True},
                 expired.id: {"psk_hex": os.urandom(32).hex(), "until": "2020-01-01"}})
    gateway.connected(free)
    assert not gets_in(gateway.device(revoked))
    assert not gets_in(gateway.device(expired))


def test_rule_02_an_entry_without_a_key_keeps_its_settings(start_usmpd):
    device = new_identity()
    gateway = start_usmpd(devices={device.id: {"max_downlink": 10}}, registry={"default": {"psk_hex": device.psk.hex()}})
    gateway.connected(device)
    assert gateway.backend.send(device.id, bytes(11))["code"] == "too_large"


def test_rule_02_devices_under_default_have_a_limit_of_their_own(start_usmpd):
    shared = new_identity()
    others = [Identity(new_identity().number, shared.psk) for _ in range(3)]
    known = new_identity()
    gateway = start_usmpd(known, registry={"default": {"psk_hex": shared.psk.hex()}},
                          config={"limits": {"default_psk_sessions": 2}})
    assert any("default" in line for line in gateway.log()), "start does not say that these are not told apart"
    for other in others[:2]:
        gateway.connected(other)
    assert not gets_in(gateway.device(others[2]))
    gateway.connected(known)
