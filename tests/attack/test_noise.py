"""Chance against both transports, for as long as one likes."""

import socket
import time

import pytest
from harness.identity import Identity, new_identity

from attacker import frames
from attacker.device import Closed, Silent
from attacker.noise import Noise
from honest import Fleet
from lengths import FLAT, LINES, SECONDS, SEED
from targets.memory import Growth
from ways import ways

TRUSTED = {"limits": {"trusted": ["127.0.0.0/8"]}}  # it is not the lockout that is to hold here


def record(gateway, identity: Identity, transport: str, wire: int) -> list[bytes]:
    """A whole session of a device that the attacker has: what it sends and what it gets."""
    device = gateway.device(identity, transport, wire, source="127.98.1.1")
    device.challenge()
    sent = [device.hello(), device.hello_ack()]
    device.prove()
    for text in (b"", b"x", b"y" * 452):
        sent.append(device.say(text))
    sent.append(device.deliver(device.seal(frames.DATA_FRAG, b"begin")))
    sent.append(device.deliver(device.seal(frames.PING)) if wire == 1 else device.say(b"end"))
    if wire == 2:
        sent.append(device.rekey())
    sent.append(device.seal(frames.BYE))
    device.deliver(sent[-1])
    device.close()
    return sent + [came.raw for came in device.got]


def speak_over_udp(gateway, noise: Noise) -> None:
    """From few ports, so that pending handshakes meet what follows them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as speaker:
        speaker.bind(("127.98.1.2", 0))
        for _ in range(200):
            speaker.sendto(noise.next(), gateway.address("udp"))


def speak_over_tcp(gateway, noise: Noise, handshake: list[bytes]) -> None:
    """On some connections behind a true HELLO."""
    for number in range(5):
        with socket.socket() as speaker:
            speaker.settimeout(0.02)
            try:
                speaker.bind(("127.98.1.3", 0))
                speaker.connect(gateway.address("tcp"))
                if number % 2:
                    speaker.sendall(handshake[0])
                    speaker.recv(1000)
                for _ in range(5):
                    speaker.sendall(noise.next())
                speaker.recv(1000)
            except OSError:
                pass


def mutinous(gateway, identity: Identity, wire: int, noise: Noise) -> None:
    """A registered device that after its handshake sends whatever comes to its mind, well sealed."""
    device = None
    try:
        device = gateway.device(identity, "udp" if wire == 2 else "tcp", wire, source="127.98.1.4", patience=0.3)
        device.connect()
        for _ in range(20):
            data = noise.next()
            type, seq = data[0] % 16 if data else 0, len(data) % 70
            device.send(device.session.seal(type, seq, data[:452]))
    except (Closed, Silent):
        pass
    finally:
        if device is not None:
            device.close()


@pytest.mark.heavy
@ways()
def test_noise_for_a_while(start, wire, transport):
    """Random, mutated, truncated, replayed: it stays up, sessions are unharmed, log and memory stay small."""
    fleet = {(wire, way): new_identity() for way in ("tcp", "udp")}
    spy, mutineer = new_identity(), new_identity()
    gateway = start(*fleet.values(), spy, mutineer, config=TRUSTED)
    recorded = record(gateway, spy, transport, wire)
    while gateway.backend.has_event(0.2):
        gateway.backend.next_event()
    noise, growth = Noise(SEED, recorded), Growth(gateway.pid)
    with Fleet(gateway, fleet) as honest:
        end = time.monotonic() + SECONDS / 2
        while time.monotonic() < end:
            if transport == "udp":
                speak_over_udp(gateway, noise)
            else:
                speak_over_tcp(gateway, noise, recorded)
            mutinous(gateway, mutineer, wire, noise)
            growth.sample()
    honest.expect_unharmed()
    assert growth.after_warming_up() < FLAT, f"{growth.after_warming_up()} bytes more"
    assert len(gateway.log()) < LINES, f"{len(gateway.log())} lines in the log"
