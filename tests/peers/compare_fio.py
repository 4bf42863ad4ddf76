#!/usr/bin/env python3
"""Runs hvbench's disk cells and fio side by side: same file system, file size, CPU and settings.

    compare_fio.py --program build/release/bin/hvbench [--runtimes native,runc,gvisor]

Each cell is run in rounds of ours, fio, fio, ours, so that a drift of the machine hits both alike:
each round gives a ratio of the means, and their median counts.
fio runs where our agent does: bound to the same CPU, and for a container runtime in a bundle of the
same kind, with the host's /usr mounted read-only. Exit status: 0 within the bounds, 1 not, 77 where
fio or a runtime is missing.

In native and runc the operations per second and p99 are compared. gVisor serves both through its
sentry, where what counts is that the cells come out in the same order.
"""

import argparse
import json
import mmap
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

FILE_MIB = 128
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
                "--randrepeat=0", "--iomem_align=2m", "--time_based", f"--runtime={seconds}", "--lat_percentiles=1",
                "--clat_percentiles=0", "--percentile_list=50:99", "--output-format=json"]

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


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n"
                           f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


class Ours:
    """The cell by hvbench; also tells which CPU its guest had."""

    def __init__(self, program, work_dir, runtime, seconds):
        self.program, self.work_dir = program, work_dir
        self.runtime, self.seconds = runtime, seconds
        self.cpus = None

    def __call__(self, cell):
        out = self.work_dir / "ours.json"
        run([self.program, f"--hvbench_runtimes={self.runtime}", f"--hvbench_work_dir={self.work_dir}",
             f"--benchmark_filter=^{cell.name()}/", "--benchmark_repetitions=1",
             f"--benchmark_min_time={self.seconds}", f"--benchmark_out={out}"])
        result = json.loads(out.read_text())
        self.cpus = result["context"]["guest_host_cpus"]
        row = result["benchmarks"][0]
        if row.get("error_occurred"):
            raise RuntimeError(f"{cell.name()}: {row['error_message']}")
        return row["items_per_second"], row["p99_ns"]


class Fio:
    """The cell by fio: natively, or by an OCI runtime's command."""

    def __init__(self, work_dir, command, seconds):
        self.work_dir, self.command, self.seconds = work_dir, command, seconds
        self.volume = work_dir / "volume"
        self.volume.mkdir(exist_ok=True)
        self.content = mmap.mmap(-1, FILE_MIB << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self.content.madvise(mmap.MADV_HUGEPAGE)
        self.content.write(os.urandom(FILE_MIB << 20))

    def lay_out(self):
        """A new file for each run, written as ours is: direct, in pieces of 4 MiB from huge pages.
        What the host keeps of it depends on the sizes of the writes. fio's own way lays out
        nothing where a file has its size."""
        path = self.volume / "fio"
        path.unlink(missing_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT)
        try:
            content = memoryview(self.content)
            for at in range(0, len(content), 4 << 20):
                piece = content[at:at + (4 << 20)]
                if os.pwrite(file, piece, at) != len(piece):
                    raise RuntimeError(f"cannot write {path}: the disk is full")
            os.fdatasync(file)
        finally:
            os.close(file)

    def __call__(self, cell, cpus):
        self.lay_out()
        if not self.command:
            arguments = cell.fio_arguments(self.volume / "fio", self.seconds)
            return cell.rate_and_p99(run(["env", HUGE_BUFFERS, "taskset", "-c", cpus] + arguments))
        bundle = self.work_dir / "bundle"
        self.write_bundle(bundle, cell.fio_arguments("/volume/fio", self.seconds), cpus)
        state = self.work_dir / "state"
        output = run(self.command + ["--root", str(state), "run", "--bundle", str(bundle),
                                     f"hvbench-peer-{os.getpid()}"], stdin=subprocess.DEVNULL)
        shutil.rmtree(state, ignore_errors=True)
        return cell.rate_and_p99(output)

    def write_bundle(self, bundle, arguments, cpus):
        root = bundle / "rootfs"
        mounts = [{"destination": "/proc", "type": "proc", "source": "proc"},
                  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
                  {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
                  # Without it glibc does not learn of huge pages, and HUGE_BUFFERS has no effect.
                  {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
                  {"destination": "/volume", "type": "bind", "source": str(self.volume),
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
                              "env": ["PATH=/usr/bin:/bin", HUGE_BUFFERS], "cwd": "/", "noNewPrivileges": True},
                  "root": {"path": "rootfs"}, "mounts": mounts,
                  "linux": {"cgroupsPath": f"/hvbench-peer-{os.getpid()}",
                            "resources": {"cpu": {"cpus": cpus}},
                            "namespaces": [{"type": kind} for kind in
                                           ("pid", "ipc", "uts", "mount", "network")]}}
        (bundle / "config.json").write_text(json.dumps(config))


class Comparison:
    """One cell's runs: operations per second and p99 in ns. Each list has a mean per round."""

    def __init__(self, cell, ours, fio, rounds):
        samples = {"ours": [], "fio": []}
        for _ in range(rounds):
            taken = {"ours": [], "fio": []}
            for turn in ("ours", "fio", "fio", "ours"):
                taken[turn].append(ours(cell) if turn == "ours" else fio(cell, ours.cpus))
            for who, runs in taken.items():
                samples[who].append([statistics.mean(values) for values in zip(*runs)])
        self.our_rate, self.our_p99 = map(statistics.median, zip(*samples["ours"]))
        self.fio_rate, self.fio_p99 = map(statistics.median, zip(*samples["fio"]))
        pairs = list(zip(samples["ours"], samples["fio"]))
        self.rate_ratios = sorted(mine[0] / peers[0] for mine, peers in pairs)
        self.rate_ratio = statistics.median(self.rate_ratios)
        self.p99_ratio = statistics.median(mine[1] / peers[1] for mine, peers in pairs)

    def print_row(self, runtime, cell):
        print(f"| {runtime} | {cell.kernel} {cell.engine} {cell.block_kib} KiB x {cell.depth} "
              f"| {self.our_rate:.0f} | {self.fio_rate:.0f} "
              f"| {self.rate_ratio:.3f} ({self.rate_ratios[0]:.2f} to {self.rate_ratios[-1]:.2f}) "
              f"| {self.our_p99 / 1e3:.0f} | {self.fio_p99 / 1e3:.0f} | {self.p99_ratio:.3f} |",
              flush=True)


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


def command_of(runtime):
    """The OCI runtime's command, [] for native, None where it is missing."""
    if runtime == "native":
        return []
    name = {"gvisor": os.environ.get("HVBENCH_RUNSC", "runsc")}.get(runtime, runtime)
    path = shutil.which(name)
    if path is None:
        return None
    return [path, "--network=none", "--platform=systrap"] if runtime == "gvisor" else [path]


def compare(runtime, command, options, work_dir):
    """What is out of bounds."""
    ours = Ours(options.program, work_dir, runtime, options.seconds)
    fio = Fio(work_dir, command, options.seconds)
    ranked = runtime == "gvisor"
    cells = [cell for cell in (RANKED_CELLS if ranked else PARITY_CELLS)
             if re.search(options.cells, cell.name())]
    faults, rates = [], {"ours": [], "fio": []}
    for cell in cells:
        result = Comparison(cell, ours, fio, options.rounds)
        result.print_row(runtime, cell)
        rates["ours"].append(result.our_rate)
        rates["fio"].append(result.fio_rate)
        if ranked:
            continue
        if result.rate_ratio < options.least_rate:
            faults.append(f"{runtime}: {cell.name()} has {result.rate_ratio:.3f} of fio's rate")
        if result.p99_ratio > options.most_p99:
            faults.append(f"{runtime}: {cell.name()} has {result.p99_ratio:.3f} of fio's p99")
    if ranked and not same_order(rates["ours"], rates["fio"], cells, tolerance=1.1):
        faults.append(f"{runtime}: the cells come out in another order than with fio")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--runtimes", default="native,runc,gvisor")
    parser.add_argument("--cells", default="", help="those whose names match this expression")
    parser.add_argument("--seconds", type=int, default=2, help="of one run of one cell")
    parser.add_argument("--rounds", type=int, default=5, help="of ours, fio, fio, ours")
    parser.add_argument("--least-rate", type=float, default=0.97)
    parser.add_argument("--most-p99", type=float, default=1.10)
    parser.add_argument("--work-dir", default=tempfile.gettempdir())
    options = parser.parse_args()
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
            faults += compare(runtime, command, options, pathlib.Path(folder))
        measured += 1
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0 if measured else SKIPPED


if __name__ == "__main__":
    sys.exit(main())
