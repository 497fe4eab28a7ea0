"""A path that loses a fifth each way: devices connect within their own time-outs, and messages arrive once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.backend import payload
from harness.identity import new_identity
from harness.patience import seconds
from harness.sdk import SdkError, sdk_process
from harness.strict import STRICT_ERAS, lacks, strict_process

from attacker.path import losing
from lengths import SEED
from targets.sdk import cannot_run

DEVICES, MESSAGES, LOSS = 10, 8, 0.2
# What a handshake has on these devices: later SDKs give up by themselves, for earlier ones it is their users' patience.
TIMEOUT = 10.0
# For one message. C devices before 1.1.0 may hang when a UTACK comes twice, until the gateway sends something.
PATIENCE = 6.0


@pytest.fixture
def devices(request):
    """A process of such devices, and what they cannot do."""
    kind, version = request.param
    process = sdk_process(version) if kind == "sdk" else strict_process(version)
    yield process, {} if kind == "sdk" else lacks(version)
    process.stop()


# 0.4.7 speaks no UDP.
KINDS = [("sdk", version) for version in ("0.5.1", "1.0.0", "1.1.0", "1.2.2")] + [("strict", era) for era in STRICT_ERAS if era != "0.4.7"]
kinds = pytest.mark.parametrize("devices", KINDS, indirect=True, ids="-".join)


def connect(device, port: int, tries: int) -> bool:
    for _ in range(tries):
        try:
            device.connect(port, timeout=seconds(TIMEOUT) / tries)
            return True
        except SdkError:
            pass
    return False


def converse(device, port: int, tries: int) -> tuple[bool, list[bytes]]:
    """Connects and sends; whether it connected, and what was acknowledged to it."""
    if not connect(device, port, tries):
        return False, []
    acknowledged = []
    for number in range(MESSAGES):
        message = b"%s %d" % (device.identity.id.encode(), number)
        try:
            device.start_send(message).result(seconds(PATIENCE))
        except (SdkError, TimeoutError):
            break
        acknowledged.append(message)
    return True, acknowledged


@kinds
def test_devices_connect_and_messages_arrive_once_over_a_lossy_path(start, make_path, devices):
    process, missing = devices
    wire = 1 if process.version in ("0.5.1", "0.5") else 2
    identities = [new_identity() for _ in range(DEVICES)]
    gateway = start(*identities)
    if wire not in gateway.wires:
        cannot_run(f"it does not speak wire {wire}")
    # The first C core on UDP took each copy of CHALLENGE for an answer to its proof, gave up, and came again.
    tries = 2 if process.version == "0.5" else 1
    fleet = [process.device(identity, "udp", missing) for identity in identities]
    paths = [make_path(gateway, hook=losing(LOSS, SEED * 1000 + number)) for number in range(DEVICES)]
    with ThreadPoolExecutor(DEVICES) as pool:
        results = list(pool.map(lambda pair: converse(pair[0], pair[1].address[1], tries), zip(fleet, paths)))
    connected = sum(done for done, _ in results)
    got: dict[str, list[bytes]] = {identity.id: [] for identity in identities}
    while gateway.backend.has_event(seconds(1)):
        event = gateway.backend.next_event()
        if event["type"] == "message":
            got[event["device"]].append(payload(event))
    for identity, (_, acknowledged) in zip(identities, results):
        messages = got[identity.id]
        assert len(messages) == len(set(messages)), f"twice: {messages}"
        assert set(acknowledged) <= set(messages), f"acknowledged, but lost: {set(acknowledged) - set(messages)}"
        assert messages == sorted(messages), f"out of order: {messages}"
    for device in fleet:
        device.abort()
    assert connected >= 9 * DEVICES // 10, f"{connected} of {DEVICES} devices connected"
    assert sum(len(acknowledged) for _, acknowledged in results) >= connected * MESSAGES // 2
