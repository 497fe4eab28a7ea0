"""What a start needs, and what it says when it cannot be had."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import unittest

from black_box import USMPD, USUAL, Case, without_capability

CAP_IPC_LOCK = 14


class Start(Case):
    def expect_failure(self, *words: str, **process: object) -> None:
        """Exit status 1, and one line of the log that says why."""
        usmpd = self.launch(**process)
        usmpd.exits = {1}
        usmpd.expect_exit(1)
        errors = usmpd.log.matching(lambda line: " error " in line)
        self.assertEqual(len(errors), 1, usmpd.log.all())
        for word in words:
            self.assertIn(word, errors[0])

    def test_what_it_tells_its_service_manager(self) -> None:
        usmpd = self.start()
        usmpd.notify.expect("STATUS=0 sessions, 0 backends connected")
        device = usmpd.connect(self.identity)
        usmpd.notify.expect("STATUS=1 sessions, 0 backends connected")
        backend = usmpd.backend()
        backend.expect("connected")
        usmpd.notify.expect("STATUS=1 sessions, 1 backends connected")
        device.leave()
        backend.expect("disconnected")
        usmpd.notify.expect("STATUS=0 sessions, 1 backends connected")
        backend.close()
        usmpd.notify.expect("STATUS=0 sessions, 0 backends connected")
        usmpd.terminate()
        usmpd.notify.expect("STOPPING=1")
        usmpd.expect_exit(0)

    def test_a_backend_alone_changes_the_status(self) -> None:
        usmpd = self.start()
        backend = usmpd.backend()
        usmpd.notify.expect("STATUS=0 sessions, 1 backends connected")
        backend.close()
        usmpd.notify.expect("STATUS=0 sessions, 0 backends connected")

    def test_the_watchdog_of_the_service_manager(self) -> None:
        usmpd = self.launch({"WATCHDOG_USEC": "200000"})
        for field in ("READY=1", "WATCHDOG=1", "WATCHDOG=1"):
            usmpd.notify.expect(field)

    def test_without_a_service_manager(self) -> None:
        usmpd = self.launch({"NOTIFY_SOCKET": ""})
        usmpd.expect_log("ready")
        usmpd.send(self.identity, "works")

    def test_a_second_one_on_the_same_backend_socket(self) -> None:
        first = self.start()
        self.write_config({"listen": {"tcp": [f"{self.host}:{self.port + 1}"], "udp": []}})
        second = self.launch()
        second.exits = {1}
        second.expect_exit(1)
        [error] = second.log.matching(lambda line: " error " in line)
        self.assertIn("backend.sock.lock", error)
        first.send(self.identity, "undisturbed")
        first.backend().expect("connected")

    def test_a_port_in_use(self) -> None:
        with socket.create_server((self.host, self.port)):
            self.expect_failure(f"TCP {self.host}:{self.port}", "Address already in use")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            holder.bind((self.host, self.port))
            self.expect_failure(f"UDP {self.host}:{self.port}", "Address already in use")
        self.assertFalse((self.folder / "backend.sock").exists())
        self.start()

    def test_an_address_that_is_not_ours(self) -> None:
        self.write_config({"listen": {"tcp": ["192.0.2.1:9000"]}})
        self.expect_failure("TCP 192.0.2.1:9000", "Cannot assign requested address")

    def test_what_a_killed_one_leaves_is_no_obstacle(self) -> None:
        killed = self.start()
        killed.exits = {-signal.SIGKILL}
        killed.kill(signal.SIGKILL)
        killed.expect_exit(-signal.SIGKILL)
        self.assertTrue((self.folder / "backend.sock").exists())
        usmpd = self.start()
        usmpd.backend()
        usmpd.terminate()
        usmpd.expect_exit(0)
        self.assertFalse((self.folder / "backend.sock").exists())

    def test_a_file_where_the_socket_should_be_is_not_removed(self) -> None:
        self.write("backend.sock", "precious")
        self.expect_failure("backend.sock")
        self.assertEqual((self.folder / "backend.sock").read_text(), "precious")

    def test_no_folder_for_the_socket(self) -> None:
        self.write_config({"backends": [{"name": "default", "socket": "absent/backend.sock"}]})
        self.expect_failure("absent/backend.sock")

    def test_several_instances_side_by_side(self) -> None:
        first = self.start()
        other = Start()
        other.setUp()
        self.addCleanup(other.doCleanups)
        second = other.start()
        first.send(self.identity, "to the first")
        second.send(other.identity, "to the second")

    def test_a_wrong_configuration_at_the_start(self) -> None:
        self.write("devices.yaml", "devices:\n  'de:ad:be:ef:00:01': {psk: 'short'}\n")
        usmpd = self.launch()
        usmpd.exits = {78}
        usmpd.expect_exit(78)
        [line] = usmpd.log.all()
        self.assertTrue(line.startswith("devices.yaml:2:"), line)
        self.assertFalse((self.folder / "backend.sock").exists())

    def test_locked_memory_that_is_required(self) -> None:
        def no_locked_memory() -> None:
            without_capability(CAP_IPC_LOCK)()
            resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0))

        warned = self.start(preexec_fn=no_locked_memory)
        warned.expect_log("could not be locked")
        warned.send(self.identity, "works")
        warned.reload()
        warned.terminate()
        warned.expect_exit(0)
        self.write_config({"psk": {"require_locked_memory": True}})
        refused = self.launch(preexec_fn=no_locked_memory)
        refused.exits = {78}
        refused.expect_exit(78)
        self.assertIn("require_locked_memory", refused.log.all()[0])
        self.assertFalse((self.folder / "backend.sock").exists())

    def test_memory_that_suffices_for_the_registry_only(self) -> None:
        """The keys of handshakes come later, so it is a failure and not a wrong configuration."""
        self.write_config({"psk": {"require_locked_memory": True}})
        statuses = []
        for limit in range(0, 1 << 20, 16 << 10):
            def little_locked_memory() -> None:
                without_capability(CAP_IPC_LOCK)()
                resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))

            usmpd = self.launch(preexec_fn=little_locked_memory)
            usmpd.exits = {0, 1, 78}
            usmpd.log.wait_for(lambda line: "require_locked_memory" in line or " ready " in line)
            if usmpd.log.matching(lambda line: " ready " in line):
                break
            statuses.append(usmpd.process.wait(USUAL))
        self.assertEqual(statuses, sorted(statuses, reverse=True))
        self.assertEqual(set(statuses), {1, 78})

    def test_few_descriptors_do_for_a_start(self) -> None:
        usmpd = self.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 256)))
        limits = usmpd.proc("limits").decode()
        self.assertRegex(limits, r"Max open files +256 +256 ")
        usmpd.send(self.identity, "works")


@unittest.skipUnless(shutil.which("systemd-socket-activate"), "systemd-socket-activate is not there")
class Activation(Case):
    """Sockets of the service manager take the place of `listen` of their transport."""

    def activate(self, *options: str) -> "object":
        names = [name for name in os.environ if name.startswith(("ASAN", "TSAN", "UBSAN", "LSAN"))]
        passed = [f"--setenv={name}" for name in ["NOTIFY_SOCKET", *names]]
        return self.launch(command=["systemd-socket-activate", *options, *passed, USMPD, "--config", "usmpd.yaml"])

    def wake(self, kind: int) -> None:
        """It starts usmpd with the first sign of life."""
        with socket.socket(socket.AF_INET, kind) as caller:
            while caller.connect_ex((self.host, self.port)) != 0:
                pass
            if kind == socket.SOCK_DGRAM:
                while True:
                    try:
                        caller.send(b"x")
                        caller.send(b"x")
                        return
                    except ConnectionRefusedError:
                        pass

    def test_tcp(self) -> None:
        self.write_config({"listen": {"tcp": ["192.0.2.1:9000"], "udp": [f"{self.host}:{self.port}"]}})
        usmpd = self.activate(f"--listen={self.host}:{self.port}")
        self.wake(socket.SOCK_STREAM)
        usmpd.expect_ready()
        usmpd.send(self.identity, "over an inherited socket")
        usmpd.send(self.identity, "over one of its own", udp=True)
        backend = usmpd.backend()
        backend.expect("connected", transport="tcp")
        backend.expect_message(b"over an inherited socket")
        backend.expect("disconnected", reason="bye")
        backend.expect("connected", transport="udp")
        backend.expect_message(b"over one of its own")
        backend.expect("disconnected", reason="bye")

    def test_udp(self) -> None:
        self.write_config({"listen": {"udp": ["192.0.2.1:9000"]}})
        usmpd = self.activate("--datagram", f"--listen={self.host}:{self.port}")
        self.wake(socket.SOCK_DGRAM)
        usmpd.expect_ready()
        usmpd.send(self.identity, "over an inherited socket", udp=True)
        usmpd.send(self.identity, "over one of its own")

    def test_something_else_is_refused(self) -> None:
        usmpd = self.activate(f"--listen={self.folder}/other.sock")
        usmpd.exits = {1}
        with socket.socket(socket.AF_UNIX) as caller:
            while caller.connect_ex(f"{self.folder}/other.sock") != 0:
                pass
        usmpd.expect_exit(1)
        usmpd.expect_log("neither a TCP listener nor a UDP socket")

    def test_the_socket_outlives_a_restart(self) -> None:
        """What the service manager does: whoever calls in between waits, and is served by the next one."""
        with socket.create_server((self.host, self.port)) as listening:
            # sh, so that the process id is known before usmpd begins.
            script = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$0" --config usmpd.yaml'
            command = ["sh", "-c", script, USMPD]
            self.write_config({"listen": {"udp": []}})
            first = self.start(command=command, pass_fds=(3,), preexec_fn=lambda: os.dup2(listening.fileno(), 3))
            first.send(self.identity, "to the first")
            first.terminate()
            first.expect_exit(0)
            key = self.write("key", self.identity.psk.hex())
            waiting = subprocess.Popen(
                [os.environ["USMP_BINARY"], "send", f"{self.host}:{self.port}", "--device", self.identity.id,
                 "--psk-hex-file", str(key), "between"], stdin=subprocess.DEVNULL)
            self.start(command=command, pass_fds=(3,), preexec_fn=lambda: os.dup2(listening.fileno(), 3))
            self.assertEqual(waiting.wait(15), 0)


if __name__ == "__main__":
    unittest.main()
