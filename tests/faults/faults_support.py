# SPDX-License-Identifier: MIT
"""Runs programs whose calls fail on demand (tests/faults/faults.c), and judges how they end."""

import gzip
import os
import struct
import subprocess
import time

from cli_support import BUILD, TONE, Folder, expect, read

FULL = bool(os.environ.get("FAULTS_FULL"))
NONE, FAIL, INTERRUPT, SHORT = range(4)
PROGRAM, BROKER = 1, 2
LAYOUT = struct.Struct("<6I44s44s")  # struct faults
FOLDER = os.path.abspath(os.path.join(BUILD, "tests/bin-faults"))
FAULTY = os.path.join(FOLDER, "safe-decode")
CONTROL = os.path.join(FOLDER, "faults")
CARDS = os.path.join(FOLDER, "asound.conf")
SOUND_CARD = "a sound card"
PATIENCE = 60  # seconds that no run takes
# What counts for `make coverage` leaves a file open where it lacks memory.
COUNTING = b"-fprofile" in read(os.path.join(BUILD, "flags"))

LARGE = "samples/jpeg/testorig.jpg"  # more than a pipe holds
THUMBNAIL, PNG = "samples/jpeg/pjw-thumbnail.jpeg", "samples/png/gray-1.png"
VORBIS = "samples/vorbis/noise-stereo.ogg"
GZIP, COVER = "samples/gzip/romeo.txt.gz", "samples/flac/tone-cover.flac"


class Faults:
    """The file that says which call fails; it is there only while this is in use."""

    def __init__(self, mode, where=PROGRAM | BROKER, target=0, only=""):
        self.data = LAYOUT.pack(mode, where, target, 0, 0, 0, b"", only.encode())

    def __enter__(self):
        with open(CONTROL, "wb") as stream:
            stream.write(self.data)
        return self

    def __exit__(self, *unused):
        os.unlink(CONTROL)

    def state(self):
        """How many calls there were, how many did not do what they were asked for, and the last of those."""
        _, _, _, calls, fired, left, name, _ = LAYOUT.unpack(read(CONTROL))
        name = name.rstrip(b"\0").decode()
        expect(left == 0 or COUNTING, f"{left} descriptors are left open, {name}")
        return calls, fired, name


def nobody_left(seconds):
    """Children of a broker that was killed die with it, and are reaped here."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.001)
        except ChildProcessError:
            return True
    return False


class Flow:
    """One way to use the program: its arguments, in which OUT stands for the output, and its standard input."""

    def __init__(self, name, *arguments, stdin=None):
        self.name, self.arguments, self.stdin = name, arguments, stdin
        self.reference = self.outputs()
        expect(self.reference[0] == 0, f"{name} does not work: {self.reference[2]!r}")

    def outputs(self):
        """Status, standard output and error, and all files that are there in the end."""
        with Folder() as folder:
            arguments = [argument.replace("OUT", folder.path) for argument in self.arguments]
            stdin = subprocess.DEVNULL if self.stdin is None else None
            done = subprocess.run([FAULTY, *arguments], input=self.stdin, stdin=stdin, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=PATIENCE, check=False,
                                  env=dict(os.environ, ALSA_CONFIG_PATH=CARDS))
            files = {}
            for where, _, names in os.walk(folder.path):
                for name in names:
                    path = os.path.join(where, name)
                    files[os.path.relpath(path, folder.path)] = read(path)
            return done.returncode, done.stdout, done.stderr, files

    def judge(self, outputs, what):
        """A status of the list; what is said to be complete is; nothing is half there, and nothing left behind."""
        status, stdout, stderr, files = outputs
        expect(0 <= status <= 7, f"{what}: status {status}: {stderr!r}")
        expect(all(byte == 10 or 32 <= byte < 127 for byte in stderr), f"{what}: said {stderr!r}")
        if status == 0:
            expect((stdout, files) == (self.reference[1], self.reference[3]), f"{what}: not what it should be")
        else:
            expect(stderr.endswith(b"\n"), f"{what}: status {status}, and not a word")
            # The dynamic linker may have had a word of its own.
            lines = stderr.count(b"safe-decode: ")
            expect(lines == 1 or "several" in self.name, f"{what}: not one line: {stderr!r}")
            for name, data in files.items():
                expect(self.reference[3].get(name) == data, f"{what}: {name} is half there")
        expect(nobody_left(5), f"{what}: a process is left")

    def walk(self, where, most, only=""):
        """Fails each call of a run, or `most` of them at even distances.  Returns how many, and all that failed."""
        with Faults(FAIL, where, 0xFFFFFFFF, only) as faults:
            self.judge(self.outputs(), self.name)
            calls = faults.state()[0]
        step = 1 if FULL else max(1, calls // most)
        failed, count, target = {}, 0, 0
        # Until a run ends before it comes to the call, for failures lead other ways.
        while True:
            with Faults(FAIL, where, target, only) as faults:
                outputs = self.outputs()
                fired, name = faults.state()[1:]
            self.judge(outputs, f"{self.name}: call {target}, {name}")
            if fired == 0 and target >= calls:
                return count, failed
            if fired > 0:
                count += 1
                failed.setdefault(name, set()).add(outputs[0])
            target += step


def flows():
    with open(CARDS, "w", encoding="ascii") as stream:
        stream.write("pcm.nothing { type null }\n")
    return [
        Flow("one file", "-o", "OUT/out.ppm", THUMBNAIL),
        Flow("a png", "-o", "OUT/out.png", THUMBNAIL),
        Flow("a larger one", "-q", LARGE),
        Flow("a preview", "-tpreview", THUMBNAIL),
        Flow("a pipe", "-", stdin=read(GZIP)),
        Flow("many bytes", "-o", "OUT/out", "-", stdin=gzip.compress(bytes(range(256)) * 1000)),
        Flow("a picture from a pipe", "-tbmp", "-", stdin=read(LARGE)),
        Flow("sound", "-o", "OUT/out.wav", TONE),
        Flow("sound to a pipe", "-", stdin=read(TONE)),
        Flow("sound of unknown length", "-o", "OUT/out.wav", "-", stdin=read(VORBIS)),
        Flow(SOUND_CARD, "--play=nothing", TONE),
        Flow("a cover", "--cover", "-q", "-o", "OUT/out.bmp", COVER),
        Flow("information", "--info", THUMBNAIL),
        Flow("a diagnosis", "--diagnose", THUMBNAIL),
        Flow("several files", "-q", "--output-dir", "OUT/out", "-j2", THUMBNAIL, PNG, GZIP),
    ]
