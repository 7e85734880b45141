# SPDX-License-Identifier: MIT
"""What the command-line tests share: running the program, and a runner that prints one line a test."""

import ctypes
import fcntl
import os
import pty
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import traceback

TIME_LIMIT = 60  # seconds; far above what any test needs
PHOTO = "samples/photograph.jpg"
PHOTO_SIZE = (1165, 859)
SCREENSHOT = "samples/screenshot.png"
GZIP = "samples/gzip/romeo.txt.gz"
TONE = "samples/wav/tone-s16.wav"  # 400 frames, stereo, 8000 Hz

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
PROGRAM = os.path.abspath(os.path.join(BUILD, "safe-decode"))
HOSTILE = os.path.abspath(os.path.join(BUILD, "tests/bin-hostile/safe-decode"))

# A shell starts what it runs in the background with these ignored, and the program would respect that.
for _number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    signal.signal(_number, signal.SIG_DFL)

_libc = ctypes.CDLL(None, use_errno=True)
_tests = []


class Skip(Exception):
    """The test cannot be run here."""


def test(function):
    _tests.append(function)
    return function


def prctl(option, *arguments):
    if _libc.prctl(option, *arguments, 0, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def unshare(flags):
    if _libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def become_subreaper():
    """Whatever a run leaves behind becomes a child of this process."""
    prctl(36, 1)


def no_children_left():
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def run(*arguments, program=None, **options):
    """Runs the program; returns the completed process, with output as bytes."""
    options.setdefault("stdin", subprocess.DEVNULL)
    if "input" in options:
        del options["stdin"]
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    return subprocess.run([program or PROGRAM, *arguments], timeout=TIME_LIMIT, check=False, **options)


def expect(condition, what="not as expected"):
    if not condition:
        raise AssertionError(what)


def expect_status(done, status):
    expect(done.returncode == status, f"status {done.returncode} instead of {status}: {done.stderr!r}")


def expect_failure(done, status, *words):
    """The status, and exactly one printable line on standard error that contains the words."""
    expect_status(done, status)
    expect(done.stderr.endswith(b"\n") and done.stderr.count(b"\n") == 1, f"not one line: {done.stderr!r}")
    expect(all(0x20 <= byte < 0x7F for byte in done.stderr[:-1]), f"not printable: {done.stderr!r}")
    for word in words:
        expect(word.encode() in done.stderr, f"{word!r} is not in {done.stderr!r}")


class Folder:
    """A temporary folder; paths in it by name."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="safe-decode-test-")
        return self

    def __exit__(self, *unused):
        shutil.rmtree(self.path)

    def __call__(self, *names):
        return os.path.join(self.path, *names)

    def write(self, name, data):
        with open(self(name), "wb") as stream:
            stream.write(data)
        return self(name)

    def names(self):
        return sorted(os.listdir(self.path))


def read(path):
    with open(path, "rb") as stream:
        return stream.read()


def pixels_with_pillow(path, mode):
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    with Image.open(path) as image:
        return image.size, image.convert(mode).tobytes()


def on_terminal(*arguments, columns=80, terminal="xterm"):
    """Runs the program with a terminal for standard output and error; returns its status and what it wrote."""
    pid, master = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        os.execve(PROGRAM, [PROGRAM, *arguments], dict(os.environ, TERM=terminal))
    output = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        output += piece
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output


def traced(log, calls, *injections, mode="-D"):
    """What makes a command line write the system calls `calls` of its program to `log`, with what strace injects:
    "openat:error=EIO:when=2".  The mode: the tracer is no parent ("-D"), or is one (""), or follows children ("-f")."""
    if not shutil.which("strace"):
        raise Skip("strace is not installed")
    inject = [word for injection in injections for word in ("-e", f"inject={injection}")]
    return ["strace", "-qq", "-o", log, *([mode] if mode else []), "-e", f"trace={calls}", *inject]


def children_of(pid):
    """None of a process that has ended: it may do so at any moment."""
    try:
        return [int(child) for child in read(f"/proc/{pid}/task/{pid}/children").split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid):
    return [one for child in children_of(pid) for one in [child, *descendants(child)]]


def _stop(number, _):
    sys.exit(128 + number)


def main():
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    failures = 0
    for function in _tests:
        name = function.__name__
        try:
            function()
            print(f"ok {name}")
        except Skip as reason:
            print(f"skip {name}: {reason}")
        except Exception as error:  # pylint: disable=broad-except
            failures += 1
            where = traceback.extract_tb(error.__traceback__)[1]
            print(f"FAIL {name}: line {where.lineno}: {type(error).__name__}: {error}")
    return 1 if failures else 0
