"""Rules 5 and 26: what the process shows of its keys."""

import base64
import ctypes
import os
import re
import resource
import signal
import subprocess
from pathlib import Path

import pytest
from harness.identity import new_identity
from harness.patience import USUAL

EX_CONFIG = 78
CAP_IPC_LOCK = 14
PR_CAPBSET_DROP = 24
PTRACE_ATTACH = 16


def status(gateway, field: str) -> str:
    text = Path(f"/proc/{gateway.pid}/status").read_text()
    return re.search(rf"^{field}:\s*(.*)$", text, re.M).group(1)


def test_rule_05_no_core_file_even_when_asked(start_usmpd):
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if hard == 0:
        pytest.skip("core files are off for all processes here")
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    gateway = start_usmpd(new_identity())
    limits = Path(f"/proc/{gateway.pid}/limits").read_text()
    assert re.search(r"^Max core file size +0 +0 ", limits, re.M), limits


def test_rule_05_not_dumpable_so_its_own_user_cannot_read_it(start_usmpd):
    """A process that is not dumpable belongs to root in /proc, whoever runs it, and its memory to nobody."""
    gateway = start_usmpd(new_identity())
    library = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0:
        assert library.ptrace(PTRACE_ATTACH, gateway.pid, None, None) == -1
        with pytest.raises(PermissionError):
            Path(f"/proc/{gateway.pid}/environ").read_bytes()
        return
    nobody = 65534

    def weak() -> None:
        os.setgroups([])
        os.setresgid(nobody, nobody, nobody)
        os.setresuid(nobody, nobody, nobody)

    folder = gateway.daemon.folder / "unprivileged"
    folder.mkdir(mode=0o755)
    gateway.daemon.folder.chmod(0o755)
    for name in ("usmpd.yaml", "devices.yaml"):
        text = (gateway.daemon.folder / name).read_text().replace(f":{gateway.port}", f":{gateway.port + 1000}")
        (folder / name).write_text(text.replace('"backend.sock"', f'"{folder}/backend.sock"'))
        (folder / name).chmod(0o600)
        os.chown(folder / name, nobody, nobody)
    os.chown(folder, nobody, nobody)
    binary = os.environ["USMPD_BINARY"]
    if subprocess.run(["test", "-x", binary], preexec_fn=weak).returncode != 0:
        pytest.skip("the daemon is where another user cannot run it")
    with subprocess.Popen([binary, "--config", str(folder / "usmpd.yaml")], preexec_fn=weak,
                          stderr=subprocess.PIPE, text=True) as other:
        try:
            assert any("ready" in line for line in other.stderr), "it did not start"
            for name in ("mem", "maps", "environ", "auxv", "fd"):
                read = subprocess.run(["ls" if name == "fd" else "cat", f"/proc/{other.pid}/{name}"], preexec_fn=weak,
                                      capture_output=True, text=True)
                assert "Permission denied" in read.stderr, (name, read)
        finally:
            other.terminate()


def test_rule_05_the_environment_is_wiped(start_usmpd):
    secret = base64.b64encode(os.urandom(32)).decode()
    gateway = start_usmpd(config={"psk": {"master_secret": {"env": "ATTACKED_SECRET"}}},
                          environment={"ATTACKED_SECRET": secret})
    assert secret.encode() not in Path(f"/proc/{gateway.pid}/environ").read_bytes()


def test_rule_05_keys_are_locked(start_usmpd):
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] < 1 << 16:
        pytest.skip("nothing can be locked here")
    gateway = start_usmpd(*(new_identity() for _ in range(300)))
    # 300 keys of 32 bytes, the cookie's, and a pool of key pairs.
    assert int(status(gateway, "VmLck").split()[0]) * 1024 >= 300 * 32


def without_locking() -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0 and library.prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0) != 0:
        os._exit(99)
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))


def test_rule_05_without_a_limit_to_lock_it_warns_or_does_not_start(start_usmpd):
    gateway = start_usmpd(new_identity())
    folder = gateway.daemon.folder
    command = [os.environ["USMPD_BINARY"], "--config", str(folder / "usmpd.yaml")]
    gateway.daemon.write_config({"psk": {"require_locked_memory": True}})
    done = subprocess.run(command, preexec_fn=without_locking, capture_output=True, text=True, timeout=USUAL)
    assert done.returncode == EX_CONFIG and "lock" in done.stderr, done
    other = folder / "other"
    other.mkdir()
    gateway.daemon.write_config({"psk": {"require_locked_memory": False}})
    text = (folder / "usmpd.yaml").read_text().replace(f":{gateway.port}", f":{gateway.port + 1000}")
    (other / "usmpd.yaml").write_text(text)
    (folder / "devices.yaml").rename(other / "devices.yaml")
    with subprocess.Popen([command[0], "--config", str(other / "usmpd.yaml")], preexec_fn=without_locking,
                          stderr=subprocess.PIPE, text=True) as process:
        before = []
        for line in process.stderr:
            if "ready" in line:
                break
            before.append(line)
        process.send_signal(signal.SIGKILL)
    assert any("warn" in line and "lock" in line for line in before), before


@pytest.mark.parametrize("mode", [0o640 | 0o004, 0o604, 0o666])
def test_rule_05_files_that_others_can_read_are_refused(start_usmpd, mode):
    known = new_identity()
    gateway = start_usmpd(known)
    registry = gateway.daemon.folder / "devices.yaml"
    registry.chmod(mode)
    done = subprocess.run([os.environ["USMPD_BINARY"], "--check", "--config", str(gateway.daemon.folder / "usmpd.yaml")],
                          capture_output=True, text=True, timeout=USUAL)
    assert done.returncode == EX_CONFIG and "chmod o-" in done.stderr, done


def test_rule_05_what_is_checked_is_the_open_file(start_usmpd):
    """A link to a file that others can read is that file."""
    gateway = start_usmpd(new_identity())
    folder = gateway.daemon.folder
    (folder / "devices.yaml").rename(folder / "readable.yaml")
    (folder / "readable.yaml").chmod(0o644)
    (folder / "devices.yaml").symlink_to("readable.yaml")
    done = subprocess.run([os.environ["USMPD_BINARY"], "--check", "--config", str(folder / "usmpd.yaml")],
                          capture_output=True, text=True, timeout=USUAL)
    assert done.returncode == EX_CONFIG, done


def test_rule_26_there_is_no_key_log(start_usmpd):
    gateway = start_usmpd(new_identity(), environment={"SSLKEYLOGFILE": "keylog.txt", "USMPD_KEYLOG": "keylog.txt"})
    assert not list(gateway.daemon.folder.glob("*keylog*")) and not os.path.exists("keylog.txt")
    binary, config = os.environ["USMPD_BINARY"], gateway.daemon.folder / "usmpd.yaml"
    for option in ("--keylog", "--key-log"):
        done = subprocess.run([binary, "--config", str(config), f"{option}=x"], capture_output=True, timeout=USUAL)
        assert done.returncode == 2, done
    for change in ({"keylog": "x"}, {"key_log": "x"}, {"log": {"keys": "x"}}):
        gateway.daemon.write_config(change)
        done = subprocess.run([binary, "--check", "--config", str(config)], capture_output=True, timeout=USUAL)
        assert done.returncode == EX_CONFIG, (change, done)
