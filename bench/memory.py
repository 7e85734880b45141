#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Streams of 10 GiB, and sound without an end: the memory of both processes must stay what it was.

    bench/memory.py BUILD_FOLDER [GIB] [SECONDS]

Each format's own tool packs what is generated, and safe-decode unpacks it as it comes.  Resident memory is sampled
meanwhile; what a tenth of the stream has taken is compared with the most that was seen after that.  Ends with 1 if
anything grew.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time

import measure

MIB = 1 << 20
TILE = b"".join(b"%07d bottles of beer on the wall, %07d bottles of beer\n" % (n, n * n % 9999991) for n in range(40000))
GROWTH_MOST = MIB  # bytes
ENDLESS_WAV = (b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\2\0\x44\xac\0\0\x10\xb1\2\0\4\0\x10\0data\xff\xff\xff\xff")
NO_LIMITS = ["--max-input", "1024G", "--max-output", "1024G", "--cpu", "86400"]
RAW = ["--force-raw-format", "--endian=little", "--sign=signed", "--channels=2", "--bps=16", "--sample-rate=44100"]

PACKERS = (
    ("gzip", ["gzip", "-c1"]),
    ("xz", ["xz", "-c0"]),
    ("zstd", ["zstd", "-qc"]),
    ("lz4", ["lz4", "-qc"]),
    ("brotli", ["brotli", "-q", "1", "-c"]),
    ("bzip2", None),  # too slow: one piece is packed, and repeated as a stream of many members
)


def write(stream, piece, size, end):
    """Writes `piece` until there are `size` bytes, until the clock has come to `end`, or nobody reads any more."""
    try:
        with stream:
            while size > 0 and time.monotonic() < end:
                stream.write(piece[:size])
                size -= len(piece)
    except BrokenPipeError:
        pass


def resident(pid):
    """Bytes that a process and its children have resident."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as stream:
        pids = [pid, *map(int, stream.read().split())]
    total = 0
    for each in pids:
        with open(f"/proc/{each}/statm", encoding="ascii") as stream:
            total += int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return total


def watch(process, samples):
    """Samples (time, bytes) until the process is over."""
    start = time.monotonic()
    while process.poll() is None:
        try:
            samples.append((time.monotonic() - start, resident(process.pid)))
        except OSError:
            pass  # it has just ended
        time.sleep(0.05)


def judge(name, samples, what):
    """Prints what was seen; returns whether it did not grow."""
    if not samples:
        print(f"{name}: it was over before anything was seen")
        return False
    settled = samples[-1][0] / 10
    early = max(size for when, size in samples if when <= max(settled, samples[0][0]))
    late = max(size for _, size in samples)
    good = late - early <= GROWTH_MOST
    print(f"{name}: {what} in {samples[-1][0]:.0f} s, {early / MIB:.1f} MiB resident after a tenth, at most "
          f"{late / MIB:.1f} MiB{'' if good else ': it grew'}", flush=True)
    return good


def unpack(program, name, packer, size, end, piece, options=()):
    """Feeds the packer and watches safe-decode behind it.  Returns the samples, and what it said at the end."""
    samples = []
    with tempfile.TemporaryFile() as words:
        ours = [program, *NO_LIMITS, "--decoder", name, *options]
        feed = subprocess.Popen(packer, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process = subprocess.Popen(ours, stdin=feed.stdout, stdout=subprocess.DEVNULL, stderr=words)
        feed.stdout.close()
        writer = threading.Thread(target=write, args=(feed.stdin, piece, size, end))
        writer.start()
        watch(process, samples)
        writer.join()
        feed.wait()
        words.seek(0)
        return samples, process.returncode, words.read().decode("ascii", "replace").strip()


def streams(program, size):
    good = True
    for name, packer in PACKERS:
        piece, amount = TILE * (8 * MIB // len(TILE)), size
        if not measure.runs([name, "--version"]):
            print(f"skip {name}: it is not installed")
            continue
        if packer is None:
            packed = subprocess.run([name, "-c"], input=piece, stdout=subprocess.PIPE, check=True).stdout
            amount = size // len(piece) * len(packed)
            size_here, packer, piece = size // len(piece) * len(piece), ["cat"], packed
        else:
            size_here = size
        samples, status, words = unpack(program, name, packer, amount, float("inf"), piece)
        if status != 0 or not words.endswith(f": {size_here} bytes"):
            print(f"{name}: ended with {status}: {words}")
            good = False
        good = judge(name, samples, f"{size_here / MIB / 1024:.1f} GiB") and good
    return good


def sound(program, seconds):
    """WAV whose length nobody knows, and FLAC that is encoded as it comes; each ends when its time is over."""
    good = True
    noise = os.urandom(4 * MIB)
    encoder = ["flac", "-c", "-s", *RAW, "-"]
    for name, packer, head in (("wav", ["cat"], ENDLESS_WAV), ("flac", encoder, b"")):
        if not measure.runs([packer[0], "--version"]):
            print(f"skip {name}: {packer[0]} is not installed")
            continue
        samples, status, words = unpack(program, name, packer, 1 << 62, time.monotonic() + seconds, head + noise)
        if status != 0:
            print(f"{name}: ended with {status}: {words}")
            good = False
        good = judge(name, samples, words.split(", ")[-1]) and good
    return good


def main():
    program = os.path.join(sys.argv[1], "safe-decode")
    size = int(float(sys.argv[2] if len(sys.argv) > 2 else 10) * 1024) * MIB
    good = streams(program, size)
    good = sound(program, float(sys.argv[3] if len(sys.argv) > 3 else 60)) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
