#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Frames of animations and pages of documents, from the command line.

    tests/cli/frames_cli_test.py BUILD_FOLDER
"""

import io
import json
import os
import sys

from cli_support import Folder, Skip, expect, expect_failure, expect_status, main, on_terminal, read, run, test

ANIMATIONS = {"samples/gif/mixed-disposal.gif": 5, "samples/webp/rotating-squares.webp": 9,
              "samples/avif/animated-alpha.avif": 5, "samples/png/animated-red-blue.apng": 4}
GIF = "samples/gif/mixed-disposal.gif"
SIZES = ((4, 3), (7, 5), (1, 9))  # of the pages below


def pages():
    """A TIFF of three pages of different sizes, each of one colour."""
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    pictures = [Image.new("RGB", size, (index * 50 + 10, 20, 30)) for index, size in enumerate(SIZES)]
    stream = io.BytesIO()
    pictures[0].save(stream, "TIFF", save_all=True, append_images=pictures[1:])
    return stream.getvalue()


def raw(path, *options):
    done = run("-q", "-p", "rgba", *options, path)
    expect_status(done, 0)
    return done.stdout


@test
def all_frames_are_each_frame():
    for path, count in ANIMATIONS.items():
        told = json.loads(run("--info", path).stdout)
        expect(told["frames"] == count and told["animated"] is True and "loops" in told, told)
        each = [raw(path, "--frame", str(index)) for index in range(count)]
        expect(raw(path, "--frames") == b"".join(each), path)
        expect(raw(path) == each[0], f"{path}: the first is what comes without an option")
        expect(raw(path, "--frames", "--frame", "2") == b"".join(each[2:]), f"{path}: from the third on")
        expect(len(set(each)) > 1, f"{path}: the frames are alike")
        expect_failure(run("-q", "--frame", str(count), path), 7, f"safe-decode: {path}: has no such frame or page\n")


@test
def each_frame_has_a_line():
    done = run("--frames", "-p", "rgba", GIF)
    lines = done.stderr.decode().splitlines()
    expect(len(lines) == 6, lines)
    for index, line in enumerate(lines[:5]):
        expect(line == f"{GIF}: frame {index}: 32x32, delay 1000 ms, at byte {index * 4096}", line)
    expect(lines[5] == f"{GIF}: 5 frames, rgba, 20480 bytes", lines[5])


@test
def a_terminal_gets_a_preview_of_one_frame():
    """The second one was an error: a preview is of one picture."""
    for options in ((), ("--frame", "1")):
        status, output = on_terminal("--frames", *options, GIF)
        expect(status == 0 and b"this is a preview of one frame; " in output, output)
        wanted = on_terminal(*options, GIF)
        expect(output.replace(b" of one frame", b"") == wanted[1], "not the preview of this frame")
    expect_failure(run("--frames", "-t", "preview", GIF), 1, "holds one picture")


@test
def pages_have_sizes_of_their_own():
    with Folder() as folder:
        path = folder.write("pages.tiff", pages())
        told = json.loads(run("--info", path).stdout)
        expect((told["frames"], told["animated"], told["width"]) == (3, False, 4), told)
        expect(json.loads(run("--info", "--page", "1", path).stdout)["width"] == 7, "--info of a page")
        parts = []
        for index, (width, height) in enumerate(SIZES):
            parts.append(raw(path, "--page", str(index)))
            expect(parts[-1] == bytes((index * 50 + 10, 20, 30, 255)) * width * height, f"page {index}")
        expect(raw(path, "--frames") == b"".join(parts), "all pages")
        joined = run("-q", "--frames", "-t", "ppm", path).stdout
        expect([joined.count(f"P6\n{width} {height}\n255\n".encode()) for width, height in SIZES] == [1, 1, 1], joined)
        # One byte less than all of them.
        done = run("-q", "--frames", "--max-pixels", str(12 + 35 + 9 - 1), path)
        expect_status(done, 4)
        expect_status(run("-q", "--frames", "--max-pixels", str(12 + 35 + 9), path), 0)


@test
def a_damaged_page_costs_those_before_it_nothing():
    with Folder() as folder:
        data = pages()
        path = folder.write("cut.tiff", data)
        # The first page alone is looked at where it alone is wanted.
        whole = raw(path)
        broken = bytearray(data)
        second = int.from_bytes(data[4:8], "little")
        entries = int.from_bytes(data[second:second + 2], "little")
        at = second + 2 + 12 * entries
        broken[at:at + 4] = (len(data) - 3).to_bytes(4, "little")  # where the next page is said to be
        path = folder.write("broken.tiff", bytes(broken))
        expect(raw(path) == whole, "the first page")


@test
def numbered_files():
    with Folder() as folder:
        pattern = os.path.join(folder.path, "f-%03d.pam")
        done = run("--frames", "-o", pattern, GIF)
        expect_status(done, 0)
        lines = done.stderr.decode().splitlines()
        expect(len(lines) == 5 and all(line.endswith(f", in {folder.path}/f-{index:03}.pam") for index, line in enumerate(lines)),
               lines)
        names = sorted(os.listdir(folder.path))
        expect(names == [f"f-{index:03}.pam" for index in range(5)], names)
        for index, name in enumerate(names):
            expect(read(os.path.join(folder.path, name)) == run("-q", "-t", "pam", "--frame", str(index), GIF).stdout, name)
        # They count from the first that is wanted, and replace what is there, as one output does.
        expect_status(run("-q", "--frames", "--frame", "3", "-o", pattern, GIF), 0)
        expect(sorted(os.listdir(folder.path)) == names, "names")


@test
def the_limit_on_output_is_for_all_numbered_files_together():
    with Folder() as folder:
        pattern = os.path.join(folder.path, "f-%03d.pam")
        expect_status(run("-q", "--frames", "-o", pattern, GIF), 0)
        size = sum(os.path.getsize(os.path.join(folder.path, name)) for name in os.listdir(folder.path))
        expect_status(run("-q", "--frames", "--max-output", str(size), "-o", pattern, GIF), 0)
        expect_failure(run("-q", "--frames", "--max-output", str(size - 1), "-o", pattern, GIF), 4, "output")


@test
def numbered_files_never_replace_the_input():
    with Folder() as folder:
        path = folder.write("f-001.pam", read(GIF))
        done = run("-q", "--frames", "-o", os.path.join(folder.path, "f-%03d.pam"), path)
        expect_status(done, 2)
        expect(b"is the input" in done.stderr and done.stderr.count(b"\n") == 1, done.stderr)
        expect(read(path) == read(GIF), "the input was replaced")


@test
def what_cannot_have_frames_is_refused():
    with Folder() as folder:
        single = os.path.join(folder.path, "one.png")
        for options in (("-o", single), ("-t", "png"), ("--info",), ("-o", os.path.join(folder.path, "%d-%d.png")),
                        ("-o", os.path.join(folder.path, "x%s.png"))):
            done = run("--frames", *options, GIF)
            expect_status(done, 1)
            expect(done.stderr.count(b"\n") == 1 and not done.stdout, done)
        expect(os.listdir(folder.path) == [], "files")
        done = run("--frames", "-o", os.path.join(folder.path, "%d.pam"), "samples/gzip/romeo.txt.gz")
        expect_status(done, 7)
        expect(os.listdir(folder.path) == [], "files")


@test
def a_name_without_frames_is_a_name():
    with Folder() as folder:
        path = os.path.join(folder.path, "a%d.pam")
        expect_status(run("-q", "-o", path, GIF), 0)
        expect(os.listdir(folder.path) == ["a%d.pam"], os.listdir(folder.path))


if __name__ == "__main__":
    sys.exit(main())
