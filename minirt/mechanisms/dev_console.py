"""/dev/console: the program's terminal, under the name that init systems expect (console(4))."""

from __future__ import annotations

import os

from minirt.linux.files import make_file
from minirt.linux.mount import move_mount, open_tree
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class DevConsole(Mechanism):
    """Bind the terminal that is open as standard input to /dev/console."""

    name = "dev_console"

    def seal(self, ctx: Context) -> None:
        tree = open_tree("", at=0)
        target = make_file(ctx.root, "/dev/console")
        move_mount(tree, target)
        os.close(target)
        os.close(tree)

    def describe(self) -> str:
        return "/dev/console: the container's terminal"
