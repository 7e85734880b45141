#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Animations and pages in the viewer.

    tests/cli/viewer_frames_test.py BUILD_FOLDER
"""

import json
import os
import sys
import time

from cli_support import PHOTO, Folder, expect, read, run, test
from viewer_support import (PATIENCE, WINDOW, Viewer, expect_same, main_on_display, pillow, place, read_card, wait_for)

COLORS = [(200, 10, 30), (20, 180, 40), (30, 40, 220), (230, 220, 60)]
DELAYS = [300, 500, 400, 800]  # milliseconds
LATE = 0.15  # seconds by which a busy machine may be late
ANIMATIONS = ("samples/gif/mixed-disposal.gif", "samples/webp/rotating-squares.webp", "samples/avif/animated-alpha.avif",
              "samples/png/animation-palette.apng")


def write_gif(path, delays, loops=None, size=(64, 48), colors=COLORS):
    """Frames of one colour each.  Without `loops` it is shown once, with 0 without end."""
    frames = [pillow().new("RGB", size, color) for color in colors[:len(delays)]]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=delays, disposal=1,
                   **({} if loops is None else {"loop": loops}))
    return path


def changes(seen):
    """The colours one after the other."""
    return [color for index, (_, _, color) in enumerate(seen) if index == 0 or color != seen[index - 1][2]]


def color_at(moment, delays):
    moment = moment * 1000 % sum(delays)
    for color, delay in zip(COLORS, delays):
        if moment < delay:
            return color
        moment -= delay
    return COLORS[0]


def expect_in_time(seen, delays):
    """What is seen must be the frames at their times, from the first change to the first frame on."""
    begin = next(index for index in range(1, len(seen)) if seen[index][2] == COLORS[0] != seen[index - 1][2])
    zero = (seen[begin - 1][0] + seen[begin][1]) / 2
    for before, after, color in seen[begin:]:
        moments = [before - zero - LATE, before - zero, (before + after) / 2 - zero, after - zero, after - zero + LATE]
        allowed = {color_at(moment, delays) for moment in moments}
        expect(color in allowed, f"{color} {before - zero:.3f} s after the first frame")


@test
def shows_each_frame_for_its_delay():
    with Folder() as folder:
        with Viewer(write_gif(folder("a.gif"), DELAYS, 0)) as viewer:
            viewer.wait_title(r"^a\.gif \(1 of 1\) 64x48, zoom 100%$")
            seen = viewer.watch(6 * sum(DELAYS) / 1000)
    expect_in_time(seen, DELAYS)
    expect(len(changes(seen)) >= 5 * len(DELAYS), changes(seen))


@test
def stops_after_as_many_loops_as_the_file_says():
    with Folder() as folder:
        # The number says how often it is shown, as the library tells it.
        path = write_gif(folder("a.gif"), [400, 300, 300], 2)
        with Viewer(path) as viewer:
            seen = viewer.watch(4)
            expect(changes(seen[-5:]) == [COLORS[2]], "it does not end")
            order = [color for color in changes(seen) if color in COLORS]
            expect(order == COLORS[:3] * 2, order)
            viewer.keys("space")
            order = [color for color in changes(viewer.watch(4)) if color in COLORS]
            expect(order[-6:] == COLORS[:3] * 2, f"once more: {order}")
        with Viewer(write_gif(folder("once.gif"), [300, 300])) as viewer:
            order = [color for color in changes(viewer.watch(2)) if color in COLORS]
            expect(order == COLORS[:2], order)


@test
def frames_are_those_that_are_decoded():
    for path in ANIMATIONS:
        done = run("-q", "--frames", "-p", "rgba", path)
        told = json.loads(run("--info", path).stdout)
        size = (told["width"], told["height"])
        length = size[0] * size[1] * 4
        frames = [over_board(pillow().frombytes("RGBA", size, done.stdout[start:start + length]))
                  for start in range(0, len(done.stdout), length)]
        shown = set()
        with Viewer(path) as viewer:
            viewer.wait_title("zoom 100%$")
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end and len(shown) < 3:
                picture = viewer.picture().crop(place(frames[0]))
                alike = {index for index, frame in enumerate(frames) if is_alike(picture, frame)}
                expect(alike, f"{path}: what is shown is none of its frames")
                shown.add(min(alike))
        expect(len(shown) == 3, f"{path}: only {shown} are shown")


def over_board(image):
    """As transparent pixels are shown at this place."""
    left, top, *_ = place(image)
    board = pillow().new("RGBA", image.size)
    board.putdata([((0x66,) * 3 if ((left + x) // 8 ^ (top + y) // 8) & 1 else (0x99,) * 3) + (255,)
                   for y in range(image.size[1]) for x in range(image.size[0])])
    return pillow().alpha_composite(board, image).convert("RGB")


def is_alike(image, other):
    return max(abs(a - b) for a, b in zip(image.tobytes(), other.tobytes())) <= 2


@test
def space_pauses():
    with Folder() as folder:
        with Viewer(write_gif(folder("a.gif"), [200, 200, 200], 0), PHOTO) as viewer:
            viewer.wait_title("zoom 100%$")
            expect(len(set(changes(viewer.watch(1)))) == 3, "it does not play")
            viewer.keys("space")
            viewer.wait_title(r"^a\.gif \(1 of 2\) 64x48, zoom 100%: paused$")
            expect(len(changes(viewer.watch(1.5))) == 1, "it goes on")
            viewer.keys("plus")
            viewer.wait_title("zoom 125%: paused$")
            viewer.keys("space")
            viewer.wait_title("zoom 125%$")
            expect(len(set(changes(viewer.watch(1)))) == 3, "it does not go on")
            viewer.keys("Right")
            viewer.wait_title(r"^photograph\.jpg \(2 of 2\) ")


@test
def an_endless_animation_takes_no_more_and_more():
    def cost(viewer):
        """KiB of memory and descriptors, at most in a second."""
        memory, descriptors = [], []
        end = time.monotonic() + 1
        while time.monotonic() < end:
            status = read(f"/proc/{viewer.process.pid}/status").decode()
            memory.append(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")))
            descriptors.append(len(os.listdir(f"/proc/{viewer.process.pid}/fd")))
            time.sleep(0.01)
        return max(memory), max(descriptors)

    with Folder() as folder:
        with Viewer(write_gif(folder("a.gif"), [20, 20, 20], 0, (800, 600))) as viewer:
            viewer.wait_title("zoom 100%$")
            time.sleep(2)
            memory, descriptors = cost(viewer)
            time.sleep(6)  # about 100 loops
            later = cost(viewer)
    expect(later[0] < memory + 1024, f"{memory} KiB, then {later[0]}")
    expect(later[1] < descriptors + 8, f"{descriptors} descriptors, then {later[1]}")


@test
def pages_are_stepped_through():
    sizes = ((40, 30), (70, 50), (10, 90))
    pages = [pillow().new("RGB", size, color) for size, color in zip(sizes, COLORS)]
    with Folder() as folder:
        pages[0].save(folder("pages.tiff"), save_all=True, append_images=pages[1:])
        with Viewer(PHOTO, folder("pages.tiff"), "samples/ico/bmp.ico") as viewer:
            viewer.wait_title(r"^photograph\.jpg \(1 of 3\) 1165x859, zoom \d+%$")
            viewer.keys("Next")
            for index, (width, height) in enumerate(sizes):
                viewer.wait_title(rf"^pages\.tiff \(2 of 3\), page {index + 1} of 3: {width}x{height}, zoom 100%$")
                expect_same(viewer.picture().crop(place(pages[index])), pages[index], f"page {index + 1}")
                viewer.keys("Next")
            viewer.wait_title(r"^bmp\.ico \(3 of 3\)")
            viewer.keys("Prior")
            viewer.wait_title(r"^pages\.tiff \(2 of 3\), page 1 of 3: ")
            viewer.keys("Next", "Next")
            viewer.wait_title(", page 3 of 3: ")
            viewer.keys("Prior")
            viewer.wait_title(", page 2 of 3: ")
            viewer.keys("Right")
            viewer.wait_title(r"^bmp\.ico \(3 of 3\)")


@test
def what_is_wrong_behind_the_first_frame_is_told():
    with Folder() as folder:
        whole = read(write_gif(folder("a.gif"), [100, 100, 100], 0))
        last = whole.rindex(b"!\xf9\x04")
        cut = folder.write("cut.gif", whole[:last + 30])
        with Viewer(cut) as viewer:
            viewer.wait_title(r"^cut\.gif .*: Damaged$")
            card = read_card(viewer.picture())
            expect(card == ["Damaged", "ends early", "cut.gif"], card)
            expect(viewer.picture().getpixel((WINDOW[0] // 2, WINDOW[1] // 2)) == COLORS[1], "the last whole frame")
            viewer.keys("space")


@test
def an_animation_from_a_pipe_shows_its_first_frame():
    with Folder() as folder:
        path = folder("pipe.gif")
        data = read(write_gif(folder("a.gif"), [100, 100, 100], 0))
        os.mkfifo(path)
        with Viewer(path) as viewer:
            with open(path, "wb") as writer:
                writer.write(data)
            viewer.wait_title("64x48, zoom 100%$")
            expect(changes(viewer.watch(1)) == [COLORS[0]], "not the first frame")


@test
def moves_on_from_an_animation():
    with Folder() as folder:
        path = write_gif(folder("a.gif"), [50, 50, 50], 0)
        with Viewer(path, *ANIMATIONS, PHOTO) as viewer:
            for number in list(range(1, 7)) * 3:
                viewer.wait_title(rf"\({number} of 6\).*%$")
                viewer.keys("Right")
            wait_for("the first file", lambda: "(1 of 6)" in viewer.title())


if __name__ == "__main__":
    sys.exit(main_on_display())
