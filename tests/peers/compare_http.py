#!/usr/bin/env python3
"""Our HTTP load generator beside wrk: the same nginx, path, connections and CPUs, natively and inside
runc, in the order A B B A. Prints a table in Markdown; needs root, and the applications' root.

    compare_http.py --load build/release/bin/hvbench-load [--rounds N] [--seconds S]

Exit status: 0, 1 if ours has less than --least of wrk's requests a second or takes more than --most of
its CPU time, 77 where something is missing.
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
import time

from compare_network import GUEST, SKIPPED, Network, run
from load_client import LoadClient

SEED = 1
CONTENT_DIR = "/srv/peers"
CONFIGURATION = f"""daemon off;
user www-data;
worker_processes 1;
error_log stderr warn;
pid {CONTENT_DIR}/pid;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  default_type application/octet-stream;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 3600s;
  keepalive_requests 1000000000;
  server {{ listen 80 backlog=4096; root {CONTENT_DIR}; }}
}}
"""
MASK = (1 << 64) - 1


def mix(value):
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9 & MASK
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb & MASK
    return value ^ (value >> 31)


def content(seed, kib):
    """What benchmarks/kernels/support/server/web_content.h makes."""
    state, data = seed ^ mix(kib), bytearray()
    while len(data) < kib * 1024:
        state = (state + 0x9e3779b97f4a7c15) & MASK
        data += mix(state).to_bytes(8, "little")
    return bytes(data)


class Server:
    """nginx in an overlay of the applications' root; all its mounts end with it."""

    def __init__(self, runtime, network, cpu, tree, folder):
        self.layers = [folder / name for name in ("upper", "work", "bundle", "bundle/rootfs")]
        for layer in self.layers:
            layer.mkdir()
        upper, work, bundle, root = self.layers
        files = upper / CONTENT_DIR.lstrip("/")
        files.mkdir(parents=True)
        files.joinpath("1k").write_bytes(content(SEED, 1))
        files.joinpath("nginx.conf").write_text(CONFIGURATION)
        nginx = ["/usr/sbin/nginx", "-c", f"{CONTENT_DIR}/nginx.conf"]
        mount = f"mount -t overlay -o lowerdir={tree},upperdir={upper},workdir={work} overlay {root}"
        if runtime == "native":
            start = network.command("guest", ["chroot", str(root), *nginx])
        else:
            (bundle / "config.json").write_text(json.dumps(self.config(network, nginx)))
            start = ["runc", "--root", str(folder / "state"), "run", "--bundle", str(bundle),
                     f"hvbench-peers-{os.getpid()}"]
        self.process = subprocess.Popen(
            ["taskset", "-c", str(cpu), "unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"',
             "sh", *start], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @staticmethod
    def config(network, words):
        capabilities = [f"CAP_{name}" for name in ("CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID",
                                                   "NET_BIND_SERVICE", "KILL")]
        return {
            "ociVersion": "1.0.2", "root": {"path": "rootfs"},
            "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                       {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"}],
            "process": {"user": {"uid": 0, "gid": 0}, "args": words, "cwd": "/",
                        "env": ["PATH=/usr/bin:/bin"], "noNewPrivileges": True,
                        "capabilities": {kind: capabilities for kind in
                                         ("bounding", "effective", "permitted")}},
            "linux": {"namespaces": [{"type": t} for t in ("pid", "ipc", "uts", "mount")] +
                      [{"type": "network", "path": network.path("guest")}]}}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def await_server(network):
    deadline = time.monotonic() + 20
    words = network.command("peer", ["curl", "--silent", "--fail", "--output", "/dev/null",
                                     f"http://{GUEST}/1k"])
    while subprocess.run(words, check=False).returncode != 0:
        if time.monotonic() > deadline:
            sys.exit("nginx does not serve")
        time.sleep(0.05)


def ours(arguments, network, cpu):
    """Requests a second, and CPU time of one in microseconds."""
    prefix = ["taskset", "-c", str(cpu), *network.command("peer", [])]
    with LoadClient(arguments.load, prefix) as load:
        cell = {"file_kib": 1, "keepalive": 1, "concurrency": arguments.connections, "tls": 0,
                "access_log": 0, "server": GUEST}
        requests = load.prepare("nginx/http", cell, arguments.seconds, SEED)
        elapsed, cpu_time, _ = load.run(requests)
    return requests / elapsed, cpu_time / requests * 1e6


def wrks(arguments, network, cpu):
    words = ["taskset", "-c", str(cpu), *network.command("peer", [
        "wrk", "-t1", f"-c{arguments.connections}", f"-d{arguments.seconds}s",
        f"http://{GUEST}/1k"])]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    out = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    if re.search("Non-2xx|Socket errors", out):
        sys.exit(out)
    requests = int(re.search(r"(\d+) requests in", out)[1])
    rate = float(re.search(r"Requests/sec:\s+([0-9.]+)", out)[1])
    return rate, (usage.ru_utime + usage.ru_stime) / requests * 1e6


def compare(arguments, runtime, network, cpus):
    a, b = [], []
    for _ in range(arguments.rounds):
        for side in "ABBA":
            (a if side == "A" else b).append(
                (ours if side == "A" else wrks)(arguments, network, cpus[0]))
    ratios = []
    for i, what in enumerate(("requests/s", "CPU us/request")):
        left, right = [r[i] for r in a], [r[i] for r in b]
        ratios.append(statistics.median(left) / statistics.median(right))
        print(f"| {runtime} | {what} | {statistics.median(left):.2f} ({min(left):.2f} to "
              f"{max(left):.2f}) | {statistics.median(right):.2f} ({min(right):.2f} to "
              f"{max(right):.2f}) | {ratios[-1]:.3f} |", flush=True)
    return ratios[0] >= arguments.least and ratios[1] <= arguments.most


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--load", required=True, help="hvbench-load")
    parser.add_argument("--rounds", type=int, default=3, help="of A B B A")
    parser.add_argument("--seconds", type=int, default=2, help="of one measurement")
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--least", type=float, default=0.0, help="0.95: the bound")
    parser.add_argument("--most", type=float, default=float("inf"), help="1.25: the bound")
    parser.add_argument("--runtimes", nargs="*", choices=("native", "runc"),
                        default=["native", "runc"])
    parser.add_argument("--root", default=os.environ.get(
        "HVBENCH_APPLICATION_ROOT", os.path.expanduser("~/.cache/hvbench/application-root")))
    arguments = parser.parse_args()
    tree = pathlib.Path(arguments.root) / "tree"
    tools = ("ip", "wrk", "curl", "unshare", *(["runc"] if "runc" in arguments.runtimes else []))
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing or not (tree / "usr/sbin/nginx").exists():
        print(f"skipped: needs root, nginx in {tree}, {' '.join(missing) or 'and nothing else'}")
        return SKIPPED
    cpus = sorted(os.sched_getaffinity(0))
    good = True
    print("| server in | quantity | hvbench, median (range) | wrk, median (range) | ratio |")
    print("|---|---|---|---|---|", flush=True)
    for runtime in arguments.runtimes:
        with tempfile.TemporaryDirectory(prefix="hvbench-peers-") as folder, Network() as network, \
                Server(runtime, network, cpus[-1], tree, pathlib.Path(folder)):
            await_server(network)
            good = compare(arguments, runtime, network, cpus) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
