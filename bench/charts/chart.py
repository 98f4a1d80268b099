"""A chart: an SVG that takes its colours from the page, its finding, and its numbers as a table."""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter, NullLocator

from bench import units, words
from bench.charts.style import CSS, RC

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from matplotlib.axes import Axes

    from bench.cells import Cells
    from bench.table import Table

WIDTH = 8.0  # inches: 576 units of the SVG
MOST_TICKS = 6
FINE = (1, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2, 2.5, 3, 4, 5, 6, 8, 9)


@dataclass(frozen=True)
class Chart:
    """`title` states what was found, `about` what is drawn, `caption` where and how often."""

    name: str
    topic: str
    title: str
    about: str
    caption: str
    svg: str
    table: Table


@dataclass(frozen=True)
class Missing:
    """A chart that cannot be drawn, and why."""

    name: str
    topic: str
    why: str


@contextmanager
def figure(height: float) -> Iterator[Figure]:
    """A figure of the usual width, in the usual style; nothing of it is global."""
    with mpl.rc_context(RC):
        yield Figure(figsize=(WIDTH, height), layout="constrained")


def inline(drawn: Figure, name: str, title: str, about: str) -> str:
    """The figure as one line of SVG, to stand in a page beside others."""
    file = io.StringIO()
    drawn.savefig(file, format="svg", metadata={"Date": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    # The style sheet in it would hold for the whole page: its two rules become attributes.
    text = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\1{name}-", text)
    text = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", text)
    for colour, css in CSS.items():
        text = text.replace(colour, css)
    text = _head(text, name, title, about)
    return " ".join(text.split())


def _head(text: str, name: str, title: str, about: str) -> str:
    box = re.search(r'viewBox="[^"]*"', text)
    if box is None:
        raise ValueError("matplotlib wrote an SVG without a viewBox")
    return (
        f'<svg class="bench-chart" role="img" aria-labelledby="{name}-title {name}-desc" '
        f'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'stroke-linejoin="round" stroke-linecap="butt" width="100%" {box.group()}>'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(about)}</desc>{text[text.index(">") + 1 :]}'
    )


def caption(cells: Cells, subjects: Iterable[str], counts: Iterable[int]) -> str:
    """Machine, kernel, accelerator where a VM was emulated, and how many samples there are."""
    numbers = sorted(set(counts))
    parts = words.machine_words(cells)
    if numbers:
        parts.append(f"n = {numbers[0]}" + (f" to {numbers[-1]}" if numbers[1:] else ""))
    if any(cells.emulated(subject) for subject in subjects):
        parts.append("VM emulated: TCG, no KVM")
    if not cells.results.complete:
        parts.append("from an interrupted run")
    return "; ".join(parts)


def log_axis(
    axes: Axes, low: float, high: float, unit: str, *, along: str = "x", most: int = MOST_TICKS
) -> None:
    """A logarithmic axis with few, round ticks in words: 1 ms, 10 ms."""
    axis = axes.xaxis if along == "x" else axes.yaxis
    (axes.set_xscale if along == "x" else axes.set_yscale)("log")
    (axes.set_xlim if along == "x" else axes.set_ylim)(low, high)
    ticks = _ticks(low, high, 1024 if unit == "bytes" else 10, most)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter([tick(value, unit) for value in ticks]))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def tick(value: float, unit: str) -> str:
    text = units.quantity(value, unit) if unit else units.three(value)
    return re.sub(r"\.0+(?=\D|$)|(\.\d*?[1-9])0+(?=\D|$)", r"\1", text)


def _ticks(low: float, high: float, base: int, most: int) -> list[float]:
    """As many of 1, 2, 5 a decade as fit; of bytes, powers of two."""
    if base == 1024:
        choices = [[2.0**power for power in range(0, 60, step)] for step in (1, 2, 4, 8)]
    else:
        choices = [
            [step * 10.0**power for power in range(-12, 16, every) for step in steps]
            for steps, every in (
                (FINE, 1),
                ((1, 1.5, 2, 3, 5), 1),
                ((1, 2, 5), 1),
                ((1, 3), 1),
                ((1,), 1),
                ((1,), 2),
            )
        ]
    fitting = [[value for value in choice if low <= value <= high] for choice in choices]
    return next((ticks for ticks in fitting if len(ticks) <= most), fitting[-1])
