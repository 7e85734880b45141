#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Decodes every file of samples/, and of the corpus where it is present, and compares with what is expected.

    tests/corpus/corpus.py BUILD_FOLDER [FOLDER]...

A folder has MANIFEST.tsv (path, label) and EXPECTED.tsv (what independent decoders made of each file).  Files are judged
by their label: `decodes` must give exactly those pixels or bytes, `must-refuse` must end with status 3, 4 or 7, and
`either` with one of the two.  What the tool of a format's own library refuses, too, need not decode: labels were made
with one release of each, and some later one is stricter.  Prints one line a file, and the counts for each format and
label.
"""

import collections
import concurrent.futures
import csv
import ctypes
import hashlib
import json
import os
import shutil
import subprocess
import sys

import corpus_audio

FORMATS = ("jpeg", "png", "gif", "webp", "gzip", "zlib", "deflate", "bz2", "xz", "lzma", "lzip", "zstd", "lz4", "brotli",
           *corpus_audio.FORMATS)
NAMELESS = ("deflate", "brotli")  # nothing in a file says that it is one
REFUSALS = (3, 4, 7)
TIME_LIMIT = 60  # seconds; far above what any file needs

# Rows that are not followed, and why; with the digest that is right instead, if there is one.
GRAY_KEY = "1c36e9d46fe44582f94be4db7d79d58ea259b0b2a59c7f3328974d0222bfaa97"
BORDER = "2a479c726e2eb6af53c8e8c59b4b0e430d299735d08265bd896521ff3829469d"
UNDERSIZED = "1780e38eaabef621a77a9ce5ac5c9481479f9be9fe4fe741eb0752d26aa407a6"
EXCEPTIONS = {
    # The reference is CMYK samples, and there is no CMYK output: it must only decode.
    ("jpeg/valid/sharp/Channel_digital_image_CMYK_color_no_profile.jpg", "cmyk8"): None,
    # 4-bit gray with tRNS 15: white is transparent.  The reference compares the key with samples that it has scaled to 8
    # bits already, and so finds nothing transparent; pngtopam -alpha gives the same alpha as this digest.
    ("png/valid/libpng/iftbbn0g04.png", "rgba8"): GRAY_KEY,
    ("png/valid/pngsuite/tbbn0g04.png", "rgba8"): GRAY_KEY,
    # What the first frame does not cover, the reference fills with the background colour, and browsers leave transparent.
    # Elsewhere it is the same: tests/corpus/frames_test.py.
    ("gif/valid/image-rs/border_touching_layers.gif", "rgba8-alpha0-zeroed"): BORDER,
    ("gif/valid/image-rs/issue_1455_undersized.gif", "rgba8-alpha0-zeroed"): UNDERSIZED,
}

# Tools that decode standard input to standard output, with the library that the decoder has.
TOOLS = {
    "bz2": ("bzip2", "-dc"),
    "xz": ("xz", "-dc"),
    "lzma": ("xz", "-dc"),
    "zstd": ("zstd", "-dcq"),
    "lz4": ("lz4", "-dcq"),
    "brotli": ("brotli", "-dc"),
}

PR_SET_CHILD_SUBREAPER = 36


def read_table(path):
    with open(path, newline="", encoding="utf-8") as stream:
        lines = (line for line in stream if not line.startswith("#"))
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


class Corpus:
    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        self.files = []
        for row in read_table(os.path.join(folder, "MANIFEST.tsv")):
            name = row["path"]
            # Samples that stand alone have no folder to tell their format, but their names do.
            top = name.split("/")[0] if "/" in name else {"jpg": "jpeg"}.get(name.split(".")[-1], name.split(".")[-1])
            if top in FORMATS and row["expected"] in ("decodes", "must-refuse", "either"):
                self.files.append((name, top, row["expected"]))
        self.expected = collections.defaultdict(list)
        for row in read_table(os.path.join(folder, "EXPECTED.tsv")):
            self.expected[row["path"]].append(row)

    def run(self, name, top, *options):
        command = [self.program, "-q", *options]
        if top in NAMELESS:
            command += ["--decoder", top]
        command.append(os.path.join(self.folder, name))
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIME_LIMIT,
                                  check=False)
        except subprocess.TimeoutExpired:
            return "hang", b""
        return done.returncode, done.stdout

    def tool_refuses(self, name, top):
        """Where there is no such tool, nothing is refused."""
        if top not in TOOLS or not shutil.which(TOOLS[top][0]):
            return False
        with open(os.path.join(self.folder, name), "rb") as stream:
            return subprocess.run(TOOLS[top], stdin=stream, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  timeout=TIME_LIMIT, check=False).returncode > 0

    def matches(self, name, top, row):
        """None if the file gives what the row says, else what is wrong."""
        kind, digest = row["kind"], row["expected"]
        digest = EXCEPTIONS.get((name, kind), digest)
        if digest is None or kind == "allframes-rgba8":
            return None
        # The reference keeps the colour of transparent pixels; where they are drawn on a canvas, they have none.
        if top == "gif" and kind == "rgba8":
            return None
        if kind in corpus_audio.KINDS:
            return corpus_audio.KINDS[kind](self, name, top, row)
        if kind == "orientation":
            status, output = self.run(name, top, "--info")
            return None if status == 0 and json.loads(output)["orientation"] == int(digest) else f"info {output}"
        pixels = {"rgba8": "rgba", "rgb8": "rgb", "gray8": "gray", "rgba16be": "rgba16", "rgba8-high-byte": "rgba16",
                  "rgba8-alpha0-zeroed": "rgba"}
        options = () if kind == "bytes" else ("-p", pixels[kind])
        status, output = self.run(name, top, *options)
        if status != 0:
            return f"status {status}"
        if kind == "rgba8-high-byte":
            output = output[::2]
        return None if hashlib.sha256(output).hexdigest() == digest else f"other {kind} than expected"

    def judge(self, file):
        name, top, label = file
        rows = self.expected[name]
        status, _ = self.run(name, top)
        wrong = None
        if status == 0:
            if label == "must-refuse":
                wrong = "decoded, but must be refused"
            elif label == "decodes" and not rows:
                wrong = "nothing to compare with"
            for row in rows:
                wrong = wrong or self.matches(name, top, row)
        elif status not in REFUSALS or (label == "decodes" and not self.tool_refuses(name, top)):
            wrong = f"status {status}"
        return file, status, wrong


def main():
    build, folders = sys.argv[1], sys.argv[2:] or ["samples", "../shared/corpus"]
    program = os.path.join(build, "safe-decode")
    # Whatever a decode leaves behind becomes a child of this process, and is seen at the end.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    failures = 0
    for folder in folders:
        if not os.path.exists(os.path.join(folder, "MANIFEST.tsv")):
            print(f"skip {folder}: not present")
            continue
        corpus = Corpus(program, folder)
        counts = collections.Counter()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for (name, top, label), status, wrong in pool.map(corpus.judge, corpus.files):
                counts[(top, label, "wrong" if wrong else "decoded" if status == 0 else "refused")] += 1
                failures += wrong is not None
                print(f"FAIL {name}: {wrong}" if wrong else f"ok {name}")
        for (top, label, result), count in sorted(counts.items()):
            print(f"# {folder} {top:8} {label:12} {result:8} {count}")
    try:
        orphan, _ = os.waitpid(-1, os.WNOHANG)
        print(f"FAIL orphans: a process was left behind ({orphan})")
        failures += 1
    except ChildProcessError:
        print("ok no orphans")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
