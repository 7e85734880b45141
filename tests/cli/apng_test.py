#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Animated PNG: the frames that browsers show, and what becomes of damage.

    tests/cli/apng_test.py BUILD_FOLDER

Files are built here, and so is what must come of them, by the specification's rules; what real ones give is compared in
tests/corpus.
"""

import io
import itertools
import os
import random
import struct
import subprocess
import sys
import zlib

from cli_support import BUILD, Folder, Skip, expect, expect_failure, expect_status, main, read, run, test
from picture_support import info
from png_files import GRAY, KINDS, PALETTE, RGB, RGBA, SIGNATURE, Picture, chunk

NONE, BACKGROUND, PREVIOUS = 0, 1, 2
SOURCE, OVER = 0, 1
SIZE = (8, 6)
END = chunk(b"IEND", b"")
MESSAGES = {"header": "the header is not valid", "structure": "parts are missing, doubled or out of order",
            "checksum": "a checksum does not match", "length": "a stored length does not match", "early": "ends early"}


class Frame:
    """Pixels are rows of RGBA."""

    def __init__(self, pixels, x=0, y=0, dispose=NONE, blend=SOURCE, delay=(40, 1000)):
        self.pixels, self.x, self.y, self.dispose, self.blend, self.delay = pixels, x, y, dispose, blend, delay
        self.width, self.height = len(pixels[0]), len(pixels)

    def data(self):
        return zlib.compress(b"".join(b"\0" + bytes(itertools.chain(*row)) for row in self.pixels))


def plain(color, size=SIZE):
    return [[color] * size[0] for _ in range(size[1])]


def header(size=SIZE, kind=RGBA, depth=8):
    return SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 0))


def control(sequence, frame):
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", sequence, frame.width, frame.height, frame.x, frame.y, *frame.delay,
                                      frame.dispose, frame.blend))


def frame_data(sequence, data):
    return chunk(b"fdAT", struct.pack(">I", sequence) + data)


def animation_control(count, loops=0):
    return chunk(b"acTL", struct.pack(">II", count, loops))


def parts(frames, hidden=None, loops=0, start=None):
    """The chunks of an animation; `hidden` is a picture that is none of its frames."""
    pieces = [start or header(), animation_control(len(frames), loops)]
    if hidden:
        pieces.append(chunk(b"IDAT", Frame(hidden).data()))
    sequence = 0
    for index, frame in enumerate(frames):
        pieces.append(control(sequence, frame))
        sequence += 1
        if index == 0 and not hidden:
            pieces.append(chunk(b"IDAT", frame.data()))
        else:
            pieces.append(frame_data(sequence, frame.data()))
            sequence += 1
    return [*pieces, END]


def build(frames, **options):
    return b"".join(parts(frames, **options))


def blended(below, above):
    alpha = above[3] + below[3] * (255 - above[3]) / 255
    if alpha == 0:
        return (0, 0, 0, 0)
    return tuple((a * above[3] + b * below[3] * (255 - above[3]) / 255) / alpha
                 for a, b in zip(above[:3], below[:3])) + (alpha,)


def composed(frames, size=SIZE):
    """The canvas after each frame, by the specification's rules; numbers that are not whole where colours mix."""
    canvas = plain((0, 0, 0, 0), size)
    for index, frame in enumerate(frames):
        before = [list(row) for row in canvas]
        for y, x in itertools.product(range(frame.height), range(frame.width)):
            above, below = frame.pixels[y][x], canvas[frame.y + y][frame.x + x]
            canvas[frame.y + y][frame.x + x] = above if frame.blend == SOURCE or index == 0 else blended(below, above)
        yield list(itertools.chain(*canvas))
        if frame.dispose == PREVIOUS and index > 0:
            canvas = before
        elif frame.dispose != NONE:
            for y, x in itertools.product(range(frame.height), range(frame.width)):
                canvas[frame.y + y][frame.x + x] = (0, 0, 0, 0)


def frames_of(data, piece=1 << 30):
    """All frames as RGBA, and their delays, from the decoder in a process of the test's."""
    program = os.path.join(BUILD, "tests", "frames_png")
    if not os.path.exists(program):
        raise Skip(f"{program} was not built")
    with Folder() as folder:
        done = subprocess.run([program, folder.write("a.png", data), str(piece)], capture_output=True, check=False)
    expect(done.returncode == 0, f"status {done.returncode}")
    delays = [int(line) for line in done.stderr.split()]
    size = len(done.stdout) // max(len(delays), 1)
    return [done.stdout[at:at + size] for at in range(0, len(done.stdout), size)], delays


def like(pixels, expected):
    """Of what is transparent, the colour does not count; where colours mix, it may be off by one."""
    for at, right in enumerate(expected):
        is_there = pixels[at * 4:at * 4 + 4]
        if is_there[3] == 0 and right[3] == 0:
            continue
        most = 0 if all(isinstance(value, int) for value in right) else 1
        if any(abs(a - b) > most for a, b in zip(is_there, right)):
            return False
    return len(pixels) == 4 * len(expected)


def flat(pixels):
    return bytes(itertools.chain(*itertools.chain(*pixels)))


def dice_frames(dice, count, alphas):
    for index in range(count):
        width, height = (dice.randint(1, SIZE[0]), dice.randint(1, SIZE[1])) if index > 0 else SIZE
        pixels = [[(dice.randrange(256), dice.randrange(256), dice.randrange(256), dice.choice(alphas))
                   for _ in range(width)] for _ in range(height)]
        yield Frame(pixels, dice.randint(0, SIZE[0] - width), dice.randint(0, SIZE[1] - height), dice.randrange(3),
                    dice.randrange(2))


THREE = [Frame(plain((255, 0, 0, 255))), Frame(plain((0, 255, 0, 255), (3, 2)), 2, 1), Frame(plain((0, 0, 255, 255), (8, 1)))]


# ---- frames ----


@test
def every_way_to_dispose_and_blend():
    dice = random.Random(1)
    met = set()
    for _ in range(40):
        frames = list(dice_frames(dice, 6, (0, 255, 255, 100, 1)))
        met.update((frame.dispose, frame.blend) for frame in frames[1:])
        shown, delays = frames_of(build(frames))
        expect(len(shown) == 6 and delays == [40] * 6, delays)
        for index, (pixels, expected) in enumerate(zip(shown, composed(frames))):
            expect(like(pixels, expected), f"frame {index}")
    expect(len(met) == 6, met)


@test
def every_color_type():
    """Frames of two sizes, plain and interlaced; the palette and the transparent colour are those of the file."""
    for (kind, depth), interlaced, transparent in itertools.product(KINDS, (0, 1), (False, True)):
        names = (("PLTE",) if kind == PALETTE else ()) + (("tRNS",) if transparent and kind in (GRAY, RGB, PALETTE) else ())
        first, second = (Picture(kind, depth, names, interlaced, size, seed) for size, seed in (((11, 9), "a"), ((5, 7), "b")))
        second.palette, second.alpha, second.key = first.palette, first.alpha, first.key
        second.rows[0][0] = first.key
        place = Frame(plain((0, 0, 0, 0), (5, 7)), 4, 1)
        data = b"".join([first.start(), animation_control(2), control(0, Frame(plain((0, 0, 0, 0), (11, 9)))),
                         chunk(b"IDAT", first.data()), control(1, place), frame_data(2, second.data()), END])
        above, below = second.pixels(False, transparent), first.pixels(False, transparent)
        right = bytearray(below)
        for y in range(7):
            at = ((place.y + y) * 11 + place.x) * 4
            right[at:at + 20] = above[y * 20:y * 20 + 20]
        expect(frames_of(data)[0] == [below, bytes(right)], f"{first.name}: {transparent}")


@test
def what_pillow_writes_and_reads():
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    dice = random.Random(2)
    for blend in (SOURCE, OVER):
        pictures = [Image.frombytes("RGBA", SIZE, flat(frame.pixels))
                    for frame in dice_frames(dice, 40, (0, 255)) if (frame.width, frame.height) == SIZE]
        pictures += [Image.new("RGBA", SIZE, (index, 0, 99, 255)) for index in range(5)]
        stream = io.BytesIO()
        pictures[0].save(stream, "PNG", save_all=True, append_images=pictures[1:], duration=70, loop=3, blend=blend)
        told = info(stream.getvalue())
        expect((told["animated"], told["loops"]) == (True, 3), told)
        shown, delays = frames_of(stream.getvalue())
        with Image.open(stream) as image:
            expect(image.n_frames == len(shown) == told["frames"] and set(delays) == {70}, delays)
            for index, pixels in enumerate(shown):
                image.seek(index)
                right = image.convert("RGBA").tobytes()
                expect(like(pixels, [tuple(right[at:at + 4]) for at in range(0, len(right), 4)]), f"frame {index}")


@test
def a_picture_apart_from_the_animation():
    """Browsers show it only where they cannot play, as a plain decode does."""
    hidden = plain((9, 8, 7, 255))
    data = build(THREE, hidden=hidden)
    shown, _ = frames_of(data)
    expect([like(*pair) for pair in zip(shown, composed(THREE), strict=True)] == [True] * 3, "frames")
    expect(info(data)["frames"] == 3, "information")
    expect(run("-q", "-p", "rgba", input=data).stdout == flat(hidden), "without an option")
    expect(run("-q", "-p", "rgba", "--frame", "2", input=data).stdout == shown[2], "a frame")
    expect(run("-q", "-p", "rgba", "--frames", input=data).stdout == b"".join(shown), "all frames")
    expect_status(run("-q", "--frame", "3", input=data), 7)


@test
def the_first_frame_is_the_picture():
    data = build(THREE)
    shown, _ = frames_of(data)
    for options in ((), ("--frame", "0")):
        expect(run("-q", "-p", "rgba", *options, input=data).stdout == shown[0] == flat(THREE[0].pixels), options)


@test
def delays_and_loops():
    delays = {(40, 1000): 40, (1, 30): 33, (7, 0): 70, (0, 100): 100, (1, 100): 100, (2, 100): 20, (65535, 1): 65535000}
    frames = [Frame(plain((1, 2, 3, 255)), delay=delay) for delay in delays]
    expect(frames_of(build(frames))[1] == list(delays.values()), "delays")
    for loops in (0, 1, 7):
        expect(info(build(THREE, loops=loops))["loops"] == loops, loops)


@test
def data_in_many_chunks():
    """Chunks that nobody knows may stand between them."""
    data = THREE[1].data()
    pieces = parts(THREE)
    text = chunk(b"tEXt", b"Comment\0none")
    split = [frame_data(2 + at, data[at:at + 1]) + text for at in range(len(data))]
    after = 2 + len(data)
    pieces[5:8] = [text, *split, control(after, THREE[2]), frame_data(after + 1, b""), frame_data(after + 2, THREE[2].data())]
    data = b"".join([*pieces, END])
    right = frames_of(build(THREE))
    expect(frames_of(data) == right and frames_of(data, piece=1) == right, "frames")


@test
def single_frame():
    data = build(THREE[:1])
    told = info(data)
    expect((told["frames"], told["animated"]) == (1, True), told)
    expect(run("-q", "-p", "rgba", "--frames", input=data).stdout == flat(THREE[0].pixels), "frames")


@test
def a_still_picture_has_one_frame():
    data = header() + chunk(b"IDAT", THREE[0].data()) + END
    expect(run("-q", "-p", "rgba", "--frames", input=data).stdout == flat(THREE[0].pixels), "frames")
    expect_status(run("-q", "--frame", "1", input=data), 7)


# ---- damage ----


def first_control(**changes):
    """The animation of three frames with another first fcTL."""
    fields = {"sequence": 0, "width": 8, "height": 6, "x": 0, "y": 0, "delay": 1, "parts": 10, "dispose": 0, "blend": 0}
    fields.update(changes)
    pieces = parts(THREE)
    pieces[2] = chunk(b"fcTL", struct.pack(">IIIIIHHBB", *fields.values()))
    return pieces


@test
def what_is_no_animation_is_a_still_picture():
    """As browsers take it, if what stands before the image data is wrong."""
    still = header() + chunk(b"IDAT", THREE[0].data()) + END
    wrong = [first_control(**change) for change in ({"sequence": 1}, {"width": 7}, {"x": 1}, {"height": 7}, {"width": 0},
                                                   {"dispose": 3}, {"blend": 2})]
    wrong.append([header(), animation_control(0), *parts(THREE)[2:]])
    wrong.append([header(), *parts(THREE)[2:]])
    wrong.append([header(), animation_control(3)[:-1] + b"?", *parts(THREE)[2:]])
    wrong.append([header(), animation_control(3), control(0, THREE[0])[:-1] + b"?", *parts(THREE)[3:]])
    wrong.append([header(), animation_control(3), control(0, THREE[0]), control(1, THREE[0]), *parts(THREE)[3:]])
    wrong.append([header(), chunk(b"IDAT", THREE[0].data()), animation_control(3), END])
    for index, pieces in enumerate(wrong):
        data = b"".join(pieces)
        told = info(data)
        expect((told["frames"], told["animated"]) == (1, False), f"{index}: {told}")
        expect(run("-q", "-p", "rgba", "--frames", input=data).stdout == flat(THREE[0].pixels), index)
    expect((info(still)["frames"], info(still)["animated"]) == (1, False), "still")


def changed(index, piece):
    pieces = parts(THREE)
    pieces[index] = piece
    return b"".join(pieces)


def broken(piece):
    return piece[:-1] + bytes([piece[-1] ^ 1])


@test
def damaged_animations_are_refused_and_frames_before_kept():
    """pieces: header, acTL, fcTL, IDAT, fcTL, fdAT, fcTL, fdAT, IEND"""
    data = THREE[1].data()
    outside = Frame(plain((0, 255, 0, 255), (3, 2)), 6, 1)
    cases = [(changed(4, control(2, THREE[1])), "structure"), (changed(4, control(1, outside)), "header"),
             (changed(4, broken(control(1, THREE[1]))), "checksum"), (changed(5, frame_data(3, data)), "structure"),
             (changed(5, broken(frame_data(2, data))), "checksum"), (changed(5, chunk(b"fdAT", b"\0\0")), "length"),
             (changed(5, frame_data(2, data[:-4] + b"????")), "checksum"), (changed(5, b""), "structure"),
             (changed(4, b""), "structure"), (changed(5, chunk(b"IDAT", data)), "structure"),
             (changed(4, chunk(b"fcTL", bytes(25))), "length"), (changed(4, b"garbage instead of it"), "structure"),
             (b"".join(parts(THREE)[:4]), "early"), (b"".join(parts(THREE)[:4]) + END, "structure"),
             (b"".join(parts(THREE)[:5]) + frame_data(2, data)[:14], "early")]
    first = flat(THREE[0].pixels)
    for index, (damaged, what) in enumerate(cases):
        with Folder() as folder:
            path = folder.write("a.png", damaged)
            expect_failure(run("-q", "--frames", "-p", "rgba", "-o", folder("out"), path), 3, f"{path}: {MESSAGES[what]}")
            expect(folder.names() == ["a.png"], index)
            done = run("-q", "--frames", "-p", "rgba", "--partial", path)
            expect_failure(done, 0, MESSAGES[what])
            # A frame that has begun is filled up.
            expect(done.stdout[:len(first)] == first and len(done.stdout) in (len(first), 2 * len(first)), index)
            # The first picture does not depend on it.
            expect(run("-q", "-p", "rgba", "--frame", "0", "--partial", path).stdout == first, index)


@test
def rows_before_damage_are_kept():
    tall = (40, 300)
    dice = random.Random(3)
    frames = [Frame(plain((1, 2, 3, 255), tall)),
              Frame([[(dice.randrange(256), 0, 0, 255) for _ in range(40)] for _ in range(200)], 0, 50)]
    pieces = parts(frames, start=header(tall))
    data = frames[1].data()
    pieces[5:] = [frame_data(2, data)[:len(data) // 2]]
    done = run("-q", "-p", "rgba", "--frames", "--partial", input=b"".join(pieces))
    expect_failure(done, 0, "ends early")
    shown = done.stdout[len(done.stdout) // 2:]
    right = [(1, 2, 3, 255)] * 50 * 40 + list(itertools.chain(*frames[1].pixels))
    rows = next(y for y in range(300) if shown[y * 160:y * 160 + 160] != bytes(itertools.chain(*right[y * 40:y * 40 + 40])))
    expect(80 < rows < 220, rows)
    expect(shown[rows * 160:] == bytes((300 - rows) * 160), "what is missing is transparent")


@test
def a_longer_prefix_never_gives_less():
    frames = [THREE[0], Frame(plain((0, 255, 0, 255), (3, 2)), 2, 1, PREVIOUS), Frame(plain((0, 0, 255, 255), (8, 1)), 0, 3, blend=OVER)]
    data = build(frames, hidden=plain((7, 7, 7, 255))) + b"more"
    right = b"".join(frames_of(data)[0])
    with Folder() as folder:
        paths = [folder.write(f"{size:05}.png", data[:size]) for size in range(40, len(data) + 1)]
        run("-q", "--frames", "--partial", "-p", "rgba", "--output-dir", folder("out"), *paths)
        kept = 0
        for size in range(40, len(data) + 1):
            path = folder("out", f"{size:05}.rgba")
            pixels = read(path) if os.path.exists(path) else b""
            same = len(os.path.commonprefix([pixels, right]))
            expect(same >= kept and not any(pixels[same:]), f"{size} bytes: {same} of {len(pixels)}")
            kept = same
    expect(kept == len(right), "the whole")


@test
def flaws_of_the_end():
    data = build(THREE)
    right = b"".join(frames_of(data)[0])
    surplus = b"".join(parts(THREE)[:-1]) + control(5, THREE[1]) + frame_data(6, THREE[1].data()) + END
    without_end = parts(THREE)
    without_end[7] = frame_data(4, THREE[2].data()[:-4])
    for flawed in (data[:-12], data[:-1] + b"?", surplus, b"".join(without_end), data + b"more"):
        done = run("--frames", "-p", "rgba", input=flawed)
        expect_status(done, 0)
        expect(done.stdout == right, "frames")
        expect((b"end is missing or wrong" in done.stderr) != (b"bytes follow the end" in done.stderr), done.stderr)
        expect_status(run("-q", "--frames", "--strict", input=flawed), 3)
    expect_status(run("-q", "--frames", "--strict", input=data), 0)


@test
def limits_are_for_all_frames_together():
    data = build(THREE)
    pixels = SIZE[0] * SIZE[1] * 3
    expect_status(run("-q", "--frames", "--max-pixels", str(pixels), input=data), 0)
    expect_failure(run("-q", "--frames", "--max-pixels", str(pixels - 1), input=data), 4, "pixels")
    done = run("-q", "--frames", "--partial", "--max-pixels", str(pixels - 1), input=data)
    expect_failure(done, 4, "pixels")


@test
def memory_is_known_before_it_is_taken():
    large = (2000, 2000)
    data = build([Frame(plain((0, 0, 0, 255), large))] * 2, start=header(large))
    done = run("-q", "--frames", "--memory", "8M", input=data)
    expect_failure(done, 4, "--memory allows 8 MiB")
    enough = done.stderr.split(b"needs ")[1].split()[0].decode()
    expect_status(run("-q", "--frames", "--memory", enough + "M", input=data), 0)
    # One picture takes a row.
    expect_status(run("-q", "--memory", "2M", input=data), 0)


if __name__ == "__main__":
    sys.exit(main())
