# SPDX-License-Identifier: MIT
"""What the viewer's tests need: an X server, a viewer on it, and eyes to read its window with."""

import contextlib
import ctypes
import math
import os
import re
import struct
import subprocess
import time

from cli_support import BUILD, Skip, become_subreaper, expect, main, read

VIEWER = os.path.abspath(os.path.join(BUILD, "viewer"))
WINDOW = (1024, 768)
PATIENCE = 20  # seconds; far above what anything needs
PROMPT = 2  # seconds in which a key must have had its effect, on a busy machine
OUTSIDE, NOT_THERE, EDGE = (0x20,) * 3, (0x30,) * 3, (0xC0, 0x39, 0x2B)
HEADING, TEXT, PLAIN = (0xFF, 0x8A, 0x7A), (0xE8,) * 3, (0xA0,) * 3


def pillow():
    try:
        from PIL import Image
    except ImportError as error:
        raise Skip("Pillow is not installed") from error
    return Image


def wait_for(what, condition, limit=PATIENCE):
    """Returns the first true value that the condition gives."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        expect(time.monotonic() < end, f"waited in vain for {what}")
        time.sleep(0.02)


def caller_of(pid):
    """For whom a broker works, though it is no child of his: it holds a pidfd of his process."""
    with contextlib.suppress(OSError):
        match = re.search(rb"^Pid:\t(\d+)$", read(f"/proc/{pid}/fdinfo/3"), re.MULTILINE)
        return int(match[1]) if match else None
    return None


def descendants(pid):
    """All processes below one, and its brokers and those below them; zombies included."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            fields = read(f"/proc/{entry}/stat").rsplit(b")", 1)[1].split()
            parents.setdefault(caller_of(entry) or int(fields[1]), []).append(int(entry))
    found, rest = set(), [pid]
    while rest:
        children = set(parents.get(rest.pop(), ())) - found
        found |= children
        rest += children
    return found


def environment(**variables):
    """Of programs that are to run on the X server that main_on_display() started."""
    return {**os.environ, **Display.running.variables, **variables}


class Display:
    """An X server with a free number, for all tests."""

    running = None

    def __init__(self):
        reading, writing = os.pipe()
        try:
            self.process = subprocess.Popen(
                ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x1024x24", "-nolisten", "tcp", "-noreset"],
                pass_fds=[writing], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        finally:
            os.close(writing)
        with os.fdopen(reading, encoding="ascii") as stream:
            number = stream.readline().strip()
        expect(number, "Xvfb does not start")
        self.variables = {"DISPLAY": f":{number}", "SDL_VIDEODRIVER": "x11"}

    def close(self):
        self.process.terminate()
        self.process.wait()


class Viewer:
    """The viewer with some files.  On leaving it must end, and all that it started must have ended with it."""

    def __init__(self, *files, **variables):
        self.environment = environment(**variables)
        self.process = subprocess.Popen([VIEWER, *files], env=self.environment, stdin=subprocess.DEVNULL)
        self.family = set()

    def __enter__(self):
        try:
            self.window = wait_for("a window", self.find_window)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, kind, *unused):
        if kind:
            self.process.kill()
            self.process.wait()
        else:
            self.quit()

    def tool(self, *arguments):
        done = subprocess.run(["xdotool", *arguments], env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=PATIENCE, check=False)
        return done.stdout.decode().strip()

    def find_window(self):
        expect(self.process.poll() is None, "the viewer has ended")
        return self.tool("search", "--onlyvisible", "--pid", str(self.process.pid))

    def title(self):
        return self.tool("getwindowname", self.window)

    def wait_title(self, pattern, limit=PATIENCE):
        """What is in the window when the title changes is what the title says."""
        try:
            return wait_for(pattern, lambda: re.search(pattern, self.title()), limit)
        except AssertionError as error:
            raise AssertionError(f"{error}: the title is {self.title()!r}") from error

    def keys(self, *names):
        self.tool("key", *names)

    def picture(self):
        """What the window shows, as a Pillow image."""
        data = subprocess.run(["xwd", "-silent", "-id", self.window], env=self.environment, stdout=subprocess.PIPE,
                              timeout=PATIENCE, check=True).stdout
        header = struct.unpack(">25I", data[:100])
        size, width, height, order, bits, stride, colors = (header[i] for i in (0, 4, 5, 7, 11, 12, 19))
        expect((order, bits) == (0, 32), "an X server with other pixels")
        pixels = data[size + 12 * colors:]
        return pillow().frombuffer("RGB", (width, height), pixels, "raw", "BGRX", stride, 1)

    def watch(self, seconds):
        """The colours in the middle of the window, each with the times between which it was there."""
        with Eye(self.environment["DISPLAY"], int(self.window)) as eye:
            end = time.monotonic() + seconds
            seen = [eye.look()]
            while seen[-1][1] < end:
                time.sleep(0.005)
                seen.append(eye.look())
        return seen

    def quit(self, key="q"):
        if self.process.returncode is not None:
            return
        self.family |= descendants(self.process.pid)
        self.keys(key)
        expect(self.process.wait(PROMPT) == 0, f"the viewer ended with {self.process.returncode}")
        expect_gone(self.family)


class Eye:
    """Looks at one pixel of a window, often: a picture of all of it takes too long."""

    def __init__(self, display, window):
        self.x11 = ctypes.CDLL("libX11.so.6")
        self.x11.XOpenDisplay.restype = self.x11.XGetImage.restype = ctypes.c_void_p
        self.x11.XGetPixel.restype = ctypes.c_ulong
        self.display = ctypes.c_void_p(self.x11.XOpenDisplay(display.encode()))
        self.window = window
        expect(self.display, "no connection to the X server")

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.x11.XCloseDisplay(self.display)

    def look(self):
        all_planes, whole_pixels = ctypes.c_ulong(-1), 2
        before = time.monotonic()
        image = ctypes.c_void_p(self.x11.XGetImage(self.display, self.window, WINDOW[0] // 2, WINDOW[1] // 2, 1, 1,
                                                   all_planes, whole_pixels))
        after = time.monotonic()
        expect(image, "the X server gives no picture")
        pixel = self.x11.XGetPixel(image, 0, 0)
        self.x11.XDestroyImage(image)
        return before, after, (pixel >> 16 & 255, pixel >> 8 & 255, pixel & 255)


def still_there(pids):
    """Those of the processes that have not ended.  Brokers are this process's to reap."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return {pid for pid in pids if os.path.exists(f"/proc/{pid}")}


def expect_gone(pids):
    left = still_there(pids)
    expect(not left, f"processes left behind: {left}")


def reference(path):
    with pillow().open(path) as image:
        return image.convert("RGB")


def middle(image, size=WINDOW):
    """What a window shows of a larger picture at 1:1."""
    left, top = (int((image.size[i] - size[i]) / 2 + 0.5) for i in (0, 1))
    return image.crop((left, top, left + size[0], top + size[1]))


def place(image, size=WINDOW):
    """Where in the window a smaller picture is at 1:1."""
    left, top = (int((size[i] - image.size[i]) / 2 + 0.5) for i in (0, 1))
    return (left, top, left + image.size[0], top + image.size[1])


def expect_same(shown, wanted, what="the pixels"):
    expect(shown.size == wanted.size, f"{what}: {shown.size} instead of {wanted.size}")
    if shown.tobytes() != wanted.tobytes():
        from PIL import ImageChops
        box = ImageChops.difference(shown, wanted).getbbox()
        raise AssertionError(f"{what} differ in {box}")


def glyphs():
    """The viewer's own shapes, so that a test can read what it wrote."""
    with open("samples/viewer_font.h", encoding="ascii") as stream:
        rows = re.findall(r"\{ ((?:0x.., ){12}0x..) \}", stream.read())
    expect(len(rows) == 95, "the font is not as expected")
    return {tuple(int(byte, 16) for byte in row.split(", ")): chr(32 + i) for i, row in enumerate(rows)}


def read_line(image, left, top, scale, color, letters):
    """Reads a line of text of one colour."""
    text = ""
    for x in range(left, image.size[0] - 8 * scale, 8 * scale):
        shape = tuple(
            sum(0x80 >> column for column in range(8)
                if image.getpixel((x + column * scale + scale // 2, top + row * scale + scale // 2)) == color)
            for row in range(13))
        text += letters.get(shape, "?")
    return text.rstrip(" ")


def read_card(image, lines=1):
    """The parts of the card: verdict, reason, which takes so many lines, and name."""
    edge = next((i for i, pixel in enumerate(image.getdata()) if pixel == EDGE), None)
    expect(edge is not None, "there is no card")
    left, top = edge % image.size[0] + 22, edge // image.size[0] + 22
    letters = glyphs()
    inside = image.crop((0, 0, image.size[0] - edge % image.size[0] - 2, image.size[1]))
    reason = [read_line(inside, left, top + 64 + 31 * i, 2, TEXT, letters) for i in range(lines)]
    name = read_line(inside, left, top + 84 + 31 * lines, 2, TEXT, letters)
    return [read_line(inside, left, top, 3, HEADING, letters), " ".join(reason), name]


def read_corner(image):
    """What is said at the lower left of a picture that is not all there yet."""
    return read_line(image, 20, image.size[1] - 46, 2, PLAIN, glyphs())


def stall(folder, data):
    """A pipe with a name that gives some bytes and then no more; returns its path and a function that opens it."""
    path = folder("stalls")
    os.mkfifo(path)

    def feed():
        writer = os.open(path, os.O_WRONLY)
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            rest = memoryview(data)
            end = time.monotonic() + PROMPT
            while rest and time.monotonic() < end:
                try:
                    rest = rest[os.write(writer, rest):]
                except BlockingIOError:
                    time.sleep(0.01)
        expect(not rest, "the viewer does not read")
        return writer

    return path, feed


def using_processor(viewer):
    """A process below the viewer that has used a fifth of a second of processor time, or None."""
    for pid in descendants(viewer.process.pid):
        with contextlib.suppress(OSError):
            if int(read(f"/proc/{pid}/stat").rsplit(b")", 1)[1].split()[11]) >= os.sysconf("SC_CLK_TCK") // 5:
                return pid
    return None


def covered(start, end, limit):
    """The pixels that an interval covers, and how much of each."""
    end = min(end, limit)
    return [(i, min(i + 1, end) - max(i, start)) for i in range(int(start), math.ceil(end))]


def main_on_display():
    """Runs the tests on an X server of their own; returns the status to end with."""
    become_subreaper()
    try:
        Display.running = Display()
    except FileNotFoundError as missing:
        print(f"skip all: {missing}")
        return 0
    try:
        return main()
    finally:
        Display.running.close()
