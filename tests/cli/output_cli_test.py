#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Where output goes and in which form, in the corners.

    tests/cli/output_cli_test.py BUILD_FOLDER
"""

import os
import resource
import sys

from cli_support import (PHOTO, Folder, expect, expect_failure, expect_status, main, pixels_with_pillow, read, run,
                         test)
from picture_support import pixels

THUMBNAIL = "samples/jpeg/pjw-thumbnail.jpeg"
ALPHA = "samples/png/with-alpha.png"


@test
def extensions_choose_pixels():
    """A file named picture.rgba got bgra pixels, and picture.pgm was a colour picture."""
    with Folder() as folder:
        for extension in ("rgba", "BGR", "gray", "rgba16", "rgba-premultiplied", "bgra", "gray-alpha", "gray16",
                          "gray-alpha16", "rgb16", "rgbaf16", "rgbaf32"):
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


@test
def rows_that_lack_are_transparent():
    """A photograph that was cut became a png, pam or bmp picture without alpha, with black rows."""
    with Folder() as folder:
        cut = folder.write("cut.jpg", read(PHOTO)[:200000])
        raw = run("-q", "--partial", "-p", "rgba", cut).stdout
        expect(raw[:4][3] == 255 and not any(raw[-4:]))
        for name, mode in (("png", "RGBA"), ("bmp", "RGBA"), ("pam", None), ("ppm", "RGB")):
            target = folder("out." + name)
            expect_status(run("-q", "--partial", "-o", target, cut), 0)
            if mode == "RGBA":
                expect(pixels_with_pillow(target, mode)[1] == raw, name)
            elif mode == "RGB":
                expect(read(target).endswith(run("-q", "--partial", "-p", "rgb", cut).stdout), name)
            else:
                expect(b"TUPLTYPE RGB_ALPHA\n" in read(target) and read(target).endswith(raw), name)


@test
def more_jobs_than_descriptors():
    """With -j 256 and the usual 1024 descriptors most inputs ended with 6, and the others stalled."""
    with Folder() as folder:
        names = [folder.write(f"{number}.jpg", read(THUMBNAIL)) for number in range(300)]
        for files in (24, 64, 256, 1024):
            done = run("--force", "--output-dir", folder("out"), "-j", "256", *names,
                       preexec_fn=lambda most=files: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)))
            expect_status(done, 0)
            expect(b"300 inputs: 300 decoded, 0 failed\n" in done.stderr)


if __name__ == "__main__":
    sys.exit(main())
