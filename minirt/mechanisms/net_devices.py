"""Network devices of the host that move into the container (`linux.netDevices`).

A device is in one network namespace at a time. The kernel takes its addresses
away when it moves and brings it down, so both are done again inside. A physical one comes back
by itself when the namespace ends; the kernel removes a virtual one then.
"""

from __future__ import annotations

import os

from minirt.errors import HostError
from minirt.linux.namespaces import open_namespace
from minirt.linux.netlink import Netlink
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.context import Context

IFF_UP = 1


class NetDevices(Mechanism):
    """`devices`: names outside, with those inside."""

    name = "net_devices"

    def __init__(self, devices: Mapping[str, str]) -> None:
        self.devices = devices

    def attach(self, ctx: Context) -> None:
        netns = open_namespace(f"/proc/{ctx.pid}/ns/net")
        try:
            with Netlink() as host, Netlink(netns) as inside:
                for name, new in self.devices.items():
                    move(host, inside, netns, name, new)
        finally:
            os.close(netns)

    def describe(self) -> str:
        named = ", ".join(f"{name} as {new}" for name, new in self.devices.items())
        return f"network devices of the host: {named}"


def move(host: Netlink, inside: Netlink, netns: int, name: str, new: str) -> None:
    """Move the device `name` to the namespace `netns` and call it `new` there."""
    device = host.link(name)
    if device is None:
        what = f"/linux/netDevices/{name}: the host has no such device"
        raise HostError(what, hint="see ip link")
    if inside.link(new) is not None:
        what = f"/linux/netDevices/{name}: the container has a device {new} already"
        raise HostError(what, hint="choose another name")
    addresses = host.permanent_addresses(device["index"])
    up = device["flags"] & IFF_UP
    what = f"cannot move {name} into the container"
    # In one message: the names of the two namespaces may be taken crosswise.
    host.request("link", "set", what, index=device["index"], net_ns_fd=netns, ifname=new)
    moved = inside.link(new)
    if moved is None:
        raise HostError(f"{name} is not in the container, to which it was moved")
    for address, prefix in addresses:
        what = f"cannot give {new} the address {address}"
        inside.request("addr", "add", what, index=moved["index"], address=address, prefixlen=prefix)
    if up:
        inside.request("link", "set", f"cannot bring up {new}", index=moved["index"], state="up")
