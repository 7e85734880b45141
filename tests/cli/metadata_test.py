#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What files say of their pictures: tags by --info, blocks by --extract.

    tests/cli/metadata_test.py BUILD_FOLDER
"""

import json
import shutil
import struct
import subprocess
import sys
import zlib

from cli_support import Folder, Skip, expect, expect_failure, expect_status, main, on_terminal, read, run, test
from picture_support import info
from png_files import SIGNATURE, chunk

JPEG = read("samples/jpeg/pjw-thumbnail.jpeg")
ASCII, SHORT, LONG, RATIONAL = 2, 3, 4, 5
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>\x1b[31m</x:xmpmeta>"


def exif(order="<", picture=None, exposure=None, place=None):
    """A block of three directories; entries: number to (type, values)."""
    def packed(kind, values):
        if kind == ASCII:
            return len(values) + 1, values + b"\0"
        flat = [part for value in values for part in (value if kind == RATIONAL else (value,))]
        return len(values), struct.pack(f"{order}{len(flat)}{'H' if kind == SHORT else 'I'}", *flat)

    def directory(entries, at):
        body, more = struct.pack(order + "H", len(entries)), b""
        values_at = at + 2 + 12 * len(entries) + 4
        for number, (kind, values) in sorted(entries.items()):
            count, data = packed(kind, values)
            body += struct.pack(order + "HHI", number, kind, count)
            body += data.ljust(4, b"\0") if len(data) <= 4 else struct.pack(order + "I", values_at + len(more))
            more += data if len(data) > 4 else b""
        return body + bytes(4) + more
    picture = {**(picture or {}), 0x8769: (LONG, [0]), 0x8825: (LONG, [0])}
    second = 8 + len(directory(picture, 8))
    picture[0x8769] = (LONG, [second])
    third = second + len(directory(exposure or {}, second))
    picture[0x8825] = (LONG, [third])
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + directory(picture, 8) + directory(exposure or {}, second) + directory(place or {}, third)


CAMERA = {
    "picture": {0x010e: (ASCII, b"A view"), 0x010f: (ASCII, b"Canon"), 0x0110: (ASCII, b"EOS 5D  "),
                0x0112: (SHORT, [6]), 0x011a: (RATIONAL, [(300, 1)]), 0x011b: (RATIONAL, [(3005, 10)]), 0x0128: (SHORT, [2]),
                0x0131: (ASCII, b"a program"), 0x013b: (ASCII, b"Ann"), 0x8298: (ASCII, b"(c) Ann")},
    "exposure": {0x829a: (RATIONAL, [(10, 2500)]), 0x829d: (RATIONAL, [(28, 10)]), 0x8827: (SHORT, [400]),
                 0x9003: (ASCII, b"2004:08:27 13:52:55"), 0x920a: (RATIONAL, [(35, 1)]), 0xa001: (SHORT, [1]),
                 0xa434: (ASCII, b"EF 35mm")},
    "place": {1: (ASCII, b"S"), 2: (RATIONAL, [(33, 1), (51, 1), (2448, 100)]), 3: (ASCII, b"E"),
              4: (RATIONAL, [(151, 1), (12, 1), (5508, 100)])},
}
TAGS = {"description": ["A view"], "make": ["Canon"], "model": ["EOS 5D"], "density": ["300x300.5"], "software": ["a program"],
        "artist": ["Ann"], "copyright": ["(c) Ann"], "exposure": ["1/250"], "aperture": ["2.8"], "iso": ["400"],
        "taken": ["2004:08:27 13:52:55"], "focal_length": ["35"], "profile": ["sRGB"], "lens": ["EF 35mm"],
        "position": ["-33.856800,151.215300"]}


def icc(name, wide=False):
    if wide:
        text = name.encode("utf-16-be")
        element = b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text
    else:
        element = b"desc" + bytes(4) + struct.pack(">I", len(name) + 1) + name.encode() + b"\0"
    return bytes(128) + struct.pack(">I", 1) + struct.pack(">4sII", b"desc", 144, len(element)) + element


def marker(number, content):
    return b"\xff" + bytes((number,)) + struct.pack(">H", len(content) + 2) + content


def jpeg(*markers):
    return JPEG[:2] + b"".join(markers) + JPEG[2:]


def icc_markers(profile, size, order=None):
    parts = [profile[at:at + size] for at in range(0, len(profile), size)]
    markers = [marker(0xe2, b"ICC_PROFILE\0" + bytes((number + 1, len(parts))) + part) for number, part in enumerate(parts)]
    return [markers[place] for place in order] if order else markers


def png(*chunks, behind=()):
    return (SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) +
            b"".join(chunk(*one) for one in chunks) + chunk(b"IDAT", zlib.compress(b"\0\x80")) +
            b"".join(chunk(*one) for one in behind) + chunk(b"IEND", b""))


def tags(data):
    return info(data)["tags"]


def extract(kind, data, *options):
    done = run("-q", "--extract", kind, *options, input=data)
    expect_status(done, 0)
    return done.stdout


@test
def tags_of_a_camera():
    for order in "<>":
        block = exif(order, **CAMERA)
        for data in (jpeg(marker(0xe1, b"Exif\0\0" + block)), png((b"eXIf", block))):
            expect(tags(data) == TAGS, (order, tags(data)))
            expect(extract("exif", data) == block, order)
            done = run("-q", "-p", "gray", input=data)
            expect_status(done, 0)


@test
def numbers_as_cameras_show_them():
    for value, wanted in (((1, 3), ["0.3"]), ((2, 1), ["2"]), ((25, 10), ["2.5"]), ((1, 8000), ["1/8000"]), ((0, 1), None),
                          ((1, 0), None), ((0xffffffff, 1), None)):
        data = png((b"eXIf", exif(exposure={0x829a: (RATIONAL, [value])})))
        expect(tags(data).get("exposure") == wanted, (value, tags(data)))
    # Density in centimetres, and of other parts of the file.
    inch = {0x011a: (RATIONAL, [(100, 1)]), 0x011b: (RATIONAL, [(100, 1)]), 0x0128: (SHORT, [3])}
    expect(tags(png((b"eXIf", exif(picture=inch))))["density"] == ["254x254"])
    expect(tags(png((b"pHYs", struct.pack(">IIB", 11811, 11811, 1))))["density"] == ["300x300"])
    expect("density" not in tags(png((b"pHYs", struct.pack(">IIB", 1, 2, 0)))))
    bare = JPEG[4 + struct.unpack(">H", JPEG[4:6])[0]:] if JPEG[2:4] == b"\xff\xe0" else JPEG[2:]
    plain = tags(JPEG[:2] + marker(0xe0, b"JFIF\0\1\2\1" + struct.pack(">HH", 72, 96) + b"\0\0") + bare)
    expect(plain["density"] == ["72x96"], plain)
    # North and east, and what is no place on earth.
    for degree, side, wanted in ((10, b"N", ["10.000000,10.000000"]), (91, b"N", None)):
        place = {1: (ASCII, side), 2: (RATIONAL, [(degree, 1), (0, 1), (0, 1)]), 3: (ASCII, b"E"),
                 4: (RATIONAL, [(10, 1), (0, 1), (0, 1)])}
        expect(tags(png((b"eXIf", exif(place=place)))).get("position") == wanted, degree)


@test
def texts_of_png():
    packed = zlib.compress("Zoë".encode("latin-1"))
    data = png((b"tEXt", b"Title\0A \xe9t\xe9"), (b"zTXt", b"Author\0\0" + packed), (b"tEXt", b"Nobody\0knows"),
               (b"iTXt", b"Description\0\0\0en\0\0" + "Ω".encode()), (b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(b"packed")),
               (b"sRGB", b"\0"), (b"tEXt", b"Software\0"), (b"zTXt", b"Copyright\0\0no zlib"))
    expect(tags(data) == {"title": ["A été"], "artist": ["Zoë"], "description": ["Ω"], "comment": ["packed"],
                          "profile": ["sRGB"]}, tags(data))
    expect(tags(jpeg(marker(0xfe, b"a comment")))["comment"] == ["a comment"])
    # No more is unpacked than can be told; and of very many, not all.
    long = (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(range(97, 123)) * 100000))
    expect(tags(png(long))["comment"] == [("abcdefghijklmnopqrstuvwxyz" * 40)[:1024]])
    expect(len(tags(png(*[long] * 200))["comment"]) <= 128)
    expect(tags(png((b"iCCP", b""), (b"tEXt", b""), (b"zTXt", b""), (b"iTXt", b""))) == {})
    # Nothing that a terminal obeys leaves as it is.
    done = run("-i", input=png((b"tEXt", b"Title\0\x1b[31m")))
    expect(b"\x1b" not in done.stdout and json.loads(done.stdout)["tags"]["title"] == ["\x1b[31m"], done.stdout)


@test
def profiles_and_their_names():
    for wide in (False, True):
        profile = icc("Größe" if wide else "Display P3", wide) + bytes(range(256)) * 40
        name = "Größe" if wide else "Display P3"
        parts = len(icc_markers(profile, 3000))
        for data in (png((b"iCCP", b"a name\0\0" + zlib.compress(profile))), jpeg(*icc_markers(profile, 60000)),
                     jpeg(*icc_markers(profile, 3000)), jpeg(*icc_markers(profile, 3000, range(parts)[::-1]))):
            expect(extract("icc", data) == profile, f"{len(data)} bytes")
            expect(tags(data)["profile"] == [name], tags(data))
        # One part that is missing, and one that comes twice.
        for order in (range(parts - 1), [0, 0, *range(1, parts - 1)]):
            data = jpeg(*icc_markers(profile, 3000, order))
            expect_failure(run("-q", "--extract", "icc", input=data), 7, "no such block")


@test
def xmp_as_it_is():
    for data in (jpeg(marker(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)), png((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)),
                 png((b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP)))):
        expect(extract("xmp", data) == XMP)
    # It is the attacker's: a terminal gets nothing of it that it obeys.
    with Folder() as folder:
        path = folder.write("a.png", data)
        for arguments in (("--extract", "xmp", path), ("--extract", "xmp", "-o", "/dev/tty", path)):
            status, output = on_terminal(*arguments)
            expect(status == 0 and b"xmpmeta" in output and b"\x1b[31m" not in output, output)
        expect(tags(data).keys() <= {"density"}, tags(data))


# ---- the other formats ----


def webp(*behind, profile=None, flags=0):
    """The picture of a simple file with chunks around it."""
    def riff_chunk(name, content):
        return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
    picture = read("samples/webp/hippopotamus.lossless.webp")[12:]
    flags |= 32 if profile else 0
    head = riff_chunk(b"VP8X", bytes((flags, 0, 0, 0)) + struct.pack("<I", 35)[:3] + struct.pack("<I", 27)[:3])
    body = b"WEBP" + head + (riff_chunk(b"ICCP", profile) if profile else b"") + picture + b"".join(
        riff_chunk(*one) for one in behind)
    return b"RIFF" + struct.pack("<I", len(body)) + body


@test
def of_webp():
    block, profile = exif(**CAMERA), icc("Display P3")
    for prefix in (b"", b"Exif\0\0"):
        data = webp((b"EXIF", prefix + block), (b"XMP ", XMP), profile=profile, flags=8 | 4)
        with Folder() as folder:
            path = folder.write("a.webp", data)
            told = json.loads(run("-q", "-i", path).stdout)
            expect(told["tags"] == {**TAGS, "profile": ["Display P3", "sRGB"]}, told["tags"])
            expect(told["orientation"] == 6)
            for kind, wanted in (("exif", block), ("xmp", XMP), ("icc", profile)):
                expect(run("-q", "--extract", kind, path).stdout == wanted, kind)
                expect(extract(kind, data) == wanted, f"{kind} from a pipe")
        expect_status(run("-q", input=data), 0)
    # What is said to be there, and is not.
    for data in (webp(flags=8 | 4), webp((b"EXIF", b""), (b"XMP ", b""), flags=8 | 4)):
        for kind in ("exif", "xmp", "icc"):
            expect_failure(run("-q", "--extract", kind, input=data), 7, "no such block")


def tool(*command):
    if not shutil.which(command[0]):
        raise Skip(f"{command[0]} is not installed")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    expect(done.returncode == 0, f"{command}: {done.stderr!r}")


def parts_of(folder):
    """A picture and its blocks, as files."""
    block, profile = exif(**CAMERA), icc("Display P3")
    with open("samples/png/rgb-8.png", "rb") as stream:
        folder.write("source.png", stream.read())
    return [folder.write(*one) for one in (("e", block), ("x", XMP), ("p", profile))], block, profile


@test
def of_avif():
    with Folder() as folder:
        (exif_file, xmp_file, icc_file), block, profile = parts_of(folder)
        path = folder("a.avif")
        tool("avifenc", "--exif", exif_file, "--xmp", xmp_file, "--icc", icc_file, folder("source.png"), path)
        told = json.loads(run("-q", "-i", path).stdout)
        expect(told["tags"] == {**TAGS, "profile": ["Display P3", "sRGB"]}, told["tags"])
        for kind, wanted in (("exif", block), ("xmp", XMP), ("icc", profile)):
            expect(run("-q", "--extract", kind, path).stdout == wanted, kind)
        expect_status(run("-q", path), 0)


@test
def of_heif():
    with Folder() as folder:
        source = folder.write("a.jpg", jpeg(marker(0xe1, b"Exif\0\0" + exif(**CAMERA))))
        path = folder("a.heic")
        tool("heif-enc", "-o", path, source)
        told = json.loads(run("-q", "-i", path).stdout)
        # The tool turns what it reads, and says so in what it copies.
        for name in ("make", "model", "lens", "taken", "exposure", "position"):
            expect(told["tags"][name] == TAGS[name], told["tags"])
        expect(run("-q", "--extract", "exif", path).stdout[:2] in (b"II", b"MM"))
        expect_failure(run("-q", "--extract", "xmp", path), 7, "no such block")


@test
def of_jpeg_xl():
    with Folder() as folder:
        (_, _, icc_file), _, _ = parts_of(folder)
        path = folder("a.jxl")
        tool("cjxl", "-d", "0", folder("source.png"), path)
        expect_failure(run("-q", "--extract", "icc", path), 7, "no such block")
        expect(json.loads(run("-q", "-i", path).stdout)["icc"] is False)
        del icc_file


@test
def of_tiff():
    def entry(tag, kind, count, value):
        return struct.pack("<HHI", tag, kind, count) + value
    def at(offset):
        return struct.pack("<I", offset)
    profile, texts = icc("Display P3"), (b"A view\0\0", b"Canon\0\0\0", b"program\0", b"Annie\0\0\0")
    data = b"".join(texts) + struct.pack("<4I", 300, 1, 150, 1) + bytes((1, 2, 3, 0))
    fixed = 8 + len(data)
    tail = XMP + bytes(len(XMP) % 2) + profile
    directory = 8 + len(data) + len(tail)
    entries = [
        entry(256, 4, 1, at(1)), entry(257, 4, 1, at(1)), entry(258, 3, 1, at(8)), entry(259, 3, 1, at(1)),
        entry(262, 3, 1, at(1)), entry(270, 2, 7, at(8)), entry(271, 2, 6, at(16)), entry(273, 4, 1, at(8 + 48)),
        entry(277, 3, 1, at(1)), entry(278, 4, 1, at(1)), entry(279, 4, 1, at(1)), entry(282, 5, 1, at(8 + 32)),
        entry(283, 5, 1, at(8 + 40)), entry(296, 3, 1, at(3)), entry(305, 2, 8, at(24)), entry(315, 2, 6, at(32)),
        entry(700, 1, len(XMP), at(fixed)), entry(34675, 7, len(profile), at(fixed + len(XMP) + len(XMP) % 2))]
    file = (b"II*\0" + at(directory) + data + tail + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4))
    expect(tags(file) == {"profile": ["Display P3"], "description": ["A view"], "make": ["Canon"], "software": ["program"],
                          "artist": ["Annie"], "density": ["762x381"]}, tags(file))
    expect(extract("icc", file) == profile and extract("xmp", file) == XMP)
    expect(run("-p", "gray", input=file).stdout == b"\1")


@test
def where_a_block_goes():
    block = exif(**CAMERA)
    data = jpeg(marker(0xe1, b"Exif\0\0" + block))
    with Folder() as folder:
        path = folder.write("in.jpg", data)
        done = run("--extract", "exif", "-o", folder("out.png"), path)
        expect_status(done, 0)
        expect(read(folder("out.png")) == block and b"exif, %d bytes" % len(block) in done.stderr, done.stderr)
        expect_status(run("-q", "--extract", "exif", "--output-dir", folder("blocks"), path), 0)
        expect(read(folder("blocks", "in.exif")) == block)
        # Nothing is left where there is none.
        expect_failure(run("-q", "--extract", "icc", "-o", folder("none"), path), 7, "no such block")
        expect("none" not in folder.names(), folder.names())
    expect_failure(run("-q", "--extract", "icc", "samples/gzip/romeo.txt.gz"), 7, "only pictures")
    expect_failure(run("-q", "--extract", "gps", input=data), 1, "is not known", "icc, exif, xmp")
    for option in ("--info", "--cover", "--diagnose", "--frames", "-tpng"):
        expect_failure(run("--extract", "icc", option, input=data), 1, "--extract")


@test
def what_is_behind_the_pixels_does_not_come():
    data = png(behind=((b"eXIf", exif(**CAMERA)), (b"tEXt", b"Title\0late")))
    expect(tags(data) == {}, tags(data))
    expect_failure(run("-q", "--extract", "exif", input=data), 7, "behind its pixels")


@test
def bombs_and_cut_blocks_end_well():
    # More than the limit of 1 MiB is not given, whatever it is packed to.
    for size, status in ((1 << 20, 0), ((1 << 20) + 1, 7), (1 << 26, 7)):
        data = png((b"iCCP", b"x\0\0" + zlib.compress(bytes(size))))
        expect_status(run("-q", "--extract", "icc", input=data), status)
        expect_status(run("-q", "-i", input=data), 0)
    block = exif(**CAMERA)
    with Folder() as folder:
        paths = [folder.write(f"{size:04}.png", png((b"eXIf", block[:size]))) for size in range(len(block))]
        done = run("-q", "-i", *paths)
        expect_status(done, 0)
        for line in done.stdout.splitlines():
            for name, values in json.loads(line)["tags"].items():
                expect(name in TAGS and (values == TAGS[name] or name == "position"), (name, values))
    # Directories that are everywhere at once.
    loop = {"picture": {0x8769: (LONG, [8])}, "exposure": {0x8769: (LONG, [8])}}
    expect(tags(png((b"eXIf", exif(**loop)))) == {})
    expect(tags(png((b"eXIf", b"II*\0\xff\xff\xff\xff" + bytes(20)))) == {})


if __name__ == "__main__":
    sys.exit(main())
