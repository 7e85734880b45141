# SPDX-License-Identifier: MIT
"""Drives the viewer on an X server of its own, with keys and the mouse, and looks at what its window shows."""

import os
import signal
import subprocess
import sys

from cli_support import HOSTILE, PHOTO, SCREENSHOT, TONE, Folder, expect, expect_failure, read, run, test
from viewer_support import (NOT_THERE, OUTSIDE, PATIENCE, PROMPT, VIEWER, WINDOW, Viewer, covered, descendants,
                            environment, expect_gone, expect_same, main_on_display, middle, pillow, place, read_card,
                            read_corner, reference, stall, still_there, using_processor, wait_for)

# ---- pictures ----


@test
def shows_a_photograph_exactly_at_one_to_one():
    with Viewer(PHOTO) as viewer:
        viewer.wait_title(r"^photograph\.jpg \(1 of 1\) 1165x859, zoom 88%$")
        viewer.keys("1")
        viewer.wait_title(r", zoom 100%$")
        expect_same(viewer.picture(), middle(reference(PHOTO)))


@test
def fits_a_photograph_into_the_window():
    with Viewer(PHOTO) as viewer:
        viewer.wait_title(r", zoom 88%$")
        shown = viewer.picture()
    photo = reference(PHOTO)
    zoom = WINDOW[0] / photo.size[0]
    top = round((WINDOW[1] - photo.size[1] * zoom) / 2)
    for x, y in [(x, y) for x in range(0, WINDOW[0], 31) for y in range(top, WINDOW[1] - top - 1, 29)]:
        across = covered(x / zoom, (x + 1) / zoom, photo.size[0])
        down = covered((y - top) / zoom, (y - top + 1) / zoom, photo.size[1])
        whole = sum(a for _, a in across) * sum(b for _, b in down)
        for band in range(3):
            wanted = sum(photo.getpixel((i, j))[band] * a * b for i, a in across for j, b in down) / whole
            expect(abs(wanted - shown.getpixel((x, y))[band]) < 2, f"{shown.getpixel((x, y))} at {x}, {y}")
    expect(set(shown.crop((0, 0, WINDOW[0], top - 1)).getdata()) == {OUTSIDE}, "something beside the picture")


@test
def turns_pictures_as_exif_says():
    image = reference("samples/jpeg/peacock.default.jpeg").crop((3, 5, 78, 100))  # odd sizes, not square
    from PIL import ImageOps
    with Folder() as folder:
        paths = []
        for orientation in range(1, 9):
            exif = pillow().Exif()
            exif[0x112] = orientation
            paths.append(folder(f"{orientation}.jpg"))
            image.save(paths[-1], exif=exif)
        with Viewer(*paths) as viewer:
            for index, path in enumerate(paths):
                with pillow().open(path) as file:
                    wanted = ImageOps.exif_transpose(file).convert("RGB")
                width, height = wanted.size
                viewer.wait_title(rf"^{index + 1}\.jpg \({index + 1} of 8\) {width}x{height}, zoom 100%$")
                expect_same(viewer.picture().crop(place(wanted)), wanted, f"orientation {index + 1}")
                viewer.keys("Right")


@test
def shows_a_chessboard_through_transparent_pixels():
    path = "samples/png/with-alpha.png"
    with pillow().open(path) as file:
        image = file.convert("RGBA")
    left, top, *_ = box = place(image)
    board = pillow().new("RGBA", image.size)
    board.putdata([((0x66,) * 3 if ((left + x) // 8 ^ (top + y) // 8) & 1 else (0x99,) * 3) + (255,)
                   for y in range(image.size[1]) for x in range(image.size[0])])
    wanted = pillow().alpha_composite(board, image).convert("RGB")
    with Viewer(path) as viewer:
        viewer.wait_title(r"zoom 100%$")
        shown = viewer.picture().crop(box)
    worst = max(abs(a - b) for a, b in zip(shown.tobytes(), wanted.tobytes()))
    expect(worst <= 2, f"off by {worst}")  # premultiplying and blending both round
    expect(len(set(wanted.getdata())) > 1, "nothing is transparent")


# ---- keys and the mouse ----


@test
def goes_to_the_next_and_the_previous_file():
    names = [PHOTO, SCREENSHOT, "samples/jpeg/peacock.default.jpeg"]
    with Viewer(*names) as viewer:
        viewer.wait_title(r"\(1 of 3\) .*%$")
        for key, number in [("Right", 2), ("space", 3), ("Next", 1), ("Left", 3), ("Prior", 2), ("BackSpace", 1),
                            ("End", 3), ("Home", 1), ("Left", 3)]:
            viewer.keys(key)
            viewer.wait_title(rf"^{os.path.basename(names[number - 1])} \({number} of 3\) .*%$")
        wanted = reference(names[2])
        expect_same(viewer.picture().crop(place(wanted)), wanted)
        viewer.quit("Escape")


@test
def zooms():
    image = reference("samples/jpeg/peacock.default.jpeg")
    width, height = image.size
    with Viewer("samples/jpeg/peacock.default.jpeg") as viewer:
        viewer.wait_title("zoom 100%$")
        viewer.keys("plus")
        viewer.wait_title("zoom 125%$")
        viewer.keys("plus", "plus")
        viewer.wait_title("zoom 195%$")
        viewer.keys("minus", "minus", "minus")
        viewer.wait_title("zoom 100%$")
        viewer.keys("minus", "minus", "minus", "minus")
        viewer.wait_title("zoom 41%$")
        viewer.keys("f")
        viewer.wait_title("zoom 100%$")
        viewer.tool("mousemove", "--window", viewer.window, "512", "384", "click", "4", "click", "4", "click", "4")
        viewer.wait_title("zoom 195%$")
        viewer.keys("1")
        viewer.wait_title("zoom 100%$")
        expect_same(viewer.picture().crop(place(image)), image, "the picture after zooming back")
        # Far in, each pixel is a square.
        viewer.keys(*["plus"] * 14)
        viewer.wait_title("zoom 2274%$")
        shown = viewer.picture()
    zoom = 1.25**14
    # Nothing but the window's middle can tell where a pixel lies: follow it from there.
    for dx, dy in [(0, 0), (10, -7), (-15, 12)]:
        x, y = width // 2 + dx, height // 2 + dy
        at = (int(512 + (x + 0.5 - width / 2) * zoom), int(384 + (y + 0.5 - height / 2) * zoom))
        expect(shown.getpixel(at) == image.getpixel((x, y)), f"the pixel at {x}, {y}")


@test
def moves_the_picture_with_the_mouse():
    photo = reference(PHOTO)
    with Viewer(PHOTO) as viewer:
        viewer.wait_title("zoom 88%$")
        viewer.keys("1")
        viewer.wait_title("zoom 100%$")
        move = ["mousemove", "--window", viewer.window]
        viewer.tool(*move, "500", "400", "mousedown", "1", *move, "540", "420", "mouseup", "1")
        left, top = 71 - 40, 46 - 20
        wanted = photo.crop((left, top, left + WINDOW[0], top + WINDOW[1])).tobytes()
        wait_for("the picture to move", lambda: viewer.picture().tobytes() == wanted)
        # Not further than to its corner.
        viewer.tool(*move, "100", "100", "mousedown", "1", *move, "900", "700", "mouseup", "1")
        wanted = photo.crop((0, 0, *WINDOW)).tobytes()
        wait_for("the corner", lambda: viewer.picture().tobytes() == wanted)


@test
def follows_the_size_of_the_window():
    with Viewer(PHOTO) as viewer:
        viewer.wait_title("zoom 88%$")
        viewer.tool("windowsize", viewer.window, "600", "400")
        viewer.wait_title("zoom 47%$")
        viewer.keys("1")
        viewer.wait_title("zoom 100%$")
        expect_same(viewer.picture(), middle(reference(PHOTO), (600, 400)))


# ---- what is damaged, hostile or slow ----


@test
def shows_a_card_for_a_damaged_file():
    with Viewer("samples/jpeg/invalid-441b7667.jpg", "samples/gzip/romeo.txt.gz", "no such file", PHOTO) as viewer:
        viewer.wait_title(r"^invalid-441b7667\.jpg .*: Damaged$")
        expect(read_card(viewer.picture()) == ["Damaged", "the header is not valid", "invalid-441b7667.jpg"],
               f"the card says {read_card(viewer.picture())}")
        viewer.keys("Right")
        viewer.wait_title(r"^romeo\.txt\.gz .*: Cannot be shown$")
        card = read_card(viewer.picture(), 2)
        expect(card == ["Cannot be shown", "This is not a picture, but compressed data: gzip.", "romeo.txt.gz"], card)
        viewer.keys("Right")
        viewer.wait_title(r"^no such file .*: Cannot be read$")
        expect(read_card(viewer.picture()) == ["Cannot be read", "No such file or directory", "no such file"],
               f"the card says {read_card(viewer.picture())}")
        viewer.keys("Right", "1")
        viewer.wait_title(r"^photograph\.jpg .*, zoom 100%$")
        expect_same(viewer.picture(), middle(reference(PHOTO)))


@test
def says_what_cannot_be_read_and_why():
    with Viewer("samples/jpeg", PHOTO) as viewer:
        viewer.wait_title(r"^jpeg \(1 of 2\): Cannot be read$")
        card = read_card(viewer.picture())
        expect(card == ["Cannot be read", "cannot read the input: Is a directory", "jpeg"], card)


@test
def says_what_sound_is():
    """Its tags, which come before the header, were taken for the end, and the window stayed empty."""
    sounds = (("samples/flac/flac-multiple-album-artists-tags.flac", "flac, 44100 Hz, 2 channels"),
              ("samples/mp3/testcase-0star.mp3", "mp3, 44100 Hz, 1 channel"), (TONE, "wav, 8000 Hz, 2 channels"))
    with Viewer(*[path for path, _ in sounds]) as viewer:
        for path, what in sounds:
            name = os.path.basename(path)
            viewer.wait_title(rf"^{name} \(\d of 3\): Cannot be shown$")
            card = read_card(viewer.picture(), 2)
            expect(card[:2] == ["Cannot be shown", f"This is sound: {what}. The viewer has no sound output."], card)
            viewer.keys("Right")


@test
def says_that_it_decodes():
    """The rows of a progressive picture come last, and long after a large one was opened."""
    noise = pillow().effect_noise((5000, 4000), 80).convert("RGB")
    with Folder() as folder:
        path = folder("large.jpg")
        noise.save(path, progressive=True, quality=90)
        with Viewer(path) as viewer:
            viewer.wait_title(r"^large\.jpg \(1 of 1\): decoding$")
            said = read_corner(viewer.picture())
            expect(said == "decoding...", said)
            viewer.wait_title(r"^large\.jpg \(1 of 1\) 5000x4000, zoom \d+%$")
            expect(read_corner(viewer.picture()) != "decoding...", "it still says so")


@test
def shows_what_there_is_of_a_picture_that_ends_early():
    whole = reference(SCREENSHOT)
    with Folder() as folder:
        cut = folder.write("cut.png", read(SCREENSHOT)[:os.path.getsize(SCREENSHOT) // 2])
        with Viewer(cut) as viewer:
            viewer.wait_title(r"^cut\.png .*: Damaged$")
            shown = viewer.picture()
    expect(read_card(shown) == ["Damaged", "ends early", "cut.png"], f"the card says {read_card(shown)}")
    rows = next(y for y in range(whole.size[1]) if shown.getpixel((0, y)) == NOT_THERE)
    expect(rows > whole.size[1] // 8, f"only {rows} rows")
    there = (0, 0, whole.size[0], rows)
    expect_same(shown.crop(there), whole.crop(there))


@test
def escapes_the_name_in_the_title():
    with Folder() as folder:
        with Viewer(folder.write("a\x1b]0;x\x07\n\udcff.jpg", b"\xff\xd8\xff")) as viewer:
            viewer.wait_title(r"^a\\x1b\]0;x\\x07\\x0a\\xff\.jpg \(1 of 1\): Damaged$")


@test
def answers_while_a_decode_stalls():
    screenshot = reference(SCREENSHOT)
    with Folder() as folder:
        data = read(SCREENSHOT)
        path, feed = stall(folder, data[:len(data) // 2])
        with Viewer(path, SCREENSHOT) as viewer:
            viewer.wait_title(r"\(1 of 2\): waiting$")  # nobody has opened the other end
            said = read_corner(viewer.picture())
            expect(said == "waiting...", said)
            writer = feed()
            share = viewer.wait_title(r"zoom 100%: (?!0%)(\d+)% is here$")
            expect(20 < int(share[1]) < 80, share[0])
            shown = viewer.picture()
            said = read_corner(shown)
            expect(said.endswith("% is here..."), said)
            rows = screenshot.size[1] // 5
            expect_same(shown.crop((0, 0, WINDOW[0], rows)), screenshot.crop((0, 0, WINDOW[0], rows)), "what is here")
            expect(shown.getpixel((500, 760)) == NOT_THERE, "rows that are not here")
            viewer.keys("plus")
            viewer.wait_title("zoom 125%: ", PROMPT)
            viewer.family |= descendants(viewer.process.pid)
            viewer.keys("Right")
            viewer.wait_title(r"^screenshot\.png \(2 of 2\) 1024x768, zoom 100%$", PROMPT)
            expect_same(viewer.picture(), screenshot)
            # The decode was given up: nobody has the other end any more.
            try:
                os.write(writer, b"more")
                raise AssertionError("somebody still reads")
            except BrokenPipeError:
                os.close(writer)


@test
def quits_while_a_decode_stalls():
    with Folder() as folder:
        data = read(SCREENSHOT)
        path, feed = stall(folder, data[:len(data) // 2])
        with Viewer(path) as viewer:
            viewer.wait_title("waiting$")
            writer = feed()
            viewer.wait_title("is here$")
            expect(len(descendants(viewer.process.pid)) >= 2, "no broker and no child is at work")
            viewer.quit("Escape")
            os.close(writer)


@test
def gives_up_a_hostile_decode():
    library = os.path.dirname(HOSTILE)
    with Folder() as folder:
        files = [folder.write("spin", b"HOSTILE spin"), folder.write("crash", b"HOSTILE segfault 4096"),
                 folder.write("call", b"HOSTILE call 39"), PHOTO]
        with Viewer(*files, LD_LIBRARY_PATH=library) as viewer:
            viewer.wait_title(r"^spin \(1 of 4\): decoding$")
            busy = wait_for("a busy child", lambda: using_processor(viewer))
            viewer.keys("Right")
            viewer.wait_title(r"^crash \(2 of 4\): Suspicious$")
            wait_for("the end of the busy child", lambda: not os.path.exists(f"/proc/{busy}"))
            expect(read_card(viewer.picture())[0] == "Suspicious", "no card")
            viewer.keys("Right")
            viewer.wait_title(r"^call \(3 of 4\): Suspicious$")
            viewer.family |= descendants(viewer.process.pid)
            viewer.keys("Left", "Left")
            viewer.wait_title(r"^spin \(1 of 4\): decoding$")
            wait_for("a busy child", lambda: using_processor(viewer))


@test
def ends_at_a_signal_and_leaves_nothing_behind():
    viewer = Viewer(PHOTO, SCREENSHOT).__enter__()
    viewer.wait_title(r"photograph\.jpg .*%$")
    viewer.keys("Right")
    viewer.wait_title(r"screenshot\.png .*%$")
    family = descendants(viewer.process.pid)
    expect(len(family) >= 2, "no brokers")
    viewer.process.send_signal(signal.SIGTERM)
    expect(viewer.process.wait(PROMPT) == 0, f"status {viewer.process.returncode}")
    expect_gone(family)


@test
def takes_its_brokers_along_when_it_is_killed():
    viewer = Viewer(PHOTO).__enter__()
    viewer.wait_title(r"photograph\.jpg .*%$")
    family = descendants(viewer.process.pid)
    viewer.process.kill()
    viewer.process.wait()
    expect(len(family) >= 2, "no brokers")
    wait_for("the end of its brokers and children", lambda: not still_there(family))


@test
def says_how_it_is_used():
    done = run(program=VIEWER, env=environment())
    expect(done.returncode == 1 and done.stderr.startswith(b"usage: viewer FILE..."), f"{done.returncode}")
    for option in ("--help", "-h"):
        done = run(option, program=VIEWER, env=environment())
        expect(done.returncode == 0 and done.stdout.startswith(b"usage: viewer FILE..."), f"{done.returncode}")
        expect(b"backspace" in done.stdout, done.stdout)


@test
def ends_where_there_is_no_display():
    with Folder() as folder:
        bare = {name: value for name, value in environment(XDG_RUNTIME_DIR=folder.path).items()
                if name not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
        expect_failure(run(PHOTO, program=VIEWER, env=bare), 2, "viewer: no display")
        # Whoever asks for one that shows nothing gets it.
        process = subprocess.Popen([VIEWER, PHOTO], env=dict(bare, SDL_VIDEODRIVER="offscreen"))
        family = wait_for("brokers", lambda: descendants(process.pid))
        process.send_signal(signal.SIGTERM)
        expect(process.wait(PATIENCE) == 0, f"status {process.returncode}")
        wait_for("the end of its brokers", lambda: not still_there(family))


if __name__ == "__main__":
    sys.exit(main_on_display())
