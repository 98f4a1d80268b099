"""Resource limits: what one process may use, checked at each call (getrlimit(2)).

Anyone may lower a hard limit; only CAP_SYS_RESOURCE on the host may raise one, which the child
has lost by then. So limits are raised from outside, and set to their values inside.
"""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.linux.rlimits import INFINITY, Limit, number, prlimit, read
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


# --8<-- [start:rlimits]
class Rlimits(Mechanism):
    """Limits as (name, soft, hard), such as ("RLIMIT_NOFILE", 1024, 4096)."""

    name = "rlimits"

    def __init__(self, limits: tuple[tuple[str, int, int], ...]) -> None:
        self.limits = limits
        # Ready before the clone: a small RLIMIT_AS leaves no memory to make them later.
        self._ready = tuple(_limit(*limit) for limit in limits)

    def attach(self, ctx: Context) -> None:
        for resource, limit in self._ready:
            now = read(resource, ctx.pid)
            if limit.hard > now.hard:
                prlimit(resource, Limit(now.soft, limit.hard), ctx.pid)

    def start(self, ctx: Context) -> None:
        for resource, limit in self._ready:
            prlimit(resource, limit)

    # --8<-- [end:rlimits]

    def describe(self) -> str:
        shown = (f"{n.removeprefix('RLIMIT_').lower()} {s}:{h}" for n, s, h in self.limits)
        return f"resource limits: {', '.join(shown)}"

    def by_hand(self) -> list[str]:
        return [
            f"prlimit --pid $$ --{name.removeprefix('RLIMIT_').lower()}={_text(s)}:{_text(h)}"
            for name, s, h in self.limits
        ]


def _limit(name: str, soft: int, hard: int) -> tuple[int, Limit]:
    if not 0 <= soft <= hard <= INFINITY:
        what = f"{name}: the soft limit {soft} must lie between 0 and the hard limit {hard}"
        raise ConfigError(what, hint="raise the hard limit or lower the soft one")
    return number(name), Limit(soft, hard)


def _text(value: int) -> str:
    return "unlimited" if value == INFINITY else str(value)
