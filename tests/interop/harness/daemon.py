"""A usmpd of the test's own: its files, its process, its log, its signals."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import addresses, configuration
from .backend import Backend
from .event_rules import is_utf8
from .identity import Identity
from .lines import Lines
from .notify import NotifySocket
from .patience import USUAL, seconds

BUG = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:|Assertion .* failed")


class Daemon:
    """Runs the daemon in a scratch folder. `devices` is the registry's `devices` map."""

    def __init__(
        self, devices: Mapping[str, Any], config: Mapping[str, Any], registry: Mapping[str, Any],
        environment: Mapping[str, str],
    ) -> None:
        # Not pytest's own folder: the path of a Unix socket has at most 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="usmpd-"))
        self.port = addresses.free_port()
        self.secrets: list[str] = []
        self.exits = {0}  # what it may say when it ends
        self._config = configuration.merged(configuration.defaults(), config)
        self.backends: list[Backend] = []
        self.write_registry(devices, registry)
        self.write_config({})
        self.notify = NotifySocket(self.folder / "notify.sock")
        self.process = subprocess.Popen(
            [os.environ["USMPD_BINARY"], "--config", str(self.folder / "usmpd.yaml")],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify.sock"), **environment},
        )
        self.log = Lines(self.process.stdout, "usmpd")
        try:
            self.notify.expect("READY=1")
        except AssertionError as failure:
            self.process.kill()
            self.log.wait_for_end()
            raise AssertionError("usmpd did not get ready:\n" + "\n".join(self.log.all())) from failure

    def write_registry(self, devices: Mapping[str, Any], registry: Mapping[str, Any] = {}) -> None:
        configuration.write(self.folder / "devices.yaml", {"devices": devices, **registry})

    def write_config(self, changes: Mapping[str, Any]) -> None:
        self._config = configuration.merged(self._config, changes)
        content = configuration.with_port(self._config, self.port)
        configuration.write(self.folder / "usmpd.yaml", content)

    def backend(self, name: str = "backend.sock", **options: Any) -> Backend:
        backend = Backend(self.folder / name, **options)
        self.backends.append(backend)
        return backend

    def knows(self, *identities: Identity) -> None:
        """Their keys must not turn up in the log."""
        for identity in identities:
            self.secrets.append(identity.psk.hex())
            if is_utf8(identity.psk):
                self.secrets.append(identity.psk.decode())

    def reload(self) -> None:
        self.process.send_signal(signal.SIGHUP)
        self.notify.expect("RELOADING=1")
        self.notify.expect("READY=1")

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def expect_exit(self, timeout: float = USUAL) -> None:
        assert self.process.wait(timeout) in self.exits, "\n".join(self.log.all())

    def stop(self) -> None:
        """Ends it as its service manager would, and looks for what must never have happened."""
        try:
            if self.process.poll() is None:
                self.terminate()
            self.expect_exit()
            self.log.wait_for_end()
            for backend in self.backends:
                backend.close()
            bugs = self.log.matching(lambda line: bool(BUG.search(line)))
            assert not bugs, "\n".join(self.log.all())
            leaked = self.log.matching(lambda line: any(secret in line for secret in self.secrets))
            assert not leaked, f"a key in the log: {leaked}"
        except subprocess.TimeoutExpired:
            raise AssertionError("usmpd did not end on SIGTERM:\n" + "\n".join(self.log.all())) from None
        finally:
            self.process.kill()
            self.process.wait(seconds(10))
            self.notify.close()
            shutil.rmtree(self.folder, ignore_errors=True)
