"""Fixtures: which SDKs there are, a daemon, and devices."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from harness.conversation import Conversation
from harness.daemon import Daemon
from harness.identity import Identity, new_identity
from harness.relay import Relay
from harness.sdk import Device, SdkProcess, sdk_process
from harness.strict import STRICT_ERAS, lacks, strict_process


@dataclasses.dataclass(frozen=True)
class Case:
    """A Python SDK of some version on one of its transports, or a strict device (tests/device) of some era."""

    version: str
    transport: str
    strict: bool = False

    @property
    def wire(self) -> int:
        return 1 if self.version.startswith(("0.4", "0.5")) else 2

    def __str__(self) -> str:
        return f"{'strict-' if self.strict else ''}{self.version}-{self.transport}"


SDKS = [
    Case("0.4.7", "tcp"),
    *(Case(version, transport) for version in ("0.5.1", "1.0.0", "1.1.0", "1.2.2") for transport in ("tcp", "udp")),
]
STRICT = [
    Case(era, transport, strict=True) for era in STRICT_ERAS for transport in ("tcp", "udp")
    if (era, transport) != ("0.4.7", "udp")
]
ALL = [*SDKS, *STRICT]


def cases(
    wire: int | None = None, transport: str | None = None, version: str | None = None,
    strict: Sequence[str] | None = None,
) -> Any:
    """Parametrises a test by `case`: all of them, or those that fit.

    `version` is that of the SDK. `strict` has the eras of strict devices; by default all of them, or none where a
    version is named.
    """
    eras = strict if strict is not None else STRICT_ERAS if version is None else ()
    chosen = [
        case for case in ALL
        if wire in (None, case.wire) and transport in (None, case.transport)
        and (case.version in eras if case.strict else version in (None, case.version))
    ]
    return pytest.mark.parametrize("case", chosen, ids=str)


# For what does not depend on the SDK: the newest, on both transports.
newest = cases(version="1.2.2")


@pytest.fixture(scope="session")
def processes() -> Iterator[Callable[[Case], SdkProcess]]:
    """A process for each SDK version and each era that this worker needs."""
    running: dict[tuple[bool, str], SdkProcess] = {}

    def process(case: Case) -> SdkProcess:
        key = (case.strict, case.version)
        if key not in running:
            running[key] = (strict_process if case.strict else sdk_process)(case.version)
        return running[key]

    yield process
    for one in running.values():
        one.stop()


@pytest.fixture
def make_device(processes: Callable[[Case], SdkProcess]) -> Iterator[Callable[..., Device]]:
    """Makes a device: make_device(case, identity)."""
    made: list[Device] = []

    def make(case: Case, identity: Identity | None = None) -> Device:
        able = lacks(case.version) if case.strict else {}
        made.append(processes(case).device(identity or new_identity(), case.transport, able))
        return made[-1]

    yield make
    for device in made:
        device.abort()


@pytest.fixture
def start(
    request: pytest.FixtureRequest, make_device: Callable[..., Device]
) -> Iterator[Callable[..., Daemon]]:
    """Starts a daemon that knows some identities: start(identity, ..., config={}, registry={}, devices={}).

    It ends before the devices do (hence `make_device`), so that they can acknowledge its BYE.
    """
    running: list[Daemon] = []
    request.node.daemons = running

    def starter(
        *identities: Identity, config: Mapping[str, Any] = {}, registry: Mapping[str, Any] = {},
        devices: Mapping[str, Any] = {}, environment: Mapping[str, str] = {},
    ) -> Daemon:
        known = {identity.id: identity.entry() for identity in identities}
        running.append(Daemon({**known, **devices}, config, registry, environment))
        running[-1].knows(*identities)
        return running[-1]

    yield starter
    for daemon in running:
        daemon.stop()


@pytest.fixture
def make_relay() -> Iterator[Callable[[Daemon], Relay]]:
    made: list[Relay] = []

    def make(daemon: Daemon) -> Relay:
        made.append(Relay(daemon.port))
        return made[-1]

    yield make
    for relay in made:
        relay.close()


@pytest.fixture
def converse(
    make_relay: Callable[[Daemon], Relay], start: Callable[..., Daemon], make_device: Callable[..., Device]
) -> Callable[..., Conversation]:
    """Starts a Conversation: converse(case, config={}, entry={}); `entry` adds to the device's own.

    The registry has `others`, too. `relayed` puts a Relay between (UDP); without `connected` the device has yet to connect.
    """

    def conversation(
        case: Case, config: Mapping[str, Any] = {}, entry: Mapping[str, Any] = {}, *,
        others: Sequence[Identity] = (), encoding: str = "auto", relayed: bool = False, connected: bool = True,
    ) -> Conversation:
        device = make_device(case)
        identity = device.identity
        daemon = start(*others, config=config, devices={identity.id: identity.entry(**entry)})
        daemon.knows(identity)
        relay = make_relay(daemon) if relayed else None
        result = Conversation(case.wire, daemon, daemon.backend(encoding=encoding), device, relay)
        if connected:
            result.connect()
        return result

    return conversation


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """The daemon's log belongs into the report of a test that failed."""
    report = yield
    if report.failed:
        for number, daemon in enumerate(getattr(item, "daemons", []), start=1):
            report.sections.append((f"log of usmpd {number}", "\n".join(daemon.log.all())))
    return report
