# SPDX-License-Identifier: MIT
"""Runs commands in turns, and keeps the results."""

import os
import statistics
import subprocess
import threading
import time


def once(command):
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False, check=False)
    return time.perf_counter() - start, done.returncode


def runs(command):
    try:
        return once(command)[1] == 0
    except OSError:
        return False


def resident_most(pid):
    """Bytes, the high-water mark; 0 when the process is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as stream:
            for line in stream:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def peak_memory(command):
    """The sum of what the command and its children had resident at most, looked up while it runs."""
    peaks = {}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        done = threading.Event()

        def watch():
            while not done.is_set():
                pids = [process.pid]
                try:
                    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as stream:
                        pids += [int(word) for word in stream.read().split()]
                except OSError:
                    pass
                for pid in pids:
                    peaks[pid] = max(peaks.get(pid, 0), resident_most(pid))
                time.sleep(0.05)

        watcher = threading.Thread(target=watch)
        watcher.start()
        process.wait()
        done.set()
        watcher.join()
    return sum(peaks.values())


class Results:
    """Pairs of figures, theirs and ours, and single figures."""

    def __init__(self):
        self.pairs = []
        self.notes = []

    def add(self, name, theirs, ours, unit):
        self.pairs.append({"name": name, "theirs": theirs, "ours": ours, "unit": unit, "ratio": ours / theirs})

    def note(self, name, value, unit):
        self.notes.append({"name": name, "value": value, "unit": unit})

    def compare(self, name, theirs, ours, rounds):
        """Wall-clock time of whole commands, start included, output to /dev/null."""
        if not runs(theirs) or not runs(ours):
            print(f"skip {name}: it does not run here")
            return
        times = ([], [])
        for _ in range(rounds):
            for command, list_of_times in zip((theirs, ours), times):
                list_of_times.append(once(command)[0])
        self.add(name, *(statistics.median(part) * 1000 for part in times), "ms")

    def print(self):
        machine = self.as_dictionary()["machine"]
        print(f"{machine['processors']} processors, {machine['kernel']}\n")
        print("| what | theirs | ours | ratio |\n| --- | --- | --- | --- |")
        for pair in self.pairs:
            print(f"| {pair['name']} | {pair['theirs']:.2f} {pair['unit']} | {pair['ours']:.2f} {pair['unit']} | "
                  f"{pair['ratio']:.2f} |")
        print("\n| what | value |\n| --- | --- |")
        for note in self.notes:
            print(f"| {note['name']} | {note['value']:.0f} {note['unit']} |")

    def as_dictionary(self):
        return {"machine": {"processors": os.cpu_count(), "kernel": os.uname().release}, "pairs": self.pairs,
                "figures": self.notes}
