"""Process 1 of a guest: make a writable root, run the tests it is told to, switch off."""

from __future__ import annotations

import base64
import glob
import json
import os
import signal
import subprocess
import sys
import time
import traceback
import tty
from pathlib import Path
from typing import BinaryIO

from minirt.linux.calls import NUMBERS, check
from minirt.linux.command import PATH
from minirt.linux.mount import MNT_DETACH, MS_BIND, mount, pivot_root, umount2
from minirt.linux.netdev import bring_up

NUMBERS["finit_module"] = 313  # only where User Mode Linux is, x86_64
MODULES = ("overlay", "veth", "bridge", "nf_tables")
RUN = "/run"
CACHE = "/var/cache/minirt"
STATE = "/var/lib/minirt"
DISKS = ("/dev/ubda", "/dev/vda")
RAM_DISK = "/dev/ram0"
JUNIT = f"{RUN}/junit.xml"


def main(channel: str, modules: str = "") -> None:
    """Say "ready" through the device `channel`, do the order, report."""
    mount("proc", "/proc", "proc")
    if modules:
        load_modules(Path(modules))
    make_root_writable()
    mount_the_rest()
    name_disk()
    bring_up("lo")
    with os.fdopen(open_channel(channel), "r+b", buffering=0) as stream:
        say(stream, "ready", os.uname().release)
        order = json.loads(read_line(stream))
        say(stream, "cgroup", filesystem("/sys/fs/cgroup"))
        share_cache(order["cache"])
        status = run_tests(order["directory"], order["arguments"])
        if os.path.exists(JUNIT):
            say(stream, "junit", base64.b64encode(Path(JUNIT).read_bytes()).decode())
        say(stream, "end", str(status))


def load_modules(directory: Path) -> None:
    """Add MODULES and what they depend on to this kernel (finit_module(2))."""
    needs = {}
    for line in (directory / "modules.dep").read_text().splitlines():
        module, _, others = line.partition(": ")
        needs[Path(module.rstrip(":")).stem] = [*reversed(others.split()), module.rstrip(":")]
    for path in dict.fromkeys(path for name in MODULES for path in needs[name]):
        with (directory / path).open("rb") as file:
            check("finit_module", file.fileno(), b"", 0, what=f"cannot load {path}", shown=path)


def make_root_writable() -> None:
    """Put memory over the machine's own files: what is written there is gone with the guest."""
    mount("tmpfs", RUN, "tmpfs")
    for name in ("upper", "work", "root"):
        os.mkdir(f"{RUN}/{name}")
    layers = f"lowerdir=/,upperdir={RUN}/upper,workdir={RUN}/work"
    mount("overlay", f"{RUN}/root", "overlay", data=layers)
    os.chdir(f"{RUN}/root")
    # Not chroot: in one, no process may make a user namespace.
    pivot_root(".", ".")
    umount2(".", MNT_DETACH)
    os.chdir("/")


def mount_the_rest() -> None:
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    mount("devtmpfs", "/dev", "devtmpfs")
    os.makedirs("/dev/pts", exist_ok=True)
    mount("devpts", "/dev/pts", "devpts")
    mount("tmpfs", RUN, "tmpfs")
    # The tests' own directory: overlayfs takes no other overlay for its writable layer.
    mount("tmpfs", "/var/tmp", "tmpfs")  # noqa: S108
    # What runs on the machine meanwhile is none of the guest's.
    os.makedirs(STATE, exist_ok=True)
    mount("tmpfs", STATE, "tmpfs")
    mount("cgroup2", "/sys/fs/cgroup", "cgroup2")


def name_disk() -> None:
    """A name that only a guest has, so that no test can take a machine's own disk for it."""
    disk = next(path for path in DISKS if os.path.exists(path))
    os.symlink(disk, "/dev/empty-disk")


def open_channel(pattern: str) -> int:
    """The device that the host listens to; a port's node appears some time after its driver."""
    while not (found := glob.glob(pattern)):
        time.sleep(0.01)
    fd = os.open(found[0], os.O_RDWR | os.O_NOCTTY)
    if os.isatty(fd):
        tty.setraw(fd)
    return fd


def say(stream: BinaryIO, word: str, value: str) -> None:
    data = memoryview(f"{word} {value}\n".encode())
    while data:
        data = data[stream.write(data) :]


def read_line(stream: BinaryIO) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        line += stream.read(1 << 12)
    return line


def filesystem(path: str) -> str:
    """The magic number of the file system at `path`, in hexadecimal (statfs(2))."""
    argv = ["stat", "--file-system", "--format=%t", path]
    return subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def share_cache(cache: str) -> None:
    """Let root find the packages that whoever started the guest has downloaded.

    The rest of the cache is in memory: overlayfs takes no layer of an image from hostfs. Where the
    kernel has a disk in memory it is ext4, which maps ids; tmpfs does since Linux 6.3.
    """
    debs = os.open(f"{cache}/debs", os.O_PATH)
    os.makedirs(CACHE, exist_ok=True)
    if os.path.exists(RAM_DISK):
        subprocess.run(["mke2fs", "-q", "-t", "ext4", RAM_DISK], check=True)
        mount(RAM_DISK, CACHE, "ext4")
    else:
        mount("tmpfs", CACHE, "tmpfs", data="mode=755")
    os.mkdir(f"{CACHE}/debs")
    mount(f"/proc/self/fd/{debs}", f"{CACHE}/debs", flags=MS_BIND)
    os.close(debs)


def run_tests(directory: str, arguments: list[str]) -> int:
    """Run pytest on this kernel; its exit status."""
    os.chdir(directory)
    options = ["-q", "--color=no", "-p", "no:cacheprovider", f"--junitxml={JUNIT}"]
    argv = [sys.executable, "-I", "-B", "-m", "pytest", *options, *arguments]
    environment = {"PATH": PATH, "HOME": RUN, "TMPDIR": "/var/tmp"}  # noqa: S108
    tests = os.posix_spawn(sys.executable, argv, environment)
    while True:  # process 1 inherits orphans, and reaps them
        pid, status = os.wait()
        if pid == tests:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    os.environ["PATH"] = PATH
    try:
        main(*sys.argv[1:])
    except BaseException:  # noqa: BLE001  (process 1 must not end, whatever happens)
        traceback.print_exc()
    sys.stdout.flush()
    Path("/proc/sysrq-trigger").write_text("o")
    signal.pause()
