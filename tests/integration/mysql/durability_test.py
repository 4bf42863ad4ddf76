#!/usr/bin/env python3
"""What a durable server acknowledged is there after it was killed, natively and inside runc.

    durability_test.py PROGRAMS

PROGRAMS is the folder of hvbench-agent and hvbench-load. Exit status: 77 where something is missing.
"""

import os
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "peers"))

from compare_network import GUEST, SKIPPED, Network, run  # noqa: E402
from compare_oltp import SEED, USER, Server, password  # noqa: E402
from load_client import LoadClient  # noqa: E402

CELL = {"tables": 2, "rows": 2000, "connections": 8, "durable": 1, "server": GUEST}
ROOT = pathlib.Path(os.environ.get("HVBENCH_APPLICATION_ROOT",
                                   os.path.expanduser("~/.cache/hvbench/application-root")))
SERVER = next((name for name in ("mariadbd", "mysqld")
               if (ROOT / "tree/usr/sbin" / name).exists()), None)
PROGRAMS = None


class DurabilityTest(unittest.TestCase):
    def test_in_native(self):
        self.check("native")

    @unittest.skipUnless(shutil.which("runc"), "runc is not installed")
    def test_in_runc(self):
        self.check("runc")

    def check(self, runtime):
        agent = str(PROGRAMS / "hvbench-agent")
        cpu = max(os.sched_getaffinity(0))
        with tempfile.TemporaryDirectory(prefix="hvbench-durable-") as folder, Network() as network, \
                Server(runtime, network, cpu, ROOT / "tree", agent, pathlib.Path(folder)) as server:
            self.network = network
            with self.load() as load:
                load.prepare("mysql/oltp_point_select", CELL, 0.01, SEED)
            before = self.odd_sum()
            with self.load() as load:
                load.prepare("mysql/oltp_write_only", CELL, 0.1, SEED)
                threading.Timer(1, self.kill_server).start()
                with self.assertRaises(RuntimeError) as failure:
                    load.run(1 << 40)
            numbers = re.search(r"(\d+) transactions were acknowledged and (\d+) cut off",
                                str(failure.exception))
            acknowledged, in_doubt = int(numbers[1]), int(numbers[2])
            self.assertGreater(acknowledged, 100)
            server.prepare("mysql/server", {"buffer_pool_mib": 128}, 0.001, SEED)
            transactions = self.odd_sum() - before
            self.assertGreaterEqual(transactions, acknowledged)
            self.assertLessEqual(transactions, acknowledged + in_doubt)

    def load(self):
        return LoadClient(str(PROGRAMS / "hvbench-load"), self.network.command("peer", []))

    def odd_sum(self):
        sums = "+".join(f"(SELECT SUM(k) FROM hvbench.sbtest{table} WHERE id % 2 = 1)"
                        for table in range(1, CELL["tables"] + 1))
        return int(run(*self.network.command("peer", [
            "mariadb", "--no-defaults", "--skip-ssl", f"--host={GUEST}", f"--user={USER}",
            f"--password={password(SEED)}", "--skip-column-names", f"--execute=SELECT {sums}"])))

    def kill_server(self):
        """The one in the guest's network, and no other."""
        inside = os.readlink(self.network.path("guest"))
        for process in pathlib.Path("/proc").iterdir():
            try:
                if (process.name.isdigit() and os.readlink(process / "ns/net") == inside
                        and (process / "comm").read_text() == f"{SERVER}\n"):
                    os.kill(int(process.name), signal.SIGKILL)
            except OSError:
                continue


if __name__ == "__main__":
    missing = [tool for tool in ("ip", "unshare", "mariadb") if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing or SERVER is None:
        print(f"skipped: needs root, MariaDB or MySQL in {ROOT}, "
              f"{' '.join(missing) or 'and nothing else'}")
        sys.exit(SKIPPED)
    PROGRAMS = pathlib.Path(sys.argv.pop())
    unittest.main()
