"""Seccomp: a program in the kernel that judges each system call (seccomp(2)).

It sees the call's number, the architecture and the six arguments as numbers; not what pointers
point to. Descendants inherit it, and it can only be made stricter.
"""

from __future__ import annotations

import sys

from minirt.linux.seccomp import Fprog, fprog, load
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from minirt.context import Context


# --8<-- [start:seccomp]
class Seccomp(Mechanism):
    """Load the program that `compiled` returns; `flags` are SECCOMP_FILTER_FLAG_*.

    It is not called to describe, to delete or to plan a container, only to make one.
    """

    name = "seccomp"

    def __init__(
        self, compiled: Callable[[], bytes], profile: str = "default", flags: int = 0
    ) -> None:
        self.compiled = compiled
        self.profile = profile
        self.flags = flags
        self._ready = Fprog()

    def prepare(self, ctx: Context) -> None:
        self._ready = fprog(self.compiled())
        ctx.confine = self.confine

    def start(self, ctx: Context) -> None:
        # Last, because every call after it would have to be allowed by the profile: only
        # execve must be.
        self.confine()

    def confine(self) -> None:
        load(self._ready, self.flags)

    # --8<-- [end:seccomp]

    def describe(self) -> str:
        return f"seccomp: the {self.profile} profile judges every system call"

    def by_hand(self) -> list[str]:
        # setpriv(1) loads filters since util-linux 2.41; older ones go without.
        return [
            "if setpriv --help | grep -q -e --seccomp-filter; then",
            f'{sys.executable} -m minirt.seccomp.compiler > "$dir/seccomp.bpf"',
            'privs="$privs --seccomp-filter=$dir/seccomp.bpf"; fi',
        ]
