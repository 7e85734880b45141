#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""docs/deploy.md: what it shows is run, as far as that is possible without the systems that it is for.

    tests/cli/deploy_test.py BUILD_FOLDER
"""

import errno
import functools
import glob
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys

from cli_support import (BUILD, GZIP, PHOTO, PROGRAM, SCREENSHOT, TIME_LIMIT, TONE, Folder, Skip, expect,
                         expect_failure, expect_status, main, prctl, read, run, test)

PAGE = "docs/deploy.md"
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
UNDER_FILTER = os.path.join(os.path.dirname(PROGRAM), "tests/bin-hostile/under-filter")


def snippet(kind):
    """The fenced block whose first line ends with this word."""
    found = re.findall(rf"^```\w+ {kind}\n(.*?)^```$", read(PAGE).decode(), re.MULTILINE | re.DOTALL)
    expect(len(found) == 1, f"{len(found)} blocks of {kind}")
    return found[0]


def expect_postures(output, count):
    postures = [json.loads(line) for line in output.splitlines()]
    expect(len(postures) == count, f"{len(postures)} postures instead of {count}")
    for posture in postures:
        expect(posture["verified"] and posture["seccomp"] == "filter" and posture["no_new_privs"], posture)


def decodes_under(rules, **options):
    """One input, several of several kinds, and standard input, under a filter."""
    plain = run("-q", PHOTO).stdout

    def under(*arguments, **more):
        done = run(*rules, "--", PROGRAM, "-q", "--posture", *arguments, program=UNDER_FILTER, **options, **more)
        expect_status(done, 0)
        return done

    for done in (under(PHOTO), under(input=read(PHOTO))):
        expect(done.stdout == plain, "other pixels")
        expect_postures(done.stderr, 1)
    with Folder() as folder:
        expect_postures(under("-o", folder("photo.png"), PHOTO).stdout, 1)
        inputs = (PHOTO, SCREENSHOT, TONE, GZIP)
        expect_postures(under("--output-dir", folder("out"), *inputs).stdout, len(inputs))
        expect(len(os.listdir(folder("out"))) == len(inputs), "not all inputs")


# ---- systemd ----


@functools.cache
def system_calls(group):
    """What a group of systemd's stands for, as it says itself; groups that it does not know, it ignores in units."""
    if not shutil.which("systemd-analyze"):
        raise Skip("systemd-analyze is not installed")
    done = subprocess.run(["systemd-analyze", "syscall-filter", group], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False, timeout=TIME_LIMIT, text=True)
    words = [line.strip() for line in done.stdout.splitlines()[1:]]
    found = set()
    for word in (word for word in words if word and not word.startswith("#")):
        found |= system_calls(word) if word.startswith("@") else {word}
    return frozenset(found)


def rules_of_unit(unit):
    """The first SystemCallFilter= makes a list of what is allowed; "~" takes from it."""
    settings = re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE)
    allowed = set(system_calls("@default"))
    for name, value in settings:
        if name == "SystemCallFilter":
            listed = set()
            for word in value.lstrip("~").split():
                listed |= system_calls(word) if word.startswith("@") else {word}
            allowed = allowed - listed if value.startswith("~") else allowed | listed
    settings = dict(settings)
    action = getattr(errno, settings["SystemCallErrorNumber"]) if "SystemCallErrorNumber" in settings else "kill"
    rules = [f"*:{action}", *(f"{name}:allow" for name in sorted(allowed))]
    if "RestrictAddressFamilies" in settings:
        families = [getattr(socket, name) for name in settings["RestrictAddressFamilies"].split()]
        rules.remove("socket:allow")
        rules += [f"socket,0={family:d}:allow" for family in families]
    return rules


def deny_writable_code():
    """As MemoryDenyWriteExecute= does where the kernel has a call for it."""
    try:
        prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN)
    except OSError:
        pass


@test
def the_systemd_unit():
    unit = snippet("systemd")
    rules = rules_of_unit(unit)
    expect(len(rules) > 200, "systemd's lists are short")
    decodes_under(rules, preexec_fn=deny_writable_code if "MemoryDenyWriteExecute=yes" in unit else None)


@test
def the_systemd_unit_without_landlock():
    rules = [rule for rule in rules_of_unit(snippet("systemd")) if not rule.startswith("landlock_")]
    decodes_under(rules)


@test
def a_unit_that_refuses_processes():
    """That the rules are in force."""
    rules = [rule for rule in rules_of_unit(snippet("systemd")) if not re.match(r"clone3?:|v?fork:", rule)]
    done = run(*rules, "--", PROGRAM, "-q", PHOTO, program=UNDER_FILTER)
    expect_status(done, 6)


# ---- Docker ----


def rules_of_profile(profile):
    def action(entry, what, number):
        return {"SCMP_ACT_ALLOW": "allow", "SCMP_ACT_ERRNO": str(entry.get(number, 1))}[entry[what]]

    rules = [f"*:{action(profile, 'defaultAction', 'defaultErrnoRet')}"]
    for entry in profile["syscalls"]:
        expect(not entry.get("args"), "conditions are not looked at here")
        rules += [f"{name}:{action(entry, 'action', 'errnoRet')}" for name in entry["names"]]
    return rules


@test
def the_docker_profile():
    rules = rules_of_profile(json.loads(snippet("docker-seccomp")))
    expect(rules[0] == "*:1", rules[0])
    decodes_under(rules)


# ---- bubblewrap ----


def bubblewrap(drop=()):
    """The command with the program of this build, and a picture.  `drop`: words to leave out."""
    if not shutil.which("bwrap"):
        raise Skip("bwrap is not installed")
    if subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"], check=False, timeout=TIME_LIMIT,
                      stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("namespaces may not be made here")
    words = [word for word in shlex.split(snippet("bubblewrap").replace("\\\n", " ")) if word not in drop]
    at = words.index("/usr/bin/safe-decode")
    words[at:at + 1] = ["--ro-bind", os.path.dirname(PROGRAM), "/build", "/build/safe-decode"]
    words[words.index("picture.jpg")] = PHOTO
    return run(*words[1:], program=words[0])


@test
def the_bubblewrap_command():
    done = bubblewrap()
    expect_status(done, 0)
    expect(done.stdout == run("-q", PHOTO).stdout, "other pixels")
    expect(json.loads(done.stderr)["verified"], done.stderr)


@test
def bubblewrap_without_proc():
    expect_failure(bubblewrap(drop=("--proc", "/proc")), 6)


# ---- what is said ----


@test
def messages_are_those_of_the_program():
    sources = "".join(read(name).decode() for name in glob.glob("broker/**/*.[ch]", recursive=True))
    table = read(PAGE).decode().split("## What went wrong", 1)[1]
    messages = re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)
    expect(len(messages) > 10, "no table")
    # "…" stands for what differs.
    missing = [message for message in messages if any(part not in sources for part in message.split("…"))]
    expect(not missing, f"nobody says {missing}")


if __name__ == "__main__":
    expect(os.path.isdir(BUILD), f"no folder {BUILD}")
    sys.exit(main())
