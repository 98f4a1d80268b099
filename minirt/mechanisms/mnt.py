"""MNT: the container's own list of mounts (mount_namespaces(7)).

The new namespace starts as a copy, and the copies of shared mounts still pass events to and
fro; they are cut off first, or every mount made here would appear on the host.
"""

from __future__ import annotations

from minirt.linux.mount import make_private
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


# --8<-- [start:mnt]
class Mnt(Mechanism):
    """A private copy of the mount table: what we mount from here on, nobody else sees."""

    name = "mnt"
    namespace = "mnt"

    def enter(self, ctx: Context) -> None:
        make_private()

    # --8<-- [end:mnt]

    def describe(self) -> str:
        return "MNT namespace: a private mount table"

    def by_hand(self) -> list[str]:
        return ["mount --make-rprivate /"]
