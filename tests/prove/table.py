# SPDX-License-Identifier: MIT
"""The one table: what was tried, what must happen, what happened."""

import sys

WAYS = ("command line", "one call", "streaming")
ATTACK_WIDTH, EXPECTED_WIDTH, CELL_WIDTH = 72, 22, 20


class Table:
    """Prints rows as they come, and counts those that are not as expected; or lines as tests/run wants them."""

    def __init__(self, lines=False):
        self.lines = lines
        self.as_expected = self.not_as_expected = 0

    def section(self, title, *headings):
        """Starts a part of the table.  Behind "attack" and "expected" are the ways, unless other headings are given."""
        headings = headings or WAYS
        if self.lines:
            return
        print(f"\n{title}\n")
        self._print("attack", ["expected", *headings], "")
        self._print("-" * ATTACK_WIDTH, ["-" * EXPECTED_WIDTH, *["-" * CELL_WIDTH] * len(headings)], "")

    @staticmethod
    def _print(name, cells, mark):
        widths = [EXPECTED_WIDTH, *[CELL_WIDTH] * len(cells)]
        line = " ".join([name.ljust(ATTACK_WIDTH), *(cell.ljust(width) for cell, width in zip(cells, widths))])
        print((line.rstrip() + mark).rstrip())
        sys.stdout.flush()

    def row(self, name, expected, *seen):
        """One row; what was seen is None where a way does not apply.  `expected` is a word for all ways, or one for
        each."""
        wanted = expected if isinstance(expected, (list, tuple)) else [expected] * len(seen)
        words = list(dict.fromkeys(want for want, one in zip(wanted, seen) if one is not None))
        self.judged(name, " / ".join(words), *(one and (one == want, one) for one, want in zip(seen, wanted)))

    def judged(self, name, expected, *cells):
        """One row whose cells are whether it is as expected, and what to show."""
        cells = [cell or None for cell in cells]
        good = any(cells) and all(cell is None or cell[0] for cell in cells)
        self.as_expected += good
        self.not_as_expected += not good
        if self.lines:
            seen = ", ".join(cell[1] for cell in cells if cell)
            print(f"ok {name}" if good else f"FAIL {name}: {seen} instead of {expected}")
            return
        self._print(name, [expected, *("" if cell is None else cell[1] for cell in cells)],
                    "" if good else "  <-- NOT AS EXPECTED")

    def note(self, text):
        """What the reader must know, and is no test."""
        if not self.lines:
            print(f"  ({text})")

    def end(self):
        """The last line, and the exit status."""
        if not self.lines:
            print(f"\n{self.as_expected} as expected, {self.not_as_expected} not")
        return 1 if self.not_as_expected or not self.as_expected else 0
