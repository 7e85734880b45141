#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""PNGs of every colour type and depth, with chunks about colour in every order: what is announced must be what comes.

    tests/png_chunks_test.py BUILD_FOLDER

The files are built here, and so is what must come of them, by the rules of the PNG specification; where the order is not
valid, by those of libpng, which drops a tRNS that comes before a PLTE.
"""

import io
import itertools
import os
import random
import struct
import sys
import tempfile
import zlib

from cli_support import Folder, Skip, expect, main, read, run, test

# Each output is synchronised, and there are a thousand.
tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

SIGNATURE = b"\x89PNG\r\n\x1a\n"
WIDTH, HEIGHT = 11, 9
GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}
KINDS = [(GRAY, 1), (GRAY, 2), (GRAY, 4), (GRAY, 8), (GRAY, 16), (RGB, 8), (RGB, 16), (PALETTE, 1), (PALETTE, 2),
         (PALETTE, 4), (PALETTE, 8), (GRAY_ALPHA, 8), (GRAY_ALPHA, 16), (RGBA, 8), (RGBA, 16)]
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
ENTRIES = 256


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def pack_rows(rows, depth):
    """Samples to bytes, each row after its filter type."""
    packed = b""
    for row in rows:
        bits = "".join(format(sample, f"0{depth}b") for pixel in row for sample in pixel)
        bits += "0" * (-len(bits) % 8)
        packed += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return packed


class Picture:
    def __init__(self, kind, depth, names, interlaced):
        self.kind, self.depth, self.names, self.interlaced = kind, depth, names, interlaced
        self.name = f"{kind}-{depth}-{'-'.join(names)}-{'interlaced' if interlaced else 'plain'}.png"
        dice = random.Random(self.name)
        few = [tuple(dice.randrange(1 << depth) for _ in range(CHANNELS[kind])) for _ in range(5)]
        self.rows = [[dice.choice(few) if dice.random() < 0.5 else
                      tuple(dice.randrange(1 << depth) for _ in range(CHANNELS[kind])) for _ in range(WIDTH)]
                     for _ in range(HEIGHT)]
        self.key = few[0]
        entries = min(ENTRIES, 1 << depth)
        self.palette = [tuple(dice.randrange(256) for _ in range(3)) for _ in range(entries)]
        self.alpha = [dice.randrange(256) for _ in range((entries + 1) // 2)]

    def body(self, name):
        color = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 1, RGBA: 3}[self.kind]
        if name == "PLTE":
            return bytes(itertools.chain(*self.palette))
        if name == "tRNS":
            return bytes(self.alpha) if self.kind == PALETTE else struct.pack(f">{color}H", *self.key[:color])
        if name == "bKGD":
            return b"\0" if self.kind == PALETTE else struct.pack(f">{color}H", *self.key[:color])
        return bytes([1] * (3 if self.kind == PALETTE else CHANNELS[self.kind]))  # sBIT

    def file(self):
        header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, self.depth, self.kind, 0, 0, self.interlaced)
        if self.interlaced:
            passes = [[row[x::dx] for row in self.rows[y::dy]] for x, y, dx, dy in PASSES]
            data = b"".join(pack_rows([row for row in rows if row], self.depth) for rows in passes)
        else:
            data = pack_rows(self.rows, self.depth)
        chunks = b"".join(chunk(name.encode(), self.body(name)) for name in self.names)
        return SIGNATURE + chunk(b"IHDR", header) + chunks + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")

    def refused(self):
        return self.kind == PALETTE and "PLTE" not in self.names

    def transparent(self):
        if "tRNS" not in self.names or self.kind in (GRAY_ALPHA, RGBA):
            return False
        # To a gray picture, a palette means nothing at all.
        return self.kind == GRAY or "PLTE" not in self.names[self.names.index("tRNS"):]

    def pixel(self, samples, deep):
        """Red, green, blue and alpha, of 8 or 16 bits."""
        if self.kind == PALETTE:
            index = samples[0]
            alpha = self.alpha[index] if self.transparent() and index < len(self.alpha) else 255
            return tuple(value * (257 if deep else 1) for value in (*self.palette[index], alpha))
        most = (1 << self.depth) - 1
        color = samples if self.kind in (RGB, RGBA) else (samples[0],) * 3 + samples[1:]
        if len(color) == 3:
            color += (0 if self.transparent() and samples == self.key else most,)
        if self.depth == 16:
            return color if deep else tuple((value * 255 + 32895) >> 16 for value in color)
        return tuple(value * 255 // most * (257 if deep else 1) for value in color)

    def pixels(self, deep):
        form = ">4H" if deep else ">4B"
        return b"".join(struct.pack(form, *self.pixel(samples, deep)) for row in self.rows for samples in row)


def pictures():
    chunks = ("PLTE", "tRNS", "bKGD", "sBIT")
    orders = [order for count in range(len(chunks) + 1) for order in itertools.permutations(chunks, count)]
    for (kind, depth), (number, order) in itertools.product(KINDS, enumerate(orders)):
        yield Picture(kind, depth, order, number % 2)


def check(option, deep):
    wanted = list(pictures())
    with Folder() as folder:
        paths = [folder.write(picture.name, picture.file()) for picture in wanted]
        run("-q", "-p", option, "--output-dir", folder("out"), *paths)
        for picture in wanted:
            path = folder("out", picture.name[:-len(".png")] + "." + option)
            if not os.path.exists(path):
                path = folder("out", picture.name + "." + option)
            if picture.refused():
                expect(not os.path.exists(path), f"{picture.name} was decoded")
            else:
                expect(os.path.exists(path), f"{picture.name} was not decoded: {folder.names()[:3]}")
                expect(read(path) == picture.pixels(deep), f"{picture.name} has other pixels")


@test
def chunks_about_color_in_every_order():
    """Of an RGB picture whose tRNS came before its PLTE, rows of three bytes a pixel were taken for rows of four."""
    check("rgba", False)


@test
def chunks_about_color_in_every_order_with_16_bits():
    check("rgba16", True)


@test
def what_is_announced_of_alpha_is_what_comes():
    for picture in (Picture(RGB, 8, ("tRNS", "PLTE"), 0), Picture(RGB, 8, ("PLTE", "tRNS"), 0)):
        done = run("-i", "-", input=picture.file())
        alpha = b'"alpha": true' in done.stdout
        expect(alpha == picture.transparent(), f"{picture.name}: {done.stdout}")


@test
def the_expectation_is_that_of_pillow():
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    for kind, interlaced in itertools.product((GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA), (0, 1)):
        for names in (("PLTE",), ("PLTE", "tRNS"), ("PLTE", "tRNS", "bKGD", "sBIT")):
            if kind in (GRAY, GRAY_ALPHA):
                names = names[1:]
            picture = Picture(kind, 8, tuple(names), interlaced)
            with Image.open(io.BytesIO(picture.file())) as image:
                expect(image.convert("RGBA").tobytes() == picture.pixels(False), picture.name)


if __name__ == "__main__":
    sys.exit(main())
