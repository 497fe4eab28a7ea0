#!/usr/bin/env python3
"""Lets each call of usmpd fail once: the first of malloc, the second, …, the first of bind, and so on.

sweep.py [--all | --runs N] [--jobs N] [--only NAME,…]

First it counts what one life of usmpd calls, then it runs that life once for each call that is to fail. Without --all
it takes a sample of about N lives (default 150), spread evenly over each call's numbers, the same each time.
USMPD_FAULTS_BINARY and USMP_BINARY say what is run.
"""

import argparse
import concurrent.futures
import errno
import os
import sys
import time
from collections.abc import Callable, Iterator

sys.dont_write_bytecode = True

import lives  # noqa: E402
from trial import Broken, Outcome  # noqa: E402

Life = Callable[[str | None], Outcome]
LIVES: dict[str, Life] = {"live": lives.live, "check": lives.check, "inherit": lives.inherit}

# What a call may say beside its usual errno (calls.def).
OTHERWISE: dict[str, tuple[str, ...]] = {
    "accept4": ("ECONNABORTED", "EINTR", "ENOMEM", "ENFILE"),
    "connect": ("EAGAIN", "ENOENT"),
    "flock": ("EWOULDBLOCK", "EINTR"),
    "getrandom": ("EINTR",),
    "mlock2": ("ENOSYS",),
    "open": ("ENOENT", "ENFILE"),
    "poll": ("ENOMEM",),
    "read": ("EINTR",),
    "recv": ("EINTR", "EAGAIN"),
    "recvmmsg": ("EINTR", "EAGAIN", "ECONNREFUSED"),
    "send": ("EAGAIN", "EINTR", "ENOBUFS", "short"),
    "sendmmsg": ("EAGAIN", "EINTR", "ENOMEM", "EPERM", "EHOSTUNREACH"),
    "sendto": ("EAGAIN", "ENOENT"),
    "socket": ("ENFILE", "EAFNOSUPPORT"),
    "uv_try_write": ("EPIPE", "short"),
    "write": ("EAGAIN", "EINTR", "EPIPE", "short"),
}
# The self-test of libcrypto makes thousands of allocations, and each is as good as the next.
LIBRARY_STRIDE = {"live": 40, "check": 10, "inherit": 200}
# What only a start makes is swept where starts are cheap; a start with inherited sockets differs in few calls.
INHERITS = {"fcntl", "getsockname", "getsockopt", "sd_is_socket", "sd_listen_fds", "uv_poll_init", "calloc"}


def spread(last: int, most: int) -> list[int]:
    """Of 1 to `last` at most `most`, evenly; the last alone, since what comes before a start is swept by `check`."""
    count = max(1, min(last, most))
    return sorted({last - index * (last - 1) // max(1, count - 1) for index in range(count)})


def faults_of(life: str, counts: dict[str, int], most: int) -> Iterator[str]:
    for name, last in sorted(counts.items()):
        if life == "inherit" and name not in INHERITS:
            continue
        stride = LIBRARY_STRIDE[life] if name.startswith("library_") else 1
        for number in spread(last, min(most, last // stride + 1)):
            yield f"{name}:{number}"
        for kind in OTHERWISE.get(name, ()):
            for number in spread(last, max(1, most // 4)):
                yield f"{name}:{number}:{kind if kind == 'short' else getattr(errno, kind)}"


def plan(names: list[str], only: set[str], runs: int | None) -> list[tuple[str, str]]:
    counts = {life: LIVES[life](None).counts for life in names}

    def planned(most: int) -> list[tuple[str, str]]:
        return [(life, fault) for life in names for fault in faults_of(life, counts[life], most)
                if not only or fault.split(":")[0] in only]

    if runs is None:
        return planned(1 << 30)
    most = 1
    while len(planned(most + 1)) <= runs:
        most += 1
    return planned(most)


def run(life: str, fault: str) -> tuple[str, str, Outcome | None, str]:
    try:
        return life, fault, LIVES[life](fault), ""
    except (Broken, AssertionError) as failure:
        return life, fault, None, str(failure)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--runs", type=int, default=150)
    parser.add_argument("--jobs", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--only", default="")
    parser.add_argument("--lives", default=",".join(LIVES))
    options = parser.parse_args()
    began = time.monotonic()
    todo = plan(options.lives.split(","), set(filter(None, options.only.split(","))),
                None if options.all else options.runs)
    print(f"{len(todo)} lives, {options.jobs} at once", flush=True)
    broken, struck, refused, told = 0, 0, 0, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done, (life, fault, outcome, failure) in enumerate(pool.map(lambda each: run(*each), todo), 1):
            if outcome is None:
                broken += 1
                print(f"BROKEN: {life} with {fault}: {failure}", flush=True)
            else:
                struck += bool(outcome.struck)
                refused += not outcome.served
            if time.monotonic() - told > 10:
                told = time.monotonic()
                print(f"{done} of {len(todo)}, {told - began:.0f} s", flush=True)
    print(f"{len(todo)} lives in {time.monotonic() - began:.0f} s: in {struck} the fault came, {refused} ended with the "
          f"start, {broken} broke a rule")
    # A life does not make each call equally often every time, so the last few may not come.
    return 1 if broken or struck < 0.9 * len(todo) else 0


if __name__ == "__main__":
    sys.exit(main())
