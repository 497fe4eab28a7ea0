"""Loopback addresses and ports, so that tests running side by side do not meet."""

import errno
import itertools
import os
import socket

GATEWAY = "127.0.0.1"

# Each pytest-xdist worker has a range of ports, below those that the kernel gives to clients.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = itertools.cycle(range(20000 + _worker * 250, 20000 + _worker * 250 + 250))
_sources = itertools.count(2)


def free_port() -> int:
    """A port that nobody holds on TCP or UDP, IPv4 or IPv6."""
    for port in itertools.islice(_ports, 250):
        if all(_is_free(family, kind, port) for family in (socket.AF_INET, socket.AF_INET6)
               for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
            return port
    raise RuntimeError("no free port in this worker's range")


def _is_free(family: int, kind: int, port: int) -> bool:
    try:
        with socket.socket(family, kind) as probe:
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
        return True
    except OSError as error:
        return error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def new_source() -> str:
    """An address of its own for a device: what is counted by address concerns this one only."""
    number = next(_sources)
    return f"127.{1 + _worker}.{number >> 8}.{number & 255}"
