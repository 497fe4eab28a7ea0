#!/usr/bin/env python3
"""The same attacks on usmpd and on the gateways of released SDKs, and a table: compare.py JOBS [PYTEST_ARGUMENT...]"""

import collections
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

import stages

GATEWAYS = ("usmpd", "sdk-1.2.2", "sdk-0.5.1")
# In the rules' own words, shortened.
RULES = {
    1: "weak keys refused", 2: "no fall-through of entries", 3: "keys checked at insertion and reload",
    4: "all refusals look alike", 5: "keys locked, not dumped", 6: "each key pair and proof once",
    7: "what is one address", 8: "sessions before strangers", 9: "room for strangers", 10: "when a cookie is asked for",
    11: "little for unproved addresses", 12: "what a cookie proves", 13: "wrong HELLO_ACK over UDP", 14: "lockout",
    15: "fail2ban line", 16: "no pause by forged HELLOs", 17: "newest wins by HELLO", 18: "handshakes of one id",
    19: "replay window and keys", 20: "what moves and refreshes", 21: "wire 1 says nothing", 22: "shares of a queue",
    23: "what backends may", 24: "sockets and locks", 25: "escaping", 26: "no key log"}
OTHERS = {"noise": "noise", "slow": "slow connections", "forged": "10,000 forged HELLOs a second",
          "devices_connect": "20 % loss each way"}


def row(test: str) -> str:
    found = re.match(r"test_rule_(\d\d)_", test)
    if found:
        return f"{found[1]} {RULES[int(found[1])]}"
    return next((f"-- {text}" for word, text in OTHERS.items() if test.startswith(f"test_{word}")), f"-- {test}")


def run(gateway: str, jobs: int, arguments: list[str], folder: Path) -> dict[str, collections.Counter]:
    print(f"\n== {gateway} ==", flush=True)
    results: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for number, command in enumerate(stages.commands(jobs)):
        report = folder / f"{gateway}-{number}.xml"
        subprocess.run([*command, f"--junitxml={report}", "--tb=no", "-q", "-r", "fE", *arguments],
                       env={**os.environ, "USMPD_ATTACK_GATEWAY": gateway})
        for case in xml.etree.ElementTree.parse(report).iter("testcase"):
            kinds = {child.tag for child in case}
            outcome = "broken" if kinds & {"failure", "error"} else "cannot run" if "skipped" in kinds else "held"
            results[row(case.get("name"))][outcome] += 1
    return results


def verdict(counts: collections.Counter) -> str:
    tried = counts["held"] + counts["broken"]
    if tried == 0:
        return "cannot run"
    return f"broken, {counts['broken']} of {tried}" if counts["broken"] else f"held, {tried}"


def main() -> int:
    jobs, *arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        results = {gateway: run(gateway, int(jobs), arguments, Path(folder)) for gateway in GATEWAYS}
    rows = sorted({name for found in results.values() for name in found}, key=lambda name: (name[:2] == "--", name))
    print(f"\n{'rule':40}" + "".join(f"{gateway:20}" for gateway in GATEWAYS))
    for name in rows:
        print(f"{name:40}" + "".join(f"{verdict(results[gateway][name]):20}" for gateway in GATEWAYS))
    for word in ("held", "broken", "cannot run"):
        numbers = (sum(verdict(results[gateway][name]).startswith(word) for name in rows) for gateway in GATEWAYS)
        print(f"{word:40}" + "".join(f"{number:<20}" for number in numbers))
    print("\nheld/broken, N: of N attacks; cannot run: what the rule is about is not there in the SDK")
    return int(any(verdict(results["usmpd"][name]).startswith("broken") for name in rows))


if __name__ == "__main__":
    sys.exit(main())
