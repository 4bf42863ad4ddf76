"""A private dockerd with its containerd, and in it a container of somebody else."""

import http.client
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time

from machine import command_of, descendants, parent_of, pids, stat_fields

START_SECONDS = 40
STOP_SECONDS = 30


class DockerConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("docker", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class NoDaemons:
    """Where Docker is not installed."""

    folder = "/nonexistent"

    def leftovers(self):
        return []

    def pids(self):
        return set()

    def shims(self):
        return []

    def harm(self):
        return ""

    def end(self):
        pass


class Daemons:
    def __init__(self, folder, agent):
        self.folder = folder / "docker"
        self.agent = agent
        self.socket = self.folder / "sock"
        self.daemon = None
        self.container = None
        self.container_pids = set()
        self.start()

    @staticmethod
    def available():
        return shutil.which("dockerd") is not None

    def start(self):
        self.folder.mkdir(exist_ok=True)
        (self.folder / "daemon.json").write_text("{}")
        with open(self.folder / "log", "ab") as log:
            self.daemon = subprocess.Popen(
                ["dockerd", f"--data-root={self.folder}/data", f"--exec-root={self.folder}/exec",
                 f"--pidfile={self.folder}/pid", f"--host=unix://{self.socket}", "--bridge=none",
                 "--iptables=false", "--ip6tables=false", f"--config-file={self.folder}/daemon.json"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        os.environ["DOCKER_HOST"] = f"unix://{self.socket}"
        os.environ["CONTAINERD_ADDRESS"] = f"{self.folder}/exec/containerd/containerd.sock"
        end = time.monotonic() + START_SECONDS
        while not self.answers():
            if self.daemon.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"dockerd does not start: {(self.folder / 'log').read_text()[-500:]}")
            time.sleep(0.1)
        self.start_container()

    def answers(self):
        try:
            return self.ask("GET", "/_ping")[0] == 200 and os.path.exists(os.environ["CONTAINERD_ADDRESS"])
        except OSError:
            return False

    def ask(self, method, path, body=None, kind="application/json"):
        connection = DockerConnection(self.socket)
        try:
            connection.request(method, path, body, {"Content-Type": kind})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return answer.status, text

    def start_container(self):
        image = io.BytesIO()
        with tarfile.open(fileobj=image, mode="w") as tar:
            tar.add(self.agent, "agent")
        self.ask("POST", "/images/create?fromSrc=-&repo=bystander", image.getvalue(),
                 "application/x-tar")
        config = {"Image": "bystander", "Cmd": ["/agent", "--stdio"], "OpenStdin": True,
                  "HostConfig": {"NetworkMode": "none", "LogConfig": {"Type": "none"}}}
        status, text = self.ask("POST", "/containers/create", json.dumps(config))
        if status != 201:
            raise RuntimeError(f"no container beside the runs: {text}")
        self.container = json.loads(text)["Id"]
        self.ask("POST", f"/containers/{self.container}/start")
        pid = self.state()["Pid"]
        self.container_pids = {pid, parent_of(pid)}

    def state(self):
        return json.loads(self.ask("GET", f"/containers/{self.container}/json")[1])["State"]

    def pids(self):
        """The daemons', their hooks in containers, and those of the container that is not hvbench's."""
        root = self.daemon.pid
        found = {pid for pid in [root, *descendants(root)] if not is_shim(pid)}
        # A hook that was stopped outlives its container: Docker gives up on it.
        hooks = {pid for pid in pids() if command_of(pid).startswith("libnetwork-setkey ")}
        return found | hooks | self.container_pids

    def leftovers(self):
        """The containers but for the one beside the runs."""
        containers = json.loads(self.ask("GET", "/containers/json?all=1")[1])
        return [f"container {' '.join(container['Names'])}, {container['Status']}"
                for container in containers if container["Id"] != self.container]

    def harm(self):
        state = self.state()
        if state["Status"] != "running":
            return f"the container beside the runs is {state['Status']}"
        if stat_fields(state["Pid"])[:1] != ["S"]:
            return f"the container beside the runs is {stat_fields(state['Pid'])[:1]}"
        return ""

    def kill_one(self, rng):
        pid = rng.choice([self.daemon.pid, *(pid for pid in descendants(self.daemon.pid)
                                             if command_of(pid).startswith("containerd "))])
        name = command_of(pid).split()[0]
        os.kill(pid, signal.SIGKILL)
        return name

    def start_again(self):
        """A new dockerd ends the containers that the old one left."""
        self.end()
        old = self.container
        self.start()
        self.ask("DELETE", f"/containers/{old}?force=1")

    def shims(self):
        """Those of containers that are hvbench's, or were a moment ago."""
        return [pid for pid in pids() if is_shim(pid) and pid not in self.container_pids]

    def end(self):
        self.daemon.terminate()
        try:
            self.daemon.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
        for pid in pids():
            if command_of(pid).startswith("containerd ") and str(self.folder) in command_of(pid):
                os.kill(pid, signal.SIGKILL)
        for name in ("pid", "sock", "exec/containerd/containerd.pid"):
            (self.folder / name).unlink(missing_ok=True)


def is_shim(pid):
    return os.path.basename(command_of(pid).partition(" ")[0]).startswith("containerd-shim")
