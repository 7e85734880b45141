#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Frames of animations and pages of documents, from the command line.

    tests/cli/frames_cli_test.py BUILD_FOLDER
"""

import io
import json
import os
import struct
import subprocess
import sys
import time

from cli_support import (PROGRAM, TIME_LIMIT, Folder, Skip, expect, expect_failure, expect_status, main, on_terminal, read,
                         run, test)

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
def the_pictures_of_a_pnm_file_are_pages():
    names = ("raw.ppm", "raw.pbm", "raw-1000.pgm", "raw.ppm")
    data = [read("samples/pnm/" + name) for name in names]
    pam = run("-q", "-t", "pam", "samples/pnm/raw.ppm").stdout
    with Folder() as folder:
        path = folder.write("several.ppm", b"".join(data) + pam)
        each = [raw(folder.write("one.ppm", one)) for one in (*data, pam)]
        told = json.loads(run("--info", path).stdout)
        expect((told["frames"], told["animated"], told["depth"]) == (5, False, 8), told)
        told = json.loads(run("--info", "--page", "2", path).stdout)
        expect((told["frames"], told["depth"]) == (5, 10), told)
        expect(json.loads(run("--info", input=read(path)).stdout)["frames"] is None, "from a pipe, nobody can tell")
        expect(raw(path) == each[0], "the first page")
        expect([raw(path, "--page", str(page)) for page in range(5)] == each, "each page")
        expect(raw(path, "--frames") == b"".join(each), "all pages")
        for options in (("--page", "5"), ("--info", "--page", "5")):
            expect_failure(run("-q", *options, path), 7, "has no such frame or page")
        # What is wrong with a page costs those before it nothing.
        cut = folder.write("cut.ppm", data[0] + data[1][:-5])
        expect_failure(run("-q", "--frames", "-o", folder("out"), cut), 3, "ends early")
        done = run("-q", "--frames", "--partial", "-p", "rgba", cut)
        expect_failure(done, 0, "ends early; 2 of 16 rows missing")
        expect(done.stdout.startswith(each[0]), "the first page")
        for wrong, what in ((b"P5\nwide 1", "header"), (b"P5\n4 4\n255", "early")):
            path = folder.write("wrong.pgm", data[0] + wrong)
            expect_failure(run("-q", "--frames", "-o", folder("out"), path), 3, what)
            done = run("-q", "--frames", "--partial", "-p", "rgba", path)
            expect_status(done, 0)
            expect(done.stdout == each[0], "the first page")
        done = run("--frames", "-p", "rgba", folder.write("more.ppm", data[0] + b"Paris"))
        expect(done.returncode == 0 and done.stdout == each[0] and b"bytes follow" in done.stderr, done)
        # Behind text, anything may follow.
        done = run("-q", "--frames", "--strict", "-p", "rgba", folder.write("text.ppm", read("samples/pnm/plain.ppm") + data[0]))
        expect(done.returncode == 0 and len(done.stdout) == len(each[0]), done)


@test
def the_pictures_of_an_icon_are_pages():
    """The largest is the first, which comes without an option, too."""
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    sizes = (16, 48, 24, 32)
    listed = behind = b""
    pixels = []
    for index, size in enumerate(sizes):
        picture = Image.new("RGBA", (size, size), (index * 60, 10, size, 255))
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        listed += struct.pack("<BBBBHHII", size, size, 0, 0, 1, 32, len(stream.getvalue()), 6 + 64 + len(behind))
        behind += stream.getvalue()
        pixels.append(picture.tobytes())
    with Folder() as folder:
        for kind, name in ((1, "a.ico"), (2, "a.cur")):
            data = struct.pack("<HHH", 0, kind, 4) + listed + behind
            path = folder.write(name, data)
            right = [pixels[1], pixels[0], pixels[2], pixels[3]]
            expect(json.loads(run("--info", path).stdout)["frames"] == 4, "information")
            expect(json.loads(run("--info", "--page", "2", path).stdout)["width"] == 24, "information on a page")
            expect([raw(path, "--page", str(page)) for page in range(4)] == right, "each page")
            expect(raw(path) == right[0] and raw(path, "--frames") == b"".join(right), "all pages")
            expect_failure(run("-q", "--page", "4", path), 7, "has no such frame or page")
            broken = folder.write("broken.ico", data.replace(behind[-40:], b"?" * 40))
            expect_status(run("-q", "--frames", "-o", folder("out"), broken), 3)
            done = run("-q", "--frames", "--partial", "-p", "rgba", broken)
            expect(done.returncode == 0 and done.stdout.startswith(b"".join(right[:3])), done.stderr)


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


def index_of(path):
    with open(path, encoding="ascii") as stream:
        return [json.loads(line) for line in stream]


@test
def an_index_tells_where_each_frame_is():
    with Folder() as folder:
        os.mkdir(folder("elsewhere"))
        for extension in ("rgba", "pam", "ppm"):
            for path, count in ANIMATIONS.items():
                out, index = folder("out." + extension), folder("elsewhere", "index")
                expect_status(run("-q", "--frames", "-o", out, "--index", index, path), 0)
                rows, data = index_of(index), read(out)
                expect([row["frame"] for row in rows] == list(range(count)), rows)
                expect(all(row["file"] == out and row["delay"] > 10 for row in rows), rows)
                end = 0
                for row in rows:
                    expect(row["offset"] == end, f"{path}: {row}")
                    end += row["size"]
                    # A piece of the output is a whole picture.
                    right = run("-q", "-t", {"rgba": "raw"}.get(extension, extension), "-p",
                                "rgb" if extension == "ppm" else "rgba", "--frame", str(row["frame"]), path).stdout
                    if extension != "pam" or b"RGB_ALPHA" in data[row["offset"]:end]:
                        expect(data[row["offset"]:end] == right, f"{path}: {row}")
                expect(end == len(data), path)
        expect(folder.names() == ["elsewhere", "out.pam", "out.ppm", "out.rgba"], folder.names())


@test
def an_index_takes_the_place_of_no_other_file():
    """It replaced the picture that it was about, with exit 0."""
    with Folder() as folder:
        source, target = folder.write("a.gif", read(GIF)), folder("./out.raw")
        for arguments in (("--index", target, "-o", folder("out.raw")), ("--index", folder("f-3.pam"), "-o", folder("f-%d.pam"))):
            expect_failure(run("-q", "--frames", *arguments, source), 2, "is the file of --index")
            expect(not os.path.exists(arguments[1]), folder.names())
        done = run("-q", "--frames", "-t", "raw", "--index", folder("out/a.bgra"), "--output-dir", folder("out"), source)
        expect_status(done, 2)
        expect_failure(run("-q", "--frames", "-t", "pam", "--index", source, source), 2, "is the input")
        expect(read(source) == read(GIF))
        # A terminal gets a preview of one frame, of which there is nothing to tell.
        index = folder.write("index", b"old")
        expect(on_terminal("--frames", "--index", index, source)[0] == 0 and read(index) == b"old")


@test
def an_index_for_a_slow_reader_and_of_a_failed_run():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with Folder() as folder:
        source = folder.write("a.pnm", b"".join(b"P6 1 1 255\n" + bytes((i % 256, i // 256, 0)) for i in range(3000)))
        with subprocess.Popen([PROGRAM, "-q", "--frames", "-o", folder("out.raw"), "--index", "-", source],
                              stdout=writing) as process:
            os.close(writing)
            time.sleep(0.5)
            with os.fdopen(reading, "rb") as stream:
                lines = stream.read().splitlines()
            expect(process.wait(TIME_LIMIT) == 0 and len(lines) == 3000, len(lines))
        # What has not left yet does not leave for a run that fails.
        done = run("-q", "--frames", "--max-frames", "50", "-o", folder("no.raw"), "--index", "-", source)
        expect_status(done, 4)
        expect(done.stdout == b"" and not os.path.exists(folder("no.raw")), done)


@test
def an_index_of_pages_and_of_what_is_left_of_them():
    with Folder() as folder:
        path = folder.write("pages.tiff", pages())
        index = folder("index")
        done = run("-q", "--frames", "--page", "1", "-p", "gray", "--index", index, path)
        expect_status(done, 0)
        right = [{"frame": number, "width": width, "height": height, "pixels": "gray", "delay": 0, "offset": offset, "size": width * height,
                  "file": None} for number, (width, height), offset in ((1, SIZES[1], 0), (2, SIZES[2], 35))]
        expect(index_of(index) == right and len(done.stdout) == 44, index_of(index))


@test
def an_index_of_numbered_files():
    with Folder() as folder:
        expect_status(run("-q", "--frames", "-o", folder("f-%02d.png"), "--index", folder("index"), GIF), 0)
        rows = index_of(folder("index"))
        expect([row["file"] for row in rows] == [folder(f"f-{number:02}.png") for number in range(5)], rows)
        expect(all(row["size"] == os.path.getsize(row["file"]) and row["offset"] == 0 for row in rows), rows)


@test
def an_index_is_there_whole_or_not_at_all():
    with Folder() as folder:
        cut = folder.write("cut.gif", read(GIF)[:-30])
        index = folder("index")
        for options in (("-o", folder("x.rgba")), ("-t", "pam"), ("-o", folder("f-%d.pam"))):
            expect_status(run("-q", "--frames", *options, "--index", index, cut), 3)
            expect(not os.path.exists(index) and not os.path.exists(folder("x.rgba")), folder.names())
        folder.write("index", b"what was there")
        expect_status(run("-q", "--frames", "--index", index, cut), 3)
        expect(read(index) == b"what was there", "the index was replaced")
        expect_status(run("-q", "--frames", "--partial", "--index", index, cut), 0)
        expect(len(index_of(index)) in (4, 5), index_of(index))
        # Nothing is put in place if the index cannot be written.
        expect_failure(run("-q", "--frames", "-o", folder("x.rgba"), "--index", "/dev/full", GIF), 2, "/dev/full: ")
        expect(not os.path.exists(folder("x.rgba")), "output")
        missing = folder("nowhere", "index")
        expect_failure(run("-q", "--frames", "--index", missing, GIF), 2, f"safe-decode: {missing}: ")
        done = run("-q", "--frames", "-o", folder("x.rgba"), "--index", "-", GIF)
        expect(done.stdout.count(b"\n") == 5 and json.loads(done.stdout.splitlines()[0])["file"] == folder("x.rgba"), done)


@test
def what_does_not_go_together():
    with Folder() as folder:
        out = folder("x.rgba")
        for options, words in ((("--index", "i"), "--index needs --frames"), (("--frames", "--index", "-"), "standard output"),
                               (("--frames", "-o", out, "--index", out), "two files"),
                               (("--frames", "--index", "i", GIF), "one input"),
                               (("--frame", "1", "--page", "1"), "--frame and --page exclude each other"),
                               (("--frames", "-o", folder("%2d.rgba")), "use %d or %03d"),
                               (("--frames", "-o", folder("50%.rgba")), "use %d or %03d")):
            expect_failure(run("-q", *options, GIF), 1, words)
        expect(folder.names() == [], folder.names())


@test
def frames_have_a_limit():
    with Folder() as folder:
        pattern = folder("f-%d.pam")
        for path, count in ANIMATIONS.items():
            expect_status(run("-q", "--frames", "--max-frames", str(count), path), 0)
            done = run("-q", "--frames", "--max-frames", str(count - 1), "-o", pattern, path)
            expect_failure(done, 4, "has more frames or pages than --max-frames allows")
            if path != GIF:  # where the file says how many there are, none is written
                expect(folder.names() == [], folder.names())
            else:
                expect(len(folder.names()) == count - 1, folder.names())
            for name in folder.names():
                os.unlink(folder(name))
        # From the third on, there are fewer.
        expect_status(run("-q", "--frames", "--frame", "2", "--max-frames", "3", GIF), 0)
        expect_status(run("-q", "--frames", "--frame", "2", "--max-frames", "2", GIF), 4)


@test
def a_name_that_cannot_be_opened_is_to_blame():
    with Folder() as folder:
        missing = folder("nowhere", "f-%d.png")
        expect_failure(run("-q", "--frames", "-o", missing, GIF), 2, f"safe-decode: {missing}: ")
        foreign = folder("f-%d.xyz")
        expect_failure(run("-q", "--frames", "-o", foreign, GIF), 1, f"safe-decode: {foreign}: ")


@test
def nothing_at_all_is_not_a_part():
    """A picture of which no row came was written as a transparent one."""
    with Folder() as folder:
        for path, size in (("samples/pnm/letters.ppm", 16), ("samples/png/gray-alpha-16.png", 60), ("samples/bmp/hippopotamus.bmp", 200)):
            cut = folder.write("cut", read(path)[:size])
            for options in ((), ("--frames",), ("-o", folder("out.png"))):
                expect_failure(run("-q", "--partial", *options, cut), 3, f"safe-decode: {cut}: ends early")
            expect(folder.names() == ["cut"], folder.names())


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
        for path in ("samples/gzip/romeo.txt.gz", "samples/wav/tone-s16.wav"):
            for options in (("-o", folder("%d.pam")), ("-o", folder("x.rgba")), ()):
                expect_failure(run("--frames", *options, path), 7, f"safe-decode: {path}: has no frames or pages")
        expect(os.listdir(folder.path) == [], "files")


@test
def a_name_without_frames_is_a_name():
    with Folder() as folder:
        path = os.path.join(folder.path, "a%d.pam")
        expect_status(run("-q", "-o", path, GIF), 0)
        expect(os.listdir(folder.path) == ["a%d.pam"], os.listdir(folder.path))


if __name__ == "__main__":
    sys.exit(main())
