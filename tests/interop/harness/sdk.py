"""The test's side of device.py, and of the strict devices that are steered the same way: processes, and the devices in
them."""

import itertools
import json
import os
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from . import addresses
from .backend import shown
from .identity import Identity
from .patience import USUAL, seconds

DRIVER = Path(__file__).resolve().parent.parent / "device.py"


class SdkError(Exception):
    """What the SDK raised. `kinds` has the names of its class and those that it descends from."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['kind']}: {error['message']}")
        self.kind: str = error["kind"]
        self.kinds: list[str] = error["kinds"]
        self.message: str = error["message"]


def sdk_process(version: str) -> "SdkProcess":
    python = os.environ[f"USMPD_INTEROP_SDK_{version.replace('.', '_')}"]
    return SdkProcess([python, str(DRIVER)], version)


class SdkProcess:
    """One device.py with one SDK version, or strict devices of one era; shared by the tests of a worker."""

    def __init__(self, command: Sequence[str], version: str) -> None:
        self.version = version
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ready = json.loads(self.process.stdout.readline())
        assert ready == {"event": "ready", "version": version}, ready
        self._calls: dict[int, Future[Any]] = {}
        self._devices: dict[str, Device] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        threading.Thread(target=self._read, name=f"devices {version}", daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            answer = json.loads(line)
            if "event" in answer:
                self._devices[answer["device"]].take_event(answer)
                continue
            with self._lock:
                future = self._calls.pop(answer["call"])
            if "error" in answer:
                future.set_exception(SdkError(answer["error"]))
            else:
                future.set_result(answer["result"])
        with self._lock:
            for future in self._calls.values():
                future.set_exception(RuntimeError(f"the process of the devices {self.version} ended"))

    def call(self, **fields: Any) -> "Future[Any]":
        with self._lock:
            number = next(self._numbers)
            future = self._calls[number] = Future()
            self.process.stdin.write((json.dumps({"call": number, **fields}) + "\n").encode())
            self.process.stdin.flush()
        return future

    def device(self, identity: Identity, transport: str, lacks: Mapping[str, str]) -> "Device":
        device = Device(self, f"device {len(self._devices) + 1}", identity, transport, lacks)
        self._devices[device.name] = device
        return device

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(seconds(10))


class Device:
    """A device in an SdkProcess. It has an address of its own, kept over reconnects.

    `lacks` says what it cannot do, and why; a test that asks for it is skipped.
    """

    def __init__(
        self, sdk: SdkProcess, name: str, identity: Identity, transport: str, lacks: Mapping[str, str] = {}
    ) -> None:
        self.sdk, self.name, self.identity, self.transport = sdk, name, identity, transport
        self._lacks = lacks
        self.source = addresses.new_source()
        self.session = ""
        self.local: tuple[str, int] = ("", 0)
        self._events: dict[str, queue.SimpleQueue[dict[str, Any]]] = {
            kind: queue.SimpleQueue() for kind in ("message", "opened", "repeated", "paused", "ended")
        }

    def needs(self, ability: str) -> None:
        if ability in self._lacks:
            pytest.skip(self._lacks[ability])

    def take_event(self, event: dict[str, Any]) -> None:
        self._events[event["event"]].put(event)

    def start(self, op: str, **arguments: Any) -> "Future[Any]":
        return self.sdk.call(op=op, device=self.name, **arguments)

    def start_connect(
        self, port: int, host: str = addresses.GATEWAY, psk: bytes | None = None,
        local_port: int = 0, timeout: float = USUAL, first_message: bytes | None = None,
    ) -> "Future[Any]":
        if ":" in host:
            self.needs("IPv6")
        source = self.source if ":" not in host else "::1"
        return self.start(
            "connect", host=host, port=port, transport=self.transport, id=self.identity.raw.hex(),
            psk=(psk or self.identity.psk).hex(), source=[source, local_port], timeout=timeout,
            first_message=None if first_message is None else first_message.hex(),
        )

    def connect(self, port: int, **options: Any) -> None:
        """Shakes hands; raises SdkError when the SDK does."""
        result = self.start_connect(port, **options).result(seconds(60))
        self.session = result["session"]
        self.local = tuple(result["local"])

    @property
    def peer(self) -> str:
        """As usmpd prints its address."""
        host, port = self.local
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def start_send(self, *messages: bytes) -> "Future[Any]":
        return self.start("send_all", data=[message.hex() for message in messages])

    def send(self, *messages: bytes) -> None:
        self.start_send(*messages).result(seconds(60))

    def ping(self) -> None:
        self.start("ping").result(USUAL)

    def rekey(self) -> None:
        self.start("rekey").result(USUAL)

    def use_chacha20(self) -> None:
        self.start("use_chacha20").result(USUAL)

    def bye(self) -> None:
        self.needs("BYE")
        self.start("bye").result(USUAL)

    def abort(self, reset: bool = False) -> None:
        self.start("abort", reset=reset).result(USUAL)

    def expect_message(self, data: bytes, timeout: float = USUAL) -> None:
        received = bytes.fromhex(self._wait("message", timeout)["data"])
        assert received == data, f"the device received {shown(received)} in place of {shown(data)}"

    def expect_opened(self, type: str, timeout: float = USUAL) -> int:
        """Waits for a frame of this type, passing over others before it; its seq."""
        while (event := self._wait("opened", timeout))["type"] != type:
            pass
        return event["seq"]

    def expect_ended(self, timeout: float = USUAL) -> SdkError:
        return SdkError(self._wait("ended", timeout)["error"])

    def expect_pressure(self, timeout: float = USUAL) -> None:
        """Waits until the gateway holds the device back: TCP writes stall, UDP frames go unacknowledged."""
        self._wait("repeated" if self.transport == "udp" else "paused", timeout)

    def messages(self) -> list[bytes]:
        """What has been received and not been expected yet."""
        return [bytes.fromhex(event["data"]) for event in self._drain("message")]

    def opened_types(self) -> list[str]:
        return [event["type"] for event in self._drain("opened")]

    def _wait(self, kind: str, timeout: float) -> dict[str, Any]:
        try:
            return self._events[kind].get(timeout=timeout)
        except queue.Empty:
            raise AssertionError(f"device {self.identity.id}: no event {kind!r} in {timeout:g} s") from None

    def _drain(self, kind: str) -> list[dict[str, Any]]:
        waiting = self._events[kind]
        return [waiting.get() for _ in range(waiting.qsize())]
