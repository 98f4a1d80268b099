"""User Mode Linux: Linux as an ordinary program. No image, no KVM, no disk.

On x86_64 alone, and of version 6.1 not on every processor: it keeps a task's registers in a
buffer of its own, which is too small for those with AMX. Such a guest ends while it boots.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from minirt.errors import HostError
from minirt.host import debs
from vm.harness import selection
from vm.harness.guest import Machine

NAME = "User Mode Linux"
BOOT_SECONDS = 30.0  # it takes 2 on an idle machine
MEMORY = "512M"
# Killed alone, it would leave helper processes; they end with the first of their PID namespace.
# An ordinary user may make that in a user namespace only.
NAMESPACE = (
    "unshare", "--pid", "--fork", "--kill-child=SIGKILL",
    *(() if os.geteuid() == 0 else ("--user", "--map-root-user")),
)  # fmt: skip
DISK_BYTES = 64 << 20
NEVER = {
    "ptrace set fp regs failed": "the registers of this processor (AMX) are larger than it expects"
}
CHANNEL = "/dev/ttyS0"


def machine() -> Machine:
    """HostError where the package is not to be had."""
    package = Path(debs.fetch("user-mode-linux"))
    modules = next(package.glob("usr/lib/uml/modules/*"), None)
    if modules is None:
        raise HostError("the package user-mode-linux has no modules")
    program, disk = str(package / "usr/bin/linux.uml"), _disk()

    def start(channel: int) -> list[str]:
        return command_line(program, str(modules), channel, disk)

    return Machine(NAME, start, BOOT_SECONDS, [disk], selection.UML, NEVER)


def command_line(program: str, modules: str, channel: int, disk: int) -> list[str]:
    """The kernel's own parameters, then those of the guest's init."""
    return [
        *NAMESPACE,
        program,
        f"mem={MEMORY}",
        "root=98:0",  # this and the next are appended when missing: to our own arguments
        "console=tty0",
        "rootfstype=hostfs",
        "rootflags=/",
        "ro",
        f"ubd0=/proc/self/fd/{disk}",
        "uml_dir=/proc/self/fd/",  # a directory where none can be made: it would outlive a kill
        "con=null",
        "con0=null,fd:1",
        f"ssl0=fd:{channel},fd:{channel}",
        "quiet",
        f"init={sys.executable}",
        "--",
        "-I",
        str(Path(__file__).with_name("init.py")),
        CHANNEL,
        modules,
    ]


def _disk() -> int:
    """An empty disk that is no file: a descriptor of memory, which the guest inherits."""
    fd = os.memfd_create("disk")
    os.truncate(fd, DISK_BYTES)
    return fd
