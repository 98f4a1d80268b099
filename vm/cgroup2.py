"""Run tests on a kernel whose only cgroup hierarchy is version 2: User Mode Linux.

    python vm/cgroup2.py [--junit FILE] [PYTEST-ARGUMENT…]

User Mode Linux is Linux as an ordinary program: no image, no KVM, no root. Its root file system
is this machine's, read-only, so the tests run with the Python and the packages that are here.
The exit status is pytest's; 1 if the guest cannot be had, or does not come to an end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from minirt.errors import HostError, render
from minirt.host import debs

ROOT = Path(__file__).resolve().parent.parent
TESTS = ("tests/kernel/test_cgroups.py", "tests/kernel/cgroup2")
PATIENCE = 600  # seconds
DISK_BYTES = 64 << 20


def main(arguments: list[str]) -> int:
    """Boot, wait, and hand back what the tests ended with."""
    junit = arguments[1] if arguments[:1] == ["--junit"] else ""
    pytest = arguments[2:] if junit else arguments
    try:
        package = _kernel()
        with tempfile.TemporaryDirectory(prefix="minirt-guest-") as shared:
            return run(package, Path(shared), junit, pytest or list(TESTS))
    except HostError as error:
        print(render(error), file=sys.stderr)
        return 1


def _kernel() -> Path:
    """The unpacked package user-mode-linux."""
    if ROOT.is_relative_to("/var/tmp"):  # noqa: S108
        raise HostError("the guest has a /var/tmp of its own, and cannot see this repository")
    return Path(debs.fetch("user-mode-linux"))


def run(package: Path, shared: Path, junit: str, pytest: list[str]) -> int:
    """One guest; `shared` is the directory in which it leaves its results."""
    (modules,) = package.glob("usr/lib/uml/modules/*")
    disk = shared / "disk"
    disk.touch()
    os.truncate(disk, DISK_BYTES)
    guest = subprocess.Popen(
        [*command_line(package, shared, disk), str(ROOT), str(shared), str(modules), *pytest],
        stdin=subprocess.DEVNULL,
        env={"PATH": os.defpath, "TMPDIR": str(shared)},
    )
    try:
        guest.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        raise HostError(f"the guest did not come to an end in {PATIENCE} s") from None
    finally:
        guest.kill()
        guest.wait()
    if not (shared / "status").exists():
        raise HostError("the guest ended without a result", hint="read its last lines above")
    if junit:
        shutil.copyfile(shared / "junit.xml", junit)
    return int((shared / "status").read_text())


def command_line(package: Path, shared: Path, disk: Path) -> list[str]:
    """The kernel's own parameters, then those of the guest's init."""
    return [
        str(package / "usr/bin/linux.uml"),
        "mem=512M",
        "root=98:0",  # this and the next are appended when missing: to our own arguments
        "console=tty0",
        "rootfstype=hostfs",
        "rootflags=/",
        "ro",
        f"ubd0={disk}",
        f"uml_dir={shared}",
        "con=null",
        "con0=null,fd:1",
        "quiet",
        f"init={sys.executable}",
        "--",
        "-I",
        str(Path(__file__).with_name("cgroup2_init.py")),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
