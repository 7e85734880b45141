# SPDX-License-Identifier: MIT
"""Compares decoded audio with what tests/corpus/corpus.py expects of it."""

import array
import hashlib
import lzma
import math
import os
import re
import shutil
import subprocess
import sys

FORMATS = ("flac", "mp3", "opus", "vorbis", "wav", "aiff", "au")

# The tools whose output the digests of lossy formats are: where a processor rounds otherwise, they are asked again.
TOOLS = {
    "mp3": ("mpg123", "-q", "-e", "s16", "-s", "{}"),
    "opus": ("opusdec", "--quiet", "--rate", "48000", "--no-dither", "{}", "-"),
    "vorbis": ("oggdec", "-Q", "-R", "-b", "16", "-e", "0", "-s", "1", "-o", "-", "{}"),
}


def integers(samples, width):
    return [int.from_bytes(samples[at:at + width], "little", signed=True) for at in range(0, len(samples), width)]


def right_justified(samples, depth):
    """Full-scale samples as flac writes raw ones: shifted down to their depth, in as few bytes as that takes."""
    width = 2 if depth <= 16 else 3 if depth <= 24 else 4
    size = (depth + 7) // 8
    if depth == 8 * width:
        return samples
    return b"".join((value >> (8 * width - depth)).to_bytes(size, "little", signed=True)
                    for value in integers(samples, width))


def flac_depth(corpus, name):
    """What the file itself says: bits 20 to 25 before the count of samples in STREAMINFO."""
    with open(os.path.join(corpus.folder, name), "rb") as stream:
        start = stream.read(4096)
    at = start.index(b"fLaC") + 8 if b"fLaC" in start else None
    return None if at is None else ((start[at + 12] & 1) << 4 | start[at + 13] >> 4) + 1


def match_flac(corpus, name, top, row):
    status, output = corpus.run(name, top, "-t", "raw")
    depth = re.search(r"(\d+) bit", row["dimensions_or_ref"])
    depth = int(depth.group(1)) if depth else flac_depth(corpus, name) or 16
    if status != 0:
        return f"status {status}"
    algorithm = hashlib.md5 if row["kind"] == "streaminfo-md5" else hashlib.sha256
    return None if algorithm(right_justified(output, depth)).hexdigest() == row["expected"] else "other samples"


def match_exactly(corpus, name, top, row):
    sample_format = re.fullmatch(r"pcm-([sf]\d+)le", row["kind"]).group(1)
    status, output = corpus.run(name, top, "-t", "raw", "--samples", sample_format)
    if status != 0:
        return f"status {status}"
    return None if hashlib.sha256(output).hexdigest() == row["expected"] else f"other {row['kind']} than expected"


def match_nearly(corpus, name, top, row):
    """As above; or, where the digest differs, within one of what the reference tool gives here."""
    exact = match_exactly(corpus, name, top, {**row, "kind": "pcm-s16le"})
    tool = TOOLS.get(top)
    if exact is None or tool is None or not shutil.which(tool[0]):
        return exact
    path = os.path.join(corpus.folder, name)
    reference = subprocess.run([part.format(path) for part in tool], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, check=False).stdout
    _, output = corpus.run(name, top, "-t", "raw", "--samples", "s16")
    if len(reference) != len(output):
        return f"{len(output)} bytes where {tool[0]} gives {len(reference)}"
    worst = max((abs(a - b) for a, b in zip(integers(output, 2), integers(reference, 2))), default=0)
    return None if worst <= 1 else f"{worst} away from what {tool[0]} gives"


def match_vector(corpus, name, top, row):
    """The samples that were published with a test vector: what counts as full accuracy for ISO is 2^-15 / sqrt(12)."""
    with lzma.open(os.path.join(corpus.folder, row["dimensions_or_ref"])) as stream:
        reference = array.array("h", stream.read())
    status, output = corpus.run(name, top, "-t", "raw", "--samples", "s16")
    samples = array.array("h", output)
    if sys.byteorder == "big":
        reference.byteswap()
        samples.byteswap()
    count = min(len(reference), len(samples))
    if status != 0 or count < len(reference) * 9 // 10:
        return f"status {status}, {count} samples of {len(reference)}"
    error = math.sqrt(sum((a - b) ** 2 for a, b in zip(reference, samples)) / count)
    # Both were rounded to 16 bits, which alone makes for an error of that size.
    return None if error <= 1 / math.sqrt(12) else f"root of mean square error {error}"


KINDS = {
    "pcm-sle": match_flac,
    "streaminfo-md5": match_flac,
    "pcm-s16le": match_exactly,
    "pcm-s24le": match_exactly,
    "pcm-s32le": match_exactly,
    "pcm-f32le": match_exactly,
    "pcm-s16le-tolerance": match_nearly,
    "reference-pcm": match_vector,
}
