#!/usr/bin/env python3
"""Our network cells beside iperf3 and sockperf: the same path, CPUs and message sizes, natively and
inside runc, in the order A B B A. Prints a table in Markdown; needs root.

    compare_network.py --program build/release/bin/hvbench [--rounds N] [--seconds S] [--only CASE...]
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

PEER, GUEST, PREFIX = "198.18.0.1", "198.18.0.2", "15"
SKIPPED = 77  # as automake has it

# Name, our cell, the peer's program, its arguments. All sizes are those of the cell, but for
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
    """What fixtures/netlab makes: a bridge in a namespace, the peer and the guest in two others."""

    def __init__(self, name):
        self.spaces = {role: f"{name}-{role}" for role in ("switch", "peer", "guest")}

    def __enter__(self):
        for space in self.spaces.values():
            run("ip", "netns", "add", space)
            for scope in ("all", "default"):
                run("ip", "netns", "exec", space, "sysctl", "-qw",
                    f"net.ipv6.conf.{scope}.disable_ipv6=1")
        self.ip("switch", "link add br0 type bridge mcast_snooping 0")
        self.ip("switch", "link set br0 up")
        for role, address in (("peer", PEER), ("guest", GUEST)):
            self.ip("switch", f"link add {role} mtu 1500 type veth peer name eth0 mtu 1500 "
                              f"netns {self.spaces[role]}")
            self.ip("switch", f"link set {role} master br0 up")
            self.ip(role, "link set lo up")
            self.ip(role, f"address add {address}/{PREFIX} dev eth0")
            self.ip(role, "link set eth0 up")
        return self

    def __exit__(self, *_):
        for space in self.spaces.values():
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)

    def ip(self, role, words):
        run("ip", "-n", self.spaces[role], *words.split())

    def command(self, role, cpu, words):
        return ["taskset", "-c", str(cpu), "ip", "netns", "exec", self.spaces[role], *words]

    def path(self, role):
        return f"/run/netns/{self.spaces[role]}"


class Native:
    """The tool as a process in the guest's namespace."""

    name = "native"

    def __init__(self, network, cpu):
        self.network, self.cpu = network, cpu

    def run(self, words):
        return run(*self.network.command("guest", self.cpu, words))


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
    process = subprocess.Popen(network.command("peer", cpu, words), stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    try:
        for line in process.stdout:
            if re.search("listening|using", line):
                break
        yield
    finally:
        process.kill()
        process.wait()


def peers(arguments, guest, network, peer_cpu, case):
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
                b.append(peers(arguments, guest, network, peer_cpu, case))
    cell, tool, _ = CASES[case]
    for i, what in enumerate(("mean", "p50", "p99") if tool == "sockperf" else ("GB/s",)):
        scale = 1e-9 if tool == "iperf3" else 1
        left = [run_[i] * scale for run_ in a]
        right = [run_[i] * scale for run_ in b]
        unit = "GB/s" if tool == "iperf3" else f"us, {what}"
        print(f"| {guest.name} | `{cell}` | {unit} | {statistics.median(left):.2f} "
              f"({min(left):.2f} to {max(left):.2f}) | {tool} {statistics.median(right):.2f} "
              f"({min(right):.2f} to {max(right):.2f}) | "
              f"{statistics.median(left) / statistics.median(right):.3f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--rounds", type=int, default=3, help="of A B B A")
    parser.add_argument("--seconds", type=int, default=2, help="of one measurement")
    parser.add_argument("--only", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--guests", nargs="*", choices=("native", "runc"),
                        default=["native", "runc"])
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        print("skipped: needs root")
        return SKIPPED
    cpus = sorted(os.sched_getaffinity(0))
    status = SKIPPED
    with Network(f"hvbench-peers-{os.getpid()}") as network:
        print("| guest | cell | unit | hvbench, median (range) | peer, median (range) | ratio |")
        print("|---|---|---|---|---|---|", flush=True)
        for guest in (Native(network, cpus[-1]), Runc(network, cpus[-1])):
            for case in arguments.only:
                missing = [tool for tool in (CASES[case][1], *(["runc"] if guest.name == "runc"
                                                               else []))
                           if shutil.which(tool) is None]
                if missing:
                    print(f"skipped: {guest.name} {case}: not installed: {' '.join(missing)}",
                          file=sys.stderr)
                elif guest.name in arguments.guests:
                    compare(arguments, guest, network, cpus[0], case)
                    status = 0
    return status


if __name__ == "__main__":
    sys.exit(main())
