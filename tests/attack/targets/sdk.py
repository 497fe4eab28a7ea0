"""The target is the gateway of a released SDK, where a test asks for nothing that it does not have."""

import base64
import collections
import itertools
import json
import os
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from harness import addresses
from harness.backend import payload, shown
from harness.identity import Identity
from harness.lines import Lines
from harness.patience import USUAL, seconds

from attacker.device import Device

from . import memory

PROGRAM = Path(__file__).resolve().parent / "sdk_program.py"
WIRES = {"1.2.2": (2,), "0.5.1": (1,)}


def cannot_run(why: str) -> None:
    pytest.skip(f"cannot run: {why}")


class SdkBackend:
    """What tests use of harness.backend.Backend, on the program's standard input and output."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._changed = threading.Condition()
        self._events: collections.deque[dict[str, Any]] = collections.deque()
        self._answers: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        threading.Thread(target=self._read, name="sdk gateway", daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout:
            fields = json.loads(line)
            with self._changed:
                if "ref" in fields:
                    self._answers[fields["ref"]] = fields
                else:
                    self._events.append(fields)
                self._changed.notify_all()

    def has_event(self, timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: bool(self._events), timeout)

    def next_event(self, timeout: float = USUAL) -> dict[str, Any]:
        assert self.has_event(timeout), "no event came"
        with self._changed:
            return self._events.popleft()

    def expect(self, type: str, timeout: float = USUAL, **fields: Any) -> dict[str, Any]:
        """As far as the SDK tells of these fields."""
        event = self.next_event(timeout)
        assert event["type"] == type, f"expected {type}, got {event}"
        assert all(event[key] == value for key, value in fields.items() if key in event), f"expected {fields}, got {event}"
        return event

    def expect_message(self, data: bytes, timeout: float = USUAL, **fields: Any) -> dict[str, Any]:
        event = self.expect("message", timeout, **fields)
        assert payload(event) == data, f"got {shown(payload(event))} in place of {shown(data)}"
        return event

    def expect_nothing(self) -> None:
        self.sessions()
        with self._changed:
            assert not self._events, f"unexpected: {list(self._events)}"

    def sessions(self) -> list[dict[str, Any]]:
        return [{"device": device} for device in self.answer(self.post(op="list"))["sessions"]]

    def post(self, **fields: Any) -> str:
        reference = f"r{next(self._numbers)}"
        self._process.stdin.write(json.dumps({**fields, "ref": reference}).encode() + b"\n")
        self._process.stdin.flush()
        return reference

    def answer(self, reference: str, timeout: float = USUAL) -> dict[str, Any]:
        with self._changed:
            assert self._changed.wait_for(lambda: reference in self._answers, timeout), "no answer"
            return self._answers.pop(reference)

    def post_send(self, device: str, data: bytes, **fields: Any) -> str:
        if fields:
            cannot_run(f"the SDK cannot send with {', '.join(fields)}")
        return self.post(op="send", device=device, base64=base64.b64encode(data).decode())

    def send(self, device: str, data: bytes, **fields: Any) -> dict[str, Any]:
        return self.answer(self.post_send(device, data, **fields))


def duration(text: str) -> float:
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text[:-1])


def options(config: Mapping[str, Any]) -> dict[str, Any]:
    """The SDK's settings for those of usmpd that it has, too."""
    found: dict[str, Any] = {"handshake_timeout": 10.0, "session_timeout": 60.0, "connections": 5}
    for key, value in config.items():
        if key in ("handshake_timeout", "session_timeout"):
            found[key] = duration(value)
        elif key == "limits" and set(value) == {"trusted"}:
            found["connections"] = 100000
        else:
            cannot_run(f"the SDK has no setting like {key}")
    return found


class SdkGateway:
    def __init__(self, version: str, identities: tuple[Identity, ...], config: Mapping[str, Any]) -> None:
        self.wires = WIRES[version]
        self.port = addresses.free_port()
        devices = {identity.raw.hex(): identity.psk.hex() for identity in identities}
        self.process = subprocess.Popen(
            [os.environ[f"USMPD_INTEROP_SDK_{version.replace('.', '_')}"], str(PROGRAM),
             json.dumps({"port": self.port, "devices": devices, **options(config)})],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._log = Lines(self.process.stderr, "sdk log")
        self._log.wait_for_count("istening", 2)
        self.backend = SdkBackend(self.process)
        self._made: list[Device] = []

    def address(self, transport: str) -> tuple[str, int]:
        return addresses.GATEWAY, self.port

    @property
    def pid(self) -> int:
        return self.process.pid

    def device(self, identity: Identity, transport: str = "tcp", wire: int = 2,
               source: str | tuple[str, int] | None = None, **options: Any) -> Device:
        if wire not in self.wires:
            cannot_run(f"it does not speak wire {wire}")
        made = Device(identity, self.address(transport), transport, wire, source or addresses.new_source(), **options)
        self._made.append(made)
        return made

    def connected(self, identity: Identity, transport: str = "tcp", wire: int = 2, **options: Any) -> Device:
        device = self.device(identity, transport, wire, **options).connect()
        self.backend.expect("connected", device=identity.id)
        return device

    def log(self) -> list[str]:
        return self._log.all()

    def resident(self) -> int:
        return memory.resident(self.pid)

    def is_running(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        for device in self._made:
            device.close()
        self.process.kill()
        self.process.wait(seconds(10))
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()
