"""Process 1 of the guest of cgroup2.py: make a writable root, run the tests, switch off."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path

from minirt.linux.calls import NUMBERS, check
from minirt.linux.command import PATH
from minirt.linux.mount import MNT_DETACH, mount, pivot_root, umount2

NUMBERS["finit_module"] = 313  # User Mode Linux is x86_64 alone
MODULES = ("overlay", "veth", "bridge", "nf_tables")
RUN = "/run"
RESULTS = f"{RUN}/results"


def main(root: str, shared: str, modules: str, pytest: list[str]) -> int:
    """Run pytest on this kernel; its exit status."""
    mount("proc", "/proc", "proc")
    load_modules(Path(modules))
    make_root_writable()
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    mount("devtmpfs", "/dev", "devtmpfs")
    mount("tmpfs", RUN, "tmpfs")
    # The tests' own directory: overlayfs takes no other overlay for its writable layer.
    mount("tmpfs", "/var/tmp", "tmpfs")  # noqa: S108
    mount("cgroup2", "/sys/fs/cgroup", "cgroup2")
    os.mkdir(RESULTS)
    mount("none", RESULTS, "hostfs", data=shared)
    os.chdir(root)
    options = ["-q", "--color=no", "-p", "no:cacheprovider", f"--junitxml={RESULTS}/junit.xml"]
    argv = [sys.executable, "-I", "-B", "-m", "pytest", *options, *pytest]
    tests = os.posix_spawn(sys.executable, argv, {"PATH": PATH, "HOME": RUN})
    while True:  # process 1 inherits orphans, and reaps them
        pid, status = os.wait()
        if pid == tests:
            return os.waitstatus_to_exitcode(status)


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


if __name__ == "__main__":
    try:
        result = main(*sys.argv[1:4], sys.argv[4:])
        Path(RESULTS, "status").write_text(str(result))
    except BaseException:  # noqa: BLE001  (process 1 must not end, whatever happens)
        traceback.print_exc()
    sys.stdout.flush()
    os.sync()
    Path("/proc/sysrq-trigger").write_text("o")
    signal.pause()
