"""The network of a VM: a tap that is a port of the bridge, beside those of containers.

The kernel removes the tap when its last descriptor is closed, and the register drops an address
whose owner has ended: a minirt that is killed, and its QEMU with it, leaves neither.
"""

from __future__ import annotations

import contextlib
import os

from minirt.errors import HostError
from minirt.linux import netdev, tun
from minirt.linux.netlink import Netlink
from minirt.mechanisms.bridge import Bridge, subnet_of
from minirt.mechanisms.veth import mac
from minirt.networks.network import Network
from minirt.networks.subnets import Subnet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

NAME = "mrvm%d"


class Tap:
    """In a `with`: `fd` is for QEMU, `address` in `subnet` and `mac` are the guest's.

    The host, containers and other VMs on minirt's bridge reach the guest at its address, and it
    them. On another bridge the host does; the rules for minirt's own may keep its guests apart,
    where bridges are subject to rules (net.bridge.bridge-nf-call-iptables).
    HostError or KernelError, with a remedy, when this user cannot make one.
    """

    __slots__ = ("_stack", "address", "fd", "mac", "name", "network", "subnet")

    def __init__(self, network: Network | None = None) -> None:
        self.network = network or Network()
        self.fd = -1
        self.name = self.address = self.mac = ""
        self.subnet = Subnet("0.0.0.0/0")

    def __enter__(self) -> Self:
        if os.geteuid() != 0:
            raise HostError("a VM's network needs root", hint="run as root, or give it no network")
        with contextlib.ExitStack() as stack:
            self.fd, self.name = tun.open_tap(NAME)
            stack.callback(os.close, self.fd)
            self._plug()
            stack.callback(self._leave)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def _plug(self) -> None:
        """Join the network, and make the tap a port of its bridge."""
        with self.network.register() as register, Netlink() as host:
            bridge = Bridge(self.network).ensure(host)
            self.subnet = subnet_of(host, bridge)
            register.subnet = str(self.subnet)
            self.address = register.join(self.name, os.getpid())
            self.mac = mac(self.address)
            netdev.disable_ipv6(self.name)
            what = f"cannot plug {self.name} into the bridge"
            index = netdev.index(self.name)
            host.request("link", "set", what, index=index, master=bridge, state="up")

    def _leave(self) -> None:
        with self.network.register() as register:
            register.endpoints.pop(self.name, None)
