#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Sound on the command line: formats, sample formats, WAV output, information, damage, covers.

    tests/cli/audio_test.py BUILD_FOLDER
"""

import json
import math
import os
import shutil
import struct
import subprocess
import sys

from audio_files import (ALAW, EXTENSIBLE, FLOAT, PCM, UNKNOWN, aiff, au, chunk, damaged, id3, id3v1, ogg_in_small_pages,
                         ogg_with_serial, parse_wav, unsynchronise, wav, wav_format, wav_list)
from cli_support import (GZIP, PHOTO, PROGRAM, TONE, Folder, Skip, expect, expect_failure, expect_status, main, read,
                         run, test)

SIX = "samples/flac/tone-5.1-s24.flac"
VORBIS_SIX = "samples/vorbis/tone-5.1.ogg"
OPUS = "samples/opus/testcase.opus"
VORBIS = "samples/vorbis/noise-stereo.ogg"
MP3 = "samples/mp3/testcase-0star.mp3"
VECTOR = "samples/mp3/l3-si.bit"
FLAC_COVER, MP3_COVER = "samples/flac/tone-cover.flac", "samples/mp3/tone-cover.mp3"
COVER = "samples/png/gray-1.png"
ONE_OF_EACH = (TONE, "samples/wav/tone-ms.wav", "samples/aiff/tone-ima4.aifc", "samples/au/tone-f32.au", SIX,
               "samples/flac/tone.oga", VORBIS_SIX, OPUS, MP3)


def raw(data, *options):
    done = run("-q", "-t", "raw", *options, input=data)
    expect_status(done, 0)
    return done.stdout


def info(data, *options):
    """What --info says of a file in memory, which has to be one on disk for it to be read to its end."""
    with Folder() as folder:
        done = run("--info", *options, folder.write("input", data))
    expect_status(done, 0)
    expect(all(byte < 0x7F for byte in done.stdout), "not ASCII")
    return json.loads(done.stdout)


def shorts(*values):
    return struct.pack(f"<{len(values)}h", *values)


# ---- what comes out ----


@test
def the_line_about_raw_samples():
    for path, line in ((TONE, "8000 Hz stereo s16, 400 frames, 1600 bytes"),
                       (SIX, "8000 Hz 5.1 (FL FR FC LFE BL BR) s24, 400 frames, 7200 bytes"),
                       (VORBIS_SIX, "8000 Hz 5.1 (FL FC FR SL SR LFE) s16, 400 frames, 4800 bytes"),
                       (OPUS, "48000 Hz mono s16, 48000 frames, 96000 bytes"),
                       ("samples/au/tone-f32.au", "8000 Hz stereo f32, 400 frames, 3200 bytes")):
        expect(run("-t", "raw", path).stderr == f"{path}: {line}\n".encode(), run(path).stderr)
    many = run("-t", "raw", input=wav(bytes(24), wav_format(channels=3))).stderr
    expect(many == b"standard input: 8000 Hz 3 channels s16, 4 frames, 24 bytes\n", many)


@test
def sample_formats():
    values = (0, 1, -1, 0x1234, -0x1234, 32767, -32768, 77)
    deep = [value * 65536 + 0x1234 for value in values]
    source = wav(struct.pack("<8i", *deep), wav_format(bits=32))
    expect(raw(source) == struct.pack("<8i", *deep))
    expect(raw(source, "--samples", "s32") == struct.pack("<8i", *deep))
    expect(raw(source, "--samples", "s24") == b"".join((v + 128 >> 8).to_bytes(3, "little", signed=True) for v in deep))
    rounded = raw(wav(struct.pack("<4i", 0x17FFF, 0x18000, 0x7FFFFFFF, -0x80000000), wav_format(bits=32)),
                  "--samples", "s16")
    expect(rounded == shorts(1, 2, 32767, -32768), rounded)
    shallow = wav(shorts(*values))
    expect(raw(shallow, "--samples", "s24") == b"".join(b"\0" + shorts(value) for value in values))
    expect(raw(shallow, "--samples", "f32") == struct.pack("<8f", *(value / 32768 for value in values)))


@test
def floating_point_is_clipped():
    values = (0.5, -1.0, 1.0, 1e30, -math.inf, math.nan, 3 / 65536, 5 / 65536)
    source = wav(struct.pack("<8f", *values), wav_format(FLOAT, bits=32))
    expect(raw(source)[:20] == struct.pack("<5f", *values[:5]))
    # Halves go to the even neighbour.
    expect(raw(source, "--samples", "s16") == shorts(16384, -32768, 32767, 32767, -32768, 0, 2, 2))
    wide = struct.unpack("<8i", raw(source, "--samples", "s32"))
    expect(wide[:6] == (1 << 30, -1 << 31, (1 << 31) - 1, (1 << 31) - 1, -1 << 31, 0), wide)
    double = wav(struct.pack("<4d", 0.25, -0.25, 1e300, -1e300), wav_format(FLOAT, bits=64))
    expect(raw(double, "--samples", "s16") == shorts(8192, -8192, 32767, -32768))
    expect(struct.unpack("<4f", raw(double))[:2] == (0.25, -0.25))


@test
def mp3_in_every_sample_format():
    if not shutil.which("mpg123"):
        raise Skip("mpg123 is not installed")
    for sample_format in ("s16", "s24", "s32", "f32"):
        reference = subprocess.run(["mpg123", "-q", "-e", sample_format, "-s", VECTOR], stdout=subprocess.PIPE,
                                   check=True).stdout
        expect(run("-q", "-t", "raw", "--samples", sample_format, VECTOR).stdout == reference, sample_format)


@test
def a_preview_of_sound():
    done = run("-q", "-t", "preview", TONE)
    expect_status(done, 0)
    expect(done.stdout.endswith(b"\n") and 20 < len(done.stdout) <= 81 and b"+" in done.stdout, done.stdout)
    expect(run("-q", "-t", "preview", input=wav(b"")).stdout == b"\n")


# ---- WAV ----


def wav_of(path, *options):
    done = run("-q", "-t", "wav", *options, path)
    expect_status(done, 0)
    return parse_wav(done.stdout)


@test
def wav_headers():
    chunks, size = wav_of(TONE)
    expect(chunks[b"fmt "] == wav_format() and size == 36 + 1600 and len(chunks[b"data"]) == 1600)
    chunks, _ = wav_of(TONE, "--samples", "s24")
    expect(chunks[b"fmt "] == wav_format(PCM, bits=24, valid=24, mask=3), chunks[b"fmt "])
    chunks, _ = wav_of(TONE, "--samples", "f32")
    expect(chunks[b"fmt "] == wav_format(FLOAT, bits=32, extra=b"\0\0") and chunks[b"fact"] == struct.pack("<I", 400))
    chunks, _ = wav_of(SIX)
    expect(chunks[b"fmt "] == wav_format(PCM, 6, bits=24, valid=24, mask=0x3F), chunks[b"fmt "])
    twelve = wav(shorts(16, -16), wav_format(bits=16, valid=12, mask=3))
    done = run("-q", "-t", "wav", input=twelve)
    expect(parse_wav(done.stdout)[0][b"fmt "] == wav_format(bits=16, valid=12, mask=3))


@test
def wav_has_its_own_channel_order():
    frames = run("-q", "-t", "raw", VORBIS_SIX).stdout
    place = (0, 2, 1, 5, 3, 4)  # of FL FR FC LFE SL SR in FL FC FR SL SR LFE
    expected = b"".join(frames[at + 2 * i:at + 2 * i + 2] for at in range(0, len(frames), 12) for i in place)
    chunks, _ = wav_of(VORBIS_SIX)
    expect(chunks[b"data"] == expected)
    expect(struct.unpack_from("<I", chunks[b"fmt "], 20) == (0x60F,))


@test
def wav_is_what_flac_writes():
    if not shutil.which("flac"):
        raise Skip("flac is not installed")
    for path in (SIX, FLAC_COVER, "samples/flac/libFLAC.flac"):
        reference = subprocess.run(["flac", "-s", "-d", "-c", path], stdout=subprocess.PIPE, check=True).stdout
        expect(run("-q", "-t", "wav", path).stdout == reference, path)


@test
def wav_sizes_are_corrected_where_that_is_possible():
    samples = run("-q", "-t", "raw", VORBIS).stdout
    with Folder() as folder:
        expect_status(run("-q", "-o", folder("out.wav"), VORBIS), 0)
        chunks, size = parse_wav(read(folder("out.wav")))
        expect(chunks[b"data"] == samples and size == os.path.getsize(folder("out.wav")) - 8)
        # Two, one behind the other, in a file that is not at its start.
        with open(folder("both"), "wb") as stream:
            stream.write(b"before")
            stream.flush()
            expect_status(run("-q", "-t", "wav", VORBIS, TONE, stdout=stream), 0)
        both = read(folder("both"))
        first = both.index(b"RIFF")
        second = both.index(b"RIFF", first + 1)
        expect(both[:first] == b"before" and parse_wav(both[first:second])[0][b"data"] == samples)
        expect(both[second:] == run("-q", "-t", "wav", TONE).stdout)
        with open(folder("appended"), "ab") as stream:
            expect_status(run("-q", "-t", "wav", VORBIS, stdout=stream), 0)
        chunks, size = parse_wav(read(folder("appended")))
        expect(size == UNKNOWN and chunks[b"data"] == samples)
    chunks, size = wav_of(VORBIS)
    expect(size == UNKNOWN and chunks[b"data"] == samples)


@test
def wav_of_an_odd_size_is_padded():
    data = run("-q", "-t", "wav", "--samples", "s24", input=wav(bytes(6), wav_format(channels=1))).stdout
    expect(len(data) % 2 == 0 and parse_wav(data)[0][b"data"] == bytes(9))


# ---- containers ----


@test
def riff_variants():
    samples = shorts(1, -2, 300, -400)
    big = b"".join(samples[at:at + 2][::-1] for at in range(0, 8, 2))
    sizes = chunk(b"ds64", struct.pack("<QQQI", 0, 8, 2, 0))
    for data in (wav(samples), wav(samples, size=UNKNOWN), wav(samples, size=0x7FFFF000),
                 wav(samples, before=chunk(b"odd ", b"odd") + wav_list(INAM=b"x")), wav(samples + b"?"),
                 wav(samples, fmt=wav_format(valid=16, mask=3)), wav(samples, after=chunk(b"cue ", b"1234")),
                 wav(big, wav_format(order=">"), magic=b"RIFX", order=">"),
                 b"RF64\xff\xff\xff\xffWAVE" + sizes + chunk(b"fmt ", wav_format()) + chunk(b"data", samples, UNKNOWN) +
                 b"LIST"):
        expect(raw(data) == samples, data)
    expect(raw(wav(b"")) == b"" and raw(wav(b"abc")) == b"")


@test
def wav_files_that_are_refused():
    samples = shorts(1, 2, 3, 4)
    for status, data in ((3, b"RIFF\0\0\0\0WAVEdata\x08\0\0\0" + samples),  # no format
                         (3, wav(samples, wav_format(channels=0))), (3, wav(samples, wav_format(rate=0))),
                         (3, wav(samples, wav_format()[:14])), (3, wav(samples, wav_format(bits=0, block=0))),
                         (3, wav(samples, wav_format(valid=17))), (3, wav(samples, before=chunk(b"fmt ", wav_format(2, 1)))),
                         (3, wav(samples, wav_format(EXTENSIBLE))), (3, wav(samples, size=12)),
                         (3, wav(samples)[:-1]), (3, wav(samples)[:30]), (3, wav(samples, wav_format(2, bits=4))),
                         (3, wav(samples, wav_format(0x55))),  # for the decoder of MP3, which finds none
                         (7, wav(samples, wav_format(0x161))), (7, wav(samples, wav_format(bits=48))),
                         (7, wav(samples, wav_format(FLOAT, bits=16))), (7, wav(samples, wav_format(channels=65))),
                         (7, wav(samples, wav_format(rate=1048576)))):
        expect_failure(run("-q", "-t", "raw", input=data), status)


@test
def aiff_variants():
    samples = shorts(1, -2, 300, -400)
    big = b"".join(samples[at:at + 2][::-1] for at in range(0, 8, 2))
    for data in (aiff(big), aiff(big, offset=6), aiff(big, compression=b"NONE"), aiff(big, compression=b"twos"),
                 aiff(samples, compression=b"sowt"), aiff(big, before=chunk(b"MARK", b"\0", order=">"))):
        expect(raw(data) == samples, data)
    # 12 bits stand at the top of 16.
    expect(raw(aiff(b"\x12\x30\xff\xf0", bits=12)) == shorts(0x1230, -16))
    expect(raw(aiff(b"\x01\xff", bits=8)) == shorts(0x100, -0x100))
    expect(raw(aiff(b"\x81\x7f", bits=8, compression=b"raw ")) == shorts(0x100, -0x100))
    expect(raw(aiff(struct.pack(">2f", 0.5, -2), bits=32, compression=b"fl32")) == struct.pack("<2f", 0.5, -2))
    for status, data in ((3, aiff(big)[:-1]), (3, aiff(big)[:20]), (3, aiff(big, channels=0)), (3, aiff(big, bits=0)),
                         (7, aiff(big, bits=40)), (7, aiff(big, compression=b"MAC3")), (7, aiff(big, rate=1 << 31))):
        expect_failure(run("-q", "-t", "raw", input=data), status)


@test
def au_variants():
    samples = shorts(1, -2, 300, -400)
    big = b"".join(samples[at:at + 2][::-1] for at in range(0, 8, 2))
    for data in (au(big), au(big, size=UNKNOWN), au(big, note=b"a note\0\0")):
        expect(raw(data) == samples, data)
    for status, data in ((3, au(big)[:-1]), (3, au(big)[:20]), (3, au(big, rate=0)), (3, au(big, channels=0)),
                         (7, au(big, encoding=23)), (7, au(big, channels=65))):
        expect_failure(run("-q", "-t", "raw", input=data), status)


@test
def logarithmic_samples():
    # The ends and the middle of the tables of G.711.
    expect(raw(wav(bytes((0x00, 0x80, 0x55, 0xD5)), wav_format(ALAW, bits=8))) == shorts(-5504, 5504, -8, 8))
    expect(raw(au(bytes((0x00, 0x80, 0x7F, 0xFF)), encoding=1)) == shorts(-32124, 32124, 0, 0))


# ---- information ----


@test
def information():
    tone = json.loads(run("-i", TONE).stdout)
    expect(tone == {"file": TONE, "format": "wav", "library": "built in", "mime": "audio/vnd.wave", "kind": "audio",
                    "rate": 8000, "channels": 2, "channel_layout": "stereo", "channel_order": ["FL", "FR"], "bits": 16, "float": False,
                    "lossy": False, "frames": 400, "duration": 0.05, "cover": False, "tags": {}}, tone)
    six = json.loads(run("-i", VORBIS_SIX).stdout)
    expect(six["channel_order"] == ["FL", "FC", "FR", "SL", "SR", "LFE"] and six["channel_layout"] == "5.1")
    expect(six["lossy"] and six["frames"] == 400)
    for path in (FLAC_COVER, MP3_COVER):
        about = json.loads(run("-i", path).stdout)
        expect(about["cover"] and about["tags"]["title"] == ["A tone"] and about["tags"]["artist"] == ["Nobody"], about)
    discrete = info(wav(bytes(48), wav_format(channels=12)))
    expect(discrete["channel_layout"] is None and discrete["channel_order"] == [] and discrete["channels"] == 12)


@test
def lengths_are_those_of_what_is_decoded():
    for path in ONE_OF_EACH:
        about = json.loads(run("-i", path).stdout)
        sizes = {"s16": 2, "s24": 3, "f32": 4}
        line = run("-t", "raw", path).stderr.decode().split(": ", 1)[1].split(", ")
        frame = about["channels"] * sizes[line[0].split()[-1]]
        expect(about["frames"] == int(line[1].split()[0]) == int(line[2].split()[0]) // frame, (path, about, line))
    # From a pipe, a stream is not read to its end.
    expect(json.loads(run("-i", input=read(VORBIS)).stdout)["frames"] is None)


@test
def id3_of_every_version():
    audio = read(VECTOR)
    latin, utf16, utf16_be, utf8 = b"\0", b"\1\xff\xfe", b"\2", b"\3"
    expected = {"title": ["Größe"], "artist": ["\u266b \U0001f3b5"], "track": ["3/9"], "comment": ["ÿþ"]}
    title = {2: b"TT2", 3: b"TIT2", 4: b"TIT2"}
    artist = {2: b"TP1", 3: b"TPE1", 4: b"TPE1"}
    track = {2: b"TRK", 3: b"TRCK", 4: b"TRCK"}
    comment = {2: b"COM", 3: b"COMM", 4: b"COMM"}
    for version in (2, 3, 4):
        frames = [(title[version], latin + "Größe".encode("latin-1")),
                  (artist[version], utf16 + expected["artist"][0].encode("utf-16-le")),
                  (track[version], utf8 + b"3/9" if version == 4 else latin + b"3/9\0"),
                  (comment[version], latin + b"eng" + b"what\0" + b"\xff\xfe"),
                  (b"XXX" if version == 2 else b"XXXX", bytes(300))]
        for flags in (0, 0x80) if version < 4 else (0,):
            expect(info(id3(version, frames, flags) + audio)["tags"] == expected, (version, flags))
    wide = id3(4, [(b"TPE1", utf16_be + "one\0two".encode("utf-16-be")),
                   (b"TIT2", unsynchronise(latin + b"\xff\xfe"), 0x02), (b"TCOM", bytes(4) + latin + b"me", 0x01),
                   (b"TALB", b"never shown", 0x08)], 0x50, extended_header=b"\0\0\0\6\1\0", padding=0)
    about = info(wide + b"3DI" + wide[3:10] + audio)
    expect(about["tags"] == {"artist": ["one", "two"], "title": ["ÿþ"], "composer": ["me"]}, about["tags"])
    expect(raw(wide + b"3DI" + wide[3:10] + audio) == raw(audio))


@test
def id3_before_flac():
    tag = id3(3, [(b"TIT2", b"\0Not told")])
    flac = read(FLAC_COVER)
    about = info(tag + flac)
    expect(about["format"] == "flac" and about["tags"]["title"] == ["A tone"], about)
    with Folder() as folder:
        path = folder.write("x" * 20, b"before" + tag + flac)
        with open(path, "rb", buffering=0) as stream:
            stream.seek(6)
            expect(run("-q", "-t", "raw", stdin=stream).stdout == raw(flac))
    # Nobody can look ahead in a pipe, but the decoder can be named.
    expect(raw(tag + flac, "--decoder", "flac") == raw(flac))


@test
def id3_behind_the_audio():
    tag = id3v1(b"A title", b"Someone", b"An album", b"1999", b"Well", 7, 17)
    expected = {"title": ["A title"], "artist": ["Someone"], "album": ["An album"], "date": ["1999"],
                "comment": ["Well"], "track": ["7"], "genre": ["(17)"]}
    expect(info(read(VECTOR) + tag)["tags"] == expected)
    expect(raw(read(VECTOR) + tag) == raw(read(VECTOR)))
    before = id3(3, [(b"TIT2", b"\0Another")])
    expect(info(before + read(VECTOR) + tag)["tags"] == {"title": ["Another"]})


@test
def tags_of_wav_and_aiff():
    samples = bytes(8)
    tags = {"title": ["One"], "artist": ["Two"]}
    listed = wav_list(INAM=b"One\0", IART=b"Two\0\0", IXXX=b"three")
    tag = id3(3, [(b"TIT2", b"\0One"), (b"TPE1", b"\0Two")])
    for data in (wav(samples, before=listed), wav(samples, after=listed), wav(samples, after=chunk(b"id3 ", tag)),
                 aiff(samples, before=chunk(b"NAME", b"One", order=">") + chunk(b"AUTH", b"Two", order=">")),
                 aiff(samples, after=chunk(b"ID3 ", tag, order=">"))):
        expect(info(data)["tags"] == tags, data)
    expect(info(au(samples, note=b"hello\0\0\0"))["tags"] == {"comment": ["hello"]})


@test
def hostile_tags():
    def title(value):
        return info(wav(bytes(4), before=wav_list(INAM=value)))["tags"].get("title")

    expect(title(b"\x1b[31m\r\n\x07\"\\\x7f") == ["\x1b[31m\r\n\x07\"\\\x7f"])
    expect(title(b"\xff\xfe") == ["\udcff\udcfe"])
    expect(title(b"\0hidden") is None and title(b"") is None and title(b"shown\0hidden") == ["shown"])
    expect(title(b"x" * 5000) == ["x" * 1024])
    expect(title("\u20ac".encode() * 400) == ["\u20ac" * 341])  # 1023 bytes: the 1024th would cut one in two
    many = info(wav(bytes(4), before=b"".join(wav_list(ICMT=b"%d" % i) for i in range(500))))
    expect(many["tags"] == {"comment": [str(i) for i in range(128)]})
    # Sizes that do not fit.
    for size in (0, 3, 9, 0x7FFFFFFF):
        expect(info(wav(bytes(4), before=chunk(b"LIST", b"INFO" + b"INAM" + struct.pack("<I", size) + b"abcd"))))
    broken = id3(4, [(b"TIT2", b"\0abc")])
    for at in range(6, len(broken)):
        data = broken[:at] + b"\x7f" + broken[at + 1:]
        expect(run("-i", input=data + read(VECTOR)).returncode in (0, 3), at)


# ---- covers ----


@test
def covers():
    picture = run("-q", "-p", "rgba", COVER).stdout
    for path in (FLAC_COVER, MP3_COVER):
        done = run("--cover", "-p", "rgba", path)
        expect_status(done, 0)
        expect(done.stdout == picture and b"2x1 rgba" in done.stderr, done.stderr)
        about = json.loads(run("--cover", "--info", path).stdout)
        expect((about["kind"], about["format"], about["width"]) == ("image", "png", 2), about)
    with Folder() as folder:
        expect_status(run("-q", "--cover", "-t", "png", "--output-dir", folder("out"), FLAC_COVER, MP3_COVER), 0)
        expect(sorted(os.listdir(folder("out"))) == ["tone-cover-2.png", "tone-cover.png"])
        expect_status(run("-q", "--cover", "-o", folder("cover.png"), MP3_COVER), 0)
        expect(run("-q", "-p", "rgba", folder("cover.png")).stdout == picture)


@test
def the_front_cover_is_preferred():
    def picture(kind, data):
        return b"APIC", b"\0image/png\0" + bytes((kind,)) + b"a description\0" + data

    front, other = read(COVER), read("samples/png/rgb-8.png")
    for frames in ([picture(4, other), picture(3, front)], [picture(3, front), picture(4, other)]):
        expect(json.loads(run("--cover", "-i", input=id3(3, frames) + read(VECTOR)).stdout)["width"] == 2)
    expect(json.loads(run("--cover", "-i", input=id3(3, [picture(4, other)]) + read(VECTOR)).stdout)["width"] == 256)


@test
def covers_that_are_none():
    def with_cover(data):
        return id3(3, [(b"APIC", b"\0-->\0\3\0" + data)]) + read(VECTOR)

    for path in (TONE, SIX, VORBIS, OPUS, VECTOR, GZIP, PHOTO):
        expect_failure(run("-q", "--cover", path), 7, "no cover")
    expect_failure(run("-q", "--cover", input=with_cover(b"no picture at all")), 7)
    expect_failure(run("-q", "--cover", input=with_cover(read(GZIP))), 7, "not a picture")
    expect_failure(run("-q", "--cover", input=with_cover(read(COVER)[:40])), 3)
    # Both the sound and the picture have to be allowed.
    expect_status(run("-q", "--cover", "--allow", "mp3,png", MP3_COVER), 0)
    expect_failure(run("-q", "--cover", "--allow", "mp3,jpeg", MP3_COVER), 7, "not allowed: png")
    expect_failure(run("-q", "--cover", "--allow", "png", MP3_COVER), 7, "not allowed: mp3")
    expect_failure(run("-q", "--cover", "--max-output", "100", input=with_cover(read(COVER))), 4)


# ---- damage ----


@test
def truncation():
    for path in (TONE, "samples/wav/tone-ima.wav", "samples/aiff/tone-s16.aiff", "samples/au/tone-s16.au", SIX,
                 "samples/flac/tone.oga", OPUS, VORBIS):
        data = read(path)
        for size in (len(data) - 1, len(data) // 2, 60, 20):
            expect_failure(run("-q", "-t", "raw", input=data[:size]), 7 if size == 20 and path[-4:] != ".wav" and
                           data[:4] == b"OggS" else 3)
    whole = run("-q", "-t", "raw", TONE).stdout
    done = run("-t", "raw", "--partial", input=read(TONE)[:-101])
    expect_status(done, 0)
    expect(done.stdout == whole[:-104] and b"partial: ends early" in done.stderr, done.stderr)


@test
def mp3_ends_where_it_is_cut():
    data = read(VECTOR)
    done = run("-t", "raw", input=data[:-50])
    expect_status(done, 0)
    expect(b"1 damaged part" in done.stderr and raw(data).startswith(done.stdout), done.stderr)
    expect_failure(run("-q", "--strict", input=data[:-50]), 3, "ends early")


@test
def damaged_parts_are_counted():
    mp3 = read(VECTOR)
    middle = mp3.index(mp3[:2], len(mp3) // 2)
    data = mp3[:middle] + bytes(1000) + mp3[middle:]
    done = run("-t", "raw", input=data)
    expect_status(done, 0)
    expect(b"1 damaged part concealed" in done.stderr, done.stderr)
    expect_failure(run("-q", "--strict", input=data), 3)
    expect_status(run("-q", "--strict", "--partial", input=data), 0)
    pages = ogg_in_small_pages(read(OPUS), 10, 960)
    expect(raw(b"".join(pages)) == raw(read(OPUS)) and len(pages) == 8, len(pages))
    lacking = b"".join(pages[:3] + pages[4:])
    torn = b"".join(pages[:3]) + damaged(pages[3], 100) + b"".join(pages[4:])
    for data in (lacking, torn):
        done = run("-t", "raw", input=data)
        expect_status(done, 0)
        expect(b"1 damaged part concealed" in done.stderr, done.stderr)
        expect_failure(run("-q", "--strict", input=data), 3)
    # The last page: nothing comes behind it that could tell.
    expect_failure(run("-q", input=b"".join(pages[:-1]) + damaged(pages[-1], 100)), 3)


@test
def checksums_of_flac():
    flac = bytearray(read(FLAC_COVER))
    flac[26] ^= 1  # of the MD5 sum
    expect_failure(run("-q", input=bytes(flac)), 3, "checksum")


@test
def streams_in_a_chain():
    for path in (VORBIS, OPUS):
        data = read(path)
        chain = ogg_with_serial(data, 1) + ogg_with_serial(data, 2) + ogg_with_serial(data, 3)
        done = run("-t", "raw", input=chain)
        expect_status(done, 0)
        expect(done.stdout == raw(data) * 3 and b"damaged" not in done.stderr, done.stderr)
        expect(info(chain)["frames"] == 3 * info(data)["frames"])
    other = ogg_with_serial(read(VORBIS), 1) + ogg_with_serial(read(VORBIS_SIX), 2)
    expect_failure(run("-q", input=other), 7)


# ---- streams, limits, the sandbox ----


@test
def endless_streams_in_constant_memory():
    data = read(VECTOR)
    frames = data[:data.rindex(data[:2])]
    for start, part, count, memory in ((wav(b"", size=UNKNOWN), bytes(1 << 20), 64, "1M"), (b"", frames, 300, "4M"),
                                       (au(b"", size=UNKNOWN), bytes(1 << 20), 64, "1M"), (b"", read(OPUS), 150, "4M")):
        with subprocess.Popen([PROGRAM, "-q", "-t", "raw", "--memory", memory], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL) as process:
            process.stdin.write(start)
            for _ in range(count):
                process.stdin.write(part)
            process.stdin.close()
            expect(process.wait() == 0, (start, process.returncode))


@test
def a_slow_stream_is_not_held_back():
    for start, size in ((wav(bytes(4000), size=UNKNOWN), 4000), (read(VECTOR)[:12000], 40000)):
        with subprocess.Popen([PROGRAM, "-q", "-t", "raw"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdin.write(start)
            process.stdin.flush()
            expect(len(process.stdout.read(size)) == size)  # or waits for ever
            process.stdin.close()
            process.stdout.read()


@test
def limits_of_audio():
    expect_failure(run("-q", "--max-output", "1599", TONE), 4, "--max-output")
    expect_status(run("-q", "--max-output", "1600", TONE), 0)
    for path in ONE_OF_EACH:
        done = run("-q", "-t", "raw", "--memory", "1M", path)
        expect(done.returncode in (0, 4), (path, done))


@test
def no_decoder_tries_a_forbidden_call():
    for path in ONE_OF_EACH:
        done = run("--diagnose", path)
        expect_status(done, 0)
        expect(b"no forbidden system call" in done.stderr, done.stderr)


@test
def wrong_uses():
    expect_failure(run("--samples", "u8", TONE), 1, "s16")
    expect_failure(run("-t", "wav", "-p", "rgb", TONE), 1)
    expect_failure(run("-t", "preview", "--samples", "s24", TONE), 1)
    expect_failure(run("-q", "-t", "png", TONE), 7, "sound")
    expect_failure(run("-q", "-t", "wav", PHOTO), 7, "picture")
    expect_failure(run("-q", "-t", "wav", GZIP), 7, "compressed data")
    for name in ("flac", "ogg-flac", "vorbis", "opus", "mp3", "wav", "aiff", "au"):
        for data in (b"\0", b"\xff", bytes(1000), read(PHOTO)):
            expect_failure(run("-q", "--decoder", name, input=data), 3)


@test
def names_in_an_output_folder():
    with Folder() as folder:
        expect_status(run("-q", "--output-dir", folder("out"), TONE, MP3), 0)
        expect(sorted(os.listdir(folder("out"))) == ["testcase-0star.pcm", "tone-s16.pcm"])
        expect_status(run("-q", "-t", "wav", "--output-dir", folder("wav"), TONE, SIX), 0)
        expect(sorted(os.listdir(folder("wav"))) == ["tone-5.1-s24.wav", "tone-s16.wav"])


if __name__ == "__main__":
    sys.exit(main())
