"""Read-only mounts that others write to first: a tmpfs gets its files, then is closed."""

from __future__ import annotations

import os

from minirt.linux.files import openat2
from minirt.linux.mount import MOUNT_ATTR_RDONLY, mount_setattr
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class ReadonlyMounts(Mechanism):
    """Make the mounts at `paths` read-only, when devices and mount points are made in them."""

    name = "readonly_mounts"

    def __init__(self, paths: tuple[str, ...]) -> None:
        self.paths = paths

    def seal(self, ctx: Context) -> None:
        for path in self.paths:
            mount = openat2(ctx.root, path)
            mount_setattr(mount, MOUNT_ATTR_RDONLY)
            os.close(mount)

    def describe(self) -> str:
        return f"read-only from now on: {', '.join(self.paths)}"
