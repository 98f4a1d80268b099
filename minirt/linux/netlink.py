"""rtnetlink(7): links, addresses and routes of one network namespace, by pyroute2.

pyroute2 takes 120 ms and 32 MB to import. It is loaded when the first socket is opened: on the
host, after the clone, so that the container's init is born from a small process.
"""

from __future__ import annotations

import os

from minirt.errors import KernelError
from minirt.linux.netdev import Inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from pyroute2 import IPRoute

    Value = str | int | Mapping[str, str | int]

EPERM, ENODEV, EOPNOTSUPP = 1, 19, 95
MESSAGES = {
    ("link", "add"): "RTM_NEWLINK", ("link", "set"): "RTM_NEWLINK", ("link", "del"): "RTM_DELLINK",
    ("link", "get"): "RTM_GETLINK", ("link", "dump"): "RTM_GETLINK",
    ("brport", "set"): "RTM_SETLINK",
    ("addr", "add"): "RTM_NEWADDR", ("addr", "dump"): "RTM_GETADDR",
    ("route", "add"): "RTM_NEWROUTE", ("route", "dump"): "RTM_GETROUTE",
}  # fmt: skip
AF_INET = 2
IFA_F_PERMANENT, RT_SCOPE_UNIVERSE = 0x80, 0


class Netlink:
    """A netlink socket in this process's network namespace, or in the one `netns` names.

    The socket stays in the namespace where it was opened. Use with `with`.
    """

    def __init__(self, netns: int = -1) -> None:
        from pyroute2 import IPRoute

        if netns < 0:
            self._socket = _open(IPRoute)
            return
        with Inside(netns):
            self._socket = _open(IPRoute)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def request(self, noun: str, verb: str, what: str, /, **values: Value) -> list[Reply]:
        """Send one message, such as ("link", "add", ...), with pyroute2's names for its parts.

        KernelError with the kernel's extended ack text, when it gives one, as `kernel`.
        """
        from pyroute2 import NetlinkError

        try:
            return list(getattr(self._socket, noun)(verb, **values))
        except NetlinkError as error:
            raise _kernel_error(error.code, str(error.args[1]), noun, verb, what, values) from None

    def link(self, name: str) -> Reply | None:
        """The device `name`, or None."""
        try:
            return self.request("link", "get", f"cannot look for {name}", ifname=name)[0]
        except KernelError as error:
            if error.errno != ENODEV:
                raise
            return None

    def delete_link(self, name: str) -> None:
        """Remove the device `name`, unless there is none."""
        try:
            self.request("link", "del", f"cannot remove {name}", ifname=name)
        except KernelError as error:
            if error.errno != ENODEV:
                raise

    def addresses(self, index: int) -> list[str]:
        """The IPv4 addresses of a device, as "10.0.0.1/24"."""
        what = "cannot list addresses"
        found = self.request("addr", "dump", what, family=AF_INET, index=index)
        return [f"{reply.get('address')}/{reply['prefixlen']}" for reply in found]

    def permanent_addresses(self, index: int) -> list[tuple[str, int]]:
        """The (address, prefix length) of a device, of IPv4 and IPv6, that somebody has given it.

        Not those of its link, which the kernel makes itself.
        """
        found = self.request("addr", "dump", "cannot list addresses", index=index)
        return [
            (str(reply.get("address")), reply["prefixlen"])
            for reply in found
            if reply["flags"] & IFA_F_PERMANENT and reply["scope"] == RT_SCOPE_UNIVERSE
        ]

    def routes(self) -> list[str]:
        """The destinations of all IPv4 routes of all tables, as "10.0.0.0/24"; no default one."""
        found = self.request("route", "dump", "cannot list routes", family=AF_INET)
        return [f"{r.get('dst')}/{r['dst_len']}" for r in found if r.get("dst")]


if TYPE_CHECKING:

    class Reply:
        """One message of pyroute2: header fields by index, attributes by `get`."""

        def __getitem__(self, field: str) -> int: ...
        def get(self, attribute: str | tuple[str, ...]) -> str | int | None: ...


def _open(cls: type[IPRoute]) -> IPRoute:
    # groups=0: no subscription to the events of other links, which a busy host has many of.
    return cls(ext_ack=True, strict_check=True, groups=0)


def _kernel_error(
    code: int, said: str, noun: str, verb: str, what: str, values: Mapping[str, Value]
) -> KernelError:
    shown = ", ".join(f"{k}={v}" for k, v in values.items() if not isinstance(v, dict))
    return KernelError(
        what,
        call=f"{MESSAGES[noun, verb]}({shown})",
        errno=code,
        kernel="" if said == os.strerror(code) else said,
        hint=_hint(code, str(values.get("kind", ""))),
    )


def _hint(code: int, device: str) -> str:
    if code == EPERM:
        return "run as root: a bridge needs CAP_NET_ADMIN on the host; or use --network none"
    if code == EOPNOTSUPP and device:
        return f"load the kernel module: modprobe {device}; or use --network none"
    return ""
