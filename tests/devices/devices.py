#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Real framebuffers, displays and sound cards, in a virtual machine.

    tests/devices/devices.py BUILD_FOLDER
"""

import array
import functools
import os
import random
import signal
import subprocess
import sys
import time
import wave

from cli_support import BUILD, PHOTO, Skip, expect, main, pixels_with_pillow, test
from machine import InitialFiles, Kernel, Machine

FOLDER = os.path.join(BUILD, "devices")
PROGRAM = "/safe-decode/safe-decode"
PICTURES = {"photograph.jpg": PHOTO, "small.png": "samples/png/with-alpha.png"}
MODULES = ("bochs", "virtio-gpu", "virtio-pci", "snd-hda-codec-generic", "snd-hda-intel")
FRAMEBUFFER, DISPLAY = (1024, 768), (1280, 800)
SHOWN_LIMIT = 60  # seconds
RATE, SECONDS = 44100, 3
FRAME_COLORS = ((200, 16, 24), (24, 184, 40), (32, 40, 224))  # of animations and pages
FRAME_SIZE, FRAME_DELAY = (64, 48), 2000  # milliseconds: an emulated screen takes time to look at

KERNEL = Kernel(os.path.join(FOLDER, "kernel"))


# ---- what must be seen: the rule of broker/devices/painter.h, written again ----


def fit(width, height, screen):
    """The size of a picture on the screen."""
    fit_width = min(width, screen[0])
    fit_height = (fit_width * height + width // 2) // width
    if fit_height > screen[1]:
        fit_height = screen[1]
        fit_width = (fit_height * width + height // 2) // height
    return max(fit_width, 1), max(fit_height, 1)


def shares(source, target):
    """For each of `target` pixels, the pixels of `source` that it covers and how much of each."""
    covered = []
    for place in range(target):
        start, end = place * source, (place + 1) * source
        covered.append([(x, min((x + 1) * target, end) - max(x * target, start))
                        for x in range(start // target, (end - 1) // target + 1)])
    return covered


def reduce(pixels, size, target):
    """Averages the pixels, three bytes each, exactly."""
    width, height = size
    across = shares(width, target[0])
    rows = []
    for y in range(height):
        row = pixels[3 * width * y:3 * width * (y + 1)]
        channels = [row[channel::3] for channel in range(3)]
        rows.append([sum(channel[x] * share for x, share in covered) for covered in across for channel in channels])
    result = bytearray()
    total = width * height
    for covered in shares(height, target[1]):
        sums = [0] * (3 * target[0])
        for y, share in covered:
            sums = [before + value * share for before, value in zip(sums, rows[y])]
        result += bytes((value + total // 2) // total for value in sums)
    return bytes(result)


def on_black(path):
    size, pixels = pixels_with_pillow(path, "RGBA")
    shown = bytearray()
    for place in range(0, len(pixels), 4):
        alpha = pixels[place + 3]
        shown += bytes((sample * alpha + 127) // 255 for sample in pixels[place:place + 3])
    return size, bytes(shown)


@functools.lru_cache
def whole_colors(name, screen):
    """All pixels of a screen that shows this picture."""
    size, pixels = on_black(PICTURES[name])
    target = fit(*size, screen)
    if target != size:
        pixels = reduce(pixels, size, target)
    left, top = (screen[0] - target[0]) // 2, (screen[1] - target[1]) // 2
    shown = bytearray(3 * screen[0] * screen[1])
    for y in range(target[1]):
        start = 3 * (screen[0] * (top + y) + left)
        shown[start:start + 3 * target[0]] = pixels[3 * target[0] * y:3 * target[0] * (y + 1)]
    return bytes(shown)


def reference(name, screen, bits):
    """The same with so many bits a pixel."""
    pixels = whole_colors(name, screen)
    if bits == 16:
        five = bytes(sample >> 3 << 3 | sample >> 5 for sample in range(256))
        six = bytes(sample >> 2 << 2 | sample >> 6 for sample in range(256))
        green = pixels[1::3].translate(six)
        pixels = bytearray(pixels.translate(five))
        pixels[1::3] = green
    return bytes(pixels)


# ---- the machine ----


def make_frames():
    """An animation without end, one that is shown twice, and a document of as many pages."""
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    frames = [Image.new("RGB", FRAME_SIZE, color) for color in FRAME_COLORS]
    paths = {name: os.path.join(FOLDER, name) for name in ("endless.gif", "twice.gif", "pages.tiff")}
    for name, path in paths.items():
        options = {"duration": FRAME_DELAY, "loop": (0, 2)[name == "twice.gif"]} if name.endswith(".gif") else {}
        frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    return paths


def frame_on(screen, index):
    """All pixels of a screen that shows this frame."""
    left, top = (screen[0] - FRAME_SIZE[0]) // 2, (screen[1] - FRAME_SIZE[1]) // 2
    shown = bytearray(3 * screen[0] * screen[1])
    for y in range(FRAME_SIZE[1]):
        start = 3 * (screen[0] * (top + y) + left)
        shown[start:start + 3 * FRAME_SIZE[0]] = bytes(FRAME_COLORS[index]) * FRAME_SIZE[0]
    return bytes(shown)


def make_files(sounds):
    files = InitialFiles()
    files.add("dev/console", b"", 0o20600)
    files.add("proc", b"", 0o40755)
    files.add_file(os.path.join(BUILD, "tests/devices-init"), "init")
    for name in ("safe-decode", "safe-decode-starter", "decoders/jpeg", "decoders/png", "decoders/gif", "decoders/tiff",
                 "decoders/flac", "sinks/alsa.so", "sinks/display.so"):
        files.add_program(os.path.join(BUILD, name), "safe-decode/" + name)
    for name, path in PICTURES.items():
        files.add_file(path, name)
    for name, path in make_frames().items():
        files.add_file(path, name)
    for path in KERNEL.modules(*MODULES):
        files.add_file(path, "modules/" + os.path.basename(path))
    for path in sounds:
        files.add_file(path, os.path.basename(path))
    if sounds:
        files.add_tree("/usr/share/alsa")
    return files


def machine(name, sounds=(), **options):
    return Machine(os.path.join(FOLDER, name), KERNEL, make_files(sounds), **options)


def wait_for(condition, complaint):
    end = time.monotonic() + SHOWN_LIMIT
    while not condition():
        expect(time.monotonic() < end, complaint)
        time.sleep(0.1)


def wait_for_picture(running, expected):
    """Waits until the screen shows this: its size, and its pixels and nothing else."""
    end = time.monotonic() + SHOWN_LIMIT
    while True:
        size, pixels = running.screen()
        expect(size == expected[0], f"the screen has {size} pixels")
        if pixels == expected[1]:
            return
        if time.monotonic() > end:
            differing = [place // 3 for place in range(0, len(pixels), 3)
                         if pixels[place:place + 3] != expected[1][place:place + 3]]
            first = divmod(differing[0], size[0])[::-1]
            raise AssertionError(f"{len(differing)} pixels differ, the first at {first}; {running.log()}")
        time.sleep(0.2)


def key(running):
    running.press("spc")


def control_c(running):
    running.press("ctrl", "c")


def signal_15(running):
    running.order("signal", "15")


def nothing(unused):
    """It ends by itself."""


def is_at_rest(running):
    """Whether the screen stays as it is for a moment."""
    before = running.screen()
    time.sleep(0.5)
    return running.screen() == before


def say_something(running):
    """Writes a line on the console, and waits until the screen shows all of it: drivers copy it there when they can."""
    before = running.screen()
    running.order("say", "This-is-the-console")
    wait_for(lambda: running.screen() != before, "the console shows nothing")
    wait_for(lambda: is_at_rest(running), "the console does not come to rest")


def shows(running, arguments, name, bits, end, status):
    """Shows a picture until `end` ends it; then the console must be as before."""
    before = running.screen()
    running.order("start", "/dev/tty1", PROGRAM, *arguments, "/" + name)
    wait_for_picture(running, (before[0], reference(name, before[0], bits)))
    expect(running.ask("mode") == "graphics" and running.ask("echo") == "off")
    end(running)
    expect(running.ask("wait") == status, running.log())
    expect(running.ask("mode") == "text" and running.ask("echo") == "on")
    wait_for_picture(running, before)


def plays(running, arguments, name, frames, end, status):
    """Shows frames, one after the other; the console must be as before then."""
    before = running.screen()
    running.order("start", "/dev/tty1", PROGRAM, *arguments, "/" + name)
    for index, press in frames:
        wait_for_picture(running, (before[0], frame_on(before[0], index)))
        if press:
            press(running)
    end(running)
    expect(running.ask("wait") == status, running.log())
    expect(running.ask("mode") == "text" and running.ask("echo") == "on")
    wait_for_picture(running, before)


def plays_all(running, device):
    loop = [(index, None) for index in range(3)]
    plays(running, [device], "endless.gif", loop * 2 + loop[:1], key, "exited 0")
    plays(running, [device], "endless.gif", loop + loop[:2], control_c, "killed 2")
    plays(running, [device], "endless.gif", loop, signal_15, "killed 15")
    plays(running, [device, "--show", "20"], "endless.gif", loop, nothing, "exited 0")
    plays(running, [device, "--frame", "1"], "endless.gif", [(1, None)], key, "exited 0")
    plays(running, [device], "twice.gif", loop * 2 + loop[2:], key, "exited 0")
    plays(running, [device], "pages.tiff", [(0, key), (1, key), (2, None)], key, "exited 0")
    # The time that they are shown counts for no deadline.
    pages = [(0, None), (1, None), (2, None)]
    plays(running, [device, "--deadline", "9000", "--show", "4"], "pages.tiff", pages, nothing, "exited 0")


@test
def animations_and_pages_on_a_framebuffer():
    with machine("framebuffer-frames", command_line="vga=836") as running:
        say_something(running)
        plays_all(running, "--framebuffer")


@test
def animations_and_pages_on_a_display_that_must_be_told():
    with machine("display-frames", graphics="virtio") as running:
        running.load("virtio-pci", "virtio-gpu")
        say_something(running)
        plays_all(running, "--display")


def on_framebuffer(bits, mode, *runs):
    with machine(f"framebuffer-{bits}", command_line=f"vga={mode}") as running:
        width, height = FRAMEBUFFER
        expect(running.ask("framebuffer") == f"{width} {height} {bits} {width * bits // 8} 0 0")
        say_something(running)
        for arguments, name, end, status in runs:
            shows(running, arguments, name, bits, end, status)


@test
def framebuffer_of_16_bits():
    on_framebuffer(16, 791, (["--framebuffer", "--show", "8"], "photograph.jpg", nothing, "exited 0"),
                   (["--framebuffer"], "small.png", signal_15, "killed 15"))


@test
def framebuffer_of_24_bits():
    on_framebuffer(24, 792, (["--framebuffer"], "photograph.jpg", key, "exited 0"),
                   (["--framebuffer"], "small.png", control_c, "killed 2"))


@test
def framebuffer_of_32_bits():
    on_framebuffer(32, 836, (["--framebuffer=/dev/fb0"], "photograph.jpg", control_c, "killed 2"),
                   (["--framebuffer"], "small.png", key, "exited 0"))


@test
def display():
    with machine("display") as running:
        running.load("bochs")
        say_something(running)
        expect(running.screen()[0] == DISPLAY)
        shows(running, ["--display"], "photograph.jpg", 32, key, "exited 0")
        shows(running, ["--display=/dev/dri/card0"], "small.png", 32, control_c, "killed 2")
        shows(running, ["--framebuffer"], "photograph.jpg", 32, signal_15, "killed 15")


@test
def display_that_must_be_told():
    """This one shows what is drawn only when it is asked to."""
    with machine("display-virtio", graphics="virtio") as running:
        running.load("virtio-pci", "virtio-gpu")
        say_something(running)
        shows(running, ["--display"], "small.png", 32, key, "exited 0")
        shows(running, ["--framebuffer"], "small.png", 32, control_c, "killed 2")


# ---- sound ----


def make_noise(channels):
    """A FLAC file, and its samples as flac decodes them."""
    generator = random.Random(channels)
    samples = array.array("h", (generator.randrange(-20000, 20000) for _ in range(channels * RATE * SECONDS)))
    # What is in the emulated card when its stream stops is lost: let it be silence.
    samples.extend([0] * (channels * RATE // 4))
    path = os.path.join(FOLDER, f"noise-{channels}.flac")
    raw = ["--force-raw-format", "--endian=little", "--sign=signed"]
    subprocess.run(["flac", "-s", "-f", *raw, f"--channels={channels}", "--bps=16", f"--sample-rate={RATE}", "-o", path,
                    "-"], input=samples.tobytes(), check=True)
    decoded = subprocess.run(["flac", "-s", "-d", "-c", *raw, path], stdout=subprocess.PIPE, check=True).stdout
    expect(decoded == samples.tobytes())
    return path, decoded.rstrip(b"\0")


def heard():
    """What QEMU's sound card gave, as stereo samples of 16 bits."""
    with wave.open(os.path.join(FOLDER, "heard.wav")) as stream:
        expect((stream.getframerate(), stream.getnchannels(), stream.getsampwidth()) == (RATE, 2, 2))
        return stream.readframes(stream.getnframes())


def without_silence(samples):
    start = next(place for place in range(0, len(samples), 4) if any(samples[place:place + 4]))
    return samples[start:]


def play_all(files):
    """Plays stereo, mono, and stereo that is stopped for longer than the card has samples; returns what is heard, or
    None if the card did not come up: a slow emulator may answer the kernel too late, which then gives it up."""
    # Without a timer of its own the card loses nothing when the emulator falls behind.
    card = ["-audiodev", f"wav,id=wav,path={FOLDER}/heard.wav,out.frequency={RATE}", "-device", "intel-hda",
            "-device", "hda-output,audiodev=wav,mixer=off,use-timer=off"]
    with machine("sound", arguments=card, sounds=files) as running:
        running.load("snd-hda-codec-generic", "snd-hda-intel")
        for name, stopped in (("noise-2.flac", False), ("noise-1.flac", False), ("noise-2.flac", True)):
            before = running.log()
            running.order("start", "/dev/ttyS0", PROGRAM, "--play=hw:0", "/" + name)
            if stopped:
                wait_for(lambda: "0:01" in running.log()[len(before):], "it does not play")
                running.order("signal", str(int(signal.SIGSTOP)))
                time.sleep(4)
                running.order("signal", str(int(signal.SIGCONT)))
            status = running.ask("wait")
            if "cannot open the sound card" in running.log():
                return None
            expect(status == "exited 0", running.log())
            said = running.log()[len(before):]
            expect(said.count("the sound stopped 1 time") == stopped, said)
        running.switch_off()
    return heard()


def what_differs(samples, stereo, mono):
    """Compares what was heard with stereo, the same mono sound on both sides, and stereo with a gap; "" if it is that."""
    samples = without_silence(samples)
    if not samples.startswith(stereo):
        return "not the samples that flac gives"
    samples = without_silence(samples[len(stereo):])
    both = b"".join(2 * mono[place:place + 2] for place in range(0, len(mono), 2))
    if not samples.startswith(both):
        return "mono is not the same on both sides"
    # The third goes on after the gap, to its end.
    return "" if stereo[-2000:] in samples[len(both):] else "the end is not heard"


@test
def sound_card():
    (stereo_path, stereo), (mono_path, mono) = make_noise(2), make_noise(1)
    samples = None
    for _ in range(3):
        samples = samples or play_all([stereo_path, mono_path])
    expect(samples, "the emulated card does not come up")
    complaint = what_differs(samples, stereo, mono)
    expect(not complaint, complaint)


if __name__ == "__main__":
    sys.exit(main())
