#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""WebP: chunks around the picture, animations, damage, limits.

    tests/cli/webp_test.py BUILD_FOLDER

Files are made by Pillow, or put together from the chunks of such; what real ones give is compared in tests/corpus.
"""

import io
import json
import os
import struct
import subprocess
import sys

from cli_support import BUILD, PROGRAM, Folder, Skip, expect, expect_failure, expect_status, main, read, run, test

LOSSY = "samples/webp/hippopotamus.lossy.webp"
LOSSLESS = "samples/webp/hippopotamus.lossless.webp"
ALPHA = "samples/webp/lossy_alpha.webp"
TURNED = "samples/webp/hopper_orientation_6.webp"
SIZE = (36, 28)
HAS_ICC, HAS_ALPHA, HAS_EXIF, ANIMATED = 32, 16, 8, 2


def chunk(tag, body):
    return tag + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def riff(*chunks):
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def u24(number):
    return struct.pack("<I", number)[:3]


def extended(flags, size=SIZE):
    return chunk(b"VP8X", bytes([flags, 0, 0, 0]) + u24(size[0] - 1) + u24(size[1] - 1))


def frame(data, place, delay=40, flags=0):
    x, y, width, height = place
    return chunk(b"ANMF", u24(x // 2) + u24(y // 2) + u24(width - 1) + u24(height - 1) + u24(delay) +
                 bytes([flags]) + data)


ANIM = chunk(b"ANIM", struct.pack("<IH", 0xffffffff, 0))


def picture_of(path):
    """The chunk of a simple file."""
    return read(path)[12:]


def with_pillow(size, color, **options):
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    stream = io.BytesIO()
    Image.new("RGBA" if len(color) == 4 else "RGB", size, color).save(stream, "WEBP", lossless=True, exact=True, **options)
    return stream.getvalue()


def plain(size, color):
    """The picture alone, of one colour."""
    data = with_pillow(size, color)
    expect(data[12:16] == b"VP8L", data[:20])
    return data[12:]


def info(data):
    with Folder() as folder:
        done = run("--info", folder.write("a.webp", data))
    expect_status(done, 0)
    return json.loads(done.stdout)


def pixels(data, *options):
    done = run("-q", "-p", "rgba", *options, input=data)
    expect_status(done, 0)
    return done.stdout


def all_frames(data):
    program = os.path.join(BUILD, "tests", "frames_webp")
    if not os.path.exists(program):
        raise Skip(f"{program} was not built")
    with Folder() as folder:
        done = subprocess.run([program, folder.write("a.webp", data)], capture_output=True, check=False)
    expect(done.returncode == 0, f"status {done.returncode}")
    return done.stdout, [int(line) for line in done.stderr.split()]


# ---- stills ----


@test
def as_dwebp_decodes_it():
    for path in (LOSSY, LOSSLESS, ALPHA, TURNED):
        try:
            done = subprocess.run(["dwebp", "-quiet", path, "-pam", "-o", "-"], capture_output=True, check=True)
        except FileNotFoundError as error:
            raise Skip("dwebp is not installed") from error
        expect(run("-q", "-t", "pam", "-p", "rgba", path).stdout[-4000:] == done.stdout[-4000:], path)


@test
def what_information_says():
    told = info(read(LOSSY))
    expect((told["format"], told["width"], told["height"], told["color"], told["alpha"], told["frames"], told["depth"]) ==
           ("webp", *SIZE, "ycbcr", False, 1, 8), told)
    told = info(read(ALPHA))
    expect(told["alpha"] and told["channels"] == 4, told)
    expect(info(read(LOSSLESS))["color"] == "rgb", "lossless")
    expect(info(read(TURNED))["orientation"] == 6, "orientation")
    # From a pipe it is not read to its end for that.
    with open(TURNED, "rb") as stream, subprocess.Popen(["cat"], stdin=stream, stdout=subprocess.PIPE) as pipe:
        expect(json.loads(run("--info", stdin=pipe.stdout).stdout)["orientation"] is None, "from a pipe")
        pipe.stdout.read()


@test
def chunks_around_the_picture():
    data = riff(extended(HAS_ICC), chunk(b"ICCP", b"abc"), chunk(b"odd ", b"a"), picture_of(LOSSY), chunk(b"XMP ", b"<x/>"))
    expect(pixels(data) == pixels(read(LOSSY)) and info(data)["icc"], "ICC")
    # With the prefix that blocks of JPEG have, or without; nothing is said of one that was not announced.
    block = b"II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\5\0\0\0\0\0\0\0"
    for flags, body, orientation in ((HAS_EXIF, block, 5), (HAS_EXIF, b"Exif\0\0" + block, 5), (0, block, None),
                                     (HAS_EXIF, b"", None), (HAS_EXIF, b"Exif\0\0", None)):
        data = riff(extended(flags), picture_of(LOSSY), chunk(b"EXIF", body))
        expect(info(data)["orientation"] == orientation, body)
        expect(pixels(data) == pixels(read(LOSSY)), "pixels")


@test
def headers_that_contradict_the_picture():
    for data in (riff(extended(0, (35, 28)), picture_of(LOSSY)), riff(extended(0)), riff(ANIM),
                 riff(extended(ANIMATED), picture_of(LOSSY)), riff(extended(ANIMATED), ANIM),
                 riff(extended(0), frame(picture_of(LOSSY), (0, 0, *SIZE))),
                 riff(extended(ANIMATED), ANIM, frame(picture_of(LOSSY), (0, 0, 35, 28))),
                 riff(extended(ANIMATED), ANIM, frame(picture_of(LOSSY), (2, 0, *SIZE))),
                 riff(chunk(b"VP8X", b"\0\0\0\0")), riff(chunk(b"VP8 ", b"")), riff(chunk(b"VP8L", b"\x2f")),
                 b"RIFF\4\0\0\0WEBP", b"RIFF\4\0\0\0WEBPVP8 "):
        expect_failure(run("-q", input=data), 3)


# ---- animations ----


@test
def frames_on_a_canvas():
    red, green, glass = (255, 0, 0, 255), (0, 255, 0, 255), (0, 0, 255, 128)
    whole = plain((4, 4), red[:3])

    def canvas(*spots):
        rows = [[red] * 4 for _ in range(4)]
        for (x, y), color in spots:
            for place in ((x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1)):
                rows[place[1]][place[0]] = color
        return bytes(sample for row in rows for pixel in row for sample in pixel)

    data = riff(extended(ANIMATED | HAS_ALPHA, (4, 4)), ANIM, frame(whole, (0, 0, 4, 4)),
                frame(plain((2, 2), green[:3]), (2, 2, 2, 2), delay=7, flags=1),
                frame(plain((2, 2), glass), (0, 0, 2, 2)),
                frame(plain((2, 2), glass), (0, 2, 2, 2), flags=2))
    mixed, clear = (127, 0, 128, 255), (0, 0, 0, 0)
    found, delays = all_frames(data)
    expect(delays == [40, 100, 40, 40], delays)
    expect(found == canvas() + canvas(((2, 2), green)) + canvas(((2, 2), clear), ((0, 0), mixed)) +
           canvas(((2, 2), clear), ((0, 0), mixed), ((0, 2), glass)), found.hex())
    told = info(data)
    expect(told["frames"] == 4, told)
    expect(pixels(data) == canvas(), "the first")


@test
def a_first_frame_that_is_small():
    data = riff(extended(ANIMATED, (4, 2)), ANIM, frame(plain((2, 1), (9, 8, 7)), (2, 0, 2, 1)))
    expect(pixels(data) == bytes(8) + b"\x09\x08\x07\xff" * 2 + bytes(16), pixels(data).hex())
    expect(info(data)["alpha"], "alpha")


# ---- damage ----


@test
def every_prefix():
    for path in ("samples/webp/pjw-thumbnail.lossless.webp", LOSSY):
        data = read(path)
        before = b""
        for size in range(0, len(data), 3):
            done = run("-q", "-p", "rgba", "--partial", input=data[:size])
            expect(done.returncode in ((0, 3) if size >= 12 else (3, 7)), f"{size}: {done.returncode}")
            kept = done.stdout.rstrip(b"\0")
            expect(kept.startswith(before), f"{size}: other rows")
            before = kept
        expect_failure(run("-q", input=data[:len(data) // 2]), 3, "ends early")


@test
def ends_that_are_missing_or_wrong():
    data = riff(extended(0), picture_of(LOSSY), chunk(b"XMP ", bytes(1000)))
    for damaged, words in ((data[:-500], b"end is missing"), (data + b"x", b"follow")):
        done = run("-p", "rgba", input=damaged)
        expect_status(done, 0)
        expect(words in done.stderr and done.stdout == pixels(read(LOSSY)), done.stderr)
        expect_status(run("-q", "--strict", input=damaged), 3)


@test
def in_pieces_through_a_pipe():
    for path in (LOSSLESS, ALPHA, TURNED, "samples/webp/rotating-squares.webp"):
        data = read(path)
        with subprocess.Popen([PROGRAM, "-q", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            for at in range(0, len(data), 100):
                child.stdin.write(data[at:at + 100])
                child.stdin.flush()
            child.stdin.close()
            expect(child.stdout.read() == run("-q", path).stdout, "other pixels")


@test
def limits():
    data = with_pillow((3000, 2000), (1, 2, 3))
    expect_failure(run("-q", "--max-side", "2999", input=data), 4, "--max-side")
    expect_failure(run("-q", "--max-pixels", "5999999", input=data), 4, "--max-pixels")
    expect_failure(run("-q", "--memory", "20M", input=data), 4, "--memory")
    expect_status(run("-q", "--memory", "64M", input=data, stdout=subprocess.DEVNULL), 0)


if __name__ == "__main__":
    sys.exit(main())
