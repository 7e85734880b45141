#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Inputs byte by byte, a page at a time and whole: the same output, the same verdict and the same notes.

    tests/corpus/pieces_test.py BUILD_FOLDER

What is compared, and how, is in fuzz/prefix_fuzz.c.  Of the corpus, as many files are tried as there is time for.
"""

import os
import subprocess
import sys
import time

from cli_support import BUILD, Skip, expect, main, test

FORMATS = {"jpeg": ("jpeg",), "png": ("png",), "zlib": ("gzip", "zlib", "deflate"), "bzip2": ("bz2",),
           "lzma": ("xz", "lzma", "lzip"), "zstd": ("zstd",), "lz4": ("lz4",), "brotli": ("brotli",)}
CORPUS = "../shared/corpus"
LARGEST = 64 << 10
AT_ONCE = 20  # files
TIME = 60 / len(FORMATS)  # seconds for each decoder


def files(*folders):
    for folder in folders:
        for path, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                if os.path.getsize(os.path.join(path, name)) <= LARGEST:
                    yield os.path.join(path, name)


def check(decoder, formats):
    program = os.path.join(BUILD, "fuzz", f"{decoder}-prefix")
    if not os.path.exists(program):
        raise Skip(f"{program} was not built")
    samples = list(files(*(os.path.join("samples", form) for form in formats)))
    more = list(files(*(os.path.join(CORPUS, form) for form in formats)))
    expect(samples, f"no sample of {decoder}")
    # From all over the corpus, in the same order every time.
    stride = 1 + len(more) // AT_ONCE
    chosen = samples + [path for start in range(stride) for path in more[start::stride]]
    deadline = time.monotonic() + TIME
    for start in range(0, len(chosen), AT_ONCE):
        if start >= len(samples) and time.monotonic() > deadline:
            break
        done = subprocess.run([program, *chosen[start:start + AT_ONCE]], capture_output=True, timeout=120, check=False,
                              env={**os.environ, "PIECES_ONLY": "1"})
        expect(done.returncode == 0, f"one of {chosen[start:start + AT_ONCE]}: {done.stderr.decode()}")


def define(decoder, formats):
    def one():
        check(decoder, formats)

    one.__name__ = f"pieces_of_{decoder}"
    test(one)


for name, folders_of_samples in FORMATS.items():
    define(name, folders_of_samples)

if __name__ == "__main__":
    sys.exit(main())
