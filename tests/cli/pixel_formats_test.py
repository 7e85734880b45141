#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every pixel format, of pictures of every kind: what the file has comes, and independent tools read what is written.

    tests/cli/pixel_formats_test.py BUILD_FOLDER
"""

import random
import struct
import sys
import zlib

from cli_support import Folder, expect, expect_failure, expect_status, main, read, run, test
from picture_support import info, pixels, tool
from png_files import SIGNATURE, chunk

DICE = random.Random(1)
WIDTH, HEIGHT = 13, 9
COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # of PNG, by the number of channels
JPEG = "samples/jpeg/peacock.grayscale.jpeg"


def png(samples, channels, depth, width=WIDTH, height=HEIGHT):
    row = width * channels
    rows = (struct.pack(f">{row}{'H' if depth == 16 else 'B'}", *samples[y * row:(y + 1) * row]) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, depth, COLOR_TYPES[channels], 0, 0, 0)
    return (SIGNATURE + chunk(b"IHDR", header) +
            chunk(b"IDAT", zlib.compress(b"".join(b"\0" + data for data in rows))) + chunk(b"IEND", b""))


def noise(channels, depth):
    return [DICE.randrange(1 << depth) for _ in range(WIDTH * HEIGHT * channels)]


def quads(samples, channels, white):
    """Red, green, blue and alpha."""
    for at in range(0, len(samples), channels):
        part = list(samples[at:at + channels])
        alpha = part.pop() if channels % 2 == 0 else white
        yield (*(part if len(part) == 3 else part * 3), alpha)


def luma(red, green, blue):
    return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16


def linear(sample):
    value = sample / 65535
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def convert(samples, channels, depth, pixel_format):
    """What the manual says of each format, in the plainest way."""
    deep = {"gray16": "l", "gray-alpha16": "la", "rgb16": "rgb", "rgba16": "rgba"}
    shallow = {"gray": "l", "gray-alpha": "la", "rgb": "rgb", "rgba": "rgba", "bgr": "bgr", "bgra": "bgra"}
    values = []
    for quad in quads(samples, channels, (1 << depth) - 1):
        if pixel_format in shallow:
            quad = quad if depth == 8 else tuple((value + 128) // 257 for value in quad)
        else:
            quad = quad if depth == 16 else tuple(value * 257 for value in quad)
        named = dict(zip("rgba", quad), l=luma(*quad[:3]))
        if pixel_format.startswith("rgbaf"):
            values += [*map(linear, quad[:3]), quad[3] / 65535]
        else:
            values += [named[name] for name in {**deep, **shallow}[pixel_format]]
    code = "B" if pixel_format in shallow else {"rgbaf16": "e", "rgbaf32": "f"}.get(pixel_format, "H")
    return struct.pack(f"<{len(values)}{code}", *values)


ALL = ("gray", "gray-alpha", "rgb", "rgba", "bgr", "bgra", "gray16", "gray-alpha16", "rgb16", "rgba16", "rgbaf16", "rgbaf32")
NATIVE = {(1, 8): "gray", (2, 8): "gray-alpha", (3, 8): "rgb", (4, 8): "rgba",
          (1, 16): "gray16", (2, 16): "gray-alpha16", (3, 16): "rgb16", (4, 16): "rgba16"}


@test
def every_kind_of_picture_in_every_format():
    for (channels, depth), native in NATIVE.items():
        samples = noise(channels, depth)
        data = png(samples, channels, depth)
        for pixel_format in ALL:
            expect(pixels(data, pixel_format) == convert(samples, channels, depth, pixel_format),
                   f"{native} as {pixel_format}")


@test
def the_native_format_loses_least():
    for (channels, depth), native in NATIVE.items():
        samples = noise(channels, depth)
        data = png(samples, channels, depth)
        told = info(data)
        expect(told["native"] == native and told["float"] is False, told)
        done = run("-p", "native", input=data)
        expect(f" {native}, stride ".encode() in done.stderr, done.stderr)
        expect(done.stdout == convert(samples, channels, depth, native), native)


@test
def png_and_pam_keep_what_there_is():
    """Read back by netpbm and ImageMagick."""
    for (channels, depth), native in NATIVE.items():
        samples = noise(channels, depth)
        data = png(samples, channels, depth)
        wanted = struct.pack(f">{len(samples)}{'H' if depth == 16 else 'B'}", *samples)
        maximum = (1 << depth) - 1
        kind = ("GRAYSCALE", "GRAYSCALE_ALPHA", "RGB", "RGB_ALPHA")[channels - 1]
        header = (f"P7\nWIDTH {WIDTH}\nHEIGHT {HEIGHT}\nDEPTH {channels}\nMAXVAL {maximum}\nTUPLTYPE {kind}\nENDHDR\n")
        done = run("-q", "-t", "pam", input=data)
        expect(done.stdout == header.encode() + wanted, f"{native} as PAM")
        with Folder() as folder:
            expect_status(run("-q", "-o", folder("out.png"), input=data), 0)
            written = read(folder("out.png"))
            expect((written[24], written[25]) == (depth, COLOR_TYPES[channels]), f"{native}: {written[:33]}")
            expect(tool("pngtopam", "-alphapam", folder("out.png")).partition(b"ENDHDR\n")[2] ==
                   wanted if channels % 2 == 0 else True, f"{native} by netpbm")
            expect(pixels(written, native) == convert(samples, channels, depth, native), f"{native} again")
            name = {1: "gray:-", 2: "rgba:-", 3: "rgb:-", 4: "rgba:-"}[channels]
            theirs = tool("convert", folder("out.png"), "-depth", str(depth), "-endian", "LSB", name)
            ours = convert(samples, channels, depth, name[:-2] + ("16" if depth == 16 else ""))
            expect(theirs == ours, f"{native} by ImageMagick")


@test
def ppm_of_16_bits_on_request():
    samples = noise(3, 16)
    data = png(samples, 3, 16)
    wanted = struct.pack(f">{len(samples)}H", *samples)
    expect(run("-q", "-t", "ppm", "-p", "rgb16", input=data).stdout == b"P6\n13 9\n65535\n" + wanted)
    gray = noise(1, 16)
    done = run("-q", "-t", "ppm", "-p", "gray16", input=png(gray, 1, 16))
    expect(done.stdout == b"P5\n13 9\n65535\n" + struct.pack(f">{len(gray)}H", *gray))
    expect(tool("pamdepth", "65535", data=done.stdout).endswith(struct.pack(f">{len(gray)}H", *gray)), "netpbm")
    expect(run("-q", "-t", "ppm", input=data).stdout.startswith(b"P6\n13 9\n255\n"), "8 bits, unless asked")


@test
def jpeg_in_every_format():
    """libjpeg knows some formats, and the others are made of what it gives."""
    for path, channels in ((JPEG, 1), ("samples/photograph.jpg", 3)):
        samples = run("-q", "-p", "gray" if channels == 1 else "rgb", path).stdout
        luma_only = run("-q", "-p", "gray", path).stdout
        for pixel_format in ("rgba16", "rgb16", "rgbaf32", "gray-alpha", "gray16", "gray-alpha16"):
            source = (luma_only, 1) if pixel_format.startswith("gray") else (samples, channels)
            small = source[0][:3000 * source[1]]
            ours = run("-q", "-p", pixel_format, path).stdout
            wanted = convert(small, source[1], 8, pixel_format)
            expect(len(ours) * len(small) == len(wanted) * len(source[0]), f"{path} as {pixel_format}: size")
            expect(ours[:len(wanted)] == wanted, f"{path} as {pixel_format}")


@test
def formats_that_do_not_exist_or_do_not_fit():
    data = png(noise(3, 8), 3, 8)
    for option in ("rgb17", "RGBA_F16", "rgba16be", "14", ""):
        expect_failure(run("-q", "-p", option, input=data), 1, "is not known", "gray-alpha16", "native")
    for sink, option in (("png", "rgbaf32"), ("png", "bgra"), ("pam", "rgbaf16"), ("ppm", "gray-alpha"), ("ppm", "rgba16"),
                         ("bmp", "rgb16"), ("preview", "rgba16")):
        expect_failure(run("-q", "-t", sink, "-p", option, input=data), 1, f"is not supported by {sink} output")


# ---- reduced, and in part ----


def means(samples, channels):
    """Of squares of two by two; colours count by alpha."""
    result = []
    for y in range(0, HEIGHT, 2):
        for x in range(0, WIDTH, 2):
            square = [samples[(row * WIDTH + column) * channels:(row * WIDTH + column + 1) * channels]
                      for row in range(y, min(y + 2, HEIGHT)) for column in range(x, min(x + 2, WIDTH))]
            weights = [pixel[-1] if channels % 2 == 0 else 1 for pixel in square]
            total = sum(weights)
            for channel in range(channels):
                alpha = channels % 2 == 0 and channel == channels - 1
                number = sum(pixel[channel] * (1 if alpha else weight) for pixel, weight in zip(square, weights))
                count = len(square) if alpha else total
                result.append((number + count // 2) // count if count else 0)
    return result


@test
def reduced_pictures_of_every_format():
    for (channels, depth), native in NATIVE.items():
        samples = noise(channels, depth)
        ours = pixels(png(samples, channels, depth), native, "--scale", "2")
        wanted = means(samples, channels)
        expect(ours == struct.pack(f"<{len(wanted)}{'H' if depth == 16 else 'B'}", *wanted), native)
    # Floats are reduced as light.
    half = [0, 0, 65535, 65535]
    ours = struct.unpack("<4f", pixels(png(half, 1, 16, 2, 2), "rgbaf32", "--scale", "2"))
    expect(ours == (0.5, 0.5, 0.5, 1), ours)


@test
def missing_rows_are_transparent():
    samples = noise(1, 16)
    data = png(samples, 1, 16)
    row = WIDTH * 4
    for cut in range(len(data) - 100, len(data) - 40, 9):
        done = run("-q", "--partial", "-p", "gray-alpha16", input=data[:cut])
        expect_status(done, 0)
        expect(len(done.stdout) == row * HEIGHT)
        whole = convert(samples, 1, 16, "gray-alpha16")
        rows = next(y for y in range(HEIGHT + 1) if done.stdout[y * row:(y + 1) * row] != whole[y * row:(y + 1) * row])
        expect(done.stdout[rows * row:] == bytes((HEIGHT - rows) * row), rows)
    done = run("-q", "--partial", "-t", "pam", input=data[:-60])
    expect(b"DEPTH 2\nMAXVAL 65535\nTUPLTYPE GRAYSCALE_ALPHA\n" in done.stdout, done.stdout[:80])


# ---- light ----


LIGHT = (0.0, 1.0, 0.5, -1.5, 7.25, 1e-6, 65504.0, 1e9, 0.2, 0.003, float("inf"), 3.0)


def pfm(values, color, order="<", scale="1.0"):
    magic = "PF" if color else "Pf"
    count = len(values) // (3 if color else 1)
    return f"{magic}\n{count} 1\n{'-' if order == '<' else ''}{scale}\n".encode() + struct.pack(f"{order}{len(values)}f", *values)


def as_quads(values, channels):
    return struct.pack(f"<{len(values) // channels * 4}f", *(value for quad in quads(values, channels, 1.0) for value in quad))


@test
def floats_of_pfm_come_as_they_are():
    for order in "<>":
        for color in (True, False):
            data = pfm(LIGHT, color, order)
            expect(pixels(data, "rgbaf32") == as_quads(LIGHT, 3 if color else 1), (order, color))
            told = info(data)
            expect(told["float"] is True and told["native"] == "rgbaf32" and told["depth"] == 32, told)
    expect(pixels(pfm((2.0, 4.0, 8.0), True, scale="4.0"), "rgbaf32") == as_quads((0.5, 1.0, 2.0), 3), "divided by the scale")
    ours = struct.unpack("<16e", pixels(pfm(LIGHT, True), "rgbaf16"))
    expect(ours[:3] == (0, 1, 0.5) and ours[9:11] == (float("inf"), struct.unpack("<e", struct.pack("<e", .2))[0]), ours)
    nothing = struct.unpack("<4f", pixels(pfm((float("nan"), 1, 1), True), "rgbaf32"))
    expect(nothing[0] != nothing[0], "no number became one")


@test
def radiance_is_light():
    data = b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 3\n" + bytes((128, 64, 32, 128, 255, 1, 0, 200, 9, 8, 7, 0))
    wanted = [value * 2.0 ** -8 for value in (128, 64, 32)] + [value * 2.0 ** 64 for value in (255, 1, 0)] + [0.0] * 3
    expect(pixels(data, "rgbaf32") == as_quads(wanted, 3))
    expect(info(data)["native"] == "rgbaf32", info(data))
    # Integers are cut and get the curve.
    deep = struct.unpack("<9H", pixels(data, "rgb16"))
    near = [round((1.055 * value ** (1 / 2.4) - 0.055) * 65535) for value in (0.5, 0.25, 0.125)] + [65535, 65535, 0, 0, 0, 0]
    expect(all(abs(a - b) <= 1 for a, b in zip(deep, near)), (deep, near))


def tiff(values, channels, bits, **tags):
    """One row of floats; alpha is straight, unless it says otherwise."""
    count = len(values) // channels
    planar, extra = tags.get("planar", 1), tags.get("extra", 2)
    order = values if planar == 1 else [value for channel in range(channels) for value in values[channel::channels]]
    data = struct.pack(f"<{len(values)}{ {16: 'e', 32: 'f', 64: 'd'}[bits]}", *order)
    strips = channels if planar == 2 else 1
    entries = {256: (3, [count]), 257: (3, [1]), 258: (3, [bits] * channels), 259: (3, [1]),
               262: (3, [tags.get("photometric", 2 if channels > 2 else 1)]), 277: (3, [channels]), 278: (3, [1]),
               273: (4, [8 + i * (len(data) // strips) for i in range(strips)]), 279: (4, [len(data) // strips] * strips),
               284: (3, [planar]), 339: (3, [3] * channels)}
    if channels % 2 == 0:
        entries[338] = (3, [extra])
    body = b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(entries))
    at, more = len(body) + 12 * len(entries) + 4, b""
    for tag, (kind, numbers) in sorted(entries.items()):
        packed = struct.pack(f"<{len(numbers)}{'H' if kind == 3 else 'I'}", *numbers)
        body += struct.pack("<HHI", tag, kind, len(numbers))
        body += packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", at + len(more))
        more += packed if len(packed) > 4 else b""
    return body + struct.pack("<I", 0) + more


@test
def floats_of_tiff_come_as_they_are():
    values = [0.0, 1.0, 0.5, -1.5, 7.25, 0.125, 3.0, 0.25, 65504.0, 0.75, 2.0, 1.0]
    for bits, native in ((16, "rgbaf16"), (32, "rgbaf32"), (64, "rgbaf32")):
        for channels in (1, 2, 3, 4):
            for planar in (1, 2):
                data = tiff(values, channels, bits, planar=planar)
                told = info(data)
                expect((told["float"], told["native"], told["depth"]) == (True, native, bits), told)
                expect(pixels(data, "rgbaf32") == as_quads(values, channels), (bits, channels, planar))
                halves = struct.unpack(f"<{len(values) // channels * 4}e", pixels(data, "rgbaf16"))
                expect(struct.pack(f"<{len(halves)}f", *halves) == as_quads(values, channels), (bits, channels, planar))
    # Associated alpha is divided away, and the least is white where the file says so.
    expect(pixels(tiff([0.5, 0.25, 1.0, 0.5], 4, 32, extra=1), "rgbaf32") == struct.pack("<4f", 1, 0.5, 2, 0.5))
    expect(pixels(tiff([0.25], 1, 32, photometric=0), "rgbaf32") == struct.pack("<4f", 0.75, 0.75, 0.75, 1))
    # Integers are cut to 0 to 1.
    expect(struct.unpack("<3H", pixels(tiff([-1.0, 0.5, 2.0], 1, 32), "gray16")) == (0, 32768, 65535))


@test
def floats_of_jxl_are_those_of_djxl():
    with Folder() as folder:
        count = 48 * 32 * 3
        values = [(at // 3 % 48) / 47 * (1.0, 0.5, 0.25)[at % 3] for at in range(count)]
        folder.write("in.pfm", b"PF\n48 32\n-1.0\n" + struct.pack(f"<{count}f", *values))
        for distance, curve in (("0", "Lin"), ("0", "SRG"), ("0.5", "Lin"), ("0.5", "SRG")):
            space = f"color_space=RGB_D65_SRG_Rel_{curve}"
            tool("cjxl", "-d", distance, "-x", space, folder("in.pfm"), folder("made.jxl"))
            tool("djxl", folder("made.jxl"), folder("out.pfm"))
            data = read(folder("made.jxl"))
            told = info(data)
            expect(told["float"] is True and told["native"] == "rgbaf32", told)
            theirs = struct.unpack("<" + "4f" * (count // 3), pixels(read(folder("out.pfm")), "rgbaf32"))
            ours = struct.unpack("<" + "4f" * (count // 3), pixels(data, "rgbaf32"))
            for place, (mine, other) in enumerate(zip(ours, theirs)):
                other = linear(other * 65535) if curve == "SRG" and place % 4 < 3 else other
                near = 1e-6 if distance == "0" else 0.02
                expect(abs(mine - other) <= near * max(1, abs(other)), (distance, curve, place, mine, other))


@test
def bc6_is_light():
    """The curve, turned back, is what comes as halves."""
    data = read("samples/dds/bc6h.dds")
    told = info(data)
    expect(told["float"] is True and told["native"] == "rgbaf16", told)
    halves = pixels(data, "rgbaf16")
    count = len(halves) // 2
    light = struct.unpack(f"<{count}e", halves)
    expect(pixels(data, "rgbaf32") == struct.pack(f"<{count}f", *light), "a half is a float")
    curved = struct.unpack(f"<{count}H", pixels(data, "rgba16"))
    for place, (value, encoded) in enumerate(zip(light, curved)):
        value = min(max(value, 0.0), 1.0)
        wanted = value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
        expect(place % 4 == 3 or abs(wanted * 65535 - encoded) <= 1.5, (place, value, encoded))


if __name__ == "__main__":
    sys.exit(main())
