"""Seccomp: a program in the kernel that judges each system call (seccomp(2)).

It sees the call's number, the architecture and the six arguments as numbers; not what pointers
point to. Descendants inherit it, and it can only be made stricter.
"""

from __future__ import annotations

from minirt.linux.seccomp import INSTRUCTION, fprog, load
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


# --8<-- [start:seccomp]
class Seccomp(Mechanism):
    """Load a compiled program (minirt/seccomp_cache.py); `flags` are SECCOMP_FILTER_FLAG_*."""

    name = "seccomp"

    def __init__(self, program: bytes, flags: int = 0) -> None:
        self.program = program
        self.flags = flags
        self._ready = fprog(program)

    def start(self, ctx: Context) -> None:
        # Last, because every call after it would have to be allowed by the profile: only
        # execve must be.
        load(self._ready, self.flags)

    # --8<-- [end:seccomp]

    def describe(self) -> str:
        length = len(self.program) // INSTRUCTION
        return f"seccomp: {length} instructions judge every system call"

    def by_hand(self) -> list[str]:
        return [
            'python3 -m minirt.seccomp_compile > "$dir/seccomp.bpf"',
            'privs="$privs --seccomp-filter=$dir/seccomp.bpf"  # setpriv of util-linux 2.41',
        ]
