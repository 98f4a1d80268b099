"""New limits for a container that has some: what is not mentioned stays as it is."""

from __future__ import annotations

from minirt.limits import POINTER
from minirt.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.codec import Json

OBJECTS = ("cpu", "memory", "pids", "blockIO", "network", "rdma", "unified")
LISTS = ("hugepageLimits",)
# Elsewhere 0 is what engines write for "leave it alone".
ZERO_COUNTS = ("idle", "swappiness")
UNLIMITED = -1


def merged(old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """The resources `old` with what `new` says in their place."""
    before, after = Reader(old, POINTER), Reader(new)
    result = dict(old)
    for name in OBJECTS:
        said = {k: v for k, v in after.object(name).value.items() if v or k in ZERO_COUNTS}
        if said:
            result[name] = {**before.object(name).value, **said}
    for name in LISTS:
        if after.items(name):
            result[name] = after.items(name)
    memory = after.object("memory")
    if memory.number("limit") == UNLIMITED and not memory.number("swap"):
        # What has no limit cannot have one together with swap.
        result["memory"] = {**Reader(result).object("memory").value, "swap": UNLIMITED}
    return result
