"""What a subject costs beside a reference: dots with intervals, and a line where there is no cost.

All ratios are turned so that more than 1 is worse, for times as for rates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench import findings, units
from bench.cells import PROCESS, counted
from bench.charts.chart import Chart, Missing, caption, figure, inline, log_axis
from bench.charts.style import INK, look
from bench.table import Table
from bench.words import setting_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from bench.cells import Cells
    from bench.findings import Finding
    from bench.stats import Interval

TOPICS = {"cpu": "Processor", "disk": "Disk", "network": "Network"}
COLUMNS = 3  # panels beside each other
MARGIN = 1.05  # "no cost" is said only of what is shown to be below it


@dataclass(frozen=True)
class Panel:
    """One setting: the cost of each subject in it, as a ratio; `goals` is where ours should be."""

    title: str
    costs: dict[str, Interval]
    goals: Sequence[float] = ()


def charts(cells: Cells) -> list[Chart | Missing]:
    found: list[Chart | Missing] = []
    for metric, topic in TOPICS.items():
        panels = _panels(cells, metric)
        why = "; ".join(cells.reasons(metric))
        why = why or f"no subject and the plain process have samples of {metric} in common"
        found.append(
            _chart(cells, metric, topic, panels) if panels else Missing(metric, topic, why)
        )
    return found


def _panels(cells: Cells, metric: str) -> list[Panel]:
    panels = []
    for setting in cells.settings(metric):
        if counted(metric, cells.unit(metric, setting)):
            continue  # sizes have a chart of their own
        costs = {}
        for subject in cells.subjects(metric, setting):
            found = findings.between(cells, metric, subject, PROCESS, setting)
            if subject != PROCESS and found and found.setting == setting:
                costs[subject] = cost(found)
        if costs:
            panels.append(Panel(setting_text(metric, setting), costs))
    return panels


def cost(found: Finding) -> Interval:
    """How many times worse `a` is than `b`."""
    return found.advantage.inverse()


def _chart(cells: Cells, metric: str, topic: str, panels: list[Panel]) -> Chart:
    title = _title(cells, panels)
    about = (
        f"{topic}: for each of {len(panels)} kinds of work, what a subject takes as a multiple of "
        "the plain process, with 95 % intervals, on logarithmic axes; 1 is no cost, more is worse."
    )
    subjects = list(dict.fromkeys(s for panel in panels for s in panel.costs))
    svg = draw(cells, metric, title, about, panels)
    table = Table(
        f"{topic}: multiple of the plain process, more is worse [95 % interval]",
        ["subject", *(panel.title for panel in panels)],
        rows(cells, panels, subjects),
    )
    counts = [at.n for panel in panels for at in panel.costs.values()]
    note = caption(cells, subjects, counts) + _cached(cells, metric)
    return Chart(metric, topic, title, about, note, svg, table)


def _cached(cells: Cells, metric: str) -> str:
    """Whether what is called memory fitted into a cache of the processor."""
    if not any(sample.detail.get("cached") is True for sample in cells.of_metric(metric)):
        return ""
    return "; memory: the buffers fit into the processor's largest cache, so that was measured"


def _title(cells: Cells, panels: list[Panel]) -> str:
    """The greatest cost of those who stand for all, as the interval that the samples allow."""
    container, machine = findings.standing(cells)
    containers = [container, *findings.CONTAINERS]  # it may lack the network that is measured
    machines = [machine] if machine and not cells.emulated(machine) else []
    measured = {subject for panel in panels for subject in panel.costs}
    chosen = [[s for s in order if s in measured][:1] for order in (containers, machines)]
    parts = [_worst(cells, panels, subject) for side in chosen for subject in side]
    return "Beside the plain process, " + "; ".join(parts or ["only emulator figures"])


def _worst(cells: Cells, panels: list[Panel], subject: str) -> str:
    name = findings.name(cells, subject)
    own = [panel for panel in panels if subject in panel.costs]
    known = [panel for panel in own if panel.costs[subject].known]
    if not known:
        return f"{name} has too few samples for an interval"
    greatest = max(known, key=lambda panel: panel.costs[subject].high)
    if len(known) == len(own) and greatest.costs[subject].high < MARGIN:
        return (
            f"{name} takes less than {units.three(MARGIN)} times as much in all that was measured"
        )
    worst = max(known, key=lambda panel: panel.costs[subject].value)
    words = findings.between_words(worst.costs[subject])
    return f"{name} takes {words} times as much where it is most ({worst.title})"


def rows(cells: Cells, panels: list[Panel], subjects: Sequence[str]) -> list[Sequence[str]]:
    return [
        [
            findings.name(cells, subject),
            *(
                units.ratio(panel.costs[subject]) if subject in panel.costs else "not measured"
                for panel in panels
            ),
        ]
        for subject in subjects
    ]


def draw(cells: Cells, name: str, title: str, about: str, panels: list[Panel]) -> str:
    """Panels in rows of three; each subject has the same line in all of them."""
    subjects = list(dict.fromkeys(s for panel in panels for s in panel.costs))
    columns = min(COLUMNS, len(panels))
    lines = math.ceil(len(panels) / columns)
    with figure(lines * (0.36 * len(subjects) + 0.75)) as picture:
        grid = picture.subplots(lines, columns, squeeze=False, sharey=True)
        for axes in grid.flat[len(panels) :]:
            axes.set_visible(False)
        for axes, panel in zip(grid.flat, panels, strict=False):
            _panel(axes, panel, subjects)
        for axes in grid[:, 0]:
            axes.set_yticks(range(len(subjects)), [findings.name(cells, s) for s in subjects])
            axes.set_ylim(len(subjects) - 0.5, -0.8)
        return inline(picture, name, title, about)


def _panel(axes: Axes, panel: Panel, subjects: Sequence[str]) -> None:
    axes.set_title(panel.title, loc="left")
    axes.axvline(1, color=INK, linewidth=1)
    for goal in panel.goals:
        axes.axvline(goal, color=INK, linewidth=1, linestyle=":")
    for subject, at in panel.costs.items():
        y = subjects.index(subject)
        colour, marker, _ = look(subject)
        if at.known:
            axes.plot([at.low, at.high], [y, y], color=colour)
        axes.plot(at.value, y, marker=marker, color=colour)
        # Away from the line at 1, which would run through the figures.
        left = at.value < 1
        edge = (at.low if left else at.high) if at.known else at.value
        axes.annotate(units.three(at.value), (edge, y), (-6 if left else 6, 0), fontsize=8,
                      textcoords="offset points", ha="right" if left else "left",
                      va="center")  # fmt: skip
    bounds = [b for at in panel.costs.values() if at.known for b in (at.low, at.high)]
    bounds += [1.0, *panel.goals, *(at.value for at in panel.costs.values())]
    # Room for the figures, a third of the panel on the side where there are some.
    margin = max((max(bounds) / min(bounds)) ** 0.4, 1.1)
    left = margin if any(at.value < 1 for at in panel.costs.values()) else margin**0.3
    log_axis(axes, min(bounds) / left, max(bounds) * margin, "", most=4)
