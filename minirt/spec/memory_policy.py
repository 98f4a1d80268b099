"""`linux.memoryPolicy`: from which nodes the memory of the container comes (set_mempolicy(2))."""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.linux import cpus
from minirt.linux.mempolicy import FLAGS, MODES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.reader import Reader

# Those that have no nodes.
BARE = ("MPOL_DEFAULT", "MPOL_LOCAL")
LARGEST_NODE = 1023


def memory_policy(linux: Reader) -> tuple[int, frozenset[int]] | None:
    """(mode with its flags, nodes); None without the member."""
    if linux.value.get("memoryPolicy") is None:
        return None
    reader = linux.object("memoryPolicy")
    mode = reader.text("mode")
    if mode not in MODES:
        known = ", ".join(MODES)
        raise ConfigError(f'"{mode}" is not one of {known}', pointer=reader.where("mode"))
    flags = 0
    for index, flag in enumerate(reader.texts("flags")):
        if flag not in FLAGS:
            pointer = f"{reader.where('flags')}/{index}"
            raise ConfigError(f'"{flag}" is not one of {", ".join(FLAGS)}', pointer=pointer)
        flags |= FLAGS[flag]
    try:
        nodes = cpus.parse(reader.text("nodes"))
    except ValueError as error:
        what = f'"{error}" is not a list of nodes'
        raise ConfigError(what, pointer=reader.where("nodes"), hint='such as "0-1"') from None
    if max(nodes, default=0) > LARGEST_NODE:
        what = f"must be at most {LARGEST_NODE}"
        raise ConfigError(what, pointer=reader.where("nodes"))
    if bool(nodes) == (mode in BARE) and mode != "MPOL_PREFERRED":
        what = "must be empty" if nodes else "is missing"
        raise ConfigError(f"{what} with {mode}", pointer=reader.where("nodes"))
    return MODES[mode] | flags, nodes
