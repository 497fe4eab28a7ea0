"""A registered device whose firmware does what the test says: every step of it can be left out, repeated or falsified."""

import os
import socket
import struct
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from harness.identity import Identity
from harness.patience import seconds

from . import frames, keys
from .frames import Received

REPEATS = 5
INTERVAL = 0.5


class Closed(Exception):
    """The gateway closed the connection."""


class Silent(Exception):
    """Nothing of what was waited for came."""


class Device:
    def __init__(
        self, identity: Identity, gateway: tuple[str, int], transport: str = "tcp", wire: int = 2,
        source: str | tuple[str, int] | None = None, patience: float = seconds(5),
    ) -> None:
        self.identity, self.gateway, self.transport, self.wire = identity, gateway, transport, wire
        self.patience = patience
        self.is_udp = transport == "udp"
        family = socket.AF_INET6 if ":" in gateway[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM if self.is_udp else socket.SOCK_STREAM)
        self.socket.settimeout(patience)
        if source is not None:
            self.socket.bind((source, 0) if isinstance(source, str) else source)
        try:
            self.socket.connect(gateway)
        except OSError as failure:
            self.socket.close()
            raise Closed(str(failure)) from failure
        self.private = X25519PrivateKey.generate()
        self.public = self.private.public_key().public_bytes_raw()
        self.handshake: keys.Handshake | None = None
        self.session: keys.Session | None = None
        self.seq = 0
        self.got: list[Received] = []  # everything that ever came
        self._stream = b""
        self._kept: list[Received] = []

    @property
    def local(self) -> tuple[str, int]:
        return self.socket.getsockname()[:2]

    @property
    def peer(self) -> str:
        """As usmpd prints it."""
        host, port = self.local
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def close(self, reset: bool = False) -> None:
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, data: bytes) -> None:
        try:
            self.socket.send(data) if self.is_udp else self.socket.sendall(data)
        except OSError as failure:
            raise Closed(str(failure)) from failure

    def receive(self, patience: float | None = None) -> Received:
        """The next frame or UTACK. Raises Silent or Closed."""
        deadline = time.monotonic() + (self.patience if patience is None else patience)
        while True:
            size = None if self.is_udp else frames.first_size(self._stream)
            if size is not None:
                raw, self._stream = self._stream[:size], self._stream[size:]
                break
            data = self._read(deadline)
            if self.is_udp:
                raw = data
                break
            self._stream += data
        self.got.append(frames.parse(raw))
        return self.got[-1]

    def _read(self, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Silent
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise Silent from None
        except OSError as failure:
            raise Closed(str(failure)) from failure
        finally:
            self.socket.settimeout(self.patience)
        if not data and not self.is_udp:
            raise Closed("end of stream")
        return data

    def wait(self, wanted: Callable[[Received], bool], patience: float | None = None) -> Received:
        """The first frame or UTACK, of those not waited for yet, for which `wanted` holds; others are kept."""
        for number, kept in enumerate(self._kept):
            if wanted(kept):
                return self._kept.pop(number)
        deadline = time.monotonic() + (self.patience if patience is None else patience)
        while True:
            came = self.receive(max(0.0, deadline - time.monotonic()))
            if wanted(came):
                return came
            self._kept.append(came)

    def wait_for(self, *types: int, patience: float | None = None) -> Received:
        return self.wait(lambda came: not came.is_utack and came.type in types, patience)

    def hello(self, cookie: bytes = b"", seq: int = 0) -> bytes:
        return frames.frame(self.wire, frames.HELLO, seq, self.identity.raw + self.public + cookie)

    def persist(self, data: bytes, wanted: Callable[[Received], bool]) -> Received:
        """Sends, over UDP again and again as devices do, until an answer comes."""
        if not self.is_udp:
            self.send(data)
            return self.wait(wanted)
        for _ in range(REPEATS):
            self.send(data)
            try:
                return self.wait(wanted, seconds(INTERVAL))
            except Silent:
                pass
        raise Silent

    def challenge(self, cookie: bytes = b"") -> keys.Handshake:
        """HELLO up to CHALLENGE; a cookie that is asked for is sent."""
        def answers(came: Received) -> bool:
            return not came.is_utack and came.type in (frames.CHALLENGE, frames.HELLO_RETRY)

        came = self.persist(self.hello(cookie), answers)
        while came.type == frames.HELLO_RETRY:
            cookie = came.payload
            came = self.persist(self.hello(cookie, 1), lambda came: not came.is_utack and came.type == frames.CHALLENGE)
        if self.is_udp:
            self.send(frames.plain_utack(frames.CHALLENGE, came.seq))
        self.handshake = keys.Handshake(self.wire, self.identity.raw, self.private, came.payload[:32], came.payload[32:])
        return self.handshake

    def ask_cookie(self) -> bytes:
        """HELLO up to HELLO_RETRY."""
        return self.persist(self.hello(), lambda came: not came.is_utack and came.type == frames.HELLO_RETRY).payload

    def is_asked_for_cookie(self) -> bool:
        """What one HELLO without cookie is answered with."""
        self.send(self.hello())
        return self.wait_for(frames.CHALLENGE, frames.HELLO_RETRY).type == frames.HELLO_RETRY

    def hello_ack(self, psk: bytes | None = None) -> bytes:
        return frames.frame(self.wire, frames.HELLO_ACK, 2, self.handshake.proof(psk or self.identity.psk))

    def prove(self, psk: bytes | None = None) -> "Device":
        """HELLO_ACK up to SESSION_OK."""
        came = self.persist(self.hello_ack(psk), lambda came: not came.is_utack and came.type == frames.SESSION_OK)
        self.session = self.handshake.session(self.identity.psk, came.payload)
        self.seq = 0
        if self.is_udp:
            self.send(frames.plain_utack(frames.SESSION_OK, came.seq))
        return self

    def connect(self) -> "Device":
        self.challenge()
        return self.prove()

    def seal(self, type: int, text: bytes = b"") -> bytes:
        self.seq += 1
        return self.session.seal(type, self.seq - 1, text)

    def deliver(self, data: bytes) -> bytes:
        """A session frame to the gateway, over UDP up to its UTACK. The frame, so that it can be used again."""
        if not self.is_udp:
            self.send(data)
            return data
        seq = frames.parse(data).seq
        self.persist(data, lambda came: came.is_utack and came.seq == seq and self.session.is_true_utack(came))
        return data

    def say(self, text: bytes) -> bytes:
        return self.deliver(self.seal(frames.DATA, text))

    def is_acknowledged(self, data: bytes, patience: float = 0.5) -> bool:
        """Whether one copy of a session frame is answered with its UTACK."""
        self.send(data)
        seq = frames.parse(data).seq
        try:
            self.wait(lambda came: came.is_utack and came.seq == seq and self.session.is_true_utack(came), patience)
            return True
        except Silent:
            return False

    def hear(self, patience: float | None = None) -> bytes:
        """The next message from the gateway, acknowledged."""
        came = self.wait_for(frames.DATA, patience=patience)
        text = self.session.open(came)
        if self.is_udp:
            self.send(self.session.utack(came.type, came.seq))
        return text

    def ping(self) -> None:
        """Up to PONG, acknowledged."""
        self.deliver(self.seal(frames.PING))
        came = self.wait_for(frames.PONG)
        self.session.open(came)
        if self.is_udp:
            self.send(self.session.utack(came.type, came.seq))

    def rekey(self) -> bytes:
        salt = os.urandom(32)
        sent = self.deliver(self.seal(frames.REKEY, salt))
        self.session, self.seq = self.session.rekeyed(salt), 0
        return sent

    def bye(self) -> None:
        self.deliver(self.seal(frames.BYE))
        self.close()

    def expect_closed(self, patience: float | None = None) -> None:
        """Reads up to the end of a TCP connection."""
        try:
            while True:
                self.receive(patience)
        except Closed:
            pass
        except Silent:
            raise AssertionError("the gateway did not close the connection") from None

    def expect_refused(self, psk: bytes | None = None, patience: float = 1.0) -> None:
        """Proves, and gets no session."""
        try:
            self.send(self.hello_ack(psk))
            came = self.wait_for(frames.SESSION_OK, patience=patience)
        except (Closed, Silent):
            return
        raise AssertionError(f"a session: {came.raw.hex()}")

    def drain(self, patience: float) -> list[Received]:
        """All that comes from now on until nothing comes for `patience`, or the end. What came before is forgotten."""
        self._kept = []
        came: list[Received] = []
        try:
            while True:
                came.append(self.receive(patience))
        except (Closed, Silent):
            return came


def gets_in(device: Device) -> bool:
    try:
        device.connect()
        return True
    except (Closed, Silent):
        return False
