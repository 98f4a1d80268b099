"""update: new limits for a container that exists."""

from __future__ import annotations

from minirt import limits
from minirt.errors import ConfigError, HostError
from minirt.limits.change import merged
from minirt.linux import cgroupfs, cgroups
from minirt.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from minirt.codec import Json
    from minirt.linux.cgroups import Hierarchy
    from minirt.state import State


def update(state: State, resources: Mapping[str, Json]) -> None:
    """Set what `resources` (OCI's linux.resources) has, and record it; all else stays.

    `state` is loaded and locked. ConfigError for what is wrong, before anything is written.
    """
    linux = Reader(state.spec).object("linux")
    wanted = merged(linux.object("resources").value, resources)
    places = _places(state)
    todo = []
    for controller in limits.limited(resources):
        if controller not in places:
            raise HostError(f"container {state.id} has no cgroup with the controller {controller}")
        hierarchy, directory = places[controller]
        todo.append((directory, limits.settings(wanted, controller, hierarchy.version)))
    _check_memory(Reader(wanted, limits.POINTER).object("memory"), dict(_of(places, "memory")))
    for directory, files in todo:
        cgroupfs.settle(directory, files, lambda file: limits.pointer(wanted, file))
    state.spec = {**state.spec, "linux": {**linux.value, "resources": wanted}}
    state.save()


def _places(state: State) -> dict[str, tuple[Hierarchy, str]]:
    """Which hierarchy, and which of the container's directories, is for each controller."""
    found = {}
    names = {v1: v2 for v2, v1 in cgroups.V1_NAMES.items()}
    # Mount points nest: of those that a directory lies below, the longest is its own.
    by_depth = sorted(cgroups.hierarchies(), key=lambda h: -len(h.mountpoint))
    for directory in state.cgroups():
        for hierarchy in by_depth:
            if directory.startswith(f"{hierarchy.mountpoint}/"):
                for name in hierarchy.controllers:
                    found[names.get(name, name)] = hierarchy, directory
                break
    return found


def _of(places: Mapping[str, tuple[Hierarchy, str]], name: str) -> Iterator[tuple[int, str]]:
    if name in places:
        yield places[name][0].version, places[name][1]


def _check_memory(memory: Reader, places: Mapping[int, str]) -> None:
    """checkBeforeUpdate: version 2 would kill for a limit below what is used; 1 refuses it."""
    limit = memory.number("limit")
    if not memory.flag("checkBeforeUpdate") or limit <= 0 or 2 not in places:
        return
    used = int(cgroupfs.read(places[2], "memory.current") or 0)
    if limit < used:
        raise ConfigError(
            f"{limit} is less than the {used} bytes in use", pointer=memory.where("limit")
        )
