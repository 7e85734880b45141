#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Where outputs meet what is there: inputs of the run, files of others, and disks.

    tests/cli/output_targets_test.py BUILD_FOLDER
"""

import gzip
import os
import subprocess
import sys

from cli_support import (GZIP, PHOTO, PROGRAM, SCREENSHOT, TIME_LIMIT, Folder, Skip, expect, expect_failure, expect_status,
                         main, read, run, test, traced)

THUMBNAIL = "samples/jpeg/pjw-thumbnail.jpeg"


@test
def a_large_output_goes_to_the_disk_in_parts():
    """So that the others of a folder do not wait for all of it at once; and an error that a part meets is not lost."""
    call = "sync_file_range"
    with Folder() as folder:
        packed = folder.write("large.gz", gzip.compress(bytes(30 << 20), 1))
        for output, inject, status, calls in ((["--output-dir", folder("out"), GZIP], [], 0, 3),
                                              (["-o", folder("one")], [], 0, 0),
                                              (["--output-dir", folder("bad"), GZIP], [f"{call}:error=EIO:when=2"], 2, 2),
                                              (["--output-dir", folder("without"), GZIP], [f"{call}:error=EPERM"], 0, 1)):
            done = subprocess.run([*traced(folder("trace"), call, *inject), PROGRAM, "-q", *output, packed],
                                  capture_output=True, check=False, timeout=TIME_LIMIT)
            if "strace" in done.stderr.decode():
                raise Skip(done.stderr)
            expect_status(done, status)
            expect(read(folder("trace")).decode().count(call) == calls, (output, read(folder("trace"))))
        for name in ("out/large", "one", "without/large"):
            expect(read(folder(name)) == bytes(30 << 20), name)
        expect(os.listdir(folder("bad")) == ["romeo.txt"])


@test
def what_others_put_into_a_folder_for_everybody_is_not_used():
    """As with fs.protected_fifos and fs.protected_regular, which may be off."""
    if os.getuid() != 0:
        raise Skip("only root can make files of others")
    with Folder() as folder:
        os.mkdir(folder("all"))
        os.chmod(folder("all"), 0o1777)
        for name in ("file.png", "fifo.png", "own.png"):
            os.mkfifo(folder("all", name)) if name == "fifo.png" else folder.write(f"all/{name}", b"old")
        for name in ("file.png", "fifo.png"):
            os.chown(folder("all", name), 65534, 65534)
            os.chmod(folder("all", name), 0o666)
            for options in ([], ["--force", "-t", "png"]):
                output = ["--output-dir", folder("all")] if options else ["-o", folder("all", name)]
                source = folder.write(name.replace(".png", ".jpg"), read(THUMBNAIL)) if options else THUMBNAIL
                expect_failure(run("-q", *options, *output, source), 2, name, "Permission denied")
            os.symlink(folder("all", name), folder("link-" + name))
            expect_failure(run("-q", "-o", folder("link-" + name), THUMBNAIL), 2, "Permission denied")
        expect(read(folder("all/file.png")) == b"old")
        expect_status(run("-q", "-o", folder("all/own.png"), THUMBNAIL), 0)
        # Elsewhere who may write there decides.
        os.chmod(folder("all"), 0o777)
        expect_status(run("-q", "-o", folder("all/file.png"), THUMBNAIL), 0)


@test
def force_replaces_no_other_input():
    """It was destroyed before it was read, and what took its place was then decoded under its name."""
    with Folder() as folder:
        photo, screen = read(PHOTO), read(SCREENSHOT)
        folder.write("a.jpg", photo)
        folder.write("a.png", screen)
        os.symlink(folder("a.png"), folder("link.png"))
        for inputs in (["a.jpg", "a.png"], ["a.png", "a.jpg"], ["a.jpg", "link.png"]):
            done = run("-q", "-j", "1", "--force", "-t", "png", "--output-dir", folder.path, *map(folder, inputs))
            expect(read(folder("a.jpg")) == photo, inputs)
            if inputs[0] == "a.png":  # its own input is what it may replace
                expect_status(done, 0)
                expect(read(folder("a-2.png"))[:8] == screen[:8])
                expect(len(read(folder("a.png"))) != len(photo))
                folder.write("a.png", screen)
            else:
                expect_failure(done, 2, "a.jpg", "a.png", "another input")
                expect(read(folder("a.png")) == screen or inputs[1] == "a.png", inputs)
            for name in folder.names():
                if name not in ("a.jpg", "a.png", "link.png"):
                    os.unlink(folder(name))


@test
def names_that_only_the_order_tells_apart():
    """Two inputs of one name: in the next run the wrong one was taken for done."""
    with Folder() as folder, Folder() as inputs:
        os.mkdir(inputs("other"))
        for name in ("b.jpg", "b.jpeg", "other/b.png", "bb.jpg"):
            inputs.write(name, read(THUMBNAIL))
        for names in (["b.jpg", "b.jpeg"], ["b.jpg", "bb.jpg", "other/b.png"]):
            expect_failure(run("--output-dir", folder.path, "--skip-existing", *map(inputs, names)), 1, "have the same name",
                           names[0], names[-1])
        expect(folder.names() == [])
        expect_status(run("-q", "--output-dir", folder.path, "--skip-existing", inputs("b.jpg"), inputs("bb.jpg")), 0)
        expect(len(folder.names()) == 2)


if __name__ == "__main__":
    sys.exit(main())
