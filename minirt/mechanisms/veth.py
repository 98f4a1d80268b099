"""veth: a cable with an end in each of two network namespaces (veth(4)).

One message makes both ends: the host's is a port of the bridge, the container's is `eth0` and
is born in its namespace. What belongs inside is then set through a socket that was opened
inside; the container's init does nothing.
"""

from __future__ import annotations

import os

from minirt.errors import InitDied
from minirt.linux import netdev
from minirt.linux.namespaces import open_namespace
from minirt.linux.netlink import Netlink
from minirt.mechanism import Mechanism
from minirt.networks.network import BY_HAND
from minirt.networks.subnets import Subnet, number, subnet_by_hand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context
    from minirt.networks.network import Network


# --8<-- [start:veth]
class Veth(Mechanism):
    """An end of the cable in the container, with an address and a route to everywhere."""

    name = "veth"
    by_hand_on_host = True

    def __init__(self, network: Network) -> None:
        self.network = network

    def attach(self, ctx: Context) -> None:
        cable = f"mr{ctx.key}"
        ctx.record("veth", cable)
        with self.network.register() as register:
            address, subnet = register.join(ctx.key, ctx.pid), Subnet(register.subnet)
        netns = open_namespace(f"/proc/{ctx.pid}/ns/net")
        try:
            with Netlink() as host:
                self.plug(host, cable, netns, mac(address))
            with netdev.Inside(netns):
                netdev.disable_ipv6("eth0")  # else a neighbour could give it a default route
            with Netlink(netns) as inside:
                configure(inside, address, subnet)
        finally:
            os.close(netns)

    def plug(self, host: Netlink, cable: str, netns: int, address: str) -> None:
        host.request(
            "link", "add", "cannot make the veth pair", kind="veth", ifname=cable,
            master=netdev.index(self.network.bridge),
            peer={"ifname": "eth0", "net_ns_fd": netns, "address": address},
        )  # fmt: skip
        netdev.disable_ipv6(cable)
        what = f"cannot bring up {cable}"
        host.request("link", "set", what, index=netdev.index(cable), state="up")

    # --8<-- [end:veth]

    def teardown(self, ctx: Context) -> None:
        cable = ctx.created.get("veth")
        if not isinstance(cable, str):
            return
        if netdev.index(cable):
            with Netlink() as host:
                host.delete_link(cable)
        with self.network.register() as register:
            register.endpoints.pop(ctx.key, None)

    def describe(self) -> str:
        return f"veth pair: one end in {self.network.bridge}, the other is eth0 in the container"

    def by_hand(self) -> list[str]:
        subnet, inside = subnet_by_hand(), "nsenter --net=/proc/$PID/ns/net"
        return [
            "ip link add mrbyhand type veth peer name eth0 netns $PID",
            "sysctl -q -e -w net.ipv6.conf.mrbyhand.disable_ipv6=1",
            f"ip link set mrbyhand master {BY_HAND} up",
            f"{inside} sysctl -q -e -w net.ipv6.conf.eth0.disable_ipv6=1",
            f"{inside} ip address add {subnet.host(2)}/{subnet.prefix} dev eth0",
            f"{inside} ip link set eth0 up",
            f"{inside} ip route add default via {subnet.gateway}",
        ]


# --8<-- [start:configure]
def configure(inside: Netlink, address: str, subnet: Subnet) -> None:
    """Give eth0 its address, bring it up, and send all else to the gateway."""
    eth0 = inside.link("eth0")
    if eth0 is None:
        raise InitDied("the container ended while its network was set up")
    index, prefix, gateway = eth0["index"], subnet.prefix, subnet.gateway
    what = f"cannot give eth0 the address {address}"
    inside.request("addr", "add", what, index=index, address=address, prefixlen=prefix)
    inside.request("link", "set", "cannot bring up eth0", index=index, state="up")
    inside.request("route", "add", "cannot add a default route", dst="default", gateway=gateway)


# --8<-- [end:configure]


def mac(address: str) -> str:
    """A hardware address that follows from the IP address.

    When an address is given out again, what others remember of its owner (ARP) is still right.
    """
    return "02:6d:" + ":".join(f"{byte:02x}" for byte in number(address).to_bytes(4, "big"))
