#!/usr/bin/env python3
"""Daemons and runtimes that lie about what is whose: bystanders live, and a sentence says why.

    lying_daemons_test.py HVBENCH

In PID and mount namespaces and in a control group of its own, so that a program that believes the
lies harms nothing but this test.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import doubles  # noqa: E402

SKIPPED = 77
INNER = "HVBENCH_TEST_INNER"
OUTER_SOCKET = "HVBENCH_TEST_OUTER_SOCKET"
PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 else ""
NOBODY = 4_000_000  # beyond the default of pid_max
CELL = "syscall/getppid/"


class LyingDaemonsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)
        self.bystander = doubles.Bystander(f"bystander-{os.getpid()}-{id(self)}")
        self.addCleanup(self.bystander.close)

    def tearDown(self):
        self.assertIsNone(self.bystander.harm())
        runs = self.dir / "work" / "runs"
        self.assertEqual(list(runs.iterdir()) if runs.is_dir() else [], [], "a run is left")

    def run_program(self, *arguments, **environment):
        """Through a shell, so that its parent is a process that only it depends on."""
        command = ["sh", "-c", '"$@"; exit $?', "sh", PROGRAM,
                   f"--hvbench_work_dir={self.dir / 'work'}", *arguments]
        return subprocess.run(command, env={**os.environ, **environment}, capture_output=True,
                              text=True, timeout=120, check=False)

    def doctor(self, runtime, **environment):
        result = self.run_program("doctor", "--json", f"--hvbench_runtimes={runtime}",
                                  **environment)
        self.assertEqual(result.returncode, 0, result.stderr)
        return next(row for row in json.loads(result.stdout)["runtimes"] if row["name"] == runtime)

    def measure(self, runtime, *arguments, **environment):
        return self.run_program(
            f"--hvbench_runtimes={runtime}", f"--benchmark_filter=^{CELL}runtime:{runtime}/",
            "--hvbench_profile=smoke", *arguments, **environment)

    def docker(self, named, **options):
        double = doubles.DockerDouble(self.dir / f"docker-{len(list(self.dir.iterdir()))}.sock",
                                      named, **options)
        self.addCleanup(double.close)
        return double, {"DOCKER_HOST": f"unix://{double.path}"}

    def lies(self):
        """Each: what the daemon names, from the pid of the program that asks it."""
        ended = subprocess.Popen(["true"])
        ended.wait()
        return {
            "a bystander": lambda asker: self.bystander.pid,
            "the program itself": lambda asker: asker,
            "its parent": doubles.parent_of,
            "the first process": lambda asker: 1,
            "a process that has ended": lambda asker: ended.pid,
            "a process of another namespace": lambda asker: NOBODY,
        }

    def test_docker_names_another_process(self):
        for lie, named in self.lies().items():
            with self.subTest(lie):
                double, environment = self.docker(named)
                row = self.doctor("docker", **environment)
                self.assertFalse(row["usable"])
                self.assertIn("the Docker daemon runs in another PID namespace", row["reason"])
                self.assertIn("--pid=host", row["fix"])
                self.assertTrue(any(r.startswith("DELETE") for r in double.requests))
                self.assertIsNone(self.bystander.harm())

    def test_docker_lies_only_once_it_is_trusted(self):
        for lie, named in self.lies().items():
            with self.subTest(lie):
                _, environment = self.docker(named, honest=True)
                result = self.measure("docker", **environment)
                self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
                self.assertIn("another PID namespace", result.stdout + result.stderr)
                self.assertIsNone(self.bystander.harm())

    def test_docker_gives_out_the_id_of_another_container(self):
        engine = f"engine-{os.getpid()}"
        other = doubles.Bystander(f"{engine}/{doubles.CONTAINER_ID}")
        try:
            _, environment = self.docker(lambda asker: other.pid)
            row = self.doctor("docker", **environment)
            self.assertFalse(row["usable"])
            self.assertIn("older than the guest", row["reason"])
            self.assertIsNone(other.harm())
        finally:
            other.close()
            for group in doubles.hierarchies():
                (group / engine).rmdir()

    def test_docker_gives_out_what_is_no_id(self):
        for text in ("", "user.slice", "../bystander", 64 * "g"):
            with self.subTest(text):
                _, environment = self.docker(lambda asker: self.bystander.pid, container_id=text)
                row = self.doctor("docker", **environment)
                self.assertFalse(row["usable"])
                self.assertIn("id", row["reason"])

    def test_docker_without_control_groups(self):
        double, environment = self.docker(
            lambda asker: self.bystander.pid,
            info={"CgroupDriver": "none", "SecurityOptions": ["name=seccomp", "name=rootless"]})
        row = self.doctor("docker", **environment)
        self.assertFalse(row["usable"])
        self.assertIn("cgroup driver 'none'", row["reason"])
        self.assertIn("rootless", row["fix"])
        result = self.measure("docker", **environment)
        self.assertEqual(result.returncode, 2)
        self.assertIn("cgroup driver 'none'", result.stderr)
        self.assertFalse(any("/containers/create" in request for request in double.requests))

    def test_docker_listens_from_another_pid_namespace(self):
        row = self.doctor("docker", DOCKER_HOST="unix://" + os.environ[OUTER_SOCKET])
        self.assertFalse(row["usable"])
        self.assertIn("the Docker daemon runs in another PID namespace", row["reason"])

    def test_containerd_names_another_process(self):
        if not shutil.which("containerd-shim-runc-v2") or not shutil.which("runc"):
            self.skipTest("needs containerd's shim and runc")
        for number, (lie, named) in enumerate(self.lies().items()):
            with self.subTest(lie):
                double = doubles.ContainerdDouble(self.dir / f"c{number}.sock", named)
                self.addCleanup(double.close)
                row = self.doctor("containerd-runc", CONTAINERD_ADDRESS=str(double.path))
                self.assertFalse(row["usable"])
                self.assertIn("containerd runs in another PID namespace", row["reason"])
                self.assertIsNone(self.bystander.harm())

    def test_an_oci_runtime_writes_another_pid(self):
        lies = {"a bystander": f"echo {self.bystander.pid}",
                "the program itself": "echo $PPID",
                "its parent": "sed -n 's/^PPid:[^0-9]*//p' /proc/$PPID/status",
                "the first process": "echo 1",
                "a process of another namespace": f"echo {NOBODY}"}
        program = self.dir / "liar"
        runtimes = self.dir / "runtimes.json"
        runtimes.write_text(json.dumps(
            {"runtimes": [{"name": "liar", "launcher": "runc", "binary": str(program)}]}))
        for lie, command in lies.items():
            with self.subTest(lie):
                doubles.lying_oci_runtime(program, command)
                result = self.measure("liar", f"--hvbench_runtimes_file={runtimes}")
                self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
                self.assertIn("wrote a process id", result.stdout + result.stderr)
                self.assertIsNone(self.bystander.harm())

    def test_a_pid_is_used_again(self):
        """The container's process ends, and a bystander gets its pid."""
        last = pathlib.Path("/proc/sys/kernel/ns_last_pid")
        ended = subprocess.Popen(["true"])
        ended.wait()
        for _ in range(50):
            last.write_text(str(ended.pid - 1))
            heir = subprocess.Popen(["sleep", "100"])
            if heir.pid == ended.pid:
                break
            heir.kill()
            heir.wait()
        self.assertEqual(heir.pid, ended.pid)
        try:
            _, environment = self.docker(lambda asker: ended.pid)
            self.assertFalse(self.doctor("docker", **environment)["usable"])
            self.assertIsNone(heir.poll())
        finally:
            heir.kill()
            heir.wait()


def inner():
    """The tests, as a child of the namespace's first process."""
    pid = os.fork()
    if pid == 0:
        unittest.main()
    while True:  # as an init does
        ended, status = os.wait()
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def outer():
    if os.geteuid() != 0 or not doubles.hierarchies() or not shutil.which("unshare"):
        print("needs root, control groups and unshare")
        return SKIPPED
    group_name = f"identity-test-{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder:
        double = doubles.DockerDouble(pathlib.Path(folder, "outer.sock"), lambda asker: NOBODY)
        groups = [group / group_name for group in doubles.hierarchies()]
        for group in groups:
            group.mkdir()
        try:
            environment = {**os.environ, INNER: str(os.getpid()), OUTER_SOCKET: str(double.path)}
            child = subprocess.Popen(
                ["sh", "-c", 'read go; exec unshare --pid --fork --kill-child --mount --mount-proc '
                 '"$@"', "sh", sys.executable, __file__, PROGRAM, *sys.argv[1:]],
                stdin=subprocess.PIPE, env=environment)
            for group in groups:
                doubles.enter(group, child.pid)
            child.communicate(b"go\n")
            return child.returncode
        finally:
            double.close()
            for group in groups:
                if group.is_dir():
                    group.rmdir()


if __name__ == "__main__":
    sys.exit(inner() if INNER in os.environ else outer())
