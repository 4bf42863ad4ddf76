#!/usr/bin/env python3
"""gVisor's cells of cpu, memory and syscall, beside two programs that keep its processors busy.

    gvisor_clock_test.py --program HVBENCH [--runtime gvisor] [--runs 1] [--seconds 0.1]

By hand: --runs 5 --seconds 0.25. Prints, of each run, how far the guest's times and the host's, of the
same batches, are apart. Exit status: 77 where something is missing.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SKIPPED = 77
CPUS = 2
CELLS = "^(cpu|memory|syscall)/"
MOST_APART = 0.005  # as a fraction of the host's time
ARGUMENTS = None


class BusyPrograms:
    """One for each processor that this process may use."""

    def __enter__(self):
        self.programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"])
                         for _ in os.sched_getaffinity(0)]
        return self

    def __exit__(self, *_):
        for program in self.programs:
            program.kill()
            program.wait()


def hvbench(*arguments):
    return subprocess.run([ARGUMENTS.program, *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)


def why_not():
    if os.geteuid() != 0:
        return "needs root"
    source = pathlib.Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    if not source.exists() or source.read_text().strip() != "tsc":
        return "this host keeps time by another source than the TSC"
    for runtime in json.loads(hvbench("doctor", "--json").stdout)["runtimes"]:
        if runtime["name"] == ARGUMENTS.runtime:
            return None if runtime["usable"] else f"{ARGUMENTS.runtime}: {runtime['reason']}"
    return f"there is no runtime {ARGUMENTS.runtime}"


class GvisorClockTest(unittest.TestCase):
    def test_a_busy_host_costs_no_cell(self):
        for number in range(ARGUMENTS.runs):
            with self.subTest(run=number + 1):
                self.check_a_run(number + 1)

    def check_a_run(self, number):
        with tempfile.TemporaryDirectory(prefix="hvbench-clock-") as folder, BusyPrograms():
            out = pathlib.Path(folder) / "out.json"
            result = hvbench(f"--hvbench_runtimes={ARGUMENTS.runtime}", f"--benchmark_filter={CELLS}",
                             f"--benchmark_min_time={ARGUMENTS.seconds}",
                             "--benchmark_repetitions=1", f"--benchmark_out={out}")
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertNotIn("cannot be trusted", result.stderr, "a cell was measured again")
            results = json.loads(out.read_text())
        self.assertEqual(results["context"][f"runtime.{ARGUMENTS.runtime}.guest.clock"], "TSC")
        rows = [row for row in results["benchmarks"] if "error_occurred" not in row]
        self.assertGreater(len(rows), 30)
        apart = [abs(row["real_time"] / row["host_elapsed_ns"] - 1) for row in rows]
        for row, difference in zip(rows, apart):
            self.assertLessEqual(difference, MOST_APART, row["name"])
        print(f"run {number}: {len(rows)} cells measured, "
              f"{len(results['benchmarks']) - len(rows)} skipped; guest and host are apart by "
              f"{sorted(apart)[len(apart) // 2]:.4%} (median), {max(apart):.4%} at most", flush=True)


def main():
    global ARGUMENTS
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--runtime", default="gvisor")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.1, help="of each cell's batch")
    ARGUMENTS = parser.parse_args()
    # So that two programs keep all of the guest's processors busy.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CPUS])
    if reason := why_not():
        print(f"skipped: {reason}")
        return SKIPPED
    program = unittest.main(argv=sys.argv[:1], exit=False)
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
