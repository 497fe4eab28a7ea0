"""device.py itself, against the gateway of the same SDK: what fails here is no fault of usmpd."""

import os
import subprocess
from pathlib import Path

import pytest

from conftest import cases
from harness import addresses
from harness.lines import Lines
from harness.patience import seconds

GATEWAY = Path(__file__).resolve().parent / "sdk_gateway.py"


@pytest.fixture
def sdk_gateway(case, make_device):
    """The SDK's gateway for `case`, and a device that it knows."""
    device, port = make_device(case), addresses.free_port()
    python = os.environ[f"USMPD_INTEROP_SDK_{case.version.replace('.', '_')}"]
    gateway = subprocess.Popen(
        [python, str(GATEWAY), case.transport, str(port), device.identity.psk.hex()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )
    Lines(gateway.stdout, "sdk gateway").wait_for(lambda line: "Listening" in line)
    yield device, port
    gateway.stdin.close()
    try:
        gateway.wait(seconds(5))
    except subprocess.TimeoutExpired:
        gateway.kill()
        gateway.wait()


@cases(strict=())
def test_a_session_from_hello_to_bye(case, sdk_gateway):
    device, port = sdk_gateway
    device.connect(port)
    assert device.local[0] == device.source
    for size in (0, 1, 452, 453, 1808):
        device.send(bytes(size))
        device.expect_message(bytes(size))
    device.ping()
    device.expect_opened("PONG")
    device.send(b"bye")
    assert device.expect_ended().message == "Remote sent BYE"


@cases(version="1.2.2")
def test_new_keys(case, sdk_gateway):
    device, port = sdk_gateway
    device.connect(port)
    device.rekey()
    device.send(b"fresh")
    device.expect_message(b"fresh")


@cases(transport="tcp", strict=())
def test_a_gateway_that_refuses(case, sdk_gateway):
    device, port = sdk_gateway
    with pytest.raises(Exception) as refusal:
        device.connect(port, psk=b"another key, not the gateway's")
    assert "HandshakeError" in refusal.value.kinds
