# SPDX-License-Identifier: MIT
"""Compressed streams: safe-decode against each format's own tool, on what this system has in /usr."""

import os
import shlex
import subprocess

import measure

GIB, MIB = 1 << 30, 1 << 20

# Name, how it is packed, its own tool, and how much of it: the fast ones need more to be measured.
TOOLS = (
    ("gzip", ["gzip", "-c4"], ["gzip", "-dc"], GIB),
    ("bzip2", ["bzip2", "-c"], ["bzip2", "-dc"], 64 * MIB),
    ("xz", ["xz", "-c1"], ["xz", "-dc"], 64 * MIB),
    ("lzma", ["xz", "--format=lzma", "-c1"], ["xz", "--format=lzma", "-dc"], 64 * MIB),
    ("lzip", ["lzip", "-c1"], ["lzip", "-dc"], 64 * MIB),
    ("zstd", ["zstd", "-qc"], ["zstd", "-qdc"], GIB),
    ("lz4", ["lz4", "-qc"], ["lz4", "-qdc"], GIB),
    ("brotli", ["brotli", "-q", "5", "-c"], ["brotli", "-dc"], 64 * MIB),
)


def tar_of_usr(folder):
    """The files of /usr, as tar puts them, up to 1 GiB."""
    path = os.path.join(folder, "usr.tar")
    with open(path, "wb") as stream, \
            subprocess.Popen(["tar", "-C", "/", "-cf", "-", "usr"], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL) as tar:
        subprocess.run(["head", "-c", str(GIB)], stdin=tar.stdout, stdout=stream, check=True)
        tar.stdout.close()
    return path


def pack(command, source, size, target):
    with open(target, "wb") as stream, \
            subprocess.Popen(["head", "-c", str(size), source], stdout=subprocess.PIPE) as head:
        return subprocess.run(command, stdin=head.stdout, stdout=stream, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0


def shell(command, path, rest):
    return ["sh", "-c", f"{shlex.join(command)} <{shlex.quote(path)} {rest}"]


def run(results, program, folder, rounds):
    tar = tar_of_usr(folder)
    for name, packer, unpacker, size in TOOLS:
        path = os.path.join(folder, "stream." + name)
        if not measure.runs([*packer[:1], "--version"]) or not pack(packer, tar, size, path):
            print(f"skip {name}: {packer[0]} is not installed, or does not work here")
            continue
        # Time is what is measured, and the slow ones need more of it than an untrusted picture.
        ours = [program, "-q", "--cpu", "600", "--decoder", name]
        what = f"{name} of {size // MIB} MiB: {' '.join(unpacker)}"
        for rest, where in (("", ""), ("| cat", ", into a pipe")):
            results.compare(what + where, shell(unpacker, path, rest), shell(ours, path, rest), rounds)
        results.note(f"{name} of {size // MIB} MiB: most resident memory of both processes",
                     measure.peak_memory([*ours, path]) / 1024, "KiB")
        os.remove(path)
