#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The sandbox as it is seen from outside: hostile decoders, signals, and what a child can see.

    tests/cli/sandbox_cli_test.py BUILD_FOLDER
"""

import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
import zlib

from cli_support import (HOSTILE, PHOTO, PROGRAM, TIME_LIMIT, Folder, Skip, become_subreaper, children_of,
                         descendants, expect, expect_failure, expect_status, main, no_children_left, read, run, test)
from png_files import SIGNATURE, chunk

THUMBNAIL = "samples/jpeg/pjw-thumbnail.jpeg"
DECODES = int(os.environ.get("DECODES", "3000"))  # in one run; 10000 in `make stress`


def hostile(command, *options):
    return run("-q", *options, program=HOSTILE, input=f"HOSTILE {command}".encode())


# ---- a decoder that attacks ----


@test
def a_good_hostile_decoder_is_obeyed():
    done = hostile("picture 16 9", "-p", "rgba")
    expect_status(done, 0)
    expect(len(done.stdout) == 16 * 9 * 4)


@test
def a_page_that_is_damaged_before_its_frame_is_not_there():
    for heights, rows in (("10 100", 10), ("100 10", 100)):
        done = hostile(f"page 4 {heights}", "--partial", "--frames", "-p", "rgba")
        expect_status(done, 0)
        expect(len(done.stdout) == 4 * rows * 4, len(done.stdout))
        expect(f"; 0 of {rows} rows missing".encode() in done.stderr, done.stderr)
    expect_failure(hostile("page 4 10 100", "--frames"), 5, "lied")


@test
def memory_is_what_was_granted():
    expect_failure(hostile("allocate 600"), 4, "--memory")
    expect_failure(hostile("allocate 40", "--memory", "32M"), 4, "--memory")
    expect_status(hostile("allocate 24", "--memory", "32M"), 0)


@test
def a_refused_output_is_not_there():
    with Folder() as folder:
        for command in ("short 10 10", "segfault 8", "spin"):
            expect(hostile(command, "-o", folder("out"), "--cpu", "1").returncode != 0)
            expect(folder.names() == [], folder.names())


@test
def no_address_layout_outlives_a_crash():
    with Folder() as folder:
        commands = ["where", "where", "segfault 8", "where", "call 257", "where"]
        inputs = [folder.write(f"{i}.hostile", f"HOSTILE {command}".encode()) for i, command in enumerate(commands)]
        done = run("-q", "-p", "rgba16", "-j", "1", "--output-dir", folder("out"), *inputs,
                   program=HOSTILE)
        expect_status(done, 5)
        seen = [read(folder("out", f"{i}.rgba16")) for i in (0, 1, 3, 5)]
        expect(seen[0] == seen[1], "this test sees nothing")
        expect(len(set(seen)) == 3, seen)


@test
def fresh_children_are_locked_down_too():
    with Folder() as folder:
        inputs = [folder.write(f"{i}.hostile", f"HOSTILE {command}".encode()) for i, command in
                  enumerate(["segfault 8", "picture 3 3", "call 41", "allocate 600", "call 57"])]
        done = run("-q", "--posture", "--output-dir", folder("out"), "-j", "1", *inputs, program=HOSTILE)
        expect_status(done, 5)
        postures = [json.loads(line) for line in done.stdout.splitlines()]
        expect(len(postures) == 5 and all(one["verified"] and one["seccomp"] == "strict" for one in postures), postures)
        lines = done.stderr.splitlines()
        expect([line.rsplit(b": ", 1)[-1][:8] for line in lines[:1] + lines[1:2]] == [b"signal 1", b"signal 9"], lines)
        expect(b"--memory" in lines[2] and b"signal 9" in lines[3], lines)
        # Not to be taken for an end that memory had to do with.
        hint = b"killed: signal 9 (broke a rule of the sandbox?); --diagnose names the call"
        expect(lines[1].endswith(hint) and b"--diagnose" not in lines[0], lines)


@test
def diagnosis():
    for number, name in ((257, "openat"), (41, "socket"), (59, "execve"), (9, "mmap")):
        expect_failure(hostile(f"call {number}", "--diagnose"), 5, f"tried {name},")
    done = run("--diagnose", PHOTO)
    expect_status(done, 0)
    expect(done.stdout == b"" and b"no forbidden system call" in done.stderr, done.stderr)
    expect_failure(hostile("segfault 8", "--diagnose"), 5, "signal 11")


# ---- posture ----


def posture(**options):
    done = run("-q", "--posture", "--info", PHOTO, **options)
    expect_status(done, 0)
    return json.loads(done.stdout.splitlines()[0])


@test
def posture_is_strict():
    seen = posture()
    expect(seen["verified"] and seen["seccomp"] == "strict" and seen["no_new_privs"] and seen["pipes"] == 2, seen)
    expect(seen["system_calls"] == ["read", "write", "exit", "rt_sigreturn"] and seen["descriptors"] == [0, 1])
    done = run("-q", "--posture", PHOTO)
    expect(json.loads(done.stderr)["verified"] and len(done.stdout) == 4002940)


# ---- what a child can see ----


class Waiting:
    """A decode whose child is locked down and waits for input; pid is the program's, child the decoder's."""

    def __init__(self, folder, **options):
        self.fifo = folder("canary-in-the-arguments.jpg")
        os.mkfifo(self.fifo)
        self.process = subprocess.Popen([PROGRAM, "-v", "-o", folder("out"), self.fifo], stderr=subprocess.PIPE, **options)
        self.writer = open(self.fifo, "wb", buffering=0)
        self.writer.write(read(PHOTO)[:100000])
        self.child = self.wait_for_child()

    def wait_for_child(self):
        deadline = time.monotonic() + TIME_LIMIT
        while time.monotonic() < deadline:
            children = read(f"/proc/{self.process.pid}/task/{self.process.pid}/children").split()
            if children:
                status = read(f"/proc/{int(children[0])}/status")
                # Locked down, and asleep until there is more of the picture.
                if b"\nSeccomp:\t1" in status and b"State:\tS" in status:
                    return int(children[0])
            time.sleep(0.01)
        raise AssertionError("no child that waits")

    def end(self):
        self.writer.close()
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        # It dies with its parent; it is ours to reap.
        while not no_children_left():
            time.sleep(0.01)


def memory_of(pid):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in read(f"/proc/{pid}/maps").decode().splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if not match or line.endswith("[vvar]") or "[vsyscall]" in line:
                continue
            start, end = (int(part, 16) for part in match.groups())
            # The arena is large and mostly untouched: only what is there.
            for page in range(start, end, 1 << 20):
                try:
                    yield os.pread(memory.fileno(), min(1 << 20, end - page), page)
                except OSError:
                    pass


@test
def the_child_holds_no_secret():
    if os.getuid() != 0:
        raise Skip("only root can read a locked-down child's memory")
    become_subreaper()
    with Folder() as folder:
        waiting = Waiting(folder, env={"SECRET": "canary-in-the-environment", "PATH": "/usr/bin:/bin"})
        try:
            found = {word: False for word in (b"canary-in-the-environment", b"canary-in-the-arguments", b"ELF")}
            for piece in memory_of(waiting.child):
                for word in found:
                    found[word] = found[word] or word in piece
            expect(found.pop(b"ELF"), "the search finds nothing at all")
            expect(not any(found.values()), f"{found}")
        finally:
            waiting.end()


@test
def the_child_has_two_pipes_and_no_rights():
    if os.getuid() != 0:
        raise Skip("only root can look at a locked-down child")
    become_subreaper()
    with Folder() as folder:
        waiting = Waiting(folder)
        try:
            names = sorted(os.listdir(f"/proc/{waiting.child}/fd"))
            expect(names == ["0", "1"], names)
            for name in names:
                expect(os.readlink(f"/proc/{waiting.child}/fd/{name}").startswith("pipe:"), name)
            status = read(f"/proc/{waiting.child}/status")
            expect(b"\nSeccomp:\t1\n" in status and b"\nNoNewPrivs:\t1\n" in status)
            limits = read(f"/proc/{waiting.child}/limits").decode()
            for name in ("Max open files", "Max address space", "Max file size", "Max processes", "Max core file size"):
                expect(re.search(name + r" +0 +0 ", limits), limits)
            expect(read(f"/proc/{waiting.child}/oom_score_adj") == b"1000\n")
            expect(read(f"/proc/{waiting.child}/cmdline").strip(b"\0") == b"")
            expect(read(f"/proc/{waiting.child}/environ").strip(b"\0") == b"")
        finally:
            waiting.end()


@test
def nothing_can_be_written_to_a_brokers_standard_descriptors():
    """Libraries may try to."""
    with Folder() as folder:
        os.mkfifo(folder("a.jpg"))
        process = subprocess.Popen([PROGRAM, "-q", "--output-dir", folder("out"), folder("a.jpg"), PHOTO],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        with open(folder("a.jpg"), "wb") as writer:
            writer.write(read(PHOTO)[:1000])
            writer.flush()
            brokers = []
            deadline = time.monotonic() + 20
            while not brokers and time.monotonic() < deadline:
                time.sleep(0.05)
                brokers = [pid for pid in descendants(process.pid) if children_of(pid) and
                           os.readlink(f"/proc/{pid}/exe").endswith("/decoders/jpeg")]
            expect(brokers, "no broker")
            for fd in (1, 2):
                target = os.readlink(f"/proc/{brokers[0]}/fd/{fd}")
                with open(f"/proc/{brokers[0]}/fdinfo/{fd}", encoding="ascii") as stream:
                    flags = int(stream.read().split("flags:")[1].split()[0], 8)
                expect(target.endswith("/status") and flags & os.O_ACCMODE == os.O_RDONLY, (fd, target, flags))
            process.terminate()
            process.wait(TIME_LIMIT)
        process.stderr.close()


# ---- signals ----


@test
def signals_end_cleanly():
    become_subreaper()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with Folder() as folder:
            waiting = Waiting(folder)
            waiting.process.send_signal(number)
            status = waiting.process.wait(TIME_LIMIT)
            expect(status == -number, f"status {status}")
            expect(no_children_left(), "a child is left")
            expect(folder.names() == ["canary-in-the-arguments.jpg"], folder.names())
            waiting.writer.close()
            waiting.process.stderr.close()


def ends_within(pid, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
        time.sleep(0.01)
    return False


@test
def a_killed_parent_takes_its_child_along():
    become_subreaper()
    with Folder() as folder:
        waiting = Waiting(folder)
        waiting.process.kill()
        waiting.process.wait()
        # It may see the end of its pipes before the signal that its parent's death sends: gone it must be.
        expect(ends_within(waiting.child, 10), "the child lives on")
        waiting.writer.close()
        waiting.process.stderr.close()


# ---- memory ----


def peak_memory(path, size):
    """The most that the program and its child had resident, bytes; looked up when all but the end of the output, of
    `size` bytes, is through, and the rest cannot go on."""
    with Folder() as folder:
        os.mkfifo(folder("out"))
        process = subprocess.Popen([PROGRAM, "-q", "-t", "raw", "-o", folder("out"), path])
        with open(folder("out"), "rb", buffering=0) as stream:
            left = size - (8 << 20)
            while left > 0:
                left -= len(stream.read(min(left, 1 << 16)))
            child = int(read(f"/proc/{process.pid}/task/{process.pid}/children").split()[0])
            peaks = [int(re.search(rb"VmHWM:\s+(\d+) kB", read(f"/proc/{pid}/status"))[1]) * 1024
                     for pid in (process.pid, child)]
            while stream.read(1 << 16):
                pass
        expect(process.wait() == 0)
    return sum(peaks)


def large_png(path, width, height):
    """A truecolour PNG of this size, every row the same."""
    packer = zlib.compressobj(1)
    row = b"\0" + bytes(range(256)) * (width * 3 // 256) + bytes(width * 3 % 256)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    with open(path, "wb") as stream:
        stream.write(SIGNATURE)
        for kind, body in ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", data),
                           (b"IEND", b"")):
            stream.write(chunk(kind, body))


@test
def memory_does_not_grow_with_the_picture():
    with Folder() as folder:
        large_png(folder("large.png"), 12000, 2000)
        pictures = [(folder("large.png"), 12000 * 2000 * 4)]
        jpeg = "../shared/corpus/jpeg/valid/zune/speed_bench_hv_subsampling.jpg"
        if os.path.exists(jpeg):
            pictures.append((jpeg, 7680 * 4320 * 4))
        for path, size in pictures:
            peak = peak_memory(path, size)
            expect(peak < 24 << 20, f"{path}: {peak} bytes")


# ---- many decodes in one run ----


def usage(pid):
    """Descriptors, resident pages and children of a process."""
    return len(os.listdir(f"/proc/{pid}/fd")), int(read(f"/proc/{pid}/statm").split()[1]), len(children_of(pid))


@test
def many_decodes_in_one_run():
    become_subreaper()
    with Folder() as folder:
        process = subprocess.Popen([PROGRAM, "-q", "--output-dir", folder("out"), "-j", "4", *[THUMBNAIL] * DECODES])
        samples = []
        while process.poll() is None:
            try:
                launcher = children_of(process.pid)[0]
                samples.append(usage(process.pid) + usage(children_of(launcher)[0]))
            except (FileNotFoundError, ProcessLookupError, IndexError):
                pass
            time.sleep(0.02)
        expect(process.returncode == 0, process.returncode)
        expect(no_children_left(), "a child is left")
        expect(len(samples) > 20, "too quick to be measured")
        quarter = len(samples) // 4
        early, late = samples[quarter // 2:quarter], samples[-quarter:]
        # Of 4 decodes at a time, and as many spares; then of the broker, and of its children that wait, decode or end.
        bounds = (("descriptors", 64), ("pages", None), ("launchers", 1),
                  ("the broker's descriptors", 64), ("the broker's pages", None), ("the broker's children", 24))
        for index, (name, bound) in enumerate(bounds):
            before, after = (max(sample[index] for sample in part) for part in (early, late))
            expect(after <= (bound or before + 64), f"{name}: {before} early, {after} late")


if __name__ == "__main__":
    sys.exit(main())
