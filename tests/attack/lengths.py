"""How long the attacks of chance and of mass go on."""

import os

# Some seconds in a test run; tests/attack/run --seconds gives them more.
SECONDS = int(os.environ.get("USMPD_ATTACK_SECONDS", "0")) or 8
SEED = int(os.environ.get("USMPD_ATTACK_SEED", "1"))
# What memory may grow by once tables are full: a leak of some bytes a datagram is more.
FLAT = 2 << 20
# What outsiders may cause: docs/operations.md has 20 lines at once and 10 a second of a kind; four kinds at most.
LINES = 4 * (20 + 10 * SECONDS)
