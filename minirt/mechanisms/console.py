"""/dev/console: the container's terminal under the name that system programs write to.

The file to mount over is made and opened while nothing of the container runs, and not looked
up again: nothing can be put in its place before the terminal is mounted (CVE-2025-52565).
"""

from __future__ import annotations

import os
import stat

from minirt.errors import HostError
from minirt.linux import statfs
from minirt.linux.calls import failed
from minirt.linux.files import RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS, make_directories, openat2
from minirt.linux.mount import move_mount, open_tree
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context

PATH = "/dev/console"


class Console(Mechanism):
    """Mount the terminal, which is the standard input by then, on /dev/console."""

    name = "console"

    def __init__(self) -> None:
        self._place = -1

    def enter(self, ctx: Context) -> None:
        dev = make_directories(ctx.root, "/dev")
        try:
            self.clear(dev)
            os.close(os.open("console", os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=dev))
        except OSError as error:
            raise failed(f"cannot make {PATH}", "open", error) from None
        finally:
            os.close(dev)
        self._place = openat2(ctx.root, PATH, resolve=RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS)

    def seal(self, ctx: Context) -> None:
        if not stat.S_ISCHR(os.fstat(0).st_mode):
            raise HostError("the standard input is no terminal")
        statfs.require(0, statfs.DEVPTS_SUPER_MAGIC, "the terminal")
        terminal = open_tree("", at=0)
        move_mount(terminal, self._place)
        os.close(terminal)
        os.close(self._place)

    def clear(self, dev: int) -> None:
        """An image may bring anything of this name."""
        try:
            os.unlink("console", dir_fd=dev)
        except FileNotFoundError:
            pass

    def describe(self) -> str:
        return f"console: the terminal as {PATH}"
