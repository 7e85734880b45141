#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every way to write an output, onto every kind of target, while system calls fail or the process is killed at them; and a
model that says what may be there afterwards: the old content whole or the new one whole, and nothing else.

    tests/cli/output_model_test.py BUILD_FOLDER

MODEL_FULL=1 tries every call of every run; else it is a part of them, in about a minute.
"""

import concurrent.futures
import os
import random
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time

from cli_support import PROGRAM, TIME_LIMIT, Folder, Skip, expect, main, read, run, test, traced

FULL = bool(os.environ.get("MODEL_FULL"))
REST = 9  # faults for each scene, besides those where an output takes its name
DEADLINE = time.monotonic() + 60
SOURCES = {"ppm": "samples/jpeg/testorig.jpg", "wav": "samples/vorbis/noise-stereo.ogg"}
OTHERS = {"ppm": "samples/jpeg/pjw-thumbnail.jpeg", "wav": "samples/wav/tone-s16.wav"}  # with "several"
OLD = b"what was there before\n" * 50
KILL = "KILL"
FAULTS = {
    "write": ["ENOSPC", "EIO"], "pwrite64": ["ENOSPC"], "splice": ["ENOSPC", "EINVAL"], "fsync": ["EIO", "ENOSPC"],
    "linkat": ["EIO", "ENOSPC", "EPERM"], "renameat": ["EIO", "EACCES"], "renameat2": ["EIO", "EINVAL"],
    "openat": ["EMFILE", "EACCES"], "close": ["EIO"], "newfstatat": ["EIO"], "fstat": ["EIO"], "fcntl": ["EMFILE"],
    "fchmod": ["EPERM"], "fchown": ["EPERM"], "getxattr": ["EIO"], "fremovexattr": ["EPERM"], "getrandom": ["ENOSYS"],
    "lseek": ["ESPIPE"], "readlinkat": ["EIO"], "read": ["EIO"],
}
TEMPORARY = re.compile(r"\.(in\.ppm|in\.wav|end|pjw-thumbnail\.ppm|tone-s16\.wav)\.[a-z0-9]{6}")
runs = 0
runs_lock = threading.Lock()


class Scene:
    """A target of one kind, and one way to write to it."""

    def __init__(self, way, kind, extension, named=0):
        self.way, self.kind, self.extension, self.named = way, kind, extension, named
        self.name = "in." + extension

    def __str__(self):
        return f"{self.way} onto {self.kind}, {self.extension}" + (", with a temporary name" if self.named else "")

    def streams(self):
        """Whether the output cannot go back to its start."""
        return self.way == "/dev/stdout" or self.kind == "a FIFO" and self.way in ("-o", "redirection")

    def build(self, root):
        """Makes the target: NAME in the folder "out"; what it may lead to is in the folder "far"."""
        self.root, self.out, self.far = root, os.path.join(root, "out"), os.path.join(root, "far")
        other = tempfile.mkdtemp(dir="/dev/shm") if self.kind == "another file system" else None
        os.mkdir(self.out)
        if other:
            os.symlink(other, self.far)
        else:
            os.mkdir(self.far)
        self.source = os.path.join(root, "in.source")
        target = os.path.join(self.out, self.name)
        end = os.path.join(self.far, "end")
        if self.kind in ("a file", "a hard link"):
            self.write(target)
        if self.kind == "a hard link":
            os.link(target, end)
        if self.kind in ("a symbolic link", "another file system"):
            self.write(end)
        if self.kind in ("a symbolic link", "a dangling link", "another file system"):
            os.symlink(end, target)
        if self.kind == "a FIFO":
            os.mkfifo(target)
        if self.kind == "its own input":
            self.source = target
        shutil.copyfile(SOURCES[self.extension], self.source)
        self.target, self.end = target, end

    def write(self, path):
        with open(path, "wb") as stream:
            stream.write(OLD)
        os.chmod(path, 0o640)

    def clean(self):
        if os.path.islink(self.far):
            shutil.rmtree(os.path.realpath(self.far))

    def arguments(self):
        into = {"-o": ["-o", self.target], "redirection": [], "/dev/stdout": ["-o", "/dev/stdout"],
                "folder": ["--output-dir", self.out], "forced": ["--force", "--output-dir", self.out],
                "several": ["--force", "-j1", "--output-dir", self.out, OTHERS[self.extension]]}[self.way]
        return [PROGRAM, "-q", "-t", self.extension, *into, self.source]

    def run(self, trace):
        """Returns the status, and what came through a FIFO."""
        heard = []
        stdout = subprocess.DEVNULL
        if self.way in ("redirection", "/dev/stdout"):
            flags = os.O_TRUNC if self.way == "redirection" else os.O_APPEND
            # A FIFO is opened for both, so that nobody waits.
            mode = os.O_RDWR if self.kind == "a FIFO" else os.O_WRONLY
            stdout = os.open(self.target, mode | flags | os.O_CREAT, 0o644)
        reader = self.read_fifo(heard) if self.kind == "a FIFO" else None
        try:
            done = subprocess.run([*trace, *self.arguments()], stdin=subprocess.DEVNULL, stdout=stdout,
                                  stderr=subprocess.PIPE, timeout=TIME_LIMIT, check=False)
        finally:
            if stdout != subprocess.DEVNULL:
                os.close(stdout)
            if reader:
                reader()
        with runs_lock:
            global runs  # pylint: disable=global-statement
            runs += 1
        return done.returncode, b"".join(heard), done.stderr

    def read_fifo(self, heard):
        fd = os.open(self.target, os.O_RDONLY | os.O_NONBLOCK)
        over = threading.Event()

        def listen():
            while True:
                last = over.is_set()
                try:
                    piece = os.read(fd, 1 << 16)
                except BlockingIOError:
                    piece = b""
                heard.append(piece)
                if last and not piece:
                    return
                over.wait(0.001)

        thread = threading.Thread(target=listen)
        thread.start()

        def end():
            over.set()
            thread.join()
            os.close(fd)

        return end


class Model:
    """What may be there after a run."""

    def __init__(self, scene, new, other):
        self.scene, self.new, self.other = scene, new, other
        self.source = read(SOURCES[scene.extension])

    def judge(self, status, heard, call, killed):
        scene = self.scene
        whole = status == 0
        if scene.way in ("redirection", "/dev/stdout"):
            self.judge_in_place(whole, heard)
        elif scene.kind == "a FIFO" and scene.way == "-o":
            expect(self.new == heard if whole else self.new.startswith(heard), "not what the FIFO was to give")
            expect(stat.S_ISFIFO(os.lstat(scene.target).st_mode), "the FIFO is gone")
        elif scene.way == "folder" and scene.kind != "nothing":
            expect(not whole or killed, "nothing was to be replaced")
            self.judge_untouched()
        else:
            self.judge_replaced(whole, killed)
        expect(scene.kind == "its own input" or read(scene.source) == self.source, "the input was changed")
        self.judge_names(call, killed)

    def judge_in_place(self, whole, heard):
        scene = self.scene
        if scene.kind == "a FIFO":
            there = heard
        else:
            there = read(scene.target)
        before = b""
        if scene.way == "/dev/stdout" and scene.kind in ("a file", "a hard link", "a symbolic link",
                                                         "another file system"):
            before = OLD
        expect(there.startswith(before), "what was there before is not")
        # The sizes in the header of a sound come last.
        body = 80 if scene.extension == "wav" and not scene.streams() else 0
        after = there[len(before):]
        wanted = self.new[body:] if whole else self.new[body:len(after)]
        expect(after[body:] == wanted, "not the start of the output")

    def judge_untouched(self):
        scene = self.scene
        if scene.kind in ("a file", "a hard link"):
            expect(read(scene.target) == OLD, "the file was changed")
        if scene.kind == "its own input":
            expect(read(scene.target) == self.source, "the input was changed")
        self.judge_end()

    def judge_end(self):
        """What another name leads to."""
        scene = self.scene
        if scene.kind in ("a hard link", "a symbolic link", "another file system"):
            expect(read(scene.end) == OLD, "the file behind the link was changed")
        if scene.kind == "a dangling link":
            expect(not os.path.lexists(scene.end), "something is behind the link")

    def judge_replaced(self, whole, killed):
        scene = self.scene
        followed = scene.way == "-o" and scene.kind in ("a symbolic link", "a dangling link", "another file system")
        place = scene.end if followed else scene.target
        if followed:
            expect(os.path.islink(scene.target), "the link was replaced")
        else:
            self.judge_end()
        old = {"nothing": None, "a dangling link": None, "its own input": self.source}.get(scene.kind, OLD)
        is_new = os.path.isfile(place) and (followed or not os.path.islink(place)) and read(place) == self.new
        if whole:
            expect(is_new, "the output is not what it should be")
        if is_new:
            # What comes after the output has its name may fail without a word, and a kill may come then.
            expect(whole or killed or scene.way == "several", "it failed, and is there")
            mode = stat.S_IMODE(os.stat(place).st_mode)
            expect(mode & ~(0o640 if old == OLD and os.path.isfile(place) and self.keeps_mode() else 0o644) == 0, oct(mode))
        elif followed or scene.kind in ("nothing", "a file", "a hard link", "its own input"):
            there = read(place) if os.path.lexists(place) else None
            expect(there == old, "neither the old content nor the new one")
        else:
            kinds = {"a FIFO": stat.S_ISFIFO}
            expect(kinds.get(scene.kind, stat.S_ISLNK)(os.lstat(place).st_mode), "neither the old one nor the new one")

    def keeps_mode(self):
        """A link that is replaced has no permissions to pass on."""
        return self.scene.way == "-o" or self.scene.kind in ("a file", "a hard link")

    def judge_names(self, call, killed):
        scene = self.scene
        names = set(os.listdir(scene.out)) | set(os.listdir(scene.far))
        names -= {scene.name, "end"}
        other = os.path.splitext(os.path.basename(OTHERS[scene.extension]))[0] + "." + scene.extension
        if scene.way == "several" and other in names:
            expect(read(os.path.join(scene.out, other)) == self.other, "another output is half there")
            names.remove(other)
        left = [name for name in names if TEMPORARY.fullmatch(name)]
        expect(len(left) == len(names), f"{names} is left")
        # Between two system calls an output that replaces a file has a temporary name.
        may_be_left = killed and (scene.named or call == "renameat")
        expect(len(left) <= (1 if may_be_left else 0), f"{names} is left")


def calls_of(scene, log):
    """The calls of a run from where it opens its output on: their names, and which one of that name each is."""
    counts, begun, found = {}, False, []
    for line in read(log).decode(errors="replace").splitlines():
        name = re.match(r"([a-z0-9_]+)\(", line)
        if not name:
            continue
        name = name.group(1)
        counts[name] = counts.get(name, 0) + 1
        begun = begun or "O_PATH" in line or name == "landlock_create_ruleset"
        if begun and name in FAULTS:
            found.append((name, counts[name]))
    expect(found, f"{scene}: no calls in {log}")
    return found


def once(scene, model, trace, call, killed, what):
    with Folder() as folder:
        scene = Scene(scene.way, scene.kind, scene.extension, scene.named)
        scene.build(folder.path)
        try:
            status, heard, said = scene.run(trace(folder("log")))
            expect(killed or 0 <= status <= 7, f"{scene}, {what}: status {status}: {said!r}")
            try:
                model = Model(scene, model.new, model.other)
                model.judge(status, heard, call, killed and status < 0)
            except AssertionError as error:
                raise AssertionError(f"{scene}, {what}, status {status}: {error}; it said {said!r}") from error
            log = folder("log")
            return status, calls_of(scene, log) if os.path.exists(log) and not what else None
        finally:
            scene.clean()


def unnamed_call(scene):
    """Which openat() of a run asks for a file without a name."""
    with Folder() as folder:
        scene.build(folder.path)
        try:
            scene.run(traced(folder("log"), "openat", mode=""))
            lines = [line for line in read(folder("log")).decode().splitlines() if line.startswith("openat(")]
        finally:
            scene.clean()
    return next((number for number, line in enumerate(lines, 1) if "O_TMPFILE" in line), 0)


def scenes():
    kinds = ["nothing", "a file", "a symbolic link", "a dangling link", "a hard link", "a FIFO", "its own input"]
    if os.path.isdir("/dev/shm") and os.stat("/dev/shm").st_dev != os.stat(tempfile.gettempdir()).st_dev:
        kinds.append("another file system")
    for number, kind in enumerate(kinds):
        extension = ("ppm", "wav")[number % 2]
        for way in ("-o", "folder", "forced", "several", "redirection", "/dev/stdout"):
            if kind == "its own input" and way in ("redirection", "/dev/stdout"):
                continue  # the shell has emptied it
            yield Scene(way, kind, extension)
        if kind in ("nothing", "a file"):
            for way in ("-o", "forced"):
                scene = Scene(way, kind, extension)
                scene.named = unnamed_call(scene)
                yield scene


def choose(tries, seed):
    """Those where an output takes its name are tried in any case, and some of the rest."""
    naming = ("linkat", "renameat", "renameat2", "fsync")
    random.Random(seed).shuffle(tries)
    sure = {(one.name, one.number, one.fault == KILL): one for one in tries if one.name in naming}
    rest = [one for one in tries if one not in sure.values()]
    return list(sure.values()), rest if FULL else [one for one in rest if one.name not in naming][:REST]


def try_scene(scene):
    with Folder() as folder:
        wanted = []
        for source in (SOURCES[scene.extension], OTHERS[scene.extension]):
            expect(run("-q", "-t", scene.extension, "-o", folder("file"), source).returncode == 0)
            wanted.append(read(folder("file")))
        if scene.streams():
            wanted[0] = run("-q", "-t", scene.extension, SOURCES[scene.extension]).stdout
    model = Model(scene, *wanted)
    refuse = [f"openat:error=EOPNOTSUPP:when={scene.named}"] if scene.named else []
    names = ",".join(["landlock_create_ruleset", *FAULTS])
    status, calls = once(scene, model, lambda log: traced(log, names, *refuse, mode=""), None, False, "")
    expected = 2 if scene.way == "folder" and scene.kind != "nothing" else 0
    expect(status == expected, f"{scene}: status {status}")
    faults = [(name, number, fault) for name, number in calls for fault in [KILL, *FAULTS[name]]
              if not (scene.named and name == "openat")]
    tries = [Try(scene, model, refuse, *fault) for fault in faults]
    sure, rest = choose(tries, str(scene))
    for one in sure:
        one.run()
    return rest


class Try:
    """One call of a scene that fails, or at which the process is killed."""

    def __init__(self, scene, model, refuse, name, number, fault):  # pylint: disable=too-many-arguments
        self.scene, self.model, self.refuse = scene, model, refuse
        self.name, self.number, self.fault = name, number, fault

    def run(self):
        killed = self.fault == KILL
        how = "signal=KILL" if killed else f"error={self.fault}"
        inject = [f"{self.name}:{how}:when={self.number}", *self.refuse]
        once(self.scene, self.model, lambda log: traced(log, "all", *inject, mode=""), self.name, killed,
             f"{self.name} {self.number} {self.fault}")

    def run_in_time(self):
        if FULL or time.monotonic() < DEADLINE:
            self.run()


def try_all(function, work):
    """All failures, not only the first."""
    failures, results = [], []
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for future in [pool.submit(function, one) for one in work]:
            try:
                results.append(future.result())
            except AssertionError as error:
                failures.append(str(error))
    expect(not failures, f"{len(failures)} failed: " + " | ".join(failures))
    return results


@test
def calls_fail_and_the_process_is_killed_at_them():
    rest = [one for tries in try_all(try_scene, list(scenes())) for one in tries]
    random.Random(1).shuffle(rest)
    try_all(Try.run_in_time, rest)
    print(f"# {runs} runs")


@test
def the_disk_is_full():
    """A file system of each size up to what the output needs."""
    with Folder() as folder:
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder.path], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            raise Skip("no file system can be mounted here")
        try:
            for extension, source in SOURCES.items():
                fill(folder, extension, source)
        finally:
            subprocess.run(["umount", folder.path], check=True)


def fill(folder, extension, source):
    name = os.path.splitext(os.path.basename(source))[0] + "." + extension
    with Folder() as other:
        expect(run("-q", "-o", other("x." + extension), source).returncode == 0)
        new = read(other("x." + extension))
    sizes = range(2 * 4096, len(new) + 5 * 4096, 4096 if FULL else 6 * 4096)
    for size in [*sizes, len(new) + 6 * 4096]:
        for old in (None, OLD):
            for into in (["-o", folder(name)], ["--force", "--output-dir", folder.path]):
                subprocess.run(["mount", "-o", f"remount,size={size}", folder.path], check=True)
                if old:
                    folder.write(name, old)
                done = run("-q", "-t", extension, *into, source)
                there = read(folder(name)) if os.path.exists(folder(name)) else None
                what = f"{into}, {size} bytes for {len(new)}, {old and 'old'}: {done}"
                expect(there == (new if done.returncode == 0 else old), what)
                expect(done.returncode == 0 or done.returncode == 2 and b"No space left" in done.stderr, what)
                expect(set(folder.names()) <= {name}, folder.names())
                if there:
                    os.unlink(folder(name))
    expect(done.returncode == 0, "it does not fit where there is room")


if __name__ == "__main__":
    sys.exit(main())
