# SPDX-License-Identifier: MIT
"""The inputs of the benchmarks: made from the samples, so that they are there without a corpus."""

import os
import subprocess

from PIL import Image, ImageOps

CORPUS = "../shared/corpus"
PHOTOGRAPH = "samples/photograph.jpg"


def photographs():
    return [PHOTOGRAPH]


def corpus(folder, count):
    """The largest files of a folder of the corpus, where it is present."""
    found = []
    for root, _, names in os.walk(os.path.join(CORPUS, folder)):
        found += [os.path.join(root, name) for name in names]
    found.sort(key=os.path.getsize, reverse=True)
    return found[:count]


def thumbnail(folder):
    path = os.path.join(folder, "thumbnail.jpg")
    with Image.open(PHOTOGRAPH) as picture:
        picture.resize((128, 94)).save(path, quality=85)
    return path


def mosaic():
    """The photograph 4 by 4, mirrored so that the edges meet: 16 megapixels with the detail of the original."""
    with Image.open(PHOTOGRAPH) as picture:
        tile = picture.convert("RGB")
    width, height = tile.size
    whole = Image.new("RGB", (width * 4, height * 4))
    for y in range(4):
        for x in range(4):
            piece = ImageOps.mirror(tile) if x % 2 else tile
            whole.paste(ImageOps.flip(piece) if y % 2 else piece, (x * width, y * height))
    return whole


def sixteen_bits(whole, path):
    """A 16-bit RGB PNG by way of netpbm, which has what Pillow has not."""
    samples = whole.tobytes()
    wide = bytearray(2 * len(samples))
    wide[0::2] = samples
    wide[1::2] = samples[1:] + samples[:1]  # low bytes that do not repeat the high ones
    with open(path, "wb") as stream:
        subprocess.run(["pnmtopng", "-compression", "6"], stdout=stream, stderr=subprocess.DEVNULL, check=True,
                       input=b"P6\n%d %d\n65535\n" % whole.size + bytes(wide))


def large(folder):
    paths = [os.path.join(folder, name) for name in
             ("baseline.jpg", "progressive.jpg", "rgb.png", "rgba.png", "rgb16.png")]
    whole = mosaic()
    whole.save(paths[0], quality=90)
    whole.save(paths[1], quality=90, progressive=True)
    whole.save(paths[2])
    sixteen_bits(whole, paths[4])
    whole.putalpha(128)
    whole.save(paths[3])
    return paths
