# SPDX-License-Identifier: MIT
"""What the trusted side's own processes cannot do.  Each, while a decoder is at work, is stopped by a debugger's means
and made to do what an attacker in it would try (inject.c)."""

import os
import shutil
import signal
import subprocess
import tempfile
import time

from closed import landlock_version
from ways import reap_orphans

ATTEMPTS = ("execute", "socket", "connect", "write", "trace")
HEADINGS = ("execute", "make a socket", "connect by TCP", "write elsewhere", "trace another")
COMMAND, LAUNCHER, BROKER, CHILD = "safe-decode", "safe-decode: la", "safe-decode-bro", "safe-decode: ch"
KILLED = f"killed {signal.SIGSYS:d}"
FILTERED = (KILLED, KILLED, KILLED)

# What each process is, how the command line is called, and whether the process has a filter.  `#` is an input, and `@`
# a folder for output.
ROLES = (
    ("a command line with one input", COMMAND, ["#"], True, False),
    ("one input, -o", COMMAND, ["-o", "@/output", "#"], True, False),
    ("several inputs", COMMAND, ["--output-dir", "@", "#", "#"], True, False),
    ("a device", COMMAND, ["--play=null", "#"], True, False),
    ("the launcher of brokers", LAUNCHER, ["--output-dir", "@", "#", "#"], False, False),
    ("a broker", BROKER, ["--output-dir", "@", "#", "#"], False, False),
    ("several inputs, in a container", COMMAND, ["--output-dir", "@", "#", "#"], True, True),
    ("a broker, in a container", BROKER, ["--output-dir", "@", "#", "#"], True, True),
)


def expected_of(role, filtered):
    """Of a process with a filter, and of one that has Landlock alone."""
    version = landlock_version()
    write = "EPERM" if role in (ROLES[0][0], ROLES[1][0]) else "EACCES" if version else "done"
    if filtered:
        return (*FILTERED, write, KILLED)
    return ("EACCES" if version else "done", "done", "EACCES" if version >= 4 else "ECONNREFUSED", write,
            "EPERM" if version else "done")


def status_of(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as stream:
            return dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {}


def family(pid):
    """The process and all below it."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as stream:
            below = stream.read().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid] + [deeper for child in below for deeper in family(int(child))]


def find(pid, name, filters):
    """The process of that name, once a decoder is locked down and the command line is confined.  `filters` were in
    force from the start."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        known = [(one, status_of(one)) for one in family(pid)]
        # Parents come first: a decoder has its broker's name until it is locked down.
        by_name = {status.get("Name"): (one, status) for one, status in reversed(known)}
        locked = any(status["Seccomp"] == "1" or int(status["Seccomp_filters"]) > filters
                     for _, status in known if status.get("Name") == CHILD)
        if locked and COMMAND in by_name and int(by_name[COMMAND][1]["Seccomp_filters"]) > filters:
            return by_name[name][0]
        time.sleep(0.01)
    raise TimeoutError(f"no {name}")


class Scene:
    """A command line whose decoder computes for ever, and a process that is none of its business."""

    def __init__(self, build, options, container):
        self.bystander = subprocess.Popen(["sleep", "600"])
        self.folder = tempfile.mkdtemp(dir=build.scratch)
        path = os.path.join(self.folder, "input.hostile")
        with open(path, "w", encoding="ascii") as stream:
            stream.write("HOSTAUD spin 100" if "--play=null" in options else "HOSTBYT spin")
        os.mkdir(os.path.join(self.folder, "output"))
        words = [word.replace("#", path).replace("@", os.path.join(self.folder, "output")) for word in options]
        self.process = subprocess.Popen([*(build.foreign() if container else ()), build.program("safe-decode"), "-q",
                                         *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        stdin=subprocess.DEVNULL)

    def close(self):
        for pid in reversed(family(self.process.pid)):
            os.kill(pid, signal.SIGKILL)
        self.bystander.kill()
        self.process.wait()
        self.bystander.wait()
        reap_orphans(brisk=False)
        shutil.rmtree(self.folder)


def attempt(build, what, name, options, container):
    scene = Scene(build, options, container)
    try:
        pid = find(scene.process.pid, name, int(container))
        argument = {"execute": "/bin/true", "write": os.path.join(build.scratch, "elsewhere"),
                    "trace": str(scene.bystander.pid)}.get(what, "")
        tried = subprocess.run([build.program("inject"), str(pid), what, argument], check=False, capture_output=True,
                               text=True)
        return (tried.stdout + tried.stderr).strip()
    except TimeoutError as error:
        return str(error)
    finally:
        scene.close()


def run_all(build, table):
    table.section("What the trusted side's own processes can do when they are taken over", *HEADINGS)
    for role, name, options, filtered, container in ROLES:
        table.row(role, expected_of(role, filtered),
                  *(attempt(build, what, name, options, container) for what in ATTEMPTS))
    if not landlock_version():
        table.note("this kernel has no Landlock: what has no filter, for its children's sake, is not confined")
