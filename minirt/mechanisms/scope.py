"""Scope: the place for the container's cgroup, where systemd owns the tree of all cgroups.

The container's own is a child of the scope: what systemd hands over begins below it, so a reload
of systemd's configuration does not touch the limits. Version 1 has trees that systemd does not own.
"""

from __future__ import annotations

import os

from minirt.errors import HostError
from minirt.linux import cgroup_v2, cgroups, systemd
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class Scope(Mechanism):
    """The unit `unit` in the slice `parent`; its cgroup is `path`."""

    name = "scope"

    def __init__(self, parent: str, unit: str, path: str) -> None:
        self.parent = parent
        self.unit = unit
        self.path = path
        self.keeper = -1

    def prepare(self, ctx: Context) -> None:
        hierarchy, *others = cgroups.hierarchies()
        if others or hierarchy.version != 2:
            raise HostError(
                "minirt asks systemd for a cgroup only where version 2 is alone",
                hint="use --cgroup-manager cgroupfs",
            )
        ctx.record(self.name, self.unit)
        self.keeper = systemd.start_scope(self.parent, self.unit)
        # The process that keeps the scope must not stand beside the container's cgroup.
        cgroup_v2.make_room(hierarchy.directory(self.path))

    def enter(self, ctx: Context) -> None:
        self.close()  # the copy that would keep it for ever; the runtime's ends with it

    def started(self, ctx: Context) -> None:
        self.close()

    def teardown(self, ctx: Context) -> None:
        self.close()
        if ctx.created.get(self.name):
            systemd.stop(self.unit)

    def close(self) -> None:
        if self.keeper >= 0:
            os.close(self.keeper)
            self.keeper = -1

    def describe(self) -> str:
        return f"scope {self.unit} in {self.parent}, made by systemd"
