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

FORMATS = ("jpeg", "png", "gif", "webp", "bmp", "ico", "tga", "pcx", "sun", "xpm", "xbm", "tiff", "jpeg2000", "avif", "jxl", "heif", "pnm", "pam", "pfm",
           "farbfeld", "qoi", "hdr", "exr", "dds", "psd",
           "gzip", "zlib", "deflate", "bz2", "xz", "lzma", "lzip", "zstd", "lz4", "brotli",
           *corpus_audio.FORMATS)
NAMELESS = ("deflate", "brotli")  # nothing in a file says that it is one
REFUSALS = (3, 4, 7)
TIME_LIMIT = 60  # seconds; far above what any file needs

# Rows that are not followed, and why; with the digest that is right instead, if there is one, or
# those of several releases of a library.
GRAY_KEY = "1c36e9d46fe44582f94be4db7d79d58ea259b0b2a59c7f3328974d0222bfaa97"
SIX_PIXELS = "27a8111ed77c777cd9a8b8f30b6a4c36aab8ad2439c66ad3a108d383ba90687e"
UNMULTIPLIED = "c6bfb3f3228aaac23634d77f527b19654b62522064889b4f31bcc48f24149dd2"
BORDER = "2a479c726e2eb6af53c8e8c59b4b0e430d299735d08265bd896521ff3829469d"
UNDERSIZED = "1780e38eaabef621a77a9ce5ac5c9481479f9be9fe4fe741eb0752d26aa407a6"
EXCEPTIONS = {
    # The reference is CMYK samples, and there is no CMYK output: it must only decode.
    ("jpeg/valid/sharp/Channel_digital_image_CMYK_color_no_profile.jpg", "cmyk8"): None,
    # 4-bit gray with tRNS 15: white is transparent.  The reference compares the key with samples that it has scaled to 8
    # bits already, and so finds nothing transparent; pngtopam -alpha gives the same alpha as this digest.
    ("png/valid/libpng/iftbbn0g04.png", "rgba8"): GRAY_KEY,
    ("png/valid/pngsuite/tbbn0g04.png", "rgba8"): GRAY_KEY,
    # The same picture as the others of its set.  ffmpeg, the only reference, gives 4 bits as the upper ones of 8.
    ("bmp/valid/image-rs/V3_A4_R4_G4_B4.bmp", "rgba8"): SIX_PIXELS,
    ("bmp/valid/image-rs/V3_A4_R4_G4_B4_Top_Down.bmp", "rgba8"): SIX_PIXELS,
    ("bmp/valid/image-rs/V3_X4_R4_G4_B4.bmp", "rgba8"): SIX_PIXELS,
    ("bmp/valid/image-rs/V3_X4_R4_G4_B4_Top_Down.bmp", "rgba8"): SIX_PIXELS,
    # The reference cuts what 5 and 6 bits stand for, browsers round it; and alpha counts where there is a mask for it.
    ("bmp/valid/image-rs/V4_R5_G6_B5.bmp", "rgba8"): "d33e2d98dfbb7dfc8998e66cac34fa9406647343836eb53dc8f3a1bfd419035b",
    ("bmp/valid/image-rs/V5_A1_R5_G5_B5.bmp", "rgba8"):
        "df45b78586127ce19a48650d0024c8caa20c985030644aa9dfaa62e5c09f2b01",
    # Plain pixels with a mask for alpha, which browsers follow.
    ("bmp/valid/image-rs/V5_A8_R8_G8_B8_Rgb.bmp", "rgba8"):
        "b5c0d4b6c9b1a60ecb88331adc55735b0f34291405c94a4c1d837ae79a1d58f7",
    # Its alpha is 0 everywhere: browsers take such pictures for opaque.
    ("bmp/valid/pillow/rgb32bf-abgr.bmp", "rgba8"): "ac4dbaf6110c3f2c88edb4221e90dd2567525b25cd1c1c736aafd584b206d053",
    # Colours are divided by their alpha: the reference cuts the quotient off, here it is rounded, and so a level higher.
    ("tiff/valid/image-rs/hpredict.tiff", "rgba8"): "15c75ef15e9073cec6bb048c2a79adcc8e402925a2fb335e3403759a0cf06fca",
    ("tiff/valid/image-rs/hpredict_packbits.tiff", "rgba8"): UNMULTIPLIED,
    ("tiff/hpredict_packbits.tiff", "rgba8"): UNMULTIPLIED,
    # 16 bits become 8: the reference has the higher byte; that of rgba16 is the same.
    ("tiff/valid/image-rs/rgb-3c-16b.tiff", "rgba8"): "02f053060ba8e34c22a84e1bf8dd70a9d9d7622a0c06ec04d9f2a10267890710",
    # The reference takes other coefficients than the file has; tiff2rgba gives this digest.
    ("tiff/valid/image-rs/ycbcr_lzw_bt709.tif", "rgba8"): "371887a0006347f3de36bd23061e32dfb7db2fa2c00efc1b53362543d4ff583d",
    # The reference is turned as the orientation says; convert, which turns nothing, gives this digest.
    ("tiff/valid/serenity/orientation.tiff", "rgba8"): "3b645430e3496b9dd06c7281a885a7efe9f85c4f30dcd79a1d245e5ab1a67222",
    # No reference but netpbm's decodes it, which has no alpha.
    ("bmp/valid/image-rs/rgba16-1924.bmp", None): None,
    # Floating point: there is no reference; all samples are those of convert -depth 16 (one differs by 1 of 65535).
    ("tiff/valid/image-rs/rgb32f_bw.tiff", None): None,
    ("tiff/valid/image-rs/rgb32f_color.tiff", None): None,
    # The reference rounds to half floats on its way, and ends within 261 of 65535; tests/cli/exr_test.py has what is right.
    ("exr/b44.exr", None): None,
    ("exr/b44a.exr", None): None,
    ("exr/yc.exr", None): None,
    ("exr/yca-window.exr", None): None,
    # avifdec turns nothing; these are its pixels, turned and mirrored as the file says.
    ("avif/valid/pillow/rot0mir0.avif", "rgba8"): "f87b3e1ee941bc756ad172ee8c1fdac5686469e64ab6ceeae79b492368ed28b5",
    ("avif/valid/pillow/rot0mir1.avif", "rgba8"): "b30abdba344ce07ca17150b66d4a7dce483f937ae0976b516e48af9b1a7873c6",
    ("avif/valid/pillow/rot1mir0.avif", "rgba8"): "665a595eb0d580efaf19d6f3db63628b360a5dbdde559daae28b32798d1cc5f7",
    ("avif/valid/pillow/rot1mir1.avif", "rgba8"): "1ab7f4052862520c5ce17bdc79d01dbac6970328105bdb324a7330200a31e78e",
    ("avif/valid/pillow/rot2mir0.avif", "rgba8"): "0dc7320ef4c1e6212e3d0f0a2670b0537ea3915e17eaf8e15ceb10b4278f09ad",
    ("avif/valid/pillow/rot2mir1.avif", "rgba8"): "1842daf5067ac97e4e538b4067c461929596acb4098dc401a33658be27d2098a",
    ("avif/valid/pillow/rot3mir0.avif", "rgba8"): "b6b24a9cfd2d981ff10e754e390fb599e4b54513b0f1c49129e782569409204c",
    ("avif/valid/pillow/rot3mir1.avif", "rgba8"): "289ddd8eeac6ee9496dfb2209d0759e46970c444d41c6d4e1023992fd4cac029",
    ("avif/rot1mir1.avif", "rgba8"): "1ab7f4052862520c5ce17bdc79d01dbac6970328105bdb324a7330200a31e78e",
    # djxl 0.7 takes the 16 bits that its library gives for 10, and they overflow in its PNG.
    ("jxl/valid/serenity/modular_simple_tree_upsample2_10bits_rct.jxl", "rgba8"): "425aca1703ac7c704e34a1ef40df9e749e308f46f4144b694379184fac3d29b7",
    ("jxl/modular_10bits.jxl", "rgba8"): ("425aca1703ac7c704e34a1ef40df9e749e308f46f4144b694379184fac3d29b7",
                                          "c485ee9bf4e3db6812cc6b85d53d829d58b5e8ec65c2d3813f2b08c16bb7694f"),
    # Lossy: the first is that of the reference, from libjxl 0.7, the second that of libjxl 0.11.
    ("jxl/xyb.jxl", "rgba8"): ("73fa47719ff668730ca6ca69ef79044c3ae5be65e6b74a5fc4b4fd650eaf082d",
                               "3b75142e520e741262e6e0581d59bacc67a091e066469ed8e3868f340f7d0c97"),
    # Likewise of libheif 1.15 and 1.19, which convert chroma in other ways.
    ("heif/alpha.heic", "rgba8"): ("1cecf1611062f101c7ee99770ccb972f57d6744a2a999ec5fc00a76a5e28fc96",
                                   "90b782ffb0e5571f7d5929a520296d9c1c3764b859f706579ce7d322fbbef73a"),
    ("heif/photo.heic", "rgba8"): ("28f4d1a529578d7ad235d1f427c2cc36b73971b5952f1d157b1ae53cf77b4f81",
                                   "e1acc0dff2ec977433266dbac75d6a1248063e8c19e8adc71668b0d0c5b829dd"),
    ("heif/ten-bits.heic", "rgba8"): ("bf80b8d61d451ef03a18b10692e520199711cecf35b5a451d68e7536aba1a2fa",
                                      "62bcdc66331eeb3516bfa5a894ea2f772d10b676b9da1c3d42cc000a194dc810"),
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
        if digest is None or kind == "allframes-rgba8" or kind.startswith("native-"):
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
            output = output[1::2]
        if kind == "rgba16be":
            output = b"".join(output[at:at + 2][::-1] for at in range(0, len(output), 2))
        accepted = digest if isinstance(digest, tuple) else (digest,)
        return None if hashlib.sha256(output).hexdigest() in accepted else f"other {kind} than expected"

    def judge(self, file):
        name, top, label = file
        rows = self.expected[name]
        status, _ = self.run(name, top)
        wrong = None
        if status == 0:
            if label == "must-refuse":
                wrong = "decoded, but must be refused"
            elif label == "decodes" and not rows and (name, None) not in EXCEPTIONS:
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
