"""Where the time of a start goes: a container's phases over a VM's, on one time axis.

Each subject's is one real run, the one of median length: a composite of several never took place.
A phase that encloses others is in the table only: time between bars belongs to one of those.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bench import findings, units
from bench.cells import in_order
from bench.charts.chart import Chart, Missing, caption, figure, inline, tick
from bench.charts.style import look
from bench.table import Table, usual

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from bench.cells import Cells
    from bench.samples import Sample, Setting

TOPIC = "Phases of a start"
MOST = 9  # rows of a subject; shorter phases are in the table only
MAGNIFIED = 8  # a container is drawn a second time when the VM takes this many times as long


class Phase(NamedTuple):
    name: str
    begin: float
    end: float

    @property
    def takes(self) -> float:
        return self.end - self.begin


def charts(cells: Cells) -> list[Chart | Missing]:
    setting = usual(cells, "start")
    found = _found(cells, setting)
    subjects = [subject for subject in findings.standing(cells) if subject in found]
    if not subjects:
        why = "nobody who stands for containers or VMs recorded its phases"
        return [Missing("phases", TOPIC, why)]
    return [_chart(cells, {s: _innermost(found[s]) for s in subjects}, found, setting)]


def _found(cells: Cells, setting: Setting | None) -> dict[str, list[Phase]]:
    subjects = {*cells.subjects("phases"), *cells.subjects("start", setting)}
    found = {s: list(one(_samples(cells, s, setting)).values()) for s in in_order(subjects)}
    return {subject: phases for subject, phases in found.items() if phases}


def _samples(cells: Cells, subject: str, setting: Setting | None) -> list[Sample]:
    """Runs that were made for their phases; without any, the starts, which may tell them too."""
    return cells.samples("phases", subject) or cells.samples("start", subject, setting)


def one(samples: Sequence[Sample]) -> dict[str, Phase]:
    """The phases of the run of median length, by name, in the order of time."""
    told = sorted((s for s in samples if spans(s)), key=lambda s: s.value)
    if not told:
        return {}
    found = spans(told[(len(told) - 1) // 2])
    return {p.name: p for p in sorted(found, key=lambda phase: (phase.begin, -phase.end))}


def spans(sample: Sample) -> list[Phase]:
    told = sample.detail.get("phases")
    return [
        Phase(str(name), float(span[0]), float(span[1]))
        for name, span in (told if isinstance(told, dict) else {}).items()
        if isinstance(span, list) and len(span) == 2
    ]


def _innermost(phases: Sequence[Phase]) -> list[Phase]:
    """Those that enclose no other."""

    def encloses(one: Phase, other: Phase) -> bool:
        return one.begin <= other.begin and other.end <= one.end and one.takes > other.takes

    return [one for one in phases if not any(encloses(one, other) for other in phases)]


def _chart(
    cells: Cells,
    chosen: dict[str, list[Phase]],
    everyone: dict[str, list[Phase]],
    setting: Setting | None,
) -> Chart:
    lengths = {s: max(phase.end for phase in phases) for s, phases in chosen.items()}
    longest = {s: max(phases, key=lambda p: p.takes) for s, phases in chosen.items()}
    title = "In one run each: " + "; ".join(
        f"{findings.name(cells, s)}: {units.quantity(longest[s].takes, 's')} of "
        f"{units.quantity(lengths[s], 's')} is {longest[s].name}"
        for s in chosen
    )
    about = "The phases of one start each, as bars on one time axis."
    length = max(lengths.values())
    panels = [(s, length) for s in chosen]
    if min(lengths.values()) * MAGNIFIED < length:
        short = min(lengths, key=lambda s: lengths[s])
        panels.append((short, lengths[short]))
        about += f" {cells.label(short)} is drawn a second time, magnified."
    rows = [min(len(chosen[s]), MOST) for s, _ in panels]
    with figure(0.24 * sum(rows) + 0.62 * len(panels)) as picture:
        grid = picture.subplots(len(panels), squeeze=False, height_ratios=rows)
        for number, (axes, (subject, span)) in enumerate(zip(grid[:, 0], panels, strict=True)):
            again = "" if number < len(chosen) else f", magnified {length / span:.0f} times"
            axes.set_title(f"{findings.name(cells, subject)}{again}", loc="left")
            _bars(axes, subject, chosen[subject], span)
        svg = inline(picture, "phases", title, about)
    counts = [len(_samples(cells, s, setting)) for s in chosen]
    table = Table("Phases of a start: one run each, the one of median length",
                  ("subject", "phase", "from", "takes"), _rows(cells, everyone))  # fmt: skip
    note = f"{caption(cells, chosen, counts)}; of these the run of median length is shown"
    return Chart("phases", TOPIC, title, about, note, svg, table)


def _bars(axes: Axes, subject: str, phases: Sequence[Phase], length: float) -> None:
    kept = sorted(sorted(phases, key=lambda p: -p.takes)[:MOST], key=phases.index)
    for y, phase in enumerate(kept):
        width = max(phase.takes, length / 300)
        axes.barh(y, width, left=phase.begin, height=0.62, color=look(subject).colour)
        late = phase.begin + width > 0.8 * length
        x, side = (phase.begin, "right") if late else (phase.begin + width, "left")
        axes.annotate(units.quantity(phase.takes, "s"), (x, y), (-4 if late else 4, 0),
                      textcoords="offset points", va="center", ha=side, fontsize=8.5)  # fmt: skip
    axes.set_yticks(range(len(kept)), [phase.name for phase in kept])
    axes.set_ylim(len(kept) - 0.4, -0.6)
    axes.set_xlim(0, length * 1.02)
    axes.xaxis.set_major_formatter(lambda value, _: tick(value, "s"))
    axes.grid(visible=False, axis="y")


def _rows(cells: Cells, found: dict[str, list[Phase]]) -> list[Sequence[str]]:
    return [
        (findings.name(cells, subject), phase.name,
         units.quantity(phase.begin, "s"), units.quantity(phase.takes, "s"))
        for subject, phases in found.items()
        for phase in phases
    ]  # fmt: skip
