"""What is asked of usmpd on its command line, and what it answers with."""

import os
import re
import unittest

from black_box import Case


class CommandLine(Case):
    def test_help(self) -> None:
        for option in ("--help", "-h"):
            done = self.run_usmpd(option)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for word in ("--config", "--check", "--version", "/etc/usmpd/usmpd.yaml", "78"):
                self.assertIn(word, done.stdout)

    def test_version(self) -> None:
        done = self.run_usmpd("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"\Ausmpd \d+\.\d+\.\d+\n\Z")

    def test_the_first_of_them_counts(self) -> None:
        self.assertEqual(self.run_usmpd("--version", "--no-such-option").returncode, 0)

    def expect_wrong(self, named: str, *arguments: str) -> None:
        done = self.run_usmpd(*arguments)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn(named, done.stderr)
        self.assertIn("--help", done.stderr)

    def test_what_is_wrong_is_named(self) -> None:
        self.expect_wrong("--no-such-option", "--no-such-option")
        self.expect_wrong("x", "-x")
        self.expect_wrong("--config", "--config")
        self.expect_wrong("usmpd.yaml", "usmpd.yaml")
        self.expect_wrong("check", "--check=all")

    def test_check_takes_the_configuration_before_or_behind(self) -> None:
        for arguments in (("--check", "--config", "usmpd.yaml"), ("-c", "usmpd.yaml", "--check"),
                          ("--config=usmpd.yaml", "--check")):
            done = self.run_usmpd(*arguments)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_no_configuration(self) -> None:
        (self.folder / "folder").mkdir()
        for mode in ((), ("--check",)):
            for path in ("absent.yaml", "folder", ""):
                done = self.run_usmpd(*mode, "--config", path)
                self.assertEqual((done.returncode, done.stdout), (78, ""))
                self.assertTrue(done.stderr.startswith(path), done.stderr)

    @unittest.skipIf(os.path.exists("/etc/usmpd/usmpd.yaml"), "there is a configuration on this machine")
    def test_the_default_configuration(self) -> None:
        done = self.run_usmpd("--check")
        self.assertEqual(done.returncode, 78)
        self.assertIn("/etc/usmpd/usmpd.yaml", done.stderr)

    def test_without_standard_streams(self) -> None:
        """No socket gets the number of standard error."""
        def close_them() -> None:
            for descriptor in range(3):
                os.close(descriptor)

        usmpd = self.start(stdin=None, stdout=None, stderr=None, preexec_fn=close_them)
        for descriptor in range(3):
            self.assertEqual(os.readlink(f"/proc/{usmpd.pid}/fd/{descriptor}"), "/dev/null")
        usmpd.send(self.identity, "still works")


class Ends(Case):
    def test_exit_statuses(self) -> None:
        usmpd = self.start()
        usmpd.terminate()
        usmpd.expect_exit(0)
        self.assertTrue(re.search(r"stopped$", usmpd.log.all()[-1]), usmpd.log.all())
        self.assertEqual(sorted(os.listdir(self.folder)), ["devices.yaml", "notify1.sock", "usmpd.yaml"])


if __name__ == "__main__":
    unittest.main()
