# SPDX-License-Identifier: MIT
"""The examples that libsafe-decode(3) prints, for users copy them: how they end, whatever they are given."""

import os
import subprocess
import sys

from cli_support import (BUILD, GZIP, PHOTO, PHOTO_SIZE, TONE, Folder, Skip, expect, expect_failure, expect_status,
                         main, read, run, test)
from install_support import instrumented

LIBRARY = os.path.abspath(BUILD)
NAMES = ("decode", "stream", "sound")
# Tells, instead of starting anything, which limits the caller has set.
LIMITS = """
#include <safe-decode.h>
#include <stdio.h>
enum sdec_status sdec_stream_open(struct sdec_pool *decoder, const struct sdec_input *input,
                                  const struct sdec_request *request, struct sdec_stream **stream)
{
	const struct sdec_limits *limits = request->limits;
	(void)decoder, (void)input;
	*stream = NULL;
	fprintf(stderr, "limits %d %d %d %d %d\\n", limits->max_input == UINT64_MAX, limits->max_output == UINT64_MAX,
	        limits->cpu_seconds == UINT32_MAX, limits->work_seconds == UINT32_MAX, limits->deadline_milliseconds == 0);
	return SDEC_IO;
}
"""


class Samples(Folder):
    """A folder with the examples, compiled."""

    def __enter__(self):
        if instrumented():
            raise Skip("a build that watches itself is not for other compilers")
        super().__enter__()
        for name in NAMES:
            self.compile("cc", name, f"samples/library-{name}.c", "-Wextra")
        return self

    def compile(self, compiler, name, source, *options):
        subprocess.run([*compiler.split(), "-Wall", "-Werror", "-Ibroker", *options, "-o", self(name), source,
                        f"-L{LIBRARY}", "-lsafe-decode", f"-Wl,-rpath,{LIBRARY}"], check=True)

    def run(self, name, *arguments, **options):
        return run(*arguments, program=self(name), **options)


@test
def they_decode():
    with Samples() as samples:
        size = b"%d x %d pixels\n" % PHOTO_SIZE
        done = samples.run("decode", PHOTO)
        expect(done.returncode == 0 and done.stdout == size and done.stderr == b"", done)
        done = samples.run("stream", PHOTO)
        expect(done.returncode == 0 and done.stdout.startswith(size) and done.stderr == b"", done)
        expect(done.stdout.endswith(b" to %d\n" % (PHOTO_SIZE[1] - 1)), done.stdout[-100:])
        wanted = run("-q", "-t", "raw", "--samples", "f32", TONE).stdout
        for arguments, options in (((TONE,), {}), (("-",), {"input": read(TONE)})):
            done = samples.run("sound", *arguments, **options)
            expect(done.returncode == 0 and done.stdout == wanted and done.stderr == b"8000 Hz, 2 channels\n", done)


@test
def they_are_cpp_too():
    with Samples() as samples:
        for name in NAMES:
            for standard in ("c++11", "c++20"):
                samples.compile(f"g++ -x c++ -std={standard} -c", "object", f"samples/library-{name}.c")


@test
def an_output_that_cannot_be_written_is_told():
    with Samples() as samples:
        for name, path in (("decode", PHOTO), ("stream", PHOTO), ("sound", TONE),
                           ("sound", "samples/mp3/testcase-0star.mp3")):
            with open("/dev/full", "wb") as full:
                done = samples.run(name, path, stdout=full)
            expect_status(done, 2)
            last = done.stderr.splitlines()[-1]
            expect(last == b"standard output: No space left on device", (name, done.stderr))


@test
def inputs_of_another_kind_are_refused():
    with Samples() as samples:
        for name, path, words in (("sound", PHOTO, ("not sound", "jpeg")), ("sound", GZIP, ("not sound", "gzip")),
                                  ("stream", TONE, ("not a picture", "wav")),
                                  ("stream", GZIP, ("not a picture", "gzip")),
                                  ("stream", "samples/flac/libFLAC.flac", ("not a picture", "flac"))):
            done = samples.run(name, path)
            expect_status(done, 7)
            expect(done.stdout == b"" and b" 0 " not in done.stderr and not done.stderr.startswith(b"0 "), done)
            expect(all(word.encode() in done.stderr.splitlines()[-1] for word in words), done)
        # It was said to be wrong usage.
        for path, what in ((TONE, "sound"), ("samples/flac/libFLAC.flac", "sound"), (GZIP, "bytes")):
            done = samples.run("decode", path)
            expect_failure(done, 7, f"{path}: not a picture: the input gives {what}\n")
            expect(done.stdout == b"", done)


@test
def what_cannot_be_opened_read_or_decoded_is_told():
    with Samples() as samples:
        for name in NAMES:
            expect_failure(samples.run(name, "/nowhere/at all"), 2, "/nowhere/at all: No such file or directory")
            expect_failure(samples.run(name, "tests"), 2, "tests: io: ", "Is a directory")
            expect_failure(samples.run(name, "/dev/null"), 3, "/dev/null: malformed: ")
            damaged = samples.write("damaged", read(TONE)[:-9] if name == "sound" else read(PHOTO)[:9999])
            done = samples.run(name, damaged)
            expect_status(done, 3)
            expect(done.stderr.endswith(f"{damaged}: malformed: ends early\n".encode()), done)
            expect_failure(samples.run(name, "README.md"), 7, "README.md: unsupported: ")
            expect_failure(samples.run(name), 1, "usage: ", "FILE")
            expect_failure(samples.run(name, PHOTO, PHOTO), 1, "usage: ", "FILE")


@test
def endless_streams_have_no_limit_on_what_has_passed():
    with Samples() as samples:
        source = samples.write("limits.c", LIMITS.encode())
        samples.compile("cc -shared -fPIC", "limits.so", source)
        told = dict(os.environ, LD_PRELOAD=samples("limits.so"), SDL_AUDIODRIVER="dummy")
        done = samples.run("sound", TONE, env=told)
        expect(b"limits 1 1 1 1 1\n" in done.stderr, done.stderr)
        player = os.path.join(LIBRARY, "play")
        if not os.access(player, os.X_OK):
            raise Skip("the player is not built")
        done = run(TONE, program=player, env=told)
        expect(b"limits 1 1 1 1 1\n" in done.stderr, done.stderr)


if __name__ == "__main__":
    sys.exit(main())
