#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whatever fails of what the trusted side calls, and whoever is killed or slow: a status of the list, no half-written
output, nothing left behind, and no hang.  With FAULTS_FULL in the environment, all rounds of it.

    tests/faults_test.py [BUILD]
"""

import glob
import gzip
import os
import random
import signal
import subprocess
import sys
import threading
import time

from cli_support import (GZIP, PHOTO, PROGRAM as PROGRAM_FILE, TIME_LIMIT, Folder, Skip, become_subreaper, expect,
                         expect_failure, expect_status, main, read, run, test)
from faults_support import BROKER, FULL, INTERRUPT, PROGRAM, SHORT, Faults, flows


WAV = "samples/wav/tone-s16.wav"


def walk(where, most):
    total, failed = 0, {}
    for flow in flows():
        if where == BROKER and flow.name != "several files":
            continue
        count, names = flow.walk(where, most)
        total += count
        for name, statuses in names.items():
            failed.setdefault(name, set()).update(statuses)
    print(f"# {total} calls failed: " + ", ".join(f"{name} {sorted(failed[name])}" for name in sorted(failed)))
    expect(total > 0, "no call failed")


@test
def every_call_of_the_program_fails_once():
    walk(PROGRAM, 16)


@test
def every_call_of_the_broker_fails_once():
    walk(BROKER, 16)


@test
def calls_are_interrupted():
    for flow in flows():
        for _ in range(20 if FULL else 2):
            with Faults(INTERRUPT) as faults:
                outputs = flow.outputs()
                expect(faults.state()[1] > 0, "no call was interrupted")
            flow.judge(outputs, f"{flow.name}, interrupted")
            expect(outputs[0] == 0, f"{flow.name}, interrupted: {outputs[0]} {outputs[2]!r}")


@test
def calls_move_one_byte():
    for flow in flows():
        with Faults(SHORT) as faults:
            outputs = flow.outputs()
            expect(faults.state()[1] > 0, "no call moved less than it could")
        flow.judge(outputs, f"{flow.name}, byte by byte")
        expect(outputs[0] == 0, f"{flow.name}, byte by byte: {outputs[0]} {outputs[2]!r}")


# ---- whoever is killed ----


def descendants(pid):
    """Processes that come of one, itself included."""
    found = [pid]
    for parent in found:
        for task in glob.glob(f"/proc/{parent}/task/*/children"):
            try:
                found += map(int, read(task).split())
            except OSError:
                pass
    return found


def all_gone(pids, seconds):
    until = time.monotonic() + seconds
    while any(is_alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


def is_alive(pid):
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    return os.path.exists(f"/proc/{pid}")


def kill_somebody(folder, arguments, rng):
    """Kills one of the processes of a run, at a random moment.  Returns its status, and whom it hit."""
    process = subprocess.Popen([PROGRAM_FILE, "-q", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    time.sleep(rng.random() * 0.06)
    pids = descendants(process.pid)
    victim = rng.choice(pids)
    os.kill(victim, signal.SIGKILL)
    said = process.communicate(timeout=TIME_LIMIT)[1]
    expect(all_gone(pids, 10), f"somebody is left of {pids} after {victim} was killed")
    hit_itself = victim == process.pid
    expect(process.returncode == -signal.SIGKILL if hit_itself and process.returncode < 0
           else 0 <= process.returncode <= 7, f"status {process.returncode} after a kill: {said!r}")
    left = [name for name in os.listdir(folder) if name.startswith(".")]
    expect(process.returncode < 0 or not left, f"temporary files are left: {left}")
    return process.returncode


@test
def somebody_is_killed_at_a_random_moment():
    rng = random.Random(1)
    endings = {}
    with Folder() as folder:
        target = folder("out.ppm")
        old = folder.write("out.ppm", b"old")
        whole = run("-o", folder("whole.ppm"), PHOTO)
        expect_status(whole, 0)
        for number in range(1000 if FULL else 20):
            if number % 3 == 2:
                status = kill_somebody(folder.path, ["--output-dir", folder("many"), "-tppm", "-j2"] + [PHOTO] * 6, rng)
            else:
                status = kill_somebody(folder.path, ["-o", target, PHOTO], rng)
                expect(read(old) in (b"old", read(folder("whole.ppm"))), "the output is half there")
            endings[status] = endings.get(status, 0) + 1
            for name in os.listdir(folder.path):
                if name.startswith("."):
                    os.unlink(folder(name))
    print(f"# endings: {endings}")


# ---- disks that are full, readers and writers that are slow, inputs without an end ----


@test
def the_disk_is_full():
    with Folder() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "none", folder.path], capture_output=True,
                              check=False)
        if done.returncode != 0:
            raise Skip("needs to mount a file system")
        try:
            for kind, name in (("ppm", PHOTO), ("png", PHOTO), ("bmp", PHOTO), ("raw", PHOTO), ("wav", WAV)):
                fill_disk(folder, kind, name)
        finally:
            subprocess.run(["umount", folder.path], check=True)


def fill_disk(folder, kind, name):
    """The output fits only once the disk has room for it, 4 KiB after 4 KiB; before that nothing of it is there."""
    with Folder() as other:
        expect_status(run("-o", other("out." + kind), name), 0)
        wanted = read(other("out." + kind))
    rooms = list(range(4096, len(wanted) + 3 * 4096, 4096))
    for room in rooms if FULL else rooms[:2] + rooms[-4:]:
        subprocess.run(["mount", "-o", f"remount,size={room}", folder.path], check=True)
        done = run("-o", folder("out." + kind), name)
        if done.returncode == 0:
            expect(read(folder("out." + kind)) == wanted, f"{kind}: not whole")
            os.unlink(folder("out." + kind))
        else:
            expect_failure(done, 2, "No space left")
        expect(folder.names() == [], f"{kind}: {folder.names()} is left with {room} bytes")
    expect(done.returncode == 0, f"{kind}: does not fit where there is room")


@test
def slow_writers_and_readers():
    data = read(GZIP)
    process = subprocess.Popen([PROGRAM_FILE, "--stall", "1", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for start in range(0, len(data), len(data) // 3 + 1):
        time.sleep(1.2)
        process.stdin.write(data[start:start + len(data) // 3 + 1])
        process.stdin.flush()
    process.stdin.close()
    text = process.stdout.read()
    expect(process.wait(TIME_LIMIT) == 0 and len(text) > 900, "time in which the writer was slow counted")
    process = subprocess.Popen([PROGRAM_FILE, "--stall", "1", PHOTO], stdout=subprocess.PIPE)
    size = 0
    for _ in range(3):
        time.sleep(1.2)
        size += len(os.read(process.stdout.fileno(), 4096))
    size += len(process.stdout.read())
    expect(process.wait(TIME_LIMIT) == 0 and size == 1165 * 859 * 4, "time in which the reader was slow counted")


@test
def inputs_that_never_end():
    for start, status, arguments in ((read(PHOTO), 0, []), (read(GZIP), 0, []), (b"", 7, []),
                                     (gzip.compress(bytes(1000)), 4, ["--max-input", "1M", "--decoder", "gzip"])):
        repeated = status == 4
        process = subprocess.Popen([PROGRAM_FILE, "-q", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        drain = threading.Thread(target=process.stdout.read)
        drain.start()
        try:
            process.stdin.write(start)
            while True:
                process.stdin.write((start if repeated else bytes(1)) * (1 << 12))
        except BrokenPipeError:
            pass
        expect(process.wait(TIME_LIMIT) == status, f"status {process.returncode} instead of {status}")
        drain.join()


if __name__ == "__main__":
    become_subreaper()
    sys.exit(main())
