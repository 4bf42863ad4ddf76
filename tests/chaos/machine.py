"""What a run may leave on a machine, and the processes beside it that it must not touch."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

CGROUPS = pathlib.Path("/sys/fs/cgroup")
RUN_OF_HVBENCH = re.compile("hvbench-[0-9a-f]+x[0-9a-f]+")
HEARTBEAT_SECONDS = 0.1
# How long a process may be silent that nothing holds up, on a machine that does other work.
MAX_SILENCE_SECONDS = 5
# Kernel work that follows the end of a process: a namespace's devices go a moment after it.
GRACE_SECONDS = 5
INSIDE = "HVBENCH_CHAOS_INSIDE"


def pids():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def read(path):
    """"" for what has gone."""
    try:
        return pathlib.Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def command_of(pid):
    return read(f"/proc/{pid}/cmdline").replace("\0", " ").strip() or read(f"/proc/{pid}/comm").strip()


def stat_fields(pid):
    """Those of proc(5)'s stat from the state on; [] for what has gone."""
    return read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def parent_of(pid):
    fields = stat_fields(pid)
    return int(fields[1]) if fields else 0


def start_time(pid):
    fields = stat_fields(pid)
    return int(fields[19]) if fields else None


def descendants(root):
    parents = {pid: parent_of(pid) for pid in pids()}
    found, todo = [], [root]
    while todo:
        parent = todo.pop()
        children = [pid for pid, its_parent in parents.items() if its_parent == parent]
        found += children
        todo += children
    return found


def cgroup_dirs():
    """Those of runs, by their names; the machine and other tests make others while we look."""
    return {path for path, _, _ in os.walk(CGROUPS) if RUN_OF_HVBENCH.search(path)}


def cgroup_roots():
    """The mount points of all hierarchies."""
    roots = []
    for line in read("/proc/self/mountinfo").splitlines():
        fields, _, rest = line.partition(" - ")
        if rest.startswith("cgroup"):
            roots.append(pathlib.Path(fields.split()[4]))
    return roots


def objects(daemons_folder):
    """Whatever a run may make beside its own files, each in words. What daemons mount for a container
    is theirs: they are asked whether it is still there."""
    found = {f"mount {line.split(' ', 2)[2]}" for line in read("/proc/self/mountinfo").splitlines()
             if f" {daemons_folder}/" not in line}
    found |= {f"cgroup {name}" for name in cgroup_dirs()}
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    found |= {f"link {line.split(':')[1].strip()}" for line in links.splitlines()}
    for folder in ("/run/netns", "/run", "/tmp", "/dev/shm"):
        if os.path.isdir(folder):
            found |= {f"file {folder}/{name}" for name in os.listdir(folder)
                      if folder != "/tmp" or name.startswith("hvbench")}
    for loop in pathlib.Path("/sys/class/block").glob("loop*/loop/backing_file"):
        found.add(f"loop device of {read(loop).strip()}")
    return found


class Machine:
    """The state before a fault, to compare with afterwards. `known` gives the processes that may be
    there: the test's own."""

    def __init__(self, known, daemons):
        self.known = known
        self.daemons = daemons
        self.before = objects(daemons.folder)

    def strangers(self):
        known = self.known()
        return [pid for pid in pids()
                if pid not in known and stat_fields(pid)[:1] not in ([], ["Z"])]

    def leftovers(self):
        found = [f"process {pid}: {command_of(pid)}" for pid in self.strangers()]
        return found + self.daemons.leftovers() + sorted(objects(self.daemons.folder) - self.before)

    def leftovers_after_grace(self):
        end = time.monotonic() + GRACE_SECONDS
        found = self.leftovers()
        while found and time.monotonic() < end:
            time.sleep(0.1)
            found = self.leftovers()
        return found


BEAT = """
import os, sys, time
while True:
    os.utime(sys.argv[1])
    time.sleep(float(sys.argv[2]))
"""


class Bystander:
    """A process that touches a file again and again, and of which a confused program might think
    that it is its own."""

    def __init__(self, name, folder, group=None, disguise=()):
        self.name = name
        self.file = folder / f"{name}.beat"
        self.file.touch()
        self.groups = []
        self.process = subprocess.Popen(
            [sys.executable, "-c", BEAT, str(self.file), str(HEARTBEAT_SECONDS), *disguise],
            stdin=subprocess.DEVNULL, start_new_session=True)
        if group:
            self.groups = [self.enter(root / group) for root in cgroup_roots()]
            self.groups = [group for group in self.groups if group]
        self.started = start_time(self.process.pid)

    def enter(self, group):
        try:
            group.mkdir(parents=True, exist_ok=True)
            for name in ("cpuset.mems", "cpuset.cpus"):
                if (group / name).exists() and not read(group / name).strip():
                    (group / name).write_text(read(group.parent / name))
            (group / "cgroup.procs").write_text(str(self.process.pid))
        except OSError:
            return None
        return group

    @property
    def pid(self):
        return self.process.pid

    def harm(self):
        """What was done to it, in words; "" if nothing."""
        if self.process.poll() is not None or start_time(self.pid) != self.started:
            return f"bystander {self.name} was ended: {self.process.returncode}"
        end = time.monotonic() + MAX_SILENCE_SECONDS
        while time.time() - self.file.stat().st_mtime > 5 * HEARTBEAT_SECONDS:
            if time.monotonic() > end:
                return f"bystander {self.name} is held up: {' '.join(stat_fields(self.pid)[:1])}"
            time.sleep(HEARTBEAT_SECONDS)
        for group in self.groups:
            if str(self.pid) not in read(group / "cgroup.procs").split():
                return f"bystander {self.name} is no longer in {group}"
        return ""

    def end(self):
        self.process.kill()
        self.process.wait()
        for group in self.groups:
            try:
                group.rmdir()
            except OSError:
                pass


def enter_namespaces(script):
    """Starts this program again in namespaces of its own (processes, mounts, network), out of which
    nothing that it kills or fills reaches the machine. Returns in that program alone."""
    if os.environ.get(INSIDE):
        return
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc",
                          "--net", "--ipc", sys.executable, __file__, script, *sys.argv[1:]])


def be_the_first_process(command):
    """Reaps orphans, as an init does; the namespace ends with it."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for folder in ("/run", "/tmp", "/dev/shm"):
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=1777", "hvbench-chaos", folder], check=True)
    child = subprocess.Popen([sys.executable, *command])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: child.send_signal(number))
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            os._exit(os.waitstatus_to_exitcode(status) & 255)


if __name__ == "__main__":
    be_the_first_process(sys.argv[1:])
