#!/usr/bin/env python3
"""Our OLTP load beside sysbench: the same MariaDB, path, connections, rows and CPUs, natively and
inside runc, in the order A B B A. Prints a table in Markdown; needs root, and the applications' root.

    compare_oltp.py --programs build/release/bin [--rounds N] [--seconds S]

The server is started by our agent, as in a run of the suite. Each side has a database of its own, of
the same shape; sysbench uses prepared statements too, and draws its rows uniformly.
Exit status: 0, 1 if ours has less than --least of sysbench's transactions a second, 77 where something
is missing.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from compare_http import mix
from compare_network import GUEST, SKIPPED, Network, run
from load_client import LoadClient

SEED = 1
USER = "hvbench"
CASES = ("oltp_point_select", "oltp_read_write")
SHAPE = {"tables": 4, "rows": 25000}


def password(seed):
    """What benchmarks/kernels/support/mysql_account.h makes."""
    return f"hvbench-{mix(seed ^ 3306)}"


class Server(LoadClient):
    """Our agent with its kernel mysql/server, in an overlay of the applications' root whose mounts
    end with it."""

    def __init__(self, runtime, network, cpu, tree, agent, folder):
        layers = [folder / name for name in ("upper", "work", "bundle", "bundle/rootfs")]
        for layer in layers:
            layer.mkdir()
        upper, work, bundle, root = layers
        script = f"mount -t overlay -o lowerdir={tree},upperdir={upper},workdir={work} overlay {root}"
        if runtime == "native":
            enter = " ".join(network.command("guest", []))
            script += f' && exec {enter} "$0" "$@" --application={root}'
        else:
            shutil.copy2(agent, upper / "agent")
            (bundle / "config.json").write_text(json.dumps(bundle_config(network)))
            script += (f" && exec runc --root {folder / 'state'} run --bundle {bundle}"
                       f" hvbench-peers-{os.getpid()}")
        super().__init__(agent, ["taskset", "-c", str(cpu), "unshare", "--mount", "sh", "-c", script])
        self.prepare("mysql/server", {"buffer_pool_mib": 128}, 0.001, SEED)


def bundle_config(network):
    capabilities = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_SETGID", "CAP_SETUID", "CAP_KILL"]
    return {
        "ociVersion": "1.0.2", "root": {"path": "rootfs"},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                   {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
        "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/", "noNewPrivileges": True,
                    "args": ["/agent", "--stdio", "--scratch=/tmp", "--application=/"],
                    "env": ["PATH=/usr/bin:/bin"],
                    "capabilities": {kind: capabilities for kind in
                                     ("bounding", "effective", "permitted")}},
        "linux": {"namespaces": [{"type": t} for t in ("pid", "ipc", "uts", "mount")] +
                  [{"type": "network", "path": network.path("guest")}]}}


class Sides:
    """Both loads, in the peer's namespace and on its CPU."""

    def __init__(self, arguments, network, cpu):
        self.arguments = arguments
        self.prefix = ["taskset", "-c", str(cpu), *network.command("peer", [])]

    def ours(self, case):
        """Transactions a second, and the load's CPU time of one in microseconds."""
        with LoadClient(str(self.arguments.programs / "hvbench-load"), self.prefix) as load:
            cell = {**SHAPE, "connections": self.arguments.connections,
                    "durable": self.arguments.durable, "server": GUEST}
            transactions = load.prepare(f"mysql/{case}", cell, self.arguments.seconds, SEED)
            elapsed, cpu_time, counters = load.run(transactions)
        if counters["lost_connections"] > 0:
            sys.exit("connections were lost")
        return transactions / elapsed, cpu_time / transactions * 1e6

    def sysbench(self, case, command="run"):
        process = subprocess.Popen(
            [*self.prefix, "sysbench", case, "--db-driver=mysql", f"--mysql-host={GUEST}",
             f"--mysql-user={USER}", f"--mysql-password={password(SEED)}", "--mysql-db=peer",
             "--mysql-ssl=off",
             f"--tables={SHAPE['tables']}", f"--table-size={SHAPE['rows']}", "--rand-type=uniform",
             f"--threads={self.arguments.connections}", f"--time={self.arguments.seconds}", command],
            stdout=subprocess.PIPE, text=True)
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"sysbench {case} {command}:\n{out[-2000:]}")
        if command != "run":
            return None
        count, rate = re.search(r"transactions:\s+(\d+)\s+\(([0-9.]+) per sec", out).groups()
        return float(rate), (usage.ru_utime + usage.ru_stime) / int(count) * 1e6


def compare(arguments, runtime, sides, case):
    a, b = [], []
    for _ in range(arguments.rounds):
        for side in "ABBA":
            if side == "A":
                a.append(sides.ours(case))
            else:
                b.append(sides.sysbench(case))
    ratios = []
    for i, what in enumerate(("transactions/s", "CPU us/transaction")):
        left, right = [result[i] for result in a], [result[i] for result in b]
        ratios.append(statistics.median(left) / statistics.median(right))
        print(f"| {runtime} | {case} | {what} | {statistics.median(left):.1f} ({min(left):.1f} to "
              f"{max(left):.1f}) | {statistics.median(right):.1f} ({min(right):.1f} to "
              f"{max(right):.1f}) | {ratios[-1]:.3f} |", flush=True)
    return ratios[0] >= arguments.least


def compare_in(arguments, runtime, tree, cpus):
    agent = str(arguments.programs / "hvbench-agent")
    with tempfile.TemporaryDirectory(prefix="hvbench-peers-") as name, Network() as network:
        with Server(runtime, network, cpus[-1], tree, agent, pathlib.Path(name)):
            sides = Sides(arguments, network, cpus[0])
            sides.ours(CASES[0])  # loads the tables, and sets the durability
            run(*sides.prefix, "mariadb", "--no-defaults", f"--host={GUEST}", f"--user={USER}",
                f"--password={password(SEED)}", "--execute=CREATE DATABASE peer")
            sides.sysbench(CASES[1], "prepare")
            return all([compare(arguments, runtime, sides, case) for case in arguments.only])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=pathlib.Path, required=True,
                        help="where hvbench-agent and hvbench-load are")
    parser.add_argument("--rounds", type=int, default=3, help="of A B B A")
    parser.add_argument("--seconds", type=int, default=3, help="of one measurement")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--durable", type=int, choices=(0, 1), default=0)
    parser.add_argument("--least", type=float, default=0.0, help="0.95: the bound")
    parser.add_argument("--only", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--runtimes", nargs="*", choices=("native", "runc"),
                        default=["native", "runc"])
    parser.add_argument("--root", default=os.environ.get(
        "HVBENCH_APPLICATION_ROOT", os.path.expanduser("~/.cache/hvbench/application-root")))
    arguments = parser.parse_args()
    tree = pathlib.Path(arguments.root) / "tree"
    tools = ("ip", "sysbench", "mariadb", "unshare", *(["runc"] if "runc" in arguments.runtimes else []))
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing or not (tree / "usr/sbin/mariadbd").exists():
        print(f"skipped: needs root, MariaDB in {tree}, {' '.join(missing) or 'and nothing else'}")
        return SKIPPED
    cpus = sorted(os.sched_getaffinity(0))
    print("| server in | cell | quantity | hvbench, median (range) | sysbench, median (range) "
          "| ratio |")
    print("|---|---|---|---|---|---|", flush=True)
    good = [compare_in(arguments, runtime, tree, cpus) for runtime in arguments.runtimes]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
