"""Fixtures: the gateway that is attacked, and which wires and transports there are."""

import os
import pathlib
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "interop")]

from harness.identity import Identity  # noqa: E402
from harness.patience import seconds  # noqa: E402

from attacker.forger import Forger  # noqa: E402
from attacker.path import Path  # noqa: E402
from lengths import SECONDS  # noqa: E402
from targets.sdk import SdkGateway, cannot_run  # noqa: E402
from targets.usmpd import Usmpd  # noqa: E402

LONGEST = seconds(120) + 2 * SECONDS
GATEWAY = os.environ.get("USMPD_ATTACK_GATEWAY", "usmpd")


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Starts the gateway that is attacked: start(identity, ..., config={})."""
    running: list[Any] = []
    request.node.gateways = running

    def starter(
        *identities: Identity, config: Mapping[str, Any] = {}, registry: Mapping[str, Any] = {},
        devices: Mapping[str, Any] = {}, environment: Mapping[str, str] = {},
    ) -> Any:
        if GATEWAY == "usmpd":
            running.append(Usmpd(identities, config, registry, devices, environment))
        elif registry or devices or environment:
            cannot_run("it has no registry file")
        else:
            running.append(SdkGateway(GATEWAY.removeprefix("sdk-"), identities, config))
        return running[-1]

    yield starter
    for gateway in running:
        assert gateway.is_running(), "the gateway has died:\n" + "\n".join(gateway.log())
        gateway.stop()


@pytest.fixture
def start_usmpd(start: Callable[..., Any]) -> Callable[..., Usmpd]:
    """For what only usmpd has: configuration, registry, backend socket, reload."""
    if GATEWAY != "usmpd":
        cannot_run("this is about files, signals or sockets that usmpd alone has")
    return start


@pytest.fixture
def namespace() -> None:
    """For what takes a network namespace of the attacker's own: addresses that nobody has, forged sources."""
    if os.environ.get("USMPD_ATTACK_NAMESPACE") != "own":
        pytest.skip("no network namespace could be made for the attacker")


@pytest.fixture
def ipv6(namespace: None) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("2001:db8::1", 0))
    except OSError as failure:
        pytest.skip(f"there is no IPv6 here: {failure}")


@pytest.fixture
def make_path() -> Iterator[Callable[..., Path]]:
    """A UDP path to a gateway, of which the attacker is the owner."""
    made: list[Path] = []

    def make(gateway: Any, **options: Any) -> Path:
        made.append(Path(gateway.address("udp"), **options))
        return made[-1]

    yield make
    for path in made:
        path.close()


@pytest.fixture
def forger() -> Iterator[Callable[..., Forger]]:
    made: list[Forger] = []

    def make(gateway: Any) -> Forger:
        made.append(Forger(gateway.address("udp")))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[bool]:
    """No test goes on for ever, whatever the gateway does."""
    def too_long(number: int, frame: object) -> None:
        raise AssertionError(f"it takes longer than {LONGEST:g} s")

    signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed:
        for gateway in getattr(item, "gateways", []):
            report.sections.append(("log of the gateway", "\n".join(gateway.log()[-200:])))
    return report
