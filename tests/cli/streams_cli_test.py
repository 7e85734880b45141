#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compressed streams against the tools that make them: members, garbage, truncation, checksums, memory.

    tests/cli/streams_cli_test.py BUILD_FOLDER
"""

import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zlib

from cli_support import (PROGRAM, Folder, Skip, expect, expect_failure, expect_status, main, read, run, test)

TEXT = b"".join(b"%d bottles of beer on the wall, %d bottles of beer\n" % (n, n) for n in range(99, 0, -1))


class Format:
    """One format: how its own tool packs, and what must hold for it."""

    def __init__(self, name, pack, unpack, memory=None, size=0, options=()):
        self.name = name
        self.pack_command = pack
        self.unpack_command = unpack
        # A --memory that is too little for this many bytes, packed with these options.
        self.memory, self.size, self.options = memory, size, options

    def pack(self, data, *options):
        return filtered([*self.pack_command, *options], data)[1]

    def unpack(self, data):
        """Status and output of the format's own tool."""
        return filtered(self.unpack_command, data)

    def run(self, data, *options):
        """Recognised by content, where that is possible."""
        named = ["--decoder", self.name] if self.name in ("deflate", "brotli") else []
        return run("-q", *named, *options, input=data)


# Where plzip is installed too, "lzip" may mean that, which takes other options and makes many members.
LZIP = shutil.which("lzip.lzip") or "lzip"
FORMATS = [
    Format("gzip", ["gzip", "-cn"], ["gzip", "-dc"]),
    Format("bzip2", ["bzip2", "-c"], ["bzip2", "-dc"], "2M", 300000, ["-9"]),
    Format("xz", ["xz", "-c"], ["xz", "-dc"], "4M", 300000, ["-6"]),
    Format("lzma", ["xz", "--format=lzma", "-c"], ["xz", "--format=lzma", "-dc"], "4M", 300000, ["-6"]),
    Format("lzip", [LZIP, "-c"], [LZIP, "-dc"], "1M", 2 << 20, ["-s2MiB", "-m5"]),
    Format("zstd", ["zstd", "-c"], ["zstd", "-dc"], "8M", 300000, ["--long=24"]),
    Format("lz4", ["lz4", "-c"], ["lz4", "-dc"], "4M", 6 << 20, ["-B7"]),
    Format("brotli", ["brotli", "-c"], ["brotli", "-dc"], "4M", 6 << 20, ["-q", "1", "-w", "24"]),
]
BY_NAME = {form.name: form for form in FORMATS}
ONE_MEMBER = ("lzma", "brotli")


def filtered(command, data):
    try:
        done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except FileNotFoundError as error:
        raise Skip(f"{command[0]} is not installed") from error
    return done.returncode, done.stdout


def noise(size):
    return random.Random(size).randbytes(size)


def skippable(content, number=0):
    return struct.pack("<II", 0x184D2A50 + number, len(content)) + content


# ---- members and what follows them ----


@test
def whole_streams():
    for form in FORMATS:
        for data in (b"x", TEXT, noise(300000) + TEXT * 100):
            done = form.run(form.pack(data))
            expect_status(done, 0)
            expect(done.stdout == data, form.name)


@test
def what_has_no_mark_is_known_by_its_name():
    with Folder() as folder:
        name = folder.write("lorem.br", read("samples/brotli/lorem.txt.br"))
        done = run("-q", name)
        expect_status(done, 0)
        expect(done.stdout.startswith(b"Lorem ipsum"), done.stdout[:20])
        # A mark counts more than a name.
        done = run("-q", folder.write("romeo.br", read("samples/gzip/romeo.txt.gz")))
        expect(done.returncode == 0 and done.stdout.startswith(b"Romeo"), done)
        expect_failure(run("-q", folder.write("lorem", read("samples/brotli/lorem.txt.br"))), 7)


@test
def empty_streams():
    for form in FORMATS:
        done = form.run(form.pack(b""))
        expect_status(done, 0)
        expect(done.stdout == b"", form.name)


@test
def several_members():
    for form in FORMATS:
        packed = form.pack(TEXT) + form.pack(b"and more") + form.pack(b"") + form.pack(TEXT)
        done = form.run(packed)
        if form.name in ONE_MEMBER:
            expect_failure(done, 3, "there is more data after its end")
        else:
            expect_status(done, 0)
            expect(done.stdout == TEXT + b"and more" + TEXT, form.name)


@test
def what_follows_is_judged_as_by_the_tool():
    tails = [b"x", b"\n", bytes(3), bytes(4), bytes(512), b"garbage that is no member", noise(100)]
    for form in FORMATS:
        packed = form.pack(TEXT)
        for tail in [*tails, *(packed[:cut] for cut in (1, 2, 3, 4, 5, 6, 7, 12)), packed[:6] + noise(50)]:
            if form.name == "gzip" and tail in (b"x", b"\n"):
                continue  # gzip takes a single byte for a cut member, but two bytes of the same kind for garbage
            status, output = form.unpack(packed + tail)
            if form.name == "gzip" and status == 2:
                status = 0  # only a warning
            done = form.run(packed + tail)
            expect((status == 0) == (done.returncode == 0), f"{form.name} {tail[:8]}: {status}, {done.returncode}")
            # lz4 1.10 writes in a thread of its own, which an error ends before it has written what was good.
            same = output.startswith(done.stdout) or (status != 0 and done.stdout.startswith(output))
            expect(same and done.stdout.startswith(TEXT), f"{form.name} {tail[:8]}")


@test
def garbage_is_noted():
    for name, words in (("bzip2", True), ("lzip", True), ("gzip", True), ("xz", False), ("zstd", False), ("lz4", False)):
        done = run("-v", input=BY_NAME[name].pack(TEXT) + b"garbage")
        expect((b"bytes follow the end" in done.stderr) == words, f"{name} {done.stderr}")
        partial = run("-q", "--partial", input=BY_NAME[name].pack(TEXT) + b"garbage")
        expect(partial.returncode == 0 and partial.stdout == TEXT, name)


@test
def a_member_that_is_nearly_one():
    """What resembles the magic of lzip is a damaged member, not garbage."""
    packed = BY_NAME["lzip"].pack(TEXT)
    expect_failure(run("-q", input=packed + b"LZIQ" + packed[4:]), 3, "header")
    expect_status(run("-q", input=packed + b"L___" + packed[4:]), 0)


# ---- input in any pieces ----


@test
def byte_by_byte():
    """Nothing may depend on where a read ends, magics included."""
    for form in FORMATS:
        packed = form.pack(b"some bytes") * (1 if form.name in ONE_MEMBER else 2)
        named = ["--decoder", "brotli"] if form.name == "brotli" else []
        with subprocess.Popen([PROGRAM, "-q", *named], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            for start in range(0, len(packed)):
                process.stdin.write(packed[start:start + 1])
                process.stdin.flush()
                if start % 8 == 0:
                    os.sched_yield()
            process.stdin.close()
            output = process.stdout.read()
            expect(process.wait() == 0 and output in (b"some bytes", b"some bytes" * 2), form.name)


@test
def as_a_filter_before_tar():
    with Folder() as folder:
        names = [folder.write(f"file{number}", noise(1000 * number)) for number in range(20)]
        with tarfile.open(folder("all.tar.xz"), "w:xz") as archive:
            for name in names:
                archive.add(name, os.path.basename(name))
        os.mkdir(folder("out"))
        pipeline = f"'{PROGRAM}' -q '{folder('all.tar.xz')}' | tar x -C '{folder('out')}'"
        expect(subprocess.run(["sh", "-c", pipeline], check=False).returncode == 0)
        for name in names:
            expect(read(folder("out", os.path.basename(name))) == read(name), name)


# ---- damage ----


@test
def truncation():
    for form in FORMATS:
        packed = form.pack(TEXT)
        for cut in sorted({16, 20, len(packed) // 2, len(packed) - 5, len(packed) - 1}):
            expect_failure(form.run(packed[:cut]), 3, "ends early")
            done = form.run(packed[:cut], "--partial")
            expect_status(done, 0)
            expect(TEXT.startswith(done.stdout), form.name)


@test
def a_second_member_that_is_cut():
    for form in FORMATS:
        if form.name in ONE_MEMBER:
            continue
        packed = form.pack(TEXT)
        done = form.run(packed + packed[:-3])
        expect_failure(done, 3, "ends early")
        expect(done.stdout.startswith(TEXT), form.name)


@test
def wrong_checksums():
    """The last bytes hold or follow a checksum; `first` is how far before the end it starts."""
    cases = [("gzip", 8, "checksum"), ("bzip2", 4, "damaged"), ("lzip", 20, "damaged"), ("zstd", 4, "checksum"),
             ("lz4", 4, "checksum")]
    for name, first, word in cases:
        damaged = bytearray(BY_NAME[name].pack(TEXT))
        damaged[-first] ^= 0x40
        done = BY_NAME[name].run(bytes(damaged))
        expect_failure(done, 3, word)
        expect(TEXT.startswith(done.stdout), name)
    expect_failure(run("-q", "samples/xz/bad-1-check-crc32.xz"), 3, "damaged")
    block = bytearray(BY_NAME["lz4"].pack(noise(5000), "-BX"))
    block[1000] ^= 1
    expect_failure(BY_NAME["lz4"].run(bytes(block)), 3, "checksum")


@test
def wrong_lengths():
    packed = bytearray(BY_NAME["lz4"].pack(TEXT))
    packed[6] ^= 1
    expect_failure(run("-q", input=bytes(packed)), 3, "header")  # which has a checksum of its own
    packed = bytearray(BY_NAME["gzip"].pack(TEXT))
    packed[-1] ^= 1
    expect_failure(run("-q", input=bytes(packed)), 3, "length")


@test
def damage_in_the_middle():
    """Whatever the damage, it is refused, or, where the format has no checksum, gives bytes."""
    for form in FORMATS:
        packed = form.pack(TEXT + noise(200))
        for seed in range(25):
            damaged = bytearray(packed)
            place = random.Random(seed).randrange(8, len(damaged))
            damaged[place] ^= 1 + seed
            done = form.run(bytes(damaged))
            allowed = (0, 3, 4, 7) if form.name in ("brotli", "lzma") else (3, 4, 7)
            expect(done.returncode in allowed or done.stdout == TEXT + noise(200), f"{form.name} {place} {done}")


@test
def not_what_it_is_said_to_be():
    for form in FORMATS:
        if form.name in ("brotli", "lzma"):
            continue  # nearly anything may be that
        expect_failure(run("-q", "--decoder", form.name, input=b"\xff" * 100), 3, "does not start")
        expect_failure(run("-i", "--decoder", form.name, input=b"\xff" * 100), 3, "does not start")
        expect_failure(run("-q", "--decoder", form.name, input=form.pack(TEXT)[:1]), 3, "ends early")


# ---- limits ----


@test
def memory_limits():
    for form in FORMATS:
        if not form.memory:
            continue
        data = noise(form.size)
        packed = form.pack(data, *form.options)
        expect_failure(form.run(packed, "--memory", form.memory), 4, "--memory")
        expect_failure(form.run(packed, "--memory", form.memory, "--partial"), 4, "--memory")
        done = form.run(packed)
        expect(done.returncode == 0 and done.stdout == data, form.name)


@test
def output_limits():
    for form in FORMATS:
        packed = form.pack(TEXT)
        expect_failure(form.run(packed, "--max-output", str(len(TEXT) - 1)), 4, "--max-output")
        expect_status(form.run(packed, "--max-output", str(len(TEXT))), 0)


def peak_memory(process):
    """The most that a running process and its children ever had resident, in MiB; 0 when it is over."""
    peak = 0
    try:
        with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as stream:
            family = [process, *stream.read().split()]
        for member in family:
            with open(f"/proc/{member}/status", encoding="ascii") as stream:
                peak = max(peak, *(int(line.split()[1]) >> 10 for line in stream if line.startswith("VmHWM")), 0)
    except OSError:
        pass
    return peak


@test
def long_streams_in_constant_memory():
    """A child of little memory decodes a stream of any length, and the trusted side needs no more."""
    size = 64 << 20
    for form in FORMATS:
        with Folder() as folder, open(folder("output"), "wb") as errors:
            packed = form.pack(bytes(size), *(["-q", "1"] if form.name == "brotli" else ["-1"]))
            command = [PROGRAM, "--memory", "40M", "--decoder", form.name, folder.write("long", packed)]
            peak = 0
            with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors) as process:
                while process.poll() is None:
                    peak = max(peak, peak_memory(process.pid))
                    time.sleep(0.005)
            text = read(folder("output"))
            expect(process.returncode == 0 and text.endswith(b": %d bytes\n" % size), text)
            expect(0 < peak < 60, f"{form.name}: {peak} MiB")


# ---- what only one format has ----


@test
def much_to_every_kind_of_output():
    """Enough that pages are moved on, where the output takes them."""
    data = random.Random(7).randbytes(3 << 20)
    packed = BY_NAME["gzip"].pack(data)
    expect(run("-q", input=packed).stdout == data)
    with Folder() as folder:
        path = folder("out")
        expect_status(run("-q", "-o", path, input=packed), 0)
        expect(read(path) == data)
        for mode, kept in (("ab", data), ("wb", b""), ("r+b", b"")):  # the first cannot be moved to
            with open(path, mode) as stream:
                stream.write(b"before")
                stream.flush()
                expect_status(run("-q", input=packed, stdout=stream), 0)
            expect(read(path) == kept + b"before" + data, mode)
    ours, theirs = socket.socketpair()
    with ours, theirs, subprocess.Popen([PROGRAM, "-q"], stdin=subprocess.PIPE, stdout=theirs) as process:
        theirs.close()
        writer = threading.Thread(target=lambda: (process.stdin.write(packed), process.stdin.close()))
        writer.start()
        expect(b"".join(iter(lambda: ours.recv(1 << 16), b"")) == data)
        writer.join()
    with open("/dev/full", "wb") as full:
        expect_failure(run("-q", input=packed, stdout=full), 2, "cannot write the output")


@test
def zstd_long_windows():
    data = noise(100000)
    packed = BY_NAME["zstd"].pack(data + TEXT, "--long=28", "--no-check")
    done = run("-q", input=packed)
    expect(done.returncode == 0 and done.stdout == data + TEXT, done.stderr)
    expect_failure(run("-q", "--memory", "100M", input=packed), 4, "--memory")
    packed = BY_NAME["zstd"].pack(TEXT, "--long=31")
    expect_failure(run("-q", input=packed), 4, "--memory")
    expect(run("-q", "--memory", "3G", input=packed).stdout == TEXT)


@test
def frames_that_are_skipped():
    for name in ("zstd", "lz4"):
        form = BY_NAME[name]
        frame = form.pack(TEXT)
        for number, content in ((0, b""), (7, b"1234"), (15, noise(70000))):
            skipped = skippable(content, number)
            expect(run("-q", "--decoder", name, input=skipped).stdout == b"", name)
            expect(run("-q", "--decoder", name, input=skipped + frame).stdout == TEXT, name)
            expect(run("-q", input=frame + skipped + frame + skipped).stdout == TEXT * 2, name)
            expect_failure(run("-q", input=frame + skipped[:-1]), 3, "ends early")
        # The next frame is in sight of what recognises formats.
        expect(run("-q", input=skippable(b"") + frame).stdout == TEXT, name)
        expect(run("-q", input=skippable(b"1234") + frame).stdout == TEXT, name)


@test
def lz4_legacy_frames():
    form = BY_NAME["lz4"]
    data = noise(9 << 20) + TEXT
    legacy = form.pack(data, "-l")
    expect(legacy.startswith(b"\x02\x21\x4c\x18"), "not a legacy frame")
    expect(run("-q", input=legacy).stdout == data)
    small = form.pack(TEXT, "-l")
    mixed = small + form.pack(b"frame") + skippable(b"gap") + small + small
    expect(run("-q", input=mixed).stdout == TEXT + b"frame" + TEXT * 2)
    expect(run("-q", input=small[:4]).stdout == b"")
    for cut in (5, 7, 8, 9, len(small) - 1):
        expect_failure(run("-q", "--decoder", "lz4", input=small[:cut]), 3, "ends early")
    expect_failure(run("-q", input=small[:8] + b"\xff" * 100), 3)
    expect_failure(run("-q", input=small[:4] + bytes(4)), 3, "damaged")
    expect_failure(run("-q", input=small + b"\xff\xff\xff\xff"), 3, "more data after its end")


@test
def xz_padding_and_checks():
    form = BY_NAME["xz"]
    for check in ("none", "crc32", "crc64", "sha256"):
        packed = form.pack(TEXT, "--check=" + check)
        expect(run("-q", input=packed + bytes(8) + packed + bytes(4)).stdout == TEXT * 2, check)
        expect_failure(run("-q", input=packed + bytes(6)), 3)
    # A check from the future is passed over; both copies of the stream's flags say so, each with its checksum.
    stream = bytearray(form.pack(b"", "--check=none"))
    expect(len(stream) == 32)
    stream[7] = stream[-3] = 2
    stream[8:12] = struct.pack("<I", zlib.crc32(stream[6:8]))
    stream[-12:-8] = struct.pack("<I", zlib.crc32(stream[-8:-2]))
    done = run("-v", input=bytes(stream))
    expect(done.returncode == 0 and b"ignored a small fault" in done.stderr, done.stderr)


@test
def what_needs_a_dictionary_says_so():
    """And --partial does not make an empty success of it."""
    packer = zlib.compressobj(zdict=TEXT[:200])
    cases = [("zlib", packer.compress(TEXT) + packer.flush()),
             # One segment, a dictionary's number of one byte, and one raw block.
             ("zstd", b"\x28\xb5\x2f\xfd\x21\x05\x05\x29\0\0hello"),
             ("lz4", lz4_block_of_dictionary())]
    for name, packed in cases:
        for options in ([], ["--partial"]):
            done = run("-q", "--decoder", name, *options, input=packed)
            expect_failure(done, 7, "not supported")
            expect(done.stdout == b"", name)


def lz4_block_of_dictionary():
    """A frame with the number 1234, whose block copies from what stands before it."""
    header = struct.pack("<BBI", 0x61, 0x40, 1234)
    block = b"\x10x\x10\x27\x50hello"
    return (b"\x04\x22\x4d\x18" + header + bytes((xxh32(header) >> 8 & 255,)) + struct.pack("<I", len(block)) + block +
            bytes(4))


def xxh32(data):
    """XXH32 with seed 0, of fewer than 16 bytes."""
    one, two, three, four, five = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1
    mask = 0xFFFFFFFF

    def rotate(value, bits):
        return (value << bits | value >> (32 - bits)) & mask

    state = (five + len(data)) & mask
    whole = len(data) // 4 * 4
    for word in struct.unpack(f"<{whole // 4}I", data[:whole]):
        state = rotate((state + word * three) & mask, 17) * four & mask
    for byte in data[whole:]:
        state = rotate((state + byte * five) & mask, 11) * one & mask
    state = (state ^ state >> 15) * two & mask
    state = (state ^ state >> 13) * three & mask
    return state ^ state >> 16


if __name__ == "__main__":
    sys.exit(main())
