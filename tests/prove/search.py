# SPDX-License-Identifier: MIT
"""What a decoder that was taken over finds when it searches all of its memory."""

import os
import secrets
import subprocess
import time

from ways import Run, last_line, library_results

BROKER = "/decoders/hostile"


def token():
    """Something that occurs nowhere by chance."""
    return "planted" + secrets.token_hex(12)


def below(pid, program):
    """The first process below one, or the process itself, that runs this program, once there is one past its exec."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        reached = [pid]
        for one in reached:
            try:
                with open(f"/proc/{one}/task/{one}/children", encoding="ascii") as stream:
                    reached += map(int, stream.read().split())
                # A broker has replaced its guards by the time that it has decoders.
                if os.readlink(f"/proc/{one}/exe").endswith(program) and (program != BROKER or reached[-1] != one):
                    return one
            except OSError:  # it has ended
                pass
        time.sleep(0.01)
    raise TimeoutError(f"no {program}")


def guards(build, pid):
    """The stack canary of a process, but for its lowest byte, which is zero in all of them; and its pointer guard.  The
    dynamic linker makes them some time after the program has been executed."""
    command = [build.program("inject"), str(pid), "guards"]
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        if shown:
            canary, pointer_guard = map(bytes.fromhex, shown)
            return canary[1:], pointer_guard
        time.sleep(0.01)
    raise TimeoutError("no guards")


class Secrets:
    """Named secrets, in the order in which the decoder is told to look for them.  The first is one that it must find:
    it is in its input, so that a search that sees nothing is not taken for a success."""

    def __init__(self):
        self.names, self.values = ["control"], [token().encode()]

    def add(self, name, value):
        self.names.append(name)
        self.values.append(value if isinstance(value, bytes) else value.encode())

    def add_guards(self, build, whose, pid, program):
        canary, pointer_guard = guards(build, below(pid, program))
        self.add(f"{whose}'s canary", canary)
        self.add(f"{whose}'s pointer guard", pointer_guard)

    def command(self):
        """In hexadecimal, so that the list itself is not found."""
        return f"HOSTBYT search {' '.join(value.hex() for value in self.values)} - {self.values[0].decode()}"

    def found(self, answer):
        """What the decoder's answer means."""
        if not answer.startswith("found: 0"):
            return f"nothing was searched: {answer[:40]}"
        names = [self.names[int(index)] for index in answer.split()[2:]]
        return f"found: {', '.join(names)}" if names else "nothing found"


def environment(hunted):
    """With secrets, of which one is what the dynamic linker reads."""
    values = {"SECRET": token(), "LD_LIBRARY_PATH": f"/{token()}"}
    for name, value in values.items():
        hunted.add(f"the caller's {name}", value)
    return values


def one_input(build, prefix=()):
    """The command line, which executes its decoder, on one input."""
    hunted, argument = Secrets(), token()
    path = os.path.join(build.scratch, argument)

    def command(process):
        hunted.add_guards(build, "the command line", process.pid, "/safe-decode")
        return hunted.command().encode()

    hunted.add("its arguments", argument)
    run = Run(build, [*prefix, build.program("safe-decode"), "-q", "--memory", str(32 << 20), "-o", path],
              before_input=command, env=environment(hunted))
    if run.status:
        return f"status {run.status}: {run.errors!r}"
    with open(path, "rb") as stream:
        return hunted.found(last_line(stream.read()))


def several_inputs(build, prefix=()):
    """The command line on three inputs, of which the last looks for the others."""
    hunted, names, content, pixels = Secrets(), token(), token(), token()
    hunted.add("another input", content)
    hunted.add("another's pixels", pixels)
    hunted.add("the arguments", names)
    inputs = []
    for index, text in enumerate((f"HOSTBYT echo {content}", f"HOSTILE paint {pixels}")):
        inputs.append(os.path.join(build.scratch, f"{names}-{index}.hostile"))
        with open(inputs[-1], "w", encoding="ascii") as stream:
            stream.write(text)
    outputs = os.path.join(build.scratch, f"outputs-{names}")

    def command(process):
        for whose, program in (("the command line", "/safe-decode"), ("the starter", "/safe-decode-starter"),
                               ("the broker", BROKER)):
            hunted.add_guards(build, whose, process.pid, program)
        return hunted.command().encode()

    run = Run(build, [*prefix, build.program("safe-decode"), "-q", "-j", "1", "--memory", str(32 << 20), "--output-dir",
                      outputs, *inputs, "-"], before_input=command, env=environment(hunted))
    if run.status:
        return f"status {run.status}: {run.errors!r}"
    written = []
    for name in sorted(os.listdir(outputs), key=lambda name: (names not in name, name)):
        with open(os.path.join(outputs, name), "rb") as stream:
            written.append(stream.read())
    # Otherwise nobody would know where to look for it.
    if content.encode() not in written[0] or pixels.encode() not in written[1]:
        return "the others gave something else"
    return hunted.found(last_line(written[2]))


def library(build, way, prefix=()):
    """The library: its caller is another process than the one that forks the decoders."""
    hunted, argument, content, pixels = Secrets(), token(), token(), token()

    def command(process):
        process.stdin.write(f"HOSTBYT echo {content}\nHOSTILE paint {pixels}\n".encode())
        process.stdin.flush()
        hunted.add_guards(build, "the caller", process.pid, "/prove-library")
        hunted.add_guards(build, "the broker", process.pid, BROKER)
        return f"{hunted.command()}\n".encode()

    hunted.add("the caller's arguments and heap", argument)
    hunted.add("another decode's input and output", content)
    hunted.add("another decode's pixels", pixels)
    run = Run(build, [*prefix, build.program("prove-library"), way, f"memory={32 << 20}", f"secret={argument}"],
              before_input=command, env=environment(hunted))
    results = library_results(build, run)
    if results[:-1] != [f"ok: {content}", "ok"]:
        return f"the others gave something else: {results}"
    return hunted.found(results[-1].removeprefix("ok: "))


def run_all(build, table):
    table.section("What is found in all of the decoder's memory")
    bystander = subprocess.Popen(["sleep", "60"])
    try:
        guards(build, below(bystander.pid, "sleep"))
    except (subprocess.CalledProcessError, TimeoutError) as error:
        table.note(f"the guards of processes cannot be read here, so this is not tried: {error}")
        return
    finally:
        bystander.kill()
        bystander.wait()
    for where, prefix in (("", ()), (", in a container", build.foreign())):
        table.row("arguments, environment, heap, guards, other decodes" + where, "nothing found",
                  one_input(build, prefix), library(build, "call", prefix), library(build, "stream", prefix))
        table.row("the same, as the last of three inputs" + where, "nothing found", several_inputs(build, prefix), None,
                  None)
