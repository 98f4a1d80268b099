"""UTS: the container's own host name (uts_namespaces(7)).

The namespace holds two strings, the host name and the NIS domain name: what uname(2) returns.
"""

from __future__ import annotations

from minirt.linux.command import quoted
from minirt.linux.system import sethostname
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


# --8<-- [start:uts]
class Uts(Mechanism):
    """A copy of the host's names, one of which we change; the host keeps its own."""

    name = "uts"
    namespace = "uts"

    def __init__(self, hostname: str) -> None:
        self.hostname = hostname

    def enter(self, ctx: Context) -> None:
        if self.hostname:
            sethostname(self.hostname)

    # --8<-- [end:uts]

    def describe(self) -> str:
        return f"UTS namespace: host name {self.hostname or 'as outside'}"

    def by_hand(self) -> list[str]:
        return [f"hostname {quoted(self.hostname)}"] if self.hostname else []
