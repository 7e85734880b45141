# SPDX-License-Identifier: MIT
"""PNGs that tests build, of every colour type and depth, and what must come of them by the PNG specification."""

import itertools
import random
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
WIDTH, HEIGHT = 11, 9
GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}
KINDS = [(GRAY, 1), (GRAY, 2), (GRAY, 4), (GRAY, 8), (GRAY, 16), (RGB, 8), (RGB, 16), (PALETTE, 1), (PALETTE, 2),
         (PALETTE, 4), (PALETTE, 8), (GRAY_ALPHA, 8), (GRAY_ALPHA, 16), (RGBA, 8), (RGBA, 16)]
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
ENTRIES = 256


def chunk(kind, body, checksum=None):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum or zlib.crc32(kind + body))


def pack_rows(rows, depth):
    """Samples to bytes, each row after its filter type."""
    packed = b""
    for row in rows:
        bits = "".join(format(sample, f"0{depth}b") for pixel in row for sample in pixel)
        bits += "0" * (-len(bits) % 8)
        packed += b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    return packed


class Picture:
    def __init__(self, kind, depth, names, interlaced, size=(WIDTH, HEIGHT), seed=""):
        self.kind, self.depth, self.names, self.interlaced = kind, depth, names, interlaced
        self.width, self.height = size
        self.name = f"{kind}-{depth}-{'-'.join(names)}-{'interlaced' if interlaced else 'plain'}.png"
        dice = random.Random(self.name + seed)
        few = [tuple(dice.randrange(1 << depth) for _ in range(CHANNELS[kind])) for _ in range(5)]
        self.rows = [[dice.choice(few) if dice.random() < 0.5 else
                      tuple(dice.randrange(1 << depth) for _ in range(CHANNELS[kind])) for _ in range(self.width)]
                     for _ in range(self.height)]
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

    def start(self):
        """The signature and the chunks before the image data."""
        header = struct.pack(">IIBBBBB", self.width, self.height, self.depth, self.kind, 0, 0, self.interlaced)
        return SIGNATURE + chunk(b"IHDR", header) + b"".join(chunk(name.encode(), self.body(name)) for name in self.names)

    def data(self):
        """The image data, compressed."""
        data = pack_rows(self.rows, self.depth)
        if self.interlaced:
            passes = [[row[x::dx] for row in self.rows[y::dy]] for x, y, dx, dy in PASSES]
            data = b"".join(pack_rows([row for row in rows if row], self.depth) for rows in passes)
        return zlib.compress(data)

    def file(self):
        return self.start() + chunk(b"IDAT", self.data()) + chunk(b"IEND", b"")

    def refused(self):
        return self.kind == PALETTE and "PLTE" not in self.names

    def readings(self):
        """Whether its tRNS counts: all answers that are right."""
        if "tRNS" not in self.names or self.kind in (GRAY_ALPHA, RGBA):
            return (False,)
        before_palette = "PLTE" in self.names[self.names.index("tRNS"):]
        if before_palette and self.kind == RGB:
            return (False, True)
        # To a gray picture, a palette means nothing at all.
        return (self.kind == GRAY or not before_palette,)

    def pixel(self, samples, deep, transparent):
        """Red, green, blue and alpha, of 8 or 16 bits."""
        if self.kind == PALETTE:
            index = samples[0]
            alpha = self.alpha[index] if transparent and index < len(self.alpha) else 255
            return tuple(value * (257 if deep else 1) for value in (*self.palette[index], alpha))
        most = (1 << self.depth) - 1
        color = samples if self.kind in (RGB, RGBA) else (samples[0],) * 3 + samples[1:]
        if len(color) == 3:
            color += (0 if transparent and samples == self.key else most,)
        if self.depth == 16:
            return color if deep else tuple((value * 255 + 32895) >> 16 for value in color)
        return tuple(value * 255 // most * (257 if deep else 1) for value in color)

    def pixels(self, deep, transparent):
        form = "<4H" if deep else ">4B"
        return b"".join(struct.pack(form, *self.pixel(samples, deep, transparent))
                        for row in self.rows for samples in row)
