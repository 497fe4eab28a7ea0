"""Rule 24: sockets of usmpd's own, and no second usmpd."""

import os
import socket
import stat
import subprocess

import pytest
from harness.backend import Refused
from harness.identity import new_identity
from harness.patience import USUAL


def second(gateway) -> "subprocess.CompletedProcess[str]":
    """Another usmpd with the same backend socket, and devices elsewhere."""
    folder = gateway.daemon.folder
    text = (folder / "usmpd.yaml").read_text().replace(f":{gateway.port}", f":{gateway.port + 1000}")
    (folder / "second.yaml").write_text(text)
    return subprocess.run([os.environ["USMPD_BINARY"], "--config", str(folder / "second.yaml")], capture_output=True,
                          text=True, timeout=USUAL)


def test_rule_24_a_second_usmpd_on_the_same_socket_is_refused(start_usmpd):
    identity = new_identity()
    gateway = start_usmpd(identity)
    done = second(gateway)
    assert done.returncode not in (0, -9) and "lock" in done.stderr, done
    gateway.connected(identity)


@pytest.mark.parametrize("mode", ["0600", "0660", "0606"])
def test_rule_24_the_socket_has_its_mode(start_usmpd, mode):
    before = os.umask(0)
    try:
        gateway = start_usmpd(config={"backends": [{"name": "default", "socket": "backend.sock", "mode": mode}]})
    finally:
        os.umask(before)
    found = (gateway.daemon.folder / "backend.sock").stat()
    assert stat.S_IMODE(found.st_mode) == int(mode, 8) and found.st_uid == os.geteuid()


def test_rule_24_a_stale_socket_of_its_own_is_replaced(start_usmpd):
    identity = new_identity()
    gateway = start_usmpd(identity)
    folder = gateway.daemon.folder
    gateway.daemon.process.kill()
    gateway.daemon.process.wait(USUAL)
    gateway.daemon.exits = {-9}
    assert (folder / "backend.sock").is_socket()
    with subprocess.Popen([os.environ["USMPD_BINARY"], "--config", str(folder / "usmpd.yaml")], stderr=subprocess.PIPE,
                          text=True) as process:
        try:
            assert any("ready" in line for line in process.stderr), "the stale socket keeps it from starting"
        finally:
            process.terminate()
    gateway._ended = True


def what_is_there(folder, kind: str):
    path = folder / "backend.sock"
    path.unlink()
    if kind == "a file":
        path.write_text("precious")
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a link":
        (folder / "elsewhere").write_text("precious")
        path.symlink_to("elsewhere")
    elif kind == "a socket in use":
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        return listener
    return None


@pytest.mark.parametrize("kind", ["a file", "a folder", "a link", "a socket in use"])
def test_rule_24_nothing_else_is_removed(start_usmpd, kind):
    gateway = start_usmpd(new_identity())
    folder = gateway.daemon.folder
    gateway.end()
    (folder / "backend.sock").touch()
    kept = what_is_there(folder, kind)
    before = (folder / "backend.sock").lstat()
    done = subprocess.run([os.environ["USMPD_BINARY"], "--config", str(folder / "usmpd.yaml")], capture_output=True,
                          text=True, timeout=USUAL)
    assert done.returncode not in (0, -9), done
    after = (folder / "backend.sock").lstat()
    assert (before.st_ino, before.st_mode, before.st_size) == (after.st_ino, after.st_mode, after.st_size)
    if kept is not None:
        kept.close()


def test_rule_24_a_second_backend_is_told_that_it_is_one(start_usmpd):
    gateway = start_usmpd(new_identity())
    gateway.backend.sessions()
    with pytest.raises(Refused) as refusal:
        gateway.daemon.backend()
    assert refusal.value.code == "in_use"
