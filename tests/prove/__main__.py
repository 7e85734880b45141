# SPDX-License-Identifier: MIT
"""The decoder may be taken over, and nothing happens.

    tests/prove BUILD_FOLDER [SECONDS]

Plays a decoder that was taken over, and a system on which its lock-down fails, and prints one table of what was tried,
what must happen, and what happened.  Ends with "N as expected, N not", and with 1 where anything was not.  With SECONDS,
all that is numbered is tried in every way, and random messages for as long.
"""

import sys
import time

import attacks
import search
import sweeps
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
    build, table = Build(sys.argv[1]), Table()
    began = time.monotonic()
    attacks.run_all(build, table)
    search.run_all(build, table)
    sweeps.run_all(build, table, len(sys.argv) == 3)
    measured(build, table)
    build.close()
    table.note(f"{time.monotonic() - began:.0f} s in all")
    return table.end()


if __name__ == "__main__":
    sys.exit(main())
