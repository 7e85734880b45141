#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""AVIF, JPEG XL and HEIC: each variant against the tools of their libraries, damage, limits, and recognition."""

import json
import os
import shutil
import subprocess
import sys

from cli_support import PHOTO, Folder, Skip, expect, expect_failure, expect_status, main, read, run, test
from picture_support import pixels

REFUSALS = (3, 4, 7)
ANIMATED = "samples/avif/animated-alpha.avif"
TURNED = "samples/avif/rot1mir1.avif"
SMALL = ("samples/avif/white_1x1.avif", "samples/jxl/modular_squeeze.jxl", "samples/jxl/modular_property_8_boxed.jxl")


def tool(*command):
    if not shutil.which(command[0]):
        raise Skip(f"{command[0]} is not installed")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    expect(done.returncode == 0, f"{command}: {done.stderr!r}")


def pillow():
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    return Image


def about(path):
    done = run("-q", "--info", path)
    expect_status(done, 0)
    return json.loads(done.stdout)


def picture(folder, size=(120, 90), alpha=False, gray=False):
    """A part of the photograph, as PNG."""
    image = pillow().open(PHOTO).resize(size).convert("L" if gray else "RGB")
    if alpha:
        gradient = pillow().linear_gradient("L").resize(size)
        image.putalpha(gradient)
    path = folder("source.png")
    image.save(path)
    return path


def expect_same(folder, decode, path):
    """The same pixels as the library's own tool makes of it, as PNG of 8 bits."""
    reference = folder("reference.png")
    tool(*decode, path, reference)
    with pillow().open(reference) as image:
        expect((image.width, image.height) == (about(path)["width"], about(path)["height"]), "another size")
        expect(image.convert("RGBA").tobytes() == pixels(path), "other pixels")


@test
def avif_of_every_kind_is_what_avifdec_makes_of_it():
    with Folder() as folder:
        for alpha in (False, True):
            for depth in ("8", "10", "12"):
                for yuv in ("444", "422", "420", "400"):
                    path = folder("made.avif")
                    tool("avifenc", "-s", "10", "-j", "1", "-d", depth, "-y", yuv, picture(folder, (131, 77), alpha),
                         path)
                    expect_same(folder, ("avifdec", "-d", "8", "-j", "1"), path)
                    expect(about(path)["depth"] == int(depth), "another depth")
                    expect(about(path)["alpha"] == alpha, "alpha")


@test
def avif_in_bands_is_what_it_is_in_the_whole():
    with Folder() as folder:
        for yuv in ("444", "422", "420"):
            path = folder("made.avif")
            tool("avifenc", "-s", "10", "-j", "1", "-y", yuv, picture(folder, (1165, 859)), path)
            expect_same(folder, ("avifdec", "-d", "8", "-j", "1"), path)


@test
def avif_of_more_than_8_bits_fills_16():
    with Folder() as folder:
        path = folder("made.avif")
        tool("avifenc", "-s", "10", "-d", "10", "-y", "444", picture(folder), path)
        tool("avifdec", "-d", "16", path, folder("reference.png"))
        expect(pixels(path, "rgba16")[1::2] != pixels(path), "8 bits are not the upper ones of 16")
        reference = run("-q", "-p", "rgba16", folder("reference.png"))
        expect(pixels(path, "rgba16") == reference.stdout, "other pixels")


@test
def avif_premultiplied_comes_straight():
    with Folder() as folder:
        path = folder("made.avif")
        tool("avifenc", "-s", "10", "-p", "-y", "444", picture(folder, alpha=True), path)
        expect_same(folder, ("avifdec", "-d", "8"), path)


@test
def avif_of_several_tiles():
    with Folder() as folder:
        image = pillow().open(PHOTO).resize((256, 128)).convert("RGB")
        cells = []
        for index in range(4):
            cell = folder(f"cell{index}.png")
            image.crop((128 * (index % 2), 64 * (index // 2), 128 * (index % 2) + 128, 64 * (index // 2) + 64)).save(
                cell)
            cells.append(cell)
        path = folder("grid.avif")
        tool("avifenc", "-s", "10", "--grid", "2x2", *cells, path)
        expect_same(folder, ("avifdec", "-d", "8"), path)


@test
def avif_is_cropped_turned_and_mirrored():
    image_module = pillow()
    with Folder() as folder:
        for extra, change in (
                (("--irot", "1"), lambda image: image.transpose(image_module.ROTATE_90)),
                (("--irot", "2"), lambda image: image.transpose(image_module.ROTATE_180)),
                (("--irot", "3"), lambda image: image.transpose(image_module.ROTATE_270)),
                (("--imir", "0"), lambda image: image.transpose(image_module.FLIP_TOP_BOTTOM)),
                (("--imir", "1"), lambda image: image.transpose(image_module.FLIP_LEFT_RIGHT)),
                (("--irot", "1", "--imir", "1"), lambda image: image.transpose(image_module.ROTATE_90).transpose(
                    image_module.FLIP_LEFT_RIGHT)),
                (("--crop", "10,20,400,300"), lambda image: image.crop((10, 20, 410, 320))),
                (("--crop", "10,20,400,300", "--irot", "3", "--imir", "0"), lambda image: image.crop(
                    (10, 20, 410, 320)).transpose(image_module.ROTATE_270).transpose(image_module.FLIP_TOP_BOTTOM)),
        ):
            for yuv in ("444", "420"):
                path = folder("made.avif")
                tool("avifenc", "-s", "10", "-y", yuv, *extra, picture(folder, (640, 480)), path)
                tool("avifdec", "-d", "8", path, folder("reference.png"))
                with image_module.open(folder("reference.png")) as reference:
                    turned = change(reference.convert("RGBA"))
                    expect((about(path)["width"], about(path)["height"]) == turned.size, f"{extra}: size")
                    expect(pixels(path) == turned.tobytes(), f"{extra} {yuv}: other pixels")


@test
def sequences_tell_their_frames():
    expect(about(ANIMATED)["frames"] == 5, about(ANIMATED))
    expect(about(ANIMATED)["alpha"], "alpha")


@test
def jxl_of_every_kind_is_what_djxl_makes_of_it():
    with Folder() as folder:
        for options in (("-d", "0"), ("-d", "1"), ("-d", "1", "-p"), ("-d", "2", "--container=1"), ("-d", "0", "-R", "1"),
                        ("-d", "1", "-e", "3")):
            for alpha, gray in ((False, False), (True, False), (False, True)):
                path = folder("made.jxl")
                tool("cjxl", *options, picture(folder, (131, 77), alpha, gray), path)
                expect_same(folder, ("djxl",), path)
        tool("cjxl", PHOTO, folder("made.jxl"))
        expect_same(folder, ("djxl",), folder("made.jxl"))


@test
def jxl_is_turned():
    with Folder() as folder:
        image = pillow().open(PHOTO).resize((120, 90))
        for orientation in range(1, 9):
            exif = image.getexif()
            exif[0x112] = orientation
            image.save(folder("made.jpg"), exif=exif)
            tool("cjxl", "-j", "0", folder("made.jpg"), folder("made.jxl"))
            expect_same(folder, ("djxl",), folder("made.jxl"))


@test
def jxl_of_16_bits():
    with Folder() as folder:
        noise = bytes(index * 7919 >> 3 & 0xff for index in range(64 * 48 * 6))
        ppm = folder.write("deep.ppm", b"P6\n64 48\n65535\n" + noise)
        tool("cjxl", "-d", "0", ppm, folder("deep.jxl"))
        rgb = pixels(folder("deep.jxl"), "rgb16")
        expect(b"".join(rgb[index:index + 2][::-1] for index in range(0, len(rgb), 2)) == noise, "other pixels")


@test
def animated_jxl_tells_its_frames():
    with Folder() as folder:
        frames = [pillow().new("RGB", (64, 48), color) for color in ("red", "blue", "green")]
        frames[0].save(folder("made.gif"), save_all=True, append_images=frames[1:], duration=100)
        tool("cjxl", folder("made.gif"), folder("made.jxl"))
        expect(about(folder("made.jxl"))["frames"] == 3, about(folder("made.jxl")))
        expect(pixels(folder("made.jxl"), "rgb")[:3] == b"\xfe\0\0" or
               pixels(folder("made.jxl"), "rgb")[:3] == b"\xff\0\0", "the first is not red")


@test
def heic_is_what_heif_convert_makes_of_it():
    with Folder() as folder:
        for options in (("-q", "60"), ("-L",), ("-q", "90", "-p", "chroma=444")):
            for alpha, gray in ((False, False), (True, False), (False, True)):
                path = folder("made.heic")
                tool("heif-enc", *options, picture(folder, (128, 96), alpha, gray), "-o", path)
                expect_same(folder, ("heif-convert",), path)


@test
def every_prefix_ends_well():
    with Folder() as folder:
        tool("heif-enc", "-q", "10", picture(folder, (32, 32)), "-o", folder("made.heic"))
        for path in (*SMALL, folder("made.heic")):
            data = read(path)
            name = about(path)["format"]
            step = max(1, len(data) // 40)
            for length in range(1, len(data), step):
                for option in ("-q", "--partial"):
                    done = run(option, "--decoder", name, folder.write("cut", data[:length]))
                    expect(done.returncode in (0, *REFUSALS), f"{name} {length}: {done.returncode} {done.stderr!r}")


@test
def damaged_bytes_end_well():
    with Folder() as folder:
        tool("heif-enc", "-q", "10", picture(folder, (32, 32)), "-o", folder("made.heic"))
        for path in (*SMALL, "samples/avif/hopper.avif", folder("made.heic")):
            data, name = read(path), about(path)["format"]
            step = max(1, len(data) // 40)
            for place in range(0, len(data), step):
                damaged = data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1:]
                done = run("-q", "--decoder", name, folder.write("damaged", damaged))
                expect(done.returncode in (0, *REFUSALS), f"{path} {place}: {done.returncode} {done.stderr!r}")


@test
def limits_hold():
    with Folder() as folder:
        source = picture(folder, (1165, 859), alpha=True)
        tool("avifenc", "-s", "10", source, folder("made.avif"))
        tool("cjxl", "-e", "3", source, folder("made.jxl"))
        tool("heif-enc", source, "-o", folder("made.heic"))
        for name in ("made.avif", "made.jxl", "made.heic"):
            expect_failure(run("-q", "--max-side", "1000", folder(name)), 4)
            expect_failure(run("-q", "--max-pixels", "1000", folder(name)), 4)
            for memory in ("1M", "2M", "4M", "6M", "8M"):
                done = run("-q", "--memory", memory, folder(name))
                expect(done.returncode in (0, 4), f"{name} {memory}: {done.returncode} {done.stderr!r}")
            expect_failure(run("-q", "--memory", "1M", folder(name)), 4, "memory")
            expect_status(run("-q", "--memory", "256M", folder(name)), 0)


@test
def pieces_and_pipes_make_no_difference():
    for path in (*SMALL, ANIMATED, "samples/jxl/xyb.jxl"):
        data = read(path)
        whole = run("-q", "-p", "rgba", path)
        reader, writer = os.pipe()
        with subprocess.Popen([sys.executable, "-c", "import sys,os,time\n"
                               "data = open(sys.argv[1], 'rb').read()\n"
                               "for place in range(0, 40): os.write(1, data[place:place + 1]); time.sleep(0.001)\n"
                               "os.write(1, data[40:])", path], stdout=writer):
            os.close(writer)
            piped = run("-q", "-p", "rgba", "-", stdin=reader)
        os.close(reader)
        expect(len(data) > 40 or path.endswith(".jxl"), "too short")
        expect(whole.returncode == piped.returncode == 0 and whole.stdout == piped.stdout, path)


@test
def a_longer_part_of_a_jxl_gives_no_fewer_rows():
    with Folder() as folder:
        path = folder("made.jxl")
        tool("cjxl", "-d", "0", "-e", "3", picture(folder, (600, 600)), path)
        data, whole = read(path), pixels(path)
        kept = []
        for part in (4, 5, 6, 7, 8):
            done = run("-q", "--partial", "-p", "rgba", folder.write("cut.jxl", data[:len(data) * part // 8]))
            if done.returncode != 0:
                kept.append(0)
                continue
            same = next((row for row in range(600) if done.stdout[row * 2400:row * 2400 + 2400] !=
                         whole[row * 2400:row * 2400 + 2400]), 600)
            expect(not any(done.stdout[same * 2400:]), "what is missing is not empty")
            kept.append(same)
        expect(kept == sorted(kept) and kept[-1] == 600, kept)


@test
def what_follows_a_codestream_is_noted():
    with Folder() as folder:
        path = folder.write("more.jxl", read("samples/jxl/modular_squeeze.jxl") + b"more")
        done = run("-p", "rgba", path)
        expect_status(done, 0)
        expect(b"follow" in done.stderr, done.stderr)
        expect_failure(run("-q", "--strict", path), 3)


@test
def a_decoder_that_is_missing_is_named():
    with Folder() as folder:
        os.makedirs(folder("bin"))
        build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build")
        shutil.copy(os.path.join(build, "safe-decode"), folder("bin/safe-decode"))
        done = run("-q", "samples/jxl/xyb.jxl", program=folder("bin/safe-decode"))
        expect_failure(done, 7, "not installed: jxl")


if __name__ == "__main__":
    sys.exit(main())
