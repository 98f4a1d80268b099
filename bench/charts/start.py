"""How long starts take: all of them, as the share that is over by a time (ECDF)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench import findings, stats, units
from bench.cells import AGAIN, STEPS
from bench.charts.chart import Chart, Missing, caption, figure, inline, log_axis
from bench.charts.style import look
from bench.table import Table, tail_text
from bench.words import setting_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from bench.cells import Cells
    from bench.samples import Setting
    from bench.stats import Series

TOPIC = "Start-up"
WORDS = "takes {} times as long to start and end as"


def charts(cells: Cells, metric: str = "start") -> list[Chart | Missing]:
    """One chart for each setting: warm and cold, back to back and with gaps."""
    settings = cells.settings(metric)
    if not settings:
        return [Missing(metric, TOPIC, "no start was measured")]
    return [_chart(cells, metric, setting, number) for number, setting in enumerate(settings, 1)]


def _chart(cells: Cells, metric: str, setting: Setting, number: int) -> Chart:
    name = f"{metric}-{number}"
    words = setting_text(metric, setting)
    found = {s: cells.exact(metric, s, setting) for s in cells.subjects(metric, setting)}
    found = {s: series for s, series in found.items() if series}
    drawn = {s: series for s, series in found.items() if not _table_only(s)} or found
    finding = findings.headline(cells, metric, WORDS, setting) or "time from request to exit"
    title = f"{words[0].upper()}{words[1:]}: {finding}"
    about = (
        f"For each of {len(drawn)} subjects, the share of starts that were over by a time, "
        "on a logarithmic axis; marks at the median."
    )
    with figure(3.9) as picture:
        axes = picture.subplots()
        _curves(cells, axes, drawn)
        picture.legend(loc="outside right upper", fontsize=8.5, handlelength=2.6)
        svg = inline(picture, name, title, about)
    left_out = [cells.label(s) for s in found if s not in drawn]
    more = f"; in the table only: {'; '.join(left_out)}" if left_out else ""
    counts = [len(series) for series in found.values()]
    note = caption(cells, found, counts) + more + findings.besides(cells, metric)
    return Chart(name, TOPIC, title, about, note, svg, _table(cells, found, words))


def _table_only(subject: str) -> bool:
    """The price of each step has its own chart, and the A/A pair its table."""
    return subject in STEPS[:-1] or subject.endswith(AGAIN)


def _curves(cells: Cells, axes: Axes, found: dict[str, Series]) -> None:
    everything = [value for series in found.values() for value in stats.values(series)]
    for subject in sorted(found, key=lambda s: stats.median(found[s]).value):
        taken = np.sort(np.array(stats.values(found[subject])))
        share = np.arange(1, len(taken) + 1) / len(taken)
        colour, marker, line = look(subject)
        p50 = stats.median(found[subject]).value
        axes.step(taken, share, where="post", color=colour, linestyle=line)
        axes.plot([p50], [0.5], linestyle="none", marker=marker, color=colour)
        label = f"{findings.name(cells, subject)}, {units.quantity(p50, 's')}"
        axes.plot([], [], color=colour, linestyle=line, marker=marker, label=label)
    low = max(min(everything), 1e-7)
    log_axis(axes, low / 1.5, max(everything) * 1.5, "s")
    axes.set_ylim(0, 1.03)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "median", "75 %", "all"])
    axes.set_ylabel("share of starts")
    axes.set_xlabel("time from request to exit")


def _table(cells: Cells, found: dict[str, Series], words: str) -> Table:
    rows: list[Sequence[str]] = []
    for subject, series in found.items():
        wanted = [units.interval(stats.median(series), "s"), tail_text(series)]
        least = units.quantity(min(stats.values(series)), "s")
        rows.append([findings.name(cells, subject), str(len(series)), least, *wanted])
    head = ("subject", "n", "least", "median [95 %]", "slowest")
    return Table(f"Time from request to exit, {words}", head, rows)
