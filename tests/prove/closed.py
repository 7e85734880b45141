# SPDX-License-Identifier: MIT
"""Systems on which the lock-down fails, in each of its steps, and systems that are unlike the one at hand.

A failure is made by a seccomp filter that is in force before the program starts: it lets one system call, with
particular arguments, fail, or say that it succeeded and do nothing.  The same filter kills whoever sends a byte of the
request or the input to a decoder: the trusted side does that by writev and splice, and by nothing else."""

import ctypes
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys

from table import WAYS
from ways import LIBRARY, SENT, STATUSES, Run, by_library, is_printable, library_results

PICTURE = "samples/jpeg/pjw-thumbnail.jpeg"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
SOME_GROUP = SOME_USER = 54321
TRAP = ["writev:kill", "splice:kill"]
EPERM, EIO, EAGAIN, EINVAL, EMFILE, ENOSYS = 1, 5, 11, 22, 24, 38
PROC = "no-sandbox: cannot ask the kernel about this process in /proc"
LIE = 0  # the call says that it succeeded, and does nothing
REFUSED = ("no-sandbox", "no-sandbox")
EXHAUSTED = ("io", "exhausted")  # nothing is wrong with the system, but it has no more to give

# Which forms of the program are tried.  One input of the command line has a decoder that was executed for it; in all
# others a broker forks them.
FORMS = ("one input", "several inputs", *WAYS[1:])
SINGLE, BROKERS = FORMS[:1], FORMS[1:]

# The C library may take random bytes from the vDSO, which asks the kernel for a key of 32 bytes in each new process.
NO_RANDOM = [f"getrandom,1=16:{ENOSYS}", f"getrandom,1=32:{ENOSYS}"]

# The system calls by which a process is made: what executes a program, and what forks a decoder.
EXECUTING, FORKING = "clone,0=0x5111", "clone,0=0x1011"

# Which call fails: a step of the preparation or the lock-down (broker/sandbox/sandbox_steps.h) or what comes before; what is
# said about it; where not all forms take that step, which; and how it ends, where that is not "no-sandbox".
STEPS = (
    ("the kernel does not know seccomp", [f"prctl,0=21:{EINVAL}"], "seccomp"),
    ("/proc cannot be checked", [f"fstatfs:{ENOSYS}"], "cannot ask the kernel"),
    ("no pipe can be made", [f"pipe2:{EPERM}"], "cannot make the decoder's pipes"),
    ("no pipe is left", [f"pipe2:{EMFILE}"], "cannot make the decoder's pipes", FORMS, EXHAUSTED),
    ("no socket can be made", [f"socketpair:{EPERM}"], "cannot make a socket"),
    ("no program can be started", [f"{EXECUTING}:{EPERM}"], "cannot start the decoder"),
    ("no process is left to start one", [f"{EXECUTING}:{EAGAIN}"], "cannot start the decoder", FORMS, EXHAUSTED),
    ("no process can be forked", [f"{FORKING}:{EPERM}"], "cannot fork a decoder", BROKERS),
    ("no process is left to fork", [f"{FORKING}:{EAGAIN}"], "no process or descriptor left", BROKERS, EXHAUSTED),
    ("it stays in its caller's process group", [f"setpgid:{EPERM}"], "cannot start the decoder"),
    ("it cannot be given its descriptors", [f"dup3,1=0:{EIO}"], "cannot start the decoder"),
    ("the caller's descriptors cannot be kept from it", [f"close_range,0=5:{ENOSYS}"], "cannot start the decoder"),
    ("no fresh canary", NO_RANDOM, "stack protector", BROKERS),
    ("its parent's death cannot be awaited", [f"prctl,0=1:{EINVAL}"], "die with its parent"),
    ("its parent is another process by then", [f"getppid:{EPERM}"], "die with its parent"),
    ("a signal's action cannot be reset", [f"rt_sigaction,0=31:{EPERM}"], "reset signals"),
    ("signals cannot be unblocked", [f"rt_sigprocmask,0=2,2=0:{EINVAL}"], "reset signals"),
    ("no out-of-memory score", ["openat,2=0x80001:13"], "raise its out-of-memory score"),
    ("the out-of-memory score cannot be written", [f"write,2=4:{EIO}"], "raise its out-of-memory score"),
    ("the out-of-memory score says it was written, and was not", [f"write,2=4:{LIE}"], "raise its out-of-memory score"),
    ("its own status cannot be handed over", [f"sendmsg,0=5:{EIO}"], "hand over its status", FORMS[:2]),
    ("its own status says it was handed over, and was not", [f"sendmsg,0=5:{LIE}"], "hand over its status", FORMS[:2]),
    ("descriptor 0 cannot be replaced", [f"dup2,1=0:{EMFILE}"], "take the two pipes"),
    ("descriptor 1 cannot be replaced", [f"dup2,1=1:{EMFILE}"], "take the two pipes"),
    ("descriptor 2 cannot be closed", [f"close,0=2:{EIO}"], "close everything else"),
    ("the others cannot be closed", [f"close_range,0=4:{ENOSYS}"], "close everything else"),
    ("descriptor 0 cannot be looked at", [f"fcntl,0=0,1=3:{EINVAL}"], "descriptors 0 and 1 are the two pipes"),
    ("descriptor 1 cannot be looked at", [f"fcntl,0=1,1=3:{EINVAL}"], "descriptors 0 and 1 are the two pipes"),
    ("descriptor 0 says it was replaced, and was not", [f"dup2,1=0:{LIE}"], "descriptors 0 and 1 are the two pipes"),
    ("descriptor 1 says it was replaced, and was not", [f"dup2,1=1:{LIE}"], "descriptors 0 and 1 are the two pipes"),
    *((f"no limit of {name}", [f"prlimit64,1={number},2!0:{EPERM}"], "set resource limits")
      for name, number in (("processor time", 0), ("file size", 1), ("stack", 3), ("core files", 4), ("processes", 6),
                           ("descriptors", 7), ("address space", 9))),
    ("privileges cannot be given up", [f"prctl,0=38:{EINVAL}"], "give up privileges"),
    ("it stays dumpable", [f"prctl,0=4:{EINVAL}"], "give up privileges"),
    ("its name cannot be changed", [f"prctl,0=15:{EINVAL}"], "wipe the environment and the arguments"),
    ("the dead stack cannot be dropped", [f"madvise,2=4:{EINVAL}"], "wipe the environment and the arguments", BROKERS),
    ("strict mode is refused", [f"prctl,0=22,1=1:{EPERM}"], "enter strict seccomp mode"),
    ("strict mode cannot be had, and no filter either", [f"prctl,0=22,1=2:{EINVAL}"], "with seccomp"),
    ("the time-stamp counter cannot be given up", [f"prctl,0=26:{EINVAL}"], "enter strict seccomp mode"),
    ("strict mode says yes, and is not in force", [f"prctl,0=22,1=1:{LIE}"], "the kernel does not confirm"),
    ("a filter says yes, and is not in force", [f"prctl,0=22,1=2:{LIE}"], "the kernel does not confirm"),
)

# What only root can see: others have no new privileges anyway, or they could install no filter.
ROOT_STEPS = (
    ("giving up privileges says yes, and is not so", [f"prctl,0=38:{LIE}"], "the kernel does not confirm"),
)

# The trusted side's own start.
OWN_STEPS = (
    ("the trusted side cannot filter itself", [f"prctl,0=22,1=2:{EPERM}"], "confine itself with seccomp"),
    ("no pidfd of the caller", [f"pidfd_open:{EPERM}"], "cannot start the starter", BROKERS),
    ("a broker cannot watch its children", [f"signalfd4:{EPERM}"], "cannot arrange signals", BROKERS),
    ("a broker has no timer", [f"timerfd_create:{EPERM}"], "cannot make what a broker needs", FORMS[1:3]),
)
LANDLOCK_STEPS = (
    ("Landlock takes no rules", [f"landlock_create_ruleset,0!0:{EINVAL}"], "confine itself with Landlock"),
    ("Landlock cannot be entered", [f"landlock_restrict_self:{EPERM}"], "confine itself with Landlock"),
)


def landlock_version():
    """What the kernel says of itself; 0: it has none."""
    return max(0, ctypes.CDLL(None).syscall(444, None, 0, 1))


def of_failure(run):
    """What a run of the command line says: its status, and the reason, which must be the same for all of its inputs."""
    if run.status == -signal.SIGSYS:
        return SENT
    if run.output:
        return "something was decoded"
    reasons = {re.sub(r"^safe-decode: (/\S+: )?", "", line) for line in run.errors.decode("latin-1").splitlines()
               if not line.startswith("{")}
    if not 0 < run.status < len(STATUSES) or not is_printable(run.errors) or len(reasons) != 1:
        return f"status {run.status}, {run.errors[:60]!r}"
    return f"{STATUSES[run.status]}: {reasons.pop()}"


def with_pictures(build, prefix, count):
    """Runs the command line on so many pictures: with one, it executes a decoder; with two, decoders come from brokers,
    and those from its starter."""
    return Run(build, [*prefix, build.program("safe-decode"), "-q", *[os.path.abspath(PICTURE)] * count], brisk=False)


def split(seen):
    """A status, and the reason behind it."""
    status, _, reason = seen.partition(": ")
    return status, reason


def by_form(only, command, library):
    """What is seen in those forms that are tried, else None.  `command` takes a number of pictures, `library` a way."""
    tries = [lambda: command(1), lambda: command(2), *(lambda way=way: library(way) for way in LIBRARY)]
    return [one() if form in only else None for form, one in zip(FORMS, tries)]


def judge(table, name, wanted, part, seen):
    """A row of statuses, or of statuses and reasons, of which the first must have this part.  `wanted` is the status of
    the command line and of the library."""
    pairs = [one and split(one) for one in seen]
    reason = next(one[1] for one in pairs if one)
    cells = [one and (one[0] == (wanted[1].split(",")[0] if place > 1 else wanted[0]), one[0])
             for place, one in enumerate(pairs)]
    table.judged(name, " / ".join(dict.fromkeys(wanted)), *cells, (part in reason, reason))


def can_fail(build, rules):
    """Whether a filter sees these calls.  (Random bytes may come without one, from a page of the kernel's.)"""
    if not rules[0].startswith("getrandom,"):
        return True
    tried = Run(build, [build.program("under-filter"), *rules, "--", sys.executable, "-c", "import os; os.getrandom(16)"])
    return tried.status != 0


def run_step(build, table, name, rules, part, only=FORMS, wanted=REFUSED):
    """`only`: the forms which take that step."""
    if not can_fail(build, rules):
        table.note(f"not tried, for no filter sees it here: {name}")
        return
    prefix = [build.program("under-filter"), *TRAP, *rules, "--"]
    judge(table, name, wanted, part, by_form(
        only, lambda count: of_failure(with_pictures(build, prefix, count)),
        lambda way: by_library(build, way, ["HOSTILE picture 4 4"], prefix=prefix, brisk=False)[0]))


def run_steps(build, table):
    table.section("The lock-down fails: nothing is decoded, and no byte was sent", *FORMS, "what it says")
    # That the trap is one: without a failure, it kills the trusted side.
    prefix = [build.program("under-filter"), *TRAP, "--"]
    table.row("none of it fails, and so the input is sent into the trap", SENT,
              *by_form(FORMS, lambda count: of_failure(with_pictures(build, prefix, count)),
                       lambda way: by_library(build, way, ["HOSTILE picture 4 4"], prefix=prefix, brisk=False)[0]))
    for step in (*STEPS, *(ROOT_STEPS if os.getuid() == 0 else ()), *OWN_STEPS,
                 *(LANDLOCK_STEPS if landlock_version() else ())):
        run_step(build, table, *step)


# ---- systems ----


class Systems:
    """Where else it may have to work; and the programs, where everybody can execute them."""

    def __init__(self, build, table):
        self.build, self.table = build, table
        self.folder = os.path.join(build.scratch, "programs")
        os.chmod(build.scratch, 0o755)
        shutil.copytree(build.folder, self.folder)
        self.picture = shutil.copy(PICTURE, self.folder)
        self.pixels = Run(build, [build.program("safe-decode"), "-q", self.picture]).output

    def posture(self, run, count):
        """What a run with --posture on so many pictures says, and whether it decoded what it must."""
        if run.status:
            return of_failure(run)
        if run.output != self.pixels * count:
            return "ok, other pixels"
        seen = [json.loads(line) for line in run.errors.splitlines()]
        for one in seen:
            filters = one["inherited_filters"] + (one["seccomp"] == "filter")
            if not one["verified"] or not one["no_new_privs"] or one["filters"] != filters:
                return "ok, not verified"
        return "ok, " + " and ".join({one["seccomp"] for one in seen})

    def row(self, name, expected, prefix, *, programs=None, only=FORMS, library_status=None, **options):
        """`expected` is "ok, " and the mode, or "no-sandbox: " and a part of the reason.  `programs`: where they are
        found, where that is another folder.  `only`: the forms that are tried."""
        programs = programs or self.folder

        def command(count):
            pictures = [os.path.join(programs, os.path.basename(self.picture))] * count
            run = Run(self.build, [*prefix, os.path.join(programs, "safe-decode"), "-q", "--posture", *pictures],
                      brisk=False, **options)
            return self.posture(run, count)

        def library(way):
            run = Run(self.build, [*prefix, os.path.join(programs, "prove-library"), way], b"HOSTILE picture 4 4\n",
                      brisk=False, **options)
            return library_results(self.build, run)[0]

        status, part = split(expected)
        judge(self.table, name, (status, library_status or status), part, by_form(only, command, library))


def shell(script):
    """A prefix: runs the script, which goes on with the rest of the command."""
    return ["sh", "-c", script + ' && exec "$@"', "sh"]


def in_namespaces(*options):
    return ["unshare", *options, "--"]


def has_namespaces():
    tried = subprocess.run([*in_namespaces("-m", "-p", "-f"), "true"], check=False, stderr=subprocess.DEVNULL)
    return tried.returncode == 0


def chroot_folder(systems, with_proc):
    """A root folder with the programs and the libraries that they need."""
    root = os.path.join(systems.build.scratch, f"root-{with_proc}")
    os.makedirs(os.path.join(root, "proc"))
    shutil.copytree(systems.folder, os.path.join(root, "programs"))
    wanted = [os.path.join(systems.folder, name)
              for name in ("safe-decode", "prove-library", "safe-decode-starter", "decoders/jpeg",
                           "decoders/hostile")]
    listed = subprocess.run(["ldd", *wanted], check=True, capture_output=True, text=True).stdout
    for word in {word for word in listed.split() if word.startswith("/") and os.path.exists(word)}:
        os.makedirs(root + os.path.dirname(word), exist_ok=True)
        shutil.copy(word, root + word)
    os.mkdir(os.path.join(root, "dev"))
    with open(os.path.join(root, "dev/null"), "wb"):
        mount = f"mount --bind /dev/null {root}/dev/null"
    mount += f" && mount -t proc proc {root}/proc" if with_proc else ""
    return in_namespaces("-m") + shell(mount) + ["chroot", root]


# What Docker's default profile blocks, by its documentation, as far as x86-64 has it.
DOCKER = [f"{name}:{EPERM}" for name in
          "acct add_key bpf clock_adjtime clock_settime create_module delete_module finit_module get_kernel_syms "
          "get_mempolicy init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl lookup_dcookie mbind mount "
          "move_pages nfsservctl open_by_handle_at perf_event_open pivot_root process_vm_readv process_vm_writev "
          "ptrace query_module quotactl reboot request_key set_mempolicy setns settimeofday swapon swapoff sysfs "
          "umount2 unshare uselib userfaultfd ustat vmsplice io_uring_setup io_uring_enter io_uring_register".split()]

# System calls that older kernels do not have, and whether it can do without.
OLDER = (
    ("clone3, memfd_create, statx, io_uring", "ok, filter", ["clone3", "memfd_create", "statx", "io_uring_setup"]),
    ("splice", "ok, filter", ["splice"]),
    ("seccomp (3.17): strict mode and filters come by prctl", "ok, filter", ["seccomp"]),
    ("pidfd_open (5.3): one input needs none", "ok, filter", ["pidfd_open"], SINGLE),
    ("pidfd_open (5.3): brokers do", "no-sandbox: cannot start the starter", ["pidfd_open"], BROKERS),
    ("close_range (5.9)", "no-sandbox: cannot start the decoder", ["close_range"]),
)


def run_filtered(systems):
    filtered = systems.build.program("under-filter")
    systems.row("a container with Docker's default filter", "ok, filter", [filtered, *DOCKER, "--"])
    if os.getuid() == 0:
        systems.row("the same, as nobody", "ok, filter", [*NOBODY, filtered, *DOCKER, "--"])
    systems.row("two filters, one in the other", "ok, filter",
                [filtered, "swapon:1", "--", filtered, "swapoff:1", "--"])
    for names, expected, calls, *only in OLDER:
        systems.row(f"a kernel without {names}", expected, [filtered, *(f"{call}:{ENOSYS}" for call in calls), "--"],
                    only=only[0] if only else FORMS)


def run_limited(systems):
    for name, script, expected in (
            ("4 s of processor time", "ulimit -t 4", "ok, strict"),
            ("24 descriptors", "ulimit -n 24", "ok, strict"),
            ("256 KiB of stack", "ulimit -s 256", "ok, strict"),
            ("no core files, no locked memory", "ulimit -c 0 && ulimit -l 0", "ok, strict"),
            ("256 MiB of address space", "ulimit -v 262144", "no-sandbox: cannot reserve the decoder's memory")):
        systems.row(f"limits that are lower already: {name}", expected, shell(script))
    systems.row("limits that are lower already: 16 descriptors", "ok, strict", shell("ulimit -n 16"))
    systems.row("limits that are lower already: no process more, as nobody", "io: cannot start the",
                [*(NOBODY if os.getuid() == 0 else []), "prlimit", "--nproc=0:0"], library_status="exhausted")


def with_modes(systems, name, **modes):
    """A copy of the programs, of which some have other permissions."""
    folder = os.path.join(systems.build.scratch, name)
    shutil.copytree(systems.folder, folder)
    for path, mode in modes.items():
        path = os.path.join(folder, path.replace("__", "/").replace("_", "-"))
        if mode & stat.S_ISGID:
            os.chown(path, 0, SOME_GROUP)
        if mode & stat.S_ISUID:
            os.chown(path, SOME_USER, 0)
        os.chmod(path, mode)
    return folder


def run_permissions(systems):
    """As root: what others then find."""
    unreadable = {name: 0o711 for name in ("safe_decode", "safe_decode_starter", "prove_library", "decoders__jpeg",
                                           "decoders__hostile")}
    systems.row("programs that may be executed and not read, as nobody", "ok, strict", NOBODY,
                programs=with_modes(systems, "unreadable", **unreadable))
    for name, mode in (("setgid", 0o2755), ("setuid", 0o4755)):
        systems.row(f"a caller that is {name}, started by nobody", "ok, strict", NOBODY,
                    programs=with_modes(systems, name, safe_decode=mode, prove_library=mode))
    for name, mode in (("a decoder", {"decoders__jpeg": 0o757, "decoders__hostile": 0o757}),
                       ("the folder of decoders", {"decoders": 0o777}), ("the folder above", {".": 0o777})):
        systems.row(f"{name} that anybody may change, as nobody", "no-sandbox: other users may change", NOBODY,
                    programs=with_modes(systems, name.replace(" ", "-"), **mode))


def run_namespaces(systems):
    """As root, or as who may be root in a namespace."""
    scratch = systems.build.scratch
    systems.row("a user namespace", "ok, strict", in_namespaces("-r"))
    systems.row("a pid namespace with a /proc of its own", "ok, strict", in_namespaces("-p", "-f", "--mount-proc"))
    systems.row("a pid namespace with another's /proc", "no-sandbox: /proc speaks of another pid namespace",
                in_namespaces("-p", "-f"))
    systems.row("bubblewrap, all unshared", "ok, strict",
                ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--"])
    systems.row("no /proc", PROC, in_namespaces("-m") + shell("umount -l /proc"))
    systems.row("a tmpfs over /proc", PROC, in_namespaces("-m") + shell("mount -t tmpfs none /proc"))
    status = r"Pid:\t%d\nPPid:\t%d\nNoNewPrivs:\t1\nSeccomp:\t1\n"
    forge = (f"mkdir -p {scratch}/forged/self && printf '{status}' $$ $$ > {scratch}/forged/self/status && "
             f"mount --bind {scratch}/forged /proc")
    systems.row("a forged /proc", PROC, in_namespaces("-m") + shell(forge))
    for hidden in ("1", "2", "ptraceable"):
        hide = in_namespaces("-m") + shell(f"mount -t proc -o hidepid={hidden} proc /proc")
        systems.row(f"a /proc with hidepid={hidden}, as root", "ok, strict", hide)
        systems.row(f"a /proc with hidepid={hidden}, as nobody", "ok, strict", hide + NOBODY)
    systems.row("no /dev", "ok, strict", in_namespaces("-m") + shell("mount -t tmpfs none /dev"))
    systems.row("a chroot with the libraries and /proc", "ok, strict", chroot_folder(systems, True),
                programs="/programs")
    systems.row("a chroot without /proc", PROC, chroot_folder(systems, False), programs="/programs")


def run_all(build, table):
    run_steps(build, table)
    table.section("Other systems: it works, and is verified, or refuses", *FORMS, "what it says")
    systems = Systems(build, table)
    if os.getuid() == 0:
        systems.row("as root", "ok, strict", [])
        systems.row("as nobody", "ok, strict", NOBODY)
    else:
        systems.row("as this user", "ok, strict", [])
    run_limited(systems)
    run_filtered(systems)
    if os.getuid() == 0:
        run_permissions(systems)
    if has_namespaces():
        run_namespaces(systems)
    else:
        table.note("namespaces may not be made here, so those systems are not tried")
