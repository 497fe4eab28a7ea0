"""The device's half of the cryptography: docs/protocol.md sections 2 and 3."""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import frames


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf(secret: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    extracted, block, out = mac(salt, secret), b"", b""
    while len(out) < size:
        block = mac(extracted, block + info + bytes([len(out) // 32 + 1]))
        out += block
    return out[:size]


def prefix(wire: int, type: int) -> bytes:
    return b"" if wire == 1 else frames.MAGIC + bytes([wire, type])


class Handshake:
    """What both sides know of one handshake once CHALLENGE has come."""

    def __init__(self, wire: int, device: bytes, private: X25519PrivateKey, nonce: bytes, gateway_key: bytes) -> None:
        self.wire, self.device, self.private = wire, device, private
        self.public = private.public_key().public_bytes_raw()
        self.nonce, self.gateway_key = nonce, gateway_key

    def proof(self, psk: bytes) -> bytes:
        """The payload of HELLO_ACK."""
        return mac(psk, prefix(self.wire, frames.HELLO_ACK) + self.nonce + self.device + self.public + self.gateway_key)

    def session(self, psk: bytes, payload: bytes) -> "Session":
        """From the payload of SESSION_OK, which must prove the gateway."""
        id, proof = payload[:16], payload[16:]
        text = prefix(self.wire, frames.SESSION_OK) + self.nonce + id + self.public + self.gateway_key
        assert proof == mac(psk, text), "the gateway did not prove itself"
        shared = self.private.exchange(X25519PublicKey.from_public_bytes(self.gateway_key))
        label = b"usmp-v1" if self.wire == 1 else b"usmp-v2"
        keys = hkdf(shared, self.nonce, label + self.public + self.gateway_key, 32 * self.wire)
        return Session(self.wire, id, keys[:32], keys[-32:])


class Session:
    """Keys of one session, and what they seal. `up` is device to gateway."""

    def __init__(self, wire: int, id: bytes, up: bytes, down: bytes) -> None:
        self.wire, self.id, self.up, self.down = wire, id, up, down

    def rekeyed(self, salt: bytes) -> "Session":
        """After a REKEY of the device's."""
        keys = hkdf(self.up + self.down, salt, b"usmp-rekey" + self.id, 64)
        return Session(self.wire, self.id, keys[:32], keys[32:])

    def seal(self, type: int, seq: int, text: bytes = b"", key: bytes | None = None) -> bytes:
        nonce = struct.pack("<I", seq) + self.id[:8]
        head = frames.header(self.wire, type, seq, 28 + len(text))
        return frames.frame(self.wire, type, seq, nonce + AESGCM(key or self.up).encrypt(nonce, text, head))

    def open(self, received: frames.Received) -> bytes:
        """The plaintext of a frame of the gateway's; raises InvalidTag."""
        return AESGCM(self.down).decrypt(received.payload[:12], received.payload[12:], received.raw[:10])

    def utack(self, type: int, seq: int, key: bytes | None = None) -> bytes:
        """Acknowledges a frame of the gateway's."""
        plain = frames.plain_utack(type, seq)
        return plain if self.wire == 1 else plain + mac(key or self.down, plain)[:8]

    def is_true_utack(self, received: frames.Received) -> bool:
        """Whether it acknowledges a frame of ours, under the present key."""
        return self.wire == 1 or received.payload[:8] == mac(self.up, received.raw[:7])[:8]
