"""Personality: which kernel a program believes to be on (personality(2)).

With the domain LINUX32, uname(2) says i686: for builds that must not see a 64-bit machine.
"""

from __future__ import annotations

from minirt.linux.system import DOMAINS, personality
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class Personality(Mechanism):
    """Choose the execution domain; it survives an exec."""

    name = "personality"

    def __init__(self, domain: int) -> None:
        self.domain = domain

    def seal(self, ctx: Context) -> None:
        personality(self.domain)

    def describe(self) -> str:
        name = next(name for name, number in DOMAINS.items() if number == self.domain)
        return f"personality: {name}"
