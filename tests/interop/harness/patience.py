"""How long the suite waits for what must happen. Upper bounds only: nothing is measured against them."""

import os

FACTOR = float(os.environ.get("USMPD_INTEROP_PATIENCE", "1"))


def seconds(base: float) -> float:
    return base * FACTOR


# Enough for five UDP repeats, a four-fragment message or a handshake on a machine that is busy.
USUAL = seconds(15)
