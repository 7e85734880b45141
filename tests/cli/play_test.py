# SPDX-License-Identifier: MIT
"""The player: what reaches the audio device, and how it ends.  SDL's own driver writes the samples to a file."""

import array
import os
import signal
import subprocess
import sys
import time

from cli_support import (BUILD, GZIP, HOSTILE, PHOTO, TONE, Folder, Skip, expect, expect_failure, expect_status, main,
                         no_children_left, read, run, test)

PLAYER = os.path.abspath(os.path.join(BUILD, "play"))
SURROUND, WAVE_SURROUND = "samples/vorbis/tone-5.1.ogg", "samples/flac/tone-5.1-s24.flac"
# 8000 Hz, stereo, 16 bits, and the length of a recorder that does not know it.
ENDLESS = (b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\2\0\x40\x1f\0\0\0\x7d\0\0\4\0\x10\0data\xff\xff\xff\xff")


def environment(driver="dummy", **variables):
    return {**os.environ, "SDL_AUDIODRIVER": driver, **variables}


def play(*arguments, **options):
    if not os.access(PLAYER, os.X_OK):
        raise Skip("the player is not built")
    options.setdefault("env", environment())
    return run(*arguments, program=PLAYER, **options)


def floats(data):
    """The samples that are not silence, for the device has silence whenever nothing is queued."""
    samples = array.array("f")
    samples.frombytes(data[:len(data) // 4 * 4])
    return [sample for sample in samples if sample != 0]


def heard(*arguments, **options):
    with Folder() as folder:
        path = folder("heard")
        done = play(*arguments, env=environment("disk", SDL_DISKAUDIOFILE=path), **options)
        expect_status(done, 0)
        return floats(read(path))


def reference(*arguments):
    done = run("-q", "--samples", "f32", *arguments)
    expect_status(done, 0)
    return done.stdout


@test
def the_device_gets_the_samples():
    for path in (TONE, "samples/mp3/testcase-0star.mp3", "samples/opus/testcase.opus"):
        wanted = floats(reference("-t", "raw", path))
        expect(len(wanted) > 100 and heard(path) == wanted, path)


@test
def more_than_the_queue_holds():
    with Folder() as folder:
        path = folder("noise.wav")
        with open(path, "wb") as stream:
            stream.write(ENDLESS + bytes(7 * i * i % 255 + 1 for i in range(2 * 8000 * 4)))
        wanted = floats(reference("-t", "raw", path))
        expect(len(wanted) == 2 * 8000 * 2 and heard(path) == wanted)


@test
def channels_come_in_the_order_of_the_device():
    for path in (SURROUND, WAVE_SURROUND):
        # Behind the header of WAV, which has the order that the device has.
        wave = reference("-t", "wav", path)
        expect(heard(path) == floats(wave[wave.index(b"data") + 8:]), path)


@test
def one_after_the_other_and_from_a_pipe():
    wanted = floats(reference("-t", "raw", TONE))
    # The driver's file starts anew with each.
    expect(heard(SURROUND, TONE) == wanted)
    expect(heard("-", input=read(TONE)) == wanted)


@test
def what_is_no_sound_is_told():
    for path, status, words in ((PHOTO, 7, "no sound in it: it is a picture"),
                                (GZIP, 7, "no sound in it: it is compressed data"),
                                ("README.md", 7, "unsupported: no decoder for this format"),
                                ("/dev/null", 3, "malformed: the input is empty"),
                                ("/nonexistent", 2, "cannot open it: No such file or directory"),
                                ("tests", 2, "io: cannot read the input: Is a directory")):
        expect_failure(play(path), status, f"{path}: {words}")
    # The worst of several counts.
    done = play(PHOTO, TONE, "/nonexistent")
    expect_status(done, 7)
    expect(done.stderr.count(b"\n") == 2 and b"tone-s16.wav: 8000 Hz" in done.stdout, done)


@test
def it_says_how_it_is_used():
    done = play()
    expect(done.returncode == 1 and done.stderr.startswith(b"usage: play FILE...\n") and done.stdout == b"", done)
    for option in ("--help", "-h"):
        done = play(option)
        expect(done.returncode == 0 and done.stdout.startswith(b"usage: play FILE...\n") and done.stderr == b"", done)


@test
def without_sound_output_it_says_so():
    expect_failure(play(TONE, env=environment("nothing of the kind")), 2, "play: no sound output: ")


@test
def the_hostile_are_told_and_harm_nothing():
    with Folder() as folder:
        for command, status, word in (("announce 4294967295 2 0 1", 5, b"lied"), ("part", 5, b"lied"),
                                      ("crash 100000 8", 5, b"killed"), ("picture", 5, b"lied"),
                                      ("binary 0", 5, b"lied")):
            path = folder("hostile")
            with open(path, "w", encoding="ascii") as stream:
                stream.write("HOSTAUD " + command)
            done = play(path, TONE, env=environment(LD_LIBRARY_PATH=os.path.dirname(HOSTILE)))
            expect_status(done, status)
            expect(word in done.stderr and b"tone-s16.wav: 8000 Hz" in done.stdout, (command, done))


@test
def tags_and_names_are_escaped():
    with Folder() as folder:
        path = folder("\x1b[31m.flac")
        # A tagger's comment with a control sequence of the same length.
        data = read("samples/flac/flac-multiple-album-artists-tags.flac")
        place = data.lower().index(b"artist=") + len("artist=")
        with open(path, "wb") as stream:
            stream.write(data[:place] + b"\x1b[2J" + data[place + 4:])
        done = play(path)
        expect_status(done, 0)
        expect(b"\x1b" not in done.stdout + done.stderr and b"?[2J" in done.stdout and b"?[31m" in done.stdout, done)


def endless_player():
    """One that plays what never ends, and where that is written."""
    reading, writing = os.pipe()
    player = subprocess.Popen([PLAYER, "-"], stdin=reading, env=environment(), stderr=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    os.close(reading)
    os.write(writing, ENDLESS)
    os.set_blocking(writing, False)
    return player, writing


@test
def an_interrupt_ends_it():
    if not os.access(PLAYER, os.X_OK):
        raise Skip("the player is not built")
    player, writing = endless_player()
    end = time.monotonic() + 40
    sent = 0
    # It takes more than its pipe holds, so that it is there; but no more than it can play.
    full_since = None
    while sent <= 1 << 16 or full_since is None or time.monotonic() - full_since < 0.3:
        expect(time.monotonic() < end, "it takes more than it can play")
        try:
            sent += os.write(writing, bytes(1 << 16))
            full_since = None
        except BlockingIOError:
            full_since = full_since or time.monotonic()
            time.sleep(0.01)
    expect(sent < 16 << 20, sent)
    player.send_signal(signal.SIGINT)
    out, error = player.communicate(timeout=20)
    os.close(writing)
    expect(player.returncode == 130, (player.returncode, out, error))
    expect(no_children_left())


if __name__ == "__main__":
    sys.exit(main())
