"""Handshakes that fail, and how to see that an address is locked out."""

import os
import time
from typing import Any

from harness.identity import Identity
from harness.patience import seconds

from attacker.device import Closed, Device, Silent, gets_in


def fail(gateway: Any, identity: Identity, source: str, times: int = 1, transport: str = "tcp", **options: Any) -> None:
    """The right id with a wrong key."""
    for _ in range(times):
        try:
            device = gateway.device(identity, transport, source=source, **options)
            device.challenge()
            device.expect_refused(psk=os.urandom(32), patience=seconds(1))
            device.close()
        except (Closed, Silent):
            pass


def is_refused(gateway: Any, identity: Identity, source: str, **options: Any) -> bool:
    """A device with the right key; it says BYE if it gets in."""
    try:
        device: Device = gateway.device(identity, source=source, **options)
    except Closed:
        return True
    if not gets_in(device):
        device.close()
        return True
    device.bye()
    return False


def until_let_in(gateway: Any, identity: Identity, source: str, limit: float, **options: Any) -> None:
    deadline = time.monotonic() + seconds(limit)
    while is_refused(gateway, identity, source, **options):
        assert time.monotonic() < deadline, "the lockout did not end"
        time.sleep(0.2)
