# SPDX-License-Identifier: MIT
"""Attacks by a decoder that was taken over, through each way in which it can be called.  The decoder is
tests/hostile/."""

import glob
import json
import os
import re
import tempfile

from ways import LIBRARY, STATUSES, Run, by_command, by_file, by_library, is_printable
from ways import MEMORY as MEMORY_OF_EACH

# Name; what the decoder does; what must come of it; and what differs from the defaults: the ways, limits, how it is
# called.  An expectation is a status, and what explains it: a signal, a limit, or why the decoder's answer was refused.
KERNEL = (
    ("read all descriptors but 0, write all but 1, up to 1023", "HOSTBYT descriptors", "ok: two descriptors"),
    ("write to address 8", "HOSTBYT segfault 8", "killed 11"),
    ("end without a word", "HOSTBYT exit 0", "killed ended"),
    ("end as if its lock-down had failed", "HOSTBYT exit 111", "killed ended"),
    ("compute for ever: processor time", "HOSTBYT spin", "limit cpu", {"cpu": 1}),
    ("compute for ever: no byte moves", "HOSTBYT spin", "limit stall", {"stall": 1}),
    ("compute for ever: the caller's deadline", "HOSTBYT spin", "limit deadline", {"deadline": 500}),
    ("block all signals by sigreturn, then compute for ever", "HOSTBYT block-signals", "limit cpu", {"cpu": 1}),
    ("sleep: wait for input that does not come", "HOSTBYT read", "limit deadline",
     {"ways": LIBRARY, "deadline": 500, "stays-open": 1}),
    ("sleep: read though there is no more", "HOSTBYT read", "ok: end of the input", {"stall": 5}),
    # The kernel shows a page of coarse time to every process: no system call, and nothing to be done about it.
    ("tell the time by the kernel's own page", "HOSTBYT coarse-clock", "ok: coarse time"),
)

MEMORY = (
    ("recurse without end", "HOSTBYT recurse 100000000", "killed 11"),
    ("take and touch all memory that there is", "HOSTBYT exhaust 0", "limit memory"),
    ("the same, and go on behind its end", "HOSTBYT exhaust 1", "killed 11"),
    ("execute what it wrote to its heap", "HOSTBYT execute-heap", "killed 11"),
)

WIRE = (
    ("half a message's header, and then the end", "HOSTILE half-header", "killed ended"),
    ("half a message, and then the end", "HOSTILE half-message", "killed ended"),
    ("a message that does not exist", "HOSTILE message 255 4", "killed lied"),
    ("a message of 4 GiB", "HOSTBYT message 6 4294967295", "killed lied"),
    ("END twice: nothing is read after the first", "HOSTILE twice", "ok"),
    ("half of the rows, and END", "HOSTILE short 64 64", "killed lied"),
    ("one row too many", "HOSTILE long 64 64", "killed lied"),
    ("bytes where its format gives a picture", "HOSTILE flood", "killed lied"),
    ("a picture where its format gives bytes", "HOSTBYT picture 4 4", "killed lied"),
    ("bytes without end", "HOSTBYT flood", "killed lied", {"output": 8 << 20}),
    ("a picture in messages of one byte", "HOSTILE drip 4000 4000", "killed lied"),
    ("empty messages without end", "HOSTBYT empty 6", "killed lied"),
    ("a picture of 0 columns", "HOSTILE announce 0 9 1", "killed lied"),
    ("a picture of 0 rows", "HOSTILE announce 9 0 1", "killed lied"),
    ("a picture of 65536 columns", "HOSTILE announce 65536 1 1", "killed lied"),
    ("a picture of 2^32 - 1 rows", "HOSTILE announce 1 4294967295 1", "killed lied"),
    ("a picture of 2^64 bytes and more", "HOSTILE announce 4294967295 4294967295 1", "killed lied"),
    ("a picture whose bytes are 0 modulo 2^64", "HOSTILE announce 2147483648 2147483648 4", "killed lied"),
    ("the largest side, squared", "HOSTILE announce 65535 65535 1", "killed lied"),
    ("the largest picture that is allowed, and none of it", "HOSTILE announce 65535 4096 1", "killed ended"),
    ("frames of which nobody knows how many", "HOSTILE announce 9 9 0", "killed ended"),
    ("10^6 frames of one pixel, as announced", "HOSTILE frames 1000000", "killed lied"),
    ("10^6 frames of one pixel, and one announced", "HOSTILE frames 1", "killed lied"),
    ("10^6 frames, and none announced", "HOSTILE frames 0", "killed lied"),
    ("sound where its format gives bytes", "HOSTBYT absurd-sound 0", "killed lied"),
    ("tags without end, before the sound", "HOSTSND tags 0", "killed lied"),
    ("tags without end, in the sound", "HOSTSND tags 1", "killed lied"),
    ("losses without end", "HOSTSND losses", "killed lied"),
    ("2^64 - 2 samples of 64 channels announced, one sent", "HOSTSND absurd-sound 0", "ok"),
    ("no sample announced, one sent", "HOSTSND absurd-sound 1", "ok"),
    ("samples after the end", "HOSTSND absurd-sound 2", "ok"),
    ("tags of every byte there is, 128 of 1 KiB", "HOSTSND tag-bytes", "ok"),
    # Wrong pixels are the attacker's to give; the caller's memory is not theirs to overrun.
    ("a larger picture than it told before", "HOSTILE disagree 64 64", ("ok", "too-small", "ok"), {"call": "into"}),
    ("a smaller picture than it told before", "HOSTILE disagree 2 2", "ok", {"call": "into"}),
    ("more sound than it told before", "HOSTSND disagree-sound 2 64", ("ok", "too-small", "ok"), {"call": "into"}),
    ("sound of more channels than it told before", "HOSTSND disagree-sound 64 4", ("ok", "too-small", "ok"),
     {"call": "into"}),
    ("less sound than it told before", "HOSTSND disagree-sound 1 2", "ok", {"call": "into"}),
)

# Inputs that are long enough for a decoder to be offered their parts, in any order.
LONG = {"size": 1 << 20}
PARTS = (
    ("a part of it", "HOSTBYT part 5 1000", "ok: 1000 bytes", LONG),
    ("all of it at once", "HOSTBYT part 0 1048576", "ok: 1048576 bytes", LONG),
    ("a part that reaches behind its end", "HOSTBYT part 1048570 1000", "ok: 6 bytes", LONG),
    ("a part behind its end", "HOSTBYT part 1048576 1", "ok: 0 bytes", LONG),
    ("a part at 2^64 - 1", "HOSTBYT part 18446744073709551615 1048576", "ok: 0 bytes", LONG),
    ("a part of no bytes", "HOSTBYT part 0 0", "killed lied", LONG),
    ("a part of 1 MiB and 1 byte", "HOSTBYT part 0 1048577", "killed lied", LONG),
    ("a part of 4 GiB", "HOSTBYT part 0 4294967295", "killed lied", LONG),
    ("a part of an input that comes in order", "HOSTBYT part 0 1", "killed lied"),
    ("two parts at once", "HOSTBYT parts-untaken 2", "killed lied", LONG),
    ("10^6 parts at once", "HOSTBYT parts-untaken 1000000", "killed lied", LONG),
    ("a part that it does not take", "HOSTBYT parts-untaken 0", "limit stall", {**LONG, "stall": 1}),
    ("the same part again and again", "HOSTBYT parts-without-end", ("limit", "limit reads", "limit reads"), LONG),
)


def options_of(limits):
    """The command line's options, and the library's settings, for a row's limits."""
    options, settings = [], []
    for name, value in limits.items():
        if name in ("cpu", "stall", "output", "deadline"):
            options += ["--max-output" if name == "output" else f"--{name}", str(value)]
        if name in ("cpu", "stall", "output", "deadline", "stays-open", "size"):
            settings.append(f"{name}={value}")
    return options, settings


def run_row(build, table, name, text, expected, limits=None, prefix=()):
    limits = {"cpu": 20, "stall": 20, **(limits or {})}
    ways = limits.get("ways", ("command", "call", "stream"))
    options, settings = options_of(limits)
    seen = [None]
    if "command" in ways and "size" in limits:
        seen = [by_file(build, text, limits["size"], *options, prefix=prefix)[0]]
    elif "command" in ways:
        seen = [by_command(build, text, *options, prefix=prefix)[0]]
    for way in LIBRARY:
        if way in ways:
            seen += by_library(build, limits.get(way, way), [text], *settings, prefix=prefix)
        else:
            seen.append(None)
    table.row(name, expected, *seen)


def time_stamps(build, table, prefix=()):
    """Strict mode takes the time-stamp counter away; under some hypervisors that has no effect, whoever asks for it."""
    obeys = takes_counter_away(build)
    run_row(build, table, "read the time-stamp counter", "HOSTBYT clock",
            "killed 11" if obeys else "ok: read the counter", prefix=prefix)
    if not obeys:
        table.note("this machine lets any process read the counter that has given it up by prctl(PR_SET_TSC): its "
                   "hypervisor's doing")


def takes_counter_away(build):
    return Run(build, [build.program("tsc")]).status == -11


def run_kernel(build, table, prefix=(), **instead):
    """`instead`: what is expected of an attack where a filter is in force."""
    for name, text, expected, *limits in KERNEL + MEMORY:
        run_row(build, table, name, text, instead.get(text.split()[1], expected), *limits, prefix=prefix)
    time_stamps(build, table, prefix)


# ---- all at once ----

GOOD = "HOSTILE picture 8 8"


def at_once(build, rows, prefix=()):
    """Every attack is one of the inputs of one command line, and each stands between two inputs that are good.  What is
    good comes out whole, and of the others comes one line each, and nothing else."""
    folder = tempfile.mkdtemp(dir=build.scratch)
    outputs = os.path.join(folder, "outputs")
    good, paths = set(), []
    for text, succeeds in (one for row in rows for one in ((GOOD, True), row)):
        if succeeds:
            good.add(f"{len(paths):03}")
        paths.append(os.path.join(folder, f"{len(paths):03}.hostile"))
        with open(paths[-1], "w", encoding="ascii") as stream:
            stream.write(text)
    run = Run(build, [*prefix, build.program("safe-decode"), "-q", "--memory", str(MEMORY_OF_EACH), "--cpu", "2",
                      "--stall", "5", "--max-output", "8M", "-j", "4", "--output-dir", outputs, *paths])
    build.peak = max(build.peak, run.peak)
    whole = by_command(build, GOOD)[1].output
    pictures = glob.glob(f"{outputs}/*[02468].*")
    bad = {re.search(r"/(\d+)\.hostile: ", line)[1] for line in run.errors.decode().splitlines()}
    if not is_printable(run.errors) or bad | good != {f"{place:03}" for place in range(len(paths))} or bad & good:
        return f"refused: {sorted(bad ^ {f'{place:03}' for place in range(len(paths))} ^ good)}"
    if {os.path.basename(path)[:3] for path in glob.glob(f"{outputs}/*")} != good:
        return "other outputs than there should be"
    if any(contents_of(path) != whole for path in pictures):
        return "a good picture is not whole"
    return f"{STATUSES[run.status]}, {len(pictures)} good ones whole"


def contents_of(path):
    with open(path, "rb") as stream:
        return stream.read()


def run_at_once(build, table, prefix=(), **instead):
    rows = []
    for _, text, expected, *limits in KERNEL + MEMORY + WIRE:
        expected = instead.get(text.split()[1], expected)
        if not limits or "ways" not in limits[0]:
            rows.append((text, (expected if isinstance(expected, str) else expected[0]).startswith("ok")))
    table.row("all of these, as inputs of one command line, with good ones between",
              f"killed, {len(rows)} good ones whole", at_once(build, rows, prefix), None, None)


# ---- text ----


def strings_of(value):
    """All strings in a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_of(inner)
    elif isinstance(value, str):
        yield value


def information(build):
    """Tags of all bytes: one JSON object of printable ASCII, in which nothing is lost."""
    seen, run = by_command(build, "HOSTSND tag-bytes", "--info")
    if seen != "ok" or run.output.count(b"\n") != 1 or not is_printable(run.output):
        return f"{seen}, unprintable"
    found = list(strings_of(json.loads(run.output)["tags"]))
    whole = sum(len(one) > 500 for one in found)
    return f"{seen}, printable" if whole == 128 else f"{seen}, {whole} tags"


def preview(build):
    """Pixels shown on a terminal: colours and half blocks, and nothing that a pixel could spell."""
    seen, run = by_command(build, "HOSTILE picture 64 48", "-t", "preview")
    rest = re.sub(rb"\x1b\[(?:[0-9;]*)m|\n|[ -~]|\xe2\x96[\x80-\x9f]", b"", run.output)
    return f"{seen}, printable" if run.output and not rest else f"{seen}, {rest[:20]!r}"


def words(build):
    """What is said about an input whose name is all escape sequences."""
    name = "\x1b]0;owned\x07\x1b[2J\r\x9b.hostile"
    seen, _ = by_command(build, "HOSTILE spin", "--cpu", "1", name)
    return f"{seen}, printable"


def reports(build):
    """All that is said about such an input that is there, and that of its decoder."""
    path = os.path.join(build.scratch, "\x1b]0;owned\x07\x1b[2J\r\x9b.hostile")
    for text in ("HOSTSND tag-bytes", "HOSTBYT call 39", "HOSTILE picture 4 4"):
        with open(path, "w", encoding="ascii") as stream:
            stream.write(text)
        for options in (["--info", "--posture", "-v"], ["--diagnose", "--posture", "-v"], ["-o", "/dev/null", "-v"]):
            run = Run(build, [build.program("safe-decode"), *options, path])
            if not is_printable(run.output + run.errors) or not run.output + run.errors:
                return f"{text} {options}: unprintable"
    os.unlink(path)
    return "printable"


def run_texts(build, table):
    table.row("tags of every byte there is, 128 of 1 KiB: --info", "ok, printable", information(build), None, None)
    table.row("pixels shown on a terminal", "ok, printable", preview(build), None, None)
    table.row("an input whose name is escape sequences", "io, printable", words(build), None, None)
    table.row("the same, and there: --info, --posture, --diagnose, --verbose", "printable", reports(build), None, None)


def run_all(build, table):
    table.section("What the kernel refuses, and memory")
    run_kernel(build, table)
    table.section("What the wire reader refuses")
    for row in WIRE:
        run_row(build, table, *row)
    run_at_once(build, table)
    table.section("What it may read of its input")
    for row in PARTS:
        run_row(build, table, *row)
    table.section("In a container: a filter that was in force, and one of the decoder's instead of strict mode")
    # Reading and writing are for descriptors 0 and 1 then.
    run_kernel(build, table, build.foreign(), descriptors="killed 31")
    run_at_once(build, table, build.foreign(), descriptors="killed 31")
    table.section("What reaches a terminal")
    run_texts(build, table)
