"""Domain name: the other string of a UTS namespace, for NIS (uts_namespaces(7))."""

from __future__ import annotations

from minirt.linux.system import setdomainname
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class DomainName(Mechanism):
    """Set it, inside; the host keeps its own."""

    name = "domainname"

    def __init__(self, domainname: str) -> None:
        self.domainname = domainname

    def enter(self, ctx: Context) -> None:
        setdomainname(self.domainname)

    def describe(self) -> str:
        return f"domain name: {self.domainname}"
