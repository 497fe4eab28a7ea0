"""`usmpd --check`: all that is wrong, each with its place and its key."""

import base64
import os
import re
import unittest

from black_box import Case

PLACE = re.compile(r"^(?P<file>[^:]+)(:(?P<line>\d+):(?P<column>\d+))?: (?P<message>.+)$")


class Check(Case):
    def check(self, status: int, environment: dict[str, str] = {}) -> list[tuple[str, int, int, str]]:
        """File, line, column and message of what it prints."""
        done = self.run_usmpd("--check", "--config", "usmpd.yaml", env={**os.environ, **environment})
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        found = []
        for line in done.stderr.splitlines():
            match = PLACE.match(line)
            self.assertIsNotNone(match, line)
            found.append((match["file"], int(match["line"] or 0), int(match["column"] or 0), match["message"]))
        return found

    def expect(self, found: list[tuple[str, int, int, str]], file: str, line: int, column: int, *words: str) -> None:
        at = [entry for entry in found if entry[:3] == (file, line, column)]
        self.assertTrue(at, found)
        for word in words:
            self.assertTrue(any(word in entry[3] for entry in at), f"{word}: {at}")

    def test_everything_in_both_files_at_once(self) -> None:
        self.write("usmpd.yaml", "\n".join((
            "listen:",
            "  tcp: ['127.0.0.1:99999']",
            "session_timeout: soon",
            "limits: {sessions: -1, sesions_per_ip: 3}",
            "wire:",
            "  versions: [3]",
            "psk: {registry: devices.yaml}",
            "log: {level: loud}",
            "log: {level: info}",
            "backends:",
            "  - {name: a, socket: a.sock, queue: 1KiB}",
            "  - {name: a, socket: b.sock, delivery: acknowledged}")))
        self.write("devices.yaml", "\n".join((
            "devices:",
            "  'de:ad:be:ef:00:01': {psk: 'short'}",
            "  'de:ad:be:ef:00': {revoked: true}",
            "  'de:ad:be:ef:00:02': {psk_hex: 'xyz'}",
            "  'DEADBEEF0001': {revoked: true}",
            "defaults: {psk_hex: '00'}")))
        found = self.check(78)
        for line, column, key in ((2, 9, "listen.tcp"), (3, 18, "session_timeout"), (4, 20, "limits.sessions"),
                                  (4, 24, "limits.sesions_per_ip"), (6, 14, "wire.versions"), (8, 14, "log.level"),
                                  (9, 1, "log"), (11, 38, "queue"), (12, 12, "name"), (12, 41, "delivery")):
            self.expect(found, "usmpd.yaml", line, column, key)
        for line in range(2, 7):
            self.assertTrue([entry for entry in found if entry[:2] == ("devices.yaml", line)], f"{line}: {found}")
        self.assertFalse([entry for entry in found if "warning" not in entry[3] and entry[1] == 0], found)

    def test_warnings_alone_are_fine(self) -> None:
        self.write_config({"wire": {"v1_downlink": True}, "metrics": {"listen": "127.0.0.1:9464"}})
        found = self.check(0)
        self.assertTrue(found)
        self.assertTrue(all(message.startswith("warning: ") for *_, message in found), found)
        self.assertTrue(any("v1_downlink" in message for *_, message in found), found)

    def test_nothing_is_said_where_nothing_is_wrong(self) -> None:
        self.assertEqual(self.check(0), [])

    def test_it_leaves_no_trace_and_disturbs_nobody(self) -> None:
        usmpd = self.start()
        before = sorted(os.listdir(self.folder))
        self.assertEqual(self.check(0), [])
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        usmpd.send(self.identity, "undisturbed")

    def test_no_yaml(self) -> None:
        self.write("usmpd.yaml", "listen: {tcp: [\n")
        found = self.check(78)
        self.assertEqual(found[0][0], "usmpd.yaml")
        self.assertGreater(found[0][1], 0)

    def test_a_registry_that_is_absent(self) -> None:
        (self.folder / "devices.yaml").unlink()
        [(file, *_, message)] = self.check(78)
        self.assertIn("devices.yaml", file + message)

    def test_a_registry_that_others_can_read(self) -> None:
        (self.folder / "devices.yaml").chmod(0o644)
        [(*_, message)] = self.check(78)
        self.assertIn("chmod o-rwx", message)
        self.write_config({"psk": {"insecure_permissions": True}})
        self.check(0)

    def test_a_registry_that_is_no_file_is_not_waited_for(self) -> None:
        (self.folder / "devices.yaml").unlink()
        os.mkfifo(self.folder / "devices.yaml", 0o600)
        [(file, *_)] = self.check(78)
        self.assertEqual(file, "devices.yaml")

    def test_master_secrets(self) -> None:
        secret = base64.b64encode(os.urandom(32)).decode()
        self.secrets.append(secret)
        self.write("secret", secret + "\n")
        good = [({"file": "secret"}, {}), ({"env": "USMPD_TEST_SECRET"}, {"USMPD_TEST_SECRET": secret})]
        for source, environment in good:
            self.write_config({"psk": {"master_secret": None}})
            self.write_config({"psk": {"master_secret": source}})
            self.assertEqual(self.check(0, environment), [])
        for source, environment, word in (
                ({"file": "absent"}, {}, "absent"),
                ({"env": "USMPD_TEST_SECRET"}, {}, "environment"),
                ({"env": "USMPD_TEST_SECRET"}, {"USMPD_TEST_SECRET": "short"}, "master_secret"),
                ({"env": "USMPD_TEST_SECRET"}, {"USMPD_TEST_SECRET": ""}, "master_secret"),
                ({"credential": "nobody"}, {}, "CREDENTIALS_DIRECTORY")):
            self.write_config({"psk": {"master_secret": None}})
            self.write_config({"psk": {"master_secret": source}})
            [(*_, message)] = self.check(78, environment)
            self.assertIn(word, message)

    def test_what_is_wrong_reaches_the_terminal_escaped(self) -> None:
        self.write("usmpd.yaml", '"\\e[31m": 1\n"a\\nb": 2\n')
        found = self.check(78)
        self.assertEqual(len(found), 2)
        self.assertFalse(any("\x1b" in message for *_, message in found))


if __name__ == "__main__":
    unittest.main()
