# SPDX-License-Identifier: MIT
"""What a decoder that was taken over finds when it searches all of its memory."""

import os
import secrets
import struct
import time

from ways import Run, last_line, library_results

AT_RANDOM = 25


def token():
    """Something that occurs nowhere by chance."""
    return "planted" + secrets.token_hex(12)


def random_bytes(pid, program):
    """The bytes from which a process made its stack canary and its pointer guard, once it runs this program."""
    while not os.readlink(f"/proc/{pid}/exe").endswith(program):
        time.sleep(0.001)
    vector = {}
    while AT_RANDOM not in vector:  # it is still being executed
        with open(f"/proc/{pid}/auxv", "rb") as stream:
            vector = dict(struct.iter_unpack("QQ", stream.read()))
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        return os.pread(memory.fileno(), 16, vector[AT_RANDOM])


def canary(pid, program=""):
    """The stack canary but for its lowest byte, which is zero in all of them."""
    return random_bytes(pid, program)[1:8]


class Secrets:
    """Named secrets, in the order in which the decoder is told to look for them.  The first is one that it must find:
    it is in its input, so that a search that sees nothing is not taken for a success."""

    def __init__(self):
        self.names, self.values = ["control"], [token().encode()]

    def add(self, name, value):
        self.names.append(name)
        self.values.append(value if isinstance(value, bytes) else value.encode())

    def command(self):
        """In hexadecimal, so that the list itself is not found."""
        return f"HOSTBYT search {' '.join(value.hex() for value in self.values)} - {self.values[0].decode()}"

    def found(self, answer):
        """What the decoder's answer means."""
        if not answer.startswith("found: 0"):
            return f"nothing was searched: {answer[:40]}"
        names = [self.names[int(index)] for index in answer.split()[2:]]
        return f"found: {', '.join(names)}" if names else "nothing found"


def one_input(build, prefix=()):
    """The command line, which is its own broker, on one input."""
    hunted, argument, variable = Secrets(), token(), token()
    path = os.path.join(build.scratch, argument)

    def command(process):
        hunted.add("the command line's canary", canary(process.pid, "/safe-decode"))
        return hunted.command().encode()

    hunted.add("its arguments", argument)
    hunted.add("its environment", variable)
    run = Run(build, [*prefix, build.program("safe-decode"), "-q", "--memory", str(32 << 20), "-o", path],
              before_input=command, env={"SECRET": variable})
    if run.status:
        return f"status {run.status}: {run.errors!r}"
    with open(path, "rb") as stream:
        return hunted.found(last_line(stream.read()))


def several_inputs(build, prefix=()):
    """The command line on three inputs, of which the last looks for the others."""
    hunted, names, content, pixels, variable = Secrets(), token(), token(), token(), token()
    hunted.add("another input", content)
    hunted.add("another's pixels", pixels)
    hunted.add("the arguments", names)
    hunted.add("the environment", variable)
    inputs = []
    for index, text in enumerate((f"HOSTBYT echo {content}", f"HOSTILE paint {pixels}", hunted.command())):
        inputs.append(os.path.join(build.scratch, f"{names}-{index}.hostile"))
        with open(inputs[-1], "w", encoding="ascii") as stream:
            stream.write(text)
    outputs = os.path.join(build.scratch, f"outputs-{names}")
    run = Run(build, [*prefix, build.program("safe-decode"), "-q", "-j", "1", "--memory", str(32 << 20), "--output-dir",
                      outputs, *inputs], env={"SECRET": variable})
    if run.status:
        return f"status {run.status}: {run.errors!r}"
    written = []
    for name in sorted(os.listdir(outputs)):
        with open(os.path.join(outputs, name), "rb") as stream:
            written.append(stream.read())
    # Otherwise nobody would know where to look for it.
    if content.encode() not in written[0] or pixels.encode() not in written[1]:
        return "the others gave something else"
    return hunted.found(last_line(written[2]))


def broker_of(pid):
    """The one child of a process, once there is one that is past its exec."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as stream:
            children = stream.read().split()
        if children and os.readlink(f"/proc/{children[0]}/exe").endswith("safe-decode-broker"):
            return int(children[0])
        time.sleep(0.01)
    raise TimeoutError("no broker")


def library(build, way, prefix=()):
    """The library: its caller is another process than the one that forks the decoders."""
    hunted, argument, variable, content, pixels = Secrets(), token(), token(), token(), token()

    def command(process):
        process.stdin.write(f"HOSTBYT echo {content}\nHOSTILE paint {pixels}\n".encode())
        process.stdin.flush()
        hunted.add("the caller's canary", canary(process.pid, "/prove-library"))
        hunted.add("the broker's canary", canary(broker_of(process.pid)))
        return f"{hunted.command()}\n".encode()

    hunted.add("the caller's arguments and heap", argument)
    hunted.add("the caller's environment", variable)
    hunted.add("another decode's input and output", content)
    hunted.add("another decode's pixels", pixels)
    run = Run(build, [*prefix, build.program("prove-library"), way, f"memory={32 << 20}", f"secret={argument}"],
              before_input=command, env={"SECRET": variable})
    results = library_results(build, run)
    if results[:-1] != [f"ok: {content}", "ok"]:
        return f"the others gave something else: {results}"
    return hunted.found(results[-1].removeprefix("ok: "))


def run_all(build, table):
    table.section("What is found in all of the decoder's memory")
    try:
        canary(os.getpid())
    except OSError as error:
        table.note(f"the canaries of processes cannot be read here, so this is not tried: {error}")
        return
    for where, prefix in (("", ()), (", in a container", build.foreign())):
        table.row("arguments, environment, heap, canaries, other decodes" + where, "nothing found",
                  one_input(build, prefix), library(build, "call", prefix), library(build, "stream", prefix))
        table.row("the same, as the last of three inputs" + where, "nothing found", several_inputs(build, prefix), None,
                  None)
