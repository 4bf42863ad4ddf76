#!/usr/bin/env python3
"""Our network cells beside iperf3 and sockperf: the same path, CPUs and message sizes, natively and
inside runc, in the order A B B A. Prints a table in Markdown; needs root.

    compare_network.py --program build/release/bin/hvbench [--rounds N] [--seconds S] [--only CASE...]

Exit status: 0, 1 if one of the two is more than --within times as good, 77 where a tool is missing.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PEER, GUEST, PREFIX = "198.18.0.1", "198.18.0.2", "15"
SKIPPED = 77  # as automake has it

# Name, our cell, the other tool, its arguments. All sizes are those of the cell, but for
# sockperf's smallest message, which is 14 bytes.
CASES = {
    "up": ("network/tcp_stream/direction:up/streams:1/message_kib:128", "iperf3", []),
    "down": ("network/tcp_stream/direction:down/streams:1/message_kib:128", "iperf3", ["-R"]),
    "up4": ("network/tcp_stream/direction:up/streams:4/message_kib:128", "iperf3", ["-P", "4"]),
    "rr": ("network/tcp_rr/request_bytes:1/response_bytes:1", "sockperf", ["-m", "14"]),
    "rr100": ("network/tcp_rr/request_bytes:100/response_bytes:200", "sockperf", ["-m", "150"]),
}


def run(*words, **options):
    return subprocess.run(words, check=True, text=True, capture_output=True, **options).stdout


class Network:
    """What fixtures/netlab makes: a bridge in a namespace, the peer and the guest in two others.
    A process keeps each alive, so that they end with this program."""

    def __init__(self):
        self.owners = {}

    def __enter__(self):
        own = os.readlink("/proc/self/ns/net")
        for role in ("switch", "peer", "guest"):
            self.owners[role] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity"])
            while os.readlink(self.path(role)) == own:
                time.sleep(0.01)
            for scope in ("all", "default"):
                self.run(role, f"sysctl -qw net.ipv6.conf.{scope}.disable_ipv6=1")
        self.run("switch", "ip link add br0 type bridge mcast_snooping 0")
        self.run("switch", "ip link set br0 up")
        for role, address in (("peer", PEER), ("guest", GUEST)):
            self.run("switch", f"ip link add {role} mtu 1500 type veth peer name eth0 mtu 1500 "
                               f"netns {self.owners[role].pid}")
            self.run("switch", f"ip link set {role} master br0 up")
            self.run(role, "ip link set lo up")
            self.run(role, f"ip address add {address}/{PREFIX} dev eth0")
            self.run(role, "ip link set eth0 up")
        return self

    def __exit__(self, *_):
        for owner in self.owners.values():
            owner.kill()
            owner.wait()

    def path(self, role):
        return f"/proc/{self.owners[role].pid}/ns/net"

    def command(self, role, words):
        return ["nsenter", f"--net={self.path(role)}", *words]

    def run(self, role, words):
        run(*self.command(role, words.split()))


class Native:
    """The tool as a process in the guest's namespace."""

    name = "native"

    def __init__(self, network, cpu):
        self.network, self.cpu = network, cpu

    def run(self, words):
        return run("taskset", "-c", str(self.cpu), *self.network.command("guest", words))


class Runc:
    """The tool in a runc container on the host's own files, read-only."""

    name = "runc"

    def __init__(self, network, cpu):
        self.network, self.cpu = network, cpu

    def run(self, words):
        with tempfile.TemporaryDirectory(prefix="hvbench-peers-") as folder:
            return self.run_in(pathlib.Path(folder), words)

    def run_in(self, bundle, words):
        (bundle / "rootfs").mkdir()
        mounts = [{"destination": "/proc", "type": "proc", "source": "proc"},
                  {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"},
                  {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}]
        for folder in ("/usr", "/bin", "/lib", "/lib64", "/etc"):
            mounts.append({"destination": folder, "type": "bind",
                           "source": os.path.realpath(folder), "options": ["rbind", "ro"]})
        config = {
            "ociVersion": "1.0.2", "root": {"path": "rootfs"}, "mounts": mounts,
            "process": {"user": {"uid": 0, "gid": 0}, "args": words, "cwd": "/",
                        "env": ["PATH=/usr/bin:/bin"], "noNewPrivileges": True},
            "linux": {"namespaces": [{"type": t} for t in ("pid", "ipc", "uts", "mount")] +
                      [{"type": "network", "path": self.network.path("guest")}]}}
        (bundle / "config.json").write_text(json.dumps(config))
        return run("taskset", "-c", str(self.cpu), "runc", "--root", str(bundle / "state"), "run",
                   "--bundle", str(bundle), f"hvbench-peers-{os.getpid()}")


def ours(arguments, runtime, case):
    """Bytes per second, or the mean and two percentiles of a round trip in microseconds."""
    with tempfile.TemporaryDirectory(prefix="hvbench-peers-") as folder:
        out = pathlib.Path(folder) / "r.json"
        run(arguments.program, f"--hvbench_work_dir={folder}/work",
            f"--hvbench_runtimes={runtime}", f"--benchmark_filter=^{CASES[case][0]}/",
            f"--benchmark_min_time={arguments.seconds}", "--benchmark_repetitions=1",
            f"--benchmark_out={out}")
        row = json.loads(out.read_text())["benchmarks"][0]
    if row.get("error_occurred"):
        sys.exit(f"{row['name']}: {row['error_message']}")
    if "bytes_per_second" in row:
        return [row["bytes_per_second"]]
    return [row["real_time"] / 1e3, row["p50_ns"] / 1e3, row["p99_ns"] / 1e3]


@contextlib.contextmanager
def server(network, cpu, tool):
    words = {"iperf3": ["iperf3", "--server", "--forceflush", "--bind", PEER],
             "sockperf": ["sockperf", "server", "--tcp", "-i", PEER]}[tool]
    words = ["taskset", "-c", str(cpu), *network.command("peer", words)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    try:
        for line in process.stdout:
            if re.search("listening|using", line):
                break
        yield
    finally:
        process.kill()
        process.wait()


def other_tool(arguments, guest, network, peer_cpu, case):
    _, tool, options = CASES[case]
    seconds = str(arguments.seconds)
    with server(network, peer_cpu, tool):
        if tool == "iperf3":
            out = guest.run(["iperf3", "--client", PEER, "--time", seconds, "--len", "128K",
                             "--json", *options])
            return [json.loads(out)["end"]["sum_received"]["bits_per_second"] / 8]
        out = guest.run(["sockperf", "ping-pong", "--tcp", "-i", PEER, "--time", seconds,
                         "--full-rtt", *options])
    mean = float(re.search(r"avg-(?:rtt|latency)=([0-9.]+)", out)[1])
    percentiles = dict(re.findall(r"percentile ([0-9.]+) =\s+([0-9.]+)", out))
    return [mean, float(percentiles["50.000"]), float(percentiles["99.000"])]


def compare(arguments, guest, network, peer_cpu, case):
    a, b = [], []
    for _ in range(arguments.rounds):
        for side in "ABBA":
            if side == "A":
                a.append(ours(arguments, guest.name, case))
            else:
                b.append(other_tool(arguments, guest, network, peer_cpu, case))
    cell, tool, _ = CASES[case]
    ratios = []
    for i, what in enumerate(("mean", "p50", "p99") if tool == "sockperf" else ("GB/s",)):
        scale = 1e-9 if tool == "iperf3" else 1
        left = [run_[i] * scale for run_ in a]
        right = [run_[i] * scale for run_ in b]
        ratios.append(statistics.median(left) / statistics.median(right))
        unit = "GB/s" if tool == "iperf3" else f"us, {what}"
        print(f"| {guest.name} | `{cell}` | {unit} | {statistics.median(left):.2f} "
              f"({min(left):.2f} to {max(left):.2f}) | {tool} {statistics.median(right):.2f} "
              f"({min(right):.2f} to {max(right):.2f}) | "
              f"{ratios[-1]:.3f} |", flush=True)
    # Round trips are compared by their median: the rest of the distribution is the machine's.
    return ratios[1 if tool == "sockperf" else 0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=3, help="of A B B A")
    parser.add_argument("--seconds", type=int, default=2, help="of one measurement")
    parser.add_argument("--only", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--within", type=float, default=float("inf"))
    parser.add_argument("--guests", nargs="*", choices=("native", "runc"),
                        default=["native", "runc"])
    arguments = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("ip") is None:
        print("skipped: needs root, and ip")
        return SKIPPED
    cpus = sorted(os.sched_getaffinity(0))
    ratios = []
    with Network() as network:
        print("| guest | cell | unit | hvbench, median (range) | other tool, median (range) | ratio |")
        print("|---|---|---|---|---|---|", flush=True)
        for guest in (Native(network, cpus[-1]), Runc(network, cpus[-1])):
            for case in arguments.only:
                missing = [tool for tool in (CASES[case][1], *(["runc"] if guest.name == "runc"
                                                               else []))
                           if shutil.which(tool) is None]
                if guest.name not in arguments.guests:
                    continue
                if missing:
                    print(f"skipped: {guest.name} {case}: not installed: {' '.join(missing)}",
                          file=sys.stderr)
                    continue
                ratios.append(compare(arguments, guest, network, cpus[0], case))
    if not ratios:
        return SKIPPED
    return 0 if all(1 / arguments.within <= r <= arguments.within for r in ratios) else 1


if __name__ == "__main__":
    sys.exit(main())
