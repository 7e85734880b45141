#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""PNGs of every colour type and depth, with chunks about colour in every order: what is announced must be what comes.

    tests/cli/png_chunks_test.py BUILD_FOLDER

The files are built here, and so is what must come of them, by the rules of the PNG specification.  Where the tRNS of an
RGB picture comes before its PLTE, these say nothing: libpng drops the former up to 1.6.46, and the latter since.  So
the libpng with which the decoder is linked is asked, too: what comes must be what that gives in this process.
"""

import ctypes
import io
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile

from cli_support import BUILD, Folder, Skip, expect, main, read, run, test
from png_files import GRAY, GRAY_ALPHA, HEIGHT, KINDS, PALETTE, RGB, RGBA, WIDTH, Picture

# Each output is synchronised, and there are a thousand.
tempfile.tempdir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def swapped(data):
    """Samples of 16 bits, from the order of files to the machine's, or back."""
    return b"".join(data[at:at + 2][::-1] for at in range(0, len(data), 2))


class Libpng:
    """The library that the decoder is linked with, in this process.  What it calls an error ends this."""

    def __init__(self):
        linked = subprocess.run(["ldd", os.path.join(BUILD, "decoders/png")], check=True, capture_output=True).stdout
        self.library = ctypes.CDLL(re.search(rb"libpng\S* => (\S+)", linked)[1].decode())
        self.quiet = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)(lambda png, message: None)

    def call(self, name, *arguments, returns=ctypes.c_void_p):
        function = self.library["png_" + name]
        function.restype = returns
        return function(*arguments)

    def decode(self, data, deep):
        """Pixels of red, green, blue and alpha, of 8 or 16 bits; and whether alpha is the picture's own."""
        stream = io.BytesIO(data)
        give = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)(
            lambda png, room, size: ctypes.memmove(room, stream.read(size).ljust(size, b"\0"), size) and None)
        version = self.call("get_libpng_ver", None, returns=ctypes.c_char_p)
        png = ctypes.c_void_p(self.call("create_read_struct", version, None, None, self.quiet))
        info = ctypes.c_void_p(self.call("create_info_struct", png))
        self.call("set_read_fn", png, None, give)
        self.call("read_info", png, info)
        for transform in ("set_expand_16",) if deep else ("set_expand", "set_scale_16"):
            self.call(transform, png)
        self.call("set_gray_to_rgb", png)
        self.call("set_interlace_handling", png)
        self.call("read_update_info", png, info)
        channels = self.call("get_channels", png, info, returns=ctypes.c_ubyte)
        room = ctypes.create_string_buffer(self.call("get_rowbytes", png, info, returns=ctypes.c_size_t) * HEIGHT)
        stride = len(room) // HEIGHT
        rows = (ctypes.c_void_p * HEIGHT)(*(ctypes.addressof(room) + y * stride for y in range(HEIGHT)))
        self.call("read_image", png, rows)
        self.call("read_end", png, info)
        self.call("destroy_read_struct", ctypes.byref(png), ctypes.byref(info), None)
        size = channels * (2 if deep else 1)
        expect(channels in (3, 4) and stride == WIDTH * size, f"libpng gives {channels} channels, {stride} bytes a row")
        opaque = b"" if channels == 4 else b"\xff" * (2 if deep else 1)
        raw = swapped(room.raw) if deep else room.raw
        return b"".join(raw[i:i + size] + opaque for i in range(0, len(room), size)), channels == 4


def pictures():
    chunks = ("PLTE", "tRNS", "bKGD", "sBIT")
    orders = [order for count in range(len(chunks) + 1) for order in itertools.permutations(chunks, count)]
    for (kind, depth), (number, order) in itertools.product(KINDS, enumerate(orders)):
        yield Picture(kind, depth, order, number % 2)


def decoded(folder, wanted, extension, *options):
    """What comes of each picture: None where it was refused."""
    paths = [folder.write(picture.name, picture.file()) for picture in wanted]
    run("-q", *options, "--output-dir", folder("out"), *paths)
    for picture in wanted:
        path = folder("out", picture.name[:-len(".png")] + extension)
        if not os.path.exists(path):
            path = folder("out", picture.name + extension)
        came = os.path.exists(path)
        expect(came != picture.refused(), f"{picture.name} was {'' if came else 'not '}decoded: {folder.names()[:3]}")
        yield picture, read(path) if came else None


def check(option, deep):
    libpng = Libpng()
    with Folder() as folder:
        for picture, pixels in decoded(folder, list(pictures()), "." + option, "-p", option):
            if pixels is None:
                continue
            right = [picture.pixels(deep, one) for one in picture.readings()]
            expect(pixels in right, f"{picture.name} has other pixels")
            expect(pixels == libpng.decode(picture.file(), deep)[0], f"{picture.name} has other pixels than libpng's")


@test
def chunks_about_color_in_every_order():
    """Of an RGB picture whose tRNS came before its PLTE, rows of three bytes a pixel were taken for rows of four."""
    check("rgba", False)


@test
def chunks_about_color_in_every_order_with_16_bits():
    check("rgba16", True)


@test
def what_is_announced_is_what_comes():
    """Channels and alpha, as --info has them; and an output whose channels are those of the picture."""
    libpng = Libpng()
    with Folder() as folder:
        results = list(decoded(folder, list(pictures()), ".pam", "-t", "pam"))
        lines = run("-q", "-i", *(folder(picture.name) for picture, pam in results)).stdout.splitlines()
        infos = {os.path.basename(said["file"]): said for said in map(json.loads, lines)}
        for picture, pam in results:
            if pam is None:
                expect(picture.name not in infos, f"{picture.name} was announced")
                continue
            deep = picture.depth == 16
            pixels, alpha = libpng.decode(picture.file(), deep)
            said = infos[picture.name]
            gray = picture.kind in (GRAY, GRAY_ALPHA)
            expect((said["width"], said["height"], said["alpha"], said["channels"]) ==
                   (WIDTH, HEIGHT, alpha, (1 if gray else 3) + alpha), f"{picture.name}: {said}")
            channels = (1 if gray else 3) + alpha
            size = 2 if deep else 1
            quads = (pixels[i:i + 4 * size] for i in range(0, len(pixels), 4 * size))
            wanted = b"".join(quad[:size if gray else 3 * size] + (quad[3 * size:] if alpha else b"") for quad in quads)
            header, body = pam.split(b"ENDHDR\n", 1)
            expect(f"\nDEPTH {channels}\n".encode() in header, f"{picture.name}: {header}")
            expect((swapped(body) if deep else body) == wanted, f"{picture.name} has other pixels than libpng's")


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
                expect(image.convert("RGBA").tobytes() == picture.pixels(False, *picture.readings()), picture.name)


if __name__ == "__main__":
    sys.exit(main())
