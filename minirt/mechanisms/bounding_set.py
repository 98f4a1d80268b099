"""Bounding set: the limit of what any later exec can gain (capabilities(7)).

What is dropped from it is gone for the process and all its descendants: no set-user-ID program
and no file capability brings it back.
"""

from __future__ import annotations

from minirt.errors import HostError
from minirt.linux import caps
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


# --8<-- [start:bounding_set]
class BoundingSet(Mechanism):
    """Keep these capabilities within reach, and no others.

    The machine may lack some (a container without CAP_SYS_RESOURCE cannot give it on). One of
    the `required`, which the user asked for by name, is then an error; others are a warning.
    """

    name = "bounding_set"

    def __init__(self, keep: tuple[str, ...], required: tuple[str, ...] = ()) -> None:
        self.keep = keep
        self.required = required
        self._mask = caps.mask(keep)

    def attach(self, ctx: Context) -> None:
        # Of the child, not of this process: in a new user namespace it has all of them.
        held = caps.of_process(ctx.pid)
        lacking = caps.names(self._mask & ~(held["CapBnd"] & held["CapPrm"]))
        for name in lacking:
            what = f"the container cannot have {name}: minirt does not have it itself"
            if name in self.required:
                raise HostError(what, hint="leave it out; or use --userns, whose root has them all")
            ctx.warn(what)

    def seal(self, ctx: Context) -> None:
        caps.drop_bounding(self._mask)

    # --8<-- [end:bounding_set]

    def describe(self) -> str:
        return f"bounding set: {len(self.keep)} of {len(caps.NAMES)} capabilities within reach"

    def by_hand(self) -> list[str]:
        return [f'privs="$privs --bounding-set={caps.setpriv(self.keep)}"']
