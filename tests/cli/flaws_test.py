#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Inputs that are complete, but whose end is missing or wrong: shown with a note, and refused with --strict.

    tests/cli/flaws_test.py BUILD_FOLDER
"""

import io
import random
import struct
import subprocess
import sys
import zlib

from cli_support import Folder, GZIP, Skip, expect, expect_failure, expect_status, main, read, run, test
from png_files import chunk

THUMBNAIL = "samples/jpeg/pjw-thumbnail.jpeg"
SIGNATURE = b"\x89PNG\r\n\x1a\n"
END_NOTE, TRAILING_NOTE = b"its end is missing or wrong", b"bytes follow the end"


def tool(*command, data):
    try:
        done = subprocess.run(command, input=bytes(data), capture_output=True, check=False)
    except FileNotFoundError as error:
        raise Skip(f"{command[0]} is not installed") from error
    expect(done.returncode in (0, 2), f"{command} failed")  # 2: only a warning
    return done.stdout


def expect_flaw(data, pixels, *notes, strict, options=()):
    """Whole, with these notes and no other line; nothing is said with -q; --strict refuses with these words."""
    done = run("-t", "ppm", *options, input=bytes(data))
    expect_status(done, 0)
    expect(done.stdout == pixels, "other pixels")
    lines = done.stderr.splitlines()
    expect(len(lines) == len(notes) and all(note in line for note, line in zip(notes, lines)), lines)
    expect(run("-q", "-t", "ppm", *options, input=bytes(data)).stderr == b"", "said with -q")
    for more in ((), ("--partial",)):
        kept = run("-q", "-t", "ppm", *options, *more, input=bytes(data))
        expect(kept.returncode == 0 and kept.stdout == pixels and not kept.stderr, more)
    expect_failure(run("--strict", "-t", "ppm", *options, input=bytes(data)), 3, strict)
    with Folder() as folder:
        expect_status(run("-q", "-o", folder("x.ppm"), *options, "-", input=bytes(data)), 0)
        expect(read(folder("x.ppm")) == pixels)


# ---- JPEG ----


def jpegs():
    picture = run("-q", "-t", "ppm", THUMBNAIL).stdout
    for options in ((), ("-progressive",), ("-restart", "1"), ("-sample", "1x1"), ("-arithmetic",), ("-grayscale",)):
        data = tool("cjpeg", *options, data=picture)
        yield data, run("-q", "-t", "ppm", input=data).stdout


@test
def jpeg_without_an_end():
    for data, pixels in jpegs():
        expect_flaw(data[:-2], pixels, END_NOTE, strict="ends early")


@test
def jpeg_with_a_trailer():
    for data, pixels in jpegs():
        expect_flaw(data + b"trailer", pixels, TRAILING_NOTE, strict="more data after its end")


@test
def jpeg_with_a_trailer_in_place_of_an_end():
    """Rows were complete, but what looked like a marker in the trailer made the picture be refused."""
    maker = b"\0\0\1\x0a\x0e\0\0\0Image_UTC_Data1577836800000SEFHk\0\0\0\1\0\0\0"
    movie = b"\0\0\0\x18ftypmp42" + b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\xff\x01\xff\xc4\0\3" * 5
    for data, pixels in jpegs():
        if b"\xff\xcc" in data or b"\xff\xc9" in data:
            continue  # arithmetic coding has no end of its own: what follows would be data
        expect_flaw(data[:-2] + maker + movie, pixels, END_NOTE, TRAILING_NOTE,
                    strict="parts are missing, doubled or out of order")
        expect_flaw(data[:-2] + bytes(50) + b"\xff\xd9", pixels, END_NOTE, strict="parts are missing")
        expect_flaw(data[:-2] + data, pixels, END_NOTE, TRAILING_NOTE, strict="parts are missing")


@test
def a_misnumbered_restart_marker_costs_nothing():
    """libjpeg takes one whose number is far away for the one that it expects; it was called damage."""
    picture = run("-q", "-t", "ppm", "samples/jpeg/peacock.default.jpeg").stdout
    for kind in ("-optimize", "-progressive"):
        data = tool("cjpeg", kind, "-restart", "1", data=picture)
        place = data.index(b"\xff\xd1")
        for number in range(8):
            wrong = data[:place + 1] + bytes((0xd0 + number,)) + data[place + 2:]
            done = run("-q", "-t", "ppm", input=wrong)
            if 3 <= (number - 1) % 8 <= 5 or number == 1:
                expect_status(done, 0)
                expect(done.stdout == tool("djpeg", data=wrong), f"{kind} {number}")
            else:
                expect_failure(done, 3, "the compressed data is damaged")


@test
def a_cut_last_mcu_ends_early():
    """With an end marker behind it, it was called damaged; and rows that were complete before it were withheld."""
    picture = run("-q", "-t", "ppm", "samples/jpeg/peacock.default.jpeg").stdout
    for sampling, last in (("1x1", 8), ("2x2", 17)):
        data = tool("cjpeg", "-sample", sampling, data=picture)
        whole = run("-q", "-p", "rgb", input=data).stdout
        cut = data[:-8] + b"\xff\xd9"
        expect_failure(run("-q", input=cut), 3, "ends early")
        done = run("-q", "-p", "rgb", "--partial", input=cut)
        height = len(whole) // (100 * 3)
        rows = (height + last - 2) // (last // 8 * 8) * (last // 8 * 8) - (last // 8 * 8) - last % 8
        expect(done.stdout[:rows * 300] == whole[:rows * 300], "other rows")
        expect(f"; {height - rows} of {height} rows missing".encode() in done.stderr, (rows, done.stderr))


# ---- PNG ----


ROWS = [bytes((x * y) % 251 for x in range(40)) for y in range(30)]
PIXELS = b"P5\n40 30\n255\n" + b"".join(ROWS)
END = chunk(b"IEND", b"")


def png(data, end=END, interlaced=0, sides=(40, 30)):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *sides, 8, 0, 0, 0, interlaced))
    return SIGNATURE + header + chunk(b"IDAT", data) + end


def filtered(interlaced=0):
    if not interlaced:
        return b"".join(b"\0" + row for row in ROWS)
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    return b"".join(b"\0" + row[x::dx] for x, y, dx, dy in passes for row in ROWS[y::dy])


def expect_png_flaw(data, *notes, strict):
    expect_flaw(data, PIXELS, *notes, strict=strict, options=("-p", "gray"))


@test
def png_without_an_end():
    """All rows were there, and were refused because IEND was not."""
    for interlaced in (0, 1):
        whole = png(zlib.compress(filtered(interlaced)), interlaced=interlaced)
        expect(run("-q", "-p", "gray", "-t", "ppm", input=whole).stdout == PIXELS)
        for cut in (1, 4, 8, 12, 13, 16):
            expect_png_flaw(whole[:-cut], END_NOTE, strict="ends early")
        wrong = whole[:-12] + chunk(b"IEND", b"", 1)
        if run("-q", "--strict", "-t", "ppm", "-p", "gray", input=wrong).returncode != 0:  # newer libpng does not look
            expect_png_flaw(wrong, END_NOTE, strict="a checksum does not match")
        expect_png_flaw(whole + b"more", TRAILING_NOTE, strict="more data after its end")


@test
def png_whose_data_has_no_end():
    for interlaced in (0, 1):
        rows = filtered(interlaced)
        data = zlib.compress(rows)
        stored = b"\x78\x01" + b"\0" + struct.pack("<HH", len(rows), len(rows) ^ 0xffff) + rows
        longer = b"\x78\x01" + b"\1" + struct.pack("<HH", len(rows) + 9, (len(rows) + 9) ^ 0xffff) + rows
        text = chunk(b"tEXt", b"Title\0none")
        for damaged in (data[:-1], data[:-4], stored, longer):
            for end in (END, text + END, b""):
                expect_png_flaw(png(damaged, end, interlaced), END_NOTE, strict="ends early")
        expect_png_flaw(png(data + b"more", END, interlaced), END_NOTE, strict="a stored length")
        expect_png_flaw(png(zlib.compress(rows + bytes(50)), END, interlaced), END_NOTE, strict="a stored length")


@test
def png_that_is_damaged_at_its_end_is_refused():
    """A wrong checksum tells that any of it may be wrong."""
    data = zlib.compress(filtered())
    for damaged in (png(data[:-1] + bytes((data[-1] ^ 1,))), png(data[:-4], chunk(b"IDAT", b"\0\0\0\1") + END),
                    png(data).replace(struct.pack(">I", zlib.crc32(b"IDAT" + data)), b"\0\0\0\1")):
        expect_failure(run("-q", input=damaged), 3, "a checksum does not match")
        done = run("-q", "--partial", "-p", "gray", "-t", "ppm", input=damaged)
        expect(done.stdout == PIXELS and b"0 of 30 rows missing" in done.stderr, done.stderr)


@test
def png_with_too_small_a_window():
    noise = random.Random(1).randbytes(20000)
    rows = b"".join(b"\0" + noise[at:at + 200] for at in range(0, 20000, 200)) * 2
    pixels = b"P5\n200 200\n255\n" + noise * 2
    for bits in range(8):
        data = bytearray(zlib.compress(rows, 9))
        data[0:2] = struct.pack(">H", bits << 12 | 8 << 8)
        data[1] = 31 - (data[0] << 8) % 31
        wrong = png(bytes(data), sides=(200, 200))
        if bits < 7:
            expect_flaw(wrong, pixels, b"a larger window", strict="the header is not valid", options=("-p", "gray"))
        else:
            expect_status(run("--strict", input=wrong), 0)
    small = zlib.compressobj(9, zlib.DEFLATED, 9)
    done = run("--strict", "-q", "-p", "gray", "-t", "ppm",
               input=png(small.compress(rows) + small.flush(), sides=(200, 200)))
    expect(done.returncode == 0 and done.stdout == pixels, "a window that is small and large enough")


# ---- what follows ----


@test
def what_follows_a_member_is_noted():
    """Nothing was said of it without -v."""
    text = run("-q", GZIP).stdout
    for tail in (b"and more", bytes(512) + b"more", bytes(70000) + read(GZIP)):
        done = run(input=read(GZIP) + tail)
        expect_status(done, 0)
        expect(done.stdout == text and TRAILING_NOTE in done.stderr, done.stderr)
        expect(run("-q", input=read(GZIP) + tail).stderr == b"")
        expect_failure(run("-q", "--strict", input=read(GZIP) + tail), 3, "there is more data after its end")
    expect(TRAILING_NOTE not in run(input=read(GZIP) * 2).stderr)


@test
def gzip_that_is_padded_with_zeros():
    """gzip(1) says nothing of zeros up to the end, and goes on with no member behind some."""
    text = run("-q", GZIP).stdout
    for zeros in (1, 2, 18, 512, 70000, 1 << 20):
        for members in (1, 2):
            done = run("--strict", "-v", input=read(GZIP) * members + bytes(zeros))
            expect_status(done, 0)
            expect(done.stdout == text * members and TRAILING_NOTE not in done.stderr, done.stderr)
        between = read(GZIP) + bytes(zeros) + read(GZIP)
        done = run("-t", "raw", input=between)
        expect(done.returncode == 0 and done.stdout == text and TRAILING_NOTE in done.stderr, done.stderr)
        gzip = subprocess.run(["gzip", "-dc"], input=between, capture_output=True, check=False)
        expect(gzip.stdout == text and b"trailing garbage ignored" in gzip.stderr, gzip.stderr)
    # Of other formats they are no part.
    zlib_data = zlib.compress(text)
    expect(TRAILING_NOTE in run("--decoder", "zlib", input=zlib_data + bytes(512)).stderr)


@test
def streams_without_an_end_are_refused():
    """Their checksum is all that tells whether bytes are missing."""
    for cut in (1, 4, 8):
        expect_failure(run("-q", input=read(GZIP)[:-cut]), 3, "ends early")


# ---- CMYK ----


@test
def cmyk_without_an_adobe_marker_is_inverted():
    """All decoders take the inks of such files to be stored inverted; here the picture was black."""
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    inks = [(0, 80, 160, 20), (255, 0, 0, 0), (10, 20, 30, 200), (0, 0, 0, 0), (0, 255, 255, 128)]
    picture = Image.new("CMYK", (80, 16))
    for x in range(80):
        for y in range(16):
            picture.putpixel((x, y), inks[x // 16])
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=95)
    data = stream.getvalue()
    place = data.index(b"\xff\xee")
    plain = data[:place] + data[place + 2 + struct.unpack(">H", data[place + 2:place + 4])[0]:]
    for one in (data, plain):
        expect(run("-q", "-t", "ppm", input=one).stdout == tool("djpeg", data=one), "other pixels than djpeg")
    expect(run("-q", input=plain).stdout == run("-q", input=data).stdout)


if __name__ == "__main__":
    sys.exit(main())
