"""Devices that only do what they should while an attack goes on: each message has to arrive, once, in order."""

import threading
import time
from typing import Any

from harness.backend import payload
from harness.identity import Identity
from harness.patience import USUAL

from attacker.device import Closed, Device, Silent


class Fleet:
    """One device a way, each with a session from before the attack. `with` them, they send all the time."""

    def __init__(self, gateway: Any, identities: dict[tuple[int, str], Identity], interval: float = 0.05) -> None:
        self.gateway = gateway
        self._interval = interval
        self.devices: list[Device] = []
        for (wire, transport), identity in identities.items():
            self.devices.append(gateway.connected(identity, transport, wire))
        self.sent = {device.identity.id: 0 for device in self.devices}
        self.troubles: list[str] = []
        self.waits: list[float] = []  # for a UTACK, in seconds
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(device,), daemon=True) for device in self.devices]

    def _run(self, device: Device) -> None:
        while not self._stop.wait(self._interval):
            begun = time.monotonic()
            try:
                device.say(b"message %d" % self.sent[device.identity.id])
            except (Closed, Silent) as trouble:
                self.troubles.append(f"{device.transport} wire {device.wire}: {trouble!r}")
                return
            if device.is_udp:
                self.waits.append(time.monotonic() - begun)
            self.sent[device.identity.id] += 1

    def __enter__(self) -> "Fleet":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(USUAL)

    def expect_unharmed(self, others: dict[str, int] = {}) -> None:
        """Everything that was sent arrived once, in order; so did the messages of `others`, by id: how many."""
        assert not self.troubles, self.troubles
        wanted = {**self.sent, **others}
        got = dict.fromkeys(wanted, 0)
        while got != wanted:
            event = self.gateway.backend.next_event()
            if event["device"] not in wanted:
                continue
            if event["type"] != "message":
                assert event["device"] not in self.sent, f"a session ended or began: {event}"
                continue
            text = payload(event).decode()
            assert text == f"message {got[event['device']]}", event
            got[event["device"]] += 1
        assert all(self.sent.values()), "somebody sent nothing"
