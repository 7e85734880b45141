# SPDX-License-Identifier: MIT
"""A tree that `make install` has filled, for as long as a test needs it."""

import os
import subprocess
import tempfile

from cli_support import BUILD, Skip

PREFIX = "/usr/local"  # the default, so that nothing need be built anew


def instrumented():
    with open(os.path.join(BUILD, "flags"), encoding="utf-8") as flags:
        text = flags.read()
    return "-fsanitize" in text or "-fprofile" in text


def make(*arguments):
    subprocess.run(["make", "-s", f"BUILD={BUILD}", *arguments], check=True, stdout=subprocess.DEVNULL, timeout=300)


class Installed:
    """A tree that lives as long as a with statement."""

    def __enter__(self):
        if instrumented():
            raise Skip("a build that watches itself is not for installation")
        self.folder = tempfile.TemporaryDirectory()
        self.root = self.folder.name
        make("install", f"DESTDIR={self.root}")
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def path(self, *names):
        return os.path.join(self.root + PREFIX, *names)

    def flags(self, *options):
        environment = dict(os.environ, PKG_CONFIG_LIBDIR=self.path("lib/pkgconfig"), PKG_CONFIG_SYSROOT_DIR=self.root)
        found = subprocess.run(["pkg-config", *options, "safe-decode"], env=environment, check=True, capture_output=True)
        return found.stdout.decode().split()

    def compile(self, compiler, source, *options):
        program = os.path.join(self.root, "program")
        subprocess.run([compiler, "-Wall", "-Wextra", "-Werror", "-o", program, source, *options], check=True)
        return program

    def run(self, program, *arguments, **options):
        environment = dict(os.environ, LD_LIBRARY_PATH=self.path("lib"))
        return subprocess.run([program, *arguments], env=environment, capture_output=True, timeout=60, check=False, **options)
