"""USER for an ordinary user, with ids that the host has delegated to them (subuid(5)).

The kernel lets an ordinary user map only their own ids. newuidmap(1) and newgidmap(1), which have
the right to do more, map what /etc/subuid and /etc/subgid give to that user.
"""

from __future__ import annotations

from minirt.linux.id_maps import become_root
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context

    IdMaps = tuple[tuple[int, int, int], ...]


class DelegatedUser(Mechanism):
    """Maps of ids: entries of (first inside, first outside, how many)."""

    name = "user"
    namespace = "user"

    def __init__(self, uid_maps: IdMaps, gid_maps: IdMaps) -> None:
        self.uid_maps = uid_maps
        self.gid_maps = gid_maps

    def attach(self, ctx: Context) -> None:
        for program, maps in (("newuidmap", self.uid_maps), ("newgidmap", self.gid_maps)):
            numbers = [str(number) for entry in maps for number in entry]
            ctx.call([program, str(ctx.pid), *numbers])

    def enter(self, ctx: Context) -> None:
        become_root()

    def describe(self) -> str:
        return "USER namespace: its ids are the caller's, and others that are delegated to them"
