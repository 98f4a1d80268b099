"""The time axis that the terminal's and the page's waterfall share, and durations as text."""

from __future__ import annotations

from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from minirt.telemetry.model import Record, Trace

# The span in which the container's program runs. Minutes of it would squeeze the milliseconds
# of setting it up, which the waterfall is about, into one column.
PROGRAM = "container"
CUT_SHARE = 0.08  # how much of the axis a cut takes


class Axis:
    """Maps the ns since a trace's start to positions from 0 to 1.

    Several traces share one axis, each from its own start. With one trace, a long stretch in
    which only the container's program runs is cut out: `cut` is (from, to) in ns, or None.
    """

    __slots__ = ("cut", "length")

    def __init__(self, traces: Sequence[Trace]) -> None:
        self.length = max([trace.end - trace.start for trace in traces] + [1])
        self.cut = _quiet_stretch(traces[0]) if len(traces) == 1 else None

    def at(self, since: int) -> float:
        """The position of the moment `since` ns after the start."""
        if self.cut is None:
            return since / self.length
        begin, end = self.cut
        scale = (1 - CUT_SHARE) / (self.length - (end - begin))
        if since <= begin:
            return since * scale
        if since < end:
            return begin * scale + CUT_SHARE * (since - begin) / (end - begin)
        return (since - (end - begin)) * scale + CUT_SHARE

    def ticks(self) -> list[tuple[float, str]]:
        """Positions to label, the most important first: start, end, both sides of the cut."""
        moments = [0, self.length, *(self.cut or ())]
        return [(self.at(moment), duration(moment)) for moment in moments]


def _quiet_stretch(trace: Trace) -> tuple[int, int] | None:
    """The longest stretch of only the program, if it is longer than all the rest."""
    begin, end = trace.start, trace.end
    longest = (0, 0)
    for program in (span for span in trace.spans if span.name == PROGRAM):
        inside = sorted(_stamps(trace, program))
        longest = max([longest, *pairwise(inside)], key=lambda s: s[1] - s[0])
    quiet = longest[1] - longest[0]
    if quiet <= (end - begin) - quiet:
        return None
    # Keep a little of the program on both sides, so that its bar is seen to go on.
    margin = (end - begin - quiet) // 20
    return longest[0] + margin - begin, longest[1] - margin - begin


def _stamps(trace: Trace, program: Record) -> set[int]:
    stamps = {moment for span in trace.spans for moment in (span.start, span.end)}
    return {moment for moment in stamps if program.start <= moment <= program.end}


def duration(ns: int) -> str:
    """Three digits and a unit: 0, 812 ns, 4.20 µs, 15.3 ms, 2.81 s."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        value = ns / size
        if value >= 0.9995:  # from here on, three digits of it would round up to 1.00
            return f"{value:.{max(0, 3 - len(str(int(value))))}f} {unit}"
    return f"{ns} ns" if ns else "0"
