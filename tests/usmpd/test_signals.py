"""HUP, TERM and INT, alone and in each other's way."""

import hmac
import os
import signal
import time
import unittest

from black_box import USUAL, Case, Usmpd
from harness.identity import Identity


class Hangup(Case):
    def test_a_new_device_and_one_that_is_gone(self) -> None:
        fresh = self.new_identity()
        usmpd = self.start()
        backend = usmpd.backend()
        usmpd.connect(self.identity)
        usmpd.connect(self.other)
        backend.expect("connected")
        backend.expect("connected")
        self.write_registry(self.other, fresh)
        usmpd.reload()
        backend.expect("disconnected", device=self.identity.id, reason="revoked")
        usmpd.send(fresh, "new here")
        backend.expect("connected", device=fresh.id)
        usmpd.expect_log("configuration and registry read again")

    def test_keys_of_removed_devices_do_not_stay_in_memory(self) -> None:
        many = [self.new_identity() for _ in range(20000)]
        self.secrets = []
        self.write_registry(self.identity, *many)
        usmpd = self.start()
        before = self.locked(usmpd)
        self.write_registry(self.identity)
        usmpd.reload()
        if before < 1000:
            self.skipTest("memory is not locked here")
        self.assertLess(self.locked(usmpd), before - 1000)

    def locked(self, usmpd: Usmpd) -> int:
        """Memory that is locked, in KiB: keys."""
        return int(usmpd.status("VmLck").split()[0])

    def test_what_changes_at_once_and_what_waits(self) -> None:
        usmpd = self.start()
        self.write_config({"log": {"level": "debug"}, "handshake_timeout": "7s", "sandbox": "off"})
        usmpd.reload()
        usmpd.expect_log("log.level")
        usmpd.expect_log("handshake_timeout")
        line = usmpd.expect_log("need a restart")
        self.assertIn("sandbox", line)

    def test_files_with_mistakes_change_nothing(self) -> None:
        usmpd = self.start()
        backend = usmpd.backend()
        device = usmpd.connect(self.identity)
        backend.expect("connected")
        good_registry = (self.folder / "devices.yaml").read_text()
        self.write("devices.yaml", "devices:\n  'de:ad:be:ef:00:01': {psk: 'short'}\n")
        usmpd.reload()
        usmpd.expect_log("devices.yaml:2:")
        usmpd.log.wait_for_count("everything stays as it was", 1)
        self.write("devices.yaml", good_registry)
        self.write("usmpd.yaml", "listen: [\n")
        usmpd.reload()
        usmpd.expect_log("usmpd.yaml:2:")
        usmpd.log.wait_for_count("everything stays as it was", 2)
        (self.folder / "usmpd.yaml").unlink()
        usmpd.reload()
        usmpd.log.wait_for_count("everything stays as it was", 3)
        device.send("undisturbed")
        backend.expect_message(b"undisturbed")
        usmpd.send(self.other, "gets in")
        backend.expect("connected", device=self.other.id)
        self.write_config({})
        usmpd.reload()
        usmpd.expect_log("configuration and registry read again")

    def test_many_at_once(self) -> None:
        """Whatever was written before the last one is in force after it."""
        usmpd = self.start()
        for number in range(10):
            fresh = self.new_identity()
            self.write_registry(fresh)
            usmpd.kill(signal.SIGHUP)
        usmpd.expect_log("configuration and registry read again")
        while True:
            try:
                usmpd.send(fresh, "gets in")
                break
            except AssertionError:
                self.assertIsNone(usmpd.process.poll())

    def test_before_it_is_ready(self) -> None:
        """It waits for the end of the start, in place of ending usmpd."""
        many = [self.new_identity() for _ in range(5000)]
        self.write_registry(self.identity, *many)
        usmpd = self.launch()
        while usmpd.status("SigBlk")[-1] != "1":  # HUP is signal 1
            self.assertIsNone(usmpd.process.poll())
        usmpd.kill(signal.SIGHUP)
        for field in ("READY=1", "RELOADING=1", "READY=1"):
            usmpd.notify.expect(field)

    def test_the_environment_is_not_read_again(self) -> None:
        """It has been wiped."""
        secret = os.urandom(24).hex()
        self.secrets.append(secret)
        self.write_config({"psk": {"registry": [], "master_secret": {"env": "USMPD_TEST_SECRET"}}})
        usmpd = self.start({"USMPD_TEST_SECRET": secret})
        usmpd.reload()
        usmpd.expect_log("configuration and registry read again")
        identity = self.from_master_secret(secret)
        usmpd.send(identity, "still accepted")

    def from_master_secret(self, secret: str) -> Identity:
        nobody = self.new_identity()
        return Identity(nobody.number, hmac.digest(secret.encode(), nobody.raw, "sha256"))


class Terminate(Case):
    def expect_stop(self, number: int) -> None:
        usmpd = self.start()
        backend = usmpd.backend()
        tcp, udp = usmpd.connect(self.identity), usmpd.connect(self.other, udp=True)
        for device in (tcp, udp):
            device.send("ready")
        seen = [backend.next_event() for _ in range(4)]
        self.assertEqual(sorted(event["type"] for event in seen), ["connected", "connected", "message", "message"])
        usmpd.kill(number)
        usmpd.notify.expect("STOPPING=1")
        for _ in range(2):
            backend.expect("disconnected", reason="shutdown")
        backend.expect_end()
        usmpd.expect_exit(0)
        self.assertFalse(usmpd.log.matching(lambda line: "shutdown_timeout" in line), usmpd.log.all())
        for device in (tcp, udp):
            device.process.wait(USUAL)

    def test_terminate(self) -> None:
        self.expect_stop(signal.SIGTERM)

    def test_interrupt(self) -> None:
        self.expect_stop(signal.SIGINT)

    def wait_for_a_backend_that_does_not_read(self) -> Usmpd:
        usmpd = self.start()
        usmpd.backend(reading=False)
        device = usmpd.connect(self.identity)
        for _ in range(400):
            device.send("x" * 1500)
        device.leave()
        usmpd.terminate()
        usmpd.notify.expect("STOPPING=1")
        return usmpd

    def test_no_longer_than_the_timeout(self) -> None:
        self.write_config({"shutdown_timeout": "100ms"})
        usmpd = self.wait_for_a_backend_that_does_not_read()
        usmpd.expect_exit(0)
        usmpd.expect_log("within shutdown_timeout")
        usmpd.expect_log("lost")

    def test_a_second_one_does_not_wait(self) -> None:
        self.write_config({"shutdown_timeout": "1h"})
        usmpd = self.wait_for_a_backend_that_does_not_read()
        self.assertIsNone(usmpd.process.poll())
        usmpd.kill(signal.SIGINT)
        usmpd.expect_exit(0)

    def test_a_third_one_disturbs_nothing(self) -> None:
        for _ in range(5):
            usmpd = self.start()
            for _ in range(3):
                usmpd.terminate()
            usmpd.expect_exit(0)
            self.assertFalse((self.folder / "backend.sock").exists())

    def test_a_reload_afterwards_is_not_begun(self) -> None:
        self.write_config({"shutdown_timeout": "1h"})
        usmpd = self.wait_for_a_backend_that_does_not_read()
        usmpd.kill(signal.SIGHUP)
        usmpd.terminate()
        usmpd.expect_exit(0)
        self.assertFalse(usmpd.log.matching(lambda line: "read again" in line), usmpd.log.all())

    def test_during_a_reload(self) -> None:
        """Nothing of it is taken over, or said."""
        many = [self.new_identity() for _ in range(20000)]
        self.secrets = []
        self.write_registry(*many)
        usmpd = self.start()
        usmpd.kill(signal.SIGHUP)
        usmpd.notify.expect("RELOADING=1")
        usmpd.terminate()
        usmpd.notify.expect("STOPPING=1")
        usmpd.expect_exit(0)
        log = usmpd.log.all()
        self.assertFalse([line for line in log if " error " in line], log)
        with self.assertRaises(AssertionError):
            usmpd.notify.expect("READY=1", timeout=0)

    def test_before_it_is_ready(self) -> None:
        many = [self.new_identity() for _ in range(20000)]
        self.secrets = []
        self.write_registry(*many)
        usmpd = self.launch()
        time.sleep(0.02)
        usmpd.exits = {0, -signal.SIGTERM}
        usmpd.terminate()
        usmpd.expect_exit(0, -signal.SIGTERM)
        self.start()  # whatever it left


if __name__ == "__main__":
    unittest.main()
