"""Where keys and payloads must not be seen (docs/security.md rules 1, 5 and 25)."""

import base64
import json
import os
import resource
import signal
import subprocess
import unittest

from black_box import USUAL, Case, Usmpd

NOBODY = 65534
PAYLOADS = ("a payload that nobody logs", "another one, on its way down")


class Process(Case):
    def test_the_environment_is_wiped(self) -> None:
        secret, previous = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))
        self.secrets += [secret, previous]
        self.write_config({"psk": {"master_secret": {"env": "USMPD_TEST_SECRET"},
                                   "previous_master_secret": {"env": "USMPD_TEST_PREVIOUS"}}})
        usmpd = self.start({"USMPD_TEST_SECRET": secret, "USMPD_TEST_PREVIOUS": previous, "USMPD_TEST_OTHER": "stays"})
        environment = usmpd.proc("environ")
        self.assertIn(b"USMPD_TEST_OTHER=stays", environment)
        self.assertNotIn(secret.encode(), environment)
        self.assertNotIn(previous.encode(), environment)

    def test_no_core_file(self) -> None:
        resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)
        usmpd = self.start()
        self.assertRegex(usmpd.proc("limits").decode(), r"Max core file size +0 +0 ")
        usmpd.kill(signal.SIGABRT)
        usmpd.exits = {-signal.SIGABRT}
        usmpd.expect_exit(-signal.SIGABRT)
        left = {name for name in os.listdir(self.folder) if "core" in name}
        self.assertEqual(left, set())

    @unittest.skipUnless(os.geteuid() == 0, "needs another user, which root alone can become")
    def test_nobody_reads_its_memory(self) -> None:
        """Not even another process of its own user."""
        for name in ("", "usmpd.yaml", "devices.yaml"):
            os.chown(self.folder / name, NOBODY, NOBODY)

        def become_nobody() -> None:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)

        if subprocess.run(["test", "-x", os.environ["USMPD_BINARY"]], preexec_fn=become_nobody).returncode != 0:
            self.skipTest("the program is where others cannot execute it")
        usmpd = self.launch({"NOTIFY_SOCKET": ""}, preexec_fn=become_nobody)
        usmpd.expect_log("ready")
        for name in ("mem", "maps", "environ", "fd/0"):
            read = subprocess.run(["cat", f"/proc/{usmpd.pid}/{name}"], preexec_fn=become_nobody, text=True,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            self.assertIn("Permission denied", read.stderr, name)

    def test_it_gains_no_privileges_and_is_confined(self) -> None:
        """Seccomp: 2 is a filter of system calls."""
        for sandbox, expected in (("auto", ("1", "2")), ("off", ("0", "0"))):
            self.write_config({"sandbox": sandbox})
            usmpd = self.start()
            self.assertEqual((usmpd.status("NoNewPrivs"), usmpd.status("Seccomp")), expected)
            usmpd.terminate()
            usmpd.expect_exit(0)

    def test_keys_are_in_locked_memory(self) -> None:
        before = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
        if before < 1 << 20:
            self.skipTest("little memory can be locked here")
        self.assertGreaterEqual(int(self.start().status("VmLck").split()[0]), 64)


class Logs(Case):
    """Whatever happens, at level debug: `look_through` holds each line against the keys, the rest is here."""

    def make_everything_happen(self, usmpd: Usmpd) -> None:
        backend = usmpd.backend()
        for number, udp in enumerate((False, True)):
            device = usmpd.connect(self.identity, udp=udp)
            device.send(PAYLOADS[0])
            for event in ("connected", "message"):
                backend.expect(event)
            self.assertEqual(backend.send(self.identity.id, PAYLOADS[1].encode())["type"], "sent")
            device.lines.wait_for(lambda line: PAYLOADS[1] in line)
            device.leave()
            backend.expect("disconnected")
        wrong = self.new_identity()
        impostor = type(wrong)(self.other.number, wrong.psk)
        for stranger in (wrong, impostor):
            for udp in (False, True):
                done = subprocess.run(usmpd.device_command("send", stranger, udp, ("--timeout", "1")) + ["text"], timeout=USUAL,
                                      stdin=subprocess.DEVNULL, capture_output=True)
                self.assertEqual(done.returncode, 1)
        backend.command(op="send", device="de:ad", text=PAYLOADS[1])
        backend.write(b'{"op":"send","text":"' + PAYLOADS[0].encode() + b'\n')
        usmpd.reload()
        usmpd.terminate()
        usmpd.expect_exit(0)

    def expect_no_payload(self, lines: list[str]) -> None:
        for payload in PAYLOADS:
            for form in (payload, payload.encode().hex(), base64.b64encode(payload.encode()).decode()):
                self.assertFalse([line for line in lines if form in line])

    def test_text(self) -> None:
        self.write_config({"log": {"level": "debug", "format": "text"}})
        usmpd = self.start()
        self.make_everything_happen(usmpd)
        lines = usmpd.log.all()
        self.expect_no_payload(lines)
        for line in lines:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (error|warn|info|debug) \S")
        failures = [line for line in lines if "authentication failed" in line]
        self.assertTrue(failures, lines)
        for line in failures:
            self.assertRegex(line, r"device=(\S+:){5}\S+ peer=127\.0\.0\.1:\d+ reason=(bad_psk|unknown_device)$")

    def test_json(self) -> None:
        self.write_config({"log": {"level": "debug", "format": "json"}})
        usmpd = self.start()
        self.make_everything_happen(usmpd)
        lines = usmpd.log.all()
        self.expect_no_payload(lines)
        records = [json.loads(line) for line in lines]
        self.assertTrue(all({"time", "level", "message"} <= set(record) for record in records))
        self.assertTrue([record for record in records if record["message"] == "authentication failed"
                         and record["device"] == self.other.id and record["reason"] == "bad_psk"])

    def test_level(self) -> None:
        self.write_config({"log": {"level": "error"}})
        usmpd = self.start()
        self.make_everything_happen(usmpd)
        self.assertEqual(usmpd.log.all(), [])


if __name__ == "__main__":
    unittest.main()
