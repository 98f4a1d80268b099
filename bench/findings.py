"""What two subjects differ by, in one sentence; and which two stand for containers and for VMs.

Those two are the same in the whole report, and have equal networks: equal work is compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import stats, units
from bench.cells import AGAIN, NONE, PROCESS, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.cells import Cells
    from bench.samples import Setting
    from bench.stats import Interval

# Who stands for containers: the whole of what this project makes, else the nearest to it.
CONTAINERS = (
    "minirt-oci", "step6-none", "step6", "runc", "crun", "crun-nocgroup", "podman", "docker",
    "lxc", "bwrap", "warm",
)  # fmt: skip
# Who stands for VMs. User Mode Linux does not: it is a kernel as a process, without a processor
# of its own, and says nothing of virtualisation.
MACHINES = ("microvm", "q35")
OTHERS = ("runc", "crun", "crun-nocgroup")  # beside whom a container is put where no VM can be


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
    if setting is None or (metric == "density" and not comparable(cells, a, b, setting)):
        return None
    unit = cells.unit(metric, setting)
    one, other = cells.exact(metric, a, setting), cells.exact(metric, b, setting)
    return of_series(a, b, setting, unit, one, other, exact=counted(metric, unit))


def comparable(cells: Cells, a: str, b: str, setting: Setting) -> bool:
    """Whether memory ended all counts of both: any other end says only that more would fit."""
    return limits(cells, a, setting) == limits(cells, b, setting) == {"memory"}


def limits(cells: Cells, subject: str, setting: Setting) -> set[str]:
    return {str(s.detail.get("limit") or "") for s in cells.samples("density", subject, setting)}


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
    """Of the settings that both have the one with the greatest gap or number."""
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


def alike(cells: Cells, a: str, b: str) -> bool:
    """Whether the two set up the same kind of network, or none."""
    return cells.network(a) == cells.network(b)


def standing(cells: Cells) -> tuple[str, str]:
    """The container and the VM that stand for all, in the whole report; "" for none."""
    measured = cells.subjects()
    machine = next((name for name in MACHINES if name in measured), "")
    network = cells.network(machine) if machine else NONE
    containers = [name for name in CONTAINERS if name in measured]
    equal = [name for name in containers if cells.network(name) == network]
    return next(iter(equal or containers), ""), machine


def pair(cells: Cells, metric: str, *, counts: bool = False) -> tuple[str, str] | None:
    """Whom a chart's title is about: the container and the VM that stand for all, if that can be.

    A VM that was emulated is no side of a title, but where things are counted; another runtime is.
    """
    container, machine = standing(cells)
    measured = [s for s in cells.subjects(metric) if s != container]
    if machine in measured and (counts or not cells.emulated(machine)):
        others = [machine]
    else:
        others = [name for name in OTHERS if name in measured]
    found = [other for other in others if alike(cells, container, other)] if container else []
    return (container, found[0]) if found else None


def sentence(cells: Cells, found: Finding, words: str) -> str:
    """`words` has the greater's ratio for {}, as in "takes {} times as long as"; "" if unsure."""
    if not found.ratio.known:
        return ""
    a, b = name(cells, found.a), name(cells, found.b)
    if found.ratio.contains(1) and found.ratio.low < found.ratio.high:
        return f"{a} against {b}: no difference shown, ratio {between_words(found.ratio)}"
    if found.ratio.value == 1:
        return f"{a} and {b} are equal"
    ratio = found.ratio if found.ratio.value > 1 else found.ratio.inverse()
    great, small = (a, b) if found.ratio.value > 1 else (b, a)
    return f"{great} {words.format(between_words(ratio))} {small}"


def between_words(ratio: Interval) -> str:
    """The interval of a ratio, which is all that the samples show: "1.41 to 1.55"."""
    if not ratio.known:
        return f"{units.three(ratio.value)} (n = {ratio.n}: no interval)"
    low, high = units.three(ratio.low), units.three(ratio.high)
    return low if low == high else f"{low} to {high}"


def headline(cells: Cells, metric: str, words: str, wanted: Setting | None = None) -> str:
    """The finding about those who stand for all; "" when there are not two, or too few samples."""
    chosen = pair(cells, metric, counts=counted(metric, cells.unit(metric, wanted)))
    found = between(cells, metric, *chosen, wanted) if chosen else None
    return sentence(cells, found, words) if found else ""


def besides(cells: Cells, metric: str) -> str:
    """For the caption below a title: what its two do that the other does not."""
    notes = [(s, cells.note(s)) for s in pair(cells, metric) or ()]
    return "".join(f"; {cells.label(subject)}: {note}" for subject, note in notes if note)


def name(cells: Cells, subject: str) -> str:
    return cells.label(subject) + (" (emulated)" if cells.emulated(subject) else "")


def beside(cells: Cells, subject: str, reference: str) -> bool:
    """Whether a ratio of the two is of equal work; what isolation costs beside a process is."""
    return reference == PROCESS or alike(cells, subject, reference)


def _first(order: Sequence[str], found: Sequence[str]) -> list[str]:
    return sorted(found, key=lambda s: order.index(s) if s in order else len(order))
