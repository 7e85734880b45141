# SPDX-License-Identifier: MIT
"""Writes small sound files field by field, and takes others apart, for the tests of audio."""

import struct

# ---- WAV ----

PCM, MS_ADPCM, FLOAT, ALAW, MULAW, IMA_ADPCM, EXTENSIBLE = 1, 2, 3, 6, 7, 0x11, 0xFFFE
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
UNKNOWN = 0xFFFFFFFF


def chunk(name, data, size=None, order="<"):
    return name + struct.pack(order + "I", len(data) if size is None else size) + data + bytes(len(data) % 2)


def wav_format(tag=PCM, channels=2, rate=8000, bits=16, block=None, valid=None, mask=0, extra=b"", order="<"):
    block = channels * ((bits + 7) // 8) if block is None else block
    outer = EXTENSIBLE if valid is not None else tag
    data = struct.pack(order + "HHIIHH", outer, channels, rate, rate * block, block, bits)
    if valid is not None:
        data += struct.pack(order + "HHIH", 22, valid, mask, tag) + GUID_TAIL
    return data + extra


def wav(data, fmt=None, before=b"", after=b"", size=None, magic=b"RIFF", order="<"):
    """A whole file; `before` and `after` are chunks around the samples."""
    body = chunk(b"fmt ", wav_format() if fmt is None else fmt, order=order)
    body += before + chunk(b"data", data, size, order) + after
    return magic + struct.pack(order + "I", len(body) + 4) + b"WAVE" + body


def wav_list(**texts):
    parts = b"".join(chunk(name.encode(), text) for name, text in texts.items())
    return chunk(b"LIST", b"INFO" + parts)


def parse_wav(data):
    """The chunks of a WAV file, by name, and the size that its header claims."""
    assert data[:4] in (b"RIFF", b"RF64") and data[8:12] == b"WAVE", data[:12]
    chunks, at = {}, 12
    while at + 8 <= len(data):
        name, size = data[at:at + 4], struct.unpack_from("<I", data, at + 4)[0]
        chunks[name] = data[at + 8:] if size == UNKNOWN else data[at + 8:at + 8 + size]
        at += 8 + size + size % 2
    return chunks, struct.unpack_from("<I", data, 4)[0]


# ---- AIFF and AU ----


def extended(rate):
    """A rate as 80-bit floating point."""
    exponent = rate.bit_length() - 1
    return struct.pack(">HQ", 16383 + exponent, rate << (63 - exponent))


def aiff(data, channels=2, rate=8000, bits=16, compression=None, before=b"", after=b"", offset=0):
    frames = len(data) // max(1, channels * ((bits + 7) // 8))
    common = struct.pack(">hIh", channels, frames, bits) + extended(rate)
    form = b"AIFF"
    if compression:
        form = b"AIFC"
        common += compression + b"\0\0"
    body = chunk(b"COMM", common, order=">") + before
    body += chunk(b"SSND", struct.pack(">II", offset, 0) + bytes(offset) + data, order=">") + after
    return b"FORM" + struct.pack(">I", len(body) + 4) + form + body


def au(data, encoding=3, channels=2, rate=8000, size=None, note=b""):
    return struct.pack(">4sIIIII", b".snd", 24 + len(note), len(data) if size is None else size, encoding, rate,
                       channels) + note + data


# ---- ID3 ----


def syncsafe(number):
    return bytes((number >> 21 & 127, number >> 14 & 127, number >> 7 & 127, number & 127))


def id3(version, frames, flags=0, extended_header=b"", padding=10):
    """frames: (name, body) or (name, body, second byte of flags)."""
    body = extended_header
    for name, data, *frame_flags in frames:
        size = {2: len(data).to_bytes(3, "big"), 3: len(data).to_bytes(4, "big"), 4: syncsafe(len(data))}[version]
        body += name + size + (b"" if version == 2 else bytes((0, *(frame_flags or (0,))))) + data
    body += bytes(padding)
    if flags & 0x80 and version < 4:
        body = unsynchronise(body)
    return b"ID3" + bytes((version, 0, flags)) + syncsafe(len(body)) + body


def unsynchronise(data):
    return data.replace(b"\xff", b"\xff\0")


def id3v1(title=b"", artist=b"", album=b"", year=b"", comment=b"", track=0, genre=255):
    return (b"TAG" + title.ljust(30, b"\0") + artist.ljust(30, b"\0") + album.ljust(30, b" ") + year.ljust(4, b"\0") +
            comment.ljust(28, b"\0") + bytes((0, track, genre)))


# ---- FLAC ----


def flac_without_a_total(data):
    """As an encoder writes it that cannot go back: neither the number of frames nor the checksum of all is known."""
    at = data.index(b"fLaC") + 8 + 13
    return data[:at] + bytes((data[at] & 0xF0,)) + bytes(20) + data[at + 21:]


# ---- Ogg ----


def ogg_crc(data):
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def ogg_pages(data):
    pages, at = [], 0
    while at < len(data):
        count = data[at + 26]
        end = at + 27 + count + sum(data[at + 27:at + 27 + count])
        pages.append(data[at:end])
        at = end
    return pages


def ogg_with_serial(data, serial):
    """The same stream under another number, so that it can follow itself in a chain."""
    changed = b""
    for page in ogg_pages(data):
        page = bytearray(page)
        page[14:18] = struct.pack("<I", serial)
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", ogg_crc(page))
        changed += bytes(page)
    return changed


def ogg_page(flags, position, serial, number, packets):
    lacing = b"".join(bytes([255]) * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    page = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, position, serial, number, 0, len(lacing)) + lacing
    page += b"".join(packets)
    return page[:22] + struct.pack("<I", ogg_crc(page)) + page[26:]


def ogg_in_small_pages(data, packets, samples):
    """The same stream, whose packets have so many samples each, with so many of them on a page."""
    pages = ogg_pages(data)
    serial = struct.unpack_from("<I", data, 14)[0]
    made, number, start = [], 2, 0
    for page in pages[2:]:
        table = page[27:27 + page[26]]
        end = struct.unpack_from("<q", page, 6)[0]
        at, size, found = 27 + page[26], 0, []
        for segment in table:
            size += segment
            if segment < 255:
                found.append(page[at:at + size])
                at, size = at + size, 0
        for first in range(0, len(found), packets):
            part = found[first:first + packets]
            last = first + packets >= len(found)
            start = end if last else start + samples * len(part)
            made.append(ogg_page(page[5] & 4 if last else 0, start, serial, number, part))
            number += 1
    return pages[:2] + made


def damaged(data, place, length=16):
    return data[:place] + bytes(byte ^ 0x5A for byte in data[place:place + length]) + data[place + length:]
