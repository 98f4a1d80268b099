"""Propagation of the root: who hears of mounts that are made in it (mount_namespaces(7))."""

from __future__ import annotations

from minirt.linux.calls import names
from minirt.linux.mount import MS_FLAGS, mount_setattr
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class Propagation(Mechanism):
    """Give the root, or with `recursive` all mounts, this propagation (MS_SHARED ...)."""

    name = "propagation"

    def __init__(self, propagation: int, *, recursive: bool) -> None:
        self.propagation = propagation
        self.recursive = recursive

    def seal(self, ctx: Context) -> None:
        # Not before pivot_root, which refuses a shared root.
        mount_setattr(ctx.root, propagation=self.propagation, recursive=self.recursive)

    def describe(self) -> str:
        return f"propagation of the root: {names(self.propagation, MS_FLAGS)}"
