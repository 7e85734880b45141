#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Inputs of which a decoder asks for parts: what comes of a long file must be what comes of the same bytes in a pipe, and
takes little memory.

    tests/cli/random_access_test.py BUILD_FOLDER
"""

import json
import os
import random
import struct
import subprocess
import sys

from cli_support import Folder, Skip, expect, expect_failure, expect_status, main, read, run, test

SMALL = "samples/tiff/hippopotamus.tiff"
LITTLE = "4M"  # of memory: less than any input here has
LENGTH = 5 << 20


def tool(*command):
    try:
        subprocess.run(command, capture_output=True, check=True)
    except FileNotFoundError as error:
        raise Skip(f"{command[0]} is not installed") from error


def gray_tiff(width, height):
    """Uncompressed, its directory at the end; no two rows are the same."""
    rows = b"".join(struct.pack(">I", y).ljust(width, bytes((y * 7 & 255,))) for y in range(height))
    tags = ((256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, height),
            (279, len(rows)))
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<I", 8 + len(rows)) + rows + struct.pack("<H", len(tags)) + entries + bytes(4), rows


def outcome(done):
    """What must be the same, however the input comes."""
    return done.returncode, done.stdout, done.stderr.split(b": ", 2)[-1]


def expect_same(path, *options):
    """Returns what comes of the file."""
    done = run("-q", *options, path)
    piped = run("-q", *options, input=read(path))
    expect(outcome(done) == outcome(piped), f"{options}: {done.stderr!r}, by a pipe {piped.stderr!r}, "
           f"{len(done.stdout)} and {len(piped.stdout)} bytes")
    return done


@test
def a_long_file_takes_little_memory():
    data, rows = gray_tiff(1000, LENGTH // 1000)
    with Folder() as folder:
        path = folder.write("a.tif", data)
        done = run("-q", "-p", "gray", "--memory", LITTLE, path)
        expect_status(done, 0)
        expect(done.stdout == rows, "other pixels")
        with open(path, "rb") as stream:
            done = run("-q", "-p", "gray", "--memory", LITTLE, stdin=stream)
        expect(done.returncode == 0 and done.stdout == rows, "as standard input")
        # A pipe cannot be read in any order.
        expect_failure(run("-q", "-p", "gray", "--memory", LITTLE, input=data), 4, "--memory")
        expect_same(path, "-p", "gray")


@test
def an_input_begins_where_its_descriptor_stands():
    data, rows = gray_tiff(1000, LENGTH // 1000)
    with Folder() as folder:
        path = folder.write("a.tif", b"not this" * 5000 + data)
        with open(path, "rb", buffering=0) as stream:
            stream.seek(8 * 5000)
            done = run("-q", "-p", "gray", "--memory", LITTLE, stdin=stream)
        expect_status(done, 0)
        expect(done.stdout == rows, "other pixels")


@test
def every_layout_gives_the_same():
    with Folder() as folder:
        tool("convert", SMALL, "-resize", "1100x1000!", "-compress", "none", folder("plain.tif"))
        wanted = run("-q", "-p", "rgb", folder("plain.tif")).stdout
        expect(len(wanted) == 1100 * 1000 * 3)
        for options in ("-c none -r 1", "-c none -r 1000", "-c none -p separate", "-c none -p separate -r 1", "-c none -B",
                        "-c none -t -w 16 -l 16", "-c none -p separate -t -w 64 -l 16", "-c none -t -w 2048 -l 2048", "-c lzw",
                        "-c none -8", "-c packbits -p separate -t -w 32 -l 32"):
            tool("tiffcp", *options.split(), folder("plain.tif"), folder("a.tif"))
            expect(os.path.getsize(folder("a.tif")) > 1 << 20, options)
            expect(expect_same(folder("a.tif"), "-p", "rgb").stdout == wanted, options)


@test
def pages_are_found():
    with Folder() as folder:
        tool("convert", SMALL, "-resize", "500x500!", "-compress", "none", folder("b.tif"))
        tool("tiffcp", *[folder("b.tif")] * 5, folder("a.tif"))
        expect(len(expect_same(folder("a.tif"), "-p", "rgb", "--frames").stdout) == 5 * 500 * 500 * 3)
        for options in (("--frame", "0"), ("--frame", "4"), ("--frame", "5")):
            expect_same(folder("a.tif"), "-p", "rgb", *options)
        info = json.loads(run("--info", folder("a.tif")).stdout)
        expect(info["frames"] == 5, info)


@test
def damage_is_the_same():
    data, _ = gray_tiff(1000, LENGTH // 1000)
    strips = data[:4] + struct.pack("<I", 8) + data[-114:] + data[8:-114]  # the directory first
    strips = strips.replace(struct.pack("<HHII", 273, 4, 1, 8), struct.pack("<HHII", 273, 4, 1, 8 + 114))
    with Folder() as folder:
        for kept in (len(strips), len(strips) - 1, len(strips) // 2, (1 << 20) + 1, 1 << 20):
            path = folder.write("a.tif", strips[:kept])
            done = expect_same(path, "-p", "gray")
            expect(done.returncode == (0 if kept == len(strips) else 3), kept)
            done = expect_same(path, "-p", "gray", "--partial")
            expect(done.returncode == 0 and done.stdout[:kept // 2] == strips[122:122 + kept // 2], kept)
        expect_same(folder.write("b.tif", data[:-1]), "-p", "gray", "--partial")


@test
def information_does_not_take_all_of_it():
    """Of a file that is longer than its limit."""
    data, _ = gray_tiff(1000, LENGTH // 1000)
    with Folder() as folder:
        path = folder.write("a.tif", data)
        expect_status(run("--info", "--max-input", "100K", path), 0)
        expect_failure(run("-q", "--max-input", "100K", path), 4, "--max-input")


@test
def rows_in_a_bad_order():
    """Each row is a strip, and none follows the one before: of a small file, more is read than 16 times its size."""
    width, height = 16, 65000
    order = list(range(height))
    random.Random(1).shuffle(order)
    places = [0] * height
    for place, row in enumerate(order):
        places[row] = 8 + place * width
    rows = b"".join(struct.pack(">I", row).ljust(width, b"x") for row in order)
    end = 8 + len(rows)
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, height, end),
            (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, height, end + 4 * height)]
    lists = struct.pack(f"<{height}I", *places) + struct.pack("<I", width) * height
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    data = b"II*\0" + struct.pack("<I", end + len(lists)) + rows + lists + struct.pack("<H", len(tags)) + entries + bytes(4)
    with Folder() as folder:
        done = run("-q", "-p", "gray", folder.write("a.tif", data))
        expect_status(done, 0)
        expect(done.stdout == b"".join(struct.pack(">I", row).ljust(width, b"x") for row in range(height)))


@test
def reading_the_same_again_and_again_is_limited():
    """Rows of which each is all of the file."""
    rows, width = 3000, 500000
    tags = [(256, 4, 1, width), (257, 4, 1, rows), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, rows, 200),
            (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, rows, 200 + 4 * rows)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    start = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    data = start.ljust(200, b"\0") + struct.pack("<I", 200) * rows + struct.pack("<I", width) * rows
    with Folder() as folder:
        path = folder.write("a.tif", data.ljust(1 << 20, b"x"))
        expect_failure(run("-q", "-p", "gray", "--max-side", str(width), "--max-pixels", str(rows * width), path), 4, "reads it again and again")


if __name__ == "__main__":
    sys.exit(main())
