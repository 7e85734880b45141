#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The command line as users have it: options, formats, outputs, messages and exit codes.

    tests/cli/cli_test.py BUILD_FOLDER
"""

import gzip
import json
import os
import pty
import re
import signal
import stat
import struct
import subprocess
import sys
import time

from cli_support import (BUILD, GZIP, PHOTO, PHOTO_SIZE, PROGRAM, SCREENSHOT, TIME_LIMIT, TONE, Folder, Skip, expect,
                         expect_failure, expect_status, main, on_terminal, pixels_with_pillow, read, run, test,
                         traced)
from picture_support import pixels

THUMBNAIL = "samples/jpeg/pjw-thumbnail.jpeg"
ALPHA = "samples/png/with-alpha.png"
DEEP = "samples/png/rgb-alpha-16.png"
INTERLACED = "samples/png/hippopotamus.interlaced.png"
PROGRESSIVE = "samples/jpeg/peacock.progressive.jpeg"


# ---- pixels ----


@test
def raw_line():
    done = run(PHOTO)
    expect_status(done, 0)
    expect(done.stderr == b"samples/photograph.jpg: 1165x859 bgra, stride 4660, 4002940 bytes\n", done.stderr)
    expect(len(done.stdout) == 4002940)


@test
def quiet_says_nothing():
    expect(run("-q", PHOTO).stderr == b"")


@test
def verbose_says_what_was_verified():
    done = run("-v", PHOTO)
    expect(b"strict seccomp: read, write, exit, sigreturn on 2 pipes; verified" in done.stderr, done.stderr)


@test
def rgba_is_what_pillow_decodes():
    for path in (SCREENSHOT, ALPHA, INTERLACED, "samples/png/palette-8.png", "samples/png/gray-1.png"):
        expect(pixels(path, "rgba") == pixels_with_pillow(path, "RGBA")[1], path)


@test
def jpeg_is_what_pillow_decodes():
    for path in (PHOTO, PROGRESSIVE, THUMBNAIL):
        expect(pixels(path, "rgb") == pixels_with_pillow(path, "RGB")[1], path)


@test
def every_pixel_format_follows_from_rgba():
    for path in (ALPHA, THUMBNAIL, "samples/jpeg/peacock.grayscale.jpeg", "samples/png/rgb-alpha-8.png",
                 "samples/png/gray-1.png"):
        rgba = pixels(path, "rgba")
        quads = [rgba[i:i + 4] for i in range(0, len(rgba), 4)]

        def premultiply(color, alpha):
            return (color * alpha * 2 + 255) // 510

        def luma(red, green, blue):
            return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16

        want = {
            "bgra": lambda r, g, b, a: (b, g, r, a),
            "rgb": lambda r, g, b, a: (r, g, b),
            "bgr": lambda r, g, b, a: (b, g, r),
            "rgba-premultiplied": lambda r, g, b, a: (*(premultiply(c, a) for c in (r, g, b)), a),
            "bgra-premultiplied": lambda r, g, b, a: (*(premultiply(c, a) for c in (b, g, r)), a),
            "rgba16": lambda r, g, b, a: (r, r, g, g, b, b, a, a),
            "rgb16": lambda r, g, b, a: (r, r, g, g, b, b),
        }
        if path != THUMBNAIL:  # libjpeg takes gray from the luma channel itself
            want["gray"] = lambda r, g, b, a: (luma(r, g, b),)
        for name, convert in want.items():
            expect(pixels(path, name) == bytes(v for q in quads for v in convert(*q)), f"{path} {name}")


@test
def sixteen_bits_are_kept_and_rounded():
    samples = pixels(DEEP, "rgba16")
    deep = struct.unpack(f"<{len(samples) // 2}H", samples)
    expect(any(value % 257 for value in deep), "all samples look like 8 bits")
    expect(pixels(DEEP, "rgba") == bytes((value * 255 + 32895) >> 16 for value in deep))


# ---- output formats ----


@test
def every_output_format_is_read_back():
    for path in (PHOTO, ALPHA, "samples/jpeg/peacock.grayscale.jpeg", "samples/png/gray-1.png", SCREENSHOT):
        with Folder() as folder:
            for name in ("png", "ppm", "bmp"):
                mode = "RGB" if name == "ppm" else "RGBA"
                target = folder("out." + name)
                done = run("-o", target, path)
                expect_status(done, 0)
                expect(done.stderr == b"", done.stderr)
                expect(pixels_with_pillow(target, mode) == (pixels_with_pillow(path, mode)), f"{path} {name}")


def swapped(data):
    """Samples of 16 bits, in the other order."""
    return b"".join(data[at:at + 2][::-1] for at in range(0, len(data), 2))


@test
def pam_says_what_it_holds():
    for path, depth, maximum, kind, pixel_format in ((ALPHA, 4, 255, "RGB_ALPHA", "rgba"), (PHOTO, 3, 255, "RGB", "rgb"),
                                                     ("samples/png/gray-1.png", 1, 255, "GRAYSCALE", "gray"),
                                                     (DEEP, 4, 65535, "RGB_ALPHA", "rgba16")):
        done = run("-t", "pam", path)
        header, _, body = done.stdout.partition(b"ENDHDR\n")
        expect(f"DEPTH {depth}\nMAXVAL {maximum}\nTUPLTYPE {kind}\n".encode() in header, header)
        expect((swapped(body) if maximum > 255 else body) == pixels(path, pixel_format), path)


@test
def png_keeps_sixteen_bits():
    with Folder() as folder:
        expect_status(run("-o", folder("deep.png"), DEEP), 0)
        expect(pixels(folder("deep.png"), "rgba16") == pixels(DEEP, "rgba16"))


@test
def preview_of_a_picture_is_text():
    done = run("-t", "preview", PHOTO)
    lines = done.stdout.decode("ascii").splitlines()
    expect(10 <= len(lines) <= 24 and len({len(line) for line in lines}) == 1 and len(lines[0]) <= 80)


@test
def byte_streams():
    expect(run("-q", GZIP).stdout == run("-q", "samples/zlib/romeo.txt.zlib").stdout)
    expect(run("-q", "--decoder", "deflate", "samples/deflate/romeo.txt.deflate").stdout == run("-q", GZIP).stdout)
    expect(run(GZIP).stderr == b"samples/gzip/romeo.txt.gz: 942 bytes\n", run(GZIP).stderr)
    expect_failure(run("-t", "png", GZIP), 7, "picture")


@test
def gzip_members_and_trailing_garbage():
    with Folder() as folder:
        one, text = read(GZIP), run("-q", GZIP).stdout
        expect(run("-q", folder.write("two.gz", one * 3)).stdout == text * 3)
        expect(run("-q", folder.write("zeros.gz", one + bytes(1000))).stdout == text)
        expect_failure(run("-q", folder.write("bad.gz", one + one[:40])), 3, "ends early")
        damaged = bytearray(one)
        damaged[-8] ^= 1
        expect_failure(run("-q", folder.write("crc.gz", bytes(damaged))), 3, "checksum")
        damaged = bytearray(one)
        damaged[-1] ^= 1
        expect_failure(run("-q", folder.write("length.gz", bytes(damaged))), 3, "length")


# ---- information ----


def library_of(name):
    for line in run("--list-decoders").stdout.decode().splitlines():
        if line.split()[0] == name:
            return line.split("; ")[-1]
    return None


@test
def info_of_pictures():
    done = run("--info", PHOTO, ALPHA, INTERLACED, DEEP, GZIP, "samples/jpeg/hopper_orientation_6.jpg")
    expect_status(done, 0)
    photo, alpha, interlaced, deep, stream, turned = map(json.loads, done.stdout.splitlines())
    expect((photo["width"], photo["height"]) == PHOTO_SIZE and photo["format"] == "jpeg" and photo["channels"] == 3)
    expect(photo["depth"] == 8 and not photo["alpha"] and photo["color"] == "ycbcr" and photo["frames"] == 1)
    expect(alpha["alpha"] and alpha["format"] == "png" and alpha["kind"] == "image")
    expect(interlaced["progressive"] and deep["depth"] == 16 and deep["channels"] == 4)
    expect(stream == {"file": GZIP, "format": "gzip", "library": library_of("gzip"), "mime": "application/gzip", "kind": "bytes"}, stream)
    expect(photo["library"] == library_of("jpeg") and photo["library"].startswith("libjpeg"), photo)
    expect(turned["orientation"] == 6 and photo["orientation"] is None)


@test
def info_of_an_animation():
    info = json.loads(run("-i", "samples/png/animated-red-blue.apng").stdout)
    expect(info["frames"] > 1 and info["animated"] is True, info)


@test
def strange_file_names():
    with Folder() as folder:
        for name in (b"quote\"back\\slash", b"new\nline\ttab\x1b[31m\x7f", b"\xff\xfe not utf-8", "h\u00e9 \U0001f600".encode()):
            path = os.path.join(os.fsencode(folder.path), name)
            with open(path, "wb") as stream:
                stream.write(read(THUMBNAIL))
            done = run("-i", path)
            expect_status(done, 0)
            text = done.stdout.decode("ascii")
            expect(os.fsencode(json.loads(text)["file"].encode("utf-8", "surrogatepass").decode(
                "utf-8", "surrogatepass")) == path if b"\xff" in name else json.loads(text)["file"].encode() == path)
            expect_failure(run(path + b" is missing"), 2, "No such file")
            line = run(path).stderr
            expect(all(0x20 <= byte < 0x7F for byte in line[:-1]), line)


# ---- damage ----


@test
def partial_keeps_rows_and_says_so():
    for path in (PHOTO, SCREENSHOT):
        with Folder() as folder:
            whole, data = pixels(path, "rgba"), read(path)
            cut = folder.write("cut", data[:len(data) // 2])
            expect_failure(run("-q", "-p", "rgba", cut), 3, "ends early")
            done = run("--partial", "-p", "rgba", cut)
            expect_status(done, 0)
            expect(b"partial: ends early" in done.stderr, done.stderr)
            expect(len(done.stdout) == len(whole))
            missing = int(done.stderr.split(b"; ")[-1].split()[0])
            height = int(done.stderr.split(b" rows")[0].split()[-1])
            good = len(whole) // height * (height - missing)
            expect(0 < missing < height and done.stdout[:good] == whole[:good] and not any(done.stdout[good:]))


@test
def partial_streams_and_interlaced_pictures():
    with Folder() as folder:
        text, data = run("-q", "samples/gzip/midsummer.txt.gz").stdout, read("samples/gzip/midsummer.txt.gz")
        done = run("-q", "--partial", folder.write("cut.gz", data[:3000]))
        expect_status(done, 0)
        expect(0 < len(done.stdout) < len(text) and text.startswith(done.stdout))
        data = read(INTERLACED)
        done = run("-q", "--partial", folder.write("cut.png", data[:len(data) // 2]))
        expect_status(done, 0)
        expect(len(done.stdout) == len(run("-q", INTERLACED).stdout) and any(done.stdout))
        expect_failure(run("-q", "--partial", folder.write("header.png", data[:20])), 3)


@test
def odd_but_whole():
    with Folder() as folder:
        data, whole = read(THUMBNAIL), run("-q", THUMBNAIL).stdout
        expect(data.endswith(b"\xff\xd9"))
        for name, changed in (("no-eoi", data[:-2]), ("trailing", data + b"garbage" * 100)):
            done = run("-q", folder.write(name, changed))
            expect_status(done, 0)
            expect(done.stdout == whole, name)


# ---- limits ----


def pillow_progressive(path):
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    target = os.path.join(BUILD, "tests/progressive.jpg")
    with Image.open(path) as image:
        image.save(target, progressive=True)
    return target


@test
def limits():
    for options, path, word in (((["--max-pixels", "1000000"]), PHOTO, "--max-pixels"),
                                (["--max-side", "1164"], PHOTO, "side"), (["--max-output", "1K"], PHOTO, "--max-output"),
                                (["--max-output", "941"], GZIP, "--max-output"),
                                (["--max-input", "100"], PHOTO, "--max-input"),
                                (["--memory", "1M"], PHOTO, "--memory")):
        if word == "--memory":  # a progressive picture has to be held whole
            path = pillow_progressive(PHOTO)
        expect_failure(run("-q", *options, path), 4, word)
    expect_status(run("-q", "--max-pixels", "1000735", PHOTO), 0)
    expect_status(run("-q", "--max-output", "942", GZIP), 0)
    expect_status(run("-q", "--max-side", "1165", PHOTO), 0)


@test
def the_option_of_a_limit_is_named():
    """It is not the library's, which says only which limit."""
    picture = read(PHOTO)
    for option, amount, data in (("--max-pixels", "1000000", picture), ("--max-side", "1164", picture),
                                 ("--max-output", "1K", picture), ("--max-input", "100", picture),
                                 ("--memory", "1M", read("samples/bz2/romeo.txt.bz2"))):
        done = run("-q", option, amount, input=data)
        expect_failure(done, 4, option)
        expect(done.stderr.endswith(f"limit allows ({option})\n".encode()) or b"MiB" in done.stderr, done.stderr)
    with subprocess.Popen([PROGRAM, "-q", "--deadline", "200", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as process:
        process.stdin.write(picture[:1000])
        process.stdin.flush()
        expect(process.stderr.read().endswith(b"took longer than the limit allows (--deadline)\n"))


# ---- the command line itself ----


@test
def help_version_and_decoders():
    done = run("--help")
    expect_status(done, 0)
    expect(all(len(line) <= 80 for line in done.stdout.decode().splitlines()), "a line is too long")
    for word in (b"--output-dir", b"--diagnose", b"exit codes", b"preview"):
        expect(word in done.stdout, word)
    # It said "print a JSON object an input" and "write one file an input there".
    for word in (b"one JSON object per input;", b"one file per input to DIR;", b"decode N inputs at a time"):
        expect(word in done.stdout, word)
    expect(run("--version").stdout.startswith(b"safe-decode "))
    listed = [line.split()[0] for line in run("--list-decoders").stdout.splitlines()]
    expect(listed == [b"jpeg", b"png", b"gif", b"webp", b"bmp", b"dib", b"ico", b"cur", b"ani", b"tga", b"pcx", b"sun", b"xpm", b"xbm", b"tiff", 
                      b"jpeg2000", b"avif", b"jxl", b"heif", b"pnm", b"pam", b"pfm", b"farbfeld", b"qoi", b"hdr", b"exr", b"dds", b"psd",
                      b"flac", b"ogg-flac", b"vorbis", b"opus", b"mp3", b"wav", b"aiff", b"au",
                      b"gzip", b"zlib", b"deflate", b"bzip2", b"xz", b"lzip", b"zstd", b"lz4", b"lzma", b"brotli"],
           listed)


@test
def wrong_command_lines():
    for arguments in (["--nonsense"], ["-x"], ["-o"], ["--to", "gif", PHOTO], ["-p", "cmyk", PHOTO], ["--decoder", "x"],
                      ["--memory", "12X"], ["--memory", "-1"], ["--memory", "99999999999999999999"], ["--memory", "16K"],
                      ["--max-pixels", "0"], ["--cpu", "1s"], ["-j", "0"], ["-j", "257"], ["-t", "bmp", "-p", "gray"],
                      ["-o", "a", "b", "c"], ["-o", "a", "--output-dir", "b", PHOTO], ["-q", "-v", PHOTO],
                      ["-i", "-o", "a", PHOTO], ["--stall", "", PHOTO], ["--quiet=yes", PHOTO], ["-o", "", PHOTO]):
        expect_failure(run(*arguments), 1)
    expect_failure(run("--memory", "\x1b[31m"), 1, "\\x1b")


@test
def options_after_operands_and_the_end_of_options():
    with Folder() as folder:
        folder.write("-q", read(THUMBNAIL))
        expect(run(PHOTO, "-q").stderr == b"")
        expect_status(run("--", "-q", cwd=folder.path), 0)


@test
def decoder_overrides_content():
    expect_failure(run("-q", "--decoder", "png", PHOTO), 3)
    expect_failure(run("-q", "--decoder", "zlib", GZIP), 3)
    expect_status(run("-q", "--decoder", "jpeg", PHOTO), 0)


@test
def the_limit_of_output_is_of_all_of_it():
    """Headers, the padding of rows and what PNG adds to them, too."""
    with Folder() as folder:
        thin = folder.write("thin.ppm", b"P6 1 3000 255\n" + os.urandom(9000))
        with open(folder("thin.png"), "wb") as stream:
            subprocess.run(["pnmtopng", "-force", thin], stdout=stream, check=True, stderr=subprocess.DEVNULL)
        for sink in ("bmp", "png", "ppm", "pam", "raw"):
            whole = run("-q", "-t", sink, folder("thin.png"))
            expect_status(whole, 0)
            size = len(whole.stdout)
            expect(size > 9000, (sink, size))
            expect_status(run("-q", "-t", sink, "--max-output", str(size), folder("thin.png")), 0)
            expect_failure(run("-q", "-t", sink, "--max-output", str(size - 1), "-o", folder("out"),
                               folder("thin.png")), 4, "--max-output")
            expect(not os.path.exists(folder("out")), sink)
        size = len(run("-q", "-t", "wav", TONE).stdout)
        expect_status(run("-q", "-t", "wav", "--max-output", str(size), TONE), 0)
        expect_failure(run("-q", "-t", "wav", "--max-output", str(size - 1), TONE), 4, "--max-output")


@test
def allowed_formats():
    for names in ("jpeg", "png,jpeg", "jpeg,gzip,flac"):
        expect_status(run("-q", "--allow", names, PHOTO), 0)
    for names in ("png", "gzip,flac"):
        expect_failure(run("-q", "--allow", names, PHOTO), 7, "not allowed: jpeg")
        expect_failure(run("-q", "--allow", names, "--info", PHOTO), 7, "not allowed: jpeg")
    # What the command line takes it for is what counts, then.
    expect_failure(run("-q", "--allow", "gzip", "--decoder", "png", GZIP), 7, "not allowed: png")
    for wrong in ("", ",", "png,", ",png", "png,,jpeg", "png, jpeg", "pn", "pngs", "PNG"):
        expect_failure(run("-q", "--allow", wrong, PHOTO), 1, "choose one of jpeg, png,")
    with Folder() as folder:
        expect_failure(run("-q", "--allow", "jpeg", "-o", folder("x.png"), SCREENSHOT), 7, "not allowed: png")
        expect(os.listdir(folder.path) == [])


@test
def formats_that_are_not_allowed_start_no_decoder():
    for names, programs in (("jpeg", 2), ("png", 1)):
        done = subprocess.run([*traced("/dev/stderr", "execve", mode="-f"), PROGRAM, "-q", "--allow", names, PHOTO],
                              capture_output=True, check=False, timeout=TIME_LIMIT)
        expect(done.stderr.count(b"execve(") == programs, done.stderr)


@test
def a_deadline_holds_where_nobody_reads_the_output():
    reading, writing = os.pipe()
    # Long enough for the pipe to be full by then.
    expect_failure(run("-q", "--deadline", "1500", PHOTO, stdout=writing), 4, "standard output", "before the deadline")
    expect_failure(run("-q", "--deadline", "1500", THUMBNAIL, PHOTO, stdout=writing), 4, "before the deadline")
    os.close(reading)
    os.close(writing)
    with Folder() as folder:
        os.mkfifo(folder("fifo.png"))
        expect_failure(run("-q", "--deadline", "300", "-o", folder("fifo.png"), PHOTO), 4, "fifo.png: could not be written")
        expect(folder.names() == ["fifo.png"])
    # The clock's ticks harm nobody who reads slowly.
    done = subprocess.run(f"'{PROGRAM}' -q --deadline 20000 '{PHOTO}' '{PHOTO}' '{PHOTO}' | "
                          "while head -c 1000000 | wc -c; do sleep 0.1; done | head -n 14", shell=True, check=False,
                          capture_output=True, timeout=TIME_LIMIT)
    expect(sum(map(int, done.stdout.split())) == 3 * 1165 * 859 * 4 and done.stderr == b"", done)


@test
def a_system_that_does_not_let_it_wait():
    for inputs in ([PHOTO], [PHOTO, PHOTO]):
        for error in ("EPERM", "ENOSYS"):
            refused = traced("/dev/null", "poll", f"poll:error={error}")
            done = subprocess.run([*refused, PROGRAM, "-q", *inputs], capture_output=True, check=False, timeout=TIME_LIMIT)
            expect_status(done, 6)
            expect(done.stderr.count(b"\n") == len(inputs) and b"cannot wait for the decoder" in done.stderr, done.stderr)


@test
def control_c_ends_a_loop_of_a_shell():
    """The shell goes on with the next round where the program does not say that a signal has ended it."""
    loop = f"for i in 1 2 3; do '{PROGRAM}' -q --decoder mp3 /dev/zero -o /dev/null; echo round; done"
    with subprocess.Popen(["bash", "-c", loop], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          start_new_session=True) as shell:
        time.sleep(0.5)
        os.killpg(shell.pid, signal.SIGINT)
        out, errors = shell.communicate(timeout=TIME_LIMIT)
        expect(shell.returncode == -signal.SIGINT and out == b"" and errors == b"", (shell.returncode, out, errors))


# ---- inputs ----


@test
def inputs_that_are_known_to_be_too_large():
    """Neither read nor waited for: the rest of a pipe is there still."""
    with Folder() as folder:
        path = folder.write("large.jpg", read(PHOTO))
        os.truncate(path, (2 << 30) + 1)
        expect_failure(run("-q", path), 4, "has 2,147,483,649 bytes, --max-input allows 2,147,483,648")
        expect_status(run("-q", "--info", path), 0)
        expect_status(run("-q", "--max-input", "3G", path), 0)
        # What has been read of it already is not of the input.
        with open(path, "rb") as stream:
            stream.seek(1)
            expect_failure(run("-q", "--decoder", "jpeg", stdin=stream), 3)
    expect_failure(run("-q", "--max-input", "100", input=read(PHOTO)), 4, "more input than the limit allows (--max-input)")


@test
def standard_input_named_twice():
    expect_failure(run("-q", "-", "-", input=read(THUMBNAIL)), 1, "only once")
    with Folder() as folder:
        expect_failure(run("-q", "--output-dir", folder("out"), "-", PHOTO, "-", input=read(THUMBNAIL)), 1, "only once")
        expect(not os.path.exists(folder("out")))


@test
def inputs():
    with Folder() as folder:
        expect(run("-q", input=read(THUMBNAIL)).stdout == run("-q", THUMBNAIL).stdout)
        expect(run("-q", "-", input=read(THUMBNAIL)).stdout == run("-q", THUMBNAIL).stdout)
        expect_failure(run("-q", input=b""), 3, "empty")
        expect_failure(run("-q", folder.write("empty", b"")), 3, "empty")
        expect_failure(run("-q", folder.write("one", b"\xff")), 7)
        for byte in (b"\xff\xd8", b"\x1f\x8b", b"\x89PNG\r\n\x1a\n", b"\x78\x9c"):
            expect_failure(run("-q", folder.write("start", byte)), 3)
        for name in ("jpeg", "png", "gzip", "zlib", "deflate"):
            expect_failure(run("-q", "--decoder", name, folder.write("one", b"\xff")), 3)
        expect_failure(run("-q", folder.path), 2, "Is a directory")
        expect_failure(run("-q", folder("missing")), 2, "No such file")
        expect_failure(run("-q", folder.write("text", b"hello, world: no picture")), 7)
        if os.getuid() != 0:
            os.chmod(folder.write("locked", b"x"), 0)
            expect_failure(run("-q", folder("locked")), 2, "Permission denied")


@test
def a_fifo_that_is_filled_slowly():
    with Folder() as folder:
        os.mkfifo(folder("fifo"))
        writer = os.fork()
        if writer == 0:
            with open(folder("fifo"), "wb", buffering=0) as stream:
                data = read(PHOTO)
                for start in range(0, len(data), 50000):
                    stream.write(data[start:start + 50000])
            os._exit(0)
        expect(run("-q", folder("fifo")).stdout == run("-q", PHOTO).stdout)
        os.waitpid(writer, 0)


# ---- outputs ----


@test
def output_is_whole_or_not_at_all():
    with Folder() as folder:
        target = folder.write("out.bgra", b"old")
        os.chmod(target, 0o640)
        cut = folder.write("cut.jpg", read(PHOTO)[:100000])
        expect_failure(run("-q", "-o", target, cut), 3)
        expect(read(target) == b"old" and folder.names() == ["cut.jpg", "out.bgra"], folder.names())
        expect_status(run("-o", target, PHOTO), 0)
        expect(read(target) == run("-q", PHOTO).stdout and stat.S_IMODE(os.stat(target).st_mode) == 0o640)
        os.symlink("out.bgra", folder("link"))
        expect_status(run("-q", "-t", "raw", "-o", folder("link"), THUMBNAIL), 0)
        expect(os.path.islink(folder("link")) and read(target) == run("-q", THUMBNAIL).stdout)
        expect(folder.names() == ["cut.jpg", "link", "out.bgra"], folder.names())


@test
def outputs_that_fail():
    with Folder() as folder:
        for arguments in (["-o", "/dev/full"], ["-o", folder.path], ["-o", folder("no/such/folder")]):
            expect_failure(run("-q", *arguments, PHOTO), 2)
        with open("/dev/full", "wb") as full:
            for arguments in ([PHOTO], ["-t", "png", PHOTO], ["-i", PHOTO], ["--help"], [GZIP], ["-t", "bmp", PHOTO]):
                expect_failure(run("-q", *arguments, stdout=full), 2)
        expect_status(run("-q", "-o", "/dev/null", PHOTO), 0)


@test
def closed_descriptors():
    for closed, status in ((0, 0), (1, 2), (2, 0)):
        done = run("-q", PHOTO, preexec_fn=lambda fd=closed: os.close(fd))
        expect_status(done, status)
    expect_failure(run("-q", preexec_fn=lambda: os.close(0)), 2)
    expect_failure(run("-i", PHOTO, preexec_fn=lambda: os.close(1)), 2)


@test
def a_reader_that_leaves():
    """Behind `| head` there was a line on standard error, which gzip and others do not have."""
    reader, writer = os.pipe()
    os.close(reader)
    for arguments in (["-q", PHOTO], ["-i", *[PHOTO] * 100], [PHOTO, GZIP, PHOTO], ["-o", "/dev/stdout", PHOTO]):
        done = run(*arguments, stdout=writer)
        expect(done.returncode == 2 and done.stderr == b"", (arguments, done))
    os.close(writer)
    with open("/dev/full", "wb") as full:
        expect_failure(run("-i", PHOTO, stdout=full), 2, "standard output: cannot write", "No space left")


@test
def many_inputs():
    with Folder() as folder:
        folder.write("bad.jpg", read(PHOTO)[:5000])
        os.mkdir(folder("other"))
        folder.write("other/photograph.png", read(SCREENSHOT))
        inputs = [PHOTO, folder("bad.jpg"), folder("other/photograph.png"), GZIP, folder("missing"), SCREENSHOT]
        for jobs in ("1", "4"):
            out = folder("out" + jobs)
            done = run("--output-dir", out, "-j", jobs, *inputs)
            expect_status(done, 3)
            expect(b"6 inputs: 4 decoded, 2 failed (1 io, 1 malformed)\n" in done.stderr, done.stderr)
            made = sorted(os.listdir(out))
            expect(made == ["photograph-2.bgra", "photograph.bgra", "romeo.txt", "screenshot.bgra"], made)
            sizes = sorted(os.path.getsize(os.path.join(out, name)) for name in made)
            expect(sizes == sorted((4002940, 1024 * 768 * 4, 1024 * 768 * 4, 942)), sizes)
        expect_status(run("-q", "--output-dir", folder("png"), "-t", "png", PHOTO, SCREENSHOT), 0)
        expect(sorted(os.listdir(folder("png"))) == ["photograph.png", "screenshot.png"])


@test
def several_inputs_to_standard_output():
    done = run("-q", THUMBNAIL, "samples/missing", THUMBNAIL)
    expect_status(done, 2)
    expect(done.stdout == run("-q", THUMBNAIL).stdout * 2)


# ---- terminals ----


@test
def a_terminal_gets_a_preview():
    status, output = on_terminal(PHOTO)
    expect(status == 0 and output.count("\u2580".encode()) > 500 and b"\033[38;2;" in output, output[:100])
    expect(b"-o FILE" in output, "no hint")
    status, output = on_terminal(GZIP)
    expect(status == 0 and b"Romeo" in output or b"romeo" in output.lower(), output)
    for name in ("/dev/tty", "/dev/stdout"):
        status, output = on_terminal("-t", "raw", "-o", name, PHOTO)
        expect(status == 0 and output.count("\u2580".encode()) > 500 and len(output) < 1 << 18, name)


@test
def no_bytes_reach_a_terminal_as_they_are():
    with Folder() as folder:
        packed = folder.write("title.gz", gzip.compress(b"\033]0;owned\007" * 100))
        for arguments in ((packed,), ("-o", "/dev/tty", packed), ("-o", "/dev/stdout", packed)):
            status, output = on_terminal(*arguments)
            expect(status == 0 and b"owned" in output and b"\033]" not in output and b"\007" not in output, output[:100])


@test
def a_preview_is_the_mean_of_what_each_half_cell_covers():
    width, height, cells = 200, 30, 80
    picture = bytes((x * 7 + y * 13 + channel * 50) * 5 % 256 for y in range(height) for x in range(width)
                    for channel in range(3))
    with Folder() as folder:
        path = folder.write("picture.ppm", b"P6 %d %d 255\n" % (width, height) + picture)
        status, output = on_terminal("-q", path)
    expect(status == 0, output)
    # An upper half block has the colour of the row above, and that of the row below behind it.
    shown = [re.findall(r"38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m", line)
             for line in output.decode().splitlines() if line]
    rows = [[tuple(map(int, cell[half:half + 3])) for cell in line] for line in shown for half in (0, 3)]
    expect(len(rows) == height * cells // width and len(rows[0]) == cells, f"{len(rows)} rows of {len(rows[0])}")
    share = width // 40  # half pixels of the picture that a pixel covers each way
    for row, pixels_of_row in enumerate(rows):
        for column, pixel in enumerate(pixels_of_row):
            places = [(3 * (width * (y // 2) + x // 2)) for y in range(row * share, (row + 1) * share)
                      for x in range(column * share, (column + 1) * share)]
            wanted = tuple((2 * sum(picture[at + channel] for at in places) + share**2) // (2 * share**2)
                           for channel in range(3))
            expect(pixel == wanted, f"{pixel} instead of {wanted} at {column}, {row}")


@test
def a_terminal_gets_a_progress_bar():
    with Folder() as folder:
        status, output = on_terminal("--output-dir", folder("out"), PHOTO, SCREENSHOT, THUMBNAIL)
        expect(status == 0 and b"[####" in output and b"3/3" in output and b"3 inputs: 3 decoded" in output, output)


@test
def a_narrow_terminal_gets_a_narrow_bar():
    """The bar was 48 columns wide, and each drawing began a new line."""
    inputs = (PHOTO, SCREENSHOT, THUMBNAIL)
    for columns in (2, 4, 8, 11, 12, 20, 40, 80):
        with Folder() as folder:
            status, output = on_terminal("--output-dir", folder("out"), "-t", "ppm", *inputs, columns=columns)
            *drawings, summary = output.replace(b"\033[K", b"").split(b"\r")[:-1]
            drawings = [drawing for drawing in drawings if drawing]
            expect(status == 0 and summary == b"3 inputs: 3 decoded, 0 failed", output)
            expect(all(len(drawing) < columns for drawing in drawings), (columns, drawings))
            expect((len(drawings) == 3) == (columns >= 4), (columns, drawings))
            expect(all((b"#" in drawing) == (columns >= 11) for drawing in drawings[2:]), (columns, drawings))


@test
def a_dumb_terminal_gets_plain_text():
    for terminal in ("dumb", ""):
        with Folder() as folder:
            status, output = on_terminal("--output-dir", folder("out"), "-tppm", PHOTO, THUMBNAIL, terminal=terminal)
            expect(status == 0 and output == b"2 inputs: 2 decoded, 0 failed\r\n", output)


@test
def the_progress_bar_is_erased_by_a_signal():
    """It stayed before the shell's prompt."""
    for number in (signal.SIGINT, signal.SIGTERM):
        with Folder() as folder:
            master, slave = pty.openpty()
            process = subprocess.Popen([PROGRAM, "-j1", "--output-dir", folder("out"), PHOTO, "-"], stdin=subprocess.PIPE,
                                       stdout=subprocess.DEVNULL, stderr=slave, env=dict(os.environ, TERM="xterm"))
            os.close(slave)
            output = b""
            while b"1/2" not in output:
                output += os.read(master, 65536)
            process.send_signal(number)
            try:
                while piece := os.read(master, 65536):
                    output += piece
            except OSError:
                pass
            process.stdin.close()
            os.close(master)
            expect(process.wait(TIME_LIMIT) == -number and output.endswith(b"\r\x1b[K"), output)


if __name__ == "__main__":
    if not os.path.exists(PHOTO):
        raise Skip("run from the project's folder")
    sys.exit(main())
