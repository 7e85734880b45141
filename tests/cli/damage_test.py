#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What is damage and what is not: files that are built or broken field by field.

    tests/cli/damage_test.py BUILD_FOLDER
"""

import struct
import subprocess
import sys
import zlib

from cli_support import GZIP, Skip, expect, expect_failure, expect_status, main, read, run, test
from png_files import chunk

THUMBNAIL = "samples/jpeg/pjw-thumbnail.jpeg"
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def decode(data, *options):
    return run("-q", *options, input=bytes(data))


# ---- JPEG ----


def arithmetic_jpegs():
    """The same picture at many qualities, so that the last bytes of the data differ."""
    picture = run("-q", "-t", "ppm", THUMBNAIL).stdout
    for kind in ("-dct", "-progressive", "-grayscale"):
        for quality in range(5, 100, 10):
            command = ["cjpeg", "-arithmetic", "-quality", str(quality), kind, *(["int"] if kind == "-dct" else [])]
            try:
                yield subprocess.run(command, input=picture, capture_output=True, check=True).stdout
            except FileNotFoundError as error:
                raise Skip("cjpeg is not installed") from error


@test
def half_an_end_marker_is_no_data():
    """The first byte of EOI, followed by the zeros that stand for missing data, was decoded as a byte of data."""
    for data in arithmetic_jpegs():
        expect(data.endswith(b"\xff\xd9"))
        whole = decode(data)
        expect_status(whole, 0)
        for cut in (1, 2):
            done = decode(data[:-cut])
            expect_status(done, 0)
            expect(done.stdout == whole.stdout, f"{len(data)} bytes less {cut}: other pixels")


@test
def a_cut_header_is_no_variant():
    """The zeros that stand for missing arithmetic-coded data were read as the height in a cut header, where zero means
    that it follows later."""
    data = next(arithmetic_jpegs())
    for size in range(3, data.index(b"\xff\xda") + 10):
        expect_failure(decode(data[:size]), 3, "ends early")


@test
def sides_beyond_libjpeg_are_a_variant():
    """For sides of 65,501 to 65,535 pixels an option was named that does not help."""
    data = bytearray(read(THUMBNAIL))
    height = data.index(b"\xff\xc0") + 5
    data[height:height + 2] = struct.pack(">H", 65535)
    expect_failure(decode(data), 7, "not supported")
    expect_failure(decode(data, "--max-side", "65534"), 4, "--max-side")
    data[height:height + 2] = struct.pack(">H", 65500)
    expect_failure(decode(data), 3)


# ---- PNG ----


def small_png(before=b"", palette=b"", data=zlib.compress(bytes((0, 10, 20) * 2)), kind=0, after=b""):
    """2 x 2 pixels, gray or with a palette."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, kind, 0, 0, 0))
    return SIGNATURE + before + header + palette + chunk(b"IDAT", data) + after + chunk(b"IEND", b"")


@test
def chunks_before_the_header_are_refused():
    """Chunks that libpng is told to ignore were taken before IHDR, where it refuses all others."""
    expect_status(decode(small_png()), 0)
    for ignored in (b"gAMA", b"tEXt", b"iCCP", b"prIv"):
        for body in (b"", b"a\0b"):
            expect_status(decode(small_png(palette=chunk(ignored, body))), 0)
            expect_failure(decode(small_png(before=chunk(ignored, body))), 3, "out of order")


@test
def what_is_wrong_with_a_png_is_said():
    data = zlib.compress(bytes((0, 10, 20) * 2))
    for damaged, words in ((small_png(data=data[:-1] + b"\0"), "a checksum does not match"),
                           (small_png(palette=chunk(b"PLTE", b"\1\2"), kind=3), "the header is not valid"),
                           (small_png(palette=chunk(b"PLTE", b""), kind=3), "the header is not valid"),
                           (small_png(kind=3), "parts are missing"),
                           (small_png(kind=1), "the header is not valid"),
                           (SIGNATURE + b"\xff\xff\xff\xffIHDR" + bytes(50), "a stored length does not match"),
                           (small_png(palette=chunk(b"PrIv", b"")), "not supported"),
                           (small_png(data=data[:-7]), "ends early")):
        expect_failure(decode(damaged), 7 if words == "not supported" else 3, words)


# ---- gzip ----


@test
def half_the_magic_of_another_member_is_a_cut_member():
    """A last byte that begins another member was taken for padding."""
    one, text = read(GZIP), run("-q", GZIP).stdout
    expect_failure(decode(one + b"\x1f"), 3, "ends early")
    expect(decode(one + b"\x1e").stdout == text)
    done = decode(one + b"\x1f", "--partial")
    expect_status(done, 0)
    expect(done.stdout == text)


if __name__ == "__main__":
    sys.exit(main())
