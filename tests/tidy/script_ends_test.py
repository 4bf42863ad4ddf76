#!/usr/bin/env python3
"""However a script of scripts/ ends, its command has ended, and its EXIT trap ran to its end."""

import contextlib
import fcntl
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import tempfile
import termios
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PATIENCE_S = 60
INTERRUPTED = 130

# As bench.sh and test.sh are made: a command that runs for long, and something to be tidied up.
SCRIPT = """
set -euo pipefail
source {source}/scripts/lib/common.sh
source {source}/scripts/lib/dockerd.sh
on_exit() {{
  end_undisturbed
  say 'tidying up'
  {tidy}
  say 'done'
  touch {dir}/tidied
}}
end_in_order
trap on_exit EXIT
{before}
status=0
run_with_signals {command} || status=$?
say 'the command has ended'
exit "$status"
"""

COMMAND = """#!/bin/bash
trap 'exit 130' HUP INT QUIT TERM
touch {dir}/begun
for _ in $(seq 600); do sleep 0.1; done
"""


class ScriptEnds(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hvbench-ends-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def write(self, before="", tidy="sleep 0.3", command=COMMAND):
        for name, text in (("script", SCRIPT), ("command", command)):
            file = self.dir / name
            file.write_text(text.format(dir=self.dir, source=SOURCE, before=before, tidy=tidy,
                                        command=self.dir / "command"))
            file.chmod(0o755)
        return ["bash", str(self.dir / "script")]

    def await_file(self, name):
        deadline = time.monotonic() + PATIENCE_S
        while not (self.dir / name).exists():
            self.assertLess(time.monotonic(), deadline, f"there is no {name}")
            time.sleep(0.02)

    def expect_end(self, process, statuses):
        status = process.wait(PATIENCE_S)
        self.assertIn(status, statuses)
        self.assertTrue((self.dir / "tidied").exists(), "the EXIT trap did not get to its end")
        listed = subprocess.run(["pgrep", "--full", str(self.dir / "command")],
                                capture_output=True, text=True, check=False).stdout
        self.assertEqual(listed, "", "the command still runs")

    def test_each_signal_is_handed_on(self):
        for name in ("INT", "HUP", "QUIT", "TERM"):
            with self.subTest(signal=name):
                for file in ("begun", "tidied"):
                    (self.dir / file).unlink(missing_ok=True)
                process = subprocess.Popen(self.write(), stderr=subprocess.DEVNULL)
                self.await_file("begun")
                process.send_signal(getattr(signal, "SIG" + name))
                self.expect_end(process, [INTERRUPTED])

    # While the trap runs, as a shell and the kernel both send it after a hang-up.
    def test_signals_that_come_again_do_not_end_the_exit_trap(self):
        process = subprocess.Popen(self.write(tidy=f"touch {self.dir}/tidying; sleep 0.5"),
                                   stderr=subprocess.DEVNULL)
        self.await_file("begun")
        process.send_signal(signal.SIGHUP)
        self.await_file("tidying")
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            process.send_signal(number)
        self.expect_end(process, [INTERRUPTED])

    @contextlib.contextmanager
    def on_terminal(self, command):
        """A session on a terminal of its own; yields the process and a function that hangs up."""
        master, slave = pty.openpty()

        def lead():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave,
                                   preexec_fn=lead)
        os.close(slave)
        closed = []

        def hang_up():
            os.close(master)
            closed.append(True)

        try:
            yield process, hang_up
        finally:
            if not closed:
                os.close(master)

    def test_a_closed_terminal(self):
        with self.on_terminal(self.write()) as (process, hang_up):
            self.await_file("begun")
            hang_up()
            self.expect_end(process, [INTERRUPTED])

    def test_a_closed_pipe_is_no_end(self):
        read_end, write_end = os.pipe()
        quick = COMMAND.replace("600", "5")
        process = subprocess.Popen(self.write(command=quick), stdout=write_end, stderr=write_end)
        os.close(write_end)
        os.close(read_end)
        self.expect_end(process, [0])

    def test_nohup(self):
        quick = COMMAND.replace("600", "10")
        with open(self.dir / "out", "wb") as out:
            process = subprocess.Popen(["nohup"] + self.write(command=quick), stdout=out,
                                       stderr=out)
        self.await_file("begun")
        process.send_signal(signal.SIGHUP)
        self.expect_end(process, [0])

    @unittest.skipIf(os.geteuid() != 0 or not shutil.which("dockerd"), "needs root and dockerd")
    def test_a_closed_terminal_stops_the_private_dockerd(self):
        cache = tempfile.mkdtemp(prefix="hv-")
        self.addCleanup(shutil.rmtree, cache, ignore_errors=True)
        command = self.write(before=f"start_dockerd {cache}/docker; [[ -n ${{DOCKER_HOST:-}} ]]",
                             tidy="stop_dockerd")
        with self.on_terminal(command) as (process, hang_up):
            self.await_file("begun")
            hang_up()
            self.expect_end(process, [INTERRUPTED])
        listed = subprocess.run(["pgrep", "--full", cache], capture_output=True, text=True,
                                check=False).stdout
        self.assertEqual(listed, "", "something of the private dockerd still runs")
        self.assertNotIn(cache, pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
