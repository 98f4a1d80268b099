"""Device rules: which devices the container's processes may make, read and write.

A node of the host's disk is no use to who may not open it. Version 1 has a controller with lists
of what is allowed, version 2 asks a BPF program.
"""

from __future__ import annotations

import os

from minirt.limits.devices import lines, rules
from minirt.linux import cgroupfs
from minirt.linux.files import read_all
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.codec import Json
    from minirt.context import Context

POINTER = "/linux/resources/devices"


class DeviceRules(Mechanism):
    """The rules of linux.resources.devices, at the cgroup that was made before.

    Who is not root in the first user namespace cannot set any, and cannot make a node either.
    """

    name = "device_rules"

    def __init__(self, resources: Mapping[str, Json]) -> None:
        self.rules = rules(resources)

    def prepare(self, ctx: Context) -> None:
        if not may_make_nodes():
            return
        made = ctx.created.get("cgroup")
        directories = [str(d) for d in made] if isinstance(made, list) else []
        lists = [d for d in directories if os.path.exists(f"{d}/devices.deny")]
        if lists:
            for file, line in lines(self.rules):
                cgroupfs.write(lists[0], file, line, POINTER)
            return
        for directory in directories:
            if os.path.exists(f"{directory}/cgroup.events"):
                self.attach_program(directory)

    def attach_program(self, directory: str) -> None:
        from minirt.linux import bpf

        wanted = [(r.kind, r.major, r.minor, r.access, r.allow) for r in self.rules]
        bpf.attach_device_program(directory, bpf.device_program(wanted))

    def describe(self) -> str:
        return f"device rules: {len(self.rules)}, of which the last that fits decides"


def may_make_nodes() -> bool:
    """Whether this is root, and not that of a user namespace."""
    first = read_all("/proc/self/uid_map").split()
    return os.geteuid() == 0 and first[:2] == [b"0", b"0"]
