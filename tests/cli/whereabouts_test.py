#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Which decoder programs are found: never some that lie about where somebody happens to be, such as in a folder that was
unpacked from an archive.

    tests/cli/whereabouts_test.py BUILD_FOLDER
"""

import contextlib
import os
import shutil
import stat
import subprocess
import sys

from cli_support import (BUILD, PHOTO, PHOTO_SIZE, PROGRAM, TIME_LIMIT, Folder, Skip, expect, expect_status, main,
                         test, unshare)
from install_support import Installed

CLONE_NEWUSER = 0x10000000

PICTURE = os.path.abspath(PHOTO)
PIXELS = PHOTO_SIZE[0] * PHOTO_SIZE[1] * 4
LIBRARY = os.path.abspath(BUILD)

# Where a program might look, seen from where it is, from its caller's folder, or from one that a variable names.
PLACES = ("decoders", "safe-decode/decoders", "lib/safe-decode/decoders", "bin/decoders", "bin/safe-decode/decoders",
          "lib/x86_64-linux-gnu/safe-decode/decoders", "build/decoders", "usr/local/lib/safe-decode/decoders")
ALONE = ("safe-decode/safe-decode-broker", "safe-decode-broker", "safe-decode-starter", "safe-decode/safe-decode-starter",
         "lib/safe-decode/safe-decode-starter")

CALLER = r"""
#include <safe-decode.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	struct sdec_config config = { .size = sizeof(config), .programs = argc > 2 ? argv[2] : NULL };
	struct sdec_pool *decoder = NULL;
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_result result = { .size = sizeof(result) };
	FILE *file = fopen(argv[1], "rb");
	struct sdec_input input = { .size = sizeof(input), .kind = SDEC_INPUT_FD, .fd = file ? fileno(file) : -1 };
	enum sdec_status status = sdec_pool_open(&config, &decoder);
	if (status == SDEC_OK)
		status = sdec_decode_image(decoder, &input, NULL, &image, &result);
	printf("%s\n", result.reason ? result.reason : "");
	sdec_image_free(&image);
	sdec_pool_close(&decoder);
	return status;
}
"""


class Archive(Folder):
    """What somebody has unpacked, and is in the middle of: programs everywhere, each of which leaves a mark."""

    def __enter__(self):
        super().__enter__()
        self.mark = self("mark")
        self.inside = self("unpacked/pictures")
        for base in ("unpacked", "unpacked/pictures"):
            for place in PLACES:
                for name in ("jpeg", "png"):
                    self.plant(base, place, name)
            for name in ALONE:
                self.plant(base, name)
        return self

    def plant(self, *names):
        path = self(*names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as script:
            script.write(f"#!/bin/sh\n: > '{self.mark}'\n")
        os.chmod(path, 0o755)

    def link(self, name, target):
        path = os.path.join(self.inside, name)
        os.symlink(target, path)
        return path

    def run(self, *command, **options):
        """Runs it in there.  Whatever comes of it, there must be no mark."""
        done = subprocess.run(command, cwd=self.inside, capture_output=True, timeout=TIME_LIMIT, check=False, **options)
        expect(not os.path.exists(self.mark), f"{command}: a program that lay about was executed")
        return done

    def decodes(self, *command, **options):
        done = self.run(*command, **options)
        expect(done.returncode == 0, f"{command}: {done.returncode}: {done.stderr!r}")
        expect(len(done.stdout) % PIXELS == 0 and done.stdout, f"{command}: {len(done.stdout)} bytes")


def compile_caller(folder, name, *options):
    program = folder(name)
    subprocess.run(["cc", "-o", program, folder.write("caller.c", CALLER.encode()), f"-I{os.path.abspath('broker')}",
                    *options], check=True)
    return program


def compile_static(folder, name="viewer"):
    return compile_caller(folder, name, os.path.join(LIBRARY, "libsafe-decode.a"), "-pthread")


def compile_shared(folder, name, *options):
    return compile_caller(folder, name, f"-L{LIBRARY}", "-lsafe-decode", *options)


@test
def the_planted_programs_would_leave_a_mark():
    """Otherwise no test here could fail."""
    with Archive() as archive:
        program = compile_static(archive)
        for place in PLACES:
            subprocess.run([program, PICTURE, os.path.join(archive.inside, place)], check=False, timeout=TIME_LIMIT,
                           stdout=subprocess.DEVNULL)
            expect(os.path.exists(archive.mark), place)
            os.unlink(archive.mark)


@test
def the_command_line_by_any_name():
    with Archive() as archive:
        for inputs in ([PICTURE], [PICTURE, PICTURE]):
            archive.decodes(PROGRAM, "-q", *inputs)
            for name in ("safe-decode", "./safe-decode", "", "/nonexistent/safe-decode", "bin/safe-decode", "../x"):
                archive.decodes(name, "-q", *inputs, executable=PROGRAM)
            for variables in ({"LD_LIBRARY_PATH": "."}, {"LD_LIBRARY_PATH": ""}, {"PWD": "/"}, {"HOME": archive.inside},
                              {"LD_LIBRARY_PATH": f"lib:{archive.inside}/lib"}):
                archive.decodes(PROGRAM, "-q", *inputs, env={**os.environ, **variables})


@test
def the_command_line_by_path():
    with Archive() as archive:
        folder = os.path.dirname(PROGRAM)
        for path in (folder, f":{folder}", f"{folder}:", f".:bin:{folder}", os.path.relpath(folder, archive.inside)):
            archive.decodes("/bin/sh", "-c", 'exec safe-decode -q "$1"', "sh", PICTURE, env={"PATH": path})


@test
def the_command_line_by_links():
    with Archive() as archive:
        links = [archive.link("safe-decode-link", PROGRAM), archive.link("bin/program", PROGRAM),
                 archive.link("program", os.path.relpath(PROGRAM, archive.inside)),
                 os.path.join(archive.link("folder", os.path.dirname(PROGRAM)), "safe-decode")]
        links.append(archive.link("again", links[0]))
        for link in links:
            archive.decodes(link, "-q", PICTURE)
            archive.decodes(os.path.join(".", os.path.relpath(link, archive.inside)), "-q", PICTURE, PICTURE)
        archive.decodes("/bin/sh", "-c", 'exec program -q "$1"', "sh", PICTURE, env={"PATH": ""})


@test
def a_folder_that_is_gone():
    with Archive() as archive:
        gone = archive("gone")
        os.mkdir(gone)
        archive.decodes("/bin/sh", "-c", 'cd "$1" && rmdir "$1" && exec "$2" -q "$3" "$3"', "sh", gone, PROGRAM, PICTURE)


@test
def a_viewer_with_the_static_library():
    """It knows one place, where the decoders are installed; what its own name and folder are, its caller decides."""
    installed = os.path.exists("/usr/local/lib/safe-decode/decoders/jpeg")
    with Archive() as archive:
        program = compile_static(archive)
        os.makedirs(os.path.join(archive.inside, "bin"), exist_ok=True)
        copy = shutil.copy(program, os.path.join(archive.inside, "bin/viewer"))
        for viewer in (program, copy, archive.link("viewer", program), "bin/viewer"):
            for name in (viewer, "safe-decode", "./safe-decode", "bin/safe-decode", ""):
                done = archive.run(name, PICTURE, executable=viewer)
                expect_status(done, 0 if installed else 7)
        expect_status(archive.run(program, PICTURE, os.path.join(LIBRARY, "decoders")), 0)


@test
def relative_folders_of_programs_are_refused():
    with Archive() as archive:
        program = compile_static(archive)
        for place in ("decoders", "./decoders", "../decoders", "", "safe-decode/decoders"):
            expect_status(archive.run(program, PICTURE, place), 1)


@test
def a_viewer_with_the_shared_library():
    with Archive() as archive:
        with_path = compile_shared(archive, "with-path", f"-Wl,-rpath,{LIBRARY}")
        for name in (with_path, "safe-decode", "./safe-decode", ""):
            expect_status(archive.run(name, PICTURE, executable=with_path), 0)
        # The linker's name for it is relative then, and leads nowhere else once the program has moved.
        by_variable = compile_shared(archive, "by-variable")
        installed = os.path.exists("/usr/local/lib/safe-decode/decoders/jpeg")
        relative = os.path.relpath(LIBRARY, archive.inside)
        done = archive.run(by_variable, PICTURE, env={**os.environ, "LD_LIBRARY_PATH": f".:lib:{relative}"})
        expect_status(done, 0 if installed else 7)
        done = archive.run(by_variable, PICTURE, env={**os.environ, "LD_LIBRARY_PATH": f".:{LIBRARY}"})
        expect_status(done, 0)
        # A link to the library, beside decoders that are others.
        archive.link("lib/libsafe-decode.so.0", os.path.join(LIBRARY, "libsafe-decode.so.0"))
        done = archive.run(by_variable, PICTURE, env={**os.environ, "LD_LIBRARY_PATH": f"{archive.inside}/lib"})
        expect_status(done, 0)


@test
def an_installation_that_was_moved():
    with Installed() as tree, Archive() as archive:
        os.chmod(tree.root, 0o755)
        moved = archive("moved")
        os.rename(os.path.dirname(tree.path("bin")), moved)
        for program in (os.path.join(moved, "bin/safe-decode"), archive.link("safe-decode-moved", moved + "/bin/safe-decode"),
                        os.path.join(archive.link("moved", moved), "bin/safe-decode")):
            archive.decodes(program, "-q", PICTURE)
            archive.decodes(program, "-q", PICTURE, PICTURE)
        viewer = compile_shared(archive, "viewer", f"-Wl,-rpath,{moved}/lib")
        expect_status(archive.run(viewer, PICTURE), 0)
        # The library may be in a folder for its architecture; decoders are beside that.
        os.mkdir(os.path.join(moved, "lib/x86_64-linux-gnu"))
        for name in os.listdir(os.path.join(moved, "lib")):
            if name.startswith("libsafe-decode"):
                os.rename(os.path.join(moved, "lib", name), os.path.join(moved, "lib/x86_64-linux-gnu", name))
        viewer = compile_shared(archive, "viewer-of-architecture", f"-Wl,-rpath,{moved}/lib/x86_64-linux-gnu")
        expect_status(archive.run(viewer, PICTURE), 0)
        # Put there by somebody else, they are not executed.
        os.chmod(os.path.join(moved, "lib/safe-decode/decoders"), stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
        expect_status(archive.run(viewer, PICTURE), 6)
        expect_status(archive.run(os.path.join(moved, "bin/safe-decode"), "-q", PICTURE), 6)


def in_user_namespace(ranges, command):
    """Runs it as root of a namespace with these ranges of users: (inside, outside, count) each."""
    made, told = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            unshare(CLONE_NEWUSER)
            os.write(made[1], b"x")
            os.read(told[0], 1)
            os.setgid(0)
            os.setuid(0)
            os.execv(command[0], command)
        os._exit(99)
    os.read(made[0], 1)
    for kind in ("uid_map", "gid_map"):
        with open(f"/proc/{pid}/{kind}", "w", encoding="ascii") as stream:
            stream.write("".join(f"{inside} {outside} {count}\n" for inside, outside, count in ranges))
    os.write(told[1], b"x")
    for end in (*made, *told):
        os.close(end)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@test
def programs_of_other_users_of_a_namespace():
    """What is outside of it may be root's; what is another's inside may not be executed, whatever numbers there are."""
    if os.getuid() != 0:
        raise Skip("only root can map several ranges")
    with Folder() as folder:
        os.chmod(folder.path, 0o755)
        for name in ("safe-decode", "decoders"):
            source = os.path.join(LIBRARY, name)
            (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, folder(name))
        command = [folder("safe-decode"), "-q", "-o", "/dev/null", PICTURE]
        nobody, other = 65534, 3000
        for owner, ranges, status in (
                # As rootless containers have it: everybody is inside, and 65534 is one of them.
                (nobody, [(0, 0, 1000), (1000, 1000, 64536)], 6),
                (nobody, [(0, 0, 65536)], 6),
                (nobody, [(0, 0, 1), (65534, 65534, 1)], 6),
                (other, [(0, 0, 1000), (1000, 1000, 64536)], 6),
                # Nobody in there can be the one that it belongs to.
                (other, [(0, 0, 1000)], 0),
                (other, [(0, 0, 1000), (1000, 10000, 10)], 0),
                (other, [(0, 0, 1000), (1000, 10000, 64536)], 6)):
            os.chown(folder("decoders/jpeg"), owner, owner)
            expect(in_user_namespace(ranges, command) == status, (owner, ranges, status))


if __name__ == "__main__":
    sys.exit(main())
