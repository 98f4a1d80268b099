"""Make cwd: the working directory, where the image does not have it."""

from __future__ import annotations

import os

from minirt.linux.calls import failed
from minirt.linux.files import make_directories
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class MakeCwd(Mechanism):
    """Make `path` inside, while the root can still be written to."""

    name = "make_cwd"

    def __init__(self, path: str) -> None:
        self.path = path

    def enter(self, ctx: Context) -> None:
        try:
            os.close(make_directories(ctx.root, self.path))
        except OSError as error:
            what = f"cannot make the working directory {self.path}"
            raise failed(what, f'mkdir("{self.path}")', error) from None

    def describe(self) -> str:
        return f"make cwd: {self.path}, if it is missing"
