#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The confinement of the trusted side's own processes, seen from outside while they decode.

    tests/confine_cli_test.py BUILD_FOLDER
"""

import json
import os
import subprocess
import sys
import time

from cli_support import (PHOTO, PHOTO_SIZE, PROGRAM, SCREENSHOT, TIME_LIMIT, Folder, expect, expect_status, main, read,
                         run, test)


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as stream:
        return dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)


def descendants(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as stream:
        children = [int(word) for word in stream.read().split()]
    return children + [deeper for child in children for deeper in descendants(child)]


def modes_while_decoding(*arguments):
    """Runs the program on a FIFO that gives half of a picture; returns its seccomp mode and those of its descendants by
    name, as soon as a decoder is locked down."""
    with Folder() as folder:
        fifo = folder("half.jpg")
        os.mkfifo(fifo)
        process = subprocess.Popen([PROGRAM, "-q", "-o" if not arguments else "--output-dir", folder("out"), fifo,
                                    *arguments], stderr=subprocess.DEVNULL)
        try:
            with open(fifo, "wb") as stream:
                stream.write(read(PHOTO)[:30000])
                stream.flush()
                deadline = time.monotonic() + TIME_LIMIT
                while time.monotonic() < deadline:
                    below = [status_of(pid) for pid in descendants(process.pid)]
                    modes = {one["Name"]: one["Seccomp"] for one in below}
                    own = status_of(process.pid)
                    if "1" in modes.values() and own["Seccomp"] == "2":
                        return own, modes
                    time.sleep(0.02)
        finally:
            process.kill()
            process.wait()
    raise AssertionError("nothing was locked down")


@test
def the_command_line_confines_itself():
    own, modes = modes_while_decoding()
    expect(own["Seccomp"] == "2" and own["NoNewPrivs"] == "1", own)
    expect(modes == {"safe-decode: ch": "1"}, modes)


@test
def with_several_inputs_too():
    own, modes = modes_while_decoding(SCREENSHOT)
    expect(own["Seccomp"] == "2" and own["NoNewPrivs"] == "1", own)
    expect(modes["safe-decode: ch"] == "1" and modes["safe-decode: la"] == "0", modes)
    expect(modes["safe-decode-bro"] == "0", modes)


@test
def the_posture_tells_of_the_trusted_side():
    for arguments in ([PHOTO], [PHOTO, SCREENSHOT]):
        done = run("-q", "--posture", "--info", *arguments)
        for line in done.stdout.splitlines():
            one = json.loads(line)
            expect("verified" not in one or one["trusted_side"]["seccomp"] == "filter", one)


@test
def output_leads_where_it_did():
    """What the confinement lets through: pipes and devices by name, links, relative names."""
    expect(len(run("-q", "-o", "/dev/stdout", PHOTO).stdout) == PHOTO_SIZE[0] * PHOTO_SIZE[1] * 4)
    expect_status(run("-q", "-o", "/dev/null", PHOTO), 0)
    with Folder() as folder:
        os.mkdir(folder("deep"))
        os.symlink(folder("deep/real.png"), folder("link.png"))
        expect_status(run("-q", "-o", "link.png", os.path.abspath(PHOTO), cwd=folder("")), 0)
        expect(os.path.islink(folder("link.png")) and os.path.getsize(folder("deep/real.png")) > 1000)


if __name__ == "__main__":
    sys.exit(main())
