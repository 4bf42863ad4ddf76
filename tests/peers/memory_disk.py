"""A disk that takes next to no time of its own."""

import contextlib
import ctypes
import pathlib
import subprocess
import tempfile

DISK_MIB = 1024
CLONE_NEWNS = 0x20000  # linux/sched.h; os.CLONE_NEWNS since Python 3.12


def run(*command):
    subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)


def leave_mounts_of_others():
    """What is mounted from here on is seen by this process and its children alone, and goes with
    them. An OSError where that cannot be."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace, which needs root")
    run("mount", "--make-rprivate", "/")


@contextlib.contextmanager
def memory_disk():
    """A folder on ext4 on a loop device over a file in tmpfs. An OSError or a CalledProcessError
    where it cannot be made. For a process that has left the mounts of others."""
    with tempfile.TemporaryDirectory(prefix="hvbench-peer-disk-") as folder:
        run("mount", "-t", "tmpfs", "-o", f"size={DISK_MIB + 1}m", "hvbench-peer", folder)
        try:
            image, disk = pathlib.Path(folder) / "image", pathlib.Path(folder) / "disk"
            run("truncate", "-s", f"{DISK_MIB}M", image)
            run("mkfs.ext4", "-q", "-E", "nodiscard", image)
            disk.mkdir()
            run("mount", "-o", "loop", image, disk)
            yield disk
        finally:
            run("umount", "--recursive", folder)
