"""set_mempolicy(2): from which nodes a process and its descendants get memory (numa(7))."""

from __future__ import annotations

from minirt.linux.calls import MACHINE, NUMBERS, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

NUMBERS.update(
    {"x86_64": {"set_mempolicy": 238}, "aarch64": {"set_mempolicy": 237}}.get(MACHINE, {})
)
MODES = {
    "MPOL_DEFAULT": 0, "MPOL_PREFERRED": 1, "MPOL_BIND": 2, "MPOL_INTERLEAVE": 3, "MPOL_LOCAL": 4,
    "MPOL_PREFERRED_MANY": 5, "MPOL_WEIGHTED_INTERLEAVE": 6,
}  # fmt: skip
FLAGS = {
    "MPOL_F_STATIC_NODES": 1 << 15, "MPOL_F_RELATIVE_NODES": 1 << 14,
    "MPOL_F_NUMA_BALANCING": 1 << 13,
}  # fmt: skip
WORD = 64


def set_mempolicy(mode: int, nodes: Iterable[int]) -> None:
    """Set the policy of this process; execve and fork keep it."""
    mask = sum(1 << node for node in set(nodes))
    bits = (mask.bit_length() // WORD + 1) * WORD
    named = next(name for name, number in MODES.items() if number == mode & 0xFFF)
    check(
        "set_mempolicy", mode, mask.to_bytes(bits // 8, "little") if mask else None,
        bits + 1 if mask else 0,  # the kernel reads one bit less than it is told
        what="cannot set the memory policy", shown=f"{named}, {sorted(set(nodes))}",
    )  # fmt: skip
