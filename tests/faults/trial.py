"""One life of usmpd in which something fails, and what must hold all the same.

Either it does not start, and says why, with the right exit status; or it serves: devices connect and messages pass both
ways afterwards, a reload takes what is new, and the end leaves nothing behind. No sanitizer has a word to say, and
whatever a device was told was accepted reaches the backend.
"""

import dataclasses
import grp
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "interop"))

from ear import Ear  # noqa: E402
from harness import configuration  # noqa: E402
from harness.identity import Identity, new_identity  # noqa: E402
from harness.lines import Lines  # noqa: E402
from harness.notify import NotifySocket  # noqa: E402
from harness.patience import seconds  # noqa: E402

BUG = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion .* failed|ERROR SUMMARY: [1-9]")
# What libraries forget when they are short of memory themselves.
SUPPRESSIONS = Path(__file__).resolve().parent / "lsan.suppressions"
ATTEMPTS = 4  # of a device, before it counts as shut out by what happened once
PATIENCE = seconds(20)
FAILURE, CONFIGURATION = 1, 78


class Broken(AssertionError):
    """Something that must hold did not."""


@dataclasses.dataclass
class Outcome:
    struck: list[str]  # as tests/faults/plan.h records them: name, number, the file of the code that called
    counts: dict[str, int]
    served: bool
    log: list[str]


class Trial:
    def __init__(self, fault: str | None) -> None:
        self.fault = fault
        self.folder = Path(tempfile.mkdtemp(prefix="usmpd-"))
        draw = random.SystemRandom()
        self.host = f"127.{draw.randint(128, 191)}.{draw.randint(0, 255)}.{draw.randint(1, 254)}"
        self.port = draw.randint(20000, 32000)
        self.tcp_device, self.udp_device, self.fresh, self.stranger = (new_identity() for _ in range(4))
        self.texts = 0
        self.attempts = ATTEMPTS
        self.accepted: list[str] = []
        self.started: "subprocess.Popen[bytes] | None" = None
        self._write_files()
        self.notify = NotifySocket(self.folder / "notify.sock")
        self.ear = Ear(self.folder / "backend.sock")

    def _write_files(self) -> None:
        address = [f"{self.host}:{self.port}"]
        configuration.write(self.folder / "usmpd.yaml", {
            "listen": {"tcp": address, "udp": address},
            "psk": {"registry": "devices.yaml", "master_secret": {"env": "MASTER"}},
            "backends": [{"name": "default", "socket": "backend.sock", "mode": "0660",
                          "group": grp.getgrgid(os.getgid()).gr_name}],
            "shutdown_timeout": "1s",
        })
        self._write_registry(self.tcp_device, self.udp_device)
        # What a killed one has left.
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(self.folder / "backend.sock"))

    def _write_registry(self, *identities: Identity) -> None:
        entries = {identity.id: identity.entry() for identity in identities}
        entries[self.stranger.id] = {"revoked": True}
        configuration.write(self.folder / "devices.yaml", {"devices": entries})

    def _environment(self) -> dict[str, str]:
        faults = {"USMPD_FAULT": self.fault} if self.fault else {}
        if (self.fault or "").startswith("library_"):
            faults["LSAN_OPTIONS"] = f"suppressions={SUPPRESSIONS}:print_suppressions=0"
        return {**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify.sock"), "WATCHDOG_USEC": "400000",
                "MASTER": "5up3r-" + os.urandom(32).hex(), "USMPD_FAULT_RECORD": str(self.folder / "record"),
                **faults}

    def start(self, *arguments: str, command: tuple[str, ...] = (), **options: Any) -> None:
        self.started = subprocess.Popen(
            [*command, os.environ["USMPD_FAULTS_BINARY"], *arguments, "--config", "usmpd.yaml"], cwd=self.folder,
            env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            **options)
        self.log = Lines(self.started.stdout, "usmpd")

    @property
    def alive(self) -> bool:
        return self.started.poll() is None

    def serves(self) -> bool:
        """Waits for the greeting of the backend's socket, or the end."""
        until = time.monotonic() + PATIENCE
        while self.alive and time.monotonic() < until:
            if self.ear.connect(seconds(2)):
                return True
            time.sleep(0.01)
        self.require(not self.alive or self.is_fault_of_a_library(), "it neither serves nor ends")
        return False

    def require(self, held: bool, what: str) -> None:
        if not held:
            struck = self.record()[0]
            raise Broken(f"{what}\n  fault: {self.fault}, {len(struck)} times: {struck[:1]}\n  " + "\n  ".join(self.log.all()))

    def text(self) -> str:
        self.texts += 1
        return f"text-{self.texts}"

    def device_command(self, verb: str, identity: Identity, *options: str) -> list[str]:
        key = self.folder / f"key-{identity.number}"
        if not key.exists():
            key.touch(mode=0o600)
            key.write_text(identity.psk.hex() + "\n")
        return [os.environ["USMP_BINARY"], verb, f"{self.host}:{self.port}", "--device", identity.id,
                "--psk-hex-file", str(key), *options]

    def send(self, identity: Identity, *options: str) -> bool:
        """One message up. Whether it was accepted."""
        text = self.text()
        try:
            done = subprocess.run([*self.device_command("send", identity, *options), text], timeout=PATIENCE,
                                  stdin=subprocess.DEVNULL, capture_output=True)
        except subprocess.TimeoutExpired:
            return False
        if done.returncode == 0:
            self.accepted.append(text)
        return done.returncode == 0

    def converse(self, identity: Identity, *options: str) -> bool:
        """A message up and one down. Whether both came, and the device left in peace."""
        up, down = self.text(), self.text()
        device = subprocess.Popen(self.device_command("connect", identity, *options), stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        lines = Lines(device.stdout, "device")
        try:
            device.stdin.write(up.encode() + b"\n")
            device.stdin.flush()
            done = self.ear.hear_text(up, seconds(5), lambda: device.poll() is None)
            done = done and self.ear.ask(seconds(2), op="send", device=identity.id, text=down, ref=down)
            if done:
                lines.wait_for(lambda line: down in line, seconds(2))
            device.stdin.close()
            return device.wait(seconds(5)) == 0 and done
        except (AssertionError, BrokenPipeError, subprocess.TimeoutExpired):
            return False
        finally:
            device.kill()
            device.wait()
            lines.wait_for_end()
            for pipe in (device.stdin, device.stdout):
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass

    def must(self, what: str, attempt: Callable[[], bool]) -> None:
        """A fault may spoil an attempt, and what it leaves the next one; no more."""
        for number in range(self.attempts):
            if attempt():
                return
            self.require(self.alive, f"it is gone: {what}")
            time.sleep(min(seconds(0.2) * number, 1))
        self.require(False, f"{what}: {self.attempts} attempts failed")

    def reload(self) -> bool:
        """Whether the new device got in."""
        before = sum(map(self._ends_a_reload, self.log.all()))
        self.started.send_signal(signal.SIGHUP)
        until = time.monotonic() + seconds(3)
        while self.alive and sum(map(self._ends_a_reload, self.log.all())) == before and time.monotonic() < until:
            time.sleep(0.01)
        return self.send(self.fresh, "--udp")

    @staticmethod
    def _ends_a_reload(line: str) -> bool:
        return "read again" in line or "everything stays as it was" in line or "cannot read the configuration" in line

    def be_used(self) -> None:
        self.must("a device over TCP", lambda: self.converse(self.tcp_device))
        self.must("a device over UDP", lambda: self.converse(self.udp_device, "--udp"))
        self.require(not self.send(self.stranger) or not self.alive, "a revoked device got in")
        self.must("a list of sessions", lambda: self.ear.ask(seconds(2), op="list", ref=self.text()) or
                  self.ear.connect(1) and False)
        self._write_registry(self.tcp_device, self.udp_device, self.fresh)
        self.must("a reload", self.reload)
        self.expect_messages()  # what a backend leaves unread in its socket is its own loss
        self.ear.close()
        self.must("a message without a backend", lambda: self.send(self.udp_device, "--udp"))
        self.must("the backend again", lambda: self.ear.connect(seconds(2)))
        self.must("a device after all that", lambda: self.converse(self.tcp_device))

    def be_used_once(self) -> None:
        self.must("a device over TCP", lambda: self.send(self.tcp_device))
        self.must("a device over UDP", lambda: self.send(self.udp_device, "--udp"))

    def live_through(self, use: Callable[[], None]) -> bool:
        """From the start that has been made to the end. Whether it served."""
        served = self.serves()
        try:
            if served:
                use()
                self.expect_messages()
                self.stop()
            elif not self.is_fault_of_a_library():
                self.expect_refusal()
        except Broken:
            if self.ended_with_the_start():  # the backend was greeted before that
                served = False
                self.expect_refusal()
            elif not self.died_of_libuv() and not self.is_fault_of_a_library():
                raise
        self.look_through_log()
        return served

    def stop(self) -> None:
        self.started.send_signal(signal.SIGTERM)
        try:
            status = self.started.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.require(False, "it does not end")
        self.log.wait_for_end()
        self.require(status == 0, f"exit status {status}")

    def expect_refusal(self) -> None:
        """It did not start."""
        self.log.wait_for_end()
        status = self.started.wait(PATIENCE)
        self.require(status in (FAILURE, CONFIGURATION), f"exit status {status} without a start")
        self.require(bool(self.log.all()), "it says nothing of why it does not start")

    def expect_messages(self) -> None:
        told_of_loss = any("an event is lost" in line for line in self.log.all())
        for text in self.accepted:
            self.require(told_of_loss or self.ear.hear_text(text, seconds(3)), f"{text} was accepted and did not come")

    def is_fault_of_a_library(self) -> bool:
        """libcrypto goes on without the memory for its own locks, which it makes in the self-test, and libseccomp without
        that for the filter it builds, which then refuses everything, even an end: both before usmpd is ready.
        AddressSanitizer asks the C library where a new thread's stack is, and cannot do without the answer."""
        struck, log = " ".join(self.record()[0]), "\n".join(self.log.all())
        crashed = "AddressSanitizer: SEGV" in log
        return ("libcrypto" in struck and crashed and " listening " not in log or
                "libseccomp" in struck and " ready " not in log or
                "libc.so" in struck and "pthread_getattr_np" in log)

    def look_through_log(self) -> None:
        keys = [identity.psk.hex() for identity in (self.tcp_device, self.udp_device, self.fresh, self.stranger)]
        excused = self.is_fault_of_a_library()
        for line in self.log.all():
            self.require(excused or not BUG.search(line), "a bug")
            self.require(not any(key in line for key in keys), "a key in the log")

    def record(self) -> tuple[list[str], dict[str, int]]:
        path = self.folder / "record"
        lines = [line.split(" ", 1) for line in path.read_text().splitlines()] if path.exists() else []
        counts = {name: int(number) for kind, rest in lines if kind == "count" for name, number in [rest.split()]}
        return [rest for kind, rest in lines if kind == "struck"], counts

    def ended_with_the_start(self) -> bool:
        return not self.alive and not any(" ready " in line for line in self.log.all())

    def died_of_libuv(self) -> bool:
        """libuv ends the process where it cannot go on without memory for its tables or without a thread; the service
        manager begins a new one (docs/errors.md)."""
        return (not self.alive and self.started.returncode == -signal.SIGABRT and
                any("libuv" in struck for struck in self.record()[0]))

    def outcome(self, served: bool) -> Outcome:
        struck, counts = self.record()
        return Outcome(struck, counts, served, self.log.all())

    def close(self) -> None:
        self.ear.close()
        self.notify.close()
        if self.started is not None:
            self.started.kill()
            self.started.wait()
            self.log.wait_for_end()
            self.started.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
