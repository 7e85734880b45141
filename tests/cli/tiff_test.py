#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""TIFF and JPEG 2000: pixels against independent tools, damage, limits, recognition.

    tests/cli/tiff_test.py BUILD_FOLDER
"""

import io
import json
import struct
import subprocess
import sys

from cli_support import Folder, Skip, expect, expect_failure, expect_status, main, read, run, test

SMALL = "samples/tiff/hippopotamus.tiff"
SMALL_JP2 = "samples/jpeg2000/hippopotamus.jp2"
TILED_JP2 = "samples/jpeg2000/tiled.jp2"
SHORT, LONG = 3, 4


def tool(*command):
    try:
        return subprocess.run(command, capture_output=True, check=True).stdout
    except FileNotFoundError as error:
        raise Skip(f"{command[0]} is not installed") from error


def pillow():
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    return Image


def ppm(data):
    done = run("-q", "-p", "rgb", "-t", "ppm", input=data)
    expect_status(done, 0)
    return done.stdout


def plain_tiff(width, height, data, tags, order="<", extra=b""):
    """An uncompressed TIFF of one strip; tags: number to (type, values)."""
    tags = {256: (LONG, [width]), 257: (LONG, [height]), 258: (SHORT, [8]), 259: (SHORT, [1]), 262: (SHORT, [1]),
            277: (SHORT, [1]), 278: (LONG, [height]), 279: (LONG, [len(data)]), **tags}
    tags[273] = (LONG, [8])
    body = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(data) + len(data) % 2) + data
    body += b"\0" * (len(data) % 2)
    values_at = len(body) + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, (kind, numbers) in sorted(tags.items()):
        packed = struct.pack(order + f"{len(numbers)}{'H' if kind == SHORT else 'I'}", *numbers)
        entries += struct.pack(order + "HHI", tag, kind, len(numbers))
        if len(packed) <= 4:
            entries += packed.ljust(4, b"\0")
        else:
            entries += struct.pack(order + "I", values_at + len(values))
            values += packed
    return body + struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", 0) + values + extra


# ---- TIFF: pixels ----


@test
def compressions_give_the_same_pixels():
    with Folder() as folder:
        tool("convert", SMALL, "-compress", "none", folder("plain.tif"))
        wanted = ppm(read(folder("plain.tif")))
        for options in ("-c none", "-c lzw", "-c lzw:2", "-c zip", "-c zip:2", "-c packbits", "-c zstd", "-c lzma", "-c none -t -w 16 -l 16",
                        "-c lzw -t -w 32 -l 16", "-c zip -p separate", "-c lzw -p separate -t -w 16 -l 16",
                        "-c none -B", "-c none -8", "-c zip -8 -B", "-c none -r 5", "-c lzw -r 1", "-c none -f lsb2msb"):
            tool("tiffcp", *options.split(), folder("plain.tif"), folder("a.tif"))
            expect(ppm(read(folder("a.tif"))) == wanted, options)


@test
def pixels_are_those_of_convert():
    """Of other depths, colours and alpha, too."""
    with Folder() as folder:
        for name, options in (("gray", "-colorspace Gray"), ("gray16", "-colorspace Gray -depth 16"),
                              ("rgb16", "-depth 16"), ("bilevel", "-monochrome"), ("palette", "-type Palette"),
                              ("fax", "-monochrome -compress Group4"), ("white", "-monochrome -compress Fax"),
                              ("alpha", "-alpha set -channel A -evaluate set 40%"),
                              ("float", "-depth 32 -define quantum:format=floating-point"),
                              ("bits4", "-colorspace Gray -depth 4"), ("tiles", "-define tiff:tile-geometry=16x16")):
            tool("convert", SMALL, *options.split(), folder("a.tif"))
            deep = name in ("gray16", "rgb16", "float")
            wanted = tool("convert", folder("a.tif"), "-depth", "16" if deep else "8", "-endian", "LSB", "rgba:-")
            done = run("-q", "-p", "rgba16" if deep else "rgba", folder("a.tif"))
            expect_status(done, 0)
            near = len(done.stdout) == len(wanted) and all(abs(a - b) <= 1 for a, b in zip(done.stdout[deep::2], wanted[deep::2]))
            expect(near, name)


@test
def subsampled_chroma_is_that_of_libtiff():
    data = bytes(range(6)) * 12  # clumps of 2 by 2 pixels
    tags = {258: (SHORT, [8, 8, 8]), 262: (SHORT, [6]), 277: (SHORT, [3]), 530: (SHORT, [2, 2])}
    with Folder() as folder:
        path = folder.write("a.tif", plain_tiff(8, 6, data, tags))
        tool("tiff2rgba", "-c", "none", path, folder("b.tif"))
        expect(run("-q", "-p", "rgba", path).stdout == run("-q", "-p", "rgba", folder("b.tif")).stdout)


@test
def samples_mean_what_their_tags_say():
    for data, tags, wanted in ((b"\0\x40\xff", {262: (SHORT, [0])}, "ffbf00"),
                               (b"\x80\0\x7f", {339: (SHORT, [2])}, "0080ff"),
                               (b"\x1b", {258: (SHORT, [2])}, "0055aa"),
                               (struct.pack("<3H", 0, 0x8000, 0xffff), {258: (SHORT, [16])}, "0080ff"),
                               (struct.pack("<3f", -1, .5, 2), {258: (SHORT, [32]), 339: (SHORT, [3])}, "0080ff"),
                               (struct.pack("<3e", float("nan"), .5, 2), {258: (SHORT, [16]), 339: (SHORT, [3])},
                                "0080ff"),
                               (struct.pack("<3I", 0, 1 << 31, 0xffffffff), {258: (SHORT, [32])}, "0080ff")):
        done = run("-q", "-p", "gray", input=plain_tiff(3, 1, data, tags))
        expect(done.stdout.hex() == wanted, f"{tags}: {done.stdout.hex()}")
    done = run("-q", "-p", "gray", input=plain_tiff(3, 1, struct.pack(">3H", 0, 0x8000, 0xffff), {258: (SHORT, [16])}, ">"))
    expect(done.stdout.hex() == "0080ff")


@test
def alpha_is_straight():
    pixel = bytes((64, 32, 0, 128))
    for extra, wanted in (([1], "80400080"), ([2], "40200080"), ([0], "402000ff"), (None, "40200080")):
        tags = {258: (SHORT, [8] * 4), 262: (SHORT, [2]), 277: (SHORT, [4])}
        if extra is not None:
            tags[338] = (SHORT, extra)
        done = run("-q", "-p", "rgba", input=plain_tiff(1, 1, pixel, tags))
        expect(done.stdout.hex() == wanted, f"{extra}: {done.stdout.hex()}")


@test
def orientation_and_pages_are_told():
    info = json.loads(run("-i", "-", input=plain_tiff(3, 1, b"abc", {274: (SHORT, [6])})).stdout)
    expect(info["orientation"] == 6 and info["width"] == 3)
    stream = io.BytesIO()
    image = pillow().new("L", (4, 4))
    image.save(stream, "TIFF", save_all=True, append_images=[image, image])
    expect(json.loads(run("-i", "-", input=stream.getvalue()).stdout)["frames"] == 3)
    # A directory that follows itself.
    data = bytearray(plain_tiff(3, 1, b"abc", {}))
    at = struct.unpack_from("<I", data, 4)[0]
    struct.pack_into("<I", data, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], at)
    expect(json.loads(run("-i", "-", input=bytes(data)).stdout)["frames"] == 1)


# ---- JPEG 2000: pixels ----


@test
def jpeg2000_is_that_of_opj_decompress():
    with Folder() as folder:
        tool("convert", SMALL, folder("a.png"))
        tool("convert", SMALL, "-depth", "16", "-evaluate", "multiply", "0.7", folder("b.png"))
        for source, options in (("a", "-n 3"), ("a", "-n 3 -I -r 4"), ("a", "-n 2 -t 16,16"), ("a", "-n 2 -p RPCL -b 16,16"),
                                ("b", "-n 3"), ("a", "-n 2 -d 3,5 -T 1,2 -t 20,16")):
            for kind in ("jp2", "j2k"):
                tool("opj_compress", "-i", folder(source + ".png"), "-o", folder("a." + kind), *options.split())
                tool("opj_decompress", "-i", folder("a." + kind), "-o", folder("c.png"))
                for scale in ((), ("--scale", "2")) if "-d" not in options else ((),):
                    if scale:
                        tool("opj_decompress", "-r", "1", "-i", folder("a." + kind), "-o", folder("c.png"))
                    done = run("-q", "-p", "rgba16", *scale, folder("a." + kind))
                    expect(done.stdout == run("-q", "-p", "rgba16", folder("c.png")).stdout, f"{options} {kind}")


# ---- damage and limits ----


@test
def every_prefix_is_refused_or_whole():
    for path in (SMALL, "samples/tiff/cmyk_u8_edge_case.tif", SMALL_JP2, TILED_JP2):
        data = read(path)
        for size in range(1, len(data), max(1, len(data) // 150)):
            done = run("-q", input=data[:size])
            expect(done.returncode in (0, 3, 4, 7), f"{path}, {size} bytes: {done.returncode}")
    expect_failure(run("-q", input=read(TILED_JP2)[:-200]), 3, "ends early")


@test
def partial_keeps_whole_strips():
    data = plain_tiff(100, 400, bytes(range(100)) * 400, {278: (LONG, [400])})
    moved = bytearray(data)
    # The directory first, and then the picture, of which a part is missing.
    at = struct.unpack_from("<I", data, 4)[0]
    directory = bytearray(data[at:])
    count = struct.unpack_from("<H", directory)[0]
    for i in range(count):
        if struct.unpack_from("<H", directory, 2 + 12 * i)[0] == 273:
            struct.pack_into("<I", directory, 2 + 12 * i + 8, 8 + len(directory))
    moved = b"II*\0" + struct.pack("<I", 8) + bytes(directory) + bytes(range(100)) * 400
    expect(run("-q", "-p", "gray", input=moved).stdout == bytes(range(100)) * 400)
    expect_failure(run("-q", input=moved[:-20000]), 3, "ends early")
    done = run("-q", "--partial", "-p", "gray", input=moved[:-20000])
    expect_status(done, 0)
    expect(done.stdout.startswith(bytes(range(100)) * 100) and len(done.stdout) == 40000)


@test
def limits_hold():
    for path in (SMALL, SMALL_JP2):
        expect_failure(run("-q", "--max-side", "20", path), 4, "--max-side")
        expect_failure(run("-q", "--max-pixels", "100", path), 4, "--max-pixels")
    big = plain_tiff(30000, 30000, b"abc", {})
    expect_failure(run("-q", "--max-pixels", "1000000", input=big), 4, "--max-pixels")
    tiles = plain_tiff(100, 100, b"abc", {322: (LONG, [65536]), 323: (LONG, [65536]), 324: (LONG, [8]), 325: (LONG, [3])})
    expect(run("-q", "--memory", "64M", input=tiles).returncode in (3, 4))


# ---- recognition ----


@test
def raw_photographs_are_named():
    for data, words in ((b"II*\0\x10\0\0\0CR\2\0" + bytes(100), "CR2"),
                        (plain_tiff(3, 1, b"abc", {50706: (LONG, [0x401])}), "DNG"),
                        (plain_tiff(3, 1, b"abc", {262: (SHORT, [32803])}), "a raw photograph"),
                        (plain_tiff(3, 1, b"abc", {254: (LONG, [1]), 271: (LONG, [1]), 330: (LONG, [8])}, ">"),
                         "a raw photograph")):
        expect_failure(run("-q", input=data), 7, words)


@test
def pieces_change_nothing():
    for path in (SMALL, SMALL_JP2):
        data = read(path)
        with subprocess.Popen(["sh", "-c", f"(for i in $(seq 0 {len(data) // 100}); do dd if={path} bs=100 skip=$i count=1 "
                               "2>/dev/null; done)"], stdout=subprocess.PIPE) as source:
            done = run("-q", stdin=source.stdout)
        expect(done.returncode == 0 and done.stdout == run("-q", path).stdout, path)


if __name__ == "__main__":
    sys.exit(main())
