"""The bridge network: what all its containers share, and how that is taken away again.

The bridge, the nft table and the forwarding setting stay between runs: making and removing a
bridge costs more than starting a container. `remove_all` is `minirt gc --all`.
"""

from __future__ import annotations

from minirt.errors import StateError
from minirt.linux import netdev
from minirt.linux.netlink import Netlink
from minirt.networks.register import DIRECTORY, Register
from minirt.networks.ruleset import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Call

BRIDGE = "minirt0"
BY_HAND = "byhand0"  # the bridge of a network made by hand: minirt's own is left alone
# The bridge's own address, which tells it from a device of somebody else with this name. Set
# in the message that makes it: a bridge without one takes its ports' and changes with them.
MAC = "02:6d:69:6e:69:00"
FORWARDING = "ipv4/ip_forward"


class Network:
    """A bridge by its name, and the register of its containers."""

    __slots__ = ("bridge", "directory")

    def __init__(self, bridge: str = BRIDGE, directory: str = DIRECTORY) -> None:
        self.bridge = netdev.check_name(bridge)
        self.directory = directory

    def register(self) -> Register:
        """Who is on the network; use with `with`, which locks it."""
        return Register(self.directory)


def remove_all(call: Call, network: Network | None = None) -> list[str]:
    """Remove the bridge, the nft table and the forwarding setting; what was removed, in words.

    StateError when containers are still on the network: nothing is removed then.
    """
    network = network or Network()
    removed = []
    with network.register() as register:
        if register.endpoints:
            raise StateError(
                f"{len(register.endpoints)} containers are on the bridge {network.bridge}",
                hint=f"end them first: {', '.join(_who(register))}",
            )
        if netdev.index(network.bridge):
            with Netlink() as host:
                host.delete_link(network.bridge)
            removed.append(f"bridge {network.bridge}")
        if register.forwarding == "0":  # before the table, which says for whom
            netdev.write_setting(FORWARDING, "0")
            removed.append("net.ipv4.ip_forward, back to 0")
        if register.subnet:
            call(["nft", "-f", "-"], f"table ip {TABLE}\ndelete table ip {TABLE}\n")
            removed.append(f"nft table {TABLE}")
    register.forget()
    return removed


def _who(register: Register) -> list[str]:
    """The host names of the containers on the network, or their keys."""
    return [
        endpoint.names[0] if endpoint.names else key for key, endpoint in register.endpoints.items()
    ]
