"""A chart or a table as HTML; everything that comes from a results file is escaped here."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.charts.chart import Chart
    from bench.table import Table

LONGEST_FIGURE = 44  # characters; what is longer is prose, and may be wrapped


def figure(chart: Chart) -> str:
    """The SVG, its caption, and its numbers in a table that is closed at first: one line."""
    return (
        f'<figure class="bench-figure"><div class="bench-scroll" tabindex="0" role="region" '
        f'aria-label="{escape(chart.topic)}">{chart.svg}</div>'
        f"<figcaption><strong>{escape(chart.title)}.</strong> {escape(chart.caption)}."
        f"</figcaption><details><summary>The numbers of this chart</summary>"
        f"{table(chart.table)}</details></figure>"
    )


def table(of: Table) -> str:
    head = "".join(_cell(text, "col") for text in of.head)
    rows = "".join(
        f"<tr>{_cell(row[0], 'row')}{''.join(_cell(text) for text in row[1:])}</tr>"
        for row in of.rows
    )
    notes = "".join(f'<p class="note">{" ".join(escape(n).split())}</p>' for n in of.notes)
    return (
        f'<div class="bench-scroll" tabindex="0" role="region" aria-label="{escape(of.caption)}">'
        f"<table><caption>{escape(of.caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{notes}"
    )


def _cell(text: str, scope: str = "") -> str:
    one_line = " ".join(escape(text).split())
    if scope:
        return f'<th scope="{scope}">{one_line}</th>'
    value, bracket, bounds = one_line.partition(" [")
    if bracket and len(text) <= LONGEST_FIGURE:
        return f'<td class="measured">{value} <span class="bounds">[{bounds}</span></td>'
    prose = ' class="prose"' if len(text) > LONGEST_FIGURE else ""
    return f"<td{prose}>{one_line}</td>"
