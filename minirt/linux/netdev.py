"""Network devices by ioctl: what the container's init does to `lo` before it is sealed.

See netdevice(7). An ioctl needs no library, so nothing has to be loaded after the clone; all
other network work is rtnetlink, done on the host (netlink.py).
"""

from __future__ import annotations

import _socket
import fcntl
import os
import struct
import sys

from minirt.errors import ConfigError
from minirt.linux.calls import failed
from minirt.linux.namespaces import CLONE_NEWNET, open_namespace, setns

SIOCGIFFLAGS = 0x8913
SIOCSIFFLAGS = 0x8914
IFF_UP = 0x1
IFNAMSIZ = 16
SO_NETNS_COOKIE, ENOPROTOOPT = 71, 92
IFREQ = struct.Struct("16sH22x")  # struct ifreq: the name, and the flags of its union


class Inside:
    """In the `with` block this process is in the network namespace that descriptor `fd` names."""

    __slots__ = ("_fd", "_home")

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def __enter__(self) -> None:
        self._home = open_namespace("/proc/self/ns/net")
        setns(self._fd, CLONE_NEWNET)

    def __exit__(self, *_error: object) -> None:
        setns(self._home, CLONE_NEWNET)
        os.close(self._home)


def bring_up(name: str) -> None:
    """Set IFF_UP on device `name` of this network namespace; nothing if it is up already."""
    device = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        request = IFREQ.pack(name.encode(), 0)
        flags: int = IFREQ.unpack(fcntl.ioctl(device, SIOCGIFFLAGS, request))[1]
        if not flags & IFF_UP:
            fcntl.ioctl(device, SIOCSIFFLAGS, IFREQ.pack(name.encode(), flags | IFF_UP))
    except OSError as error:
        raise failed(
            f"cannot bring up {name}", f"ioctl(SIOCSIFFLAGS, {name}, IFF_UP)", error
        ) from None
    finally:
        device.close()


def index(name: str) -> int:
    """The index of device `name` in this network namespace; 0 when there is none."""
    try:
        return _socket.if_nametoindex(name)
    except OSError:
        return 0


def check_name(name: str) -> str:
    """`name`, if the kernel takes it as a device's name; ConfigError when it does not."""
    if len(name.encode()) >= IFNAMSIZ:
        raise ConfigError(
            f"the device name {name} has {len(name.encode())} characters; "
            f"the kernel takes at most {IFNAMSIZ - 1}",
            hint="choose a shorter name",
        )
    if not name or name in (".", "..") or "/" in name or ":" in name or name.split() != [name]:
        raise ConfigError(
            f'"{name}" cannot be a device name', hint="use letters, digits, - and _ only"
        )
    return name


def read_setting(name: str) -> str:
    """A setting of this network namespace, by its path below /proc/sys/net."""
    try:
        with open(f"/proc/sys/net/{name}", encoding="utf-8") as file:
            return file.read().strip()
    except OSError as error:
        raise failed(f"cannot read net/{name}", f'open("/proc/sys/net/{name}")', error) from None


def write_setting(name: str, value: str) -> None:
    """Change a setting of this network namespace, unless it has this value already."""
    if read_setting(name) == value:
        return
    try:
        with open(f"/proc/sys/net/{name}", "w", encoding="utf-8") as file:
            file.write(value)
    except OSError as error:
        what = f"cannot set net/{name} to {value}"
        raise failed(what, f'write("/proc/sys/net/{name}", "{value}")', error) from None


def disable_ipv6(name: str) -> None:
    """Let device `name` have no part in IPv6, if the kernel has it at all.

    To be called before the device is up. IPv6 configures itself: a device that is up takes
    addresses and a default route from whoever sends a router advertisement on its link.
    """
    setting = f"ipv6/conf/{name}/disable_ipv6"
    if os.path.exists(f"/proc/sys/net/{setting}"):
        write_setting(setting, "1")


def netns_cookie() -> int:
    """A number that no other network namespace has had since the boot; 0 before Linux 5.14.

    Its inode number is given to another one when it has gone.
    """
    probe = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        value = probe.getsockopt(_socket.SOL_SOCKET, SO_NETNS_COOKIE, 8)
        return int.from_bytes(value, sys.byteorder)
    except OSError as error:
        if error.errno != ENOPROTOOPT:
            raise failed(
                "cannot tell the network namespace", "getsockopt(SO_NETNS_COOKIE)", error
            ) from None
        return 0
    finally:
        probe.close()
