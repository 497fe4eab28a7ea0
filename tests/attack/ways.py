"""The ways a device can come: two wires, two transports."""

import pytest

ALL = [(wire, transport) for wire in (2, 1) for transport in ("tcp", "udp")]


def ways(wire: int | None = None, transport: str | None = None) -> pytest.MarkDecorator:
    """Parametrises a test by `wire` and `transport`: all, or those that fit."""
    chosen = [way for way in ALL if wire in (None, way[0]) and transport in (None, way[1])]
    return pytest.mark.parametrize(("wire", "transport"), chosen, ids=lambda part: str(part))
