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
import subprocess
import sys
import tempfile

from application_tools import SEED, Overlay, add_arguments, bundle_config, can_run, compare, mix
from application_tools import tree_of
from compare_network import GUEST, SKIPPED, Network, run
from load_client import LoadClient

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
        overlay = Overlay(tree, folder)
        script = overlay.mount
        if runtime == "native":
            enter = " ".join(network.command("guest", []))
            script += f' && exec {enter} "$0" "$@" --application={overlay.root}'
        else:
            shutil.copy2(agent, overlay.upper / "agent")
            words = ["/agent", "--stdio", "--scratch=/tmp", "--application=/"]
            config = bundle_config(network, words,
                                   ("CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID", "KILL"))
            (overlay.bundle / "config.json").write_text(json.dumps(config))
            script += (f" && exec runc --root {folder / 'state'} run --bundle {overlay.bundle}"
                       f" hvbench-peers-{os.getpid()}")
        super().__init__(agent, ["taskset", "-c", str(cpu), "unshare", "--mount", "sh", "-c", script])
        self.prepare("mysql/server", {"buffer_pool_mib": 128}, 0.001, SEED)


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
             f"--mysql-user={USER}", f"--mysql-password={password(SEED)}", "--mysql-db=sysbench",
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


def compare_in(arguments, runtime, cpus):
    agent = str(arguments.programs / "hvbench-agent")
    with tempfile.TemporaryDirectory(prefix="hvbench-peers-") as name, Network() as network:
        with Server(runtime, network, cpus[-1], tree_of(arguments), agent, pathlib.Path(name)):
            sides = Sides(arguments, network, cpus[0])
            sides.ours(CASES[0])  # loads the tables, and sets the durability
            run(*sides.prefix, "mariadb", "--no-defaults", f"--host={GUEST}", f"--user={USER}",
                f"--password={password(SEED)}", "--execute=CREATE DATABASE sysbench")
            sides.sysbench(CASES[1], "prepare")
            ratios = [compare(f"{runtime} | {case}", ("transactions/s", "CPU us/transaction"),
                              arguments.rounds, lambda: sides.ours(case),
                              lambda: sides.sysbench(case))
                      for case in arguments.only]
            return all(rate >= arguments.least for rate, _ in ratios)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=pathlib.Path, required=True,
                        help="where hvbench-agent and hvbench-load are")
    parser.add_argument("--durable", type=int, choices=(0, 1), default=0)
    parser.add_argument("--only", nargs="*", choices=CASES, default=list(CASES))
    add_arguments(parser, connections=8, seconds=3)
    arguments = parser.parse_args()
    if not can_run(arguments, "usr/sbin/mariadbd", ["sysbench", "mariadb"]):
        return SKIPPED
    cpus = sorted(os.sched_getaffinity(0))
    print("| server in | cell | quantity | hvbench, median (range) | sysbench, median (range) "
          "| ratio |")
    print("|---|---|---|---|---|---|", flush=True)
    good = [compare_in(arguments, runtime, cpus) for runtime in arguments.runtimes]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
