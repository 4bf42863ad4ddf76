#!/usr/bin/env python3
"""Runs hvbench's disk cells and fio side by side: same file, CPU and settings.

    compare_fio.py --program build/release/bin/hvbench [--runtimes native,runc,gvisor]

In native and runc both work on the file that hvbench has laid out, in turns of 100 ms
(ours, fio, fio, ours), each stopped by SIGSTOP for the other's: what else the disk's host has to
do changes within seconds, and so hits both alike. A turn's rate comes from the kernel's count of
the bytes that the process read or wrote (/proc/PID/io). Each then runs alone on a file of its own,
for its p99. A round is all of that with new processes and files. The median of the rounds counts.

fio runs where our agent does: bound to the same CPU, and for a container runtime in a bundle of the
same kind, with the host's /usr mounted read-only. gVisor does the operations of both in its sentry,
and what counts is that the cells come out in the same order: each side runs alone, and reports.
Exit status: 0 within the bounds, 1 not, 77 where fio or a runtime is missing.
"""

import argparse
import contextlib
import json
import math
import mmap
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

FILE_MIB = 128
GUEST_MIB = 512
TURN_SECONDS = 0.1
RAMP_SECONDS = 1  # before fio's measurement, as we find out how many operations to do
START_SECONDS = 60  # at most, from a program's start to its first operations
SKIPPED = 77
# With --iomem_align: buffers in transparent huge pages, as ours are (docs/peers.md).
HUGE_BUFFERS = "GLIBC_TUNABLES=glibc.malloc.hugetlb=1"


class Cell:
    def __init__(self, kernel, engine, block_kib, depth):
        self.kernel, self.engine = kernel, engine
        self.block_kib, self.depth = block_kib, depth

    def name(self):
        return (f"disk/{self.kernel}/engine:{self.engine}/block_kib:{self.block_kib}"
                f"/depth:{self.depth}/jobs:1/direct:1/target:volume/file_mib:{FILE_MIB}")

    def fio_arguments(self, path, seconds):
        pattern = {"seqread": "read", "seqwrite": "write"}.get(self.kernel, self.kernel)
        # norandommap: as ours, each offset is drawn anew. lat_percentiles: from before the
        # submission to the completion, as ours; clat would leave the submission out.
        return ["fio", "--name=peer", f"--filename={path}", f"--size={FILE_MIB}m",
                f"--rw={pattern}", f"--ioengine={self.engine}", f"--bs={self.block_kib}k",
                f"--iodepth={self.depth}", "--direct=1", "--thread", "--norandommap",
                "--randrepeat=0", "--iomem_align=2m", "--time_based",
                f"--ramp_time={RAMP_SECONDS}", f"--runtime={seconds}", "--lat_percentiles=1",
                "--clat_percentiles=0", "--percentile_list=50:99", "--eta=never",
                "--output-format=json"]

    def rate_and_p99(self, fio_output):
        job = json.loads(fio_output[fio_output.index("{"):])["jobs"][0]
        side = job["write" if "write" in self.kernel else "read"]
        return side["iops"], side["lat_ns"]["percentile"]["99.000000"]


PARITY_CELLS = [Cell(kernel, engine, 4, 32) for kernel in ("randread", "randwrite")
                for engine in ("libaio", "io_uring")]
PARITY_CELLS += [Cell(kernel, "libaio", 128, 32) for kernel in ("seqread", "seqwrite")]
RANKED_CELLS = [Cell("randread", "psync", 4, 1), Cell("randwrite", "psync", 4, 1),
                Cell("randread", "libaio", 4, 32), Cell("randwrite", "libaio", 4, 32),
                Cell("seqread", "libaio", 128, 32), Cell("seqwrite", "libaio", 128, 32)]


def start(command):
    # In a session of its own: a Ctrl-C reaches this script alone, which then ends it once. Twice
    # would kill hvbench where it stands.
    return subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True)


def output_of(process):
    """Standard output, once the process has ended."""
    try:
        out, errors = process.communicate()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.communicate()
        raise
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(process.args)} ended with {process.returncode}:\n"
                           f"{out[-2000:]}{errors[-2000:]}")
    return out


def holder_of(file, process, others=()):
    """The process that has the file open, in whatever mount namespace; `process` leads to it."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            # Processes and descriptors come and go.
            with contextlib.suppress(OSError):
                if int(pid) not in others and any(
                        os.path.samefile(descriptor, file)
                        for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir()):
                    return int(pid)
        time.sleep(0.05)
    if process.poll() is not None:
        output_of(process)
    raise RuntimeError(f"no process opened {file}")


class Ours:
    """The cell by hvbench."""

    def __init__(self, program, work_dir, runtime):
        self.program, self.work_dir, self.runtime = program, work_dir, runtime
        self.out = work_dir / "ours.json"

    def start(self, cell, seconds):
        return start([self.program, f"--hvbench_runtimes={self.runtime}",
                      f"--hvbench_work_dir={self.work_dir}", f"--hvbench_memory_mib={GUEST_MIB}",
                      f"--benchmark_filter=^{cell.name()}/", "--benchmark_repetitions=1",
                      f"--benchmark_min_time={seconds}", f"--benchmark_out={self.out}"])

    def await_file(self, process):
        """The path of what the guest of a started process works on."""
        while process.poll() is None:
            if (file := next(self.work_dir.glob("**/volume/hvbench-disk-*"), None)) is not None:
                return file
            time.sleep(0.05)
        raise RuntimeError(f"hvbench laid out no file: {output_of(process)}")

    def result(self, process):
        """Once it has ended: (operations/s, p99 in ns, the guest's CPUs of the host)."""
        output_of(process)
        result = json.loads(self.out.read_text())
        row = result["benchmarks"][0]
        if row.get("error_occurred"):
            raise RuntimeError(f"{row['name']}: {row['error_message']}")
        return row["items_per_second"], row["p99_ns"], result["context"]["guest_host_cpus"]


class Fio:
    """The cell by fio: natively, or by an OCI runtime's command."""

    def __init__(self, work_dir, command):
        self.work_dir, self.command = work_dir, command
        self.state = work_dir / "state"
        self.volume = work_dir / "fio"
        self.volume.mkdir()
        self.content = mmap.mmap(-1, FILE_MIB << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.content.madvise(mmap.MADV_HUGEPAGE)
        self.content.write(os.urandom(FILE_MIB << 20))

    def lay_out(self):
        """A new file as ours is: directly, in pieces of 4 MiB from huge pages. What the host keeps
        of it depends on their size."""
        file = self.volume / "file"
        file.unlink(missing_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_DIRECT)
        try:
            for at in range(0, FILE_MIB << 20, 4 << 20):
                piece = memoryview(self.content)[at:at + (4 << 20)]
                if os.pwrite(descriptor, piece, at) != len(piece):
                    raise RuntimeError(f"cannot write {file}: the disk is full")
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        return file

    def start(self, cell, file, cpus, seconds):
        if not self.command:
            return start(["env", HUGE_BUFFERS, "taskset", "-c", cpus] +
                         cell.fio_arguments(file, seconds))
        bundle = self.work_dir / "bundle"
        self.write_bundle(bundle, cell.fio_arguments(f"/volume/{file.name}", seconds), cpus,
                          file.parent)
        shutil.rmtree(self.state, ignore_errors=True)
        return start(self.command + ["--root", str(self.state), "run", "--bundle", str(bundle),
                                     f"hvbench-peer-{os.getpid()}"])

    def write_bundle(self, bundle, arguments, cpus, volume):
        root = bundle / "rootfs"
        mounts = [{"destination": "/proc", "type": "proc", "source": "proc"},
                  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
                  {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
                  # Without it glibc does not learn of huge pages, and HUGE_BUFFERS has no effect.
                  {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
                  {"destination": "/volume", "type": "bind", "source": str(volume),
                   "options": ["bind", "rw"]},
                  {"destination": "/usr", "type": "bind", "source": "/usr",
                   "options": ["bind", "ro"]}]
        for folder in ("proc", "sys", "dev", "tmp", "volume", "usr"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        for link in ("bin", "lib", "lib64"):
            if not (root / link).is_symlink():
                (root / link).symlink_to(f"usr/{link}")
        config = {"ociVersion": "1.0.2",
                  "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": arguments,
                              "env": ["PATH=/usr/bin:/bin", HUGE_BUFFERS], "cwd": "/",
                              "noNewPrivileges": True},
                  "root": {"path": "rootfs"}, "mounts": mounts,
                  "linux": {"cgroupsPath": f"/hvbench-peer-{os.getpid()}",
                            # As the agent's in runtime_launchers/oci_bundle.cc.
                            "resources": {"cpu": {"cpus": cpus},
                                          "memory": {"limit": GUEST_MIB << 20,
                                                     "swap": GUEST_MIB << 20},
                                          "devices": [{"allow": False, "access": "rwm"}]},
                            "namespaces": [{"type": kind} for kind in
                                           ("pid", "ipc", "uts", "mount", "network")]}}
        (bundle / "config.json").write_text(json.dumps(config))


class Turns:
    """A process that works in its turns only, from when it is seen to work."""

    def __init__(self, pid, cell):
        self.pid, self.cell = pid, cell
        deadline = time.monotonic() + START_SECONDS
        # Past laying out its file, which is FILE_MIB of its writes.
        while self.operations() * cell.block_kib < 2 * FILE_MIB << 10:
            if time.monotonic() > deadline:
                raise RuntimeError(f"process {pid} does not come to work on {cell.name()}")
            time.sleep(0.05)
        os.kill(pid, signal.SIGSTOP)

    def operations(self):
        counter = "write_bytes" if "write" in self.cell.kernel else "read_bytes"
        counts = pathlib.Path(f"/proc/{self.pid}/io").read_text()
        moved = int(re.search(rf"^{counter}: (\d+)", counts, re.MULTILINE)[1])
        return moved / (self.cell.block_kib << 10)

    def take(self):
        """Operations per second of one turn."""
        operations, begin = self.operations(), time.monotonic()
        os.kill(self.pid, signal.SIGCONT)
        time.sleep(TURN_SECONDS)
        os.kill(self.pid, signal.SIGSTOP)
        return (self.operations() - operations) / (time.monotonic() - begin)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)


@contextlib.contextmanager
def ending(process, signal_number):
    """The process, which is sent the signal and waited for at the end of the block."""
    try:
        yield process
    finally:
        process.send_signal(signal_number)  # no effect on one that has ended
        process.communicate()


def in_turns(cell, ours, fio, turns):
    """Operations per second of both on the same file: ours, fio's, their ratio."""
    seconds = 60 + 10 * int(turns * TURN_SECONDS)  # at most: both are interrupted
    with ending(ours.start(cell, seconds), signal.SIGINT) as hvbench:
        file = ours.await_file(hvbench)
        agent = holder_of(file, hvbench)
        cpus = ",".join(map(str, os.sched_getaffinity(agent)))
        with contextlib.closing(Turns(agent, cell)) as mine, \
                ending(fio.start(cell, file, cpus, seconds), signal.SIGTERM) as peer, \
                contextlib.closing(Turns(holder_of(file, peer, others=[agent]), cell)) as theirs:
            rates = {mine: [], theirs: []}
            for at in range(turns):
                for side in (mine, theirs) if at % 2 == 0 else (theirs, mine):
                    rates[side].append(side.take())
    # Medians, so that no single turn counts in which the disk or the process stood still.
    return (statistics.median(rates[mine]), statistics.median(rates[theirs]),
            statistics.median(our / peers if peers else math.inf
                              for our, peers in zip(rates[mine], rates[theirs])))


def alone(cell, ours, fio, seconds):
    """What each reports of a file of its own: of operations/s, then of the p99 in ns, ours, fio's,
    their ratio."""
    our_rate, our_p99, cpus = ours.result(ours.start(cell, seconds))
    file = fio.lay_out()
    fio_rate, fio_p99 = cell.rate_and_p99(output_of(fio.start(cell, file, cpus, seconds)))
    return (our_rate, fio_rate, our_rate / fio_rate), (our_p99, fio_p99, our_p99 / fio_p99)


def print_row(runtime, cell, rates, p99s):
    """Of each round ours, fio's, their ratio. Returns the ratios' medians."""
    columns, medians = [], []
    for rounds, unit in ((rates, 1), (p99s, 1e3)):
        ours, fio, ratios = zip(*rounds)
        columns += [f"{statistics.median(side) / unit:.0f}" for side in (ours, fio)]
        medians.append(statistics.median(ratios))
        columns.append(f"{medians[-1]:.3f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"| {runtime} | {cell.kernel} {cell.engine} {cell.block_kib} KiB x {cell.depth} | "
          f"{' | '.join(columns)} |", flush=True)
    return medians


def parity(runtime, ours, fio, cells, options):
    """What is out of bounds."""
    faults = []
    for cell in cells:
        rates, p99s = [], []
        for _ in range(options.rounds):
            rates.append(in_turns(cell, ours, fio, options.turns))
            p99s.append(alone(cell, ours, fio, options.seconds)[1])
        rate, p99 = print_row(runtime, cell, rates, p99s)
        if rate < options.least_rate:
            faults.append(f"{runtime}: {cell.name()} has {rate:.3f} of fio's rate")
        if p99 > options.most_p99:
            faults.append(f"{runtime}: {cell.name()} has {p99:.3f} of fio's p99")
    return faults


def ranking(rates, cells):
    """The cells' numbers, slowest first, by bytes a second."""
    return sorted(range(len(cells)), key=lambda i: rates[i] * cells[i].block_kib)


def same_order(ours, fio, cells, tolerance):
    """Whether no two cells that fio tells apart are the other way round with us."""
    position = {cell: place for place, cell in enumerate(ranking(ours, cells))}
    by_fio = ranking(fio, cells)
    for at, slow in enumerate(by_fio):
        for fast in by_fio[at + 1:]:
            ratio = (fio[fast] * cells[fast].block_kib) / (fio[slow] * cells[slow].block_kib)
            if ratio > tolerance and position[slow] > position[fast]:
                return False
    return True


def order(runtime, ours, fio, cells, options):
    """What is out of bounds."""
    rates = []
    for cell in cells:
        rate, p99 = alone(cell, ours, fio, options.seconds)
        print_row(runtime, cell, [rate], [p99])
        rates.append(rate)
    if rates and not same_order(*list(zip(*rates))[:2], cells, tolerance=1.1):
        return [f"{runtime}: the cells come out in another order than with fio"]
    return []


def command_of(runtime):
    """The OCI runtime's command, [] for native, None where it is missing."""
    if runtime == "native":
        return []
    name = {"gvisor": os.environ.get("HVBENCH_RUNSC", "runsc")}.get(runtime, runtime)
    path = shutil.which(name)
    if path is None:
        return None
    return [path, "--network=none", "--platform=systrap"] if runtime == "gvisor" else [path]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--runtimes", default="native,runc,gvisor")
    parser.add_argument("--cells", default="", help="those whose names match this expression")
    parser.add_argument("--rounds", type=int, default=8, help="native, runc: of new processes")
    parser.add_argument("--turns", type=int, default=40, help="native, runc: of each in a round")
    parser.add_argument("--seconds", type=int, default=2, help="of a run alone")
    parser.add_argument("--least-rate", type=float, default=0.97)
    parser.add_argument("--most-p99", type=float, default=1.10)
    parser.add_argument("--work-dir", default=tempfile.gettempdir())
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever is stopped must not stay
    if shutil.which("fio") is None:
        print("skipped: fio is not installed (apt-get install fio)")
        return SKIPPED
    print("| runtime | cell | ours, op/s | fio, op/s | ratio | our p99, us | fio's p99, us | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    faults, measured = [], 0
    for runtime in options.runtimes.split(","):
        command = command_of(runtime)
        if command is None or (command and os.geteuid() != 0):
            print(f"skipped: {runtime} is not installed, or needs root", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory(prefix="hvbench-peer-", dir=options.work_dir) as folder:
            work_dir = pathlib.Path(folder)
            compare, cells = ((order, RANKED_CELLS) if runtime == "gvisor" else
                              (parity, PARITY_CELLS))
            faults += compare(runtime, Ours(options.program, work_dir, runtime),
                              Fio(work_dir, command),
                              [cell for cell in cells if re.search(options.cells, cell.name())],
                              options)
        measured += 1
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0 if measured else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
