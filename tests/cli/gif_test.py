#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""GIF: what browsers show of it, and what becomes of damage.

    tests/cli/gif_test.py BUILD_FOLDER

Files are made here, code by code; what real ones give is compared in tests/corpus.
"""

import json
import os
import struct
import subprocess
import sys

from cli_support import BUILD, PROGRAM, Folder, Skip, expect, expect_failure, expect_status, main, read, run, test

SAMPLE = "samples/gif/hippopotamus.regular.gif"
THUMBNAIL = "samples/gif/pjw-thumbnail.gif"
INTERLACED = "samples/gif/hippopotamus.interlaced.gif"
COLORS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))
CLEAR, END = 4, 5  # with two bits an index
EMPTY = (0, 0, 0, 0)


def blocks(data):
    pieces = [data[at:at + 255] for at in range(0, len(data), 255)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def pack(codes, width=3):
    """Codes of one width, the first bit first."""
    bits = sum(code << (width * place) for place, code in enumerate(codes))
    return bits.to_bytes((len(codes) * width + 7) // 8, "little")


def literals(indices):
    """Codes that stay three bits wide, for the table is cleared before it fills."""
    codes = []
    for place, index in enumerate(indices):
        codes += ([CLEAR] if place % 2 == 0 else []) + [index]
    return codes + [END]


def palette(colors=COLORS):
    return b"".join(bytes(color) for color in colors)


def control(transparent=None, dispose=0, delay=0):
    flags = dispose << 2 | (transparent is not None)
    return b"!\xf9\4" + struct.pack("<BHB", flags, delay, transparent or 0) + b"\0"


def image(place, indices, flags=0, local=b"", codes=None, data=None):
    data = pack(literals(indices) if codes is None else codes) if data is None else data
    return b"," + struct.pack("<4HB", *place, flags) + local + b"\2" + blocks(data)


def gif(*parts, size=(2, 2), flags=0x81, colors=palette(), version=b"89a", background=1):
    screen = struct.pack("<HHBBB", *size, flags, background, 0)
    return b"GIF" + version + screen + (colors if flags & 0x80 else b"") + b"".join(parts) + b";"


def pixels(data, *options):
    done = run("-q", "-p", "rgba", *options, input=data)
    expect_status(done, 0)
    return [tuple(done.stdout[at:at + 4]) for at in range(0, len(done.stdout), 4)]


def opaque(*indices):
    return [COLORS[index] + (255,) for index in indices]


def info(data):
    with Folder() as folder:
        done = run("--info", folder.write("a.gif", data))
    expect_status(done, 0)
    return json.loads(done.stdout)


def all_frames(data):
    program = os.path.join(BUILD, "tests", "frames_gif")
    if not os.path.exists(program):
        raise Skip(f"{program} was not built")
    with Folder() as folder:
        done = subprocess.run([program, folder.write("a.gif", data)], capture_output=True, check=False)
    expect(done.returncode == 0, f"status {done.returncode}")
    found = [tuple(done.stdout[at:at + 4]) for at in range(0, len(done.stdout), 4)]
    return found, [int(line) for line in done.stderr.split()]


# ---- one frame ----


@test
def plain_pictures():
    for version in (b"87a", b"89a"):
        expect(pixels(gif(image((0, 0, 2, 2), (0, 1, 2, 3)), version=version)) == opaque(0, 1, 2, 3), version)
    # A local palette takes the place of the other.
    local = palette(COLORS[::-1])
    expect(pixels(gif(image((0, 0, 2, 2), (0, 1, 2, 3), 0x81, local))) == opaque(3, 2, 1, 0), "local")
    told = info(gif(image((0, 0, 2, 2), (0, 1, 2, 3))))
    expect((told["format"], told["width"], told["alpha"], told["color"], told["frames"], told["channels"]) ==
           ("gif", 2, False, "palette", 1, 3), told)


@test
def what_has_no_colour_is_black():
    black = (0, 0, 0, 255)
    expect(pixels(gif(image((0, 0, 2, 2), (0, 1, 2, 3)), flags=0x80, colors=palette(COLORS[:2]))) ==
           opaque(0, 1) + [black, black], "short palette")
    expect(pixels(gif(image((0, 0, 2, 2), (0, 1, 2, 3)), flags=0)) == [black] * 4, "no palette")


@test
def transparent_pixels_have_no_colour():
    data = gif(control(2), image((0, 0, 2, 2), (0, 1, 2, 3)))
    expect(pixels(data) == opaque(0, 1) + [EMPTY] + opaque(3), "pixels")
    expect(info(data)["alpha"] and info(data)["channels"] == 4, "info")
    # It is for the next frame alone, and text is none.
    late = gif(image((0, 0, 2, 2), (0, 1, 2, 3)), control(2))
    expect(pixels(late) == opaque(0, 1, 2, 3), "behind the frame")


@test
def frames_smaller_and_larger_than_the_screen():
    """What is not covered is transparent, not of the background colour; what reaches beyond makes the screen larger."""
    small = gif(image((1, 1, 1, 1), (3,)), size=(3, 2))
    expect(pixels(small) == [EMPTY] * 4 + opaque(3) + [EMPTY], "small")
    expect(info(small)["alpha"], "alpha")
    beyond = gif(image((1, 0, 2, 1), (0, 1)), size=(2, 2))
    expect(pixels(beyond) == [EMPTY] + opaque(0, 1) + [EMPTY] * 3, "beyond")
    expect(pixels(gif(image((0, 0, 2, 1), (0, 1)), size=(0, 0))) == opaque(0, 1), "no screen")
    expect_failure(run("-q", input=gif(image((0, 0, 0, 0), ()))), 3, "header")


@test
def interlaced_rows_are_put_in_order():
    with_rows = [0, 8, 16, 4, 12, 2, 6, 10, 14, 18, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]
    order = sorted(range(20), key=lambda row: (0 if row % 8 == 0 else 1 if row % 8 == 4 else 2 if row % 4 == 2 else 3, row))
    expect(order == with_rows, "order")
    colors = [row * 7 % 4 for row in range(20)]
    data = gif(image((0, 0, 1, 20), [colors[row] for row in order], 0x40), size=(1, 20))
    expect(pixels(data) == opaque(*colors), "pixels")
    expect(info(data)["progressive"], "progressive")
    expect(run("-q", INTERLACED).stdout == run("-q", SAMPLE).stdout, "samples")


@test
def interlaced_pictures_in_part():
    """What has not come yet is as the row above it, in blocks of 8, 4 and 2."""
    data = gif(image((0, 0, 1, 16), [0, 1, 2, 3], 0x40), size=(1, 16))
    expect_failure(run("-q", input=data), 3, "length")
    done = pixels(data, "--partial")
    expect(done == opaque(*[0] * 4, *[2] * 4, *[1] * 4, *[3] * 4)[:16] or done[:4] == opaque(0, 0, 3, 3), done)


# ---- codes ----


@test
def codes_behind_the_last_pixel_are_passed_over():
    for codes in (literals((0, 1, 2, 3, 0, 1)), literals((0, 1, 2, 3)) + [7, 7, 7], literals((0, 1, 2, 3))[:-1]):
        done = run("-p", "rgba", input=gif(image((0, 0, 2, 2), (), codes=codes)))
        expect_status(done, 0)
        expect(b"missing" not in done.stderr and done.stdout[:8] == bytes(COLORS[0] + (255,) + COLORS[1] + (255,)), codes)


@test
def codes_without_a_first_clear():
    expect(pixels(gif(image((0, 0, 2, 1), (), codes=[1, 2, END]), size=(2, 1))) == opaque(1, 2), "no clear")


@test
def codes_that_stand_for_themselves():
    """A code that is about to be defined: index, and the same twice."""
    expect(pixels(gif(image((0, 0, 3, 1), (), codes=[CLEAR, 1, 6, END]), size=(3, 1))) == opaque(1, 1, 1), "repeat")


@test
def wrong_codes_are_damage():
    for codes in ([CLEAR, 0, 1, 7, 7], [CLEAR, 6], [7]):
        data = gif(image((0, 0, 1, 9), (), codes=codes), size=(1, 9))
        expect_failure(run("-q", input=data), 3)
    damaged = gif(image((0, 0, 1, 4), (), codes=[CLEAR, 0, CLEAR, 1, CLEAR, 7]), size=(1, 4))
    expect(pixels(damaged, "--partial") == opaque(0, 1) + [EMPTY] * 2, "rows before it")
    for bits in (0, 9, 12, 255):
        data = gif(b"," + struct.pack("<4HB", 0, 0, 1, 1, 0) + bytes([bits]) + blocks(pack([CLEAR, 1, END])))
        expect_failure(run("-q", input=data), 3, "header")


@test
def a_full_table_goes_on_without_clear():
    """Most writers clear it, some do not.  Pillow's and our own reading of a picture in which it fills."""
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    state, indices = 1, []
    for _ in range(200 * 200):
        state = (state * 1103515245 + 12345) & 0x7fffffff
        indices.append(state >> 16 & 3)
    codes, bits, filled, table, following, width = [], 0, 0, {}, 6, 3
    data = bytearray()

    def put(code):
        nonlocal bits, filled
        bits |= code << filled
        filled += width
        while filled >= 8:
            data.append(bits & 255)
            bits >>= 8
            filled -= 8

    put(CLEAR)
    string = (indices[0],)
    table.update({(index,): index for index in range(4)})
    for index in indices[1:]:
        if string + (index,) in table:
            string += (index,)
            continue
        put(table[string])
        if following < 4096:
            table[string + (index,)] = following
            following += 1
            if following - 1 == 1 << width and width < 12:
                width += 1
        string = (index,)
    put(table[string])
    put(END)
    data.append(bits & 255)
    made = gif(image((0, 0, 200, 200), (), data=bytes(data)), size=(200, 200))
    expect(pixels(made) == opaque(*indices), "pixels")
    with Folder() as folder:
        with Image.open(folder.write("a.gif", made)) as picture:
            expect(picture.convert("RGB").tobytes() == run("-q", "-p", "rgb", input=made).stdout, "Pillow")
    expect(not codes, "unused")


# ---- ends ----


@test
def ends_that_are_missing_or_wrong():
    whole = gif(image((0, 0, 2, 2), (0, 1, 2, 3)))
    for data, words in ((whole[:-1], b"end is missing"), (whole[:-2], b"end is missing"),
                        (whole[:-1] + b"x", b"end is missing"), (whole + b"x", b"follow")):
        done = run(input=data)
        expect_status(done, 0)
        expect(words in done.stderr, done.stderr)
        expect_status(run("-q", "--strict", input=data), 3)
    # Of an animation the first frame is shown, and no one looks further.
    expect_status(run("-q", "--strict", input=whole[:-1] + image((0, 0, 2, 2), (0, 1, 2, 3))[:11]), 0)


@test
def every_prefix():
    data = read(THUMBNAIL)
    before = b""
    for size in range(len(data)):
        done = run("-q", "-p", "rgba", "--partial", input=data[:size])
        expect(done.returncode in ((0, 3) if size >= 4 else (3, 7)), f"{size}: {done.returncode}")
        kept = done.stdout.rstrip(b"\0")
        expect(kept.startswith(before), f"{size}: other rows")
        before = kept
    for size in range(1, len(data) - 16, 8):
        expect(run("-q", input=data[:size]).returncode in (3, 7), f"{size}")


@test
def in_pieces_through_a_pipe():
    data = read(SAMPLE)
    with subprocess.Popen([PROGRAM, "-q", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        for at in range(0, len(data), 100):
            child.stdin.write(data[at:at + 100])
            child.stdin.flush()
        child.stdin.close()
        expect(child.stdout.read() == run("-q", SAMPLE).stdout, "other pixels")


@test
def other_versions_are_refused():
    expect_failure(run("-q", input=gif(image((0, 0, 2, 2), (0, 1, 2, 3)), version=b"88a")), 3, "header")
    expect_failure(run("-q", input=gif()), 3)


@test
def limits():
    data = gif(image((0, 0, 2, 2), (0, 1, 2, 3)), size=(60000, 60000))
    expect_failure(run("-q", "--max-side", "50000", input=data), 4)
    expect_failure(run("-q", "--max-pixels", "1000000", input=data), 4)
    # It goes out row by row.
    noise = gif(image((0, 0, 2, 2), (0, 1, 2, 3)), size=(4000, 4000))
    expect_status(run("-q", "--memory", "2M", input=noise, stdout=subprocess.DEVNULL), 0)
    wide = gif(image((0, 0, 60000, 60000), (0, 1), 0x40), size=(1, 1))
    expect_failure(run("-q", "--max-pixels", "4000000000", "--max-output", "100G", "--memory", "8M", input=wide), 4, "--memory")


# ---- animations ----


@test
def what_becomes_of_frames():
    first = image((0, 0, 2, 2), (0, 0, 0, 0))
    second = (1, 1, 1, 1), (1,)
    third = image((0, 0, 1, 1), (2,))
    red, green, blue = opaque(0, 1, 2)
    for dispose, left in ((0, green), (1, green), (2, EMPTY), (3, red), (4, red), (5, green), (7, green)):
        data = gif(first, control(dispose=dispose), image(*second), third)
        found, delays = all_frames(data)
        expect(found == [red] * 4 + [red] * 3 + [green] + [blue, red, red, left], f"{dispose}: {found}")
        expect(delays == [100] * 3, delays)
        expect(info(data)["frames"] == 3, "frames")
        expect(pixels(data) == [red] * 4, "the first")


@test
def frames_beyond_the_canvas_are_cut():
    found, _ = all_frames(gif(image((0, 0, 2, 2), (0, 0, 0, 0)), control(dispose=2), image((1, 1, 2, 2), (1, 2, 3, 0)),
                              control(dispose=3), image((9, 9, 1, 1), (1,)), image((0, 0, 0, 1), ())))
    red, green = opaque(0, 1)
    expect(found == [red] * 4 + [red] * 3 + [green] + ([red] * 3 + [EMPTY]) * 2, found)


@test
def delays_as_browsers_take_them():
    frame = image((0, 0, 2, 2), (0, 1, 2, 3))
    parts = [part for delay in (0, 1, 2, 3, 100, 65535) for part in (control(delay=delay), frame)]
    expect(all_frames(gif(*parts))[1] == [100, 100, 20, 30, 1000, 655350], "delays")


@test
def a_transparent_pixel_shows_the_frame_before():
    found, _ = all_frames(gif(image((0, 0, 2, 1), (0, 1)), control(2), image((0, 0, 2, 1), (2, 3)), size=(2, 1)))
    expect(found == opaque(0, 1, 0, 3), found)


@test
def other_extensions_are_passed_over():
    loops = b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0"
    odd = b"!\xff\x0bNETSCAPE2.0\0" + b"!\xfe\3abc\1d\0" + b"!\x01\x0c" + bytes(12) + b"\1a\0" + b"!\x77\0" + b"\0"
    expect(pixels(gif(loops, odd, image((0, 0, 2, 2), (0, 1, 2, 3)))) == opaque(0, 1, 2, 3), "pixels")
    expect(info(gif(b"!\xff\x0bICCRGBG1012\1a\0", image((0, 0, 2, 2), (0, 1, 2, 3))))["icc"], "icc")


if __name__ == "__main__":
    sys.exit(main())
