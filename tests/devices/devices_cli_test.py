#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Playing and showing, as far as that can be tried without a sound card or a screen: ALSA writes to a file.

    tests/devices/devices_cli_test.py BUILD_FOLDER
"""

import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import time

from audio_files import UNKNOWN, au, wav, wav_format
from cli_support import (GZIP, PHOTO, PROGRAM, TIME_LIMIT, Folder, Skip, become_subreaper, children_of,
                         descendants, expect, expect_failure, expect_status, main, no_children_left, on_terminal, read,
                         run, test)

TONE = "samples/wav/tone-s16.wav"
FLOAT_TONE = "samples/wav/tone-f32.wav"
FLAC = "samples/flac/libFLAC.flac"
MP3 = "samples/mp3/testcase-0star.mp3"
SIX = "samples/flac/tone-5.1-s24.flac"
VORBIS_SIX = "samples/vorbis/tone-5.1.ogg"
NOISE = os.urandom(80000)
F_SETPIPE_SZ = 1031


class Card(Folder):
    """A folder with an ALSA of its own, whose cards "nothing" and "card" write to nothing and to a pipe: once the
    program has begun, it can open no file for writing."""

    def __enter__(self):
        super().__enter__()
        self.ear, self.wire = os.pipe()
        fcntl.fcntl(self.wire, F_SETPIPE_SZ, 1 << 20)
        os.set_blocking(self.ear, False)
        self.write("asound.conf", f"""
            pcm.nothing {{ type null }}
            pcm.card {{ type file slave.pcm nothing file "/proc/self/fd/{self.wire}" format raw }}
            pcm.default card
            pcm.broken {{ type hw card 31 }}
            """.encode())
        self.environment = dict(os.environ, ALSA_CONFIG_PATH=self("asound.conf"))
        return self

    def __exit__(self, *unused):
        super().__exit__(*unused)
        os.close(self.ear)
        os.close(self.wire)

    def hear(self):
        """What was played since it was last asked."""
        try:
            return os.read(self.ear, 1 << 20)
        except BlockingIOError:
            return b""

    def play(self, *arguments, **options):
        """Plays; returns the completed process and what was heard."""
        self.hear()
        done = run(*arguments, env=self.environment, pass_fds=(self.wire,), **options)
        return done, self.hear()

    def plays(self, *arguments, **options):
        done, heard = self.play(*arguments, **options)
        expect_status(done, 0)
        expect(done.stderr == b"" and done.stdout == b"", done.stderr)
        return heard


def samples_of(path, *options):
    done = run("-q", "-t", "raw", *options, path)
    expect_status(done, 0)
    return done.stdout


# ---- playing ----


@test
def what_is_played_is_what_is_decoded():
    with Card() as card:
        for path in (TONE, FLAC, MP3, "samples/wav/tone-s24.wav", "samples/opus/testcase.opus"):
            expect(card.plays("--play=card", path) == samples_of(path), path)
        expect(card.plays("--play", TONE) == samples_of(TONE), "the default card")
        expect(card.plays("--play", input=read(FLAC)) == samples_of(FLAC), "standard input")
        expect(card.plays("--play=card", FLOAT_TONE) == samples_of(FLOAT_TONE, "--samples", "s32"), "float")
        expect(card.plays("--play=card", TONE, FLAC) == samples_of(TONE) + samples_of(FLAC), "one after the other")


@test
def a_terminal_is_left_with_an_empty_line():
    """What is shown of the last sound stayed, and the shell's prompt behind it."""
    with Card() as card:
        os.environ["ALSA_CONFIG_PATH"] = card("asound.conf")
        try:
            for paths in ((TONE,), (TONE, FLAC)):
                status, output = on_terminal("--play=nothing", *paths)
                expect(status == 0 and b"tone-s16.wav: 0:00 of 0:00" in output, output)
                expect(output.count(b"\r\x1b[K") == len(paths) and output.endswith(b"\r\x1b[K"), output)
        finally:
            del os.environ["ALSA_CONFIG_PATH"]


@test
def channels_come_in_the_order_of_the_card():
    """Front, back, center, low frequencies."""
    with Card() as card:
        for path, sample, order in ((SIX, 3, (0, 1, 4, 5, 2, 3)), (VORBIS_SIX, 2, (0, 2, 3, 4, 1, 5))):
            decoded = samples_of(path)
            stride = 6 * sample
            frames = [decoded[at:at + stride] for at in range(0, len(decoded), stride)]
            expect(card.plays("--play=card", path) ==
                   b"".join(frame[sample * channel:sample * (channel + 1)] for frame in frames for channel in order), path)


@test
def what_no_card_should_be_asked_for_is_refused():
    def sound(rate=48000, channels=2, size=None):
        return wav(NOISE, wav_format(channels=channels, rate=rate), size=size)

    with Card() as card:
        for data, options, word in ((sound(rate=192001), (), "--max-rate"), (sound(rate=768000), (), "--max-rate"),
                                    (sound(rate=48001), ("--max-rate", "48000"), "--max-rate"),
                                    (sound(rate=3999), (), "4000"), (sound(rate=1), (), "4000"),
                                    (sound(channels=9), (), "--max-channels"), (sound(channels=64), (), "--max-channels"),
                                    (sound(channels=2), ("--max-channels", "1"), "--max-channels"),
                                    (sound(rate=4000), ("--max-duration", "4"), "--max-duration"),
                                    (au(NOISE, rate=4000), ("--max-duration", "4"), "--max-duration")):
            done, heard = card.play("--play=card", *options, card.write("input", data))
            expect_failure(done, 4, word)
            expect(not heard, f"{word}: something was played")
        # What is within this limit may have been played by then.
        done, heard = card.play("--play=card", "--max-output", "10000", card.write("input", sound()))
        expect_failure(done, 4, "--max-output")
        expect(len(heard) <= 10000, "too much was played")
        # One that does not say how long it is.
        endless = card.write("endless", au(NOISE, rate=4000, size=UNKNOWN))
        done, heard = card.play("--play=card", "--max-duration", "4", endless)
        expect_failure(done, 4, "--max-duration")
        expect(len(heard) <= 4 * 4000 * 4, "too much was played")
        # At the limits.
        for data, options in ((sound(rate=192000), ()), (sound(channels=8), ()),
                              (sound(rate=4000), ("--max-duration", "5")),
                              (sound(rate=400000, channels=16), ("--max-rate", "400000", "--max-channels", "16"))):
            expect(card.plays("--play=card", *options, card.write("input", data)) == NOISE)


@test
def what_cannot_be_played_is_refused():
    with Card() as card:
        for path, status, word in ((PHOTO, 7, "sound"), (GZIP, 7, "sound"), ("/nowhere", 2, "No such file"),
                                   (card.write("none", b"RIFF"), 7, "no decoder")):
            done, heard = card.play("--play=card", path)
            expect_failure(done, status, word)
            expect(not heard)
        done, heard = card.play("--play=card", card.write("cut", read(SIX)[:3000]))
        expect_failure(done, 3, "ends early")


@test
def cards_that_there_are_not():
    with Card() as card:
        for name in ("elsewhere", "broken", "card; pcm.x { type null }", "'\"}", "nothing }", "plug:'", "\x1b[2J",
                     "hw:99,99", "a" * 5000):
            done, heard = card.play(f"--play={name}", TONE)
            expect_failure(done, 2, "sound card")
            expect(not heard)
        os.unlink(card("asound.conf"))
        done, heard = card.play("--play", TONE)
        expect_failure(done, 2, "sound card")


# ---- who has the device ----


class Playing:
    """A decode whose child waits for the rest of a sound; the child is one of a broker's."""

    def __init__(self, card, *options):
        self.fifo = card("input.wav")
        os.mkfifo(self.fifo)
        self.process = subprocess.Popen([PROGRAM, "--play=card", *options, self.fifo], stderr=subprocess.PIPE,
                                        env=card.environment, pass_fds=(card.wire,))
        self.writer = open(self.fifo, "wb", buffering=0)
        self.writer.write(wav(NOISE)[:40000])
        self.child = self.wait_for_child()

    def wait_for_child(self):
        found = []

        def waits():
            found[:] = [child for child in descendants(self.process.pid)
                        if re.search(rb"State:\tS.*\nSeccomp:\t1\n", read(f"/proc/{child}/status"), re.DOTALL)]
            return found

        expect(comes_true(waits), "no child that waits")
        return found[0]


def comes_true(condition):
    deadline = time.monotonic() + TIME_LIMIT
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def links_of(pid):
    """What the descriptors of a process lead to."""
    return [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]


@test
def the_device_is_nowhere_near_the_child():
    if os.getuid() != 0:
        raise Skip("only root can look at a locked-down child")
    with Card() as card:
        playing = Playing(card)
        wire = os.readlink(f"/proc/self/fd/{card.wire}")
        # ALSA opens this card's wire when the sound begins; the other is the one that was inherited.
        expect(comes_true(lambda: links_of(playing.process.pid).count(wire) == 2), "the program has no device")
        expect(b"libasound" in read(f"/proc/{playing.process.pid}/maps"))
        expect(playing.child in children_of(playing.process.pid), "the decoder is another's")
        names = sorted(os.listdir(f"/proc/{playing.child}/fd"))
        expect(names == ["0", "1"], names)
        for name in names:
            link = os.readlink(f"/proc/{playing.child}/fd/{name}")
            expect(link.startswith("pipe:") and link != wire, name)
        maps = read(f"/proc/{playing.child}/maps")
        expect(b"decoders/pcm" in maps, "not the program of its decoder")
        expect(not re.search(rb"libasound|sinks|/dev/", maps), maps)
        for other in descendants(playing.process.pid):
            expect(not any(link == wire or "/dev/snd" in link for link in links_of(other)))
        playing.writer.close()
        expect(playing.process.wait(TIME_LIMIT) == 3)
        playing.process.stderr.close()


@test
def signals_end_at_once():
    become_subreaper()
    for number in (signal.SIGINT, signal.SIGTERM):
        with Card() as card:
            playing = Playing(card)
            start = time.monotonic()
            playing.process.send_signal(number)
            expect(playing.process.wait(TIME_LIMIT) == -number)
            expect(time.monotonic() - start < 5)
            # A broker's child that outlives it for a moment is ours to reap.
            expect(comes_true(no_children_left), "a child is left")
            playing.writer.close()
            playing.process.stderr.close()


@test
def a_plain_decode_loads_no_library_for_devices():
    with Folder() as folder:
        fifo = folder("input.wav")
        os.mkfifo(fifo)
        process = subprocess.Popen([PROGRAM, "-q", "-o", folder("out"), fifo], stderr=subprocess.DEVNULL)
        with open(fifo, "wb", buffering=0) as writer:
            writer.write(wav(NOISE)[:40000])
            expect(comes_true(lambda: children_of(process.pid)))
            maps = read(f"/proc/{process.pid}/maps")
        expect(process.wait(TIME_LIMIT) == 3)
        expect(b"safe-decode" in maps and not re.search(rb"libasound|libdrm|sinks/", maps))


# ---- screens that there are not ----


@test
def screens_that_there_are_not():
    with Folder() as folder:
        plain = folder.write("plain", bytes(4096))
        for option, word in (("--framebuffer", "framebuffer"), ("--display", "display")):
            expect_failure(run(f"{option}=/nowhere/{word}", PHOTO), 2, "No such file", word)
            expect_failure(run(f"{option}={plain}", PHOTO), (2, 7)[option == "--display"], word)
            expect_failure(run(f"{option}=/dev/null", PHOTO), (2, 7)[option == "--display"], word)
        expect(read(plain) == bytes(4096) and folder.names() == ["plain"])


@test
def wrong_uses():
    with Folder() as folder:
        for arguments in (("--play", "--framebuffer", TONE), ("--display", "--framebuffer", TONE),
                          ("--play", "-o", folder("out"), TONE), ("--play", "--output-dir", folder("out"), TONE),
                          ("--play", "--info", TONE), ("--framebuffer", "--diagnose", PHOTO),
                          ("--play", "-t", "wav", TONE), ("--play", "--samples", "s16", TONE),
                          ("--framebuffer", "-p", "rgb", PHOTO), ("--play", "--cover", MP3), ("--play=", TONE),
                          ("--show", "x", PHOTO), ("--show", "-1", PHOTO), ("--max-rate", "3999", TONE),
                          ("--max-channels", "0", TONE), ("--max-duration", "0", TONE)):
            expect_failure(run(*arguments), 1)
        expect(folder.names() == [])


if __name__ == "__main__":
    sys.exit(main())
