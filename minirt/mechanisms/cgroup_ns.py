"""Cgroup namespace: the container sees its own cgroup as the root (cgroup_namespaces(7))."""

from __future__ import annotations

from minirt.linux.namespaces import CLONE_NEWCGROUP, unshare
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


# --8<-- [start:cgroup_ns]
class CgroupNamespace(Mechanism):
    """A new namespace; with `joined` it is another's, which the engine has joined already.

    A new one takes for its root the cgroups its maker is in. Therefore the child makes it,
    after it has joined its own, and not the clone.
    """

    name = "cgroup_ns"
    namespace = "cgroup"

    def __init__(self, *, joined: bool = False) -> None:
        self.joined = joined

    def enter(self, ctx: Context) -> None:
        if not self.joined:
            unshare(CLONE_NEWCGROUP)

    # --8<-- [end:cgroup_ns]

    def describe(self) -> str:
        return "cgroup namespace: /proc/self/cgroup shows the container's cgroup as /"
