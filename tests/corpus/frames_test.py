#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""All frames of animations, against what Pillow made of them.

    tests/corpus/frames_test.py BUILD_FOLDER

build/tests/frames_NAME has the decoder in it, and takes the input in pieces of any size.
"""

import hashlib
import os
import subprocess
import sys

from cli_support import BUILD, TIME_LIMIT, Skip, expect, main, test
from corpus import read_table

FOLDERS = ("samples", "../shared/corpus")


def frames(decoder, path, piece=1 << 30):
    """The pixels of all frames, and their delays."""
    program = os.path.join(BUILD, "tests", "frames_" + decoder)
    if not os.path.exists(program):
        raise Skip(f"{program} was not built")
    done = subprocess.run([program, path, str(piece)], capture_output=True, timeout=TIME_LIMIT, check=False)
    expect(done.returncode == 0, f"{path}: status {done.returncode}")
    return done.stdout, [int(line) for line in done.stderr.split()]


def animations(decoder):
    """Paths with the digest of all frames."""
    for folder in FOLDERS:
        table = os.path.join(folder, "EXPECTED.tsv")
        for row in read_table(table) if os.path.exists(table) else ():
            if row["kind"] == "allframes-rgba8" and row["path"].startswith(decoder + "/"):
                yield os.path.join(folder, row["path"]), row["expected"]


def zeroed(pixels):
    """With no colour where there is nothing to see of it."""
    pixels = bytearray(pixels)
    for at in range(0, len(pixels), 4):
        if pixels[at + 3] == 0:
            pixels[at:at + 4] = bytes(4)
    return bytes(pixels)


# What frames of GIF do not cover, Pillow fills with the background colour where there is no transparent one.
BACKGROUND = ("border_touching_layers.gif", "issue_1455_undersized.gif")


# Where PNG without alpha has a transparent colour, Pillow draws it over what is below.  These are what ffmpeg gives:
#   ffmpeg -f apng -i IN -vsync passthrough -f rawvideo -pix_fmt rgba - | sha256sum
SEE_THROUGH = {
    "animated-red-blue.apng": "5316822028a9db732b774908933b246b0d7555347e631f35e3c3405e9e01102a",
    "muybridge.apng": "2a4ebb7e3e560c9d2074863f9de891210a4de4d0a11c0e30b087258cceac1606",
}


def frames_with_pillow(path):
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    with Image.open(path) as image:
        # A picture that is none of an APNG's frames comes first.
        for index in range(bool(image.info.get("default_image")), image.n_frames):
            image.seek(index)
            yield image.convert("RGBA").tobytes()


def compare(decoder, leave_out=()):
    compared = 0
    for path, digest in animations(decoder):
        digest = SEE_THROUGH.get(os.path.basename(path), digest)
        pixels, delays = frames(decoder, path)
        if os.path.basename(path) in leave_out:
            continue
        # Of what is transparent, the reference may have another colour.
        if hashlib.sha256(pixels).hexdigest() != digest:
            expect(zeroed(b"".join(frames_with_pillow(path))) == zeroed(pixels), f"{path}: other pixels")
        expect(min(delays) > 10, f"{path}: {delays}")
        if len(pixels) < 1 << 20:
            expect(frames(decoder, path, piece=7) == (pixels, delays), f"{path}: in pieces")
        compared += 1
    expect(compared > 1, "nothing to compare with")


@test
def all_frames_of_gif():
    compare("gif", BACKGROUND)


@test
def all_frames_of_webp():
    compare("webp")


@test
def all_frames_of_png():
    compare("png")


if __name__ == "__main__":
    sys.exit(main())
