"""The daemon's configuration and registry files. Written as JSON, which YAML takes as it is."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import addresses


def defaults() -> dict[str, Any]:
    """`PORT` in an address stands for the daemon's port."""
    hosts = [addresses.GATEWAY] + (["[::1]"] if addresses.has_ipv6() else [])
    listen = [f"{host}:PORT" for host in hosts]
    return {
        "listen": {"tcp": listen, "udp": listen},
        "psk": {"registry": "devices.yaml"},
        "backends": [{"name": "default", "socket": "backend.sock"}],
        "control": {"socket": "control.sock"},
        "shutdown_timeout": "1s",  # what a test waits for UDP devices that went away without BYE
    }


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` laid over it, mapping by mapping; a list is replaced as a whole."""
    result = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def with_port(config: Mapping[str, Any], port: int) -> dict[str, Any]:
    listen = {
        transport: [address.replace("PORT", str(port)) for address in listed]
        for transport, listed in config["listen"].items()
    }
    return {**config, "listen": listen}


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Replaces the file as a whole, readable by its owner only."""
    fresh = path.with_suffix(".fresh")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(content, indent=1) + "\n")
    fresh.rename(path)
