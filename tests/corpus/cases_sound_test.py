#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Sound from reports about other programs, where it is present: what each file must give.

    tests/corpus/cases_sound_test.py BUILD_FOLDER

A decoder is named where the file does not start with the signature of its format, or is read from a pipe: finding it is not tested
here, but what the decoder makes of it.
"""

import hashlib
import json
import os
import sys

from audio_files import parse_wav
from cli_support import Folder, Skip, expect, expect_failure, expect_status, main, read, run, test

CASES = "../shared/cases"

# What comes out of each: the decoder to name, or None; bytes of samples; the start of their SHA-256, or None.
SAMPLES = {
    "mp3-midframe.mp3": ("mp3", 59904, "a7ada6ef9c98936b"),
    "mp3-lead-ape.mp3": ("mp3", 70560, "0a954b494e740ee5"),
    "mp3-concat-id3.mp3": (None, 153504, "7d3eb6bf2937ee55"),
    "wav-mpg123-pipe.wav": (None, 6400, None),
    "wav-size-0.wav": (None, 6400, None),
    "wav-arecord-pipe.wav": (None, 8000, None),
    "wav-size-80000000.wav": (None, 6400, None),
    "wav-size-ffffffdb.wav": (None, 6400, None),
    "aiff-sox-pipe.aiff": (None, 7106, None),
    "wav-lead-id3.wav": ("wav", 6400, None),
    "flac-id3-pipe.flac": ("flac", 70560, "43d7cbad88a62b3f"),
    "flac-unknown-total.flac": (None, 70560, "43d7cbad88a62b3f"),
    "ogg-skeleton.ogg": ("vorbis", 264600, "a975d14537dbaae4"),
    "oggflac-chained.oga": (None, 141120, "e9a61705c4a769e2"),
    "vorbis-to-wav-redirect.ogg": (None, 70560, None),
    "id3v24-itunes-size.mp3": (None, 70560, "0a954b494e740ee5"),
}
TITLE_SIZE, COVER = 199, (160, 120)


def case(name):
    path = os.path.join(CASES, name)
    if not os.path.exists(path):
        raise Skip(f"{path} is not present")
    return path


def options_of(name):
    decoder = SAMPLES[name][0]
    return ("--decoder", decoder) if decoder else ()


@test
def every_case_is_known():
    index = read(case("INDEX.tsv")).decode().splitlines()[1:]
    endings = (".wav", ".aiff", ".au", ".mp3", ".flac", ".oga", ".ogg", ".opus")
    sound = {line.split("\t")[0] for line in index if line.split("\t")[0].endswith(endings)}
    expect(sound - set(SAMPLES) <= {"flac-frame-crc.flac", "opus-family255.opus"}, sound - set(SAMPLES))


@test
def samples_are_right_and_nothing_is_said():
    for name, (_, size, digest) in SAMPLES.items():
        path = case(name)
        for source in ({"args": [path]}, {"args": [], "input": read(path)}):
            done = run("-t", "raw", "--strict", *options_of(name), *source.pop("args"), **source)
            expect_status(done, 0)
            expect(done.stderr.count(b"\n") == 1 and b"damaged" not in done.stderr, done.stderr)
            expect(len(done.stdout) == size, f"{name}: {len(done.stdout)} bytes")
            found = hashlib.sha256(done.stdout).hexdigest()
            expect(digest is None or found.startswith(digest), f"{name}: {found}")


@test
def lengths_are_right():
    for name, (_, size, _) in SAMPLES.items():
        about = json.loads(run("-i", *options_of(name), case(name)).stdout)
        frames = size // (2 * about["channels"])
        # Of two files in one the header of the first tells; a start within a frame is counted with what cannot be had.
        slack = {"mp3-concat-id3.mp3": frames, "mp3-midframe.mp3": 1152}.get(name, 0)
        expect(abs(about["frames"] - frames) <= slack, f"{name}: {about['frames']} instead of {frames}")


@test
def a_wav_file_by_redirection():
    path = case("vorbis-to-wav-redirect.ogg")
    with Folder() as folder:
        with open(folder("out.wav"), "wb") as stream:
            expect_status(run("-q", "-t", "wav", path, stdout=stream), 0)
        data = read(folder("out.wav"))
    chunks, size = parse_wav(data)
    expect(size == len(data) - 8 and chunks[b"data"] == run("-q", "-t", "raw", path).stdout)


@test
def a_frame_of_flac_with_a_wrong_checksum():
    path = case("flac-frame-crc.flac")
    expect_failure(run("-q", path), 3, "checksum")
    kept = run("-q", "-t", "raw", "--partial", path)
    expect_status(kept, 0)
    whole = run("-q", "-t", "raw", case("flac-unknown-total.flac")).stdout
    expect(len(kept.stdout) == 16384 and whole.startswith(kept.stdout))
    with Folder() as folder:
        expect_failure(run("-q", "-o", folder("out.wav"), path), 3)
        expect(folder.names() == [])


@test
def opus_of_a_family_without_places():
    path = case("opus-family255.opus")
    for _ in range(10):
        expect_failure(run("-q", path), 7, "not supported")
        expect_failure(run("-q", input=read(path)), 7, "not supported")


@test
def a_tag_of_itunes():
    path = case("id3v24-itunes-size.mp3")
    about = json.loads(run("-i", path).stdout)
    expect(about["cover"] and len(about["tags"]["title"][0]) == TITLE_SIZE, about)
    cover = json.loads(run("--cover", "-i", path).stdout)
    expect((cover["width"], cover["height"]) == COVER, cover)


if __name__ == "__main__":
    sys.exit(main())
