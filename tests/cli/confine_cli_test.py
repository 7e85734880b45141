#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The confinement of the trusted side's own processes, seen from outside while they decode.

    tests/cli/confine_cli_test.py BUILD_FOLDER
"""

import json
import os
import subprocess
import sys
import time

from cli_support import (HOSTILE, PHOTO, PHOTO_SIZE, PROGRAM, SCREENSHOT, TIME_LIMIT, Folder, Skip,
                         descendants, expect, expect_status, main, read, run, test)


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as stream:
        return dict(line.rstrip("\n").split(":\t", 1) for line in stream if ":\t" in line)


def while_decoding(look, *arguments):
    """Runs the program on a FIFO that gives half of a picture.  Returns what `look`, given its process, says, as soon
    as that is something."""
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
                    seen = look(process.pid)
                    if seen:
                        return seen
                    time.sleep(0.02)
        finally:
            process.kill()
            process.wait()
    raise AssertionError("nothing was locked down")


def modes(pid):
    """The status of a process, and seccomp modes of its descendants by name, once a decoder is locked down."""
    below = {one["Name"]: one["Seccomp"] for one in map(status_of, descendants(pid))}
    own = status_of(pid)
    return (own, below) if "1" in below.values() and own["Seccomp"] == "2" else None


STARTER = "safe-decode-sta"


def tried_by_starter(what, argument):
    """What comes of it when the starter of brokers is made to try something."""
    def inject(pid):
        starters = [one for one in descendants(pid) if status_of(one)["Name"] == STARTER]
        if not modes(pid) or not starters:
            return None
        tool = os.path.join(os.path.dirname(HOSTILE), "inject")
        return subprocess.run([tool, str(starters[0]), what, argument], check=True, capture_output=True).stdout
    return while_decoding(inject, SCREENSHOT).decode().strip()


@test
def the_command_line_confines_itself():
    own, below = while_decoding(modes)
    expect(own["Seccomp"] == "2" and own["NoNewPrivs"] == "1", own)
    expect(below == {"safe-decode: ch": "1"}, below)


@test
def with_several_inputs_too():
    own, below = while_decoding(modes, SCREENSHOT)
    expect(own["Seccomp"] == "2" and own["NoNewPrivs"] == "1", own)
    expect(below["safe-decode: ch"] == "1" and below[STARTER] == "0", below)
    expect(below["jpeg"] == "0", below)


@test
def the_starter_executes_and_writes_nothing_else():
    if json.loads(run("-q", "--posture", "--info", PHOTO).stdout.splitlines()[0])["trusted_side"]["landlock"] == 0:
        raise Skip("this kernel has no Landlock")
    expect(tried_by_starter("execute", "/bin/true") == "EACCES")
    expect(tried_by_starter("execute", PROGRAM) == "EACCES")
    expect(tried_by_starter("execute", os.path.join(os.path.dirname(PROGRAM), "decoders/jpeg")) == "done")
    with Folder() as folder:
        expect(tried_by_starter("write", folder("made")) == "EACCES" and not folder.names())


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
