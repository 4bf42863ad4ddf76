#!/usr/bin/env python3
"""Runs hvbench's disk cells and fio side by side: same file, CPU and settings.

    compare_fio.py --program build/release/bin/hvbench [--runtimes native,runc,gvisor]

The disk is ext4 on a loop device over a file in memory: it has next to no time of its own, and so
shows best what the two programs take. It is made for the run in a mount namespace, with which it
goes; --work-dir names a folder on another disk.

In native and runc both work on the file that hvbench has laid out, in turns of a quarter of a
second (ours, fio, fio, ours), each stopped by SIGSTOP for the other's: what else the machine has to
do changes within seconds, and so hits both alike. A turn's rate comes from the kernel's count of
the bytes that the process read or wrote (/proc/PID/io), the p99 from each one's own report. An fio
that writes spoils what hvbench will look for in the file, which is then no result: for the p99 of
writes the turns are taken again, with a file for each. A round is all of that with new processes
and files. The median of the rounds counts.

fio runs where our agent does: bound to the same CPU, and for a container runtime in the agent's
own bundle, with the host's /usr mounted read-only. gVisor does the operations of both in its sentry,
and what counts is that the cells come out in the same order: each side runs alone, and reports.
Exit status: 0 within the bounds, 1 not, 77 where fio, the disk or all runtimes are missing.
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

from memory_disk import leave_mounts_of_others, memory_disk, run

FILE_MIB = 128
GUEST_MIB = 512
TURN_SECONDS = 0.25
RAMP_SECONDS = 1  # before fio's measurement, as we find out how many operations to do
START_SECONDS = 60  # at most, from a program's start to its first operations, or without any
LONG_SECONDS = 10**6  # until fio is interrupted
SKIPPED = 77
FIO_INTERRUPTED = 128  # its exit status
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
        return ["fio", "--name=fio", f"--filename={path}", f"--size={FILE_MIB}m",
                f"--rw={pattern}", f"--ioengine={self.engine}", f"--bs={self.block_kib}k",
                f"--iodepth={self.depth}", "--direct=1", "--thread", "--norandommap",
                "--randrepeat=0", "--iomem_align=2m", "--time_based",
                f"--ramp_time={RAMP_SECONDS}", f"--runtime={seconds}", "--lat_percentiles=1",
                "--clat_percentiles=0", "--percentile_list=50:99", "--eta=never",
                "--output-format=json"]

    def writes(self):
        return "write" in self.kernel

    def rate_and_p99(self, fio_output):
        job = json.loads(fio_output[fio_output.index("{"):])["jobs"][0]
        side = job["write" if self.writes() else "read"]
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


def output_of(process, status=0):
    """Standard output, once the process has ended, which is to be with this status."""
    try:
        out, errors = process.communicate()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.communicate()
        raise
    if process.returncode != status:
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

    def start(self, cell, min_time):
        return start([self.program, f"--hvbench_runtimes={self.runtime}",
                      f"--hvbench_work_dir={self.work_dir}", f"--hvbench_memory_mib={GUEST_MIB}",
                      f"--benchmark_filter=^{cell.name()}/", "--benchmark_repetitions=1",
                      f"--benchmark_min_time={min_time}", f"--benchmark_out={self.out}"])

    def await_file(self, process):
        """The path of what the guest of a started process works on."""
        while process.poll() is None:
            with contextlib.suppress(OSError):  # folders come and go
                files = self.work_dir.glob("runs/*/*/volume/hvbench-disk-*")
                if (file := next(files, None)) is not None:
                    return file
            time.sleep(0.05)
        raise RuntimeError(f"hvbench laid out no file: {output_of(process)}")

    def bundle(self):
        """The running guest's config.json, {} for one without."""
        file = next(self.work_dir.glob("runs/*/*/bundle/config.json"), None)
        return {} if file is None else json.loads(file.read_text())

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

    def __init__(self, work_dir, runtime, command, options):
        self.work_dir, self.command, self.options = work_dir, command, options
        self.is_gvisor = runtime == "gvisor"
        self.state = work_dir / "state"
        self.cgroup = pathlib.Path(f"/hvbench-fio-{os.getpid()}")
        self.file = work_dir / "fio" / "file"
        self.file.parent.mkdir()
        # A guest's volume is a mount of its own, and no hard link leads out of one. In a second
        # mount of the folder, without those in it, all lies together.
        self.as_one_mount = work_dir
        if os.geteuid() == 0:
            self.as_one_mount = work_dir / "as-one-mount"
            self.as_one_mount.mkdir()
            run("mount", "--bind", work_dir, self.as_one_mount)
        self.content = mmap.mmap(-1, FILE_MIB << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.content.madvise(mmap.MADV_HUGEPAGE)
        self.content.write(os.urandom(FILE_MIB << 20))

    def lay_out(self):
        """A new file as ours is: directly, in pieces of 4 MiB from huge pages. What the host keeps
        of it depends on their size."""
        self.file.unlink(missing_ok=True)
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_DIRECT)
        try:
            for at in range(0, FILE_MIB << 20, 4 << 20):
                piece = memoryview(self.content)[at:at + (4 << 20)]
                if os.pwrite(descriptor, piece, at) != len(piece):
                    raise RuntimeError(f"cannot write {self.file}: the disk is full")
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def share(self, file):
        """Another name for it: fio opens it anew after each pass, also once its maker has ended."""
        self.file.unlink(missing_ok=True)
        name, target = (self.as_one_mount / path.relative_to(self.work_dir)
                        for path in (self.file, file))
        name.hardlink_to(target)

    def start(self, cell, cpus, seconds, agents_bundle):
        if not self.command:
            return start(["env", HUGE_BUFFERS, "taskset", "-c", cpus] +
                         cell.fio_arguments(self.file, seconds) + self.options)
        bundle = self.work_dir / "bundle"
        self.write_bundle(bundle, agents_bundle,
                          cell.fio_arguments(f"/volume/{self.file.name}", seconds) +
                          self.options)
        shutil.rmtree(self.state, ignore_errors=True)
        return start(self.command + ["--root", str(self.state), "run", "--bundle", str(bundle),
                                     self.cgroup.name])

    def write_bundle(self, bundle, config, arguments):
        config["root"] = {"path": "rootfs"}
        config["process"]["args"] = arguments
        config["process"]["env"] = ["PATH=/usr/bin:/bin", HUGE_BUFFERS]
        config["mounts"] = [mount for mount in config["mounts"]
                            if mount["destination"] != "/volume"]
        config["mounts"] += [{"destination": "/volume", "type": "bind",
                              "source": str(self.file.parent), "options": ["bind", "rw"]},
                             {"destination": "/usr", "type": "bind", "source": "/usr",
                              "options": ["bind", "ro"]}]
        # As deep as the agent's, since each level of cgroups costs time; of a folder that is not
        # there gVisor makes no cpuset.
        config["linux"]["cgroupsPath"] = str(self.cgroup / ("" if self.is_gvisor else "fio"))
        root = bundle / "rootfs"
        for mount in config["mounts"]:
            (root / mount["destination"].lstrip("/")).mkdir(parents=True, exist_ok=True)
        for link in ("bin", "lib", "lib64"):
            if not (root / link).is_symlink():
                (root / link).symlink_to(f"usr/{link}")
        (bundle / "config.json").write_text(json.dumps(config))

    def close(self):
        """Unmounts, and removes the parent of fio's cgroup, which the runtime leaves, in any
        hierarchy."""
        if self.as_one_mount != self.work_dir:
            run("umount", self.as_one_mount)
        mounts = pathlib.Path("/sys/fs/cgroup")
        for hierarchy in (mounts, *mounts.glob("*/")):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                (hierarchy / self.cgroup.name).rmdir()


class Turns:
    """A process that works in its turns only, from when it is seen to work."""

    def __init__(self, pid, cell, laid_out_mib):
        self.pid, self.cell = pid, cell
        # Blocks that have moved before the first operation, and those by which it is seen.
        self.first = (laid_out_mib << 10) / cell.block_kib
        seen = self.first + (FILE_MIB << 10) / cell.block_kib / 4
        deadline = time.monotonic() + START_SECONDS
        while self.moved() < seen:
            if time.monotonic() > deadline:
                raise RuntimeError(f"process {pid} does not come to work on {cell.name()}")
            time.sleep(0.05)
        self.signal(signal.SIGSTOP)

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def moved(self):
        """Blocks so far; infinitely many once the process has ended."""
        counter = "write_bytes" if self.cell.writes() else "read_bytes"
        try:
            counts = pathlib.Path(f"/proc/{self.pid}/io").read_text()
        except OSError:
            return math.inf
        moved = int(re.search(rf"^{counter}: (\d+)", counts, re.MULTILINE)[1])
        return moved / (self.cell.block_kib << 10)

    def take(self):
        """Operations per second of one turn."""
        moved, begin = self.moved(), time.monotonic()
        self.signal(signal.SIGCONT)
        time.sleep(TURN_SECONDS)
        self.signal(signal.SIGSTOP)
        return (self.moved() - moved) / (time.monotonic() - begin)

    def close(self):
        self.signal(signal.SIGCONT)


@contextlib.contextmanager
def ending(process):
    """The process, which is interrupted and waited for at the end of the block."""
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)  # no effect on one that has ended
        while True:
            try:
                process.communicate(timeout=10)
                break
            except subprocess.TimeoutExpired:  # a container that was starting may have missed it
                process.send_signal(signal.SIGINT)


def take_turns(mine, theirs, operations):
    """Pairs of operations per second, until ours has done so many."""
    pairs = []
    deadline = time.monotonic() + START_SECONDS
    while mine.moved() < mine.first + operations:
        order = (mine, theirs) if len(pairs) % 2 == 0 else (theirs, mine)
        rates = {side: side.take() for side in order}
        pairs.append((rates[mine], rates[theirs]))
        if rates[mine]:
            deadline = time.monotonic() + START_SECONDS
        if time.monotonic() > deadline:
            raise RuntimeError(f"hvbench does not come to the end of {mine.cell.name()}")
    return pairs[:-1] or pairs  # without the one in which ours ended


def in_turns(cell, ours, fio, operations, own_file=None):
    """So many operations of ours, with fio on the same file or on its own, which is laid out
    "before" or "after" ours. Ours, fio's, their ratio, of operations per second and of the p99 in
    ns; no p99 where fio has overwritten our file."""
    if own_file == "before":
        fio.lay_out()
    with ending(ours.start(cell, f"{operations}x")) as hvbench:
        file = ours.await_file(hvbench)
        agent = holder_of(file, hvbench)
        cpus = ",".join(map(str, os.sched_getaffinity(agent)))
        with contextlib.closing(Turns(agent, cell, FILE_MIB if cell.writes() else 0)) as mine:
            if own_file == "after":
                fio.lay_out()
            elif own_file is None:
                fio.share(file)
            with ending(fio.start(cell, cpus, LONG_SECONDS, ours.bundle())) as tool:
                pid = holder_of(fio.file, tool, others=[agent])
                with contextlib.closing(Turns(pid, cell, 0)) as theirs:
                    pairs = take_turns(mine, theirs, operations)
                tool.send_signal(signal.SIGINT)
                fio_p99 = cell.rate_and_p99(output_of(tool, FIO_INTERRUPTED))[1]
        # Medians, so that no single turn counts in which the disk or the process stood still.
        our_rates, fio_rates = map(statistics.median, zip(*pairs))
        rates = our_rates, fio_rates, statistics.median(our / theirs if theirs else math.inf
                                                        for our, theirs in pairs)
        if cell.writes() and own_file is None:
            return rates, None
        our_p99 = ours.result(hvbench)[1]
    return rates, (our_p99, fio_p99, our_p99 / fio_p99)


def alone(cell, ours, fio, seconds):
    """What each reports of a file of its own: as in_turns."""
    with ending(ours.start(cell, seconds)) as hvbench:
        ours.await_file(hvbench)
        bundle = ours.bundle()
        our_rate, our_p99, cpus = ours.result(hvbench)
    fio.lay_out()
    with ending(fio.start(cell, cpus, seconds, bundle)) as tool:
        fio_rate, fio_p99 = cell.rate_and_p99(output_of(tool))
    return (our_rate, fio_rate, our_rate / fio_rate), (our_p99, fio_p99, our_p99 / fio_p99)


def print_row(runtime, cell, rates, p99s):
    """Prints the medians of both sides and of their ratios. Returns those of the ratios."""
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
        operations = int(ours.result(ours.start(cell, 0.5))[0] * options.seconds)
        for at in range(options.rounds):
            rate, p99 = in_turns(cell, ours, fio, operations)
            rates.append(rate)
            p99s.append(p99 or in_turns(cell, ours, fio, operations,
                                        own_file=("before", "after")[at % 2])[1])
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


def compare(options, disk):
    """The exit status."""
    print("| runtime | cell | ours, op/s | fio, op/s | ratio | our p99, us | fio's p99, us | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    faults, measured = [], 0
    for runtime in options.runtimes.split(","):
        command = command_of(runtime)
        if command is None or (command and os.geteuid() != 0):
            print(f"skipped: {runtime} is not installed, or needs root", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory(prefix="hvbench-peer-", dir=disk) as folder:
            work_dir = pathlib.Path(folder)
            method, cells = ((order, RANKED_CELLS) if runtime == "gvisor" else
                             (parity, PARITY_CELLS))
            with contextlib.closing(Fio(work_dir, runtime, command, options.fio_option)) as fio:
                faults += method(
                    runtime, Ours(options.program, work_dir, runtime), fio,
                    [cell for cell in cells if re.search(options.cells, cell.name())], options)
        measured += 1
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0 if measured else SKIPPED


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--runtimes", default="native,runc,gvisor")
    parser.add_argument("--cells", default="", help="those whose names match this expression")
    parser.add_argument("--rounds", type=int, default=8, help="native, runc: of new processes")
    parser.add_argument("--seconds", type=int, default=3,
                        help="native, runc: of each in its turns; gvisor: of a run")
    parser.add_argument("--fio-option", action="append", default=[],
                        help="one more for fio's command line, such as --refill_buffers=1")
    parser.add_argument("--least-rate", type=float, default=0.97)
    parser.add_argument("--most-p99", type=float, default=1.10)
    parser.add_argument("--work-dir", help="a folder on the disk to work on, instead of memory")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever is stopped must not stay
    if shutil.which("fio") is None:
        print("skipped: fio is not installed (apt-get install fio)")
        return SKIPPED
    with contextlib.ExitStack() as stack:
        work_dir = options.work_dir
        try:
            if os.geteuid() == 0:
                leave_mounts_of_others()
            if work_dir is None:
                work_dir = stack.enter_context(memory_disk())
        except (OSError, subprocess.CalledProcessError) as error:
            reason = getattr(error, "stderr", "") or error
            print(f"skipped: no own mounts or disk in memory, --work-dir names another: {reason}")
            return SKIPPED
        return compare(options, work_dir)


if __name__ == "__main__":
    sys.exit(main())
