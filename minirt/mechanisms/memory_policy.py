"""Memory policy: from which nodes the container's memory comes (set_mempolicy(2))."""

from __future__ import annotations

from minirt.linux.mempolicy import set_mempolicy
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from minirt.context import Context


class MemoryPolicy(Mechanism):
    """The mode with its flags, and the nodes that it is about."""

    name = "memory_policy"

    def __init__(self, mode: int, nodes: Iterable[int]) -> None:
        self.mode = mode
        self.nodes = tuple(nodes)

    def seal(self, ctx: Context) -> None:
        set_mempolicy(self.mode, self.nodes)

    def describe(self) -> str:
        nodes = ", ".join(map(str, self.nodes))
        return f"memory policy: nodes {nodes}" if nodes else "memory policy: of the node it runs on"
