# SPDX-License-Identifier: MIT
"""What the trusted side's own processes cannot do.  Each, while a decoder is at work, is stopped by a debugger's means
and made to do what an attacker in it would try (inject.c)."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time

from closed import landlock_version
from ways import reap_orphans

ATTEMPTS = ("execute", "socket", "connect", "trace", "write")
HEADINGS = ("has a filter", "execute", "make a socket", "connect by TCP", "trace another", "write elsewhere",
            "write its own memory", "write a child's", "write core_pattern")
COMMAND, STARTER, BROKER, CHILD = "safe-decode", "safe-decode-sta", "hostile", "safe-decode: ch"
KILLED = f"killed {signal.SIGSYS:d}"
FOLDER = ["--output-dir", "@"]
ENOUGH = 3  # ticks of processor time

# What each process is, how the command line is called, and whether the process has a filter, and one was in force from
# the start.  `#` is an input, and `@` a folder for output.
ROLES = (
    ("a command line with one input", COMMAND, ["#"], True, False),
    ("one input, -o", COMMAND, ["-o", "@/output", "#"], True, False),
    ("one input, --info", COMMAND, ["--info", "#"], True, False),
    ("one input, --diagnose", COMMAND, ["--diagnose", "#"], True, False),
    ("one input, --cover", COMMAND, ["--cover", "-o", "@/output", "#"], True, False),
    ("several inputs", COMMAND, [*FOLDER, "#", "#"], True, False),
    ("several inputs, --info", COMMAND, ["--info", "#", "#"], True, False),
    ("a device", COMMAND, ["--play=null", "#"], True, False),
    ("a device, several inputs", COMMAND, ["--play=null", "#", "#"], True, False),
    ("the starter of brokers", STARTER, [*FOLDER, "#", "#"], False, False),
    ("a broker", BROKER, [*FOLDER, "#", "#"], False, False),
    ("one input, in a container", COMMAND, ["#"], True, True),
    ("several inputs, in a container", COMMAND, [*FOLDER, "#", "#"], True, True),
    ("the starter of brokers, in a container", STARTER, [*FOLDER, "#", "#"], False, True),
    ("a broker, in a container", BROKER, [*FOLDER, "#", "#"], True, True),
)
# With one input these open no file to write any more, and their filter knows it; of the others Landlock does.
WITHOUT_FILES = ("#", "-o", "--info", "--diagnose")


def expected_of(options, filtered):
    """Of a process with a filter, and of one that has Landlock alone."""
    version = landlock_version()
    one = options[0] in WITHOUT_FILES and options.count("#") == 1
    write = "EPERM" if one else "EACCES" if version else "done"
    refused = "refused" if one or version else "done"
    writes = (write, refused, refused, refused)
    if filtered:
        return ("yes", KILLED, KILLED, KILLED, KILLED, *writes)
    return ("no", "EACCES" if version else "done", "done", "EACCES" if version >= 4 else "ECONNREFUSED",
            "EPERM" if version else "done", *writes)


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


def is_at_work(pid, status, filters):
    """Whether it is a decoder that is locked down, has its input, and gave no answer yet: it computes for ever."""
    if status.get("Name") != CHILD or not (status["Seccomp"] == "1" or int(status["Seccomp_filters"]) > filters):
        return False
    with open(f"/proc/{pid}/stat", encoding="ascii") as stream:
        return int(stream.read().rsplit(")", 1)[1].split()[11]) >= ENOUGH


def find(pid, name, filters):
    """The process of that name, and a decoder, once that is at work; and whether the process has a filter by then.
    `filters` were in force from the start."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        known = [(one, status_of(one)) for one in family(pid)]
        children = [one for one, status in known if is_at_work(one, status, filters)]
        if children:
            # Parents come first: a decoder has its broker's name until it is locked down.
            one, status = next((one, status) for one, status in known if status.get("Name") == name)
            return one, children[0], "yes" if int(status["Seccomp_filters"]) > filters else "no"
        time.sleep(0.01)
    raise TimeoutError(f"no {name}")


class Scene:
    """A command line whose decoder computes for ever, and a process that is none of its business."""

    def __init__(self, build, options, container):
        self.bystander = subprocess.Popen(["sleep", "600"])
        self.folder = tempfile.mkdtemp(dir=build.scratch)
        path = os.path.join(self.folder, "input.hostile")
        with open(path, "w", encoding="ascii") as stream:
            stream.write("HOSTSND spin" if "--play=null" in options or "--cover" in options else "HOSTBYT spin")
        os.mkdir(os.path.join(self.folder, "output"))
        words = [word.replace("#", path).replace("@", os.path.join(self.folder, "output")) for word in options]
        self.process = subprocess.Popen([*(build.foreign() if container else ()), build.program("safe-decode"), "-q",
                                         *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        stdin=subprocess.DEVNULL)

    def close(self):
        for pid in reversed(family(self.process.pid)):
            # One of them may end because another did.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.bystander.kill()
        self.process.wait()
        self.bystander.wait()
        reap_orphans(brisk=False)
        shutil.rmtree(self.folder)


def refused(word):
    """Which of several walls is met first, is the kernel's matter."""
    return "refused" if word in ("EACCES", "EPERM", "EROFS") else word


def attempt(build, what, name, options, container):
    """What comes of it: whether the process has a filter, and a word for each attempt."""
    scene = Scene(build, options, container)
    try:
        pid, child, filtered = find(scene.process.pid, name, int(container))
        arguments = {"execute": ["/bin/true"], "trace": [str(scene.bystander.pid)],
                     "write": [os.path.join(build.scratch, "elsewhere"), "/proc/self/mem", f"/proc/{child}/mem",
                               "/proc/sys/kernel/core_pattern"]}.get(what, [])
        tried = subprocess.run([build.program("inject"), str(pid), what, *arguments], check=False, capture_output=True,
                               text=True)
        first, *others = (tried.stdout + tried.stderr).strip().split("\n")
        return filtered, first, *map(refused, others)
    except (TimeoutError, StopIteration) as error:
        return "?", repr(error)
    finally:
        scene.close()


def run_all(build, table):
    table.section("What the trusted side's own processes can do when they are taken over", *HEADINGS)
    for role, name, options, filtered, container in ROLES:
        seen = [attempt(build, what, name, options, container) for what in ATTEMPTS]
        filters = {one[0] for one in seen}
        table.row(role, expected_of(options, filtered), filters.pop() if len(filters) == 1 else "sometimes",
                  *(word for one in seen for word in one[1:]))
    if not landlock_version():
        table.note("this kernel has no Landlock: what has no filter, for its children's sake, is not confined")
