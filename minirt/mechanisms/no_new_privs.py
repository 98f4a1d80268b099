"""no_new_privs: exec never grants more than its caller has (prctl(2), PR_SET_NO_NEW_PRIVS).

Set-user-ID bits and file capabilities are ignored from here on. It cannot be unset, and every
descendant inherits it.
"""

from __future__ import annotations

from minirt.linux.process import PR_SET_NO_NEW_PRIVS, prctl
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


# --8<-- [start:no_new_privs]
class NoNewPrivs(Mechanism):
    """One bit, for good."""

    name = "no_new_privs"

    def seal(self, ctx: Context) -> None:
        prctl(PR_SET_NO_NEW_PRIVS, 1, what="cannot set no_new_privs")

    # --8<-- [end:no_new_privs]

    def describe(self) -> str:
        return "no_new_privs: set-user-ID programs and file capabilities give nothing"

    def by_hand(self) -> list[str]:
        return ['privs="$privs --no-new-privs"']
