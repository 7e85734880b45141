#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What --partial keeps: a longer prefix of an input never gives fewer rows or bytes, nor others.

    tests/corpus/partial_test.py BUILD_FOLDER

fuzz/prefix_fuzz.c tries every prefix of an input; here it gets inputs that are built for it.
"""

import os
import random
import subprocess
import sys

from cli_support import BUILD, Folder, Skip, expect, expect_status, main, read, run, test

SAMPLES = {"jpeg": ("jpeg",), "png": ("png",), "zlib": ("gzip", "zlib", "deflate"), "bzip2": ("bz2",),
           "lzma": ("xz", "lzma", "lzip"), "zstd": ("zstd",), "lz4": ("lz4",), "brotli": ("brotli",)}
# Compresses to blocks of many kinds.
TEXT = b"".join(b"%d bottles of %x\n" % (i, i * i * 7919) for i in range(4000))[:88890]
NOISE = random.Random(1).randbytes(70000)


def tool(*command, data):
    try:
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout
    except FileNotFoundError as error:
        raise Skip(f"{command[0]} is not installed") from error


def check_prefixes(decoder, *paths):
    program = os.path.join(BUILD, "fuzz", f"{decoder}-prefix")
    if not os.path.exists(program):
        raise Skip(f"{program} was not built")
    done = subprocess.run([program, *paths], capture_output=True, timeout=300, check=False)
    expect(done.returncode == 0, f"{decoder}: {done.stderr.decode()}")


def check_built(decoder, *inputs):
    with Folder() as folder:
        check_prefixes(decoder, *(folder.write(str(i), data) for i, data in enumerate(inputs)))


def partial(data, *options):
    done = run("-q", "--partial", *options, input=bytes(data))
    expect_status(done, 0)
    expect(b"partial: " in done.stderr, f"not said to be partial: {done.stderr!r}")
    return done


def flipped(data, place):
    data = bytearray(data)
    data[place] ^= 0x55
    return bytes(data)


# ---- streams ----


def zstd_files():
    for data in (TEXT, NOISE):
        for options in (("-3",), ("-1", "--long=20"), ("-19", "--no-check")):
            yield data, tool("zstd", "-q", "--check", *options, "-c", data=data)


def lz4_files():
    for data in (TEXT, NOISE):
        for options in (("-B4",), ("-B4", "-BX"), ("-B7", "-BD"), ("-9", "-B4", "-BX", "-BD")):
            yield data, tool("lz4", "-q", *options, "-c", data=data)


@test
def a_wrong_checksum_of_zstd_keeps_the_bytes():
    """Nothing of the 88,890 bytes was given."""
    packed = tool("zstd", "-q", "--check", "-c", data=TEXT)
    expect(partial(flipped(packed, -1)).stdout == TEXT)


@test
def a_wrong_checksum_of_lz4_keeps_the_bytes():
    for data, packed in lz4_files():
        expect(partial(flipped(packed, -1)).stdout == data)


@test
def blocks_before_damage_are_kept():
    """A codec that fails in a call forgets what it has decoded in that call before."""
    for data, packed in lz4_files():
        kept = partial(packed[:-9] + b"\xff" * 9).stdout
        expect(kept[:65536] == data[:65536] or packed[5] >> 4 == 7, f"{len(kept)} of {len(data)}")
    # A second block of a kind that does not exist.
    for block in (NOISE[:1000], b"x" * 1000):
        header = b"\x28\xb5\x2f\xfd\0\x58"
        raw = (len(block) << 3).to_bytes(3, "little") + block
        expect(partial(header + raw + b"\7\0\0").stdout == block)


@test
def damaged_brotli_keeps_what_was_before():
    packed = tool("brotli", "-c", data=TEXT[:3000])
    with Folder() as folder:
        for place in range(len(packed) // 2, len(packed) - 1, 20):
            kept = [run("-q", "--partial", folder.write("x.br", data)).stdout
                    for data in (packed[:place], flipped(packed, place))]
            expect(kept[1].startswith(kept[0]), f"{place}: {len(kept[0])}, then {len(kept[1])}")


@test
def prefixes_of_damaged_streams():
    small = TEXT[:3000]
    for decoder, packed in (("zstd", tool("zstd", "-q", "--check", "-c", data=small)),
                            ("lz4", tool("lz4", "-q", "-B4", "-BX", "-c", data=small + NOISE[:300])),
                            ("zlib", tool("gzip", "-c", data=small)), ("bzip2", tool("bzip2", "-c", data=small)),
                            ("lzma", tool("xz", "-c", data=small)), ("brotli", tool("brotli", "-c", data=small))):
        places = (-1, len(packed) // 3, len(packed) // 2, -9)
        check_built(decoder, packed, packed + packed, *(flipped(packed, place) for place in places))


# ---- pictures ----


def picture():
    return run("-q", "-t", "ppm", "samples/jpeg/peacock.default.jpeg").stdout


@test
def a_cut_scan_header_keeps_the_scans_before():
    """A progressive JPEG that was cut inside a later scan's header gave no row, and all of them one byte earlier."""
    data = tool("cjpeg", "-progressive", data=picture())
    scans = [place for place in range(len(data) - 1) if data[place:place + 2] == b"\xff\xda"]
    expect(len(scans) > 5, "not progressive")
    for cut in range(scans[3], scans[3] + 12):
        done = partial(data[:cut])
        expect(b"; 0 of " in done.stderr, f"{cut}: {done.stderr!r}")


@test
def a_scan_header_that_is_wrong_keeps_the_scans_before():
    data = tool("cjpeg", "-progressive", data=picture())
    scans = [place for place in range(len(data) - 1) if data[place:place + 2] == b"\xff\xda"]
    first_frame = data[data.index(b"\xff\xc2"):data.index(b"\xff\xc4")]
    other_size = first_frame[:5] + b"\x7f\xff\x7f\xff" + first_frame[9:]
    for wrong in (b"\xff\xda\0\3\1", b"\xff\xd8", first_frame, other_size, b"\xff\xc4\0\4\0\0", b"\xff\xda\0\x08\x01\x01\x00\x70\x70\x00"):
        done = partial(data[:scans[4]] + wrong + data[scans[4]:])
        expect(b"; 0 of " in done.stderr, f"{wrong}: {done.stderr!r}")


@test
def prefixes_of_damaged_pictures():
    ppm = picture()
    for options in ((), ("-progressive",), ("-restart", "1"), ("-grayscale", "-progressive"), ("-arithmetic",),
                    ("-sample", "1x1"), ("-sample", "2x1"), ("-progressive", "-arithmetic")):
        data = tool("cjpeg", "-quality", "30", *options, data=ppm)
        check_built("jpeg", data, data[:-2], flipped(data, len(data) // 2), data[:-8] + b"\xff\xd9", data + b"trailer")
    png = read("samples/png/rgb-8.png")
    check_built("png", png[:-12], flipped(png, -14), flipped(png, -18), flipped(png, len(png) // 2), png[:-14])


# ---- all prefixes of the samples ----


@test
def prefixes_of_the_samples():
    for decoder, formats in SAMPLES.items():
        check_prefixes(decoder, *(os.path.join("samples", form) for form in formats))


if __name__ == "__main__":
    sys.exit(main())
