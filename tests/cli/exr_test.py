#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""OpenEXR: the right pixels of all kinds of channels, windows and compressions; pages, damage, limits.

    tests/cli/exr_test.py BUILD_FOLDER

Files are written here, and their pixels computed here: uncompressed, and by ZIP, which is zlib's after a filter.
samples/exr/ has what OpenEXR's own library wrote.
"""

import os
import random
import struct
import subprocess
import sys
import zlib

from cli_support import BUILD, expect, expect_failure, expect_status, main, run, test
from picture_support import info

FOLDER = "samples/exr"
UINT, HALF, FLOAT = range(3)
NONE, ZIPS, ZIP = 0, 2, 3
INCREASING, DECREASING = range(2)
MULTIPART = 0x1000
DICE = random.Random(1)
LUMA = (0.2126, 0.7152, 0.0722)


# ---- writing ----


def attribute(name, kind, value):
    return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value


def chlist(channels):
    return b"".join(name.encode() + b"\0" + struct.pack("<iiii", kind, 0, step, step)
                    for name, (kind, step, _) in sorted(channels.items())) + b"\0"


def header(channels, data, display, compression, order, tiles=None, extra=b""):
    return (attribute("channels", "chlist", chlist(channels)) +
            attribute("compression", "compression", bytes((compression,))) +
            attribute("dataWindow", "box2i", struct.pack("<4i", *data)) +
            attribute("displayWindow", "box2i", struct.pack("<4i", *display)) +
            attribute("lineOrder", "lineOrder", bytes((order,))) +
            attribute("pixelAspectRatio", "float", struct.pack("<f", 1)) +
            attribute("screenWindowCenter", "v2f", struct.pack("<ff", 0, 0)) +
            attribute("screenWindowWidth", "float", struct.pack("<f", 1)) +
            (attribute("tiles", "tiledesc", struct.pack("<IIB", *tiles, 0)) if tiles else b"") + extra + b"\0")


def sample_row(channels, y, columns):
    row = b""
    for _, (kind, step, value) in sorted(channels.items()):
        if y % step == 0:
            values = [value(x, y) for x in columns if x % step == 0]
            row += struct.pack(f"<{len(values)}{'Ief'[kind]}", *values)
    return row


def packed(data, compression):
    if compression == NONE:
        return data
    halves = data[::2] + data[1::2]
    changes = halves[:1] + bytes((halves[i] - halves[i - 1] + 128) & 255 for i in range(1, len(halves)))
    smaller = zlib.compress(changes)
    return smaller if len(smaller) < len(data) else data


def chunks_of(channels, data, compression, tiles=None):
    left, top, right, bottom = data
    if tiles:
        for y in range(top, bottom + 1, tiles[1]):
            for x in range(left, right + 1, tiles[0]):
                columns = range(x, min(x + tiles[0], right + 1))
                rows = b"".join(sample_row(channels, row, columns) for row in range(y, min(y + tiles[1], bottom + 1)))
                rows = packed(rows, compression)
                yield struct.pack("<5i", (x - left) // tiles[0], (y - top) // tiles[1], 0, 0, len(rows)) + rows
        return
    lines = 16 if compression == ZIP else 1
    for y in range(top, bottom + 1, lines):
        rows = b"".join(sample_row(channels, row, range(left, right + 1)) for row in range(y, min(y + lines, bottom + 1)))
        rows = packed(rows, compression)
        yield struct.pack("<ii", y, len(rows)) + rows


def exr(channels, data, display=None, compression=NONE, order=INCREASING, tiles=None, extra=b"", flags=0, table=True):
    """A file.  channels: name to (type, sampling, function of x and y)."""
    start = struct.pack("<II", 20000630, 2 | (0x200 if tiles else 0) | flags)
    start += header(channels, data, display or data, compression, order, tiles, extra)
    chunks = list(chunks_of(channels, data, compression, tiles))
    at = len(start) + 8 * len(chunks)
    offsets, body = [0] * len(chunks), b""
    for number in range(len(chunks)) if order == INCREASING else range(len(chunks) - 1, -1, -1):
        offsets[number] = at + len(body)
        body += chunks[number]
    return start + struct.pack(f"<{len(offsets)}Q", *(offsets if table else [0] * len(chunks))) + body


def ramp(name, kind=HALF, step=1):
    """Values that a half holds exactly, some of them beyond 0 and 1."""
    shift = "RGBAY".find(name[-1]) * 37
    if kind == UINT:
        return (kind, step, lambda x, y: (x + y + shift) % 3)
    return (kind, step, lambda x, y: ((x * 29 + y * 53 + shift) % 300 - 20) / 256)


# ---- what comes out ----


def curve(light):
    if not light > 0:
        return 0
    if light >= 1:
        return 65535
    return (light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055) * 65535


def expected(channels, data, display=None):
    """Four numbers a pixel."""
    alpha = channels.get("A")
    colors = [channels.get(name) for name in ("RGB" if "R" in channels or "G" in channels else "YYY")]
    left, top, right, bottom = display or data
    numbers = []
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            if not (data[0] <= x <= data[2] and data[1] <= y <= data[3]):
                numbers += [0, 0, 0, 0 if alpha else 65535]
                continue
            cover = min(max(alpha[2](x, y), 0), 1) if alpha else 1
            numbers += [curve(color[2](x, y) / (cover or 1)) if color else 0 for color in colors] + [cover * 65535]
    return numbers


def deep(data, *options):
    done = run("-q", "-p", "rgba16", *options, input=data)
    expect_status(done, 0)
    return struct.unpack(f"<{len(done.stdout) // 2}H", done.stdout)


def check(data, numbers, what="", off=0.6):
    ours = deep(data)
    expect(len(ours) == len(numbers), f"{what}: {len(ours)} samples of {len(numbers)}")
    for place, (one, other) in enumerate(zip(ours, numbers)):
        expect(abs(one - other) <= off, f"{what}: sample {place} is {one}, not {other}")


def sample(name):
    with open(f"{FOLDER}/{name}", "rb") as stream:
        return stream.read()


# ---- channels ----


@test
def channels_of_all_types():
    window = (0, 0, 20, 17)
    for names in ("RGB", "RGBA", "Y", "YA", "RB", "GA", "RGBAZ", "BGRY"):
        for kind in (HALF, FLOAT, UINT):
            for compression in (NONE, ZIPS, ZIP):
                channels = {name: ramp(name, kind if name != "A" else HALF) for name in names}
                what = f"{names}, type {kind}, compression {compression}"
                check(exr(channels, window, compression=compression), expected(channels, window), what)
    mixed = {"R": ramp("R", UINT), "G": ramp("G", HALF), "B": ramp("B", FLOAT), "AB": ramp("A", UINT)}
    check(exr(mixed, window), expected(mixed, window), "mixed")


@test
def what_is_told_of_them():
    window = (0, 0, 4, 3)
    for names, color, channels, alpha in (("RGB", "rgb", 3, False), ("RGBA", "rgb", 4, True), ("Y", "gray", 1, False),
                                          ("YA", "gray", 2, True)):
        told = info(exr({name: ramp(name) for name in names}, window))
        expect((told["format"], told["width"], told["height"]) == ("exr", 5, 4), told)
        expect((told["color"], told["channels"], told["alpha"], told["depth"]) == (color, channels, alpha, 16), told)
    expect(info(sample("yc.exr"))["color"] == "ycbcr")


@test
def values_that_are_no_colours():
    values = (float("nan"), float("inf"), -float("inf"), -1.0, 1e30, 65504.0, 6e-8, 1e-40)
    light = {"Y": (FLOAT, 1, lambda x, y: values[x])}
    check(exr(light, (0, 0, 7, 0)), [n for v in values for n in [curve(v)] * 3 + [65535]])
    # So is alpha cut; where it is nothing, colours stay what they are.
    both = {"Y": (FLOAT, 1, lambda x, y: 0.5), "A": (FLOAT, 1, lambda x, y: values[x])}
    covers = (0, 1, 0, 0, 1, 1, 6e-8, 1e-40)
    check(exr(both, (0, 0, 7, 0)), [n for c in covers for n in [curve(0.5 / (c or 1))] * 3 + [c * 65535]])


@test
def floats_are_given_as_they_are():
    values = (-1.5, 0.0, 0.1875, 1.0, 37.25, 65504.0)
    for kind, told in ((HALF, (16, True)), (FLOAT, (32, True)), (UINT, (32, False))):
        numbers = values if kind != UINT else (0, 1, 2, 3, 70000, 16777216)
        data = exr({"G": (kind, 1, lambda x, y: numbers[x]), "R": (kind, 1, lambda x, y: 1)}, (0, 0, 5, 0))
        done = run("-q", "-p", "rgbaf32", input=data)
        expect_status(done, 0)
        expect(struct.unpack("<24f", done.stdout) == tuple(n for v in numbers for n in (1.0, v, 0.0, 1.0)), kind)
        expect((info(data)["depth"], info(data)["float"]) == told, info(data))
    half = {"Y": (HALF, 1, lambda x, y: 3.0), "A": (HALF, 1, lambda x, y: 0.5)}
    expect(struct.unpack("<4f", run("-q", "-p", "rgbaf32", input=exr(half, (0, 0, 0, 0))).stdout) == (6, 6, 6, 0.5))


@test
def alpha_is_divided_by():
    channels = {"R": (HALF, 1, lambda x, y: 0.25), "G": (HALF, 1, lambda x, y: 0.125), "B": (HALF, 1, lambda x, y: 0),
                "A": (HALF, 1, lambda x, y: 0.5)}
    data = exr(channels, (0, 0, 0, 0))
    expect(run("-q", "-p", "rgba", input=data).stdout == bytes((188, 137, 0, 128)))
    # The colours that screens take are multiplied by alpha, not the light.
    expect(run("-q", "-p", "rgba-premultiplied", input=data).stdout == bytes((94, 69, 0, 128)))


@test
def layers():
    window = (0, 0, 6, 4)
    colors = {name: ramp(name) for name in "RGBA"}
    layered = {f"b.c.{name}": channel for name, channel in colors.items()}
    layered.update({"a.Z": ramp("Z", FLOAT), "d.R": (HALF, 1, lambda x, y: 1), "left": ramp("R")})
    check(exr(layered, window), expected(colors, window), "the first layer with colours")
    plain = dict(layered, G=ramp("G"))
    check(exr(plain, window), expected({"G": ramp("G")}, window), "channels without a layer come first")
    for name in ("Z", "A", "a.Z", "r", "RY", "Red"):
        expect_failure(run("-q", input=exr({name: ramp("Y")}, window)), 7, "R, G, B or Y")


# ---- luminance and chroma ----


def luminance(y, ry, by, window, step=2, extra=b""):
    channels = {"Y": (FLOAT, 1, y), "RY": (FLOAT, step, ry), "BY": (FLOAT, step, by)}
    return exr(channels, window, extra=extra, compression=ZIP)


def color_of(light, ry, by, luma=LUMA):
    red, blue = (ry + 1) * light, (by + 1) * light
    return [curve(red), curve((light - red * luma[0] - blue * luma[2]) / luma[1]), curve(blue), 65535]


@test
def luminance_and_chroma():
    window = (0, 0, 39, 35)
    # Gray, one colour, and chroma that changes evenly, which the filter leaves so, away from the edges.
    gray = luminance(lambda x, y: x / 64, lambda x, y: 0, lambda x, y: 0, window)
    check(gray, [n for y in range(36) for x in range(40) for n in [curve(x / 64)] * 3 + [65535]])
    for step in (1, 2):
        plain = luminance(lambda x, y: 0.375, lambda x, y: 0.25, lambda x, y: -0.5, window, step)
        check(plain, color_of(0.375, 0.25, -0.5) * (36 * 40), "one colour", 2)
    even = luminance(lambda x, y: 0.375, lambda x, y: x / 128, lambda x, y: -y / 128, window)
    ours = deep(even)
    for y in range(14, 22):
        for x in range(14, 26):
            for one, other in zip(ours[(y * 40 + x) * 4:], color_of(0.375, x / 128, -y / 128)):
                expect(abs(one - other) <= 2, f"at {x}, {y}: {one}, not {other}")


@test
def luminance_of_the_primaries():
    """Of those of Rec. 2020, Y is made of other parts."""
    primaries = struct.pack("<8f", 0.708, 0.292, 0.17, 0.797, 0.131, 0.046, 0.3127, 0.329)
    extra = attribute("chromaticities", "chromaticities", primaries)
    data = luminance(lambda x, y: 0.375, lambda x, y: 0.25, lambda x, y: -0.5, (0, 0, 3, 3), extra=extra)
    check(data, color_of(0.375, 0.25, -0.5, (0.2627, 0.6780, 0.0593)) * 16, "Rec. 2020", 4)
    nothing = attribute("chromaticities", "chromaticities", bytes(32))
    data = luminance(lambda x, y: 0.375, lambda x, y: 0.25, lambda x, y: -0.5, (0, 0, 3, 3), extra=nothing)
    check(data, color_of(0.375, 0.25, -0.5) * 16, "no primaries at all", 2)


@test
def a_colour_alone_is_toned_down():
    """What is far more saturated than its neighbours, for they have less luminance of their own."""
    data = luminance(lambda x, y: 0.25, lambda x, y: 2.5 * ((x, y) == (8, 8)), lambda x, y: 0, (0, 0, 15, 15))
    red, green = deep(data)[(8 * 16 + 8) * 4:][:2]
    alone = color_of(0.25, 2.5, 0)
    expect(red < alone[0] - 1000 and green > alone[1] + 1000, (red, green, alone))


@test
def samplings_that_are_refused():
    window = (0, 0, 7, 7)
    for channels, status in (({"R": ramp("R", HALF, 2), "G": ramp("G"), "B": ramp("B")}, 7),
                             ({"Y": ramp("Y", HALF, 2)}, 7), ({"Y": ramp("Y"), "RY": ramp("R", HALF, 4),
                                                              "BY": ramp("B", HALF, 4)}, 7),
                             ({"Y": ramp("Y"), "RY": ramp("R", HALF, 2), "BY": ramp("B")}, 7),
                             ({"Y": ramp("Y"), "RY": ramp("R", HALF, 3), "BY": ramp("B", HALF, 3)}, 3)):
        expect_status(run("-q", input=exr(channels, window)), status)
    # One that is not looked at may have any, where it fits.
    channels = {"Y": ramp("Y"), "Z": ramp("B", HALF, 4)}
    check(exr(channels, window, compression=ZIP), expected({"Y": ramp("Y")}, window), "Z")
    expect_status(run("-q", input=exr(channels, (1, 0, 7, 7))), 3)


# ---- windows, tiles, order ----


WINDOWS = (((0, 0, 20, 17), (0, 0, 20, 17)), ((4, 6, 12, 9), (0, 0, 20, 17)), ((-4, -30, 31, 40), (0, 0, 20, 17)),
           ((-4, 3, 10, 40), (0, 0, 20, 17)), ((10, -20, 40, 5), (0, 0, 20, 17)), ((50, 0, 60, 9), (0, 0, 9, 9)),
           ((0, 50, 9, 60), (0, 0, 9, 9)), ((-9, -8, -3, -2), (-12, -12, -1, -1)))


@test
def windows():
    for names in ("RGB", "YA"):
        channels = {name: ramp(name) for name in names}
        for data, display in WINDOWS:
            for compression in (NONE, ZIP):
                for order in (INCREASING, DECREASING):
                    what = f"{names}: {data} in {display}, compression {compression}, order {order}"
                    check(exr(channels, data, display, compression, order), expected(channels, data, display), what)


@test
def tiles():
    channels = {name: ramp(name) for name in "RGBAZ"}
    for data, display in WINDOWS:
        for tile in ((7, 5), (64, 4), (4, 64), (1, 1), (1000, 1000)):
            file = exr(channels, data, display, ZIP, tiles=tile)
            check(file, expected(channels, data, display), f"{data} in {display}, tiles {tile}")


@test
def a_table_that_was_never_written():
    window = (0, 0, 9, 40)
    channels = {name: ramp(name) for name in "RGB"}
    for tile in (None, (4, 4)):
        file = exr(channels, window, compression=ZIP, tiles=tile, table=False)
        check(file, expected(channels, window), f"tiles {tile}")


# ---- what OpenEXR writes ----


@test
def all_that_is_lossless_is_the_same():
    pixels = run("-q", "-p", "rgba16", f"{FOLDER}/none.exr").stdout
    for name in ("rle", "zips", "zip", "piz", "pxr24", "no-table"):
        expect(run("-q", "-p", "rgba16", f"{FOLDER}/{name}.exr").stdout == pixels, name)
    for name in ("b44", "b44a"):
        lossy, plain = (run("-q", "-p", "rgba-premultiplied", f"{FOLDER}/{which}.exr").stdout for which in (name, "none"))
        most = max(abs(one - other) for one, other in zip(lossy, plain))
        expect(len(lossy) == len(plain) and 0 < most < 32, f"{name}: {most}")


@test
def what_is_not_supported_is_named():
    for name, word in (("dwaa", "DWAA"), ("dwab", "DWAB"), ("deep", "deep"), ("depth", "R, G, B or Y")):
        for option in ("-q", "-i"):
            expect_failure(run(option, f"{FOLDER}/{name}.exr"), 7, word)
    window = (0, 0, 3, 3)
    expect_failure(run("-q", input=exr({"Y": ramp("Y")}, window, compression=ZIP).replace(
        b"compression\0\1\0\0\0\3", b"compression\0\1\0\0\0\x0a")), 7, "not supported")
    expect_status(run("-q", input=exr({"Y": ramp("Y")}, window, flags=1)), 7)  # version 3


@test
def what_its_library_cannot_be_trusted_with():
    """Rows of chunks that are not as many in each, which the library read and wrote past its memory for; very many channels,
    of which it counts 16 bits; and tiles of chroma."""
    for name in ("exr-y-sampling-overread", "exr-y-sampling-overwrite", "exr-tiled-chroma"):
        for option in ("-q", "-i", "--partial"):
            expect_failure(run(option, f"fuzz/regressions/{name}"), 7, "not supported")
    many = {f"c{number:05}": ramp("B") for number in range(10000)}
    expect_failure(run("-q", input=exr({**many, "Y": ramp("Y")}, (0, 0, 0, 0))), 7, "not supported")


@test
def parts_are_pages():
    told = info(sample("multipart.exr"))
    expect((told["frames"], told["width"], told["height"]) == (2, 20, 14), told)
    first, second = (run("-q", "-p", "rgb", "--page", page, f"{FOLDER}/multipart.exr").stdout for page in "01")
    expect(len(first) == len(second) == 20 * 14 * 3 and first != second)
    expect(run("-q", "-p", "rgb", "--frames", f"{FOLDER}/multipart.exr").stdout == first + second)
    expect_failure(run("-q", "--page", "2", f"{FOLDER}/multipart.exr"), 7, "no such")
    # Depth alone is no page.
    expect(info(sample("multipart-depth.exr"))["frames"] == 2)
    expect(run("-q", "-p", "rgb", f"{FOLDER}/multipart-depth.exr").stdout == first)


# ---- damage ----


@test
def rows_that_are_there_are_kept():
    window, channels = (0, 0, 9, 63), {name: ramp(name) for name in "RGB"}
    for compression, lines in ((NONE, 1), (ZIP, 16)):
        data = exr(channels, window, compression=compression)
        whole = run("-q", "-p", "rgb", input=data).stdout
        cut = data[:len(data) * 3 // 4]
        expect_failure(run("-q", input=cut), 3, "ends early")
        done = run("-q", "--partial", "-p", "rgb", input=cut)
        expect_status(done, 0)
        rows = len(done.stdout.rstrip(b"\0")) // 30
        expect(0 < rows < 64 and rows % lines == 0, rows)
        expect(done.stdout[:rows * 30] == whole[:rows * 30] and len(done.stdout) == len(whole), rows)
    done = run("-q", "--partial", "-p", "rgba", f"{FOLDER}/damaged.exr")
    expect_status(done, 0)
    whole = run("-q", "-p", "rgba", f"{FOLDER}/zip.exr").stdout
    expect(done.stdout == whole[:16 * 13 * 4].ljust(len(whole), b"\0"), "the first chunk and no more")


@test
def what_is_wrong():
    window = (0, 0, 5, 4)
    good = exr({"Y": ramp("Y")}, window)
    for size in (4, 8, 30, 100, len(good) - 1):
        expect_failure(run("-q", input=good[:size]), 3, "ends early")
    for old, new, word in ((b"\0\0\0\0\0\0\0\0\5\0\0\0\4\0\0\0", b"\0\0\0\0\0\0\0\0\xfb\xff\xff\xff\4\0\0\0", "header"),
                           (b"chlist\0\x13\0\0\0", b"chlist\0\xff\xff\xff\xff", "header"),
                           (b"channels\0chlist", b"channelz\0chlist", "header")):
        expect(good.count(old) >= 1, old)
        expect_failure(run("-q", input=good.replace(old, new)), 3, word)
    # A chunk that is not what the table says, has fewer bytes than its rows, or more.
    start = len(good) - 5 * (8 + 12)
    for place, value in ((start, 1), (start + 4, 11), (start + 4, 13), (start + 4, 0)):
        bad = bytearray(good)
        bad[place] = value
        expect_failure(run("-q", input=bytes(bad)), 3, "damaged")


@test
def limits():
    window = (0, 0, 99, 49)
    data = exr({"Y": ramp("Y")}, window)
    expect_failure(run("-q", "--max-side", "99", input=data), 4, "max-side")
    expect_failure(run("-q", "--max-pixels", "4999", input=data), 4, "max-pixels")
    # Of the data window, too, of which tables are made.
    wide = exr({"Y": ramp("Y")}, window, (0, 0, 9, 9))
    expect_failure(run("-q", "--max-side", "99", input=wide), 4, "max-side")
    for box, status in (((0, 0, 2**31 - 2, 0), 3), ((-2**31, -2**31, 2**31 - 1, 2**31 - 1), 3), ((0, 0, 10**9, 0), 4),
                        ((0, 0, 65534, 65534), 4)):
        huge = data.replace(struct.pack("<4i", *window), struct.pack("<4i", *box))
        for option in ("-q", "-i"):
            expect_status(run(option, input=huge), status)
    # The table of chunks of such a picture is not there.
    huge = data.replace(struct.pack("<4i", *window), struct.pack("<4i", 0, 0, 999, 65534))
    expect_failure(run("-q", input=huge), 3, "ends early")


@test
def memory_does_not_grow_with_the_picture():
    """A megabyte for pictures of sixteen, as long as their chunks stand in order."""
    channels = {name: (HALF, 1, lambda x, y: 0.5) for name in "RGB"}
    row = sample_row(channels, 0, range(1024))
    start = struct.pack("<II", 20000630, 2) + header(channels, (0, 0, 1023, 2047), (0, 0, 1023, 2047), NONE, INCREASING)
    at = len(start) + 8 * 2048
    table = struct.pack("<2048Q", *(at + y * (8 + len(row)) for y in range(2048)))
    data = start + table + b"".join(struct.pack("<ii", y, len(row)) + row for y in range(2048))
    done = run("-q", "-p", "rgb", "--memory", "1M", input=data)
    expect_status(done, 0)
    expect(done.stdout == b"\xbc" * (1024 * 2048 * 3))


@test
def only_the_core_is_linked():
    needed = subprocess.run(["readelf", "-d", os.path.join(BUILD, "decoders/exr")], capture_output=True, check=True)
    libraries = [line.split(b"[")[1] for line in needed.stdout.splitlines() if b"(NEEDED)" in line]
    expect(any(library.startswith(b"libOpenEXRCore") for library in libraries), libraries)
    expect(not any(word in library for library in libraries for word in (b"stdc++", b"Imath", b"IlmThread", b"libOpenEXR-")),
           libraries)


if __name__ == "__main__":
    sys.exit(main())
