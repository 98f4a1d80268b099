"""The price of a mechanism, step N less step N-1; and the price of tracing, on against off."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bench import findings, stats, units
from bench.cells import STEPS
from bench.charts import phases, ratios
from bench.charts.chart import Chart, Missing, caption, figure, inline, tick
from bench.charts.style import BLUE, GREEN, INK
from bench.table import Table, usual
from bench.words import setting_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from bench.cells import Cells
    from bench.samples import Setting
    from bench.stats import Interval

TOPIC = "Price of a mechanism"
TRACING = "Price of tracing"
WAYS = {"on": "recorder on", "file": "written to a file", "kernel": "kernel truth on"}


class Price(NamedTuple):
    subject: str
    before: float
    total: Interval
    more: Interval | None  # than the step before; None for the first


def mechanisms(cells: Cells) -> list[Chart | Missing]:
    setting = usual(cells, "start")
    steps = [s for s in STEPS if setting is not None and cells.exact("start", s, setting)]
    if setting is None or len(steps) < 2:
        return [Missing("price", TOPIC, "fewer than two steps were measured")]
    prices = _prices(cells, steps, setting)
    title = _title(cells, prices)
    about = (
        "A stacked waterfall: the first bar is the first step's median start, each further bar "
        "what the next step adds, with the 95 % interval of the difference."
    )
    with figure(0.42 * len(prices) + 0.8) as picture:
        axes = picture.subplots()
        _bars(cells, axes, prices)
        svg = inline(picture, "price", title, about)
    table = Table(
        f"Time from request to exit by step, {setting_text('start', setting)}",
        ("step", "median [95 %]", "more than the step before [95 %]"),
        [_row(cells, price) for price in prices],
    )
    note = caption(cells, steps, [price.total.n for price in prices]) + _inside(cells, prices)
    return [Chart("price", TOPIC, title, about, note, svg, table)]


def _prices(cells: Cells, steps: Sequence[str], setting: Setting) -> list[Price]:
    prices: list[Price] = []
    for subject in steps:
        series = cells.exact("start", subject, setting)
        more = None
        if prices:
            former = cells.exact("start", prices[-1].subject, setting)
            more = stats.difference(series, former)
        before = prices[-1].total.value if prices else 0.0
        prices.append(Price(subject, before, stats.median(series), more))
    return prices


def _inside(cells: Cells, prices: list[Price]) -> str:
    """What a bar holds besides its mechanism: an interpreter's start, a library's import."""
    first = prices[0].subject
    taken = phases.one(cells.samples("phases", first)).get("interpreter")
    length = "" if taken is None else f" ({units.quantity(taken.takes, 's')} in a traced run)"
    words = f"; the first bar holds the start of the Python interpreter{length}"
    holders: dict[str, list[str]] = {}
    for price in prices:
        holders.setdefault(cells.note(price.subject), []).append(cells.label(price.subject))
    notes = [f"; {', '.join(whom)}: {note}" for note, whom in holders.items() if note]
    return words + "".join(notes)


def _title(cells: Cells, prices: list[Price]) -> str:
    dearest = max(prices[1:], key=lambda price: price.more.value if price.more else 0)
    name = cells.label(dearest.subject)
    if dearest.more is None or not dearest.more.known or dearest.more.low <= 0:
        return "No step is shown to cost more than the one before"
    low, high = (units.quantity(bound, "s") for bound in (dearest.more.low, dearest.more.high))
    return f"The dearest step is {name}: {low} to {high} more than the step before"


def _bars(cells: Cells, axes: Axes, prices: list[Price]) -> None:
    for y, price in enumerate(prices):
        begin, end = price.before, price.total.value
        colour = BLUE if end >= begin else GREEN
        axes.barh(y, end - begin, left=begin, height=0.6, color=colour)
        right = max(begin, end)
        if price.more is not None and price.more.known:
            low, high = begin + price.more.low, begin + price.more.high
            axes.plot([low, high], [y, y], color=INK, linewidth=1.2, marker="|", markersize=7)
            right = max(right, high)
        text = units.quantity(price.total.value if price.more is None else price.more.value, "s")
        sign = "+" if price.more is not None and price.more.value >= 0 else ""
        axes.annotate(f"{sign}{text}", (right, y), (6, 0), textcoords="offset points",
                      va="center", fontsize=8.5)  # fmt: skip
    for y, price in enumerate(prices[:-1]):
        axes.plot([price.total.value] * 2, [y, y + 1], color=INK, linewidth=0.7, linestyle=":")
    axes.set_yticks(range(len(prices)), [cells.label(price.subject) for price in prices])
    axes.set_ylim(len(prices) - 0.4, -0.6)
    axes.set_xlim(0, max(price.total.high if price.total.known else price.total.value
                         for price in prices) * 1.2)  # fmt: skip
    axes.xaxis.set_major_formatter(lambda value, _: tick(value, "s"))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("time from request to exit")


def _row(cells: Cells, price: Price) -> Sequence[str]:
    more = "" if price.more is None else units.interval(price.more, "s")
    return cells.label(price.subject), units.interval(price.total, "s"), more


def tracing(cells: Cells) -> list[Chart | Missing]:
    """Each way of tracing as a multiple of the same subject without."""
    panels = []
    for way, words in WAYS.items():
        costs = {}
        for subject in cells.subjects("tracing"):
            off = cells.series("tracing", subject, {"trace": "off"})
            on = cells.series("tracing", subject, {"trace": way})
            found = findings.of_series(subject, subject, {}, "s", on, off)
            if found:
                costs[subject] = found.ratio
        if costs:
            panels.append(ratios.Panel(words, costs))
    if not panels:
        return [Missing("tracing", TRACING, "tracing was not measured both on and off")]
    subjects = list(dict.fromkeys(s for panel in panels for s in panel.costs))
    title = "; ".join(_words(panel, subjects[0]) for panel in panels if subjects[0] in panel.costs)
    title = f"{cells.label(subjects[0])}: {title}"
    about = "Time of a start with tracing as a multiple of one without; 95 % intervals."
    svg = ratios.draw(cells, "tracing", title, about, panels)
    head = ["subject", *(panel.title for panel in panels)]
    table = Table(f"{about} More than 1 is the price.", head,
                  ratios.rows(cells, panels, subjects))  # fmt: skip
    counts = [at.n for panel in panels for at in panel.costs.values()]
    note = caption(cells, subjects, counts)
    return [Chart("tracing", TRACING, title, about, note, svg, table)]


def _words(panel: ratios.Panel, subject: str) -> str:
    at = panel.costs[subject]
    if not at.known:
        return f"{panel.title}, too few samples"
    return f"{panel.title}, {findings.between_words(at)} times as long as without"
