#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What is made of a picture: turned, cropped, fitted into a box, flattened; against Pillow.

    tests/cli/view_test.py BUILD_FOLDER
"""

import array
import io
import json
import math
import os
import random
import sys

try:
    from PIL import Image
except ImportError:
    print("skip all: Pillow is not installed")
    sys.exit(0)

from cli_support import Folder, expect, expect_failure, expect_status, main, run, test
from png_files import chunk

PHOTO = "samples/jpeg/peacock.default.jpeg"
TURNED = "samples/jpeg/hopper_orientation_6.jpg"
ANIMATION = "samples/gif/mixed-disposal.gif"
ALPHA = "samples/png/hippopotamus.regular.png"
MODES = {"rgb": "RGB", "gray": "L", "rgba": "RGBA", "gray-alpha": "LA"}
WAYS = (None, None, Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.TRANSPOSE, Image.Transpose.ROTATE_270, Image.Transpose.TRANSVERSE, Image.Transpose.ROTATE_90)


def noise(mode, size, seed=1):
    dice = random.Random(seed)
    return Image.frombytes(mode, size, dice.randbytes(size[0] * size[1] * len(Image.new(mode, (1, 1)).getbands())))


def saved(image, orientation=0, kind="PNG", **options):
    """A file of the picture; as PNG, with the orientation in an eXIf chunk."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    data = stream.getvalue()
    if orientation == 0 or kind != "PNG":
        return data
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + b"\0\0\0\0\0\0"
    end = data.index(b"IDAT") - 4
    return data[:end] + chunk(b"eXIf", exif) + data[end:]


def decoded(data, *arguments, pixels="rgb"):
    """The picture that comes, as an image of Pillow's."""
    done = run("-t", "pam", "-p", pixels, *arguments, input=data)
    expect_status(done, 0)
    head, body = done.stdout.split(b"ENDHDR\n", 1)
    fields = dict(line.split(" ", 1) for line in head.decode().splitlines() if " " in line)
    size = int(fields["WIDTH"]), int(fields["HEIGHT"])
    return Image.frombytes(MODES[pixels], size, body)


def expect_same(given, wanted, what):
    expect(given.size == wanted.size, f"{what}: {given.size}, not {wanted.size}")
    expect(given.tobytes() == wanted.tobytes(), f"{what}: pixels differ")


def fails_with(status, words, *arguments, data=None):
    done = run(*arguments, input=data) if data else run(*arguments)
    expect_failure(done, status, words)


# ---- orientation ----


def upright(image, orientation):
    return image.transpose(WAYS[orientation]) if WAYS[orientation] is not None else image


@test
def all_orientations_in_all_sizes_of_pixels():
    for size in ((37, 53), (16, 16), (1, 40), (40, 1), (130, 33)):
        for pixels, mode in MODES.items():
            image = noise(mode, size)
            for orientation in range(1, 9):
                data = saved(image, orientation)
                what = f"{size} {pixels} {orientation}"
                expect_same(decoded(data, "--orientation", "apply", pixels=pixels), upright(image, orientation), what)
                expect_same(decoded(data, pixels=pixels), image, f"{what} as it is")


@test
def orientations_of_deep_pixels():
    size = (19, 21)
    body = random.Random(3).randbytes(size[0] * size[1] * 8)
    head = b"P7\nWIDTH %d\nHEIGHT %d\nDEPTH 4\nMAXVAL 65535\nTUPLTYPE RGB_ALPHA\nENDHDR\n" % size
    plain = run("-t", "png", "-p", "rgba16", input=head + body).stdout
    end = plain.index(b"IDAT") - 4
    for orientation in range(1, 9):
        exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + b"\0\0\0\0\0\0"
        data = plain[:end] + chunk(b"eXIf", exif) + plain[end:]
        for pixels, bytes_each in (("rgba16", 8), ("rgb16", 6), ("rgbaf32", 16), ("rgbaf16", 8)):
            flat = run("-p", pixels, input=plain).stdout
            turned = run("-p", pixels, "--orientation", "apply", input=data).stdout
            index = Image.frombytes("I", size, array.array("i", range(size[0] * size[1])).tobytes())
            order = array.array("i", upright(index, orientation).tobytes())
            wanted = b"".join(flat[i * bytes_each:(i + 1) * bytes_each] for i in order)
            expect(turned == wanted, f"{pixels} {orientation}")


@test
def information_says_what_comes():
    told = json.loads(run("--info", "--orientation", "apply", input=saved(noise("RGB", (30, 20)), 6)).stdout)
    expect(told["width"] == 20 and told["height"] == 30 and told["orientation"] == 6 and told["upright"], told)
    told = json.loads(run("--info", input=saved(noise("RGB", (30, 20)), 6)).stdout)
    expect(told["width"] == 30 and told["height"] == 20 and told["orientation"] == 6 and not told["upright"], told)
    told = json.loads(run("--info", "--orientation", "apply", input=saved(noise("RGB", (30, 20)), 1)).stdout)
    expect(told["width"] == 30 and not told["upright"], told)


@test
def whoever_looks_sees_it_upright():
    image = noise("RGB", (30, 20), 8)
    turned, stored = saved(image, 6), saved(upright(image, 6))
    expect(run("-t", "preview", input=turned).stdout == run("-t", "preview", input=stored).stdout, "by itself")
    expect(run("-t", "preview", "--orientation", "keep", input=turned).stdout ==
           run("-t", "preview", input=saved(image)).stdout, "unless it is to be kept")


@test
def a_jpeg_is_turned_and_reduced_by_its_codec():
    whole = run("-p", "rgb", "--scale", "2", TURNED).stdout
    image = Image.frombytes("RGB", (64, 64), whole)
    given = run("-p", "rgb", "--scale", "2", "--orientation", "apply", TURNED).stdout
    expect(given == upright(image, 6).tobytes())


# ---- crop ----


@test
def regions():
    image = noise("RGB", (97, 61))
    for orientation in (0, 3, 5, 6, 7, 8):
        data = saved(image, orientation)
        shown = upright(image, orientation) if orientation else image
        for x, y, width, height in ((0, 0, 97, 61), (0, 0, 1, 1), (10, 20, 30, 15), (60, 60, 1, 1), (50, 2, 9, 40),
                                    (40, 30, 1000, 1000)):
            box = (x, y, min(x + width, shown.size[0]), min(y + height, shown.size[1]))
            given = decoded(data, "--orientation", "apply", "--crop", f"{x},{y},{width},{height}")
            expect_same(given, shown.crop(box), f"{orientation} {box}")


@test
def regions_are_scaled_from_their_corner():
    image = noise("RGB", (64, 48), 7)
    for kind in ("PNG", "PPM"):
        data = saved(image, kind=kind)
        for region in ((0, 0, 64, 48), (8, 8, 32, 16), (3, 5, 37, 22), (8, 16, 9, 9)):
            x, y, width, height = region
            cut = saved(image.crop((x, y, x + width, y + height)), kind=kind)
            for scale in ("2", "4", "8"):
                given = decoded(data, "--crop", ",".join(map(str, region)), "--scale", scale)
                expect_same(given, decoded(cut, "--scale", scale), f"{kind} {region} 1/{scale}")


@test
def regions_of_jpeg_are_those_of_the_whole():
    whole = decoded(open(PHOTO, "rb").read())
    for x, y, width, height in ((0, 0, 100, 8), (16, 24, 33, 41), (93, 69, 1, 1)):
        given = run("-p", "rgb", "--crop", f"{x},{y},{width},{height}", PHOTO)
        expect_status(given, 0)
        expect(given.stdout == whole.crop((x, y, x + width, y + height)).tobytes(), f"{x},{y},{width},{height}")


@test
def a_region_outside_of_the_picture():
    data = saved(noise("RGB", (20, 10)))
    for region in ("20,0,1,1", "0,10,5,5", "2000000000,2000000000,2147483647,2147483647"):
        fails_with(7, "region", "--crop", region, data=data)
    fails_with(7, "region", "--info", "--crop", "20,0,1,1", data=data)


@test
def what_is_below_the_region_is_not_decoded():
    data = saved(noise("RGB", (200, 400), 9))
    cut = data[:len(data) * 2 // 3]
    expect_status(run(input=cut), 3)
    expect_same(decoded(cut, "--crop", "0,0,200,100"), noise("RGB", (200, 400), 9).crop((0, 0, 200, 100)), "the top")


# ---- boxes ----


def light(encoded):
    encoded /= 255
    return encoded / 12.92 if encoded <= 0.04045 else ((encoded + 0.055) / 1.055) ** 2.4


def encoded(value):
    value = min(max(value, 0), 1)
    return 255 * (value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055)


def reference(image, size, box=None):
    """Lanczos' filter in linear light, as Pillow does it with floats."""
    lights = [light(i) for i in range(256)]
    bands = []
    for band in image.split():
        plane = Image.frombytes("F", image.size, array.array("f", (lights[b] for b in band.tobytes())).tobytes())
        plane = plane.resize(size, Image.Resampling.LANCZOS, box=box)
        bands.append(Image.frombytes("L", size, bytes(int(encoded(v) + 0.5) for v in array.array("f", plane.tobytes()))))
    return Image.merge(image.mode, bands)


def psnr(given, wanted):
    expect(given.size == wanted.size, f"{given.size}, not {wanted.size}")
    squares = sum((a - b) ** 2 for a, b in zip(given.tobytes(), wanted.tobytes()))
    return 99 if squares == 0 else 10 * math.log10(255 ** 2 * len(given.tobytes()) / squares)


@test
def sizes():
    image = noise("RGB", (120, 80))
    for data, shown in ((saved(image), (120, 80)), (saved(image, 6), (80, 120))):
        wide = shown[0] > shown[1]
        for box, options, size in (
                ("60x60", (), (60, 40) if wide else (40, 60)),
                ("60x", (), (60, 40) if wide else (60, 90)),
                ("x60", (), (90, 60) if wide else (40, 60)),
                ("500x500", (), shown),
                ("240x240", ("--enlarge",), (240, 160) if wide else (160, 240)),
                ("x160", ("--enlarge",), (240, 160) if wide else (107, 160)),
                ("33x44!", (), (33, 44)),
                ("300x300!", (), (300, 300)),
                ("30x30^", (), (30, 30)),
                ("100x100^", (), (100, 80) if wide else (80, 100)),
                ("200x100^", ("--enlarge",), (200, 100)),
                ("1x1", (), (1, 1)),
                ("3x80", (), (3, 2) if wide else (3, 5))):
            given = decoded(data, "--orientation", "apply", "--fit", box, *options)
            expect(given.size == size, f"{box} of {shown}: {given.size}, not {size}")
            told = json.loads(run("--info", "--orientation", "apply", "--fit", box, *options, input=data).stdout)
            expect((told["width"], told["height"]) == size, f"{box}: {told}")


@test
def pixels_are_those_of_the_filter():
    for size in ((120, 90), (61, 200), (333, 250)):
        image = noise("RGB", size, sum(size))
        data = saved(image)
        for width, height in ((60, 45), (40, 77), (119, 89), (16, 12), (240, 400), (7, 9), (1, 1), (2, 300)):
            given = decoded(data, "--fit", f"{width}x{height}!")
            # Where it becomes much smaller, blocks are averaged first.
            least = 60 if size[0] / width <= 8 and size[1] / height <= 8 else 38
            ratio = psnr(given, reference(image, (width, height)))
            expect(ratio >= least, f"{size} to {width}x{height}: {ratio:.1f} dB")


@test
def a_flat_picture_stays_what_it_is():
    for color in ((0, 0, 0), (255, 255, 255), (1, 128, 254), (17, 200, 3)):
        data = saved(Image.new("RGB", (301, 207), color))
        for box in ("100x100", "17x3!", "400x900!", "50x50^"):
            given = decoded(data, "--fit", box)
            expect(given.getextrema() == tuple((c, c) for c in color), f"{color} {box}: {given.getextrema()}")


@test
def a_photograph_reduced_by_its_codec_looks_as_by_the_filter():
    photo = "samples/photograph.jpg"
    whole = decoded(open(photo, "rb").read())
    for box in ("500x500", "256x256", "128x128", "64x64"):
        given = decoded(open(photo, "rb").read(), "--fit", box)
        ratio = psnr(given, reference(whole, given.size))
        expect(ratio >= 34, f"{box}: {ratio:.1f} dB")


@test
def transparent_pixels_lend_no_colour():
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (16, 16, 48, 48))
    for box in ("16x16", "100x100!"):
        given = decoded(saved(image), "--fit", box, pixels="rgba")
        for red, green, blue, alpha in given.getdata():
            expect(alpha == 0 or (red == 0 and green == 0 and blue == 255), f"{box}: {red},{green},{blue},{alpha}")
    expect(decoded(saved(image), "--fit", "16x16", pixels="rgba").getpixel((8, 8)) == (0, 0, 255, 255))


@test
def boxes_and_regions_and_turns_together():
    image = noise("RGB", (200, 150), 4)
    region = (20, 30, 90, 100)
    x, y, width, height = region
    for orientation in range(2, 9):
        shown = upright(image, orientation).crop((x, y, x + width, y + height))
        given = decoded(saved(image, orientation), "--orientation", "apply", "--crop", ",".join(map(str, region)),
                        "--fit", "45x50!")
        ratio = psnr(given, reference(shown, (45, 50)))
        expect(ratio >= 60, f"{orientation}: {ratio:.1f} dB")


@test
def every_pixel_format_is_fitted():
    data = saved(noise("RGBA", (50, 40), 2))
    for pixels, size in (("bgra", 4), ("rgba", 4), ("bgra-premultiplied", 4), ("rgba-premultiplied", 4), ("rgb", 3),
                         ("bgr", 3), ("gray", 1), ("gray-alpha", 2), ("gray16", 2), ("gray-alpha16", 4), ("rgb16", 6),
                         ("rgba16", 8), ("rgbaf16", 8), ("rgbaf32", 16)):
        done = run("-p", pixels, "--fit", "25x25", "--crop", "1,1,40,30", input=data)
        expect_status(done, 0)
        expect(len(done.stdout) == 25 * 19 * size, f"{pixels}: {len(done.stdout)}")
    rgb, bgr = (run("-p", p, "--fit", "25x25", input=data).stdout for p in ("rgba", "bgra"))
    expect(rgb[0::4] == bgr[2::4] and rgb[1::4] == bgr[1::4] and rgb[2::4] == bgr[0::4] and rgb[3::4] == bgr[3::4])
    straight, multiplied = (run("-p", p, "--fit", "25x25", input=data).stdout for p in ("rgba", "rgba-premultiplied"))
    for i in range(0, len(straight), 4):
        for k in range(3):
            wanted = straight[i + k] * straight[i + 3] / 255
            expect(abs(multiplied[i + k] - wanted) <= 3, f"{straight[i:i + 4]} {multiplied[i:i + 4]}")


# ---- background ----


@test
def backgrounds():
    image = noise("RGBA", (40, 30), 5)
    data = saved(image)
    for name, color in (("white", (255, 255, 255)), ("black", (0, 0, 0)), ("#102030", (16, 32, 48)),
                        ("f80", (255, 136, 0))):
        for pixels in ("rgb", "rgba"):
            given = decoded(data, "--background", name, pixels=pixels)
            if pixels == "rgba":
                expect(given.getextrema()[3] == (255, 255))
            for given_pixel, (r, g, b, a) in zip(given.getdata(), image.getdata()):
                for channel, sample, back in zip(given_pixel[:3], (r, g, b), color):
                    wanted = (sample * a + back * (255 - a)) / 255
                    expect(abs(channel - wanted) <= 0.51, f"{name} {pixels}: {channel}, not {wanted}")
    told = json.loads(run("--info", "--background", "white", input=data).stdout)
    expect(told["alpha"] is False and told["native"] == "rgb", told)


@test
def backgrounds_of_other_formats():
    image = Image.new("LA", (4, 4), (100, 51))
    data = saved(image)
    expect(set(decoded(data, "--background", "white", pixels="gray").getdata()) == {224})
    expect(run("-p", "gray16", "--background", "white", input=data).stdout ==
           array.array("H", [224 * 257] * 16).tobytes())
    expect(run("-p", "bgra-premultiplied", "--background", "#ff0000", input=saved(Image.new("RGBA", (1, 1), (0, 0, 0, 0)))
               ).stdout == b"\0\0\xff\xff")
    floats = array.array("f", run("-p", "rgbaf32", "--background", "white",
                                  input=saved(Image.new("RGBA", (1, 1), (9, 9, 9, 0)))).stdout)
    expect(list(floats) == [1, 1, 1, 1], floats)
    opaque = noise("RGB", (10, 10))
    expect_same(decoded(saved(opaque), "--background", "red"), opaque, "an opaque picture")


# ---- frames, damage, limits ----


@test
def animations_are_fitted_and_cropped():
    for options, width, height in ((("--fit", "20x20!"), 20, 20), (("--crop", "1,1,5,4"), 5, 4),
                                   (("--background", "white"), None, None)):
        whole = run("--frames", "-t", "pam", ANIMATION)
        done = run("--frames", "-t", "pam", *options, ANIMATION)
        expect_status(done, 0)
        expect(done.stdout.count(b"P7\n") == whole.stdout.count(b"P7\n") > 1, done.stderr)
        if width:
            expect(done.stdout.count(b"WIDTH %d\nHEIGHT %d\n" % (width, height)) == whole.stdout.count(b"P7\n"))


@test
def damage_in_what_is_turned():
    image = noise("RGB", (64, 200), 6)
    data = saved(image, 3)
    cut = data[:len(data) // 2]
    fails_with(3, "", "--orientation", "apply", data=cut)
    done = run("--partial", "--orientation", "apply", "-p", "rgba", input=cut)
    expect_status(done, 0)
    expect(len(done.stdout) == 64 * 200 * 4)
    known = upright(image, 3).convert("RGBA").tobytes()
    expect(done.stdout[-64 * 4 * 50:] == known[-64 * 4 * 50:], "the rows that are known are at the bottom")
    expect(done.stdout[:64 * 4 * 20].count(0) == 64 * 4 * 20 or b"\0\0\0\xff" * 64 * 20 == done.stdout[:64 * 4 * 20])


@test
def limits_are_on_what_comes():
    data = saved(noise("RGB", (100, 100)))
    fails_with(4, "", "--max-side", "200", "--fit", "300x300!", data=data)
    fails_with(4, "", "--max-pixels", "50000", "--enlarge", "--fit", "300x300", data=data)
    expect_status(run("--max-output", "40000", "--fit", "50x50", input=data), 0)
    fails_with(4, "memory", "--memory", "2M", "--fit", "15000x15000!", data=data)


@test
def information_has_the_same_limits():
    data = saved(noise("RGB", (10, 10)))
    for options in (("--fit", "20000x20000!"), ("--max-pixels", "150", "--enlarge", "--fit", "20x20")):
        fails_with(4, "more pixels", "--info", *options, data=data)
        fails_with(4, "more pixels", *options, data=data)


@test
def one_side_of_a_box_is_exact():
    for size, box, wanted in (((1920, 1080), "150x", (150, 84)), ((1920, 1080), "1005x", (1005, 565)),
                              ((14, 1000), "x100", (1, 100)), ((14, 1000), "x72", (1, 72)), ((30, 10), "60x", (30, 10))):
        told = json.loads(run("--info", "--fit", box, input=saved(Image.new("L", size))).stdout)
        expect((told["width"], told["height"]) == wanted, f"{size} {box}: {told}")


@test
def the_last_rows_count_no_more_than_the_first():
    for side, box in ((117, "1x1!"), (1001, "4x4!"), (3001, "10x10!")):
        last, first = (Image.new("L", (side, side)) for _ in range(2))
        last.paste(255, (0, side - 1, side, side))
        first.paste(255, (0, 0, side, 1))
        bottom, top = (decoded(saved(image), "--fit", box, pixels="gray") for image in (last, first))
        pair = bottom.getpixel((0, bottom.size[1] - 1)), top.getpixel((0, 0))
        expect(abs(pair[0] - pair[1]) <= 4, f"{side} to {box}: {pair}")


@test
def a_gray_picture_on_a_red_background_is_red():
    data = saved(Image.new("LA", (4, 2), (0, 0)))
    for sink in ("pam", "ppm"):
        expect(run("-t", sink, "--background", "red", input=data).stdout.endswith(b"\xff\0\0" * 8), sink)
    done = run("-t", "pam", "--background", "gray", input=data)
    expect(b"DEPTH 1\n" in done.stdout, "gray on gray is gray")


@test
def opaque_pictures_stay_opaque():
    floats = array.array("f", run("-p", "rgbaf32", "--fit", "9x5!", input=saved(noise("RGB", (40, 30)))).stdout)
    expect(set(floats[3::4]) == {1.0}, set(floats[3::4]))


@test
def damage_before_the_region_gives_nothing():
    data = saved(noise("RGB", (200, 200)), 3)
    cut = data[:len(data) // 2]
    fails_with(3, "", "--partial", "--orientation", "apply", "--crop", "0,0,50,50", data=cut)
    done = run("--partial", "--orientation", "apply", input=cut)
    expect(done.returncode == 0 and b"rows missing" not in done.stderr and b"turned" in done.stderr, done.stderr)


@test
def frames_that_are_whole_stay_where_the_next_fails():
    page = b"P5 10 10 255\n" + bytes(100)
    for last, options, status in ((b"P5 0 10 255\n", (), 3), (b"P5 300 10 255\n" + bytes(3000), ("--max-side", "200"), 4),
                                  (b"P5 4 4 255\n" + bytes(16), ("--crop", "5,5,5,5"), 7)):
        with Folder() as folder:
            done = run("--frames", *options, "-o", folder("f-%d.png"), input=page + page + last)
            expect_status(done, status)
            expect(sorted(os.listdir(folder.path)) == ["f-0.png", "f-1.png"], os.listdir(folder.path))


@test
def bad_arguments():
    for option, values in (
            ("--crop", ("", "1", "1,2,3", "1,2,0,4", "1,2,3,0", "1,2,3,4,5", "-1,0,1,1", "0,0,1,1 ", "a,b,c,d",
                        "0,0,4294967296,1", "0,0,2147483648,1")),
            ("--fit", ("", "x", "0x0", "10", "10x0", "0x10", "10x10?", "10x10!!", "x10!", "10x^", "-1x5", "10X10",
                       "600000x1", "99999999999999999999x1")),
            ("--background", ("", "#", "#12", "#1234", "#12345g", "whit", "#1234567", "##123456")),
            ("--orientation", ("", "turn", "6"))):
        for value in values:
            fails_with(1, option, option, value, PHOTO)
    fails_with(1, "exclude", "--scale", "2", "--fit", "10x10", PHOTO)
    fails_with(1, "--fit", "--enlarge", PHOTO)


main()
