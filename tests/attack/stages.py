#!/usr/bin/env python3
"""Runs the tests in two stages: most of them side by side, because they mostly wait; then the heavy ones, one by one.

stages.py JOBS [PYTEST_ARGUMENT...]. What a flood does to devices is not to be told from what other tests do.
"""

import subprocess
import sys

NOTHING_COLLECTED = 5


def commands(jobs: int) -> list[list[str]]:
    pytest = [sys.executable, "-m", "pytest"]
    return [[*pytest, "-m", "not heavy"] + (["-n", str(jobs)] if jobs > 1 else []), [*pytest, "-m", "heavy"]]


def main() -> int:
    jobs, *arguments = sys.argv[1:]
    statuses = [subprocess.run([*command, *arguments]).returncode for command in commands(int(jobs))]
    if all(status == NOTHING_COLLECTED for status in statuses):
        return NOTHING_COLLECTED
    return next((status for status in statuses if status not in (0, NOTHING_COLLECTED)), 0)


if __name__ == "__main__":
    sys.exit(main())
