"""What the comparisons of the applications' load generators have in common."""

import os
import pathlib
import shutil
import statistics

SEED = 1
MASK = (1 << 64) - 1


def mix(value):
    """Mix of benchmarks/kernels/support/random.h."""
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9 & MASK
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb & MASK
    return value ^ (value >> 31)


def bundle_config(network, words, capabilities):
    """config.json of a container in the guest's place of the network."""
    names = [f"CAP_{name}" for name in capabilities]
    return {
        "ociVersion": "1.0.2", "root": {"path": "rootfs"},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
        "process": {"user": {"uid": 0, "gid": 0}, "args": words, "cwd": "/",
                    "env": ["PATH=/usr/bin:/bin"], "noNewPrivileges": True,
                    "capabilities": {kind: names for kind in
                                     ("bounding", "effective", "permitted")}},
        "linux": {"namespaces": [{"type": t} for t in ("pid", "ipc", "uts", "mount")] +
                  [{"type": "network", "path": network.path("guest")}]}}


class Overlay:
    """A writable view of the applications' root in a folder, mounted by whoever runs `mount`."""

    def __init__(self, tree, folder):
        layers = [folder / name for name in ("upper", "work", "bundle", "bundle/rootfs")]
        for layer in layers:
            layer.mkdir()
        self.upper, work, self.bundle, self.root = layers
        self.mount = (f"mount -t overlay -o lowerdir={tree},upperdir={self.upper},workdir={work}"
                      f" overlay {self.root}")


def add_arguments(parser, connections, seconds):
    parser.add_argument("--rounds", type=int, default=3, help="of A B B A")
    parser.add_argument("--seconds", type=int, default=seconds, help="of one measurement")
    parser.add_argument("--connections", type=int, default=connections)
    parser.add_argument("--least", type=float, default=0.0, help="0.95: the bound")
    parser.add_argument("--runtimes", nargs="*", choices=("native", "runc"),
                        default=["native", "runc"])
    parser.add_argument("--root", default=os.environ.get(
        "HVBENCH_APPLICATION_ROOT", os.path.expanduser("~/.cache/hvbench/application-root")))


def tree_of(arguments):
    return pathlib.Path(arguments.root) / "tree"


def can_run(arguments, server, tools):
    """Whether all is there; else says what is not."""
    program = tree_of(arguments) / server
    tools = ["ip", "unshare", *tools, *(["runc"] if "runc" in arguments.runtimes else [])]
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if os.geteuid() == 0 and not missing and program.exists():
        return True
    print(f"skipped: needs root, {program}, {' '.join(missing) or 'and nothing else'}")
    return False


def compare(row, quantities, rounds, ours, theirs):
    """Calls both in the order A B B A, prints a row of each quantity that they return, and returns
    the ratios of the medians."""
    a, b = [], []
    for _ in range(rounds):
        for side in "ABBA":
            if side == "A":
                a.append(ours())
            else:
                b.append(theirs())
    ratios = []
    for i, what in enumerate(quantities):
        left, right = [result[i] for result in a], [result[i] for result in b]
        ratios.append(statistics.median(left) / statistics.median(right))
        print(f"| {row} | {what} | {statistics.median(left):.2f} ({min(left):.2f} to "
              f"{max(left):.2f}) | {statistics.median(right):.2f} ({min(right):.2f} to "
              f"{max(right):.2f}) | {ratios[-1]:.3f} |", flush=True)
    return ratios
