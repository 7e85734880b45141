#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What outputs do to files that are there, and what they never do.

    tests/cli/output_files_test.py BUILD_FOLDER
"""

import os
import signal
import stat
import struct
import subprocess
import sys
import time

from cli_support import (GZIP, PHOTO, PROGRAM, TIME_LIMIT, TONE, Folder, Skip, expect, expect_failure,
                         expect_status, main, read, run, test, traced)

THUMBNAIL = "samples/jpeg/pjw-thumbnail.jpeg"
GRAY = "samples/png/gray-1.png"
FLAC = "samples/flac/tone-cover.flac"
ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
OWNER_ENTRY, USER_ENTRY, GROUP_ENTRY, MASK_ENTRY, OTHER_ENTRY = 1, 2, 4, 16, 32
NOBODY = 0xFFFFFFFF


def only_for_root():
    if os.geteuid() != 0:
        raise Skip("only root can give files to others")


def write_to(path, text):
    with open(path, "wb") as stream:
        stream.write(text)


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def result(*arguments):
    done = run("-q", *arguments)
    expect_status(done, 0)
    return done.stdout


# ---- names ----


@test
def a_name_of_dots_does_not_become_a_folder():
    with Folder() as folder:
        for name in ("..gz", "...gz"):
            write_to(folder(name), read(GZIP))
            expect_status(run("-q", "--output-dir", folder("out"), folder(name)), 0)
        expect(sorted(os.listdir(folder("out"))) == ["...gz.out", "..gz.out"], os.listdir(folder("out")))


# ---- where -o leads ----


@test
def links_of_others_in_a_shared_folder_are_not_followed():
    """The program followed by hand what the kernel refuses to with fs.protected_symlinks: /tmp/link of anybody."""
    only_for_root()
    for owner, followed in ((2, False), (1, True), (0, True)):
        for target in ("dangling", "existing"):
            with Folder() as folder:
                os.mkdir(folder("shared"))
                os.mkdir(folder("private"))
                if target == "existing":
                    write_to(folder("private/target"), b"old")
                os.symlink("../private/target", folder("shared/link"))
                os.symlink("shared/link", folder("first"))  # and not behind another one either
                os.lchown(folder("shared/link"), owner, owner)
                os.chown(folder("shared"), 1, 1)
                os.chmod(folder("shared"), 0o1777)
                for name in ("shared/link", "first"):
                    done = run("-q", "-o", folder(name), THUMBNAIL)
                    if followed:
                        expect_status(done, 0)
                        expect(len(read(folder("private/target"))) == 4096)
                    else:
                        expect_failure(done, 2, folder(name), "Permission denied")
                        expect(os.listdir(folder("private")) == (["target"] if target == "existing" else []))
                        expect(target != "existing" or read(folder("private/target")) == b"old")
                expect(os.path.islink(folder("shared/link")))


@test
def links_are_followed_to_their_end():
    with Folder() as folder:
        os.mkdir(folder("far"))
        os.symlink("far", folder("near"))
        for number in range(36):
            os.symlink(f"link{number + 1}", folder(f"link{number}"))
        os.symlink(folder("near/../near/out"), folder("link36"))
        expect_status(run("-q", "-o", folder("link0"), THUMBNAIL), 0)
        expect(os.listdir(folder("far")) == ["out"] and len(read(folder("far/out"))) == 4096)
        os.symlink("circle", folder("circle"))
        expect_failure(run("-q", "-o", folder("circle"), THUMBNAIL), 2, "circle", "levels of symbolic links")
        for number in range(50):
            os.symlink(f"many{number + 1}", folder(f"many{number}"))
        expect_failure(run("-q", "-o", folder("many0"), THUMBNAIL), 2, "many0", "levels of symbolic links")


@test
def what_the_output_is_to_blame_for_names_it():
    """The message named the input."""
    with Folder() as folder:
        expect_failure(run("-o", "/nonexistent/x.png", THUMBNAIL), 2, "safe-decode: /nonexistent/x.png: cannot open")
        expect_failure(run("-o", folder.path, THUMBNAIL), 2, f"safe-decode: {folder.path}: cannot open", "directory")
        expect_failure(run("-o", folder("new/"), THUMBNAIL), 2, folder("new/"))
        expect_failure(run("-o", "/dev/full", PHOTO), 2, "safe-decode: /dev/full: cannot write", "No space left")
        with open("/dev/full", "wb") as full:
            expect_failure(run(PHOTO, stdout=full), 2, "safe-decode: standard output: cannot write")
        expect_failure(run("-q", "--output-dir", "/proc", THUMBNAIL), 2, "/proc/pjw-thumbnail.bgra: cannot")
        expect_failure(run("-q", "--output-dir", "/dev/null", THUMBNAIL), 2, "/dev/null: ")
        expect_failure(run("-o", folder("x.png"), folder("missing")), 2, folder("missing") + ": cannot open the input")
        expect(folder.names() == [], folder.names())


@test
def open_descriptors_are_written_to_as_they_are():
    """-o /dev/stdout replaced the file behind it, and with it the lines that were there before."""
    text, words = result(GZIP), ("/dev/stdout", "/proc/self/fd/1", "/dev/fd/1", "/proc/thread-self/fd/1", "-")
    with Folder() as folder:
        os.symlink("/dev/stdout", folder("link"))
        for name in (*words, folder("link")):
            write_to(folder("log"), b"head\n")
            inode = os.stat(folder("log")).st_ino
            with open(folder("log"), "ab") as log:
                expect_status(run("-q", "-o", name, GZIP, stdout=log), 0)
                log.write(b"tail\n")
            expect(read(folder("log")) == b"head\n" + text + b"tail\n", name)
            expect(os.stat(folder("log")).st_ino == inode, name)
        with open(folder("log"), "r+b") as log:  # neither emptied nor appended to
            log.seek(3)
            expect_status(run("-q", "-o", "/dev/fd/7", GZIP, preexec_fn=lambda: os.dup2(log.fileno(), 7),
                              close_fds=False), 0)
        expect(read(folder("log")) == b"hea" + text + (text + b"tail\n")[-7:], read(folder("log"))[-20:])
        expect(run("-q", "-o", "/dev/stderr", GZIP).stderr == text)
        expect(run("-q", "-o", "-", THUMBNAIL, cwd=None).stdout == result(THUMBNAIL))
        # Sizes of a header are corrected there, too.
        with open(folder("log"), "wb") as log:
            expect_status(run("-q", "-t", "wav", "samples/vorbis/noise-stereo.ogg", stdout=log), 0)
        expect_status(run("-q", "-o", folder("same.wav"), "samples/vorbis/noise-stereo.ogg"), 0)
        expect(read(folder("log")) == read(folder("same.wav")))


@test
def descriptors_that_nobody_opened_are_none():
    """Those that the program has opened for itself have numbers, too."""
    for number in range(3, 20):
        expect_failure(run("-o", f"/dev/fd/{number}", GZIP), 2, f"/dev/fd/{number}: cannot open", "Bad file descriptor")
    with open("/dev/null", "rb") as only_to_read:
        done = run("-o", "/dev/fd/0", GZIP, stdin=only_to_read)
    expect_failure(done, 2, "/dev/fd/0: cannot open", "Bad file descriptor")


# ---- what is left behind ----


def half_a_picture(folder, *arguments):
    """The program in the middle of a decode."""
    fifo = folder("half.jpg")
    os.mkfifo(fifo)
    process = subprocess.Popen([*arguments, fifo], stderr=subprocess.DEVNULL)
    with open(fifo, "wb") as stream:
        stream.write(read(PHOTO)[:300000])
        stream.flush()
        time.sleep(0.5)
        yield process
    process.wait(TIME_LIMIT)


def without_unnamed_files(folder, *arguments):
    """The call that would make one fails: the third openat() of this process."""
    opens = subprocess.run([*traced(folder("trace"), "openat"), PROGRAM, *arguments, THUMBNAIL], check=False,
                           stderr=subprocess.DEVNULL)
    lines = read(folder("trace")).decode().splitlines()
    at = [number for number, line in enumerate(lines, 1) if "O_TMPFILE" in line]
    if opens.returncode != 0 or len(at) != 1:
        raise Skip(f"strace does not work: {opens}, {lines[-5:]}")
    return [*traced(folder("trace"), "openat", f"openat:error=EOPNOTSUPP:when={at[0]}"), PROGRAM, *arguments]


@test
def nothing_is_left_behind_by_sigkill():
    """A temporary file with a name was."""
    with Folder() as folder:
        write_to(folder("out.ppm"), b"old")
        for process in half_a_picture(folder, PROGRAM, "-q", "-o", folder("out.ppm")):
            expect(folder.names() == ["half.jpg", "out.ppm"], folder.names())
            process.kill()
        expect(process.returncode == -signal.SIGKILL)
        expect(folder.names() == ["half.jpg", "out.ppm"] and read(folder("out.ppm")) == b"old", folder.names())


@test
def a_temporary_name_is_taken_away_by_signals():
    """Where the file system has no files without names."""
    name = "n" * 251 + ".ppm"
    with Folder() as folder, Folder() as other:
        arguments = without_unnamed_files(other, "-q", "-o", folder(name))
        expect(folder.names() == [name])
        before = read(folder(name))
        for process in half_a_picture(folder, *arguments):
            names = [one for one in folder.names() if one.startswith(".")]
            expect(len(names) == 1 and len(names[0]) == 255 and names[0].startswith(".nnn"), names)
            process.send_signal(signal.SIGTERM)
        expect(process.returncode == -signal.SIGTERM, process.returncode)
        expect(folder.names() == ["half.jpg", name] and read(folder(name)) == before, folder.names())
        os.unlink(folder("half.jpg"))
        expect_status(subprocess.run([*arguments, PHOTO], capture_output=True, check=False), 0)
        expect(folder.names() == [name] and read(folder(name)) == result("-t", "ppm", PHOTO))


# ---- access ----


def entries(*all_of_them):
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in all_of_them)


def access_list(user, rights, mask):
    return entries((OWNER_ENTRY, 6, NOBODY), (USER_ENTRY, rights, user), (GROUP_ENTRY, 0, NOBODY),
                   (MASK_ENTRY, mask, NOBODY), (OTHER_ENTRY, 0, NOBODY))


def list_of(path, which=ACCESS):
    try:
        return os.getxattr(path, which)
    except OSError:
        return None


def set_list(path, which, value):
    try:
        os.setxattr(path, which, value)
    except OSError as error:
        raise Skip(f"no access control lists here: {error}") from error


@test
def a_file_that_is_replaced_keeps_its_access_list():
    """Its mask became permissions of the group: others could read what one user was to read."""
    with Folder() as folder:
        target = folder.write("out.png", b"old")
        set_list(target, ACCESS, access_list(1234, 4, 4))
        before = list_of(target), mode_of(target)
        expect_status(run("-q", "-o", target, THUMBNAIL), 0)
        expect(read(target)[:4] == b"\x89PNG" and (list_of(target), mode_of(target)) == before)
        expect_status(run("-q", "--force", "-t", "png", "--output-dir", folder("many"), THUMBNAIL), 0)
        target = folder("many/pjw-thumbnail.png")
        set_list(target, ACCESS, access_list(1234, 4, 4))
        for more in ([], [GRAY]):
            expect_status(run("-q", "--force", "-t", "png", "--output-dir", folder("many"), THUMBNAIL, *more), 0)
            expect((list_of(target), mode_of(target)) == before)


@test
def the_access_list_of_a_folder_is_for_new_files():
    """They had none; and a file that had none when it was replaced gets none."""
    with Folder() as folder:
        os.mkdir(folder("shared"))
        folder.write("shared/old.png", b"old")
        os.chmod(folder("shared/old.png"), 0o640)
        set_list(folder("shared"), DEFAULT, access_list(1234, 6, 6))
        for number, arguments in enumerate((["-o", folder("shared/new0.png"), THUMBNAIL],
                                            ["--output-dir", folder("shared"), "-t", "png", THUMBNAIL])):
            expect_status(run("-q", *arguments, umask=0o077), 0)
            made = folder("shared", ("new0.png", "pjw-thumbnail.png")[number])
            expect(list_of(made) == access_list(1234, 6, 6), list_of(made))
        expect_status(run("-q", "-o", folder("shared/old.png"), THUMBNAIL), 0)
        expect(list_of(folder("shared/old.png")) is None and mode_of(folder("shared/old.png")) == 0o640)
        expect(read(folder("shared/old.png"))[:4] == b"\x89PNG")


@test
def permissions_are_those_of_before_or_of_the_umask():
    with Folder() as folder:
        for umask in (0o022, 0o077, 0o002):
            expect_status(run("-q", "-o", folder("new"), THUMBNAIL, umask=umask), 0)
            expect(mode_of(folder("new")) == 0o666 & ~umask)
            os.unlink(folder("new"))
        for mode in (0o600, 0o644, 0o440, 0o777, 0o4755):
            target = folder.write("old", b"old")
            os.chmod(target, mode)
            expect_status(run("-q", "-o", target, THUMBNAIL), 0)
            expect(mode_of(target) == mode & 0o777, oct(mode_of(target)))
            os.unlink(target)


@test
def who_cannot_keep_the_group_gives_it_nothing():
    """The permissions of one group went to another one."""
    only_for_root()
    with Folder() as folder:
        os.chmod(folder.path, 0o755)
        os.mkdir(folder("open"))
        os.chmod(folder("open"), 0o777)
        picture = folder.write("in.jpg", read(THUMBNAIL))
        become = {"user": 4321, "group": 4321, "extra_groups": []}
        try:
            subprocess.run([PROGRAM, "--version"], capture_output=True, check=True, **become)
        except PermissionError:
            raise Skip("others cannot run the program here") from None
        for mode, after in ((0o660, 0o600), (0o640, 0o600), (0o664, 0o644), (0o604, 0o600), (0o666, 0o666)):
            target = folder.write("open/out.png", b"old")
            os.chown(target, 4321, 1)
            os.chmod(target, mode)
            expect_status(run("-q", "-o", target, picture, **become), 0)
            expect(mode_of(target) == after and os.stat(target).st_gid == 4321, (oct(mode), oct(mode_of(target))))
            os.unlink(target)
        target = folder.write("open/out.png", b"old")
        os.chown(target, 4321, 1)
        set_list(target, ACCESS, access_list(1234, 4, 4))
        expect_status(run("-q", "-o", target, picture, **become), 0)
        expect(mode_of(target) == 0o600 and list_of(target) is None)
        # Who can, keeps both.
        os.chown(target, 77, 78)
        expect_status(run("-q", "-o", target, picture), 0)
        expect((os.stat(target).st_uid, os.stat(target).st_gid) == (77, 78))


# ---- extensions ----


@test
def foreign_extensions_are_refused():
    """-o copy.jpg was raw pixels, and the status 0."""
    with Folder() as folder:
        for name in ("x.jpg", "x.MP3", "x.tif", "x.unheard-of", "x.png.gz"):
            for source, formats in ((THUMBNAIL, "raw, pam, ppm, png, bmp\n"), (TONE, "raw, wav\n")):
                done = run("-o", folder(name), source)
                expect_failure(done, 1, folder(name) + ": no output format has this extension", formats)
        expect_failure(run("--cover", "-o", folder("x.jpg"), FLAC), 1, "raw, pam, ppm, png, bmp\n")
        expect(folder.names() == [], folder.names())
        expect_failure(run("-o", folder("x.png"), TONE), 7, "sound")
        expect_failure(run("-o", folder("x.wav"), THUMBNAIL), 7, "picture")
        expect_failure(run("-t", "png", "-o", folder("x.txt"), GZIP), 7, "compressed data")
        expect(folder.names() == [], folder.names())
        for name in ("x.tar", "notes.txt", "x.png", "x.wav", "x.jpg"):
            expect_status(run("-q", "-o", folder(name), GZIP), 0)
            expect(read(folder(name)) == result(GZIP), name)
        expect(run("-o", folder("x.png"), GZIP).stderr == f"{GZIP}: 942 bytes\n".encode())
        for name in ("x.jpg", "x.whatever"):
            expect_status(run("-q", "-t", "png", "-o", folder(name), THUMBNAIL), 0)
            expect(read(folder(name))[:4] == b"\x89PNG", name)
        for name in ("plain", ".hidden", "ends-with-a-dot.", "x.data", "v1.2/plain"):
            os.makedirs(os.path.dirname(folder(name)), exist_ok=True)
            expect_status(run("-q", "-o", folder(name), THUMBNAIL), 0)
            expect(read(folder(name)) == result(THUMBNAIL), name)


# ---- --output-dir ----


def into(folder, *arguments, status=0):
    done = run("--output-dir", folder.path, "-t", "png", *arguments)
    expect_status(done, status)
    return done.stderr.decode()


@test
def inputs_are_never_replaced():
    """p1.jpg and p1.png in one folder: each original PNG was replaced."""
    for order in (["p.jpg", "p.png"], ["p.png", "p.jpg"], ["p.jpg"]):
        for kind in ("file", "hard link", "symbolic link", "dangling", "folder", "FIFO"):
            with Folder() as folder:
                folder.write("p.jpg", read(THUMBNAIL))
                original = folder.write("original", read(GRAY))
                {"file": lambda: folder.write("p.png", read(GRAY)),
                 "hard link": lambda: os.link(original, folder("p.png")),
                 "symbolic link": lambda: os.symlink("original", folder("p.png")),
                 "dangling": lambda: os.symlink("nothing", folder("p.png")),
                 "folder": lambda: os.mkdir(folder("p.png")),
                 "FIFO": lambda: os.mkfifo(folder("p.png"))}[kind]()
                inputs = order if kind in ("file", "hard link", "symbolic link") else ["p.jpg"]
                before = os.lstat(folder("p.png"))
                names = folder.names()
                said = into(folder, *[folder(name) for name in inputs], "-j1", status=2)
                refused = f"safe-decode: {folder(inputs[0])}: {folder('p.png')}: exists already; --force replaces it"
                expect(refused in said, said)
                after = os.lstat(folder("p.png"))
                expect((after.st_ino, after.st_mode, after.st_nlink, after.st_size, after.st_mtime_ns) ==
                       (before.st_ino, before.st_mode, before.st_nlink, before.st_size, before.st_mtime_ns), kind)
                expect(read(original) == read(GRAY) and read(folder("p.jpg")) == read(THUMBNAIL))
                expect([name for name in folder.names() if name not in names] == ["p-2.png"][:len(inputs) - 1])


@test
def what_is_there_is_kept_or_replaced_as_it_was_said():
    with Folder() as folder, Folder() as inputs:
        first, second = inputs.write("a.jpg", read(THUMBNAIL)), inputs.write("b.png", read(GRAY))
        expect("2 decoded, 0 failed" in into(folder, first, second))
        wanted = {name: read(folder(name)) for name in folder.names()}
        expect("0 decoded, 2 failed (2 io)" in into(folder, first, second, status=2))
        folder.write("a.png", b"old")
        expect("0 decoded, 2 kept, 0 failed" in into(folder, "--skip-existing", first, second))
        expect(read(folder("a.png")) == b"old")
        os.unlink(folder("b.png"))
        expect("1 decoded, 1 kept, 0 failed" in into(folder, "--skip-existing", first, second))
        expect("2 decoded, 0 failed" in into(folder, "--force", first, second))
        expect({name: read(folder(name)) for name in folder.names()} == wanted)
        os.unlink(folder("a.png"))
        os.symlink(first, folder("a.png"))
        expect("1 decoded" in into(folder, "--force", first))  # the link goes, and not what it leads to
        expect(read(first) == read(THUMBNAIL) and {name: read(folder(name)) for name in folder.names()} == wanted)
        expect_failure(run("--force", "--skip-existing", "--output-dir", folder.path, first), 1, "exclude each other")
        expect_failure(run("--skip-existing", "-o", folder("x"), first), 1, "--output-dir")


@test
def the_same_input_twice_is_no_other_file():
    for jobs in ("-j1", "-j4"):
        with Folder() as folder:
            expect("6 decoded, 0 failed" in into(folder, *[THUMBNAIL] * 6, jobs))
            expect(folder.names() == ["pjw-thumbnail.png"], folder.names())


@test
def a_file_that_comes_to_be_meanwhile_is_not_replaced():
    with Folder() as folder, Folder() as other:
        for process in half_a_picture(other, PROGRAM, "-q", "--output-dir", folder.path, "-t", "png", PHOTO):
            expect(folder.names() == ["photograph.png"], folder.names())
            folder.write("half.png", b"of somebody else")
            with open(other("half.jpg"), "wb") as stream:
                stream.write(read(PHOTO)[300000:])
        expect(process.returncode == 2, process.returncode)
        expect(folder.names() == ["half.png", "photograph.png"] and read(folder("half.png")) == b"of somebody else")


@test
def a_single_output_replaces_its_own_input():
    with Folder() as folder:
        target = folder.write("p.png", read(GRAY))
        os.link(target, folder("linked"))
        expect_status(run("-q", "-o", target, target), 0)
        expect(result("-p", "rgba", target) == result("-p", "rgba", GRAY) and folder.names() == ["linked", "p.png"])
        expect(read(folder("linked")) == read(GRAY))


@test
def names_may_be_as_long_as_the_file_system_takes():
    """A name of 255 bytes with an extension that is shorter than the output's could not be made."""
    with Folder() as folder, Folder() as inputs:
        for name in ("x" * 252 + ".jp", "y" * 255, "é" * 125 + ".jpg", "z" * 251 + ".jpg"):
            inputs.write(name, read(THUMBNAIL))
        paths = [inputs(name) for name in inputs.names()]
        done = run("-q", "-t", "preview", "--output-dir", folder.path, *paths)
        expect_status(done, 0)
        expect(len(folder.names()) == 4 and all(name.endswith(".preview") for name in folder.names()))
        expect(sorted(len(name.encode()) for name in folder.names()) == [254, 255, 255, 255])
        expect_status(run("-q", "-o", folder("w" * 255), THUMBNAIL), 0)
        expect_status(run("-q", "-o", folder("w" * 255), THUMBNAIL), 0)
        expect_failure(run("-q", "-o", folder("w" * 256), THUMBNAIL), 2, "too long")


if __name__ == "__main__":
    sys.exit(main())
