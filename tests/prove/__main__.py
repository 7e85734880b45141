# SPDX-License-Identifier: MIT
"""The decoder may be taken over, and nothing happens.

    tests/prove BUILD_FOLDER [quick | SECONDS]

Plays a decoder that was taken over, and a system on which its lock-down fails, and prints one table of what was tried,
what must happen, and what happened.  Ends with "N as expected, N not", and with 1 where anything was not.

Of what there is very much of, all is tried in one way, and a part in the others.  With SECONDS, all is tried in every
way, and random messages are for as long.  "quick" leaves all that out, and prints a line for each row, as tests do.
"""

import sys
import time

import attacks
import closed
import confined
import costs
import search
import sweeps
import trusted
from table import Table
from ways import MOST_MEMORY, Build


def measured(build, table):
    table.section("What it cost, over all of the above", "seen")
    table.row("the most memory of any caller", f"< {MOST_MEMORY >> 10} MiB",
              f"< {MOST_MEMORY >> 10} MiB" if build.peak < MOST_MEMORY else f"{build.peak >> 10} MiB")
    table.row("processes, descriptors, files left behind", "none", "none" if not build.left else f"{build.left[:3]}")
    table.note(f"most memory: {build.peak / 1024:.1f} MiB; the longest run: {build.slowest:.1f} s")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    mode = sys.argv[2] if len(sys.argv) == 3 else ""
    quick, seconds = mode == "quick", int(mode) if mode.isdigit() else 0
    build, table = Build(sys.argv[1]), Table(lines=quick)
    began = time.monotonic()
    attacks.run_all(build, table)
    search.run_all(build, table)
    closed.run_all(build, table)
    confined.run_all(build, table)
    costs.run_all(build, table)
    if not quick:
        sweeps.run_all(build, table, seconds > 0)
    if seconds:
        sweeps.run_random(build, table, seconds)
    measured(build, table)
    trusted.run_all(table)
    build.close()
    table.note(f"{time.monotonic() - began:.0f} s in all")
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
