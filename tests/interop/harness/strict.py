"""Strict devices: tests/device in place of a released SDK, steered in the same way."""

import os
from collections.abc import Mapping

from .sdk import SdkProcess

# From the oldest to the newest; tests/device/era.c says what sets them apart.
STRICT_ERAS = ("0.4.7", "0.5", "0.6.0", "1.0.0", "1.1.0", "1.2.2", "1.3")


def strict_process(era: str) -> SdkProcess:
    return SdkProcess([os.environ["USMPD_INTEROP_STRICT_DEVICE"], era], era)


def lacks(era: str) -> Mapping[str, str]:
    """What devices of this era cannot do, and the reason to give when a test is skipped for it."""
    missing = {"IPv6": "the C core speaks IPv4 only"}
    if STRICT_ERAS.index(era) < STRICT_ERAS.index("1.1.0"):
        missing["BYE"] = f"the C core {era} closes without BYE"
        missing["copies"] = f"the C core {era} does nothing else until the gateway sends a frame when a UTACK comes twice"
    return missing
