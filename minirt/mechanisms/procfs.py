"""procfs: one of our own, mounted nowhere, for what is written to /proc inside (proc(5)).

What lies at /proc in the container may be anything: its image or a volume can put another file
there (CVE-2019-19921, CVE-2025-52881). This one cannot be reached by any path.
"""

from __future__ import annotations

import os

from minirt.errors import KernelError
from minirt.linux import statfs
from minirt.linux.mount import MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, make
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class Procfs(Mechanism):
    """A procfs of the container's pid namespace, as ctx.proc."""

    name = "procfs"

    def enter(self, ctx: Context) -> None:
        attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC
        try:
            ctx.proc = make("proc", (("source", "proc"),), attributes)
        except KernelError as error:
            if error.errno_name() != "EPERM":
                raise
            # A user namespace without a pid namespace of its own may not mount one. The host's
            # shows the same processes, and nothing of the container is in sight yet.
            ctx.proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        statfs.require(ctx.proc, statfs.PROC_SUPER_MAGIC, "/proc")

    def describe(self) -> str:
        return "procfs: one of init's own, which no path leads to"
