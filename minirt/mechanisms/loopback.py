"""NET, the namespace: devices, addresses, routes, ports and rules of its own.

See network_namespaces(7). A new one holds a single device, `lo`, and it is down: even
127.0.0.1 answers nothing until it is up.
"""

from __future__ import annotations

from minirt.linux.netdev import bring_up
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


# --8<-- [start:loopback]
class Loopback(Mechanism):
    """A network namespace, alone; its own 127.0.0.1 and nothing else."""

    name = "loopback"
    namespace = "net"

    def enter(self, ctx: Context) -> None:
        bring_up("lo")

    # --8<-- [end:loopback]

    def describe(self) -> str:
        return "NET namespace: network devices, addresses and ports of its own; lo is up"

    def by_hand(self) -> list[str]:
        return ["ip link set lo up"]
