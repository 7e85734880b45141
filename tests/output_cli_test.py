#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Where output goes and in which form, in the corners.

    tests/output_cli_test.py BUILD_FOLDER
"""

import os
import sys

from cli_support import PHOTO, Folder, expect, expect_failure, expect_status, main, read, run, test

THUMBNAIL = "samples/jpeg/pjw-thumbnail.jpeg"
ALPHA = "samples/png/with-alpha.png"


def pixels(path, pixel_format):
    done = run("-q", "-p", pixel_format, path)
    expect_status(done, 0)
    return done.stdout


@test
def extensions_choose_pixels():
    """A file named picture.rgba got bgra pixels, and picture.pgm was a colour picture."""
    with Folder() as folder:
        for extension in ("rgba", "BGR", "gray", "rgba16", "rgba-premultiplied", "bgra"):
            expect_status(run("-q", "-o", folder("out." + extension), ALPHA), 0)
            expect(read(folder("out." + extension)) == pixels(ALPHA, extension.lower()), extension)
        expect_status(run("-q", "-o", folder("out.pgm"), PHOTO), 0)
        expect(read(folder("out.pgm")).startswith(b"P5\n1165 859\n"))
        expect_status(run("-q", "-p", "rgb", "-o", folder("out.rgba"), PHOTO), 0)
        expect(read(folder("out.rgba")) == pixels(PHOTO, "rgb"))
        expect_status(run("-q", "-t", "png", "-o", folder("out.gray"), PHOTO), 0)
        expect(pixels(folder("out.gray"), "rgb") == pixels(PHOTO, "rgb"))


@test
def a_link_to_nothing_is_followed():
    """The link itself was replaced by the output."""
    with Folder() as folder:
        os.mkdir(folder("far"))
        os.symlink("second", folder("first"))
        os.symlink("far/out", folder("second"))
        os.symlink("nowhere/out", folder("lost"))
        expect_status(run("-q", "-o", folder("first"), THUMBNAIL), 0)
        expect(read(folder("far", "out")) == pixels(THUMBNAIL, "bgra") and os.listdir(folder("far")) == ["out"])
        expect(folder.names() == ["far", "first", "lost", "second"] and os.path.islink(folder("first")), folder.names())
        expect_failure(run("-q", "-o", folder("lost"), THUMBNAIL), 2, "No such file")


if __name__ == "__main__":
    sys.exit(main())
