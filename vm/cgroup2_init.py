"""Process 1 of the guest of cgroup2.py: mount what tests need, run them, switch off."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path

from minirt.linux.command import PATH
from minirt.linux.mount import mount

RESULTS = "/run/results"


def main(root: str, shared: str, pytest: list[str]) -> int:
    """Run pytest on this kernel; its exit status."""
    mount("proc", "/proc", "proc")
    mount("sysfs", "/sys", "sysfs")
    mount("tmpfs", "/run", "tmpfs")
    mount("tmpfs", "/tmp", "tmpfs")  # noqa: S108
    mount("cgroup2", "/sys/fs/cgroup", "cgroup2")
    os.mkdir(RESULTS)
    mount("none", RESULTS, "hostfs", data=shared)
    os.chdir(root)
    options = ["-q", "--color=no", f"--junitxml={RESULTS}/junit.xml"]
    argv = [sys.executable, "-I", "-B", "-m", "pytest", *options, *pytest]
    tests = os.posix_spawn(sys.executable, argv, {"PATH": PATH})
    while True:  # process 1 inherits orphans, and reaps them
        pid, status = os.wait()
        if pid == tests:
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    try:
        result = main(sys.argv[1], sys.argv[2], sys.argv[3:])
        Path(RESULTS, "status").write_text(str(result))
    except BaseException:  # noqa: BLE001  (process 1 must not end, whatever happens)
        traceback.print_exc()
    sys.stdout.flush()
    os.sync()
    Path("/proc/sysrq-trigger").write_text("o")
    signal.pause()
