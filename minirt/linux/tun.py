"""A tap: a network device whose other end is a descriptor, for a VM (tuntap.rst, netdevice(7)).

The device is there as long as the descriptor is open, in whatever process.
"""

from __future__ import annotations

import fcntl
import os

from minirt.errors import HostError
from minirt.linux.calls import failed
from minirt.linux.netdev import IFREQ

DEVICE = "/dev/net/tun"
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x0002, 0x1000, 0x4000


def open_tap(name: str) -> tuple[int, str]:
    """A new tap's descriptor and name; a %d in `name` becomes the first free number.

    HostError where the kernel has no such devices; KernelError when this user may make none.
    """
    try:
        fd = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise HostError(
            f"a VM's network needs {DEVICE}: {error.strerror}", hint="as root: modprobe tun"
        ) from None
    try:
        request = IFREQ.pack(name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
        made = IFREQ.unpack(fcntl.ioctl(fd, TUNSETIFF, request))[0]
    except OSError as error:
        os.close(fd)
        call = f"ioctl(TUNSETIFF, {name}, IFF_TAP|IFF_NO_PI|IFF_VNET_HDR)"
        problem = failed("cannot make a tap for the VM", call, error)
        problem.hint = "run as root: a tap needs CAP_NET_ADMIN; or give the VM no network"
        raise problem from None
    return fd, made.rstrip(b"\0").decode()
