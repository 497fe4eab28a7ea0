"""Bad input over the sockets, while a device goes on: nobody else is hurt (docs/security.md)."""

import os
import random
import resource
import socket
import struct
import threading
import time
import unittest
from collections.abc import Callable

from black_box import USUAL, Case, Usmpd

MAGIC = b"\xcd\xab"
SILENT_MAX = 1024  # connections without a HELLO


class Noise(Case):
    def setUp(self) -> None:
        super().setUp()
        # Noise comes from the same address as the device; a lockout is not what is tested here.
        self.write_config({"limits": {"trusted": ["127.0.0.0/8"]}})
        self.random = random.Random(1)

    def disturb(self, noise: Callable[[Usmpd], None]) -> Usmpd:
        """Both devices send while there is noise, and everything arrives once, in order."""
        usmpd = self.start()
        backend = usmpd.backend()
        devices = {self.identity.id: usmpd.connect(self.identity), self.other.id: usmpd.connect(self.other, udp=True)}
        sent = dict.fromkeys(devices, 0)
        got = dict.fromkeys(devices, 0)
        stop = threading.Event()

        def send() -> None:
            while not stop.is_set():
                for identity, device in devices.items():
                    device.send(f"reading {sent[identity]}")
                    sent[identity] += 1
                stop.wait(0.01)

        for _ in devices:
            backend.expect("connected")
        sender = threading.Thread(target=send)
        sender.start()
        try:
            noise(usmpd)
        finally:
            stop.set()
            sender.join()
        while got != sent:
            event = backend.next_event()
            self.assertEqual((event["type"], event.get("text")), ("message", f"reading {got[event['device']]}"))
            got[event["device"]] += 1
        backend.expect_nothing()
        usmpd.send(self.new_device(usmpd), "somebody new gets in")
        return usmpd

    def new_device(self, usmpd: Usmpd) -> "object":
        fresh = self.new_identity()
        self.write_registry(self.identity, self.other, fresh)
        usmpd.reload()
        return fresh

    def expect_closed(self, stranger: socket.socket) -> None:
        stranger.settimeout(USUAL)
        try:
            while stranger.recv(4096):
                pass
        except ConnectionResetError:
            pass

    def some_bytes(self, size: int) -> bytes:
        return self.random.randbytes(size)

    def test_garbage_over_tcp(self) -> None:
        def noise(usmpd: Usmpd) -> None:
            for size in (1, 2, 7, 10, 491, 492, 493, 5000):
                for beginning in (b"", MAGIC, MAGIC + b"\x01\x02", b"GET / HTTP/1.1\r\n", b"\x16\x03\x01"):
                    stranger = usmpd.tcp()
                    try:
                        stranger.sendall(beginning + self.some_bytes(size))
                        stranger.shutdown(socket.SHUT_WR)
                    except (BrokenPipeError, ConnectionResetError, OSError):
                        pass
                    self.expect_closed(stranger)

        self.disturb(noise)

    def test_random_datagrams(self) -> None:
        def noise(usmpd: Usmpd) -> None:
            stranger = usmpd.udp()
            for size in [*range(0, 600, 7), 1400, 9000, 60000]:
                for beginning in (b"", MAGIC + b"\x01\x02", MAGIC + b"\x02\x02", b"\xac\xac"):
                    stranger.send(beginning + self.some_bytes(size))
                time.sleep(0.001)

        self.disturb(noise)

    def test_datagrams_as_fast_as_they_go(self) -> None:
        def noise(usmpd: Usmpd) -> None:
            strangers = [usmpd.udp() for _ in range(20)]
            hello = self.hello()
            strangers[0].send(hello)
            strangers[0].settimeout(USUAL)
            answers = [strangers[0].recv(1000)[:4] for _ in range(2)]
            self.assertIn(MAGIC + b"\x02\x02", answers)  # CHALLENGE: it is a right one
            for _ in range(300):
                for stranger in strangers:
                    try:
                        stranger.send(hello)
                    except (BlockingIOError, ConnectionRefusedError):
                        pass

        self.disturb(noise)

    def hello(self, wire: int = 2) -> bytes:
        """A HELLO with a right CRC of a device that nobody knows."""
        payload = self.some_bytes(6 + 32)
        head = struct.pack("<2sBBIH", MAGIC, wire, 1, 0, len(payload))
        return head + struct.pack("<H", crc16(head + payload)) + payload

    def test_half_frames_that_never_end(self) -> None:
        def noise(usmpd: Usmpd) -> None:
            slow = [usmpd.tcp() for _ in range(50)]
            hello = self.hello()
            begun = time.monotonic()
            for position in range(len(hello) - 1):
                for stranger in slow:
                    try:
                        stranger.send(hello[position:position + 1])
                    except OSError:
                        pass
                time.sleep(0.1)
                if time.monotonic() - begun > 4:
                    break
            for stranger in slow:
                self.expect_closed(stranger)  # a HELLO has three seconds

        self.disturb(noise)

    def test_more_silent_connections_than_there_is_room_for(self) -> None:
        enough = 2 * SILENT_MAX + 200
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        if before[1] < enough:
            self.skipTest("few descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, before[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, before)

        def noise(usmpd: Usmpd) -> None:
            crowd = [usmpd.tcp() for _ in range(SILENT_MAX + 50)]
            for stranger in crowd[:50]:
                self.expect_closed(stranger)
            crowd[-1].settimeout(0)
            self.assertRaises(BlockingIOError, crowd[-1].recv, 1)

        self.disturb(noise)

    def test_more_connections_than_descriptors(self) -> None:
        def few_descriptors() -> None:
            resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))

        usmpd = self.start(preexec_fn=few_descriptors)
        device = usmpd.connect(self.identity)
        usmpd.expect_log("device connected")
        crowd = [usmpd.tcp() for _ in range(300)]
        usmpd.expect_log("no descriptors are left")
        backend = usmpd.backend()  # has some that devices do not take
        backend.expect("connected")
        device.send("goes on")
        backend.expect_message(b"goes on")
        usmpd.reload()
        usmpd.expect_log("configuration and registry read again")
        for stranger in crowd:
            stranger.close()
        while True:
            try:
                usmpd.send(self.other, "gets in")
                break
            except AssertionError:
                self.assertIsNone(usmpd.process.poll())
        backend.expect("connected", device=self.other.id)

    def test_connections_that_reset_at_once(self) -> None:
        def noise(usmpd: Usmpd) -> None:
            for size in range(300):
                stranger = socket.create_connection((usmpd.host, usmpd.port))
                stranger.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                stranger.send(self.hello()[:size % 60])
                stranger.close()

        self.disturb(noise)

    def test_backends_that_write_nonsense(self) -> None:
        usmpd = self.start()
        device = usmpd.connect(self.identity)
        backend = usmpd.backend()
        backend.expect("connected")
        backend.write(b"\x00\xff\n" + b"{" * 100 + b"\n" + os.urandom(500).replace(b"\n", b"") + b"\n" + b"[]\n" * 50)
        for _ in range(53):
            self.assertEqual(backend.answer(None)["code"], "bad_request")
        device.send("goes on")
        backend.expect_message(b"goes on")


def crc16(data: bytes) -> int:
    """As docs/protocol.md section 1 has it."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


if __name__ == "__main__":
    unittest.main()
