#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a refusal says: which variant it is that is not supported, which part is wrong, how much memory is needed.

    tests/cli/variants_test.py BUILD_FOLDER
"""

import lzma
import random
import re
import struct
import subprocess
import sys
import zlib

from cli_support import Skip, expect, expect_failure, expect_status, main, read, run, test

PEACOCK = "samples/jpeg/peacock.default.jpeg"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
NOISE = random.Random(1).randbytes(3000000)


def tool(*command, data):
    try:
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout
    except FileNotFoundError as error:
        raise Skip(f"{command[0]} is not installed") from error


# ---- JPEG ----


def with_frame(marker, precision=8, height=None, before=b""):
    """The peacock with another frame header."""
    data = bytearray(read(PEACOCK))
    place = data.index(b"\xff\xc0")
    data[place + 1] = marker
    data[place + 4] = precision
    if height is not None:
        data[place + 5:place + 7] = struct.pack(">H", height)
    return bytes(data[:place]) + before + bytes(data[place:])


@test
def variants_of_jpeg_are_named():
    """All of them were "a variant of its format that is not supported", or parts out of order."""
    hierarchical = b"\xff\xde\0\x11\x08\0\x64\0\x64\3\1\x11\0\2\x11\1\3\x11\1"
    for data, words in ((with_frame(0xc3), "lossless JPEG (SOF3)"),
                        (with_frame(0xcb), "lossless JPEG with arithmetic coding (SOF11)"),
                        (with_frame(0xc5), "hierarchical JPEG"), (with_frame(0xc6), "hierarchical JPEG"),
                        (with_frame(0xc7), "hierarchical JPEG"),
                        (with_frame(0xc0, before=hierarchical), "hierarchical JPEG"),
                        (with_frame(0xcd), "hierarchical JPEG with arithmetic coding"),
                        (with_frame(0xcf), "hierarchical JPEG with arithmetic coding"),
                        (with_frame(0xc1, precision=12), "12-bit JPEG"), (with_frame(0xc0, height=0), "DNL")):
        expect_failure(run("-q", input=data), 7, words, "not supported")
        # It is no damage, of which a part could be kept.
        expect_failure(run("-q", "--partial", input=data), 7, words)
    expect_failure(run("-q", input=with_frame(0xc1, precision=16)), 7, "not supported")


# ---- PNG ----


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def small_png(*chunks, before=b""):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0))
    return SIGNATURE + before + header + b"".join(chunks) + chunk(b"IEND", b"")


DATA = zlib.compress(b"".join(b"\0" + NOISE[at:at + 16] for at in range(0, 256, 16)))
HALVES = chunk(b"IDAT", DATA[:100]), chunk(b"IDAT", DATA[100:])


@test
def png_of_an_iphone_is_named():
    """It was called out of order."""
    for body in (b"P\0 \2", b""):
        expect_failure(run("-q", input=small_png(*HALVES, before=chunk(b"CgBI", body))), 7, "CgBI", "not supported")


@test
def chunks_between_the_data_are_named():
    """The picture was said to end early."""
    for name, words in ((b"tEXt", "chunk tEXt between IDAT"), (b"zTXt", "chunk zTXt between IDAT"),
                        (b"iTXt", "chunk iTXt between IDAT"), (b"tIME", "another chunk between IDAT")):
        for between in (chunk(name, b"a\0b"), chunk(b"tIME", bytes(7)) + chunk(name, b"a\0b")):
            first = "another chunk between IDAT" if between[4:8] == b"tIME" else words
            done = run("-q", input=small_png(HALVES[0], between, HALVES[1]))
            expect_failure(done, 3, first, "out of order")
        # Behind data that is too short, it is in its place.
        expect_failure(run("-q", input=small_png(HALVES[0], chunk(name, b"a\0b"))), 3, "ends early")
        expect_status(run("-q", input=small_png(*HALVES, chunk(name, b"a\0b"))), 0)
    expect_failure(run("-q", input=small_png(chunk(b"IDAT", zlib.compress(bytes(100))))), 3, "ends early")


# ---- memory ----


def needed(data, allowed, *options):
    """How many MiB the message names."""
    done = run("-q", "--memory", allowed, *options, input=data)
    expect_failure(done, 4, f"--memory allows {int(allowed[:-1]):,} MiB")
    words = re.search(rb"needs ([0-9]{1,3}(,[0-9]{3})*) MiB, --memory allows", done.stderr)
    expect(words, f"no number: {done.stderr!r}")
    return int(words.group(1).replace(b",", b""))


def check_need(data, allowed, slack=1, options=()):
    """What is said is enough, and not much more than enough."""
    need = needed(data, allowed, *options)
    expect_status(run("-q", "--memory", f"{need}M", *options, input=data), 0)
    less = need - slack - 1
    if less > int(allowed[:-1]):
        expect_status(run("-q", "--memory", f"{less}M", *options, input=data), 4)
    return need


@test
def streams_name_the_memory_they_need():
    """Only the option was named, and how much would be enough had to be found out by trying."""
    dictionary = 64 << 20
    xz = lzma.compress(NOISE, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": dictionary}])
    alone = lzma.compress(NOISE, format=lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": dictionary}])
    expect(64 <= check_need(xz, "32M") <= 66, "xz")
    expect(64 <= check_need(alone, "32M") <= 66, "lzma")
    expect(check_need(tool("lz4", "-q", "-B7", "-c", data=NOISE), "4M") == 9, "lz4")
    expect(check_need(tool("lz4", "-q", "-l", "-c", data=NOISE), "4M") == 17, "lz4 legacy")
    expect(check_need(tool("bzip2", "-c", data=NOISE), "2M") <= 5, "bzip2")
    expect(8 <= check_need(tool("zstd", "-q", "--long=23", "-c", data=NOISE * 4), "4M") <= 10, "zstd")


@test
def a_long_window_of_zstd_is_named():
    header = b"\x28\xb5\x2f\xfd\0"
    block = (len(NOISE[:1000]) << 3 | 1).to_bytes(3, "little") + NOISE[:1000]
    for log, words in ((31, "needs 2,049 MiB, --memory allows 512 MiB"), (30, "needs 1,025 MiB"),
                       (29, "needs 513 MiB")):
        expect_failure(run("-q", input=header + bytes(((log - 10) << 3,)) + block), 4, words)
    # No amount of memory would do.
    expect_failure(run("-q", input=header + bytes(((35 - 10) << 3,)) + block), 7, "larger window")
    expect_status(run("-q", input=header + bytes(((28 - 10) << 3,)) + block), 0)


@test
def pictures_name_the_memory_they_need():
    width, height = 2500, 2000
    ppm = b"P6\n%d %d\n255\n" % (width, height) + bytes(range(250)) * (width * height * 3 // 250)
    progressive = tool("cjpeg", "-progressive", "-sample", "1x1", data=ppm)
    need = check_need(progressive, "8M")
    expect(width * height * 6 >> 20 <= need, need)
    interlaced = tool("pnmtopng", "-interlace", data=ppm)
    expect(width * height * 3 >> 20 <= check_need(interlaced, "8M"), "png")


if __name__ == "__main__":
    sys.exit(main())
