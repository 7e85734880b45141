#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What an input of sound gives does not hang on how its bytes arrive, and more of it never gives fewer or other samples.

    tests/corpus/pieces_sound_test.py BUILD_FOLDER

Over all of samples/ and, for the pieces, the small files of the corpus where it is present; in at most about a minute.
"""

import os
import subprocess
import sys
import time

from audio_files import damaged, flac_without_a_total, id3, id3v1, ogg_in_small_pages, ogg_page, ogg_pages
from cli_support import BUILD, TIME_LIMIT, Folder, Skip, expect, main, read, run, test

CORPUS = "../shared/corpus"
LARGEST = 256 << 10
BUDGET = 60  # seconds
OGG = {b"\x01vorbis": ("vorbis", 0), b"OpusHead": ("opus", 0), b"\x7fFLAC": ("flac", 1)}
MAGICS = ((b"fLaC", "flac", 0), (b"FORM", "pcm", 1), (b".snd", "pcm", 2), (b"RIFF", "pcm", 0), (b"RF64", "pcm", 0))
FOLDERS = ("aiff", "au", "flac", "mp3", "opus", "vorbis", "wav")


def decoder_of(path):
    """The decoder's module and variant, by content."""
    data = read(path)
    start = data[:4096]
    if start.startswith(b"ID3") and b"fLaC" in data:
        return "flac", 0
    for magic, *decoder in MAGICS:
        if start.startswith(magic):
            return tuple(decoder)
    if start.startswith(b"OggS"):
        found = [decoder for magic, decoder in OGG.items() if magic in start]
        return found[0] if found else None
    return "mp3", 0


def files(folder):
    found = []
    for name in FOLDERS:
        for place, _, names in os.walk(os.path.join(folder, name)):
            found += [os.path.join(place, name) for name in names if not name.endswith(".xz")]
    return sorted(path for path in found if 0 < os.path.getsize(path) < LARGEST)


def check(kind, path):
    decoder = decoder_of(path)
    if decoder is None:
        return
    program = os.path.join(BUILD, "tests", "sound_pieces_" + decoder[0])
    if not os.path.exists(program):
        raise Skip(f"{program} was not built")
    done = subprocess.run([program, kind, str(decoder[1]), path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=TIME_LIMIT, check=False)
    expect(done.returncode == 0, f"{path}: {done.stdout.decode('latin-1')}")


@test
def samples_in_pieces():
    """A header that an input ended in, or a variant that was not known, was told by how full a pipe was."""
    found = files("samples")
    expect(len(found) > 25, len(found))
    for path in found:
        check("pieces", path)


@test
def samples_of_prefixes():
    """Of lossy sound, too: there is no exception among these."""
    for path in files("samples"):
        check("prefixes", path)


def odd_ones(path):
    """The file cut, broken, with something in it or behind it."""
    data = read(path)
    middle = len(data) // 2
    yield data[:middle]
    yield data[:100]
    yield damaged(data, middle)
    yield data[:middle] + bytes(700) + data[middle:]
    yield data + id3(3, [(b"TIT2", b"\0x")]) + data
    yield data + b"stray bytes OggS fLaC \xff\xfb\x90\x64"


def odd_opus():
    data = read("samples/opus/testcase.opus")
    pages = ogg_pages(data)
    serial = int.from_bytes(pages[0][14:18], "little")
    yield ogg_page(2, 0, serial, 0, [pages[0][28:46] + b"\xff\1\0\0"]) + b"".join(pages[1:])
    small = ogg_in_small_pages(data, 3, 960)
    yield b"".join(small[:5] + small[6:])
    yield b"".join(small[:5]) + damaged(small[5], 40) + b"".join(small[6:9] + small[11:])


def odd_flac():
    audio = flac_without_a_total(read("samples/flac/flac-multiple-album-artists-tags.flac"))
    tags = id3v1(b"A title"), id3(3, [(b"TIT2", b"\0x")], padding=300)
    yield audio + tags[0]
    yield audio + tags[1] + tags[0]
    yield audio + tags[0] + b"TA"
    yield audio + b"Tail"


@test
def odd_inputs_in_pieces():
    """How much came before a loss was told, and whether a header was called cut, was told by how full a pipe was."""
    paths = [path for path in files("samples") if os.path.getsize(path) < 15000]
    with Folder() as folder:
        for path in paths:
            extension = os.path.splitext(path)[1]
            for number, data in enumerate(odd_ones(path)):
                check("pieces", folder.write(f"{number}-{os.path.basename(path)}{extension}", data))
        for extension, made in (("opus", odd_opus()), ("flac", odd_flac())):
            for number, data in enumerate(made):
                check("pieces", folder.write(f"{number}.{extension}", data))
                check("prefixes", folder.write(f"{number}.{extension}", data))


@test
def the_corpus_in_pieces():
    """The smallest first, as many as there is time for."""
    found = sorted(files(CORPUS), key=os.path.getsize)
    if not found:
        raise Skip(f"{CORPUS} is not present")
    end = time.monotonic() + BUDGET / 2
    for path in found:
        if time.monotonic() > end:
            break
        check("pieces", path)


@test
def through_a_pipe_as_from_a_file():
    for path in files("samples"):
        whole = run("-t", "raw", "--partial", path)
        piped = run("-t", "raw", "--partial", input=read(path))
        expect((whole.returncode, whole.stdout) == (piped.returncode, piped.stdout), path)
        lines = whole.stderr.replace(path.encode(), b"standard input")
        expect(lines == piped.stderr, (path, lines, piped.stderr))


if __name__ == "__main__":
    sys.exit(main())
