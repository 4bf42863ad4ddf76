"""Daemons that answer as Docker and containerd do, but lie about what is whose."""

import contextlib
import json
import pathlib
import re
import socket
import struct
import subprocess
import threading

CONTAINER_ID = "c0ffee" + 58 * "0"


def peer_of(connection):
    """The process at the other end, in this PID namespace."""
    return struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]


def parent_of(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return int(re.search(r"^PPid:\s+(\d+)$", status, re.M).group(1))


class Listener:
    """Serves each connection to a unix socket in a thread of its own."""

    def __init__(self, path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(16)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        raise NotImplementedError

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class DockerDouble(Listener):
    """`named` gives the pid that the daemon names, from that of the program that asks. With
    `honest` true, the first container is one: a process in its own control group."""

    def __init__(self, path, named, container_id=CONTAINER_ID, info=None, honest=False):
        self.named = named
        self.container_id = container_id
        self.info = {"ServerVersion": "24.0.7", "CgroupDriver": "cgroupfs", "Driver": "overlay2",
                     "Runtimes": {"runc": {"path": "runc"}}, **(info or {})}
        self.honest = honest
        self.groups = []
        self.container = None
        self.requests = []
        super().__init__(path)

    def serve(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            more = connection.recv(65536)
            if not more:
                return
            request += more
        head, body = request.split(b"\r\n\r\n", 1)
        method, target = head.decode().split("\r\n")[0].split(" ")[:2]
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while len(body) < int(length.group(1) if length else 0):
            body += connection.recv(65536)
        self.requests.append(f"{method} {target}")
        if target.endswith("/wait"):
            self.end_container()
        if "/attach" in target:
            connection.sendall(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n"
                               b"Upgrade: tcp\r\n\r\n")
            while connection.recv(4096):
                pass
            connection.close()
            return
        status, answer = self.answer(method, target, body, peer_of(connection))
        text = json.dumps(answer).encode()
        # The program that asked may have been killed.
        with contextlib.suppress(OSError):
            connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\n"
                               "Connection: close\r\n\r\n".encode() + text)
        connection.close()

    def answer(self, method, target, body, asker):
        if target == "/info":
            return 200, self.info
        if target == "/version":
            return 200, {"Version": self.info["ServerVersion"]}
        if target.startswith("/containers/create"):
            parent = json.loads(body)["HostConfig"]["CgroupParent"]
            self.groups = [group / parent.strip("/") / self.container_id
                           for group in hierarchies()] if self.honest else []
            return 201, {"Id": self.container_id}
        if target.endswith("/start"):
            self.start_container()
            return 204, {}
        if target.endswith("/wait"):
            return 200, {"StatusCode": 0}
        if target.startswith("/containers/") and target.endswith("/json"):
            pid = self.container.pid if self.container else self.named(asker)
            return 200, {"Id": self.container_id, "State": {"Pid": pid, "Running": True}}
        if method == "DELETE":
            self.end_container()
        return 200, {}

    def start_container(self):
        if not self.honest:
            return
        self.container = subprocess.Popen(["sleep", "100"])
        for group in self.groups:
            enter(group, self.container.pid)

    def end_container(self):
        if not self.container:
            return
        self.container.kill()
        self.container.wait()
        for group in self.groups:
            group.rmdir()
        self.container = None
        self.honest = False


class ContainerdDouble(Listener):
    """Knows no call from another: each gets the answer that says a version and a pid."""

    PREFACE = 24  # octets (RFC 9113, section 3.4)

    def __init__(self, path, named):
        self.named = named
        super().__init__(path)

    def serve(self, connection):
        stream = connection.makefile("rb")
        stream.read(self.PREFACE)
        connection.sendall(frame(4, 0, 0, b""))  # SETTINGS
        while header := stream.read(9):
            length = int.from_bytes(header[:3], "big")
            kind, flags = header[3], header[4]
            number = int.from_bytes(header[5:], "big")
            stream.read(length)
            if kind == 4 and not flags & 1:
                connection.sendall(frame(4, 1, 0, b""))
            if kind in (0, 1) and flags & 1:  # DATA or HEADERS, the last of its stream
                with contextlib.suppress(OSError):
                    connection.sendall(self.reply(number, peer_of(connection)))

    def reply(self, stream, asker):
        version = b"1.7.24"
        message = b"\x0a" + bytes([len(version)]) + version + b"\x10" + varint(self.named(asker))
        data = b"\0" + struct.pack(">I", len(message)) + message
        headers = b"\x88" + literal("content-type", "application/grpc")
        return (frame(1, 4, stream, headers) + frame(0, 0, stream, data) +
                frame(1, 5, stream, literal("grpc-status", "0")))


def frame(kind, flags, stream, payload):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") +
            payload)


def literal(name, value):
    """A header field without indexing (RFC 7541, section 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def varint(number):
    octets = bytearray()
    while number > 0x7f:
        octets.append(number & 0x7f | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def hierarchies():
    """Where the control groups are mounted that matter here."""
    found = []
    for line in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        before, after = line.split(" - ")
        kind = after.split()[0]
        options = after.split()[2].split(",")
        ours = {"cpuacct", "cpuset", "memory", "freezer", "pids"} & set(options)
        if kind == "cgroup2" or (kind == "cgroup" and ours):
            found.append(pathlib.Path(before.split()[4]))
    if any((group / "cgroup.controllers").exists() for group in found) and len(found) > 1:
        found = [group for group in found if not (group / "cgroup.controllers").exists()]
    return found


def enter(group, pid):
    """Makes the group, which a version 1 cpuset must be filled for, and moves the process."""
    group.mkdir(parents=True, exist_ok=True)
    for name in ("cpuset.mems", "cpuset.cpus"):
        file = group / name
        if file.exists() and not (group / "cgroup.controllers").exists():
            for level in (group.parent / name, file):
                if not level.read_text().strip():
                    level.write_text((level.parent.parent / name).read_text())
    (group / "cgroup.procs").write_text(str(pid))


class Bystander:
    """A process in control groups of its own, which nobody may touch."""

    def __init__(self, name):
        self.process = subprocess.Popen(["sleep", "1000"])
        self.groups = [group / name for group in hierarchies()]
        for group in self.groups:
            enter(group, self.process.pid)
        self.before = self.cgroup()

    @property
    def pid(self):
        return self.process.pid

    def cgroup(self):
        return pathlib.Path(f"/proc/{self.pid}/cgroup").read_text(encoding="utf-8")

    def harm(self):
        """What was done to it, or None."""
        if self.process.poll() is not None:
            return f"it ended with {self.process.returncode}"
        if self.cgroup() != self.before:
            return "it was moved to " + self.cgroup()
        stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii")
        if stat.rsplit(")", 1)[1].split()[0] != "S":
            return "it does not sleep: " + stat
        for group in self.groups:
            if not group.is_dir():
                return f"{group} was removed"
            for file, wanted in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
                if (group / file).exists() and (group / file).read_text().strip() != wanted:
                    return f"{group} was frozen"
        return None

    def close(self):
        for group in self.groups:
            for file, text in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
                if (group / file).exists():
                    (group / file).write_text(text)
        self.process.kill()
        self.process.wait()
        for group in self.groups:
            if group.is_dir():
                group.rmdir()


def lying_oci_runtime(path, pid_command):
    """A program that says it has started a container and writes down another's pid."""
    path.write_text(f"""#!/bin/sh
case " $* " in *" --version "*) echo 'runc version 1.1.5'; exit 0;; esac
while [ $# -gt 0 ]; do
  if [ "$1" = --pid-file ]; then {{ {pid_command}; }} >"$2"; fi
  shift
done
""", encoding="ascii")
    path.chmod(0o755)


