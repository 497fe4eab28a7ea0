"""The lives that usmpd is led through, each with a fault or none, and what came of it. Broken is raised if a rule was."""

import os
import socket
import sys

sys.dont_write_bytecode = True

from trial import CONFIGURATION, FAILURE, PATIENCE, Outcome, Trial  # noqa: E402


def live(fault: str | None) -> Outcome:
    """From a start to the end, with everything in between that is done once."""
    trial = Trial(fault)
    try:
        trial.start()
        served = trial.live_through(trial.be_used)
        left = [name for name in ("backend.sock", "backend.sock.lock") if (trial.folder / name).exists()]
        excused = trial.is_fault_of_a_library() or (fault or "").split(":")[0] in ("unlink", "lstat", "fstat")
        trial.require(not served or not left or excused or trial.died_of_libuv(), f"it has left {left}")
        return trial.outcome(served)
    finally:
        trial.close()


def check(fault: str | None) -> Outcome:
    """`usmpd --check`: without a start, and without a way to be of use but by what it says."""
    trial = Trial(fault)
    try:
        trial.start("--check")
        status = trial.started.wait(PATIENCE)
        trial.log.wait_for_end()
        if not trial.is_fault_of_a_library():
            trial.require(status in (0, FAILURE, CONFIGURATION), f"exit status {status}")
            trial.require(status == 0 or bool(trial.log.all()), "it says nothing of why")
        trial.look_through_log()
        return trial.outcome(status == 0)
    finally:
        trial.close()


def inherit(fault: str | None) -> Outcome:
    """A start with sockets of a service manager."""
    trial = Trial(fault)
    try:
        with socket.create_server((trial.host, trial.port)) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind((trial.host, trial.port))
            high = [os.dup(tcp.fileno()), os.dup(udp.fileno())]
            script = f'exec 3<&{high[0]} 4<&{high[1]}; export LISTEN_PID=$$ LISTEN_FDS=2; exec "$@"'
            trial.start(command=("bash", "-c", script, "bash"), pass_fds=high)
            for descriptor in high:
                os.close(descriptor)
            return trial.outcome(trial.live_through(trial.be_used_once))
    finally:
        trial.close()
