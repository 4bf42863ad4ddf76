"""The faults. Each is a function that starts a run, does its harm at a random moment and returns the
programs whose end is to be judged, each with the exit statuses that are right."""

import contextlib
import os
import pty
import random
import resource
import signal
import subprocess
import time

from machine import command_of, descendants
from program import INTERRUPTED, Program, run_to_end

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT,
                  signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGXCPU)
# Whoever is not hvbench: what it measures may fail, it may not.
OTHERS_FAULT = {0, 1}
# Where the fault may also come before anything is measured: a runtime that was named is unusable.
ANY_PHASE = {0, 1, 2}


def interrupted_by(number):
    """Before it catches signals it ends by them, and has made nothing by then."""
    return {INTERRUPTED, 0, -number}


class Scene:
    """What a fault has to work with."""

    def __init__(self, binary, folder, workload, work_dir, rng, daemons):
        self.binary = binary
        self.folder = folder
        self.workload = workload
        self.work_dir = work_dir
        self.rng: random.Random = rng
        self.daemons = daemons
        self.phase = "starting"
        self.story = ""
        self.stopped = None  # a process that was not continued

    def start(self, **options):
        return Program(self.binary, self.folder, self.workload,
                       options.pop("work_dir", self.work_dir), **options)

    def wait_somewhere(self, program, share=1.1):
        """To a random moment of the run, uniform over its time."""
        moment = self.rng.uniform(0, share * self.workload.seconds)
        while program.running() and time.monotonic() - program.started < moment:
            time.sleep(0.002)
        self.phase = program.phase()

    def victim(self, program, to_stop=False):
        """A process of the run's that is not hvbench, or None. To stop a child that is not yet a
        program of its own stops hvbench, which waits for it as vfork(2) does."""
        found = descendants(program.pid)
        for pid in self.daemons.shims():
            found += [pid, *descendants(pid)]
        if to_stop:
            found = [pid for pid in found if command_of(pid) != command_of(program.pid)]
        if not found:
            return None
        pid = self.rng.choice(found)
        self.story = f"{command_of(pid)[:60]}"
        return pid


def send(pid, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def ended_by_signal(scene):
    number = scene.rng.choice(ENDING_SIGNALS)
    program = scene.start()
    scene.wait_somewhere(program)
    scene.story = number.name
    program.signal(number)
    return [(program, interrupted_by(number))]


def ended_by_two_signals(scene):
    first, second = scene.rng.choices(ENDING_SIGNALS, k=2)
    program = scene.start()
    scene.wait_somewhere(program)
    scene.story = f"{first.name}, {second.name}"
    program.signal(first)
    time.sleep(scene.rng.uniform(0, 0.3))
    program.signal(second)
    return [(program, interrupted_by(first) | {-second})]


def ended_by_kill(scene):
    program = scene.start()
    scene.wait_somewhere(program)
    program.signal(signal.SIGKILL)
    return [(program, {0, -signal.SIGKILL})]


def ended_by_its_terminal(scene):
    leader, terminal = pty.openpty()
    program = scene.start(terminal=terminal)
    os.close(terminal)
    with contextlib.closing(os.fdopen(leader, "rb", buffering=0)) as screen:
        os.set_blocking(screen.fileno(), False)
        end = program.started + scene.rng.uniform(0, 1.1 * scene.workload.seconds)
        while program.running() and time.monotonic() < end:
            with contextlib.suppress(OSError):
                screen.read(4096)
            time.sleep(0.005)
        scene.phase = program.phase()
    # What cannot be shown any more is an output that was lost.
    return [(program, interrupted_by(signal.SIGHUP) | {1})]


def other_party_killed(scene):
    number = scene.rng.choice((signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV))
    program = scene.start()
    scene.wait_somewhere(program)
    victim = scene.victim(program)
    if victim:
        send(victim, number)
        scene.story = f"{number.name} to {scene.story}"
    return [(program, ANY_PHASE)]


def other_party_stopped(scene):
    program = scene.start()
    scene.wait_somewhere(program)
    victim = scene.victim(program, to_stop=True)
    if victim:
        send(victim, signal.SIGSTOP)
        if scene.rng.random() < 0.5:
            time.sleep(scene.rng.uniform(0, 1))
            send(victim, signal.SIGCONT)
    return [(program, ANY_PHASE)]


def stopped_itself(scene):
    program = scene.start()
    scene.wait_somewhere(program)
    program.signal(signal.SIGSTOP)
    time.sleep(scene.rng.uniform(0, 1))
    program.signal(signal.SIGCONT)
    return [(program, ANY_PHASE)]


def killed_beside_a_stopped_guest(scene):
    program = scene.start()
    scene.wait_somewhere(program)
    victim = scene.stopped = scene.victim(program, to_stop=True)
    if victim:
        send(victim, signal.SIGSTOP)
    number = scene.rng.choice((signal.SIGKILL, signal.SIGINT))
    program.signal(number)
    return [(program, {0, 1, 2, INTERRUPTED, -number})]


@contextlib.contextmanager
def small_disk(folder, mib):
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "hvbench-chaos", folder],
                   check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def small_work_dir(scene):
    with small_disk(scene.folder / "small", scene.rng.randint(1, 24)) as disk:
        program = scene.start(work_dir=disk)
        program.wait()
        scene.phase = "all"
        run_to_end(scene.binary, f"--hvbench_work_dir={disk}", "cleanup")
    return [(program, ANY_PHASE)]


def work_dir_fills_up(scene):
    with small_disk(scene.folder / "filling", 400) as disk:
        program = scene.start(work_dir=disk)
        scene.wait_somewhere(program)
        with contextlib.suppress(OSError), open(disk / "filler", "wb", buffering=0) as filler:
            while filler.write(bytes(1 << 20)):
                pass
        program.wait()
        (disk / "filler").unlink(missing_ok=True)
        run_to_end(scene.binary, f"--hvbench_work_dir={disk}", "cleanup")
    return [(program, ANY_PHASE)]


def out_fills_up(scene):
    with small_disk(scene.folder / "out", 1) as disk:
        with contextlib.suppress(OSError), open(disk / "filler", "wb", buffering=0) as filler:
            while filler.write(bytes(4096)):
                pass
        program = scene.start(out=disk / "result.json")
        program.wait()
        scene.phase = "all"
    return [(program, {1, 2})]


def few_descriptors(scene):
    program = scene.start()
    scene.wait_somewhere(program)
    try:
        used = len(os.listdir(f"/proc/{program.pid}/fd"))
        few = max(0, used + scene.rng.randint(-4, 4))
        resource.prlimit(program.pid, resource.RLIMIT_NOFILE, (few, few))
        scene.story = f"{used} open, {few} allowed"
    except OSError:
        pass
    return [(program, ANY_PHASE)]


def low_limit(scene):
    option, low, high = scene.rng.choice((
        ("--nofile", 4, 64), ("--as", 20 << 20, 400 << 20), ("--fsize", 0, 1 << 20),
        ("--memlock", 0, 1 << 16), ("--stack", 64 << 10, 1 << 20), ("--core", 0, 0),
        ("--data", 1 << 20, 100 << 20)))
    value = scene.rng.randint(low, high)
    scene.story = f"{option}={value}"
    program = scene.start(limits=[f"{option}={value}"])
    scene.phase = "all"
    # Too little for the loader, which ends it before its first line.
    return [(program, ANY_PHASE | {127, -signal.SIGKILL, -signal.SIGSEGV})]


def ends_beside_another(scene):
    """Two at once in one work directory; one is ended, the other must not notice."""
    survivor = scene.start()
    other = scene.start(out=scene.folder / "other.json")
    scene.wait_somewhere(other)
    number = scene.rng.choice((*ENDING_SIGNALS, signal.SIGKILL))
    scene.story = number.name
    other.signal(number)
    return [(survivor, {0}), (other, interrupted_by(number) | {1})]


def cleanup_beside(scene):
    program = scene.start()
    cleanups = 0
    while program.running() and time.monotonic() - program.started < 60:
        result = run_to_end(scene.binary, f"--hvbench_work_dir={scene.work_dir}", "cleanup")
        if result.returncode != 0:
            raise RuntimeError(f"cleanup beside a run: {result.returncode} {result.stderr}")
        cleanups += 1
        time.sleep(scene.rng.uniform(0, 0.2))
    scene.phase, scene.story = "all", f"{cleanups} cleanups"
    return [(program, {0})]


def daemon_killed(scene):
    program = scene.start()
    scene.wait_somewhere(program)
    scene.story = scene.daemons.kill_one(scene.rng)
    program.wait()
    scene.daemons.start_again()
    return [(program, ANY_PHASE)]


# With how often each is drawn.
FAULTS = {
    ended_by_signal: 5, ended_by_two_signals: 2, ended_by_kill: 5, ended_by_its_terminal: 2,
    other_party_killed: 5, other_party_stopped: 3, stopped_itself: 1,
    killed_beside_a_stopped_guest: 2, small_work_dir: 1, work_dir_fills_up: 2, out_fills_up: 1,
    few_descriptors: 2, low_limit: 2, ends_beside_another: 2, cleanup_beside: 1,
}
# Where the workload uses a daemon.
DAEMON_FAULTS = {daemon_killed: 2}


def possible(uses_daemon, kinds=()):
    """Of `kinds`, or of all where there are none: each fault's weight."""
    return {fault: weight for fault, weight in
            {**FAULTS, **(DAEMON_FAULTS if uses_daemon else {})}.items()
            if not kinds or fault.__name__ in kinds}


def draw(rng, uses_daemon, kinds=()):
    weights = possible(uses_daemon, kinds)
    return rng.choices(list(weights), weights=list(weights.values()))[0]
