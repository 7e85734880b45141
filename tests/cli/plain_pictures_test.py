#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""PNM, PAM, PFM, farbfeld, QOI, Radiance HDR, DDS and PSD: the right pixels, damage, limits.

    tests/cli/plain_pictures_test.py BUILD_FOLDER
"""

import os
import random
import struct
import subprocess
import sys

from cli_support import Skip, expect, expect_failure, expect_status, main, read, run, test
from picture_support import info, pixels, tool

FOLDERS = ("pnm", "pam", "pfm", "farbfeld", "qoi", "hdr", "dds", "psd")
DICE = random.Random(1)


def samples(*folders):
    return [f"samples/{folder}/{name}" for folder in folders for name in sorted(os.listdir(f"samples/{folder}"))]


def words(data):
    return struct.unpack(f"<{len(data) // 2}H", data)


# ---- PNM ----


@test
def pnm_is_scaled_as_netpbm_does_it():
    for kind in (2, 3, 5, 6):
        channels = 3 if kind in (3, 6) else 1
        for maxval in (1, 7, 100, 255, 256, 1000, 65534, 65535):
            values = [DICE.randint(0, maxval) for _ in range(13 * 9 * channels)]
            data = b"P%d # comment\n13 # another\n9\n%d\n" % (kind, maxval)
            if kind <= 3:
                data += b" ".join(b"%d" % value for value in values) + b"\n"
            else:
                data += struct.pack(f">{len(values)}{'H' if maxval > 255 else 'B'}", *values)
            color = tool("ppmtoppm", data=tool("pnmdepth", "255", data=data))[-13 * 9 * 3:]
            expect(pixels(data, "rgb") == color, f"P{kind}, {maxval}: 8 bits")
            deep = tool("ppmtoppm", data=tool("pnmdepth", "65535", data=data))[-13 * 9 * 6:]
            ours = words(pixels(data, "rgb16"))
            expect(struct.pack(f">{len(ours)}H", *ours) == deep, f"P{kind}, {maxval}: 16 bits")


@test
def bits_of_pnm():
    expect(pixels(b"P1\n3 2\n10 1\n#\n010", "gray") == b"\0\xff\0\xff\0\xff")
    expect(pixels(b"P4\n3 2\n\xa0\x5f", "gray") == b"\0\xff\0\xff\0\xff")
    expect(info(b"P4\n3 2\n\xa0\x5f")["depth"] == 1)


@test
def text_is_not_taken_for_pnm():
    for text in (b"P1 is first\n", b"P2\n", b"P3 12 monkeys\n", b"P3\n1 2x", b"P1 # 3 4\n"):
        expect_failure(run("-q", input=text), 7, "text")
    expect(info(b"P3 # a\n# b\n 1\t1 # c\n255\n1 2 3\n")["format"] == "pnm")


@test
def what_is_wrong_with_pnm():
    for data, status, what in ((b"P5 1 1 0\n\0", 3, "header"), (b"P5 1 1 65536\n\0", 3, "header"),
                               (b"P5 0 1 255\n\0", 3, "header"), (b"P5 1 a 255\n\0", 3, "header"),
                               (b"P5 99999999999 1 255\n\0", 4, "max-side"), (b"P5 2 2 255\n\0\0\0", 3, "early"),
                               (b"P2 2 2 255\n0 0 0 x\n", 3, "damaged"), (b"P2 2 2 255\n0 0 0 9", 3, "early"),
                               (b"P1 2 2\n0 0 0 2\n", 3, "damaged"), (b"P7\nWIDTH 1\nENDHDR\n\0", 3, "header"),
                               (b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 5\nMAXVAL 255\nENDHDR\n\0\0\0\0\0", 7, "variant"),
                               (b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n\0\0", 3, "header"),
                               (b"PF\n1 1\n0\n" + bytes(12), 3, "header"), (b"PF\n1 1\nnan\n" + bytes(12), 3, "header")):
        expect_failure(run("-q", input=data), status, what)
    # More than the largest is the largest, with a note; another picture may follow, and anything else is noted.
    expect(pixels(b"P5 2 1 100\n\x64\xc8", "gray") == b"\xff\xff")
    one = b"P5 1 1 255\n\x07"
    for rest, strict in ((b"", 0), (one, 0), (b"\n", 3)):
        expect(pixels(one + rest, "gray") == b"\7")
        expect_status(run("-q", "--strict", input=one + rest), strict)


@test
def tuples_of_pam():
    def pam(kind, depth, values, maxval=255):
        header = f"P7\n# c\nWIDTH 1\nHEIGHT 1\nDEPTH {depth}\nMAXVAL {maxval}\n{kind}ENDHDR\n"
        return header.encode() + bytes(values)
    for kind, values, expected in (("TUPLTYPE GRAYSCALE\n", (7,), (7, 7, 7, 255)), ("", (7, 8), (7, 7, 7, 8)),
                                   ("TUPLTYPE RGB\n", (1, 2, 3), (1, 2, 3, 255)), ("", (1, 2, 3), (1, 2, 3, 255)),
                                   ("TUPLTYPE RGB\n", (1, 2, 3, 4), (1, 2, 3, 255)),
                                   ("TUPLTYPE RGB_ALPHA\n", (1, 2, 3, 4), (1, 2, 3, 4)),
                                   ("TUPLTYPE A\nTUPLTYPE B\n", (1, 2, 3, 4), (1, 2, 3, 4)),
                                   ("TUPLTYPE CMYK\n", (255, 0, 0, 0), (0, 255, 255, 255)),
                                   ("TUPLTYPE CMYK\n", (0, 0, 0, 255), (0, 0, 0, 255))):
        expect(pixels(pam(kind, len(values), values), "rgba") == bytes(expected), (kind, values))
    expect(pixels(pam("TUPLTYPE BLACKANDWHITE\n", 1, (1,), 1), "gray") == b"\xff")


@test
def floats_are_cut_and_not_curved():
    values = (0.5, -1.0, 2.0, float("nan"), float("inf"), 0.25)
    for order, sign in (("<", "-"), (">", "")):
        for scale in (1, 2):
            data = f"PF\n2 1\n{sign}{scale}.0e0\n".encode() + struct.pack(order + "6f", *values)
            expected = [128, 0, 255, 0, 255, 64] if scale == 1 else [64, 0, 255, 0, 255, 32]
            expect(list(pixels(data, "rgb")) == expected, (order, scale, list(pixels(data, "rgb"))))
    # The first row is the lowest.
    expect(pixels(b"Pf\n1 2\n-1.0\n" + struct.pack("<2f", 0, 1), "gray") == b"\xff\0")


# ---- QOI, HDR ----


@test
def ends_of_qoi():
    header = b"qoif" + struct.pack(">IIBB", 2, 1, 4, 0)
    body, end = b"\xff\1\2\3\4\xc0", bytes(7) + b"\1"
    expect(pixels(header + body + end, "rgba") == bytes((1, 2, 3, 4)) * 2)
    for rest in (b"", end[:5], end + b"x", bytes(8)):
        expect(pixels(header + body + rest, "rgba") == bytes((1, 2, 3, 4)) * 2)
        expect_status(run("-q", "--strict", input=header + body + rest), 3)
    expect_failure(run("-q", input=b"qoif" + struct.pack(">IIBB", 2, 1, 5, 0)), 3, "header")


@test
def ways_up_of_radiance():
    ways = ("-Y 2 +X 3", "-Y 2 -X 3", "+Y 2 -X 3", "+Y 2 +X 3", "+X 2 -Y 3", "-X 2 -Y 3", "-X 2 +Y 3", "+X 2 +Y 3")
    for number, way in enumerate(ways):
        data = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n{way}\n".encode() + bytes((128, 64, 32, 128)) * 6
        told = info(data)
        expect(told["orientation"] == (number + 1 if number else None), told)
        expect((told["width"], told["height"]) == (3, 2), told)
        expect(pixels(data, "rgb") == bytes((188, 137, 99)) * 6, pixels(data, "rgb"))
    expect_failure(run("-q", input=b"#?RGBE\n\n-Y 2 +Y 2\n" + bytes(16)), 3, "header")
    expect_failure(run("-q", input=b"#?RGBE\nFORMAT=32-bit_rle_xyze\n\n-Y 2 +X 2\n" + bytes(16)), 7, "not supported")


# ---- DDS ----


def dds(side, data, code=bytes(4), flags=4, bits=0, masks=(0, 0, 0, 0), dxgi=None, alpha=0):
    header = b"DDS " + struct.pack("<7I44x", 124, 0x1007, side, side, 0, 0, 0)
    header += struct.pack("<II4s5I", 32, flags, code if dxgi is None else b"DX10", bits, *masks) + bytes(20)
    return header + (b"" if dxgi is None else struct.pack("<5I", dxgi, 3, 0, 1, alpha)) + data


@test
def blocks_of_dds():
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    for number, size, mode, ours, options in ((1, 8, "RGBA", "rgba", {"code": b"DXT1"}),
                                              (2, 16, "RGBA", "rgba", {"code": b"DXT3"}),
                                              (3, 16, "RGBA", "rgba", {"code": b"DXT5"}),
                                              (4, 8, "L", "gray", {"dxgi": 80}), (5, 16, "RGB", "rgb", {"dxgi": 83}),
                                              (7, 16, "RGBA", "rgba", {"dxgi": 98})):
        data = bytearray(DICE.randbytes(64 * 64 // 16 * size))
        for block in range(0, len(data) if number == 7 else 0, size):
            data[block] = data[block] << block // size % 8 + 1 & 255 | 1 << block // size % 8
        expected = Image.frombytes(mode, (64, 64), bytes(data), "bcn", number, "").tobytes()
        expect(pixels(dds(64, bytes(data), **options), ours) == expected, f"BC{number}")


@test
def halves_of_dds():
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    modes = [0, 1, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15]
    data = bytearray(DICE.randbytes(112 * 112))
    for block in range(0, len(data), 16):
        mode = modes[block // 16 % 14]
        data[block] = data[block] & (0xfc if mode < 2 else 0xe0) | mode
    ours = [value / 65535 for place, value in enumerate(words(pixels(dds(112, bytes(data), dxgi=95), "rgba16")))
            if place % 4 < 3]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in ours]
    # Pillow cuts to bytes what is linear.
    pillow = Image.frombytes("RGB", (112, 112), bytes(data), "bcn", 6, "BC6H").tobytes()
    wrong = [(mine, other) for mine, other in zip(linear, pillow) if not other - 0.02 <= mine * 255 <= other + 1.02]
    expect(not wrong, wrong[:3])


@test
def masks_of_dds():
    data = DICE.randbytes(64)
    expect(pixels(dds(4, data, flags=0x41, bits=32, masks=(0xff0000, 0xff00, 0xff, 0xff000000)), "bgra") == data)
    expect(pixels(dds(4, data, flags=0x40, bits=24, masks=(0xff0000, 0xff00, 0xff, 0)), "bgr") == data[:48])
    expect(pixels(dds(4, data, flags=0x20000, bits=8, masks=(0xff, 0, 0, 0)), "gray") == data[:16])
    ten = [value >> shift & 1023 for value in struct.unpack("<16I", data) for shift in (0, 10, 20)]
    ours = [value for place, value in enumerate(words(pixels(dds(4, data, dxgi=24), "rgba16"))) if place % 4 < 3]
    expect(ours == [(value * 65535 + 511) // 1023 for value in ten])
    # Multiplied by alpha, and alpha that means nothing.
    expect(pixels(dds(1, bytes((64, 32, 0, 128)), dxgi=28, alpha=2), "rgba") == bytes((128, 64, 0, 128)))
    expect(pixels(dds(1, bytes((64, 32, 0, 128)), dxgi=28, alpha=3), "rgba") == bytes((64, 32, 0, 255)))
    expect_failure(run("-q", input=dds(4, data, flags=0x200, bits=16)), 7, "not supported")
    expect_failure(run("-q", input=dds(4, data, flags=0x40, bits=24, masks=(0x50, 0, 0, 0))), 7, "not supported")


# ---- PSD ----


def psd(mode, depth, planes, side, layers=b"", resources=b"", version=1):
    header = b"8BPS" + struct.pack(">H6xHIIHHI", version, len(planes), side, side, depth, mode, 0)
    header += struct.pack(">I", len(resources)) + resources
    return header + struct.pack(">Q" if version == 2 else ">I", len(layers)) + layers + b"\0\0" + b"".join(planes)


def layers_of(count):
    return struct.pack(">Ih", 2, count) + bytes(4)


@test
def alpha_of_psd():
    planes = [bytes((200,)), bytes((180,)), bytes((128,)), bytes((128,))]
    names = b"8BIM" + struct.pack(">HHI", 1006, 0, 8) + b"\7Alpha 1"
    deep = bytes(4) + bytes(4) + b"8BIMMt16" + bytes(4)
    for layers, resources, expected in ((b"", b"", (200, 180, 128, 128)), (b"", names, (200, 180, 128, 255)),
                                        (layers_of(1), b"", (200, 180, 128, 255)),
                                        (layers_of(-1), b"", (145, 106, 2, 128)),
                                        (deep, b"", (145, 106, 2, 128))):
        expect(pixels(psd(3, 8, planes, 1, layers, resources), "rgba") == bytes(expected), (layers, resources))
    expect(info(psd(3, 8, planes, 1, layers_of(-1)))["alpha"] is True)
    expect(info(psd(3, 8, planes, 1, b"", names))["alpha"] is False)


@test
def variants_of_psd():
    one = bytes((10,))
    for mode, depth, planes, status in ((9, 8, [one] * 3, 7), (7, 8, [one] * 3, 7), (3, 32, [bytes(4)] * 3, 7),
                                        (3, 8, [one] * 2, 3), (2, 8, [one], 3), (3, 7, [one] * 3, 3)):
        expect_status(run("-q", input=psd(mode, depth, planes, 1)), status)
    expect(pixels(psd(4, 8, [b"\xff", b"\xff", b"\xff", b"\x80"], 1), "rgb") == b"\x80" * 3)
    expect(pixels(psd(4, 16, [b"\0\0", b"\xff\xff", b"\xff\xff", b"\xff\xff"], 1), "rgb") == b"\0\xff\xff")
    expect(pixels(psd(8, 8, [one], 1, version=2), "gray") == one)


@test
def merged_pictures_are_those_of_imagemagick():
    screenshot = tool("convert", "samples/screenshot.png", "-crop", "70x50+9+9", "-depth", "8", "png:-", data=b"")
    for options in (("-compress", "rle"), ("-compress", "none"), ("-compress", "rle", "-colorspace", "gray")):
        for kind in ("psd", "psb"):
            data = tool("convert", "png:-", *options, f"{kind}:-", data=screenshot)
            expected = tool("convert", f"{kind}:-[0]", "-depth", "8", "rgba:-", data=data)
            expect(pixels(data, "rgba") == expected, (kind, options))


# ---- all of them ----


@test
def prefixes_are_refused_or_shown_in_part():
    for path in samples(*FOLDERS):
        data = read(path)
        step = 1 + len(data) // 40
        for end in range(0, len(data), step):
            for options in ((), ("--partial",)):
                done = run("-q", *options, input=data[:end])
                expect(done.returncode in (0, 3, 4, 7), f"{path} {end} {options}: {done.returncode} {done.stderr}")


@test
def pieces_make_no_difference():
    for path in samples(*FOLDERS):
        data = read(path)[:3000]
        whole = run("-q", input=data)
        feeder = subprocess.Popen([sys.executable, "-c", "import os, sys\ndata = sys.stdin.buffer.read()\n"
                                   "for at in range(0, len(data), 37): os.write(1, data[at:at + 37])"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        feeder.stdin.write(data)
        feeder.stdin.close()
        pieces = run("-q", stdin=feeder.stdout)
        feeder.stdout.close()
        feeder.wait()
        expect((whole.returncode, whole.stdout) == (pieces.returncode, pieces.stdout), path)


@test
def limits_come_first():
    for path in samples(*FOLDERS):
        if run("-q", path).returncode != 0:
            continue
        expect_failure(run("-q", "--max-side", "2", path), 4, "max-side")
        expect_failure(run("-q", "--max-pixels", "3", path), 4, "max-pixels")
        expect_status(run("-q", "-i", path), 0)
    huge = b"8BPS" + struct.pack(">H6xHIIHHIII", 1, 3, 30000, 30000, 8, 3, 0, 0, 0) + b"\0\0"
    expect_failure(run("-q", "--max-pixels", "1000000000", "--max-output", "9000000000", "--memory", "64M", input=huge),
                   4, "memory")


@test
def rows_before_damage_are_kept():
    for path in ("samples/pnm/cut.ppm", "samples/farbfeld/cut.ff", "samples/qoi/cut.qoi", "samples/hdr/cut.hdr",
                 "samples/dds/cut.dds", "samples/psd/cut.psd"):
        done = run("-q", "--partial", "-p", "rgba", path)
        expect_status(done, 0)
        expect(any(done.stdout) and not any(done.stdout[-64:]), path)


if __name__ == "__main__":
    sys.exit(main())
