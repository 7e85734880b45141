#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Sound as programs in use write it, where it is unlike what its format's own tools make: sizes that nobody knew, tags in
odd places, chains, and streams beside the sound.

    tests/cli/sound_variants_test.py BUILD_FOLDER
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import time

from audio_files import (FLOAT, PCM, UNKNOWN, aiff, au, chunk, damaged, flac_without_a_total, id3, id3v1, ogg_crc,
                         ogg_in_small_pages, ogg_page, ogg_pages, ogg_with_serial, syncsafe, wav, wav_format, wav_list)
from cli_support import PROGRAM, Folder, Skip, expect, expect_failure, expect_status, main, read, run, test

FLAC = "samples/flac/flac-multiple-album-artists-tags.flac"  # 10 frames of 4608
OGG_FLAC = "samples/flac/tone.oga"
MP3 = "samples/mp3/l3-si.bit"
MP3_WITH_INFO = "samples/mp3/testcase-0star.mp3"
VORBIS = "samples/vorbis/noise-stereo.ogg"
OPUS = "samples/opus/testcase.opus"
SAMPLES = struct.pack("<8h", 1, -2, 300, -400, 5000, -6000, 7, -8)
BIG = b"".join(SAMPLES[at:at + 2][::-1] for at in range(0, len(SAMPLES), 2))
# What writers to a pipe leave: nothing, all ones, half of it, each with something added or taken away.
PLACEHOLDERS = (0, 0x7F000000, 0x7F000008, 0x7FFF0000, 0x7FFFEFFF, 0x7FFFF000, 0x7FFFFFDB, 0x7FFFFFFF, 0x80000000,
                0x80000024, 0xFFFF1000, 0xFFFFF000, 0xFFFFFFDB, 0xFFFFFFFE, UNKNOWN)


def raw(data, *options):
    done = run("-q", "-t", "raw", *options, input=data)
    expect_status(done, 0)
    return done.stdout


def raw_without_a_word(data, *options):
    """The samples of what even the strict find nothing wrong with."""
    done = run("-t", "raw", "--strict", *options, input=data)
    expect_status(done, 0)
    expect(done.stderr.count(b"\n") == 1 and b"damaged" not in done.stderr, done.stderr)
    return done.stdout


def info(data, *options):
    with Folder() as folder:
        done = run("--info", *options, folder.write("input", data))
    expect_status(done, 0)
    return json.loads(done.stdout)


def tool(*command, **options):
    if not shutil.which(command[0]):
        raise Skip(f"{command[0]} is not installed")
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, **options).stdout


# ---- sizes that nobody knew ----


def wav_of_size(size, outer, samples=SAMPLES, **options):
    data = wav(samples, size=size, **options)
    return data[:4] + struct.pack("<I", outer) + data[8:]


def aiff_of_size(size):
    data = bytearray(aiff(BIG))
    at = data.index(b"SSND")
    data[at + 4:at + 8] = struct.pack(">I", size)
    return bytes(data)


def rf64(size, wide, samples=SAMPLES):
    return (b"RF64\xff\xff\xff\xffWAVE" + chunk(b"ds64", struct.pack("<QQQI", 0, wide, 0, 0)) +
            chunk(b"fmt ", wav_format()) + chunk(b"data", samples, size))


@test
def sizes_of_streaming_writers():
    """Samples behind a size of 0 were left out, and behind other such sizes the input was called cut."""
    for size in PLACEHOLDERS:
        for outer in {size, 36, size + 36 & UNKNOWN, UNKNOWN}:
            expect(raw_without_a_word(wav_of_size(size, outer)) == SAMPLES, (hex(size), hex(outer)))
        expect(raw_without_a_word(au(BIG, size=size)) == SAMPLES, hex(size))
        expect(raw_without_a_word(aiff_of_size(size)) == SAMPLES, hex(size))
        expect(raw_without_a_word(rf64(size, 0)) == SAMPLES, hex(size))
    expect(raw_without_a_word(aiff_of_size(8)) == SAMPLES)
    for wide in (UNKNOWN, 1 << 62, (1 << 63) - 1, (1 << 64) - 1):
        expect(raw_without_a_word(rf64(UNKNOWN, wide)) == SAMPLES, hex(wide))
    # A part of a sample frame is at the end of what was written so far.
    expect(raw_without_a_word(wav_of_size(0, 36, SAMPLES + b"\1")) == SAMPLES)
    floats = struct.pack("<4f", 0, 0.5, -0.5, 1)
    for size in PLACEHOLDERS:
        data = wav_of_size(size, size, floats, fmt=wav_format(FLOAT, bits=32), before=chunk(b"fact", bytes(4)))
        expect(raw_without_a_word(data) == floats, hex(size))


@test
def adpcm_of_streaming_writers():
    """The count of samples in the header is of no more use than the size."""
    block = read("samples/wav/tone-ima.wav")
    at = block.index(b"data") + 4
    expected = raw(block)
    fact = block.index(b"fact") + 8 if b"fact" in block else None
    for size in PLACEHOLDERS:
        data = bytearray(block)
        data[at:at + 4] = struct.pack("<I", size)
        if fact:
            data[fact:fact + 4] = struct.pack("<I", 1)
        expect(raw_without_a_word(bytes(data)).startswith(expected), hex(size))


@test
def lengths_of_streaming_writers():
    """What a placeholder made of the length was told for true.  A file is read to its end for it."""
    for size in PLACEHOLDERS:
        for data in (wav_of_size(size, size), au(BIG, size=size), aiff_of_size(size)):
            piped = json.loads(run("-i", input=data).stdout)
            expect((piped["frames"], piped["duration"]) == (None, None), (hex(size), piped))
            expect(info(data)["frames"] == 4, hex(size))


@test
def blocks_that_nobody_can_mean():
    """Writers that counted bits, or nothing.  It was taken for the width of a sample: half of the sound, without a word."""
    for bits, samples in ((8, bytes(range(64))), (16, SAMPLES), (24, bytes(range(60)))):
        wanted = raw(wav(samples, wav_format(channels=1, bits=bits)))
        for block in (0, 1, 2, 4, 5, 8, 16, 32):
            if (bits, block) != (24, 4):  # that is a container that is wider than its samples
                expect(raw(wav(samples, wav_format(channels=1, bits=bits, block=block))) == wanted, (bits, block))
    expect(raw(wav(bytes(range(64)), wav_format(channels=1, bits=24, block=4)), "--samples", "s32") == bytes(range(64)))


@test
def places_of_24_bits_in_32():
    """arecord's S24_LE has them at the bottom, others at the top, and the header is the same: it was far too quiet."""
    values = [0] * 100 + [1, -1, 256, -256, 70000, -70000, 8388607, -8388608] * 1000
    wanted = b"".join((value << 8).to_bytes(4, "little", signed=True) for value in values)
    bottom = b"".join(value.to_bytes(4, "little", signed=True) for value in values)
    plain = wav_format(channels=2, bits=24, block=8)
    for samples in (wanted, bottom):
        expect(raw(wav(samples, plain), "--samples", "s32") == wanted)
        expect(run("-q", "-t", "raw", "--samples", "s32", input=wav(samples, plain)).stdout == wanted)
    expect(raw(wav(bytes(800), plain), "--samples", "s32") == bytes(800))
    # Quiet at first: the lowest bytes of the top are zero all the same.
    quiet = b"".join((value << 8).to_bytes(4, "little", signed=True) for value in [5, -5] * 3000)
    expect(raw(wav(quiet, plain), "--samples", "s32") == quiet)
    # An extensible format says that they are at the top.
    expect(raw(wav(bottom, wav_format(PCM, 2, bits=24, valid=24, mask=3, block=8)), "--samples", "s32") == bottom)


@test
def a_format_that_is_told_twice():
    again = chunk(b"fmt ", wav_format())
    expect(raw_without_a_word(wav(SAMPLES, before=again)) == SAMPLES)
    expect_failure(run("-q", input=wav(SAMPLES, before=chunk(b"fmt ", wav_format(rate=8001)))), 3)


@test
def sizes_that_make_sense_are_kept():
    for size in (len(SAMPLES) + 4, 100000, 0x70000000, 0xF0000000):
        for data in (wav_of_size(size, size + 36), au(BIG, size=size), aiff_of_size(size + 8), rf64(UNKNOWN, size)):
            expect_failure(run("-q", input=data), 3, "ends early")
            expect(raw(data, "--partial") == SAMPLES, hex(size))
            expect(json.loads(run("-i", input=data).stdout)["frames"] == size // 4, hex(size))


@test
def no_samples_at_all():
    """A size of 0 is one if chunks follow, or nothing does."""
    after = wav_list(INAM=b"nothing")
    for data in (wav(b""), wav(b"", after=after), wav_of_size(0, 0, b""), au(b""), aiff(b""), rf64(UNKNOWN, 0, b""),
                 aiff(b"", after=chunk(b"NAME", b"nothing", order=">"))):
        expect(raw_without_a_word(data) == b"", data)
        expect(json.loads(run("-i", input=data).stdout)["frames"] == 0, data)
    expect(info(wav(b"", after=after))["tags"] == {"title": ["nothing"]})


def aiff_turned(data, *names):
    """The chunks of a file in another order; those that are not named are left out."""
    chunks, at = {}, 12
    while at < len(data):
        size, = struct.unpack_from(">I", data, at + 4)
        chunks[data[at:at + 4]] = data[at:at + 8 + size + size % 2]
        at += 8 + size + size % 2
    body = data[8:12] + b"".join(chunks[name] for name in names)
    return b"FORM" + struct.pack(">I", len(body)) + body


@test
def aiff_whose_sound_comes_first():
    """It was called unsupported: the format has to be known before.  Now it is kept until then."""
    title = chunk(b"NAME", b"A title", order=">")
    orders = (b"SSND", b"COMM"), (b"NAME", b"SSND", b"COMM"), (b"SSND", b"NAME", b"COMM"), (b"SSND", b"COMM", b"NAME")
    large = b"".join(struct.pack(">h", i % 30011) for i in range(300001))
    for data in (aiff(BIG, after=title), aiff(large, channels=1, after=title), aiff(BIG, offset=6, after=title),
                 aiff(large, channels=3, bits=24, after=title), aiff(b"", after=title),
                 aiff(large, compression=b"fl32", bits=32, after=title)):
        usual = info(data)
        for order in orders:
            turned = aiff_turned(data, *order)
            expect(raw_without_a_word(turned) == raw(data), order)
            about = info(turned)
            expect(about["frames"] == usual["frames"], (order, about))
            expect(about["tags"] == (usual["tags"] if b"NAME" in order else {}), (order, about))
            expect(json.loads(run("-i", input=turned).stdout)["frames"] == usual["frames"], order)
    packets = read("samples/aiff/tone-ima4.aifc")
    expect(raw_without_a_word(aiff_turned(packets, b"SSND", b"COMM")) == raw(packets))
    turned = aiff_turned(aiff(large, channels=1), b"SSND", b"COMM")
    for cut in (12, 20, 1000, len(turned) - 26, len(turned) - 20, len(turned) - 1):
        expect_failure(run("-q", "--decoder", "aiff", input=turned[:cut]), 3, "ends early")
    expect_failure(run("-q", input=turned[:-18] + bytes(18)), 3, "header")
    # It stays within the limit, whatever a header claims.
    claimed = turned[:16] + struct.pack(">I", 0x70000000) + turned[20:]
    expect_failure(run("-q", "--memory", "64M", input=claimed), 4, "memory")
    expect_failure(run("-q", input=turned[:16] + struct.pack(">I", UNKNOWN) + turned[20:]), 7)
    expect_failure(run("-q", input=turned[:12] + turned[12:-26] * 2 + turned[-26:]), 3, "doubled")


@test
def aiff_without_sound():
    """One that counts no frames need not have a chunk for them; it was said to end early."""
    for compression in (None, b"sowt"):
        data = aiff_turned(aiff(b"", compression=compression), b"COMM")
        tagged = aiff_turned(aiff(b"", compression=compression, after=chunk(b"NAME", b"none", order=">")), b"COMM", b"NAME")
        for whole in (data, tagged, id3(3, [(b"TIT2", b"\0none")]) + data):
            expect(raw_without_a_word(whole, "--decoder", "aiff") == b"")
            expect(info(whole, "--decoder", "aiff")["frames"] == 0)
        expect(info(tagged)["tags"] == {"title": ["none"]})
        # Where frames are counted, or the whole is larger, some are missing.
        expect_failure(run("-q", input=aiff_turned(aiff(BIG, compression=compression), b"COMM")), 3, "ends early")
        for cut in (2, 8, 10):
            expect_failure(run("-q", "--decoder", "aiff", input=tagged[:-cut]), 3, "ends early")


@test
def files_that_are_as_large_as_a_placeholder():
    """Recorders split files at 2 GiB: the chunks behind the samples are none."""
    size = 0x7FFFF000
    header = wav(b"", wav_format(channels=64, rate=768000))[:-4] + struct.pack("<I", size)
    with Folder() as folder:
        for tail, end in ((wav_list(INAM=b"x" * 300), size), (bytes(256), size + 256)):
            path = folder.write("large", header)
            os.truncate(path, len(header) + size)
            with open(path, "ab") as stream:
                stream.write(tail)
            counted = subprocess.run(f"'{PROGRAM}' -t raw '{path}' --max-input 4G --max-output 4G 2>&1 >/dev/null",
                                     shell=True, stdout=subprocess.PIPE, check=True).stdout
            expect(f" {end} bytes".encode() in counted, counted)


# ---- tags before the sound ----


@test
def id3_before_everything():
    """The decoders of WAV and AIFF did not pass over a tag that the recognition had looked behind."""
    tag = id3(3, [(b"TIT2", b"\0A title")])
    footer = id3(4, [(b"TIT2", b"\3A title")], 0x10)
    footer += b"3DI" + footer[3:10]
    for name, data in (("wav", wav(SAMPLES)), ("aiff", aiff(BIG)), ("au", au(BIG, note=b"a note\0\0")),
                       ("flac", read(FLAC))):
        for before in (tag, footer, tag + footer, id3(3, [(b"TIT2", b"\0A title")], padding=70000)):
            expect(raw_without_a_word(before + data, "--decoder", name) == raw(data), (name, before[:10]))
            about = info(before + data, "--decoder", name)
            expect(about["frames"] == info(data)["frames"], (name, about))
            expect(name == "flac" or about["tags"]["title"][0] == "A title", (name, about))


@test
def sizes_of_frames_as_itunes_wrote_them():
    """A title of more than 127 bytes was cut, and what came behind it was not found."""
    audio = read(MP3)
    picture = b"\0image/png\0\3\0" + read("samples/png/rgb-8.png")
    expect(len(picture) > 128)
    frames = [(b"TALB", b"\0An album"), (b"TIT2", b"\0" + b"T" * 199), (b"APIC", picture), (b"TPE1", b"\0Someone")]
    expected = {"album": ["An album"], "title": ["T" * 199], "artist": ["Someone"]}

    def tag(plain, padding=10, chosen=frames):
        body = b"".join(name + (struct.pack(">I", len(data)) if plain else syncsafe(len(data))) + bytes(2) + data
                        for name, data in chosen) + bytes(padding)
        return b"ID3\4\0\0" + syncsafe(len(body)) + body

    for plain in (False, True):
        for padding in (0, 10, 2000):
            about = info(tag(plain, padding) + audio)
            expect(about["tags"] == expected and about["cover"], (plain, padding, about))
            cover = json.loads(run("--cover", "-i", input=tag(plain, padding) + audio).stdout)
            expect((cover["width"], cover["height"]) == (256, 256), cover)
            expect(raw(tag(plain, padding) + audio) == raw(audio))
        # One frame alone: where it ends decides.
        alone = info(tag(plain, 0, [(b"TIT2", b"\0" + b"t" * 299)]) + audio)
        expect(alone["tags"] == {"title": ["t" * 299]}, (plain, alone))


# ---- MP3 ----


def ape(items, header=True, footer=True):
    """An APE tag, version 2."""
    def end(flags):
        return b"APETAGEX" + struct.pack("<IIII", 2000, len(items) + 32, 1, flags) + bytes(8)
    return (end(0xA0000000) if header else b"") + items + (end(0x80000000) if footer else b"")


def lyrics(text):
    body = b"LYRICSBEGIN" + b"LYR" + b"%05d" % len(text) + text
    return body + b"%06d" % len(body) + b"LYRICS200"


# What looks like frames of MP3, but is in a picture or a text.
FALSE_FRAMES = (b"\xff\xfb\x90\x64" + bytes(413)) * 4
TAGS = {"ID3": id3(3, [(b"TIT2", b"\0A title"), (b"APIC", b"\0image/png\0\3\0" + FALSE_FRAMES)]),
        "ID3 with a footer": id3(4, [(b"PRIV", b"x\0" + FALSE_FRAMES[:100])], 0x10) + b"3DI\4\0\x10" + syncsafe(122),
        "APE": ape(FALSE_FRAMES), "empty APE": ape(b"", footer=False), "APE without a header": ape(b"", header=False),
        "Lyrics3": lyrics(FALSE_FRAMES), "ID3v1": id3v1(b"A title", b"Someone"), "TAG+": b"TAG+" + bytes(223)}


@test
def tags_behind_mp3_are_no_damage():
    """One part was called damaged where a tag stood between two frames, and false frames in a tag were decoded."""
    audio = read(MP3)
    for name, tag in TAGS.items():
        expect(raw_without_a_word(audio + tag) == raw(audio), name)
        expect(raw_without_a_word(audio + tag + audio) == raw(audio + audio), name)
    every = b"".join(TAGS.values())
    expect(raw_without_a_word(audio + every + audio + every) == raw(audio + audio))
    expect(info(audio + TAGS["ID3"])["tags"] == {"title": ["A title"]})
    expect(info(audio + TAGS["APE"] + TAGS["ID3v1"])["tags"] == {"title": ["A title"], "artist": ["Someone"]})


@test
def mp3_behind_other_things():
    """The decoder's part of what the recognition must find: tags, padding, and a start within a frame."""
    for path in (MP3, MP3_WITH_INFO):
        audio = read(path)
        for before in (ape(FALSE_FRAMES), ape(b"", footer=False), id3(3, [(b"TIT2", b"\0x")]) + ape(FALSE_FRAMES),
                       ape(FALSE_FRAMES) + id3(3, [(b"TIT2", b"\0x")]), bytes(1), bytes(1000), bytes(5000),
                       bytes(100) + id3(3, [(b"TIT2", b"\0x")]) + bytes(100), b"\xff" * 40, b"A\xffI" * 999):
            expect(raw_without_a_word(before + audio, "--decoder", "mp3") == raw(audio), (path, before[:20]))
            expect(info(before + audio, "--decoder", "mp3")["frames"] == info(audio)["frames"], (path, before[:20]))
        # What the first whole frame needs of the one before is missing; then there is no difference.
        for start in (1, 100, 417, 1000):
            cut = raw_without_a_word(audio[start:], "--decoder", "mp3")
            expect(len(raw(audio)) - 12000 < len(cut) < len(raw(audio)) + 5000, (path, start, len(cut)))
            expect(raw(audio)[-20000:] in cut, (path, start))


@test
def mp3_in_wav():
    audio = read(MP3)
    fmt = struct.pack("<HHIIHHH", 0x55, 1, 44100, 8000, 1, 0, 12) + struct.pack("<HIHHH", 1, 2, 417, 1, 1393)
    wide = wav_format(0x55, channels=1, valid=0, mask=4)
    for header in (fmt, wide):
        for size, outer in ((None, None), (0, 0), (UNKNOWN, UNKNOWN)):
            data = wav(audio, header, chunk(b"fact", bytes(4)), b"" if size is not None else wav_list(INAM=b"\xff\xfb" * 50), size)
            if outer is not None:
                data = data[:4] + struct.pack("<I", outer) + data[8:]
            expect(raw_without_a_word(data, "--decoder", "mp3") == raw(audio), size)
            expect(raw_without_a_word(id3(3, []) + data, "--decoder", "mp3") == raw(audio), size)
            expect(info(data, "--decoder", "mp3")["frames"] == info(audio)["frames"], size)
    expect_failure(run("-q", "--decoder", "mp3", input=wav(audio)), 3)


@test
def what_is_no_mp3_behind_a_tag():
    """AAC has the same tags, and nearly the same sync: it was called damaged."""
    frame = bytes((0xFF, 0xF1, 0x50, 0x80, 0x02, 0x1F, 0xFC)) + bytes(9)
    for tag in (b"", id3(3, [(b"TIT2", b"\0x")]), id3(4, [(b"TIT2", b"\3x")], padding=3000)):
        expect_failure(run("-q", "--decoder", "mp3", input=tag + frame * 50), 7, "not supported")
        expect_failure(run("-q", "--decoder", "mp3", input=tag + b"ADIF" + bytes(100)), 7, "not supported")


@test
def mp3_is_what_mpg123_makes_of_it():
    for path in (MP3, MP3_WITH_INFO):
        audio = read(path)
        for data in (audio, audio[1000:], id3(3, [(b"TIT2", b"\0x")]) + audio, audio + audio):
            with Folder() as folder:
                reference = tool("mpg123", "-q", "-e", "s16", "-s", folder.write("some.mp3", data))
            expect(raw_without_a_word(data, "--decoder", "mp3") == reference, (path, data[:5]))


@test
def mp3_whose_header_does_not_count_its_frames():
    """A length was guessed by the bytes, and the file was then said to be damaged."""
    audio = read(MP3_WITH_INFO)
    at = max(audio.find(b"Xing"), audio.find(b"Info"))
    expect(at > 0 and audio[at + 7] & 3 == 3)
    for frames, size in ((bytes(4), audio[at + 12:at + 16]), (bytes(4), b"\0\x80\0\0")):
        data = audio[:at + 8] + frames + size + audio[at + 16:]
        length = len(raw_without_a_word(data)) // 2
        expect(abs(info(data)["frames"] - length) <= 1152 * 2, (info(data)["frames"], length))


@test
def mp3_whose_rate_changes():
    first, second = read(MP3), read("samples/mp3/tone-cover.mp3")
    for data in (first + second, first + second + first):
        told, length = info(data, "--decoder", "mp3"), raw(data, "--decoder", "mp3")
        frames = len(length) // 2 // told["channels"]
        expect(abs(told["frames"] - frames) <= 0.02 * frames, (told["frames"], frames))


# ---- FLAC ----


@test
def damaged_flac_is_refused():
    """A frame with a wrong checksum was replaced by silence, and only a line told of it."""
    flac = read(FLAC)
    whole = raw(flac)
    for place in (len(flac) - 100, len(flac) - 40, len(flac) - 1):
        data = damaged(flac, place, 1)
        done = run("-q", input=data)
        expect_failure(done, 3)
        kept = run("-t", "raw", "--partial", input=data)
        expect_status(kept, 0)
        expect(b"partial: " in kept.stderr and whole.startswith(kept.stdout), kept.stderr)
        expect(0 < len(kept.stdout) < len(whole) and len(kept.stdout) % (4608 * 4) == 0, len(kept.stdout))
    # Bytes that are no frame stand between two.
    frames = [at for at in range(len(flac) - 1) if flac[at:at + 2] == b"\xff\xf8"]
    expect_failure(run("-q", input=flac[:frames[2]] + b"stray bytes" + flac[frames[2]:]), 3)


def noise(frames):
    return b"".join(struct.pack("<h", (i * i * 7919 + i * 104729) % 60000 - 30000) for i in range(2 * frames))


@test
def damaged_flac_in_ogg_is_refused():
    samples = noise(20000)
    pages = ogg_pages(tool("flac", "-s", "--ogg", "-b", "576", "-c", "-", input=wav(samples)))
    last = len(pages) - 1
    expect(last > 8, last)
    for data in (b"".join(pages[:last]) + damaged(pages[last], 100, 1), b"".join(pages[:last - 3] + pages[last - 2:]),
                 b"".join(pages[:last - 3] + [damaged(pages[last - 3], 100, 1)] + pages[last - 2:]),
                 b"".join(pages[:last - 1]) + b"stray bytes" + b"".join(pages[last - 1:])):
        expect_failure(run("-q", input=data), 3)
        kept = run("-t", "raw", "--partial", input=data)
        expect_status(kept, 0)
        expect(samples.startswith(kept.stdout) and len(kept.stdout) > len(samples) // 2, len(kept.stdout))
        expect(b"partial: " in kept.stderr, kept.stderr)


@test
def flac_of_unknown_length():
    """A file without a total was not read to its end for its length."""
    for path in (FLAC, OGG_FLAC):
        data = bytearray(read(path))
        at = data.index(b"fLaC") + 8 + 13
        expected = info(bytes(data))["frames"]
        if path == OGG_FLAC:
            pages = ogg_pages(bytes(data))
            head = bytearray(pages[0])
            at = head.index(b"fLaC") + 8 + 13
            head[at] &= 0xF0
            head[at + 1:at + 5] = bytes(4)
            fields = struct.unpack_from("<BqII", head, 5)
            data = ogg_page(fields[0], fields[1], fields[2], fields[3], [bytes(head[28:])]) + b"".join(pages[1:])
        else:
            data[at] &= 0xF0
            data[at + 1:at + 5] = bytes(4)
        expect(info(bytes(data))["frames"] == expected, path)
        expect(json.loads(run("-i", input=bytes(data)).stdout)["frames"] is None)
        expect(raw_without_a_word(bytes(data)) == raw(read(path)))


@test
def tags_behind_flac_of_unknown_length():
    """What libFLAC found no frame in was taken for the rest of one: the input was said to end early."""
    known, audio = read(FLAC), flac_without_a_total(read(FLAC))
    expected, frames = raw(known), info(known)["frames"]
    large = TAGS | {"large APE": ape(FALSE_FRAMES * 40), "large ID3": id3(3, [(b"APIC", bytes(70000))])}
    every = b"".join(large.values())
    for name, tag in (large | {"all": every, "cut": every[:-50]}).items():
        expect(raw_without_a_word(audio + tag) == expected, name)
        expect(info(audio + tag)["frames"] == frames, name)
        expect(raw_without_a_word(known + tag) == expected, name)
    # Wherever the last frame ends in what is read at a time, and with a tag of which only a part is at hand.
    for size in range(0, 4200, 97):
        padding = b"\x01" + size.to_bytes(3, "big") + bytes(size)
        moved = audio[:42] + padding + audio[42:]
        expect(raw_without_a_word(moved + id3v1(b"A title")) == expected, size)
    # What is no tag, or follows one and is none, is damage.
    for odd in (b"TA", b"Tail", b"APETAGE", b"stray bytes", bytes(100), every + b"x", TAGS["ID3v1"] + bytes(5000)):
        expect_failure(run("-q", input=audio + odd), 3)
        expect(raw(audio + odd, "--partial") == expected, odd[:10])
    expect_failure(run("-q", input=audio[:-1] + id3v1(b"A title")), 3)


@test
def flac_of_every_rate():
    """Rates above 768,000 Hz were called unsupported; the format has 20 bits for them."""
    for rate in (768001, 1000000, 1048575):
        source = wav(SAMPLES * 100, wav_format(rate=rate))
        data = tool("flac", "-s", "--lax", "-c", "-", input=source)
        expect(raw_without_a_word(data) == SAMPLES * 100, rate)
        expect(info(data)["rate"] == info(source)["rate"] == rate)
    expect_failure(run("-q", input=wav(SAMPLES, wav_format(rate=1048576))), 7)


# ---- Ogg ----


def skeleton(packet, flags=2, number=0, serial=77):
    return ogg_page(flags, 0, serial, number, [packet])


def beside_another_stream(data, first):
    """The stream behind the start of another, and mixed with its pages."""
    pages = ogg_pages(data)
    made = [skeleton(first), pages[0], skeleton(b"fisbone\0" + bytes(60), 0, 1)]
    for number, page in enumerate(pages[1:], 2):
        made += [page, skeleton(bytes(300), 0, number)]
    return b"".join(made) + skeleton(b"", 4, len(pages) + 1)


@test
def sound_beside_other_streams():
    """The first stream was taken for the sound: FLAC and the length of all were those of another."""
    skeletons = b"fishead\0\3\0\0\0" + bytes(68), b"\x80theora\3\2\1" + bytes(32), b"BBCD\0" + bytes(20)
    for name, path in (("vorbis", VORBIS), ("opus", OPUS), ("ogg-flac", OGG_FLAC)):
        for first in skeletons:
            data = beside_another_stream(read(path), first)
            expect(raw_without_a_word(data, "--decoder", name) == raw(read(path)), (name, first[:7]))
            expect(info(data, "--decoder", name)["frames"] == info(read(path))["frames"], (name, first[:7]))
    # Of two that are sound the first is it.
    two = ogg_pages(ogg_with_serial(read(VORBIS), 5)), ogg_pages(ogg_with_serial(read("samples/vorbis/tone-5.1.ogg"), 6))
    mixed = two[0][0] + two[1][0] + b"".join(two[1][1:]) + b"".join(two[0][1:])
    expect(raw_without_a_word(mixed, "--decoder", "vorbis") == raw(read(VORBIS)))


def joined(pages, headers, first, position=0):
    """What who tunes in later gets: the headers, then pages from one in the middle on, at another position."""
    made = pages[:headers]
    for page in pages[first:]:
        flags, end, serial, number = struct.unpack_from("<BqII", page, 5)
        moved = bytearray(page[:22] + bytes(4) + page[26:])
        moved[6:14] = struct.pack("<q", end + position if end > 0 else end)
        moved[22:26] = struct.pack("<I", ogg_crc(moved))
        made.append(bytes(moved))
    return b"".join(made)


@test
def lengths_of_streams_that_were_joined_later():
    """All was counted that came before the first sample, or all of the first page was left out."""
    samples = noise(48000)
    source = wav(samples, wav_format(rate=48000))
    flac = ogg_pages(tool("flac", "-s", "--ogg", "-b", "576", "-c", "-", input=source))
    at = flac[0].index(b"fLaC") + 8 + 13
    unknown = bytearray(flac[0])
    unknown[at:at + 5] = bytes((unknown[at] & 0xF0,)) + bytes(4)
    flac[0] = ogg_page(2, 0, struct.unpack_from("<I", unknown, 14)[0], 0, [bytes(unknown[28:])])
    opus = ogg_pages(tool("opusenc", "--quiet", "--max-delay", "200", "-", "-", input=source))
    small = ogg_in_small_pages(read(OPUS), 3, 960)
    vorbis = ogg_pages(tool("oggenc", "-Q", "-q", "9", "-o", "-", "-", input=source))
    for name, pages in (("flac", flac), ("opus", opus), ("opus", small), ("vorbis", vorbis)):
        headers = next(i for i, page in enumerate(pages) if struct.unpack_from("<q", page, 6)[0] > 0)
        expect(len(pages) > 7, (name, len(pages)))
        for first in range(headers, len(pages) - 2):
            for position in (0, 5000, 48000 * 3600):
                data = joined(pages, headers, first, position)
                about = info(data)
                frames = len(raw(data)) // 2 // about["channels"]
                expect(about["frames"] == frames, (name, first, position, about["frames"], frames))


@test
def flac_in_a_chain():
    """What followed the first link was left out without a word."""
    data = read(OGG_FLAC)
    chain = b"".join(ogg_with_serial(data, serial) for serial in (1, 2, 3))
    expect(raw_without_a_word(chain) == raw(data) * 3)
    expect(info(chain)["frames"] == 3 * info(data)["frames"])
    beside = beside_another_stream(ogg_with_serial(data, 1), b"fishead\0" + bytes(72))
    expect(raw_without_a_word(beside * 2, "--decoder", "ogg-flac") == raw(data) * 2)
    expect_failure(run("-q", input=chain[:-50]), 3, "ends early")
    expect(raw(chain[:-50], "--partial") == raw(data) * 2)


@test
def flac_in_a_chain_that_changes():
    """Nothing here could change what was announced: that is told."""
    chain = b"".join(ogg_with_serial(tool("flac", "-s", "--ogg", "-c", "-", input=wav(SAMPLES * 100, fmt)), serial)
                     for serial, fmt in ((1, wav_format()), (2, wav_format(channels=1))))
    expect_failure(run("-q", input=chain), 7, "not supported")
    done = run("-t", "raw", "--partial", input=chain)
    expect_status(done, 0)
    expect(done.stdout == SAMPLES * 100 and b"partial: uses a variant" in done.stderr, done.stderr)


def opus_of(channels):
    frames = 4800
    samples = b"".join(struct.pack("<h", (i * 7919 + channel * 1000) % 8000 - 4000) for i in range(frames)
                       for channel in range(channels))
    return tool("opusenc", "--quiet", "--bitrate", "128", "-", "-",
                input=wav(samples, wav_format(channels=channels, rate=48000)))


def channel(samples, number, channels):
    return samples[2 * number::2 * channels], samples[2 * number + 1::2 * channels]


@test
def opus_of_no_sound():
    """As opusenc writes it: its last page counts what is to be dropped, and no more."""
    empty = tool("opusenc", "--quiet", "-", "-", input=wav(b"", wav_format(rate=48000)))
    expect(raw_without_a_word(empty) == b"" and info(empty)["frames"] in (0, None), info(empty))


@test
def opus_chains_of_other_channels():
    """Only two channels went on; the channels that were announced stay."""
    for first in (1, 2, 3, 6):
        for second in (1, 2, 4, 6, 8):
            one, two = opus_of(first), opus_of(second)
            done = raw_without_a_word(ogg_with_serial(one, 1) + ogg_with_serial(two, 2))
            expect(done[:len(raw(one))] == raw(one), (first, second))
            rest, length = done[len(raw(one)):], len(raw(two)) // second
            expect(len(rest) == length * first, (first, second, len(rest), length))
            # Front left and right stay where they are.
            if first == 6 and second in (2, 4, 6):
                last = 1 if second in (2, 4) else 2
                expect(channel(rest, 0, 6) == channel(raw(two), 0, second), (first, second))
                expect(channel(rest, 2, 6) == channel(raw(two), last, second), (first, second))
            if first == 2 and second == 1:
                expect(channel(rest, 0, 2) == channel(rest, 1, 2) == channel(raw(two), 0, 1))


@test
def opus_of_other_families():
    """Channels without a place were called unsupported, or cut if they came in one piece; ambisonics had a bad header."""
    pages = ogg_pages(read(OPUS))
    head = pages[0][28:]
    serial, = struct.unpack_from("<I", pages[0], 14)
    for family in (2, 3, 255):
        data = ogg_page(2, 0, serial, 0, [head[:18] + bytes((family, 1, 0, 0))]) + b"".join(pages[1:])
        for size in (100, 300, 5000, len(data)):
            expect_failure(run("-q", input=data[:size]), 7, "not supported")
        for pause in (90, 400):
            with subprocess.Popen([PROGRAM, "-q"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE) as process:
                process.stdin.write(data[:pause])
                process.stdin.flush()
                time.sleep(0.1)
                _, errors = process.communicate(data[pause:])
                expect(process.returncode == 7, (family, pause, errors))


if __name__ == "__main__":
    sys.exit(main())
