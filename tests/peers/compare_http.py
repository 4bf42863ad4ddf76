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
import subprocess
import sys
import tempfile
import time

from application_tools import SEED, MASK, Overlay, add_arguments, bundle_config, can_run, compare, mix
from application_tools import tree_of
from compare_network import GUEST, SKIPPED, Network, run
from load_client import LoadClient

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
        overlay = Overlay(tree, folder)
        files = overlay.upper / CONTENT_DIR.lstrip("/")
        files.mkdir(parents=True)
        files.joinpath("1k").write_bytes(content(SEED, 1))
        files.joinpath("nginx.conf").write_text(CONFIGURATION)
        nginx = ["/usr/sbin/nginx", "-c", f"{CONTENT_DIR}/nginx.conf"]
        if runtime == "native":
            start = network.command("guest", ["chroot", str(overlay.root), *nginx])
        else:
            config = bundle_config(network, nginx, ("CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID",
                                                    "NET_BIND_SERVICE", "KILL"))
            (overlay.bundle / "config.json").write_text(json.dumps(config))
            start = ["runc", "--root", str(folder / "state"), "run", "--bundle", str(overlay.bundle),
                     f"hvbench-peers-{os.getpid()}"]
        self.process = subprocess.Popen(
            ["taskset", "-c", str(cpu), "unshare", "--mount", "sh", "-c", f'{overlay.mount} && exec "$@"',
             "sh", *start], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--load", required=True, help="hvbench-load")
    parser.add_argument("--most", type=float, default=float("inf"), help="1.25: the bound")
    add_arguments(parser, connections=100, seconds=2)
    arguments = parser.parse_args()
    if not can_run(arguments, "usr/sbin/nginx", ["wrk", "curl"]):
        return SKIPPED
    cpus = sorted(os.sched_getaffinity(0))
    good = True
    print("| server in | quantity | hvbench, median (range) | wrk, median (range) | ratio |")
    print("|---|---|---|---|---|", flush=True)
    for runtime in arguments.runtimes:
        with tempfile.TemporaryDirectory(prefix="hvbench-peers-") as folder, Network() as network, \
                Server(runtime, network, cpus[-1], tree_of(arguments), pathlib.Path(folder)):
            await_server(network)
            rate, cpu_time = compare(runtime, ("requests/s", "CPU us/request"), arguments.rounds,
                                     lambda: ours(arguments, network, cpus[0]),
                                     lambda: wrks(arguments, network, cpus[0]))
            good = good and rate >= arguments.least and cpu_time <= arguments.most
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
