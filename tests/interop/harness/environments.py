"""Python environments with pinned packages, made once and kept under the build folder.

Each SDK version needs one of its own, because they conflict. An environment is named after what is in
it, so a changed pin makes a new one and an unchanged one is found again without asking the network.
Only the standard library is used: this runs before anything is installed.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
SDK_VERSIONS = ("0.4.7", "0.5.1", "1.0.0", "1.1.0", "1.2.2")
SUPPORTED_PYTHONS = ((3, 11), (3, 12), (3, 13))

# What pip says when the index is out of reach, as against a package that is there but not the pinned one.
OUT_OF_REACH = re.compile(
    r"NewConnectionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|NameResolutionError"
    r"|Temporary failure in name resolution|Could not fetch URL|Connection refused"
    r"|Cannot connect to proxy|Network is unreachable"
)


class EnvironmentFailed(Exception):
    """An environment could not be made; the text says why."""


class IndexOutOfReach(EnvironmentFailed):
    """The package index could not be reached."""


def usable_python() -> str:
    """A Python that the SDKs take: this one, or another that is on the path."""
    candidates = [sys.executable] + [
        found for major, minor in SUPPORTED_PYTHONS if (found := shutil.which(f"python{major}.{minor}"))
    ]
    for candidate in candidates:
        question = "import sys, venv, ensurepip; print(sys.version_info[:2] in %r)" % (SUPPORTED_PYTHONS,)
        answer = subprocess.run([candidate, "-c", question], capture_output=True, text=True)
        if answer.stdout.strip() == "True":
            return candidate
    raise EnvironmentFailed(
        "no Python 3.11, 3.12 or 3.13 with venv is here (on Debian: apt install python3 python3-venv)"
    )


def requirements_text(name: str) -> str:
    """The requirements file and those that it includes, as one text."""
    text = (HERE / name).read_text()
    return re.sub(r"^-r (\S+)$", lambda match: requirements_text(match.group(1)), text, flags=re.M)


def environment(root: Path, python: str, requirements: str) -> Path:
    """The Python of an environment that holds exactly `requirements`; made if it is not there yet."""
    version = subprocess.run([python, "-VV"], capture_output=True, text=True, check=True).stdout
    fingerprint = hashlib.sha256((version + requirements_text(requirements)).encode()).hexdigest()[:12]
    name = requirements.removeprefix("requirements-").removesuffix(".txt")
    folder = root / f"{name}-{fingerprint}"
    complete = folder / "complete"
    root.mkdir(parents=True, exist_ok=True)
    with open(root / f"{folder.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            print(f"interop: making the Python environment {folder.name}", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
            make(folder, python, requirements)
            complete.touch()
    return folder / "bin" / "python"


def make(folder: Path, python: str, requirements: str) -> None:
    run([python, "-m", "venv", str(folder)], f"cannot make {folder}")
    run(
        [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-input", "--retries", "2",
         "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:",
         "--requirement", str(HERE / requirements)],
        f"cannot install {requirements}",
    )


def run(command: list[str], complaint: str) -> None:
    # A caller's PYTHONPATH would put other packages before the pinned ones.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=clean)
    if result.returncode == 0:
        return
    # A wrong hash is never put down to the network, however often pip had to try.
    tampered = "DO NOT MATCH THE HASHES" in result.stdout
    out_of_reach = OUT_OF_REACH.search(result.stdout) and not tampered
    failure = IndexOutOfReach if out_of_reach else EnvironmentFailed
    raise failure(f"{complaint}:\n{result.stdout.strip()}")
