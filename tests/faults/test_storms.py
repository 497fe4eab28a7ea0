"""Times in which something fails again and again: what is there stays, and all is well when it is over."""

import concurrent.futures
import errno
import socket
import sys
import unittest

sys.dont_write_bytecode = True

from trial import Outcome, Trial  # noqa: E402

PATIENT = 30  # attempts: a storm outlasts some of them
CALLS = 6  # that fail in a row: some cost a device an attempt each
# Whole lives: there is no other way in which the call works.
FOR_EVER = ("send:1-1000000:short", "write:1-1000000:short", "uv_try_write:1-1000000:short",
            f"uv_try_write:1-1000000:{errno.EAGAIN}", f"mlock2:1-1000000:{errno.ENOMEM}",
            f"mlock2:1-1000000:{errno.ENOSYS}", "sd_notify:1-1000000", "sd_notifyf:1-1000000")
AFTER_THE_START = (
    ("sendmmsg", errno.ENOBUFS), ("sendmmsg", errno.EAGAIN), ("sendmmsg", errno.ENOMEM), ("sendmmsg", errno.EINTR),
    ("sendmmsg", errno.EPERM), ("recvmmsg", errno.ENOMEM), ("recvmmsg", errno.EINTR), ("accept4", errno.EMFILE),
    ("accept4", errno.ENFILE), ("accept4", errno.ENOMEM), ("accept4", errno.EINTR), ("accept4", errno.ECONNABORTED),
    ("send", errno.EPIPE), ("send", errno.EAGAIN), ("send", errno.EINTR), ("recv", errno.EINTR),
    ("recv", errno.ECONNRESET), ("uv_try_write", errno.EPIPE), ("uv_poll_start", errno.ENOMEM), ("poll", errno.EINTR),
    ("write", errno.EAGAIN), ("malloc", errno.ENOMEM), ("calloc", errno.ENOMEM), ("mmap", errno.ENOMEM),
    ("json_loadb", errno.ENOMEM), ("uv_read_start", errno.ENOMEM), ("open", errno.EMFILE), ("read", errno.EIO))


def live(fault: str | None) -> Outcome:
    trial = Trial(fault)
    trial.attempts = PATIENT
    try:
        trial.start()
        return trial.outcome(trial.live_through(trial.be_used))
    finally:
        trial.close()


def calls_of_a_start() -> dict[str, int]:
    trial = Trial(None)
    try:
        trial.start()
        served = trial.live_through(lambda: None)
        return trial.outcome(served).counts
    finally:
        trial.close()


class Storms(unittest.TestCase):
    def survive(self, faults: list[str]) -> None:
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            for fault, outcome in zip(faults, pool.map(live, faults)):
                with self.subTest(fault):
                    self.assertTrue(outcome.served)
                    self.assertTrue(outcome.struck)

    def test_something_never_works(self) -> None:
        self.survive(list(FOR_EVER))

    def test_something_fails_for_some_time_after_the_start(self) -> None:
        counts = calls_of_a_start()
        self.survive([f"{name}:{counts.get(name, 0) + 1}-{counts.get(name, 0) + CALLS}:{error}"
                      for name, error in AFTER_THE_START])

    def test_no_descriptors_are_left(self) -> None:
        trial = Trial(None)
        try:
            trial.start(command=("prlimit", "--nofile=80:80"))
            self.assertTrue(trial.serves())
            flood = [socket.create_connection((trial.host, trial.port)) for _ in range(200)]
            trial.log.wait_for(lambda line: "no descriptors are left" in line)
            # Backends and devices over UDP need none of those.
            trial.must("a device over UDP", lambda: trial.converse(trial.udp_device, "--udp"))
            trial.ear.close()
            trial.must("a backend", lambda: trial.ear.connect(2))
            for connection in flood:
                connection.close()
            trial.live_through(trial.be_used)
        finally:
            trial.close()


if __name__ == "__main__":
    unittest.main()
