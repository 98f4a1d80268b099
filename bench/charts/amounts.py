"""Amounts side by side: how many instances fit, and how large images and writable layers are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import findings, stats, units
from bench.cells import counted
from bench.charts.chart import Chart, Missing, caption, figure, inline, log_axis
from bench.charts.style import look
from bench.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from matplotlib.axes import Axes

    from bench.cells import Cells
    from bench.samples import Setting
    from bench.stats import Interval

SIZES = {
    "first-start": "What a first start needs on the disk",
    "image": "Size of the file tree, or of the disk made of it",
    "writable": "Size of the writable layer",
}
WORDS = {
    "first-start": "needs {} times as much disk for a first start as",
    "image": "takes {} times the disk of",
    "writable": "takes in its writable layer {} times the disk of",
}


def density(cells: Cells) -> list[Chart | Missing]:
    """How many fit, and what ended the count: where that was not memory, more would have fitted."""
    limits = {s: _limit(cells, s) for s in cells.subjects("density")}
    words = "fits {} times as often as"
    return _charts(cells, "density", "Density", words, _most_memory(cells), limits)


def _most_memory(cells: Cells) -> Setting:
    """Counts in different amounts of memory are not comparable: the greatest is drawn."""
    return next(iter(reversed(cells.settings("density"))), {})


def waiting(cells: Cells) -> list[Chart | Missing]:
    """What a created container holds before it is started."""
    topic = "Memory between create and start, resident"
    words = "holds, while it waits, {} times the memory of"
    return _charts(cells, "oci-waiting", topic, words, {}, {})


def sizes(cells: Cells) -> list[Chart | Missing]:
    found: list[Chart | Missing] = []
    for what, topic in SIZES.items():
        found += _charts(cells, "disk", topic, WORDS[what], {"what": what}, {})
    return found


def _limit(cells: Cells, subject: str) -> str:
    reasons = (str(s.detail.get("limit") or "") for s in cells.samples("density", subject))
    return "; ".join(dict.fromkeys(filter(None, reasons)))


def _charts(
    cells: Cells, metric: str, topic: str, words: str, setting: Setting, notes: dict[str, str]
) -> list[Chart | Missing]:
    name = f"{metric}-{setting['what']}" if "what" in setting else metric
    found: dict[str, Interval] = {}
    for subject in cells.subjects(metric, setting):
        series = cells.series(metric, subject, setting)
        if series and min(stats.values(series)) > 0:
            found[subject] = stats.median(series)
    if not found:
        reasons = cells.reasons(metric) or ["no subject was measured"]
        return [Missing(name, topic, "; ".join(reasons))]
    unit = cells.unit(metric, setting)
    span = _span(cells, topic, found, unit) if counted(metric, unit) else topic
    title = findings.headline(cells, metric, words, setting) or span
    about = f"{topic}: a dot for each of {len(found)} subjects on a logarithmic axis."
    least = {s for s, why in notes.items() if why != "memory"}
    with figure(0.32 * len(found) + 0.8) as picture:
        axes = picture.subplots()
        _dots(cells, axes, found, unit, least)
        svg = inline(picture, name, title, about)
    note = caption(cells, found, [at.n for at in found.values()]) + _left_out(
        cells, metric, setting
    )
    table = _table(cells, topic, found, unit, notes)
    return [Chart(name, topic, title, about, note, svg, table)]


def _span(cells: Cells, topic: str, found: dict[str, Interval], unit: str) -> str:
    """The title where no two can be compared: from the least to the greatest."""
    order = sorted(found, key=lambda subject: found[subject].value)
    ends = dict.fromkeys([order[0], order[-1]])
    told = [f"{units.quantity(found[s].value, unit)} ({findings.name(cells, s)})" for s in ends]
    return f"{topic}: {' to '.join(told)}"


def _left_out(cells: Cells, metric: str, setting: Setting) -> str:
    """What the samples say that they do not count."""
    measured = (s for name in cells.subjects(metric) for s in cells.samples(metric, name, setting))
    told = dict.fromkeys(
        str(s.detail["not_counted"]) for s in measured if "not_counted" in s.detail
    )
    return "".join(f"; not counted: {text}" for text in told)


def _table(
    cells: Cells, topic: str, found: dict[str, Interval], unit: str, notes: dict[str, str]
) -> Table:
    rows: list[Sequence[str]] = [
        [findings.name(cells, s), units.interval(at, unit), str(at.n), notes.get(s, "")]
        for s, at in found.items()
    ]
    width = 4 if notes else 3
    head = ["subject", "median [95 %]", "n", "ended by"]
    return Table(topic, head[:width], [row[:width] for row in rows])


def _dots(
    cells: Cells, axes: Axes, found: dict[str, Interval], unit: str, least: Collection[str]
) -> None:
    """Those in `least` are lower bounds: their counts were ended by something else."""
    for y, (subject, at) in enumerate(found.items()):
        colour, marker, _ = look(subject)
        if at.known:
            axes.plot([at.low, at.high], [y, y], color=colour)
        axes.plot(at.value, y, marker=marker, color=colour, markersize=7)
        text = units.quantity(at.value, unit)
        axes.annotate(f"at least {text}" if subject in least else text, (at.value, y), (8, 0),
                      textcoords="offset points", va="center", fontsize=8.5)  # fmt: skip
    values = [at.value for at in found.values()]
    log_axis(axes, min(values) / 2, max(values) * 4, unit)
    axes.set_yticks(range(len(found)), [findings.name(cells, s) for s in found])
    axes.set_ylim(len(found) - 0.4, -0.6)
