"""usmpd from outside: its files, its process, its log, its signals; devices and noise before it."""

import ctypes
import io
import itertools
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))

from harness import configuration  # noqa: E402
from harness.backend import Backend  # noqa: E402
from harness.identity import Identity, new_identity  # noqa: E402
from harness.lines import Lines  # noqa: E402
from harness.notify import NotifySocket  # noqa: E402
from harness.patience import USUAL, seconds  # noqa: E402

USMPD = os.environ["USMPD_BINARY"]
USMP = os.environ["USMP_BINARY"]
BUG = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion .* failed|ERROR SUMMARY: [1-9]")
# As long as a key in hex is; ids of sessions are shorter.
LONG_HEX = re.compile(r"[0-9a-fA-F]{48}")


class Usmpd:
    """A running usmpd with a folder of its own. Nothing else has its address."""

    def __init__(self, case: "Case", environment: Mapping[str, str], **process: Any) -> None:
        self.case = case
        self.host, self.port = case.host, case.port
        self.exits = {0}  # what it may end with
        notify_path = case.folder / f"notify{next(case.numbers)}.sock"
        self.notify = NotifySocket(notify_path)
        case.addCleanup(self.notify.close)
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **process}
        command = options.pop("command", [USMPD, "--config", "usmpd.yaml"])
        self.process = subprocess.Popen(
            command, cwd=case.folder,
            env={**os.environ, "NOTIFY_SOCKET": str(notify_path), **environment}, **options)
        self.log = Lines(self.process.stdout or io.BytesIO(), "usmpd")
        case.addCleanup(self._clean_up)

    @property
    def pid(self) -> int:
        return self.process.pid

    def expect_ready(self) -> None:
        try:
            self.notify.expect("READY=1")
        except AssertionError as failure:
            self.process.kill()
            self.log.wait_for_end()
            raise AssertionError("it did not get ready:\n" + "\n".join(self.log.all())) from failure

    def expect_log(self, text: str) -> str:
        return self.log.wait_for(lambda line: text in line)

    def kill(self, number: int) -> None:
        self.process.send_signal(number)

    def reload(self) -> None:
        self.kill(signal.SIGHUP)
        self.notify.expect("RELOADING=1")
        self.notify.expect("READY=1")

    def terminate(self) -> None:
        self.kill(signal.SIGTERM)

    def expect_exit(self, *statuses: int, timeout: float = USUAL) -> None:
        status = self.process.wait(timeout)
        self.exits = set(statuses) or self.exits
        assert status in self.exits, f"exit status {status}\n" + "\n".join(self.log.all())
        self.log.wait_for_end()

    def backend(self, name: str = "backend.sock", **options: Any) -> Backend:
        backend = Backend(self.case.folder / name, **options)
        self.case.addCleanup(backend.close)
        return backend

    def proc(self, name: str) -> bytes:
        return Path(f"/proc/{self.pid}/{name}").read_bytes()

    def status(self, field: str) -> str:
        return re.search(rf"^{field}:\s*(.*)$", self.proc("status").decode(), re.MULTILINE).group(1)

    def tcp(self) -> socket.socket:
        """A connection without a device."""
        return self.case.closing(socket.create_connection((self.host, self.port), USUAL))

    def udp(self) -> socket.socket:
        sender = self.case.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sender.connect((self.host, self.port))
        return sender

    def send(self, identity: Identity, *texts: str, udp: bool = False, options: tuple[str, ...] = ()) -> None:
        """A device that connects, sends, and says BYE."""
        done = subprocess.run(self.device_command("send", identity, udp, options) + list(texts), timeout=USUAL,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def device_command(self, verb: str, identity: Identity, udp: bool, options: tuple[str, ...] = ()) -> list[str]:
        key = self.case.write(f"key-{identity.number}", identity.psk.hex() + "\n")
        return [USMP, verb, f"{self.host}:{self.port}", "--device", identity.id, "--psk-hex-file", str(key),
                *(["--udp"] if udp else []), *options]

    def connect(self, identity: Identity, udp: bool = False, options: tuple[str, ...] = ()) -> "Device":
        return Device(self, identity, udp, options)

    def _clean_up(self) -> None:
        try:
            if self.process.poll() is None:
                self.terminate()
            self.expect_exit()
            self.case.look_through(self.log.all())
        finally:
            self.process.kill()
            self.process.wait(seconds(10))
            if self.process.stdout is not None:
                self.process.stdout.close()


class Device:
    """`usmp connect`: lines go up, what comes down are lines."""

    def __init__(self, usmpd: Usmpd, identity: Identity, udp: bool, options: tuple[str, ...]) -> None:
        self.process = subprocess.Popen(
            usmpd.device_command("connect", identity, udp, options), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.lines = Lines(self.process.stdout, "device")
        usmpd.case.addCleanup(self._clean_up)

    def send(self, text: str) -> None:
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def leave(self) -> None:
        self.process.stdin.close()
        assert self.process.wait(USUAL) == 0, "\n".join(self.lines.all())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(USUAL)

    def _clean_up(self) -> None:
        self.process.terminate()  # it says BYE, so that usmpd has nobody to wait for
        self.process.wait(USUAL)
        self.lines.wait_for_end()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass


class Case(unittest.TestCase):
    """A folder with a configuration, and a loopback address that nobody else uses."""

    def setUp(self) -> None:
        # Short: the path of a Unix socket has at most 107 bytes. Open, so that usmpd may be another user.
        self.folder = Path(tempfile.mkdtemp(prefix="usmpd-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.folder.chmod(0o755)
        draw = random.SystemRandom()
        self.host = f"127.{draw.randint(64, 127)}.{draw.randint(0, 255)}.{draw.randint(1, 254)}"
        self.port = draw.randint(20000, 32000)
        self.numbers = itertools.count(1)
        self.secrets: list[str] = []
        self.identity = self.new_identity()
        self.other = self.new_identity()
        self.write_registry(self.identity, self.other)
        self.config: dict[str, Any] = {
            "listen": {transport: [f"{self.host}:{self.port}"] for transport in ("tcp", "udp")},
            "psk": {"registry": "devices.yaml"},
            "backends": [{"name": "default", "socket": "backend.sock"}],
            "shutdown_timeout": "2s",
        }
        self.write_config({})

    def new_identity(self, psk: bytes | None = None) -> Identity:
        """Its key must never turn up in a log."""
        identity = new_identity(psk)
        self.secrets += [identity.psk.hex(), repr(identity.psk)[2:-1]]
        return identity

    def closing(self, thing: Any) -> Any:
        self.addCleanup(thing.close)
        return thing

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        path.write_text(text)
        path.chmod(mode)
        return path

    def write_registry(self, *identities: Identity, **settings: Any) -> None:
        entries = {identity.id: identity.entry() for identity in identities}
        configuration.write(self.folder / "devices.yaml", {"devices": entries, **settings})

    def write_config(self, changes: Mapping[str, Any]) -> None:
        self.config = configuration.merged(self.config, changes)
        configuration.write(self.folder / "usmpd.yaml", self.config)

    def run_usmpd(self, *arguments: str, **options: Any) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run([USMPD, *arguments], cwd=self.folder, timeout=USUAL, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, **options)
        self.look_through((done.stdout + done.stderr).splitlines())
        return done

    def launch(self, environment: Mapping[str, str] = {}, **process: Any) -> Usmpd:
        return Usmpd(self, environment, **process)

    def start(self, environment: Mapping[str, str] = {}, **process: Any) -> Usmpd:
        usmpd = self.launch(environment, **process)
        usmpd.expect_ready()
        return usmpd

    def look_through(self, lines: list[str]) -> None:
        """What must never have happened."""
        for line in lines:
            assert not BUG.search(line), "\n".join(lines)
            assert not any(secret in line for secret in self.secrets), f"a secret: {line}"
            assert not LONG_HEX.search(line), f"this may be a key: {line}"


def without_capability(number: int) -> Callable[[], None]:
    """For preexec_fn: what is executed then does not have it, even as root."""
    library = ctypes.CDLL(None, use_errno=True)

    def drop() -> None:
        PR_CAPBSET_DROP = 24
        if os.geteuid() == 0 and library.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "PR_CAPBSET_DROP")

    return drop
