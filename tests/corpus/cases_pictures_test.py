#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Pictures and compressed streams that other decoders, and this one, have had trouble with, each with what is right of it.

    tests/corpus/cases_pictures_test.py BUILD_FOLDER

The files are in ../shared/cases; without it there is nothing to run.
"""

import csv
import hashlib
import os
import sys

from cli_support import Skip, expect, expect_failure, expect_status, main, run, test

FOLDER = "../shared/cases"
MINE = ("jpg", "png", "gz", "bz2", "xz", "lzma", "lz", "zst", "lz4", "br", "deflate", "zlib")

# Name, options, exit code, the start of the output's SHA-256 (of several, one), and words on standard error.
CASES = (
    ("cmyk-no-adobe.jpg", ("-t", "ppm"), 0, ("b35080c45a703d8e",), ()),
    ("cmyk-no-adobe.jpg", ("-t", "ppm", "--strict"), 0, ("b35080c45a703d8e",), ()),
    ("jpeg-noeoi-trailer.jpg", ("-t", "ppm"), 0, ("7afd49fb17725857",), ("its end is missing or wrong",)),
    ("jpeg-noeoi-trailer.jpg", ("-t", "ppm", "--strict"), 3, None, ()),
    ("jpeg-rst-misnumbered.jpg", ("-t", "ppm"), 0, ("7afd49fb17725857",), ()),
    ("jpeg-rst-misnumbered.jpg", ("-t", "ppm", "--partial"), 0, ("7afd49fb17725857",), ()),
    ("jpeg-last-mcu-cut.jpg", (), 3, None, ("ends early",)),
    ("jpeg-last-mcu-cut.jpg", ("--partial",), 0, None, ("partial: ends early; 9 of 120 rows missing",)),
    ("png-small-zlib-window.png", ("-p", "rgba"), 0, ("7ef500f33648",), ("a larger window",)),
    ("png-small-zlib-window.png", ("-p", "rgba", "--strict"), 3, None, ()),
    ("png-stored-len.png", ("-p", "rgba"), 0, ("69ee78a8706b",), ("its end is missing or wrong",)),
    ("png-stored-len.png", ("-p", "rgba", "--strict"), 3, None, ("ends early",)),
    ("png-no-iend.png", ("-p", "rgba"), 0, ("69ee78a8706b",), ("its end is missing or wrong",)),
    ("png-no-iend.png", ("-p", "rgba", "--strict"), 3, None, ("ends early",)),
    ("png-cgbi.png", (), 7, None, ("CgBI",)),
    ("png-text-between-idat.png", (), 3, None, ("chunk tEXt between IDAT", "out of order")),
    # With green transparent, or as libpng has it, all opaque.
    ("png-trns-before-plte.png", ("-p", "rgba"), 0, ("4c7a284a5ea49ba5", "4504e31665906abd"), ()),
    ("gz-trailing-garbage.gz", (), 0, ("8d16b891d7bd33a1",), ("bytes follow the end",)),
    ("gz-trailing-garbage.gz", ("--strict",), 3, None, ("there is more data after its end",)),
    ("zstd-long31.zst", (), 4, None, ("needs 2,049 MiB, --memory allows 512 MiB",)),
    ("zstd-long31.zst", ("--memory", "2049M"), 0, ("8d16b891d7bd33a1",), ()),
)


def check(case, options, status, digests, words):
    path = os.path.join(FOLDER, case)
    if not os.path.exists(path):
        raise Skip(f"{path} is not present")
    done = run(*options, path)
    what = f"{case} {' '.join(options)}"
    if status == 0:
        expect_status(done, 0)
    else:
        expect_failure(done, status)
    digest = hashlib.sha256(done.stdout).hexdigest()
    expect(digests is None or any(digest.startswith(one) for one in digests), f"{what}: {digest}")
    for word in words:
        expect(word.encode() in done.stderr, f"{what}: {word!r} is not in {done.stderr!r}")


def define(case, rows):
    def one():
        for row in rows:
            check(*row)

    one.__name__ = case.replace("-", "_").replace(".", "_")
    test(one)


for name in dict.fromkeys(row[0] for row in CASES):
    define(name, [row for row in CASES if row[0] == name])


@test
def every_case_is_in_the_table():
    path = os.path.join(FOLDER, "INDEX.tsv")
    if not os.path.exists(path):
        raise Skip(f"{path} is not present")
    with open(path, newline="", encoding="utf-8") as stream:
        names = {row["name"] for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)}
    missing = {name for name in names if name.split(".")[-1] in MINE} - {row[0] for row in CASES}
    expect(not missing, missing)


if __name__ == "__main__":
    sys.exit(main())
