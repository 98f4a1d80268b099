"""Bridge: a switch in the kernel that the host's ends of all veth pairs are plugged into.

The bridge also has an address, and with it the host is on the same network: it is the
containers' gateway. It stays when the last container has gone.
"""

from __future__ import annotations

from minirt.errors import HostError
from minirt.linux.netdev import IFF_UP, disable_ipv6, read_setting, write_setting
from minirt.linux.netlink import Netlink
from minirt.mechanism import Mechanism
from minirt.networks.files import nameservers
from minirt.networks.network import BY_HAND, FORWARDING, MAC
from minirt.networks.subnets import Subnet, choose, subnet_by_hand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context
    from minirt.networks.network import Network


# --8<-- [start:bridge]
class Bridge(Mechanism):
    """The bridge, its subnet, and leave for the host to forward packets (IPv4)."""

    name = "bridge"
    by_hand_on_host = True

    def __init__(self, network: Network) -> None:
        self.network = network

    def attach(self, ctx: Context) -> None:
        with self.network.register() as register, Netlink() as host:
            index = self.ensure(host)
            register.subnet = str(subnet_of(host, index))
            if read_setting(FORWARDING) == "0":
                register.forwarding = "0"
                register.save()  # if we are killed here, it is known who switched it on
                write_setting(FORWARDING, "1")

    def ensure(self, host: Netlink) -> int:
        """The index of the bridge, made if there is none."""
        name = self.network.bridge
        link = host.link(name)
        if link is None:
            what = f"cannot make the bridge {name}"
            host.request("link", "add", what, kind="bridge", ifname=name, address=MAC)
            link = host.link(name)
        if link is None or link.get("address") != MAC:
            raise HostError(
                f"the host has a device {name} that minirt did not make",
                hint=f"rename it, or remove it: ip link delete {name}",
            )
        disable_ipv6(name)  # a router advertisement from a container would be the host's too
        if not link["flags"] & IFF_UP:
            host.request("link", "set", f"cannot bring up {name}", index=link["index"], state="up")
        return link["index"]

    # --8<-- [end:bridge]

    def describe(self) -> str:
        return f"bridge {self.network.bridge}: a switch for all containers, and their gateway"

    def by_hand(self) -> list[str]:
        subnet = subnet_by_hand()
        return [
            f"ip link add {BY_HAND} type bridge",
            f"ip address add {subnet.gateway}/{subnet.prefix} dev {BY_HAND}",
            f"sysctl -q -e -w net.ipv6.conf.{BY_HAND}.disable_ipv6=1",
            f"ip link set {BY_HAND} up",
            "forwarding=$(sysctl -n net.ipv4.ip_forward)",
            "sysctl -q -w net.ipv4.ip_forward=1",
        ]

    def undo_by_hand(self) -> list[str]:
        return [f"ip link delete {BY_HAND}", "sysctl -q -w net.ipv4.ip_forward=$forwarding"]


def subnet_of(host: Netlink, index: int) -> Subnet:
    """The bridge's subnet; a new bridge is given one that the host has no route to."""
    for address in host.addresses(index):
        return Subnet(address)
    subnet = choose([*host.routes(), *nameservers()])
    what = f"cannot give the bridge the address {subnet.gateway}"
    gateway, prefix = subnet.gateway, subnet.prefix
    host.request("addr", "add", what, index=index, address=gateway, prefixlen=prefix)
    return subnet
