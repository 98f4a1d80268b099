"""What two subjects differ by, in one sentence; and which two stand for containers and for VMs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import stats, units
from bench.cells import AGAIN, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.cells import Cells
    from bench.samples import Setting
    from bench.stats import Interval

# Who stands for containers: the whole of what this project makes, else the nearest to it.
CONTAINERS = (
    "step6", "step6-none", "runc", "crun", "crun-nocgroup", "podman", "docker", "lxc", "bwrap",
    "warm",
)  # fmt: skip
MACHINES = ("microvm", "q35", "uml")


@dataclass(frozen=True)
class Finding:
    """`ratio` is a / b; `advantage` is how many times better `a` is: above 1 in its favour."""

    a: str
    b: str
    setting: Setting
    unit: str
    ratio: Interval
    advantage: Interval


def between(
    cells: Cells, metric: str, a: str, b: str, wanted: Setting | None = None
) -> Finding | None:
    """The two in the setting that is wanted, or in the best of those that both have."""
    setting = shared(cells, metric, a, b, wanted)
    if setting is None:
        return None
    unit = cells.unit(metric, setting)
    one, other = cells.exact(metric, a, setting), cells.exact(metric, b, setting)
    return of_series(a, b, setting, unit, one, other, exact=counted(metric, unit))


def of_series(
    a: str,
    b: str,
    setting: Setting,
    unit: str,
    one: stats.Series,
    other: stats.Series,
    *,
    exact: bool = False,
) -> Finding | None:
    try:
        ratio = stats.exactly(one, other) if exact else stats.ratio(one, other)
    except ValueError:
        return None
    advantage = ratio if stats.more_is_better(unit) else ratio.inverse()
    return Finding(a, b, setting, unit, ratio, advantage)


def shared(
    cells: Cells, metric: str, a: str, b: str, wanted: Setting | None = None
) -> Setting | None:
    """Of the settings that both have: warm before cold, and the greatest gap or number."""
    both = [
        setting
        for setting in cells.settings(metric)
        if (wanted or {}).items() <= setting.items()
        and cells.exact(metric, a, setting)
        and cells.exact(metric, b, setting)
    ]
    return max(both, key=_preference, default=None)


def _preference(setting: Setting) -> tuple[bool, list[float]]:
    numbers = [float(v) for v in setting.values() if isinstance(v, (int, float))]
    return setting.get("cache") == "warm", numbers


def sides(cells: Cells, metric: str, wanted: Setting | None = None) -> tuple[list[str], list[str]]:
    """The containers and the VMs that have samples, those that stand for the rest first."""
    measured = [s for s in cells.subjects(metric, wanted) if not s.endswith(AGAIN)]
    return (
        _first(CONTAINERS, [s for s in measured if cells.family(s) == "container"]),
        _first(MACHINES, [s for s in measured if cells.family(s) == "vm"]),
    )


def representatives(
    cells: Cells, metric: str, wanted: Setting | None = None
) -> tuple[str, str] | None:
    """A container, and a VM or else another container, to state a finding about."""
    containers, machines = sides(cells, metric, wanted)
    others = [*machines, *(c for c in ("runc", "crun") if c in containers), *containers[1:]]
    others = [other for other in others if other != containers[0]] if containers else []
    return (containers[0], others[0]) if others else None


def sentence(cells: Cells, found: Finding, words: str) -> str:
    """`words` has the greater's ratio for {}, as in "takes {} times as long as"."""
    a, b = name(cells, found.a), name(cells, found.b)
    unsure = "" if found.ratio.known else f" (n = {found.ratio.n}: no interval)"
    if found.ratio.contains(1) and not unsure:
        return f"No difference shown between {a} and {b}"
    ratio = found.ratio if found.ratio.value > 1 else found.ratio.inverse()
    great, small = (a, b) if found.ratio.value > 1 else (b, a)
    return f"{great} {words.format(units.three(ratio.value))} {small}{unsure}"


def headline(cells: Cells, metric: str, words: str, wanted: Setting | None = None) -> str:
    """The finding about the representatives; "" when there are not two."""
    pair = representatives(cells, metric, wanted)
    found = between(cells, metric, *pair, wanted) if pair else None
    return sentence(cells, found, words) if found else ""


def name(cells: Cells, subject: str) -> str:
    return cells.label(subject) + (" (emulated)" if cells.emulated(subject) else "")


def _first(order: Sequence[str], found: Sequence[str]) -> list[str]:
    return sorted(found, key=lambda s: order.index(s) if s in order else len(order))
