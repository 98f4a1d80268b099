"""Capabilities: the sets that the command starts with (capabilities(7)).

What it really has is computed by execve, "Transformation of capabilities during execve()":
user 0 gets bounding | inheritable, whatever is permitted now; any other user gets ambient only,
unless the file brings some. So for root the bounding set decides, for others the ambient one.
"""

from __future__ import annotations

from minirt.linux import caps
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context

    Names = tuple[str, ...]


# --8<-- [start:capabilities]
class Capabilities(Mechanism):
    """The five sets, by name; `bounding` was applied before, and is here for describe()."""

    name = "capabilities"

    def __init__(
        self,
        bounding: Names,
        effective: Names,
        permitted: Names,
        inheritable: Names = (),
        ambient: Names = (),
    ) -> None:
        self.bounding = bounding
        self.ambient = ambient
        masks = (effective, permitted, inheritable, ambient)
        self._masks = tuple(caps.mask(names) for names in masks)

    def seal(self, ctx: Context) -> None:
        effective, permitted, inheritable, ambient = self._masks
        # What this process lacks was warned of by the bounding set. It may pass on what it
        # has, or had before the bounding set was cut.
        _, held, held_inheritable = caps.capget()
        # Without no_new_privs only CAP_SYS_ADMIN may load a seccomp filter (seccomp(2)), and
        # the filter is loaded last. So it stays until execve, which computes the sets anew
        # from bounding, inheritable and ambient: it is in none of them.
        until_exec = caps.SYS_ADMIN & held
        caps.capset(
            effective & held | until_exec,
            permitted & held | until_exec,
            inheritable & (held | held_inheritable),
        )
        # Ambient is what a program gets without asking: only of what it could have anyway. Engines
        # ask for more, and no runtime complains.
        caps.set_ambient(ambient & permitted & inheritable & held)

    # --8<-- [end:capabilities]

    def describe(self) -> str:
        left = ", ".join(name.removeprefix("CAP_").lower() for name in self.bounding)
        return f"capabilities: {left or 'none'}"

    def by_hand(self) -> list[str]:
        inheritable = caps.setpriv(caps.names(self._masks[2]))
        ambient = caps.setpriv(self.ambient)
        return [f'privs="$privs --inh-caps={inheritable} --ambient-caps={ambient}"']
