"""A trace as one HTML page that needs nothing else: no script, no request, light and dark.

The picture is an SVG whose bars have tooltips (<title>). To assistive technology it is one image
with a name; the table below has every span and attribute as text.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files

from minirt.spans import SIDES
from minirt.telemetry.axis import Axis, duration
from minirt.telemetry.otlp_file import shown_attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from minirt.telemetry.model import Record, Row, Trace

ROW, HEAD = 24, 30  # heights in px
NAMES, BARS = 34.0, 56.0  # widths of the two columns in % of the picture; the rest is durations
INDENT = 1.4  # % a level


def page(traces: Sequence[Trace], *, titles: Sequence[str] = ()) -> str:
    """The whole document: a picture of the traces on one axis, and a table for each."""
    titles = _titles(traces, titles)
    tables = "".join(_table(*pair) for pair in zip(traces, titles, strict=True))
    heading = escape(" and ".join(titles))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{heading}: minirt trace</title>\n<style>\n{style()}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{heading}</h1>\n{_facts(traces)}"
        f'<div class="minirt-scroll" tabindex="0" role="region" aria-label="Waterfall">\n'
        f"{picture(traces, titles=titles)}</div>\n{tables}</main>\n</body>\n</html>\n"
    )


def style() -> str:
    """The style sheet of picture and table, for a page that embeds them."""
    return (files("minirt") / "data" / "waterfall.css").read_text(encoding="utf-8")


def picture(traces: Sequence[Trace], *, titles: Sequence[str] = ()) -> str:
    """The waterfall as an <svg> element of 100 % width; `style()` gives it its colours."""
    titles = _titles(traces, titles)
    axis = Axis(traces)
    body: list[str] = []
    y = HEAD
    for trace, title in zip(traces, titles, strict=True):
        if len(traces) > 1:
            body.append(_text("0.4%", y + 16, title, "title"))
            y += ROW
        for row in trace.rows():
            body.append(_row(axis, trace, row, y))
            y += ROW
    y += 4
    legend = _legend(traces, axis, y)
    described = escape(f"Waterfall of {' and '.join(titles)}: {duration(axis.length)} in all")
    return (
        f'<svg class="minirt-waterfall" role="img" aria-label="{described}" width="100%" '
        f'height="{y + ROW}">\n{_grid(axis, y)}{"".join(body)}{_cut(axis, y)}{legend}</svg>\n'
    )


def _titles(traces: Sequence[Trace], titles: Sequence[str]) -> list[str]:
    names = [trace.rows()[0].record.name if trace.spans else "empty trace" for trace in traces]
    return [*titles, *names[len(titles) :]]


def _facts(traces: Sequence[Trace]) -> str:
    facts = {f"{k} {v}": None for trace in traces for k, v in trace.resource.items()}
    return f'<p class="minirt-facts">{escape(" · ".join(facts))}</p>\n'


def _x(axis: Axis, since: int) -> float:
    return NAMES + BARS * axis.at(since)


def _grid(axis: Axis, bottom: int) -> str:
    lines = []
    taken: list[float] = []
    for position, label in axis.ticks():
        x = NAMES + BARS * position
        lines.append(
            f'<line class="grid" x1="{x:.3f}%" x2="{x:.3f}%" y1="{HEAD - 6}" y2="{bottom}"/>\n'
        )
        if all(abs(x - other) > 7 for other in taken):
            taken.append(x)
            lines.append(_text(f"{x:.3f}%", 16, label, "tick"))
    return "".join(lines)


def _cut(axis: Axis, bottom: int) -> str:
    """Drawn over the bars, so that they are seen to be interrupted."""
    return "".join(
        f'<rect class="cut" x="{_x(axis, begin):.3f}%" '
        f'width="{_x(axis, end) - _x(axis, begin):.3f}%" '
        f'y="{HEAD - 6}" height="{bottom - HEAD + 6}"/>\n'
        for begin, end in axis.cuts
    )


def _row(axis: Axis, trace: Trace, row: Row, y: int) -> str:
    span = row.record
    begin, end = _x(axis, span.start - trace.start), _x(axis, span.end - trace.start)
    state = " error" if span.error else ""
    name = f"{span.name} ✗ {span.failure}" if span.error else span.name
    return (
        f'<g class="span {span.side}{state}"><title>{escape(_tooltip(trace, span))}</title>'
        f'<rect class="row" x="0" width="100%" y="{y}" height="{ROW}"/>'
        f"{_text(f'{0.4 + INDENT * len(row.last):.1f}%', y + 16, name, 'name')}"
        f'<rect class="bar" x="{begin:.3f}%" width="{max(end - begin, 0.15):.3f}%" '
        f'y="{y + 5}" height="{ROW - 10}" rx="2"/>'
        f"{_text('99.6%', y + 16, duration(span.takes), 'takes')}</g>\n"
    )


def _tooltip(trace: Trace, span: Record) -> str:
    since = span.start - trace.start
    lines = [f"{span.name} ({span.side})", f"{duration(span.takes)}, at {duration(since)}"]
    lines += [f"{name} = {value}" for name, value in shown_attributes(span).items()]
    lines += [f"{name} at {duration(at - trace.start)}" for name, at in span.events]
    return "\n".join(lines)


def _legend(traces: Sequence[Trace], axis: Axis, y: int) -> str:
    present = {span.side for trace in traces for span in trace.spans}
    parts = []
    x = NAMES
    for side in (side for side in SIDES if side in present):
        parts.append(f'<g class="span {side}"><rect class="bar" x="{x}%" y="{y + 6}" width="12" ')
        parts.append(f'height="12" rx="2"/>{_text(f"{x + 2}%", y + 16, side, "name")}</g>\n')
        x += 11
    if axis.cuts:
        left_out = f"{duration(axis.left_out)} of the program left out (dashed)"
        parts.append(_text("0.4%", y + 16, left_out, "name"))
    return "".join(parts)


def _text(x: str, y: int, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


def _table(trace: Trace, title: str) -> str:
    rows = "".join(_cells(trace, row) for row in trace.rows())
    heads = "".join(
        f'<th scope="col">{head}</th>' for head in ("Span", "Side", "Start", "Takes", "Attributes")
    )
    return (
        f'<div class="minirt-scroll" tabindex="0" role="region" aria-label="Table of spans">\n'
        f"<table><caption>The spans of {escape(title)}, trace {escape(trace.trace_id)}</caption>\n"
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )


def _cells(trace: Trace, row: Row) -> str:
    span = row.record
    attributes = {k: v for k, v in shown_attributes(span).items() if k != "minirt.side"}
    text = "; ".join(f"{name} = {value}" for name, value in attributes.items())
    events = "".join(f"; {n} at {duration(at - trace.start)}" for n, at in span.events)
    name = (
        f'<th scope="row" style="padding-left:{len(row.last) + 0.5:.1f}em">{escape(span.name)}</th>'
    )
    cells = (span.side, duration(span.start - trace.start), duration(span.takes), text + events)
    return f"<tr>{name}{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>\n"
