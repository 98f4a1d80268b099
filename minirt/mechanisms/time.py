"""TIME: clocks of the container's own (time_namespaces(7)).

CLOCK_MONOTONIC and CLOCK_BOOTTIME are the host's with an offset, which has to be set before
anybody is inside. Its maker is not: its children are, and it itself after execve. So init unshares
it, the host sets it, and the program starts inside.
"""

from __future__ import annotations

from minirt.linux.namespaces import CLONE_NEWTIME, set_clocks, unshare
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.context import Context


class Time(Mechanism):
    """`offsets` are (seconds, nanoseconds) by clock; with `joined` it is another's namespace."""

    name = "time"
    namespace = "time"

    def __init__(self, offsets: Mapping[str, tuple[int, int]], *, joined: bool = False) -> None:
        self.offsets = offsets
        self.joined = joined

    def enter(self, ctx: Context) -> None:
        if not self.joined:
            unshare(CLONE_NEWTIME)

    def meet(self, ctx: Context) -> None:
        # Not by init, which cannot be dumped: files below its /proc directory are root's.
        if self.offsets:
            set_clocks(ctx.pid, self.offsets)

    def describe(self) -> str:
        ahead = ", ".join(f"{clock} {secs:+} s" for clock, (secs, _) in self.offsets.items())
        return f"TIME namespace: {ahead or 'the clocks of the host'}"
