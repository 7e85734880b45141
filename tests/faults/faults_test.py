#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Whatever fails of what the trusted side calls, and whoever is killed or slow: a status of the list, no half-written
output, nothing left behind, and no hang.  With FAULTS_FULL in the environment, all rounds of it.

    tests/faults/faults_test.py [BUILD]
"""

import glob
import gzip
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

from cli_support import (GZIP, HOSTILE, PHOTO, PROGRAM as PROGRAM_FILE, SCREENSHOT, TIME_LIMIT, Folder, Skip,
                         become_subreaper, expect, expect_failure, expect_status, main, read, run, test)
from faults_support import BROKER, FULL, INTERRUPT, PROGRAM, SHORT, SOUND_CARD, THUMBNAIL, Faults, flows


TONE_24 = "samples/wav/tone-5.1-s24.wav"
TEXT = "samples/gzip/midsummer.txt.gz"


def walk(where, most):
    total, failed = 0, {}
    for flow in flows():
        if where == BROKER and flow.name not in ("several files", SOUND_CARD):
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
def a_starter_that_cannot_send_or_receive():
    """It and the command line wait for each other; the answer to a message that was lost never came."""
    flow = next(flow for flow in flows() if flow.name == "several files")
    for name in ("sendmsg", "recvmsg"):
        count = flow.walk(PROGRAM, 1 << 10, name)[0]
        expect(count >= 6, f"only {count} calls of {name} failed")


@test
def splicing_fails():
    """It is a matter of speed: without it, everything is read and written."""
    for flow in flows():
        statuses = flow.walk(PROGRAM, 1 << 10, "splice")[1].get("splice", set())
        expect(statuses <= {0}, f"{flow.name}: {statuses}")


@test
def a_broker_that_cannot_poll_for_a_moment():
    """It ended, and with it the decodes of its children."""
    flow = next(flow for flow in flows() if flow.name == "several files")
    for name in ("poll", "__poll_chk"):
        statuses = flow.walk(BROKER, 8, name)[1].get(name, set())
        expect(statuses <= {0}, f"{name}: {statuses}")


@test
def a_caller_that_ignores_its_children():
    """The program inherited that, and so never learned how its own child had ended."""
    def ignore():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    with Folder() as folder:
        spin, crash = folder.write("spin", b"HOSTILE spin"), folder.write("crash", b"HOSTILE segfault 8")
        expect_failure(run("--cpu", "1", spin, program=HOSTILE, preexec_fn=ignore), 4, "--cpu")
        expect_failure(run(crash, program=HOSTILE, preexec_fn=ignore), 5, "signal 11")
        for arguments in (["-o", folder("out.ppm"), PHOTO], ["--output-dir", folder("many"), PHOTO, GZIP]):
            expect_status(run(*arguments, preexec_fn=ignore), 0)


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


def role(pid, program):
    """What a process is of a run.  A broker leads a process group, in which its decoders are."""
    if pid == program:
        return "program"
    try:
        name, arguments = read(f"/proc/{pid}/comm"), read(f"/proc/{pid}/cmdline").split(b"\0")
        leads = os.getpgid(pid) == pid
    except OSError:
        return "gone"
    if name.startswith(b"safe-decode-sta"):
        return "starter"
    return "broker" if leads and b"broker" in arguments else "decoder"


def kill_somebody(folder, arguments, rng, hit):
    """Kills one of the processes of a run, at a random moment, and counts whom.  Returns the status of the run."""
    process = subprocess.Popen([PROGRAM_FILE, "-q", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE)
    time.sleep(rng.random() * 0.06)
    pids = descendants(process.pid)
    victim = process.pid if rng.random() < 0.25 else rng.choice(pids[1:] or pids)
    whom = role(victim, process.pid)
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        whom = "gone"
    hit[whom] = hit.get(whom, 0) + 1
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
    endings, hit = {}, {}
    with Folder() as folder:
        target = folder("out.ppm")
        old = folder.write("out.ppm", b"old")
        whole = run("-o", folder("whole.ppm"), PHOTO)
        expect_status(whole, 0)
        for number in range(1000 if FULL else 20):
            if number % 3 == 2:
                status = kill_somebody(folder.path, ["--force", "--output-dir", folder("many"), "-tppm", "-j2"] + [PHOTO] * 6, rng,
                                       hit)
            else:
                status = kill_somebody(folder.path, ["-o", target, PHOTO], rng, hit)
                expect(read(old) in (b"old", read(folder("whole.ppm"))), "the output is half there")
            endings[status] = endings.get(status, 0) + 1
            for name in os.listdir(folder.path):
                if name.startswith("."):
                    os.unlink(folder(name))
    print(f"# killed: {hit}; endings: {endings}")
    expect(not FULL or all(hit.get(name, 0) > 20 for name in ("program", "starter", "broker", "decoder")), hit)


# ---- disks that are full, readers and writers that are slow, inputs without an end ----


@test
def the_disk_is_full():
    with Folder() as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "none", folder.path], capture_output=True,
                              check=False)
        if done.returncode != 0:
            raise Skip("needs to mount a file system")
        try:
            for kind, name in (("ppm", PHOTO), ("png", PHOTO), ("bmp", PHOTO), ("raw", PHOTO), ("wav", TONE_24),
                               ("txt", TEXT)):
                fill_disk(folder, kind, name)
            fill_disk_with_many(folder)
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


def fill_disk_with_many(folder):
    """Each output that fits is there, whole; those that do not are not."""
    names = [PHOTO, SCREENSHOT, THUMBNAIL, TEXT]
    with Folder() as other:
        expect_status(run("--output-dir", other("out"), "-q", *names), 0)
        wanted = {name: read(other("out", name)) for name in os.listdir(other("out"))}
    rooms = list(range(8192, sum(map(len, wanted.values())) + 12 * 4096, 4096))
    for room in rooms if FULL else rooms[:2] + rooms[-2:]:
        subprocess.run(["mount", "-o", f"remount,size={room}", folder.path], check=True)
        done = run("--output-dir", folder("out"), "-q", *names)
        there = {name: read(folder("out", name)) for name in os.listdir(folder("out"))}
        expect(all(wanted.get(name) == data for name, data in there.items()), "an output is half there")
        lacking = len(wanted) - len(there)
        expect(done.returncode == (2 if lacking else 0), f"status {done.returncode} with {lacking} lacking")
        expect(done.stderr.count(b"No space left") == lacking, f"{lacking} lack: {done.stderr!r}")
        shutil.rmtree(folder("out"))
    expect(done.returncode == 0, "they do not fit where there is room")


@test
def processes_that_are_stopped_and_continued():
    """Waits go on after that, by a system call of their own."""
    with Folder() as folder:
        for name, arguments in (("out.png", []), ("many", ["-j2"])):
            output = ["-o", folder(name)] if not arguments else ["--output-dir", folder(name), PHOTO]
            process = subprocess.Popen([PROGRAM_FILE, "-q", *arguments, *output, PHOTO], stdin=subprocess.DEVNULL)
            while process.poll() is None:
                for number in (signal.SIGSTOP, signal.SIGCONT):
                    for pid in descendants(process.pid):
                        try:
                            os.kill(pid, number)
                        except ProcessLookupError:
                            pass
                    time.sleep(0.001)
            expect(process.returncode == 0, f"status {process.returncode}")


@test
def descriptors_that_do_not_block():
    """Whoever is at the other end is slow, and somebody has made standard input and output not block."""
    data = read(PHOTO)
    for kind in ("raw", "png"):
        wanted = run("-t", kind, PHOTO).stdout
        (source, writer), (reader, sink) = os.pipe(), os.pipe()
        for fd in (source, sink):
            os.set_blocking(fd, False)
        process = subprocess.Popen([PROGRAM_FILE, "-q", "-t", kind, "-"], stdin=source, stdout=sink)
        os.close(source)
        os.close(sink)
        got = []
        drain = threading.Thread(target=lambda to=got, end=reader: to.append(read_slowly(end)))
        drain.start()
        for start in range(0, len(data), 20000):
            time.sleep(0.05)
            os.write(writer, data[start:start + 20000])
        os.close(writer)
        expect(process.wait(TIME_LIMIT) == 0, f"status {process.returncode}")
        drain.join()
        expect(got[0] == wanted, f"{kind}: not what it should be")


def read_slowly(fd):
    time.sleep(0.5)
    with open(fd, "rb") as stream:
        return stream.read()


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
