# SPDX-License-Identifier: MIT
"""A virtual machine with Debian's kernel, an initial file system that holds what the tests need, and QEMU's eyes on its
screen.  Nothing is accelerated, so it runs wherever QEMU does."""

import glob
import json
import os
import re
import shutil
import socket
import subprocess
import time

BOOT_LIMIT = 180  # seconds; it takes 5
ANSWER_LIMIT = 60


def libraries_of(path):
    """The shared libraries that a program or module loads, and the dynamic linker."""
    found = subprocess.run(["ldd", path], stdout=subprocess.PIPE, check=True).stdout.decode()
    return re.findall(r"(/\S+) \(0x", found)


def module_needs(path):
    """The names of the kernel modules that one needs."""
    with open(path, "rb") as stream:
        found = re.search(rb"\0depends=([^\0]*)\0", stream.read())
    return [name for name in found.group(1).decode().split(",") if name]


class InitialFiles:
    """An archive in the "newc" format of cpio, which the kernel unpacks."""

    def __init__(self):
        self._entries = {}

    def add(self, name, data, mode=0o100755):
        folder = os.path.dirname(name)
        if folder and folder not in self._entries:
            self.add(folder, b"", 0o40755)
        self._entries[name] = (mode, data)

    def add_file(self, path, name=None):
        with open(path, "rb") as stream:
            self.add((name or path).lstrip("/"), stream.read())

    def add_program(self, path, name):
        self.add_file(path, name)
        for library in libraries_of(path):
            self.add_file(library)

    def add_tree(self, folder):
        for parent, _, names in os.walk(folder):
            for name in names:
                self.add_file(os.path.join(parent, name))

    def write(self, path):
        with open(path, "wb") as stream:
            entries = [*self._entries.items(), ("TRAILER!!!", (0, b""))]
            for number, (name, (mode, data)) in enumerate(entries, 1):
                fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
                header = b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
                stream.write(header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4))


class Kernel:
    def __init__(self, folder):
        self.image = glob.glob(os.path.join(folder, "boot/vmlinuz-*"))[0]
        paths = glob.glob(os.path.join(folder, "lib/modules/**/*.ko"), recursive=True)
        self._modules = {os.path.basename(path)[:-3].replace("-", "_"): path for path in paths}

    def modules(self, *wanted):
        """The paths of modules and all that they need, in the order in which they are loaded."""
        order = []
        for name in wanted:
            path = self._modules[name.replace("-", "_")]
            for needed in [*self.modules(*module_needs(path)), path]:
                if needed not in order:
                    order.append(needed)
        return order


class Machine:
    """Runs while the `with` block does.  `folder` gets its sockets and logs."""

    def __init__(self, folder, kernel, files, command_line="", arguments=(), graphics="std"):
        self.folder = folder
        self._line = self._monitor = None
        self._kernel, self._files = kernel, files
        self._command_line, self._arguments, self._graphics = command_line, arguments, graphics

    def path(self, name):
        return os.path.join(self.folder, name)

    def _connect(self, name, limit):
        end = time.monotonic() + limit
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(self.path(name))
                connection.settimeout(limit)
                return connection.makefile("rwb", buffering=0)
            except OSError:
                connection.close()
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self._files.write(self.path("initrd"))
        command = [
            "qemu-system-x86_64", "-accel", "tcg", "-m", "256", "-nodefaults", "-no-reboot", "-display", "none",
            "-vga", self._graphics, "-kernel", self._kernel.image, "-initrd", self.path("initrd"),
            "-append", f"console=ttyS0 quiet panic=-1 vt.global_cursor_default=0 {self._command_line}",
            "-serial", f"file:{self.path('kernel.log')}",
            "-chardev", f"socket,id=line,path={self.path('line')},server=on,wait=on",
            "-serial", "chardev:line", "-qmp", f"unix:{self.path('monitor')},server=on,wait=off", *self._arguments
        ]
        with open(self.path("qemu.log"), "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
        try:
            self._line = self._connect("line", BOOT_LIMIT)
            self._monitor = self._connect("monitor", ANSWER_LIMIT)
            self._monitor.readline()
            self.monitor("qmp_capabilities")
            answer = self._line.readline()
            if answer != b"ready\n":
                raise RuntimeError(f"the machine says {answer!r}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        for stream in (self._line, self._monitor):
            if stream:
                stream.close()
        self.process.kill()
        self.process.wait()

    def log(self):
        with open(self.path("kernel.log"), "rb") as stream:
            return stream.read().decode(errors="replace")

    def monitor(self, command, **arguments):
        self._monitor.write(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = json.loads(self._monitor.readline())
            if "error" in answer:
                raise RuntimeError(f"{command}: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    def _tell(self, *words):
        self._line.write((" ".join(words) + "\n").encode())

    def ask(self, *words):
        """Tells the machine's first process to do something; returns what it answers."""
        self._tell(*words)
        return self._line.readline().decode().strip()

    def order(self, *words):
        answer = self.ask(*words)
        if answer != "ok":
            raise RuntimeError(f"{' '.join(words)}: {answer}\n{self.log()}")

    def load(self, *modules):
        for path in self._kernel.modules(*modules):
            self.order("load", "/modules/" + os.path.basename(path))

    def press(self, *keys):
        self.monitor("send-key", keys=[{"type": "qcode", "data": key} for key in keys])

    def screen(self):
        """The size of what is shown, and its RGB pixels."""
        self.monitor("screendump", filename=self.path("screen.ppm"))
        with open(self.path("screen.ppm"), "rb") as stream:
            header, size, _, pixels = stream.read().split(b"\n", 3)
        width, height = map(int, size.split())
        if header != b"P6" or len(pixels) != width * height * 3:
            raise RuntimeError("no picture of the screen")
        return (width, height), pixels

    def switch_off(self):
        """Ends the machine in order, so that its devices' files are complete."""
        self._tell("off")
        self.process.wait(ANSWER_LIMIT)
