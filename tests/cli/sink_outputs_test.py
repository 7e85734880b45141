#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every output format to every kind of output: what the confinement of the command line leaves must do for all.

    tests/cli/sink_outputs_test.py BUILD_FOLDER
"""

import os
import socket
import subprocess
import sys
import threading

from audio_files import parse_wav
from cli_support import GZIP, PROGRAM, TIME_LIMIT, TONE, Folder, expect, expect_failure, main, read, run, test

ALPHA = "samples/png/with-alpha.png"
VORBIS = "samples/vorbis/noise-stereo.ogg"  # no header says how long it is
# Each sink with what it takes; a wav file's sizes are known at the start, or at the end only.
SINKS = [("raw", ALPHA), ("raw", TONE), ("raw", VORBIS), ("raw", GZIP), ("pam", ALPHA), ("ppm", ALPHA), ("png", ALPHA),
         ("bmp", ALPHA), ("wav", TONE), ("wav", VORBIS), ("preview", ALPHA), ("preview", TONE)]


def start(sink, path, *options, **streams):
    return subprocess.Popen([PROGRAM, "-q", "-t", sink, *options, path], stdin=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, **streams)


def gather(receive):
    """Calls until there is nothing left, beside the program that writes it; returns a function that gives all of it."""
    parts = []

    def go_on():
        while part := receive(65536):
            parts.append(part)
    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()

    def all_of_it():
        thread.join(TIME_LIMIT)
        return b"".join(parts)
    return all_of_it


def finish(process, what):
    _, errors = process.communicate(timeout=TIME_LIMIT)
    expect(process.returncode == 0, f"{what}: status {process.returncode}: {errors!r}")


def to_option(sink, path, folder):
    target = folder("option")
    finish(start(sink, path, "-o", target), (sink, path, "-o"))
    return read(target)


def to_file(sink, path, folder, *options):
    with open(folder("file"), "wb") as stream:
        finish(start(sink, path, *options, stdout=stream), (sink, path, ">", options))
    return read(folder("file"))


def to_end_of_file(sink, path, folder):
    with open(folder.write("appended", b"before"), "ab") as stream:
        finish(start(sink, path, stdout=stream), (sink, path, ">>"))
    data = read(folder("appended"))
    expect(data.startswith(b"before"), (sink, path))
    return data[6:]


def to_middle_of_file(sink, path, folder):
    with open(folder.write("middle", b"before"), "r+b") as stream:
        stream.seek(6)
        finish(start(sink, path, stdout=stream), (sink, path, "<>"))
    data = read(folder("middle"))
    expect(data.startswith(b"before"), (sink, path))
    return data[6:]


def to_pipe(sink, path, *options):
    process = start(sink, path, *options, stdout=subprocess.PIPE)
    whole = gather(lambda size: os.read(process.stdout.fileno(), size))
    process.wait(TIME_LIMIT)
    data = whole()
    process.stdout.close()
    expect(process.returncode == 0, (sink, path, process.stderr.read()))
    process.stderr.close()
    return data


def to_socket(sink, path):
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = start(sink, path, stdout=theirs)
        whole = gather(ours.recv)
        finish(process, (sink, path, "socket"))
        return whole()


def to_fifo(sink, path, folder, option):
    fifo = folder("fifo")
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    try:
        if option:
            process = start(sink, path, "-o", fifo)
            # Until somebody writes, there seems to be an end.
            with open(fifo, "wb"):
                whole = gather(lambda size: os.read(reader, size))
                finish(process, (sink, path, "-o FIFO"))
        else:
            with open(fifo, "wb") as stream:
                process = start(sink, path, stdout=stream)
            whole = gather(lambda size: os.read(reader, size))
            finish(process, (sink, path, "> FIFO"))
        return whole()
    finally:
        os.close(reader)
        os.unlink(fifo)


@test
def every_output_gets_the_same():
    """A wav file of unknown length that went to a file by redirection ended with 2, and stayed without its sizes."""
    for sink, path in SINKS:
        with Folder() as folder:
            seekable = to_option(sink, path, folder)
            piped = to_pipe(sink, path)
            expect(len(seekable) > 0 and (piped == seekable) == ((sink, path) != ("wav", VORBIS)), (sink, path))
            for name, data in ((">", to_file(sink, path, folder)), ("<>", to_middle_of_file(sink, path, folder))):
                expect(data == seekable, (sink, path, name))
            for name, data in ((">>", to_end_of_file(sink, path, folder)), ("socket", to_socket(sink, path)),
                               ("> FIFO", to_fifo(sink, path, folder, False)),
                               ("-o FIFO", to_fifo(sink, path, folder, True)),
                               ("-o /dev/stdout |", to_pipe(sink, path, "-o", "/dev/stdout"))):
                expect(data == piped, (sink, path, name))
            # The name of standard output leads to the file, which is replaced as any other.
            own = to_file(sink, path, folder, "-o", "/dev/stdout")
            expect(own in (seekable, piped), (sink, path, "-o /dev/stdout >"))


@test
def sizes_are_those_of_the_file():
    """What is right behind redirection: the sizes of all that came, of cut input, too."""
    with Folder() as folder:
        cut = folder.write("cut.flac", read("samples/flac/libFLAC.flac")[:400])
        for path, options in ((VORBIS, ()), ("samples/mp3/l3-si.bit", ()), ("samples/opus/testcase.opus", ()),
                              (cut, ("--partial",)), (TONE, ("--samples", "s24"))):
            data = to_file("wav", path, folder, *options)
            chunks, size = parse_wav(data)
            samples = run("-q", "-t", "raw", *options, path).stdout
            expect(size == len(data) - 8 and chunks[b"data"] == samples and len(samples) > 0, path)


@test
def a_full_device_is_an_error():
    for sink, path in SINKS:
        with open("/dev/full", "wb") as stream:
            expect_failure(run("-q", "-t", sink, path, stdout=stream), 2, "No space left on device")
        expect_failure(run("-q", "-t", sink, "-o", "/dev/full", path), 2, "No space left on device")


if __name__ == "__main__":
    sys.exit(main())
