#!/usr/bin/env python3
"""Random faults at random moments of runs: after each the results parse, the exit status is right,
nothing is left on the machine, and no process beside the run was touched.

    chaos.py PROGRAMS [--seconds N | --faults N] [--seed N] [--runtimes a,b] [--kinds a,b]
                      [--counts FILE]

PROGRAMS is the folder of hvbench and hvbench-agent. All of it happens in namespaces of its own. The
same seed draws the same faults; what they meet depends on the machine. Exit status: 1 if a promise
was broken, 2 for arguments that ask for nothing, 77 where it cannot run.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

from daemons import Daemons, NoDaemons
from faults import Scene, draw, ended_by_two_signals, possible, send
from machine import Bystander, Machine, enter_namespaces
from program import (Workload, contradictions, measure_undisturbed, results_of, run_to_end)

SKIPPED = 77
CELLS = ("^syscall/(getppid|open_close)/", "^memory/memcpy/", "^disk/fsync/.*target:volume",
         "^network/tcp_rr/", "^startup/boot/cache:warm/", "^nginx/http/file_kib:1/")
RUNTIMES = ("native", "runc", "crun", "docker", "containerd-runc", "gvisor", "qemu-microvm-tcg")


def uses_daemon(runtime):
    return runtime.startswith(("docker", "containerd"))


class Chaos:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.work_dir = folder / "work"
        self.work_dir.mkdir(mode=0o700)
        self.binary = options.programs / "hvbench"
        self.rng = random.Random(options.seed)
        self.counts = collections.Counter()
        self.broken = []
        self.daemons = Daemons(folder, options.programs / "hvbench-agent") if Daemons.available() \
            else NoDaemons()
        other_run = folder / "other/runs/1x2/native-1"
        other_run.mkdir(parents=True)
        self.bystanders = [
            Bystander("in-a-group-of-its-own", folder, group=f"beside-hvbench-{os.getpid()}"),
            Bystander("in-our-group", folder),
            Bystander("called-like-a-shim", folder, disguise=(
                "containerd-shim-runc-v2", "-namespace", "moby", "-id", "f" * 64)),
            Bystander("called-like-an-agent", folder,
                      disguise=(str(other_run / "agent"), "--stdio")),
        ]

    def known(self):
        return {1, os.getpid(), *(b.pid for b in self.bystanders), *self.daemons.pids()}

    def workloads(self):
        found = []
        for runtime in self.options.runtimes:
            for cells in CELLS:
                workload = Workload(runtime, cells)
                if runtime == "qemu-microvm-tcg" and not cells.startswith("^syscall"):
                    continue
                if measure_undisturbed(self.binary, self.folder, workload, self.work_dir):
                    found.append(workload)
                    print(f"{workload}: {workload.seconds:.1f} s, {len(workload.names)} cells", flush=True)
        return found

    def run(self):
        workloads = self.workloads()
        if not workloads:
            print("no runtime is usable here")
            return SKIPPED
        end = time.monotonic() + self.options.seconds
        number = 0
        while number < self.options.faults and time.monotonic() < end:
            number += 1
            self.one(number, self.rng.choice(workloads), random.Random(self.rng.random()))
        self.print_counts()
        return 1 if self.broken else 0

    def one(self, number, workload, rng):
        fault = draw(rng, uses_daemon(workload.runtime), self.options.kinds)
        machine = Machine(self.known, self.daemons)
        scene = Scene(self.binary, self.folder, workload, self.work_dir, rng, self.daemons)
        begin = time.monotonic()
        problems = []
        ends = []
        try:
            for program, expected in fault(scene):
                status = program.wait()
                ends.append(status)
                problems += contradictions(program, status, expected)
            # A second signal leaves the run's folder to the next start.
            if fault is ended_by_two_signals or any(s is None or s < 0 for s in ends):
                problems += self.recover_beside(scene, rng, workload)
            elif fault.__name__ == "daemon_killed":
                problems += self.cleanup()
        except Exception as error:  # pylint: disable=broad-except
            problems.append(f"{type(error).__name__}: {error}")
        try:
            problems += machine.leftovers_after_grace()
            problems += filter(None, [b.harm() for b in [*self.bystanders, self.daemons]])
        except OSError as error:
            problems.append(f"the daemon does not answer: {error}")
        problems += [f"run folder {path}" for path in sorted(self.work_dir.glob("runs/*"))]
        self.counts[fault.__name__, scene.phase, "broken" if problems else "held"] += 1
        print(f"{number}. {fault.__name__} ({scene.story}) while {scene.phase}, {workload}:"
              f" {ends} after {time.monotonic() - begin:.1f} s", flush=True)
        for problem in problems:
            print(f"   BROKEN: {problem}", flush=True)
            self.broken.append((number, problem))
        self.put_right(machine)

    def recover_beside(self, scene, rng, workload):
        """A program of Docker's that stands still is not ours to kill: until it goes on, something may
        be left, and is told of."""
        problems = self.recover(rng, workload)
        if problems and scene.stopped and workload.runtime.startswith("docker"):
            send(scene.stopped, signal.SIGCONT)
            problems = self.recover(rng, workload)
        return problems

    def recover(self, rng, workload):
        """What a user does after a run was killed; one of the ways."""
        way = rng.choice((self.cleanup, self.next_start, lambda: self.resume(workload)))
        return way()

    def cleanup(self):
        result = run_to_end(self.binary, f"--hvbench_work_dir={self.work_dir}", "cleanup")
        return [] if result.returncode == 0 else [f"cleanup: {result.returncode} {result.stderr}"]

    def next_start(self):
        result = run_to_end(self.binary, f"--hvbench_work_dir={self.work_dir}",
                            "--hvbench_runtimes=native", "--hvbench_profile=smoke",
                            "--benchmark_filter=^calibration/noop/")
        return [] if result.returncode == 0 else [f"next start: {result.returncode} {result.stderr}"]

    def resume(self, workload):
        """The journal parses, and going on ends in a file with each cell."""
        out = self.folder / "result.json"
        journal = out.with_name(out.name + ".journal")
        if not journal.exists():
            return self.next_start()
        report = run_to_end(self.binary, "report", journal, "--format=csv")
        problems = [] if report.returncode == 0 else [f"report of a journal: {report.stderr}"]
        result = run_to_end(self.binary, f"--hvbench_work_dir={self.work_dir}", *workload.arguments(),
                            f"--benchmark_out={out}", "--hvbench_resume")
        rows = results_of(out)
        if result.returncode != 0 or rows is None:
            return problems + [f"resume: {result.returncode} {result.stderr[-500:]}"]
        times = collections.Counter(rows.names)
        if sorted(times) != workload.names or len(set(times.values())) != 1:
            problems.append(f"after --hvbench_resume the rows are {dict(times)}")
        return problems

    def put_right(self, machine):
        """So that one broken promise does not spoil the next fault."""
        for pid in machine.strangers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        for path in [*self.folder.glob("*.json*"), *self.folder.glob("stderr-*")]:
            path.unlink()

    def print_counts(self):
        table = collections.defaultdict(collections.Counter)
        for (fault, phase, verdict), count in self.counts.items():
            table[fault][phase] += count
            table[fault][verdict] += count
        columns = ("starting", "probing", "measuring", "ending", "ended", "all", "held", "broken")
        print(f"\n{'':30}" + "".join(f"{column:>10}" for column in columns))
        for fault in sorted(table):
            print(f"{fault:30}" + "".join(f"{table[fault][c]:10}" for c in columns))
        print(f"\nseed {self.options.seed}: {sum(self.counts.values())} faults,"
              f" {len({n for n, _ in self.broken})} broken promises")
        if self.options.counts:
            self.options.counts.write_text(json.dumps(
                [[*key, count] for key, count in sorted(self.counts.items())]))

    def end(self):
        for bystander in self.bystanders:
            bystander.end()
        self.daemons.end()


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("programs", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--faults", type=int, default=1 << 31)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--runtimes", type=lambda names: names.split(","), default=RUNTIMES)
    parser.add_argument("--kinds", type=lambda names: names.split(","), default=(),
                        help="of faults, by the names of their functions")
    parser.add_argument("--counts", type=lambda p: pathlib.Path(p).resolve())
    options = parser.parse_args()
    known = sorted(fault.__name__ for fault in possible(uses_daemon=True))
    for kind in options.kinds:
        if kind not in known:
            parser.error(f"there is no fault {kind}; there are {', '.join(known)}")
    # Each of the others has no such fault.
    options.runtimes = [r for r in options.runtimes if possible(uses_daemon(r), options.kinds)]
    if not options.runtimes:
        parser.error(f"{', '.join(options.kinds)} happens to runtimes of a daemon, and --runtimes names none:"
                     " name docker or containerd-runc as well")
    return options


def main():
    options = parse()
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("ip"):
        print("needs root, unshare and ip")
        return SKIPPED
    enter_namespaces(__file__)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hvbench-chaos-", dir="/var/tmp"))
    try:
        chaos = Chaos(options, folder)
        try:
            return chaos.run()
        finally:
            chaos.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
