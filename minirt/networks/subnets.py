"""IPv4 subnets as numbers, and the choice of one that the host has no route to."""

from __future__ import annotations

import _socket

from minirt.errors import HostError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# A bridge has at most 1024 ports (BR_MAX_PORTS of the kernel): a /22 has an address for each.
PREFIX = 22
# Private ranges (RFC 1918), those that docker, podman and libvirt do not use by default first.
RANGES = ("10.77.0.0/16", "172.28.0.0/14", "10.144.0.0/12", "192.168.128.0/17")


class Subnet:
    """A block of addresses: `Subnet("10.77.0.0/22")`. Host 1 is the gateway."""

    __slots__ = ("base", "prefix", "size")

    def __init__(self, text: str) -> None:
        address, _, prefix = text.partition("/")
        self.prefix = int(prefix or 32)
        self.size = 1 << (32 - self.prefix)
        self.base = number(address) & ~(self.size - 1)

    def __str__(self) -> str:
        return f"{dotted(self.base)}/{self.prefix}"

    def overlaps(self, other: Subnet) -> bool:
        return self.base < other.base + other.size and other.base < self.base + self.size

    def host(self, index: int) -> str:
        return dotted(self.base + index)

    @property
    def gateway(self) -> str:
        return self.host(1)


def number(address: str) -> int:
    """10.0.0.1 as a 32-bit number; OSError when it is not an IPv4 address."""
    return int.from_bytes(_socket.inet_aton(address), "big")


def dotted(value: int) -> str:
    return _socket.inet_ntoa(value.to_bytes(4, "big"))


def choose(taken: Iterable[str]) -> Subnet:
    """The first candidate that overlaps none of `taken` (destinations such as 10.0.0.0/8)."""
    used = [Subnet(text) for text in taken]
    for candidate in candidates():
        if not any(candidate.overlaps(subnet) for subnet in used):
            return candidate
    raise HostError(
        "the host has a route to every private IPv4 subnet that minirt could take",
        hint="use --network none or --network host",
    )


def candidates() -> Iterator[Subnet]:
    for text in RANGES:
        whole = Subnet(text)
        for base in range(whole.base, whole.base + whole.size, 1 << (32 - PREFIX)):
            yield Subnet(f"{dotted(base)}/{PREFIX}")


def free_host(subnet: Subnet, used: Iterable[str], last: str) -> str:
    """The next free address after `last`, around the subnet.

    Not the lowest: who still talks to a container that has ended must not reach a new one.
    """
    taken = {number(address) for address in used}
    hosts = subnet.size - 3  # without the network's, the gateway's and the broadcast address
    start = number(last) - subnet.base - 1 if last else 0
    for step in range(hosts):
        candidate = subnet.base + 2 + (start + step) % hosts
        if candidate not in taken:
            return dotted(candidate)
    raise HostError(
        f"all {hosts} addresses of {subnet} are taken",
        hint="end containers that are not needed, then: minirt gc",
    )


def subnet_by_hand() -> Subnet:
    """The subnet of a network made by hand: not the one that minirt takes first."""
    return Subnet(f"10.77.252.0/{PREFIX}")
