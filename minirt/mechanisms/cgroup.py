"""Cgroups: how much of the machine the container may use (cgroups(7)).

A cgroup is a directory; processes are put into it, and each controller limits them all together
through files in it. Version 1 has a tree of directories for each controller, version 2 one for
all; a machine can have both (hybrid), so every controller is looked for on its own.
"""

from __future__ import annotations

from minirt import limits
from minirt.linux import cgroup_v2, cgroupfs, cgroups
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.codec import Json
    from minirt.context import Context
    from minirt.linux.cgroups import Hierarchy

# What was there before us; it is recorded, as it is not ours to remove.
ADOPTED = "adopted cgroups"


class Cgroup(Mechanism):
    """A cgroup `path` with the limits of `resources` (OCI's linux.cgroupsPath, .resources).

    An absolute path is below the mount point of each hierarchy, a relative one below our own
    cgroup: what an ordinary user may have been given. With `every`, it is made in all hierarchies.
    """

    name = "cgroup"

    def __init__(self, path: str, resources: Mapping[str, Json], *, every: bool = False) -> None:
        self.path = limits.checked_path(path)
        self.resources = resources
        self.every = every
        self.entrance = cgroupfs.Entrance(())

    # --8<-- [start:cgroup]
    def prepare(self, ctx: Context) -> None:
        groups = self.groups()
        directories = [hierarchy.directory(self.path) for hierarchy in groups]
        ctx.created[ADOPTED] = [d for d in directories if cgroupfs.claim(d)]
        ctx.record(self.name, directories)
        for hierarchy, controllers in groups.items():
            directory = hierarchy.directory(self.path)
            if directory not in recorded(ctx, ADOPTED):
                cgroupfs.make(directory, sets="cpuset" in hierarchy.controllers)
            if hierarchy.version == 2:
                self.hand_down(ctx, hierarchy, controllers)
            for controller in controllers:
                self.limit(ctx, hierarchy, controller)
        self.entrance = cgroupfs.Entrance(directories)
        ctx.cgroup_fd = self.entrance.directory_fd  # version 2: the child is born in it

    def attach(self, ctx: Context) -> None:
        self.entrance.close()

    def enter(self, ctx: Context) -> None:
        self.entrance.join()  # version 1: the child moves itself
        self.entrance.close()

    def teardown(self, ctx: Context) -> None:
        self.entrance.close()
        cgroupfs.remove(recorded(ctx, self.name), keep=recorded(ctx, ADOPTED))

    # --8<-- [end:cgroup]

    def groups(self) -> dict[Hierarchy, list[str]]:
        return cgroups.choose(self.path, limits.limited(self.resources), every=self.every)

    def hand_down(self, ctx: Context, hierarchy: Hierarchy, controllers: list[str]) -> None:
        moved = cgroup_v2.enable(hierarchy, self.path, controllers)
        if moved:
            base = hierarchy.base(self.path)
            ctx.warn(f"moved {moved} processes from cgroup {base} to {base}/{cgroups.CALLER}")

    def limit(self, ctx: Context, hierarchy: Hierarchy, controller: str) -> None:
        directory = hierarchy.directory(self.path)
        wanted = limits.settings(self.resources, controller, hierarchy.version)
        if hierarchy.version == 2:
            cgroup_v2.await_files(directory, controller, [file for file, _ in wanted])
        no_swap = cgroupfs.settle(directory, wanted, lambda f: limits.pointer(self.resources, f))
        if no_swap and swap_is_active():
            ctx.warn("this kernel cannot limit swap (boot it with swapaccount=1)")

    def describe(self) -> str:
        shown = ", ".join(limits.shown(self.resources)) or "no limits, for what it counts"
        return f"cgroup {self.path}: {shown}"

    def by_hand(self) -> list[str]:
        commands = []
        groups = self.groups()
        for hierarchy, controllers in groups.items():
            directory = hierarchy.directory(self.path)
            commands.append(f"mkdir -p {directory}")
            if hierarchy.version == 2:
                commands += cgroup_v2.enable_by_hand(hierarchy, self.path, controllers)
            for controller in controllers:
                for file, value in limits.settings(self.resources, controller, hierarchy.version):
                    commands.append(f"echo {value} > {directory}/{file}")
            procs = "cgroup.procs" if hierarchy.version == 2 else "tasks"
            commands.append(f"echo $$ > {directory}/{procs}")
        return commands

    def undo_by_hand(self) -> list[str]:
        made = [hierarchy.directory(self.path) for hierarchy in self.groups()]
        return [f"rmdir {path} && rmdir {path.rpartition('/')[0]}" for path in made]


def recorded(ctx: Context, name: str) -> list[str]:
    directories = ctx.created.get(name)
    return [str(d) for d in directories] if isinstance(directories, (list, tuple)) else []


def swap_is_active() -> bool:
    with open("/proc/swaps", encoding="utf-8") as swaps:
        return len(swaps.readlines()) > 1
