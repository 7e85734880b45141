# SPDX-License-Identifier: MIT
"""Compressed streams and FLAC: safe-decode against each format's own tool, on what this system has in /usr, and on music.

    bench/streams.py BUILD_FOLDER [MIB] [ROUNDS]     this part of bench/run alone
"""

import glob
import os
import shlex
import subprocess
import sys
import tempfile

import measure

MIB = 1 << 20
RAW = ["--force-raw-format", "--endian=little", "--sign=signed"]
PCM = ["--channels=2", "--bps=16", "--sample-rate=44100"]
MUSIC = ("samples/*/*", "../shared/corpus/*/valid/*/*")

# Name, how it is packed, its own tool, and the part of all that is measured: the slow ones need less.
TOOLS = (
    ("gzip", ["gzip", "-c4"], ["gzip", "-dc"], 1),
    ("bzip2", ["bzip2", "-c"], ["bzip2", "-dc"], 4),
    ("xz", ["xz", "-c1"], ["xz", "-dc"], 4),
    ("lzma", ["xz", "--format=lzma", "-c1"], ["xz", "--format=lzma", "-dc"], 4),
    ("lzip", ["lzip", "-c1"], ["lzip", "-dc"], 4),
    ("zstd", ["zstd", "-qc"], ["zstd", "-qdc"], 1),
    ("lz4", ["lz4", "-qc"], ["lz4", "-qdc"], 1),
    ("brotli", ["brotli", "-q", "5", "-c"], ["brotli", "-dc"], 4),
    ("flac", ["flac", "-cs", *RAW, *PCM, "-"], ["flac", "-dcs", *RAW, "-"], 1),
)


def tar_of_usr(folder, size):
    """The files of /usr, as tar puts them."""
    path = os.path.join(folder, "usr.tar")
    with open(path, "wb") as stream, \
            subprocess.Popen(["tar", "-C", "/", "-cf", "-", "usr"], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL) as tar:
        subprocess.run(["head", "-c", str(size)], stdin=tar.stdout, stdout=stream, check=True)
        tar.stdout.close()
    return path


def music(program, folder, size):
    """What there is of lossy and other sound, decoded, again and again."""
    pieces = []
    for path in sorted(path for pattern in MUSIC for path in glob.glob(pattern)):
        if path.endswith((".ogg", ".opus", ".mp3", ".bit", ".flac", ".wav")):
            done = subprocess.run([program, "-q", "-t", "raw", "--samples", "s16", path], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, check=False)
            pieces.append(done.stdout[:len(done.stdout) // 4 * 4] if done.returncode == 0 else b"")
    once = b"".join(pieces)
    path = os.path.join(folder, "music.pcm")
    with open(path, "wb") as stream:
        while stream.tell() < size:
            stream.write(once[:size - stream.tell()])
    return path


def pack(command, source, size, target):
    with open(target, "wb") as stream, \
            subprocess.Popen(["head", "-c", str(size), source], stdout=subprocess.PIPE) as head:
        return subprocess.run(command, stdin=head.stdout, stdout=stream, stderr=subprocess.DEVNULL,
                              check=False).returncode == 0


def shell(command, path, rest):
    return ["sh", "-c", f"{shlex.join(command)} <{shlex.quote(path)} {rest}"]


def run(results, program, folder, mib, rounds):
    tar = tar_of_usr(folder, mib * MIB)
    for name, packer, unpacker, part in TOOLS:
        path, size = os.path.join(folder, "stream." + name), mib // part
        source = music(program, folder, size * MIB) if name == "flac" else tar
        if not measure.runs([*packer[:1], "--version"]) or not pack(packer, source, size * MIB, path):
            print(f"skip {name}: {packer[0]} is not installed, or does not work here")
            continue
        # Time is what is measured, and the slow ones need more of it than an untrusted picture.
        ours = [program, "-q", "--cpu", "600", "--decoder", name]
        what = f"{name} of {size} MiB: {unpacker[0]}"
        for rest, where in (("", " to /dev/null"), ("| cat", " into a pipe")):
            results.compare(what + where, shell(unpacker, path, rest), shell(ours, path, rest), rounds)
        results.note(f"{name} of {size} MiB: most resident memory of both processes",
                     measure.peak_memory([*ours, path]) / 1024, "KiB")
        results.note(f"{name} of {size} MiB: most resident memory of {unpacker[0]}",
                     measure.peak_memory(shell(["exec", *unpacker], path, "")) / 1024, "KiB")
        os.remove(path)


def main():
    results = measure.Results()
    mib = int(sys.argv[2]) if len(sys.argv) > 2 else 1024
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    with tempfile.TemporaryDirectory(prefix="safe-decode-bench-") as folder:
        run(results, os.path.join(sys.argv[1], "safe-decode"), folder, mib, rounds)
    results.print()


if __name__ == "__main__":
    main()
