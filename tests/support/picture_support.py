# SPDX-License-Identifier: MIT
"""What tests of pictures share: pixels and information of a file, by its path or as bytes, and what other tools make."""

import json
import subprocess

from cli_support import Skip, expect_status, run


def _run(source, *arguments):
    done = run(*arguments, input=source) if isinstance(source, bytes) else run(*arguments, source)
    expect_status(done, 0)
    return done.stdout


def pixels(source, pixel_format="rgba", *options):
    return _run(source, "-q", "-p", pixel_format, *options)


def info(source, *options):
    return json.loads(_run(source, "--info", *options))


def tool(*command, data=b""):
    try:
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout
    except FileNotFoundError as error:
        raise Skip(f"{command[0]} is not installed") from error
