# SPDX-License-Identifier: MIT
"""Attacks of which there are very many: every system call, every message in every state, every value of each field.

What must come of each is worked out here, from the grammar at the top of broker/wire/wire.h and from what strict mode is
said to allow, and from nothing that the programs themselves hold."""

import time

from ways import LIBRARY, by_command, by_library

CALLS = range(601)
X32 = 0x40000000
CHUNK = 200  # inputs that one process decodes
OTHERS = 25  # of how many one is tried in the ways that are not complete

READ, WRITE, SIGRETURN, EXIT, URETPROBE, UPROBE = 0, 1, 15, 60, 335, 336
EXIT_32, READ_32, WRITE_32, SIGRETURN_32, GETPID_32 = 1, 3, 4, 119, 20


class Sweep:
    """Inputs, each with the set of what may come of it."""

    def __init__(self, name, expected):
        self.name, self.expected = name, expected
        self.texts, self.allowed = [], []

    def add(self, text, *allowed):
        self.texts.append(text)
        self.allowed.append(allowed)

    def judge(self, step, seen):
        """One cell: how many were as they must be, or the first that was not."""
        texts, allowed = self.texts[::step], self.allowed[::step]
        for text, good, one in zip(texts, allowed, seen):
            if one.split(":")[0] not in good:
                return False, f"{text[8:]}: {one}"
        return len(seen) == len(texts), f"{len(seen)} of {len(self.texts)}"

    def library(self, build, way, step, *settings, **more):
        seen = []
        texts = self.texts[::step]
        for start in range(0, len(texts), CHUNK):
            seen += by_library(build, way, texts[start:start + CHUNK], "no-spares=1", *settings, **more)
        return self.judge(step, seen)

    def command(self, build, step, *options, **more):
        return self.judge(step, [by_command(build, text, *options, **more)[0] for text in self.texts[::step]])

    def row(self, table, *cells):
        table.judged(self.name, self.expected, *cells)


def has_32_bit_calls(build):
    """Where the kernel has none, "int 0x80" is a fault."""
    return by_library(build, "call", [f"HOSTBYT call32 {GETPID_32}"])[0] != "killed 11"


def calls(death, build, filtered):
    """The sweeps of all three entries to the kernel.  Strict mode does not look at descriptors; a filter does."""
    native = Sweep("system calls 0 to 600 by syscall", f"{death}, but for 4")
    compatible = Sweep("system calls 0 to 600 by int 0x80", f"{death}, but for 4")
    x32 = Sweep("system calls 0 to 600 by x32", death)
    # No descriptor is at the number that they are given, so that reading and writing fail.
    returned = death if filtered else "ok"
    exceptions = {READ: [returned], WRITE: [returned], SIGRETURN: ["killed 11"], EXIT: ["killed ended"],
                  # Recent kernels let these two past seccomp, and refuse them where no probe was set.
                  URETPROBE: [death, "killed 4"], UPROBE: [death, "ok"]}
    exceptions_32 = {READ_32: [returned], WRITE_32: [returned], SIGRETURN_32: ["killed 11"], EXIT_32: ["killed ended"]}
    if filtered:
        exceptions_32 = {}
        compatible.expected = death
    if not has_32_bit_calls(build):
        exceptions_32 = dict.fromkeys(CALLS, ["killed 11"])
        compatible.expected = "killed 11, here"
    for number in CALLS:
        native.add(f"HOSTBYT call {number}", *exceptions.get(number, [death]))
        compatible.add(f"HOSTBYT call32 {number}", *exceptions_32.get(number, [death]))
        x32.add(f"HOSTBYT call {number | X32}", death)
    return native, compatible, x32


def run_calls(build, table, step):
    for sweep in calls("killed 9", build, False):
        sweep.row(table, sweep.command(build, step), sweep.library(build, "call", 1),
                  sweep.library(build, "stream", step))
    foreign = {"prefix": build.foreign()}
    for sweep in calls("killed 31", build, True):
        sweep.name += ", in a container"
        sweep.row(table, sweep.command(build, step, **foreign), sweep.library(build, "call", step, **foreign),
                  sweep.library(build, "stream", step, **foreign))


# ---- every message in every state ----

# PART, FORBIDDEN, blocks and tags of pictures are allowed nowhere here: nobody asks for them, and an input is too short to be
# read in parts.
(HELLO, IMAGE, FRAME, PIXELS, BYTES, DATA, DAMAGE, END, FAIL, AUDIO, SAMPLES, METADATA, LOSS, FORBIDDEN,
 PART, BLOB, BLOB_DATA) = range(1, 18)
KINDS = [*range(BLOB_DATA + 2), 255, 1 << 31 | 1]
LARGEST = 8 << 20  # bytes of a bulk message
LONGEST = 4 + 1024  # bytes of a tag

# Which messages may come in each state that the hostile decoder can reach, and what it poses as there.
STATES = (
    ("ready", 0, "HOSTILE", {IMAGE, FAIL}),
    ("picture announced", 1, "HOSTILE", {FRAME, DAMAGE, FAIL}),
    ("frame begun", 2, "HOSTILE", {PIXELS, DAMAGE, FAIL}),
    ("frame complete", 6, "HOSTILE", {DAMAGE, END, FAIL}),
    ("ready for bytes", 0, "HOSTBYT", {BYTES, FAIL}),
    ("bytes", 3, "HOSTBYT", {DATA, DAMAGE, END, FAIL}),
    ("bytes, damaged", 4, "HOSTBYT", {END}),
    ("picture damaged", 7, "HOSTILE", {END}),
    ("ready for sound", 0, "HOSTSND", {AUDIO, METADATA, FAIL}),
    ("sound", 5, "HOSTSND", {SAMPLES, METADATA, LOSS, DAMAGE, END, FAIL}),
    ("sound damaged", 8, "HOSTSND", {END}),
)

# Lengths as the hostile decoder counts them: one less than right, right, one more; and 3 and any number.
SHORTER, RIGHT, LONGER = range(3)
LENGTHS = [SHORTER, RIGHT, LONGER,
           *(3 + length for length in (0, 1, LONGEST, LONGEST + 1, LARGEST, LARGEST + 1, (1 << 32) - 1))]


def is_length(kind, length):
    """Whether a message of this kind may have this length.  The right one of DATA is 1, of METADATA 9 of 5 to 1028, of
    SAMPLES 4, and any multiple; PIXELS fit the frame."""
    if kind == DATA:
        return length in (RIGHT, LONGER, 3 + 1, 3 + LONGEST, 3 + LONGEST + 1, 3 + LARGEST)
    if kind == METADATA:
        return length in (RIGHT, SHORTER, LONGER, 3 + LONGEST)
    if kind == SAMPLES:
        return length in (RIGHT, 3 + LONGEST, 3 + LARGEST)
    if kind == PIXELS:
        return length in (RIGHT, SHORTER, 3 + 1)
    if kind == BYTES:
        return length in (RIGHT, 3 + 0)
    return length == RIGHT


def messages():
    for name, state, posing, allowed in STATES:
        sweep = Sweep(f"every message, of 10 lengths, in state: {name}", "lied, if out of order")
        for kind in KINDS:
            for length in LENGTHS:
                good = kind in allowed and is_length(kind, length)
                end = {END: ["ok"], FAIL: ["malformed"]}.get(kind, ["killed ended"])
                if name == "picture damaged":
                    end.append("malformed")  # of a picture without a row, a file is not made
                sweep.add(f"{posing} state {state} {kind} {length}", *(end if good else ["killed lied"]))
        yield sweep


# ---- every value of each field ----

VALUES = sorted({*range(256), *(1 << bit for bit in range(32)), *((1 << bit) - 1 for bit in range(33))})
ANY = range(1 << 32)
MALFORMED, UNSUPPORTED = (*range(1, 10), *range(27, 31)), (10, *range(16, 27), *range(31, 36))

FIELDS = (
    ("width", "HOSTILE", IMAGE, 0, [4]),
    ("height", "HOSTILE", IMAGE, 4, [4]),
    ("pixel format", "HOSTILE", IMAGE, 8, [0, 4, 6]),
    ("frames of the file", "HOSTILE", IMAGE, 12, ANY),
    ("loops", "HOSTILE", IMAGE, 16, ANY),
    ("colour", "HOSTILE", IMAGE, 20, range(6)),
    ("channels", "HOSTILE", IMAGE, 24, range(1, 5)),
    ("depth", "HOSTILE", IMAGE, 28, range(1, 65)),
    ("flags", "HOSTILE", IMAGE, 32, range(64)),
    ("orientation", "HOSTILE", IMAGE, 36, range(9)),
    ("delay of a frame", "HOSTILE", FRAME, 0, ANY),
    ("left edge of a rectangle", "HOSTILE", FRAME, 4, range(5)),
    ("top edge of a rectangle", "HOSTILE", FRAME, 8, range(5)),
    ("width of a rectangle", "HOSTILE", FRAME, 12, range(5)),
    ("height of a rectangle", "HOSTILE", FRAME, 16, range(5)),
    ("flags of a frame", "HOSTILE", FRAME, 20, [0]),
    ("reason for damage", "HOSTBYT", DAMAGE, 0, range(1, 36)),
    ("detail of damage", "HOSTBYT", DAMAGE, 8, ANY),
    ("detail of damage, upper half", "HOSTBYT", DAMAGE, 12, ANY),
    ("notes of END", "HOSTBYT", END, 0, range(16)),
    ("rate of sound", "HOSTSND", AUDIO, 0, range(1, 1048576)),
    ("channels of sound", "HOSTSND", AUDIO, 4, (1, 2)),
    ("sample format", "HOSTSND", AUDIO, 8, [0]),
    ("depth of samples", "HOSTSND", AUDIO, 12, range(1, 65)),
    ("speakers", "HOSTSND", AUDIO, 16, [value for value in VALUES if value < 1 << 18 and value.bit_count() in (0, 2)]),
    ("flags of sound", "HOSTSND", AUDIO, 20, range(16)),
    ("number of samples", "HOSTSND", AUDIO, 24, ANY),
    ("number of samples, upper half", "HOSTSND", AUDIO, 28, ANY),
    ("name of a tag", "HOSTSND", METADATA, 0, range(29)),
    ("text of a tag", "HOSTSND", METADATA, 4, [value for value in VALUES if b"\0" not in value.to_bytes(4, "little")]),
    ("number of losses", "HOSTSND", LOSS, 0, range(1, 1 << 32)),
    ("number of losses, upper half", "HOSTSND", LOSS, 4, ANY),
)

LIMITS = {11: "side", 12: "pixels", 13: "output", 14: "memory", 15: "metadata"}


def fields():
    for name, posing, kind, offset, good in FIELDS:
        sweep = Sweep(f"values of the {name}", "lied, if out of range")
        for value in VALUES:
            sweep.add(f"{posing} field {kind} {offset} {value}", "ok" if value in good else "killed lied")
        yield sweep
    sweep = Sweep("values of the reason for a failure", "lied, or its status")
    for value in VALUES:
        known = {**dict.fromkeys(MALFORMED, ["malformed"]), **dict.fromkeys(UNSUPPORTED, ["unsupported"]),
                 **{code: [f"limit {name}", "limit"] for code, name in LIMITS.items()}}
        sweep.add(f"HOSTILE field {FAIL} 0 {value}", *known.get(value, ["killed lied"]))
    yield sweep
    sweep = Sweep("kinds of a message, before anything else", "lied")
    for value in VALUES:
        sweep.add(f"HOSTBYT message {value} 4", "killed lied")  # of 4 bytes that are zero, none may come there
    yield sweep


# What may come where a format is asked for: itself, or, of those of integers with alpha, one to which alpha is added.
FORMATS = {"rgba16": (7, {7, 9, 11}), "gray-alpha": (8, {6, 8}), "gray16": (9, {9}), "gray-alpha16": (10, {9, 10}),
           "rgb16": (11, {11}), "rgbaf16": (12, {12}), "rgbaf32": (13, {13})}


def run_formats(build, table, step):
    for name, (number, good) in FORMATS.items():
        sweep = Sweep(f"values of the pixel format, where {name} is wanted", "lied, if out of range")
        for value in VALUES:
            sweep.add(f"HOSTILE field {IMAGE} 8 {value}", "ok" if value in good else "killed lied")
        sweep.row(table, sweep.command(build, step, "-p", name), sweep.library(build, "call", step, f"pixels={number}"),
                  sweep.library(build, "stream", step, f"pixels={number}"))


def run_blocks(build, table, step):
    """Of a picture whose EXIF is wanted: kind, size, and what comes where."""
    for name, offset, good in (("kind", 0, [1]), ("size", 4, [4])):
        sweep = Sweep(f"values of the {name} of a block", "lied, if out of range")
        for value in VALUES:
            sweep.add(f"HOSTILE field {BLOB} {offset} {value}", "ok" if value in good else "killed lied")
        sweep.row(table, sweep.command(build, step, "--extract", "exif"), None,
                  sweep.library(build, "stream", step, "flags=36"))  # the header alone, and EXIF
    sweep = Sweep("blocks out of order, twice, too long", "lied")
    for case in range(6):
        sweep.add(f"HOSTILE blocks {case}", "killed lied")
    sweep.row(table, sweep.command(build, 1, "--extract", "exif"), None, sweep.library(build, "stream", 1, "flags=32"))
    sweep = Sweep("a block that nobody asked for", "lied")
    for case in range(6):
        sweep.add(f"HOSTILE blocks {case}", "killed lied")
    sweep.row(table, sweep.command(build, 1), sweep.library(build, "call", 1), sweep.library(build, "stream", 1))


def run_wire(build, table, step, sweeps):
    for sweep in sweeps:
        sweep.row(table, sweep.command(build, step, "--partial"), sweep.library(build, "call", 1, "flags=1"),
                  sweep.library(build, "stream", step, "flags=1"))


# ---- at random ----

DOCUMENTED = ("ok", "malformed", "limit", "killed", "unsupported")


def run_random(build, table, seconds):
    """Messages that nobody thought of: nobody says what must come of them, but the ways must agree."""
    deadline, tried, differences, seen = time.monotonic() + seconds, 0, [], {}
    while time.monotonic() < deadline and not differences:
        texts = [f"{posing} random {tried + seed}" for seed in range(CHUNK // 8)
                 for posing in ("HOSTILE", "HOSTBYT", "HOSTSND")]
        tried += CHUNK // 8
        results = [[by_command(build, text, "--partial")[0] for text in texts],
                   *(by_library(build, way, texts, "no-spares=1", "flags=1") for way in LIBRARY)]
        for text, *ways in zip(texts, *results):
            command, *library = [one.split(":")[0].split(" ")[0] for one in ways]
            # Of a damaged picture without a row the command line makes no file; the library tells how many are missing.
            rowless = command == "malformed" and set(library) == {"ok"} and text.startswith("HOSTILE")
            words = {*library} if rowless else {command, *library}
            for word in words:
                seen[word] = seen.get(word, 0) + 1
            if len(words) > 1 or not words.issubset(DOCUMENTED):
                differences.append(f"{text}: {ways}")
    table.judged("random messages: the three ways agree on a status", "no difference",
                 (not differences and tried > 0, differences[0] if differences else f"{3 * tried} tried"))
    table.note(", ".join(f"{count} {status}" for status, count in sorted(seen.items())))


def run_all(build, table, complete):
    step = 1 if complete else OTHERS
    table.section("Every system call")
    run_calls(build, table, step)
    table.section("Every message in every state")
    run_wire(build, table, step, messages())
    table.section("Every field of every message")
    run_wire(build, table, step, fields())
    run_formats(build, table, step)
    run_blocks(build, table, step)
