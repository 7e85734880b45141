# SPDX-License-Identifier: MIT
"""What of the trusted side the tests reach.

    tests/support/coverage.py BUILD_FOLDER

Reads what the programs of a build with COVERAGE=1 have counted.  Prints how many lines and branches of each file of
broker/ were reached.  Ends with 1 where any of a file of COMPLETE was not, each of which is named, or where less than
LEAST of all lines of broker/ were.

Modules that are loaded by the command line after it has confined itself cannot open a file to count in, and have 0 here.
"""

import glob
import json
import os
import subprocess
import sys

COMPLETE = ("broker/wire/reader.c", "broker/wire/announcements.c", "broker/sandbox/arena.c")
LEAST = 90  # percent of the lines of broker/
PROGRAMS = ("safe-decode", "safe-decode-starter", "decoders/jpeg", "decoders/flac", "libsafe-decode.so", "sinks/png.so",
            "sinks/alsa.so", "sinks/display.so")


def counted(build, sources):
    """What llvm-cov says of each source, by its name."""
    data = os.path.join(build, "profiles", "all.profdata")
    raw = glob.glob(os.path.join(build, "profiles", "*.profraw"))
    subprocess.run(["llvm-profdata", "merge", "-o", data, *raw], check=True)
    first, *others = (os.path.join(build, program) for program in PROGRAMS)
    objects = [argument for program in others for argument in ("-object", program)]
    said = subprocess.run(["llvm-cov", "export", "-instr-profile", data, first, *objects, *sources],
                          check=True, stdout=subprocess.PIPE).stdout
    files = json.loads(said)["data"][0]["files"]
    return {os.path.relpath(one["filename"]): one for one in files}


def text_between(lines, start_line, start_column, end_line, end_column):
    """Source text, on one line."""
    part = lines[start_line - 1:end_line]
    part[-1] = part[-1][:end_column - 1]
    part[0] = part[0][start_column - 1:]
    return " ".join(" ".join(part).split())


def missed_lines(lines, segments):
    """The text of each line that only code which never ran is on."""
    for (line, _, count, has_count, *_), after in zip(segments, segments[1:]):
        if has_count and count == 0:
            for number in range(line, after[0] + 1):
                yield " ".join(lines[number - 1].split())


def missed_branches(lines, branches):
    """Each condition that was never true, or never false."""
    for *place, true, false, _, _, _ in branches:
        condition = text_between(lines, *place)
        if true == 0:
            yield f"{condition}: true"
        if false == 0:
            yield f"{condition}: false"


def missed(name, found):
    """What of a file was not reached."""
    with open(name, encoding="utf-8") as file:
        lines = file.read().split("\n")
    texts = [*missed_lines(lines, found["segments"]), *missed_branches(lines, found["branches"])]
    return list(dict.fromkeys(texts))


def print_table(files):
    print(f"{'file':34} {'lines':>12} {'branches':>12}")
    for name, found in files.items():
        summary = found["summary"]
        cells = [f"{part['covered']:5} / {part['count']:4}" for part in (summary["lines"], summary["branches"])]
        print(f"{name:34} {cells[0]:>12} {cells[1]:>12}")


def main():
    build = sys.argv[1]
    sources = sorted(glob.glob("broker/**/*.c", recursive=True))
    files = counted(build, [source for source in sources if source != "broker/confine/compile_filters.c"])
    print_table(files)
    never = [f"{name}: {text}" for name in COMPLETE for text in missed(name, files[name])]
    for one in never:
        print(f"never reached: {one}")
    print(f"{len(never)} lines and branches of {' and '.join(COMPLETE)} are never reached; none is wanted")
    trusted = [found["summary"]["lines"] for name, found in files.items() if name.startswith("broker/")]
    percent = 100 * sum(part["covered"] for part in trusted) / sum(part["count"] for part in trusted)
    print(f"{percent:.1f} % of the lines of broker/ are reached; at least {LEAST} % are wanted")
    return 1 if never or percent < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
