"""Which ids outside stand for the container's: the maps of a new user namespace."""

from __future__ import annotations

import os

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

IdMap = tuple[int, int, int]
# Where no range is delegated: far above the accounts of people and services, and as wide as
# the 16-bit ids that images use.
FIRST, SIZE = 100_000, 65_536
OWNERS = ("minirt", "root")


def user_maps(
    uid: int, gid: int, *, subuid: str = "", subgid: str = ""
) -> tuple[tuple[IdMap, ...], tuple[IdMap, ...]]:
    """The (uid, gid) maps for a caller with these ids; entries are (inside, outside, size).

    Root maps the container's ids from 0 to a range delegated in /etc/subuid and /etc/subgid
    (their text) to "minirt" or "root", else to one above all that others have. Another user may
    map only their own id, to 0 (user_namespaces(7)).
    """
    if uid != 0:
        return ((0, uid, 1),), ((0, gid, 1),)
    return (_delegated(subuid),), (_delegated(subgid),)


def host_maps() -> tuple[tuple[IdMap, ...], tuple[IdMap, ...]]:
    """`user_maps` for this process on this host."""
    uid, gid = os.geteuid(), os.getegid()
    return user_maps(uid, gid, subuid=_text("/etc/subuid"), subgid=_text("/etc/subgid"))


def _delegated(table: str) -> IdMap:
    """The first range of one of our owners, else one above every range of others (subuid(5))."""
    ranges = [found for line in table.splitlines() if (found := _range(line))]
    for owner in OWNERS:
        for name, first, count in ranges:
            if name == owner:
                return (0, first, count)
    # A range that somebody has is theirs: they could signal the container and own its files.
    return (0, max([FIRST, *(first + count for _, first, count in ranges)]), SIZE)


def _range(line: str) -> tuple[str, int, int] | None:
    """(name, first, count) of a line name:first:count; None when it is not one."""
    name, _, rest = line.strip().partition(":")
    first, _, count = rest.partition(":")
    if not (first.isdecimal() and count.isdecimal() and int(count)):
        return None
    return name, int(first), int(count)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as table:
            return table.read()
    except OSError:
        return ""


def owner(uid_maps: Iterable[IdMap], gid_maps: Iterable[IdMap]) -> tuple[int, int]:
    """The host's (uid, gid) of root inside."""
    return host_id(uid_maps, 0), host_id(gid_maps, 0)


def host_id(maps: Iterable[IdMap], inside: int) -> int:
    """What the id `inside` is outside; without maps the same."""
    maps = tuple(maps)
    for container_id, outside, size in maps:
        if container_id <= inside < container_id + size:
            return outside + inside - container_id
    if maps:
        raise ConfigError(
            f"maps no id to {inside}", pointer="/linux/uidMappings", hint="map id 0 too"
        )
    return inside
