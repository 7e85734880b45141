# SPDX-License-Identifier: MIT
"""Runs one input through the command line, the one-call functions, and a stream; and watches what it costs."""

import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

LIBRARY = ("call", "stream")
STATUSES = ("ok", "usage", "io", "malformed", "limit", "killed", "no-sandbox", "unsupported", "exhausted",
            "too-small", "wrong-kind")
LIMITS = ("", "side", "pixels", "output", "input", "memory", "metadata", "cpu", "stall", "deadline", "work", "cover",
          "reads")
MEMORY = 32 << 20          # bytes of each decoder: a caller that holds more than this and its own is not bounded
MOST_MEMORY = 56 << 10     # KiB resident, of the largest process
PATIENCE = 60              # seconds after which a run is given up and killed
SENT = "input was sent"    # under a filter that kills for it (closed.py)
PR_SET_CHILD_SUBREAPER = 36
# As in a container, for system calls that nobody here makes: where a filter is in force, strict mode cannot be had.
SOME_FILTER = ["swapon:1"]


class Build:
    """The programs that know the hostile decoder, and what was measured over all runs."""

    def __init__(self, folder):
        self.top = os.path.abspath(folder)
        self.folder = os.path.join(self.top, "tests/bin-hostile")
        self.scratch = tempfile.mkdtemp(prefix="safe-decode-prove-")
        self.peak = 0       # KiB
        self.slowest = 0.0  # seconds
        self.left = []      # what was left behind
        # What a run leaves running becomes a child of this process.
        if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
            raise OSError("cannot become a subreaper")

    def program(self, name):
        return os.path.join(self.folder, name)

    def foreign(self):
        """A prefix: runs what follows as in a container."""
        return [self.program("under-filter"), *SOME_FILTER, "--"]

    def close(self):
        shutil.rmtree(self.scratch)


class Run:
    """One program that was run to its end: status (negative: a signal), output, errors."""

    def __init__(self, build, arguments, text=b"", **options):
        """Gives `text` to it.  Its folder for temporary files, and the one it runs in, must be empty in the end; and no
        process may be left.  Where it is killed, or runs in namespaces, those may take a moment to be gone (not
        `brisk`)."""
        brisk = options.pop("brisk", True)
        folder = tempfile.mkdtemp(dir=build.scratch)
        options.setdefault("env", {**os.environ, "TMPDIR": folder})
        before_input = options.pop("before_input", None)
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            began = time.monotonic()
            process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=output, stderr=errors, cwd=folder,
                                       **options)
            if before_input:
                text = before_input(process)
            feed(process.stdin, text)
            self.status, usage = wait(process)
            self.seconds = time.monotonic() - began
            self.output, self.errors = contents(output), contents(errors)
        self.peak = usage.ru_maxrss
        self.used = usage.ru_utime + usage.ru_stime  # seconds of processor time, with those that it waited for
        if os.listdir(folder):
            build.left.append(f"files of {arguments[-1]}: {os.listdir(folder)}")
        shutil.rmtree(folder)
        orphans = reap_orphans(brisk)
        if orphans:
            build.left.append(f"processes of {arguments[-1]}: {orphans}")
        build.slowest = max(build.slowest, self.seconds)


def feed(pipe, text):
    """All of the text, unless nobody reads it."""
    try:
        pipe.write(text)
        pipe.close()
    except BrokenPipeError:
        pass


def contents(stream):
    stream.seek(0)
    return stream.read()


def wait(process):
    """Waits for it; one that takes far too long is killed, which shows in its status."""
    descriptor = os.pidfd_open(process.pid)
    ended = select.select([descriptor], [], [], PATIENCE)[0]
    os.close(descriptor)
    if not ended:
        process.send_signal(signal.SIGKILL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage


def reap_orphans(brisk):
    """How many processes are left that nobody waited for; or that do not end by themselves."""
    count, deadline = 0, time.monotonic() + 5
    try:
        while time.monotonic() < deadline:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            count += brisk and pid > 0
            if pid == 0:
                time.sleep(0.01)
        return count + 1
    except ChildProcessError:
        return count


def is_printable(text):
    return all(0x20 <= byte < 0x7F or byte == 0x0A for byte in text)


def describe(status, number, limit, reason, answer=""):
    """A status and what explains it, in few words."""
    if status == "ok":
        return f"ok: {answer}" if answer else "ok"
    if number:
        return f"{status} {number}"
    if limit:
        return f"{status} {limit}"
    for word in ("lied", "ended"):
        if status == "killed" and word in reason:
            return f"{status} {word}"
    return status


def last_line(output):
    """The answer of an attack: printable, and at the end."""
    line = output.split(b"\n")[-1][-200:]
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in line)


def of_command(build, run, posing):
    """What a run of the command line says."""
    build.peak = max(build.peak, run.peak)
    if run.status < 0 or run.status >= len(STATUSES):
        return f"status {run.status}"
    if not is_printable(run.errors):
        return "unprintable errors"
    reason = run.errors.decode()
    if run.status and (reason.count("\n") != 1 or not reason.startswith("safe-decode: ")):
        return "not one line of errors"
    number = re.search(r": signal (\d+) \(", reason)
    option = re.search(r"\(--(?:max-)?([a-z]+)\)|its (deadline)$", reason.rstrip())
    return describe(STATUSES[run.status], number and number[1], option and (option[1] or option[2]), reason,
                    last_line(run.output) if posing == "HOSTBYT" else "")


def by_file(build, text, size, *options, prefix=(), **more):
    """The same, from a file of at least this size: the text is its first line."""
    path = os.path.join(build.scratch, "input")
    with open(path, "wb") as stream:
        stream.write(f"{text}\n".encode().ljust(size, b"x"))
    return by_command(build, text, *options, path, prefix=prefix, **more)


def by_command(build, text, *options, prefix=(), **more):
    """Decodes with the command line.  Returns what is seen, and the run."""
    run = Run(build, [*prefix, build.program("safe-decode"), "-q", "--memory", str(MEMORY), *options], text.encode(),
              **more)
    return of_command(build, run, text[:7]), run


def library_results(build, run):
    """What prove-library says of each input.  Its last line is about itself."""
    if not is_printable(run.output.replace(b"\t", b"")):
        return ["unprintable output"]
    lines = run.output.decode().splitlines()
    if run.status == -signal.SIGSYS:
        return [SENT]
    if run.status != 0 or not lines or not lines[-1].startswith("left\t"):
        return [f"status {run.status}"]
    _, descriptors, children, peak = lines.pop().split("\t")
    build.peak = max(build.peak, int(peak))
    if (descriptors, children) != ("0", "0"):
        build.left.append(f"{descriptors} descriptors, {children} children of the library's")
    results = []
    for line in lines:
        status, number, limit, _, reason, answer = line.split("\t")
        results.append(describe(status, int(number), LIMITS[int(limit)], reason, answer))
    return results


def by_library(build, way, texts, *settings, prefix=(), **more):
    """Decodes each text through the library, with one handle.  Returns what is seen of each."""
    run = Run(build, [*prefix, build.program("prove-library"), way, f"memory={MEMORY}", *settings],
              "".join(f"{text}\n" for text in texts).encode(), **more)
    results = library_results(build, run)
    return results if len(results) == len(texts) else (results * len(texts))[:len(texts)]
