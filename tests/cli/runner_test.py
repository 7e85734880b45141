#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What a run of the tests leaves behind that somebody interrupts: nothing.

    tests/cli/runner_test.py BUILD_FOLDER
"""

import os
import signal
import subprocess
import time

from cli_support import BUILD, TIME_LIMIT, Folder, expect, main, test

# They have files, processes in sessions of their own, mounts and brokers.
TESTS = ("output_model_test", "output_files_test", "library_faults_test", "cli_test", "play_test", "faults_test")


def processes_of(folder):
    """Those that were started with it in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                if f"RUN_IN={folder}".encode() in environment.read().split(b"\0"):
                    with open(f"/proc/{pid}/cmdline", "rb") as words:
                        found.append(words.read().replace(b"\0", b" ").decode())
        except OSError:
            pass
    return found


def wait_for(condition):
    for _ in range(100 * TIME_LIMIT):
        if condition():
            return True
        time.sleep(0.01)
    return False


def is_running(folder, name):
    return any(name in process and "tests/run" not in process for process in processes_of(folder))


def interrupt(name, number, seconds):
    with Folder() as folder:
        path = folder.path
        with subprocess.Popen(["tests/run", BUILD, name], env={**os.environ, "TMPDIR": path, "RUN_IN": path}, start_new_session=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            expect(wait_for(lambda: is_running(path, name)), name)
            time.sleep(seconds)
            os.killpg(process.pid, number)
            said, _ = process.communicate(timeout=TIME_LIMIT)
            expect(process.returncode == 130, (name, process.returncode, said))
        expect(wait_for(lambda: not processes_of(path)), (name, processes_of(path)))
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            expect(path not in mounts.read(), name)
        expect(os.listdir(path) == [], (name, os.listdir(path)))


@test
def an_interrupted_run_leaves_nothing():
    for name in TESTS:
        for number, seconds in ((signal.SIGINT, 0.3), (signal.SIGTERM, 1.2)):
            interrupt(name, number, seconds)


if __name__ == "__main__":
    main()
