"""One start of hvbench under a fault, and what must be true of it when it has ended."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

from machine import descendants, read

HANG_SECONDS = 90
# How long a step in a guest may take: not long, since a stopped guest costs all of it.
STEP_TIMEOUT_SECONDS = 3
INTERRUPTED = 130
SKIPPED_MARK = "SKIPPED: "


class Workload:
    """Cells of one runtime, and how long they take undisturbed."""

    def __init__(self, runtime, cells):
        self.runtime = runtime
        self.cells = cells
        self.seconds = 0.0
        self.names = []

    def arguments(self):
        return [f"--hvbench_runtimes={self.runtime}", "--hvbench_profile=smoke",
                f"--benchmark_filter={self.cells}", f"--hvbench_timeout_s={STEP_TIMEOUT_SECONDS}",
                "--benchmark_repetitions=2", "--benchmark_min_time=0.05"]

    def __str__(self):
        return f"{self.runtime} {self.cells}"


class Program:
    """A running hvbench. `limits` are util-linux's prlimit options for it."""

    def __init__(self, binary, folder, workload, work_dir, out=None, limits=(), terminal=None,
                 more=()):
        self.workload = workload
        self.work_dir = work_dir
        self.out = out or folder / "result.json"
        self.stderr = folder / f"stderr-{time.monotonic_ns()}"
        command = [str(binary), f"--hvbench_work_dir={work_dir}", *workload.arguments(),
                   f"--benchmark_out={self.out}", *more]
        if limits:
            command = ["prlimit", *limits, *command]
        self.started = time.monotonic()
        with open(self.stderr, "wb") as stderr:
            streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": stderr}
            if terminal is not None:
                streams = {"stdin": terminal, "stdout": terminal, "stderr": terminal,
                           "preexec_fn": lambda: take_terminal(terminal)}
            self.process = subprocess.Popen(command, start_new_session=True, **streams)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        if self.running():
            self.process.send_signal(number)

    def phase(self):
        """Where it is, by what it has left so far."""
        if not self.running():
            return "ended"
        if self.out.exists() and self.out.stat().st_size:
            return "ending"
        text = read(self.stderr)
        if self.workload.cells.strip("^").split("/")[0] + "/" in text:
            return "measuring"
        return "probing" if self.run_dirs() or descendants(self.pid) else "starting"

    def run_dirs(self):
        try:
            return list((self.work_dir / "runs").iterdir())
        except OSError:
            return []

    def wait(self):
        """Its exit status, a signal as a negative number; None if it hangs."""
        try:
            return self.process.wait(HANG_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in [*descendants(self.pid), self.pid]:
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
            return None

    def errors(self):
        return read(self.stderr)


def take_terminal(terminal):
    import fcntl  # pylint: disable=import-outside-toplevel
    import termios  # pylint: disable=import-outside-toplevel
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


class Rows:
    """The rows of a file of results, by what became of them."""

    def __init__(self, text):
        rows = json.loads(text).get("benchmarks", [])
        plain = [row for row in rows if row.get("run_type") != "aggregate"]
        self.names = [re.sub("/manual_time.*", "", row["name"]) for row in plain]
        messages = [row.get("error_message") or row.get("skip_message") for row in plain
                    if row.get("error_occurred") or row.get("skipped")]
        self.failed = [m for m in messages if not m.startswith(SKIPPED_MARK)]
        self.interrupted = [m for m in messages if m == SKIPPED_MARK + "interrupted"]


def results_of(path):
    """Rows, or None where there is no file; a ValueError where it is not what it should be."""
    text = read(path)
    return Rows(text) if text else None


def contradictions(program, status, expected):
    """What the exit status, the file and the messages say against each other."""
    if status is None:
        return [f"it hangs: {program.errors()[-500:]}"]
    found = []
    if status not in expected:
        found.append(f"exit status {status}, expected one of {sorted(expected)}:"
                     f" {program.errors()[-1000:]}")
    if status < 0:
        return found
    try:
        rows = results_of(program.out)
    except (ValueError, KeyError) as error:
        return found + [f"the JSON does not parse: {error}: {read(program.out)[:200]!r}"]
    names = sorted(set(rows.names)) if rows else []
    if status in (0, 1) and rows and names != sorted(program.workload.names):
        found.append(f"exit status {status}, but the rows are those of {names}")
    if status == 0 and rows is None:
        found.append("exit status 0 without a result")
    if status == 0 and rows and rows.failed:
        found.append(f"exit status 0, but failed: {rows.failed[0]}")
    if status == 0 and rows and rows.interrupted:
        found.append("exit status 0, but interrupted")
    if status in (1, 2) and not program.errors().strip() and program.stderr.stat().st_size:
        found.append(f"exit status {status} without a word")
    return found


def run_to_end(binary, *arguments, timeout=HANG_SECONDS):
    return subprocess.run([str(binary), *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout, check=False, stdin=subprocess.DEVNULL,
                          start_new_session=True)


def measure_undisturbed(binary, folder, workload, work_dir):
    """Fills in its seconds and names. False if it cannot be measured here."""
    folder.mkdir(exist_ok=True)
    out = pathlib.Path(folder) / "undisturbed.json"
    program = Program(binary, folder, workload, work_dir, out=out)
    status = program.wait()
    workload.seconds = time.monotonic() - program.started
    rows = results_of(out) if status == 0 else None
    if rows is None:
        return False
    workload.names = sorted(set(rows.names))
    out.unlink()
    return True
