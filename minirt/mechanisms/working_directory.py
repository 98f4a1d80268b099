"""Working directory: go there with the rights of root, which the user may not have.

An image's directory can be closed to the user that the program runs as, who is to be in it
nevertheless (chdir(2)). Init looks again with the user's rights, and keeps this place if it must.
"""

from __future__ import annotations

import os

from minirt.errors import KernelError
from minirt.linux.files import openat2
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class WorkingDirectory(Mechanism):
    """Change to `path`, resolved inside; one that cannot be entered is init's to complain of."""

    name = "working_directory"

    def __init__(self, path: str) -> None:
        self.path = path

    def seal(self, ctx: Context) -> None:
        try:
            directory = openat2(ctx.root, self.path, os.O_PATH | os.O_DIRECTORY)
        except KernelError:
            return  # not there; or root may not, and the user may (a share of the user's)
        try:
            os.fchdir(directory)
        except PermissionError:
            pass
        finally:
            os.close(directory)

    def describe(self) -> str:
        return f"working directory: {self.path}"
