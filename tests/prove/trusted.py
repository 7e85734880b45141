# SPDX-License-Identifier: MIT
"""How much code of the trusted side sees what a decoder chose: the number of lines in which a mistake would let a
decoder that was taken over do harm.  Run by itself, prints the list.

    tests/prove/trusted.py
"""

import fnmatch
import glob
import os
import re

MOST = 600  # lines that decide about bytes which nothing has checked
MOST_OF_INPUT = 2200  # lines that look at the start of an input

# Each file of broker/ is of the first row that it matches.
UNCHECKED, CHECKED, NONE = "decides about unchecked bytes", "uses checked numbers", "sees none of it"
INPUT = "looks at the start of an input"  # whose bytes are an attacker's, too, but no decoder has been at work
FILES = (
    ("broker/wire/reader.[ch]", UNCHECKED, "each byte that a decoder writes is read here, and checked"),
    ("broker/wire/announcements.[ch]", UNCHECKED, "what pictures and sound may be: a part of the reader"),
    ("broker/cli/escape.[ch]", UNCHECKED, "the text of tags, of which every byte is the decoder's"),

    ("broker/recognise/*", INPUT, "which format an input is of, by its first 64 KiB"),
    ("broker/decode/call_recognise.[ch]", INPUT, "reads the start of the input, which is not looked at here"),

    # What follows has only what the reader let pass: geometry within the limits, members of closed lists, counts.
    ("broker/decode/channels.[ch]", CHECKED, "looks layouts up, and orders channels by them"),
    ("broker/decode/random.[ch]", CHECKED, "copies or reads a part, which lies within the input"),
    ("broker/wire/status.[ch]", CHECKED, "words for a failure of the closed list"),
    ("broker/decode/widen.[ch]", CHECKED, "copies pixels, as many as there are, whatever their values"),
    ("broker/cli/info.[ch]", CHECKED, "prints numbers, and names of closed lists"),
    ("broker/cli/report.[ch]", CHECKED, "prints numbers, and names of closed lists"),
    ("broker/cli/tag_list.[ch]", CHECKED, "copies tags, as long and as many as the reader allows"),
    ("broker/cli/cover.[ch]", CHECKED, "stores the bytes of a cover, and looks at none"),
    ("broker/decode/call.[ch]", CHECKED, "hands numbers and tags on, and says what came of it"),
    ("broker/cli/job.[ch]", CHECKED, "hands numbers and tags on"),
    ("broker/cli/job_driver.[ch]", CHECKED, "hands numbers and tags on, and copies blocks"),
    ("broker/library/about.[ch]", NONE, "names and version"),
    ("broker/library/*", CHECKED, "allocates and counts by the geometry"),
    ("broker/cli/show.[ch]", CHECKED, "prints how much was played"),
    ("broker/devices/device.[ch]", NONE, "opens and closes devices"),
    ("broker/devices/console.[ch]", NONE, "the text console, and keys"),
    ("broker/devices/*", CHECKED, "geometry and rates within limits; pixels and samples of any value"),
    ("broker/output/loader.[ch]", NONE, "loads modules of outputs by compiled-in names"),
    ("broker/output/*", CHECKED, "allocates and counts by the geometry; pixels and samples of any value"),

    ("broker/decode/pump.[ch]", NONE, "moves bytes to the reader; how many, the kernel says"),
    ("broker/decode/decode.[ch]", NONE, "one decode: a pump and a child"),
    ("broker/decode/child.[ch]", NONE, "how a child ended, as the kernel says"),
    ("broker/decode/source.h", NONE, "where decoders come from"),
    ("broker/decode/limits.[ch]", NONE, "what the caller wants"),
    ("broker/service/*", NONE, "starts decoder programs, and talks to them before they have an input"),
    ("broker/sandbox/arena*.[ch]", NONE, "the decoder's own memory"),
    ("broker/sandbox/interpose.[ch]", NONE, "the decoder's own memory"),
    ("broker/sandbox/*", NONE, "the lock-down, and the broker: no byte that a decoder with an input wrote"),
    ("broker/confine/*", NONE, "what the trusted side gives up itself"),
    ("broker/base/*", NONE, "what the kernel and the caller say"),
    ("broker/safe-decode.h", NONE, "the public interface"),
    ("broker/wire/wire.h", NONE, "declares what both sides say: no code but two tables of sizes"),
    ("broker/wire/pixel_forms.h", CHECKED, "says which pixel format fits a picture that was checked"),
    ("broker/wire/entry.h", NONE, "declares what decoders give their program"),
    ("broker/cli/*", NONE, "options, names, messages, the loop"),
    # Nobody has looked at it yet.
    ("broker/*", UNCHECKED, "not listed in tests/prove/trusted.py"),
)


def code_lines(path):
    """Lines that are neither blank nor comment."""
    with open(path, encoding="utf-8") as stream:
        text = re.sub(r"/\*.*?\*/", "", stream.read(), flags=re.DOTALL)
    return sum(1 for line in text.splitlines() if line.strip())


def count():
    """Lines, path, kind and reason of each file."""
    for path in sorted(glob.glob("broker/**/*.[ch]", recursive=True)):
        kind, reason = next(row[1:] for row in FILES if fnmatch.fnmatch(path, row[0]))
        yield code_lines(path), path, kind, reason


def total(kind):
    return sum(lines for lines, _, of, _ in count() if of == kind)


def run_all(table):
    table.section("How much code there is to trust (tests/prove/trusted.py lists it)", "seen")
    lines = total(UNCHECKED)
    table.judged("lines that decide about bytes which nothing has checked", f"< {MOST}", (0 < lines < MOST, str(lines)))
    lines = total(INPUT)
    table.judged("lines that look at the start of an input", f"< {MOST_OF_INPUT}",
                 (0 < lines < MOST_OF_INPUT, str(lines)))
    for size, path, kind, reason in count():
        if kind == UNCHECKED:
            table.note(f"{path}: {size} lines: {reason}")
    table.note(f"{total(CHECKED)} lines more use numbers that were checked, {total(NONE)} see nothing of a decoder's")


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    for kind in (UNCHECKED, INPUT, CHECKED, NONE):
        print(f"{total(kind)} lines: {kind}")
        for lines, path, of, reason in count():
            if of == kind:
                print(f"  {lines:5} {path}: {reason}")


if __name__ == "__main__":
    main()
