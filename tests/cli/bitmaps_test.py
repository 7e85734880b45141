#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Bitmaps of old: BMP, icons and cursors, TGA, PCX, Sun raster, XPM and XBM, against Pillow, netpbm and plain sums."""

import io
import json
import struct
import subprocess
import sys

from PIL import Image

from cli_support import Folder, expect, expect_failure, expect_status, main, read, run, test

WIDTH, HEIGHT = 13, 7
REFUSALS = (3, 4, 7)
SAMPLES = ("samples/bmp/pjw-thumbnail.bmp", "samples/bmp/V3_R5_G6_B5.bmp", "samples/ico/bmp.ico",
           "samples/tga/palette-bottom-up.tga", "samples/pcx/palette-16.pcx", "samples/sun/palette-rle.ras",
           "samples/xpm/hole.xpm", "samples/xbm/dither.xbm")


def picture(mode="RGB"):
    image = Image.new("RGBA", (WIDTH, HEIGHT))
    image.putdata([(x * 19 % 256, y * 36, (x * y * 5) % 256, 255 - x * 11) for y in range(HEIGHT) for x in range(WIDTH)])
    return image.convert(mode)


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def decoded(data, *options, decoder=None, name="input"):
    with Folder() as folder:
        named = ("--decoder", decoder) if decoder else ()
        done = run("-q", "-p", "rgba", *named, *options, folder.write(name, data))
        expect_status(done, 0)
        return done.stdout


def info(data, name="input"):
    with Folder() as folder:
        done = run("--info", folder.write(name, data))
        expect_status(done, 0)
        return json.loads(done.stdout)


def expect_pixels(data, image, **options):
    expect(decoded(data, **options) == image.convert("RGBA").tobytes(), "other pixels")


# ---- BMP ----

def header(bits, compression=0, colors=0, size=40, width=WIDTH, height=HEIGHT, more=b""):
    fields = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, 0, 0, 0, colors, 0)
    return (fields + more).ljust(size, b"\0")


def bmp(head, behind, pixels, gap=b"", start=None, mark=b"BM"):
    start = 14 + len(head) + len(behind) + len(gap) if start is None else start
    return mark + struct.pack("<IHHI", 14 + len(head) + len(behind) + len(gap) + len(pixels), 0, 0, start) + head + \
        behind + gap + pixels


def padded(row):
    return row + bytes(-len(row) % 4)


def packed(indices, bits):
    number = 0
    for index in indices:
        number = number << bits | index
    spare = -len(indices) * bits % 8
    return (number << spare).to_bytes((len(indices) * bits + 7) // 8, "big")


def indexed(bits):
    """Rows of indices, and the palette."""
    most = 1 << bits
    rows = [[(x + y * 3) % most for x in range(WIDTH)] for y in range(HEIGHT)]
    palette = [(i * 7 % 256, 255 - i, i * 31 % 256) for i in range(most)]
    return rows, palette


def entries(palette, size=4):
    return b"".join(bytes((blue, green, red, 0)[:size]) for red, green, blue in palette)


def shown(rows, palette):
    return b"".join(bytes((*palette[i], 255)) if i is not None else bytes(4) for row in rows for i in row)


@test
def palettes_of_every_depth():
    for bits in (1, 2, 4, 8):
        rows, palette = indexed(bits)
        pixels = b"".join(padded(packed(row, bits)) for row in reversed(rows))
        expect(decoded(bmp(header(bits), entries(palette), pixels)) == shown(rows, palette), f"{bits} bits")
        pixels = b"".join(padded(packed(row, bits)) for row in rows)
        top_down = header(bits, height=-HEIGHT)
        expect(decoded(bmp(top_down, entries(palette), pixels)) == shown(rows, palette), f"{bits} bits, top-down")
        expect(decoded(bmp(top_down, entries(palette), pixels, start=0)) == shown(rows, palette), "no place said")
        expect(decoded(bmp(top_down, entries(palette), pixels, gap=b"odd")) == shown(rows, palette), "a gap")
        dib = top_down + entries(palette) + pixels
        expect(decoded(dib, decoder="dib") == decoded(dib, name="a.dib") == shown(rows, palette), "without file header")


@test
def headers_of_os2():
    for bits in (1, 4, 8):
        rows, palette = indexed(bits)
        pixels = b"".join(padded(packed(row, bits)) for row in reversed(rows))
        old = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, bits)
        file = bmp(old, entries(palette, 3), pixels)
        expect(decoded(file) == shown(rows, palette), "OS/2 1")
        for size in (16, 64):
            head = header(bits, size=64)[:size]
            head = struct.pack("<I", size) + head[4:]
            expect(decoded(bmp(head, entries(palette), pixels)) == shown(rows, palette), f"OS/2 2: {size}")
        start = 28 + len(old) + len(entries(palette, 3))
        array = b"BA" + struct.pack("<IIHH", 40, 0, 0, 0) + bmp(old, entries(palette, 3), pixels, start=start)
        expect(decoded(array) == shown(rows, palette), "an array")


@test
def short_palettes_are_black_behind():
    rows, palette = indexed(8)
    pixels = b"".join(padded(bytes(row)) for row in reversed(rows))
    black = palette[:5] + [(0, 0, 0)] * 251
    expect(decoded(bmp(header(8, colors=5), entries(palette[:5]), pixels)) == shown(rows, black), "as said")
    expect(decoded(bmp(header(8), entries(palette[:5]), pixels)) == shown(rows, black), "as there is room")
    with Folder() as folder:
        lying = folder.write("a.bmp", bmp(header(8, colors=300), entries(palette), pixels))
        expect_failure(run("-q", lying), 3)


def widen(value, bits):
    if bits > 8:
        value >>= bits - 8
        bits = 8
    return (value * 510 + (1 << bits) - 1) // (2 * ((1 << bits) - 1)) if bits else 0


@test
def masks():
    sets = [(16, (0xF800, 0x7E0, 0x1F, 0)), (16, (0xF00, 0xF0, 0xF, 0xF000)), (16, (0x7C00, 0x3E0, 0x1F, 0x8000)),
            (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)), (32, (0x3FF00000, 0xFFC00, 0x3FF, 0)),
            (32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF)), (16, (0, 0x7E0, 0, 0))]
    for bits, masks_ in sets:
        values = [[(x * 0x9E3779B1 + y * 0x85EBCA77) & ((1 << bits) - 1) for x in range(WIDTH)] for y in range(HEIGHT)]
        rows = [padded(b"".join(value.to_bytes(bits // 8, "little") for value in row)) for row in reversed(values)]
        wanted = bytearray()
        for value in (value for row in values for value in row):
            for i, mask in enumerate(masks_):
                shift = (mask & -mask).bit_length() - 1
                wanted.append(widen((value & mask) >> shift, bin(mask).count("1")) if mask else 255 if i == 3 else 0)
        four = struct.pack("<4I", *masks_)
        expect(decoded(bmp(header(bits, 3, size=124, more=four), b"", b"".join(rows))) == wanted, f"V5 {masks_}")
        expect(decoded(bmp(header(bits, 3, size=56, more=four), b"", b"".join(rows))) == wanted, f"V3 {masks_}")
        expect(decoded(bmp(header(bits, 6), four, b"".join(rows))) == wanted, f"behind the header {masks_}")
        if masks_[3] == 0:
            expect(decoded(bmp(header(bits, 3), four[:12], b"".join(rows))) == wanted, f"three {masks_}")
    for wrong in ((0xF800, 0xFE0, 0x1F, 0), (0xF0F0, 0xF00, 0xF, 0)):
        with Folder() as folder:
            pixels = bytes((WIDTH * 2 + 2) * HEIGHT)
            file = folder.write("a.bmp", bmp(header(16, 3), struct.pack("<3I", *wrong[:3]), pixels))
            expect_failure(run("-q", file), 3)


@test
def alpha_as_browsers_see_it():
    image = picture("RGBA")
    bgra = b"".join(bytes((b, g, r, a)) for r, g, b, a in image.getdata())
    rows = b"".join(bgra[y * WIDTH * 4:(y + 1) * WIDTH * 4] for y in reversed(range(HEIGHT)))
    four = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    expect_pixels(bmp(header(32), b"", rows), image.convert("RGB"))
    expect_pixels(bmp(header(32, size=108, more=four), b"", rows), image)
    nothing = bytes(byte if i % 4 < 3 else 0 for i, byte in enumerate(rows))
    expect_pixels(bmp(header(32, 3, size=108, more=four), b"", nothing), image.convert("RGB"))
    expect(info(bmp(header(32), b"", rows))["alpha"] is False)
    expect(info(bmp(header(32, size=108, more=four), b"", rows))["alpha"] is True)


@test
def run_lengths():
    palette = [(i * 16 % 256, 255 - i, 7 * i % 256) for i in range(256)]
    four = header(8, 1, width=4, height=3)
    stream = bytes((4, 9, 0, 0,   0, 3, 1, 2, 3, 0, 1, 4, 0, 0,   2, 7, 0, 1))
    wanted = shown([[7, 7, None, None], [1, 2, 3, 4], [9] * 4], palette)
    expect(decoded(bmp(four, entries(palette), stream)) == wanted, "RLE 8")
    moved = bytes((1, 5, 0, 2, 1, 1, 1, 6, 0, 1))
    expect(decoded(bmp(four, entries(palette), moved)) ==
           shown([[None] * 4, [None, None, 6, None], [5, None, None, None]], palette), "a move")
    small = header(4, 2, width=4, height=2)
    stream = bytes((5, 0x12, 0, 0, 0, 3, 0x34, 0x50, 1, 0x60, 0, 1))
    expect(decoded(bmp(small, entries(palette[:16]), stream)) == shown([[3, 4, 5, 6], [1, 2, 1, 2]], palette), "RLE 4")
    triples = header(24, 4, size=64, width=3, height=1)
    stream = bytes((2, 1, 2, 3, 1, 4, 5, 6, 0, 0, 0, 1))
    expect(decoded(bmp(triples, b"", stream)) == bytes((3, 2, 1, 255, 3, 2, 1, 255, 6, 5, 4, 255)), "RLE 24")
    with Folder() as folder:
        for stream in (bytes((0, 5, 1, 2, 3, 4, 5, 0)), bytes((0, 2, 5, 0, 0, 1)), bytes((0, 2, 0, 3, 0, 1)), bytes((4, 1))):
            expect_failure(run("-q", folder.write("a.bmp", bmp(four, entries(palette), stream))), 3)
        whole = bytes((4, 1, 0, 0, 4, 2, 0, 0, 4, 3))
        done = run(folder.write("a.bmp", bmp(four, entries(palette), whole)))
        expect(done.returncode == 0 and b"end" in done.stderr, "an end that is missing")
        expect_failure(run("--strict", "-q", folder("a.bmp")), 3)


@test
def what_is_not_decoded():
    with Folder() as folder:
        for head in (header(0, 4), header(0, 5), header(1, 3, size=64), header(64), header(32, 11)):
            done = run("-q", folder.write("a.bmp", bmp(head, b"", bytes(999))))
            expect(done.returncode in (3, 7), done.stderr)
        for head in (header(3), header(24, width=0), header(24, height=0), header(24, width=-1), header(24, 1)):
            expect_failure(run("-q", folder.write("a.bmp", bmp(head, b"", bytes(999)))), 3)


@test
def sizes_and_memory_are_limited():
    with Folder() as folder:
        large = folder.write("a.bmp", bmp(header(24, width=30000, height=30000), b"", bytes(64)))
        expect_failure(run("-q", "--memory", "64M", "--max-pixels", "2000000000", "--max-output", "8G", large), 4, "memory")
        expect_failure(run("-q", "--max-side", "1000", large), 4)
        endless = folder.write("b.bmp", bmp(header(24, width=0x7FFFFFFF, height=0x7FFFFFFF), b"", b""))
        expect_failure(run("-q", endless), 4)
        white = folder.write("c.bmp", bmp(header(24, width=1000, height=-3000), b"", bytes(9000000)))
        expect_status(run("-q", "--memory", "2M", "-o", folder("c.ppm"), white), 0)


@test
def rows_that_came_are_kept():
    image = picture()
    bgr = b"".join(padded(b"".join(bytes((b, g, r)) for r, g, b in
                                   (image.getpixel((x, y)) for x in range(WIDTH)))) for y in range(HEIGHT))
    file = bmp(header(24, height=-HEIGHT), b"", bgr[:3 * 40 + 7])
    got = decoded(file, "--partial")
    expect(got[:3 * WIDTH * 4] == image.convert("RGBA").tobytes()[:3 * WIDTH * 4], "the first three rows")
    expect(not any(got[3 * WIDTH * 4:]), "and no more")


# ---- icons ----

def icon(pictures, kind=1):
    place = 6 + 16 * len(pictures)
    listed, behind = b"", b""
    for width, height, bits, data in pictures:
        listed += struct.pack("<BBBBHHII", width % 256, height % 256, 0, 0, 1, bits, len(data), place + len(behind))
        behind += data
    return struct.pack("<HHH", 0, kind, len(pictures)) + listed + behind


def bitmap_of(image, mask=None, alpha=True):
    width, height = image.size
    rows = b""
    for y in reversed(range(height)):
        for red, green, blue, opacity in (image.getpixel((x, y)) for x in range(width)):
            rows += bytes((blue, green, red, opacity if alpha else 0))
    if mask is not None:
        for y in reversed(range(height)):
            rows += padded(packed([mask(x, y) for x in range(width)], 1))
    return header(32, width=width, height=2 * height) + rows


@test
def icons_and_their_masks():
    image = picture("RGBA")
    expect_pixels(icon([(WIDTH, HEIGHT, 32, bitmap_of(image))]), image)
    half = decoded(icon([(WIDTH, HEIGHT, 32, bitmap_of(image, lambda x, y: int(x > y), alpha=False))], kind=2))
    wanted = b"".join(bytes(4) if x > y else bytes((*image.getpixel((x, y))[:3], 255))
                      for y in range(HEIGHT) for x in range(WIDTH))
    expect(half == wanted, "the mask counts where there is no alpha")
    with Folder() as folder:
        bare = folder.write("a.ico", icon([(WIDTH, HEIGHT, 32, bitmap_of(image, alpha=False))]))
        expect_failure(run("-q", bare), 3)


@test
def the_largest_icon_is_taken():
    small, large = picture("RGBA").resize((4, 4)), picture("RGBA")
    file = icon([(4, 4, 32, bitmap_of(small)), (WIDTH, HEIGHT, 8, b"wrong"),
                 (WIDTH, HEIGHT, 32, saved(large, "PNG")), (5, 5, 32, b"wrong")])
    expect_pixels(file, large)
    expect(info(file)["frames"] == 4 and info(file)["width"] == WIDTH)
    for mode in ("L", "LA", "P", "1"):
        expect_pixels(icon([(WIDTH, HEIGHT, 32, saved(picture(mode), "PNG"))]), picture(mode))


@test
def the_first_frame_of_an_animated_cursor():
    first, second = picture("RGBA"), picture("RGBA").rotate(180)

    def chunk(name, data):
        return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

    icons = b"".join(chunk(b"icon", icon([(WIDTH, HEIGHT, 32, bitmap_of(image))], 2)) for image in (first, second))
    top = chunk(b"anih", struct.pack("<9I", 36, 2, 3, 0, 0, 0, 0, 6, 1))
    for order, wanted in ((b"", first), (chunk(b"seq ", struct.pack("<3I", 1, 0, 1)), second)):
        body = b"ACON" + top + order + chunk(b"LIST", b"fram" + icons)
        file = b"RIFF" + struct.pack("<I", len(body)) + body
        expect_pixels(file, wanted)
        expect(info(file)["format"] == "ani" and info(file)["frames"] == (3 if order else 2))


# ---- the others ----

@test
def tga_as_pillow_writes_it():
    for mode in ("RGB", "RGBA", "L", "LA", "P"):
        image = picture("RGB").quantize(9) if mode == "P" else picture(mode)
        for compression in (None, "tga_rle"):
            for orientation in (1, -1):
                file = saved(image, "TGA", compression=compression, orientation=orientation)
                expect_pixels(file, image)


@test
def tga_of_other_kinds():
    start = struct.pack("<BBBHHBHHHH", 3, 0, 2, 0, 0, 0, 0, 0, 4, 1)
    five = b"".join(struct.pack("<H", value) for value in (0x7C00, 0x03E0, 0x801F, 0xFFFF))
    wanted = bytes((255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255, 255, 255, 255, 255))
    expect(decoded(start + bytes((15, 32)) + b"abc" + five) == wanted, "15 bits")
    turned = b"".join(wanted[i:i + 4] for i in (12, 8, 4, 0))
    expect(decoded(start + bytes((16, 48)) + b"abc" + five, name="a.tga") == turned, "from right to left")
    alpha = decoded(start + bytes((16, 33)) + b"abc" + five)
    expect([alpha[i] for i in (3, 7, 11, 15)] == [0, 0, 255, 255], "16 bits with alpha")
    bgr0 = b"".join(bytes((i, i, i, 0)) for i in range(4))
    expect(decoded(start + bytes((32, 32)) + b"abc" + bgr0) == bytes(v for i in range(4) for v in (i, i, i, 255)),
           "no alpha but zeros")
    odd = struct.pack("<BBBHHBHHHH", 0, 0, 10, 1, 2, 3, 4, 5, 4, 1) + bytes((24, 0, 131, 1, 2, 3))
    with Folder() as folder:
        expect_failure(run("-q", folder.write("unnamed", odd)), 7)
    expect(decoded(odd, name="a.tga") == bytes((3, 2, 1, 255)) * 4, "by its name")


@test
def pcx_as_pillow_writes_it():
    for mode in ("RGB", "L", "P", "1"):
        image = picture("RGB").quantize(200) if mode == "P" else picture(mode)
        expect_pixels(saved(image, "PCX"), image)


def piped(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


@test
def as_netpbm_writes_them():
    color = picture("RGB").quantize(16).convert("RGB")
    for command in (["ppmtopcx"], ["pnmtorast"], ["pnmtorast", "-standard"], ["ppmtoxpm"], ["ppmtotga", "-rgb"],
                    ["ppmtotga", "-cmap"]):
        expect(decoded(piped(command, saved(color, "PPM"))) == color.convert("RGBA").tobytes(), command)
    mono = picture("1")
    for command in (["pbmtoxbm"], ["pbmtox10bm"]):
        expect(decoded(piped(command, saved(mono, "PPM"))) == mono.convert("RGBA").tobytes(), command)


@test
def colours_of_xpm():
    file = b'/* XPM */\nstatic char *a[] = {\n/* size */\n"6 1 6 2 0 0", "aa c None", "bb\tc #f00 m white", ' \
           b'"cc m black g #0F0", "dd s mask c light sea green", "ee c gray50", "ff c #123456789abc",\n"aabbccddeeff"};\n'
    wanted = bytes(4) + bytes((255, 0, 0, 255, 0, 255, 0, 255, 32, 178, 170, 255, 128, 128, 128, 255, 0x12, 0x56, 0x9A, 255))
    expect(decoded(file) == wanted)
    expect(info(file)["alpha"] is True)
    with Folder() as folder:
        expect_failure(run("-q", folder.write("a.xpm", file.replace(b"gray50", b"nowhere"))), 7)
        expect_failure(run("-q", folder.write("a.xpm", file.replace(b'"aabb', b'"aaxx'))), 3)


# ---- all ----

@test
def every_prefix_ends_well():
    with Folder() as folder:
        for sample in SAMPLES:
            data = read(sample)
            step = max(1, len(data) // 60)
            names = [folder.write(f"{size}.{sample.split('.')[-1]}", data[:size]) for size in range(0, len(data), step)]
            for partial in ((), ("--partial",)):
                for name in names[:: 1 + 3 * bool(partial)]:
                    done = run("-q", *partial, name)
                    expect(done.returncode in (0, *REFUSALS), f"{sample}: {name}: {done.returncode}")


@test
def pieces_and_pipes_are_as_good():
    for sample in SAMPLES:
        data = read(sample)
        whole = run("-q", sample)
        expect_status(whole, 0)
        feeder = subprocess.Popen([sys.executable, "-c", "import sys,os,time\ndata=open(sys.argv[1],'rb').read()\n"
                                   "for i in range(0, min(len(data), 200), 7): os.write(1, data[i:i+7]); time.sleep(0.001)\n"
                                   "os.write(1, data[(min(len(data), 200) + 6) // 7 * 7:])", sample],
                                  stdout=subprocess.PIPE)
        piece = run("-q", "-", stdin=feeder.stdout)
        feeder.stdout.close()
        feeder.wait()
        expect(piece.returncode == 0 and piece.stdout == whole.stdout, f"{sample} {len(data)}: {piece.stderr}")


if __name__ == "__main__":
    sys.exit(main())
