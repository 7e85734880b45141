# SPDX-License-Identifier: MIT
"""What `make install` puts there: programs compile against it and run, in C and in C++, and uninstall takes it away."""

import json
import os
import subprocess
import sys

from cli_support import BUILD, PHOTO, PHOTO_SIZE, TONE, main, run, test
from install_support import PREFIX, Installed, make


def files_under(root):
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names)


def thumbnail_line(path):
    about = json.loads(run("--info", path).stdout)
    scale = next((scale for scale in (8, 4, 2) if max(about["width"], about["height"]) // scale >= 256), 1)
    return f"{path}: {-(-about['width'] // scale)} x {-(-about['height'] // scale)}"


@test
def the_samples_compile_and_run_against_what_is_installed():
    with Installed() as tree:
        geometry = "%d x %d pixels" % PHOTO_SIZE
        for sample in ("samples/library-decode.c", "samples/library-stream.c"):
            program = tree.compile("cc", sample, *tree.flags("--cflags", "--libs"))
            done = tree.run(program, PHOTO)
            assert done.returncode == 0, done.stderr
            assert geometry in done.stdout.decode(), done.stdout
            assert tree.run(program, "/dev/null").returncode == 3
        sound = tree.compile("cc", "samples/library-sound.c", *tree.flags("--cflags", "--libs"))
        done = tree.run(sound, TONE)
        assert done.returncode == 0, done.stderr
        assert b"8000 Hz, 2 channels" in done.stderr, done.stderr
        assert done.stdout == run("-q", "-t", "raw", "--samples", "f32", TONE).stdout
        assert tree.run(sound, "/dev/null").returncode == 3
        cover = tree.compile("cc", "samples/library-cover.c", *tree.flags("--cflags", "--libs"))
        for path in ("samples/flac/tone-cover.flac", "samples/mp3/tone-cover.mp3"):
            done = tree.run(cover, path)
            picture = json.loads(run("--cover", "--info", path).stdout)
            assert f"cover: {picture['width']} x {picture['height']} pixels" in done.stdout.decode(), done
        for path, status, word in ((TONE, 7, "no cover"), (PHOTO, 7, "only sound"), ("/dev/null", 3, "empty")):
            done = tree.run(cover, path)
            assert done.returncode == status and word in done.stderr.decode(), done
        server = tree.compile("cc", "samples/library-thumbnails.c", "-pthread", *tree.flags("--cflags", "--libs"))
        paths = [PHOTO, "samples/screenshot.png"] * 40
        done = tree.run(server, input="".join(path + "\n" for path in paths).encode())
        assert done.returncode == 0, done
        assert sorted(done.stdout.decode().splitlines()) == sorted(thumbnail_line(path) for path in paths), done.stdout
        done = tree.run(server, input=f"/dev/null\n{TONE}\n/nowhere\n".encode())
        assert done.returncode != 0 and done.stdout.count(b"\n") == 3, done


@test
def the_static_library_links_with_libc_alone():
    with Installed() as tree:
        os.remove(tree.path("lib/libsafe-decode.so"))
        program = tree.compile("cc", "samples/library-decode.c", *tree.flags("--static", "--cflags", "--libs"))
        # Its decoders are looked for at the place that it was built for, and nowhere else.
        installed = os.path.exists(os.path.join(PREFIX, "lib/safe-decode/decoders/jpeg"))
        assert tree.run(program, PHOTO).returncode == (0 if installed else 7)


@test
def the_header_is_for_cpp_too():
    with Installed() as tree:
        source = os.path.join(tree.root, "program.cc")
        with open(source, "w", encoding="utf-8") as file:
            file.write("""
#include <safe-decode.h>
int main()
{
	sdec_pool *decoder = nullptr;
	sdec_image image{};
	image.size = sizeof(image);
	sdec_input input{};
	input.size = sizeof(input);
	input.kind = SDEC_INPUT_MEMORY;
	input.data = "";
	sdec_status status = sdec_pool_open(nullptr, &decoder);
	if (status == SDEC_OK)
		status = sdec_decode_image(decoder, &input, nullptr, &image, nullptr);
	sdec_pool_close(&decoder);
	return status;
}
""")
        for standard in ("c++11", "c++20"):
            program = tree.compile("g++", source, f"-std={standard}", "-Wpedantic", *tree.flags("--cflags", "--libs"))
            assert tree.run(program).returncode == 3
        plain = ["-std=c99", "-Wpedantic", "-fsyntax-only", "-x", "c", tree.path("include/safe-decode.h")]
        subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", *plain], check=True)


@test
def the_library_is_versioned_and_the_programs_in_their_place():
    with Installed() as tree:
        library = os.readlink(tree.path("lib/libsafe-decode.so"))
        assert library == "libsafe-decode.so.0", library
        assert os.readlink(tree.path("lib", library)).startswith("libsafe-decode.so.0.")
        for name in ("safe-decode-starter", "decoders/jpeg", "decoders/pcm"):
            assert os.access(tree.path("lib/safe-decode", name), os.X_OK), name
        for name in ("lib/safe-decode/sinks/png.so", "share/man/man1/safe-decode.1", "share/man/man3/libsafe-decode.3"):
            assert os.path.exists(tree.path(name)), name
        assert tree.run(tree.path("bin/safe-decode"), "-q", "-i", PHOTO).returncode == 0


@test
def a_running_installation_is_never_without_a_file():
    """Files were removed and then written: whatever started meanwhile found none, or half of one."""
    with Installed() as tree:
        files = {path: os.lstat(path) for path in files_under(tree.root)}
        again = subprocess.Popen(["make", "-s", f"BUILD={BUILD}", "install", f"DESTDIR={tree.root}"],
                                 stdout=subprocess.DEVNULL)
        looks = 0
        while again.poll() is None:
            looks += 1
            for path, before in files.items():
                now = os.lstat(path)
                assert (now.st_size, now.st_mode) == (before.st_size, before.st_mode), path
        assert again.returncode == 0 and looks > 100, looks
        assert files_under(tree.root) == sorted(files)
        assert all(os.lstat(path).st_ino != before.st_ino for path, before in files.items())


@test
def a_place_that_is_relative_is_refused():
    """It was installed there, and the library looked for its decoders nowhere."""
    # Below another make, this one would have its options, and tell which folder it is in.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    for target in ("install", "uninstall", "all"):
        for place in ("PREFIX=relative", "LIBDIR=relative/lib"):
            done = subprocess.run(["make", "-n", f"BUILD={BUILD}", target, place], capture_output=True, timeout=60,
                                  check=False, env=alone)
            assert done.returncode == 2 and done.stderr.count(b"\n") == 1, done.stderr
            assert b"must be absolute paths" in done.stderr and done.stdout == b"", done


@test
def pkg_config_tells_all_that_is_decoded():
    with Installed() as tree:
        with open(tree.path("lib/pkgconfig/safe-decode.pc"), encoding="ascii") as file:
            assert "pictures, sound and compressed data" in file.read()


@test
def uninstall_leaves_nothing():
    with Installed() as tree:
        assert len(files_under(tree.root)) > 10
        make("uninstall", f"DESTDIR={tree.root}")
        assert files_under(tree.root) == [], files_under(tree.root)
        assert not os.path.exists(tree.path("lib/safe-decode"))


if __name__ == "__main__":
    sys.exit(main())
