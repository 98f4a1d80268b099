"""The waterfall in a terminal: the tree of spans beside bars on one time axis."""

from __future__ import annotations

import os

from minirt.spans import CONTAINER, GUEST, HOST, KERNEL, SIDES
from minirt.telemetry.axis import Axis, duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

    from minirt.telemetry.model import Record, Row, Trace

COLOURS = {HOST: "36", CONTAINER: "32", KERNEL: "33", GUEST: "35"}
RED, BOLD, DIM = "31", "1", "2"
SIDE_WIDTH = max(map(len, SIDES))
TAKES_WIDTH = 7
LEAST_BAR, LEAST_WIDTH = 16, 60


class Pen:
    """What this terminal can show: its width, colours, and characters beyond ASCII."""

    __slots__ = ("bars", "colour", "cut", "guides", "unicode", "width")

    def __init__(self, out: TextIO, environ: Mapping[str, str]) -> None:
        terminal = out.isatty()
        self.width = max(_width(out, environ) if terminal else _columns(environ), LEAST_WIDTH)
        self.colour = (
            terminal and not environ.get("NO_COLOR") and environ.get("TERM", "dumb") != "dumb"
        )
        self.unicode = _can_encode(out, "├─└│█▓▒░≈✗µ…")
        self.guides = ("├─ ", "└─ ", "│  ") if self.unicode else ("|- ", "`- ", "|  ")
        self.cut = "≈" if self.unicode else "/"
        self.bars = dict(zip(SIDES, "█▓▒░" if self.unicode else "#=-~", strict=True))

    def paint(self, text: str, colour: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self.colour and text else text

    def plain(self, text: str) -> str:
        """Text that this terminal can show, without control characters (files may hold any)."""
        text = "".join(c if c.isprintable() else "?" for c in text)
        return text if self.unicode else text.replace("µ", "u").encode("ascii", "replace").decode()


def draw(traces: Sequence[Trace], out: TextIO, *, titles: Sequence[str] = ()) -> None:
    """Write the traces to `out` on one axis, each from its own start; `titles` name them."""
    traces = [trace for trace in traces if trace.spans]
    if not traces:
        return
    pen = Pen(out, os.environ)
    axis = Axis(traces)
    rows = [trace.rows() for trace in traces]
    label_width = _label_width(pen, [row for group in rows for row in group])
    lines = [_header(pen, axis, label_width)]
    for index, trace in enumerate(traces):
        if index < len(titles):
            lines.append(pen.paint(pen.plain(titles[index]), BOLD))
        lines += [_line(pen, axis, trace.start, row, label_width) for row in rows[index]]
    lines.append(_legend(pen, axis, traces))
    out.write("\n".join(lines) + "\n")


def _width(out: TextIO, environ: Mapping[str, str]) -> int:
    try:
        return os.get_terminal_size(out.fileno()).columns or _columns(environ)
    except OSError:
        return _columns(environ)


def _columns(environ: Mapping[str, str]) -> int:
    columns = environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() else 80


def _can_encode(out: TextIO, text: str) -> bool:
    try:
        text.encode(out.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _label_width(pen: Pen, rows: Sequence[Row]) -> int:
    """As wide as the longest label, while the bars keep a third of the line."""
    longest = max(len(_label(pen, row)) for row in rows)
    fixed = SIDE_WIDTH + TAKES_WIDTH + 6
    return max(min(longest, pen.width - fixed - max(LEAST_BAR, pen.width // 3)), 12)


def _bar_width(pen: Pen, label_width: int) -> int:
    return max(pen.width - label_width - SIDE_WIDTH - TAKES_WIDTH - 6, LEAST_BAR)


def _label(pen: Pen, row: Row) -> str:
    branch, end, line = pen.guides
    above = "".join("   " if last else line for last in row.last[:-1])
    elbow = (end if row.last[-1] else branch) if row.last else ""
    record = row.record
    error = f" {'✗' if pen.unicode else '!'} {record.failure}" if record.error else ""
    refused = record.attributes.get("minirt.syscall.errno", "")
    result = f" = {refused}" if refused else ""
    return above + elbow + pen.plain(record.name + result + error)


def _fit(pen: Pen, text: str, width: int) -> str:
    if len(text) <= width:
        return text.ljust(width)
    return text[: width - 1] + "…" if pen.unicode else text[: width - 2] + ".."


def _header(pen: Pen, axis: Axis, label_width: int) -> str:
    width = _bar_width(pen, label_width)
    scale = [" "] * width
    for position, label in axis.ticks():
        text = pen.plain(label)
        start = min(int(position * width), width - len(text))
        if all(cell == " " for cell in scale[max(start - 1, 0) : start + len(text) + 1]):
            scale[start : start + len(text)] = text
    head = f"{'span'.ljust(label_width)}  {'side'.ljust(SIDE_WIDTH)}  {'takes':>{TAKES_WIDTH}}  "
    return pen.paint((head + "".join(scale)).rstrip(), DIM)


def _line(pen: Pen, axis: Axis, origin: int, row: Row, label_width: int) -> str:
    record = row.record
    colour = RED if record.error else COLOURS[record.side]
    label = _fit(pen, _label(pen, row), label_width)
    takes = pen.plain(duration(record.takes))
    bar = _bar(pen, axis, origin, record, _bar_width(pen, label_width))
    return (
        f"{pen.paint(label, RED) if record.error else label}  {record.side.ljust(SIDE_WIDTH)}  "
        f"{takes:>{TAKES_WIDTH}}  {pen.paint(bar, colour)}"
    ).rstrip()


def _bar(pen: Pen, axis: Axis, origin: int, record: Record, width: int) -> str:
    """At least one cell, so that a microsecond beside a second is still to be seen."""
    first = min(int(axis.at(record.start - origin) * width), width - 1)
    last = min(max(round(axis.at(record.end - origin) * width), first + 1), width)
    cells = list(" " * first + pen.bars[record.side] * (last - first))
    for begin, end in axis.cuts:
        middle = int((axis.at(begin) + axis.at(end)) / 2 * width)
        if first < middle < last - 1:
            cells[middle] = pen.cut
    return "".join(cells)


def _legend(pen: Pen, axis: Axis, traces: Sequence[Trace]) -> str:
    present = {span.side for trace in traces for span in trace.spans}
    parts = [f"{pen.paint(pen.bars[s], COLOURS[s])} {s}" for s in SIDES if s in present]
    if axis.cuts:
        left_out = pen.plain(duration(axis.left_out))
        parts.append(f"{pen.cut} {left_out} of the program left out")
    return "   ".join(parts)
