"""Cgroup join: a further process into the cgroups of a running container, for `exec`."""

from __future__ import annotations

from minirt.linux.cgroupfs import Entrance
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from minirt.context import Context


class CgroupJoin(Mechanism):
    """Join `directories`, as the container's state records them; they are not ours to remove."""

    name = "cgroup"

    def __init__(self, directories: Sequence[str]) -> None:
        self.directories = tuple(directories)
        self.entrance = Entrance(())

    def prepare(self, ctx: Context) -> None:
        # Whether to join a paused container, and wait, is for the caller to decide.
        self.entrance = Entrance(self.directories, frozen_too=True)
        ctx.cgroup_fd = self.entrance.directory_fd

    def attach(self, ctx: Context) -> None:
        self.entrance.close()

    def enter(self, ctx: Context) -> None:
        self.entrance.join()
        self.entrance.close()

    def teardown(self, ctx: Context) -> None:
        self.entrance.close()

    def describe(self) -> str:
        return "cgroup: the container's own, with its limits"
