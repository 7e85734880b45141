# SPDX-License-Identifier: MIT
"""Attacks on time and memory of the trusted side: all that the decoder says is as it must be, and costs much."""

import os
import shutil
import subprocess
import tempfile
import time

from ways import Run, by_command, of_command, reap_orphans

COARSE = 6  # CLOCK_MONOTONIC_COARSE
COVER_LIMIT = 1 << 20
CPU_SECONDS = 1
TICK_PART = 0.4  # of a clock tick, after which who feeds the decoder looks for the next one
MEMORY_FOLDER = "/dev/shm"
LONGEST_STALL = 100  # milliseconds


def cover(build):
    """A cover without end.  What is kept of it is no larger than the limit: a file of the trusted side's that grew more
    would end it, in memory or not."""
    small = ["prlimit", f"--fsize={2 * COVER_LIMIT}", "--"]
    return by_command(build, "HOSTSND flood", "--cover", "--max-cover", str(COVER_LIMIT), prefix=small)[0]


def next_tick():
    """The kernel's coarse clock moves with its ticks."""
    before = time.clock_gettime(COARSE)
    while time.clock_gettime(COARSE) == before:
        pass


def between_ticks(build):
    """A decoder that computes right behind a clock tick and waits before the next, so that whoever counts ticks counts
    nothing.  Its processor time is seen by who waited for it."""
    part = TICK_PART * time.clock_getres(COARSE)

    def feed(process):
        deadline = time.monotonic() + 60
        try:
            process.stdin.write(b"HOSTBYT between-ticks 3000000\n".ljust(1 << 16))
            process.stdin.flush()
            while time.monotonic() < deadline:
                next_tick()
                process.stdin.write(b"x")
                process.stdin.flush()
                time.sleep(part)
        except BrokenPipeError:
            pass
        return b""

    run = Run(build, [build.program("safe-decode"), "-q", "--cpu", str(CPU_SECONDS)], before_input=feed)
    used = run.used - CPU_SECONDS
    exact = "near it" if abs(used) < CPU_SECONDS else f"off by {used:.1f} s"
    return f"{of_command(build, run, 'HOSTBYT')}, {exact}"


def work(build):
    """Noise, which takes longest to be compressed again."""
    folder = tempfile.mkdtemp(dir=build.scratch)
    seen, run = by_command(build, "HOSTILE noise 12000 12000", "--max-work", "1", "-t", "png", "-o",
                           os.path.join(folder, "noise.png"))
    if os.listdir(folder):
        return f"{seen}, and an output"
    shutil.rmtree(folder)
    return seen if run.seconds < 30 else f"{seen}, late"


class Relay:
    """A job that gives each byte as it comes, beside another of the same command line; what it gives is watched."""

    def __init__(self, build):
        self.folder = tempfile.mkdtemp(dir=build.scratch)
        paths = [os.path.join(self.folder, f"{name}.hostile") for name in ("relay", "other")]
        for path in paths:
            os.mkfifo(path)
        # In memory: how long a disk takes to hold what it was given is not the question.
        self.outputs = tempfile.mkdtemp(dir=MEMORY_FOLDER if os.path.isdir(MEMORY_FOLDER) else self.folder)
        self.process = subprocess.Popen([build.program("safe-decode"), "-q", "--partial", "-p", "gray", "-j", "2",
                                         "--output-dir", self.outputs, *paths], stderr=subprocess.DEVNULL)
        self.output = None
        self.writer, self.other = (open(path, "wb", buffering=0) for path in paths)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.writer.close()
        self.other.close()
        reap_orphans(brisk=False)
        shutil.rmtree(self.outputs)
        shutil.rmtree(self.folder)

    def size(self):
        """Of what the relay has given.  A file may have no name until it is whole."""
        if self.output is None:
            self.output = self.find_output()
        return os.stat(self.output).st_size if self.output else 0

    def find_output(self):
        """The picture's has zeros, or nothing yet."""
        for name in os.listdir(f"/proc/{self.process.pid}/fd"):
            path = f"/proc/{self.process.pid}/fd/{name}"
            if os.readlink(path).startswith(self.outputs + "/"):
                with open(path, "rb") as stream:
                    if stream.read(1) not in (b"", b"\0"):
                        return path
        return None

    def begin(self):
        """What comes with the command itself is not given."""
        began = time.monotonic()
        self.writer.write(b"HOSTBYT relay\n".ljust(1 << 16))
        while self.size() == 0:
            if time.monotonic() - began > 30:
                raise TimeoutError("the relay gives nothing")
            self.writer.write(b"x")
            time.sleep(0.1)

    def work(self):
        """Seconds of the command line's own processor time, as exactly as the kernel knows it."""
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def given(self, size):
        """Waits until so much has come.  Returns how long the command line worked meanwhile, in seconds: how long it took is
        also a matter of what else the machine does."""
        began, worked = time.monotonic(), self.work()
        while self.size() < size:
            if time.monotonic() - began > 30:
                raise TimeoutError("the relay gives nothing")
            time.sleep(0.001)
        return self.work() - worked

    def other_is_there(self):
        return any(name.startswith("other") for name in os.listdir(self.outputs))


def longest_wait(build, text):
    """How much work was done at most before a byte came, in milliseconds, while the other job did what the text says."""
    relay = Relay(build)
    try:
        relay.begin()
        relay.other.write(text)
        relay.other.close()
        waits = []
        while len(waits) < 50 or not relay.other_is_there():
            size = relay.size()
            relay.writer.write(b"x")
            waits.append(relay.given(size + 1))
        return max(waits) * 1000
    finally:
        relay.close()


def fair(build):
    longest = longest_wait(build, b"HOSTILE damaged 16384 16384")
    return "not held up" if longest < LONGEST_STALL else f"{longest:.0f} ms"


def run_all(build, table):
    table.section("What costs the trusted side time and memory", "seen")
    table.row("a cover of more than --max-cover: refused, and not kept", "killed lied", cover(build))
    table.row("compute between clock ticks: the exact time counts", "limit cpu, near it", between_ticks(build))
    table.row("a picture of noise to be written as PNG, with --max-work", "limit work", work(build))
    table.row("a picture of 256 Mpixel to be filled beside another job", "not held up", fair(build))
