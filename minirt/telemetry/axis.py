"""The time axis that the terminal's and the page's waterfall share, and durations as text."""

from __future__ import annotations

from itertools import chain, pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from minirt.telemetry.model import Trace

# The span in which the container's program runs. Minutes of it would squeeze the milliseconds
# of setting it up, which the waterfall is about, into one column.
PROGRAM = "container"
CUT_SHARE = 0.08  # how much of the axis a cut takes
CUTS_SHARE = 0.4  # and all of them at most
MOST_CUTS = 9


class Axis:
    """Maps the ns since a trace's start to positions from 0 to 1.

    Several traces share one axis, each from its own start. With one trace, long stretches in
    which at most the container's program runs are cut out: `cuts` are (from, to) in ns.
    """

    __slots__ = ("cuts", "length", "share")

    def __init__(self, traces: Sequence[Trace]) -> None:
        self.length = max([trace.end - trace.start for trace in traces] + [1])
        self.cuts = _quiet_stretches(traces[0]) if len(traces) == 1 else []
        self.share = min(CUT_SHARE, CUTS_SHARE / max(len(self.cuts), 1))

    def at(self, since: int) -> float:
        """The position of the moment `since` ns after the start."""
        scale = (1 - self.share * len(self.cuts)) / (self.length - self.left_out)
        position, done = 0.0, 0
        for begin, end in self.cuts:
            if since <= begin:
                break
            position += (begin - done) * scale
            if since < end:
                return position + self.share * (since - begin) / (end - begin)
            position, done = position + self.share, end
        return position + (since - done) * scale

    @property
    def left_out(self) -> int:
        """The ns of all cuts together."""
        return sum(end - begin for begin, end in self.cuts)

    def ticks(self) -> list[tuple[float, str]]:
        """Positions to label, the most important first: start, end, both sides of each cut."""
        moments = [0, self.length, *chain(*self.cuts)]
        return [(self.at(moment), duration(moment)) for moment in moments]


def _quiet_stretches(trace: Trace) -> list[tuple[int, int]]:
    """The longest stretches of only the program, or of nothing: longer than all that is shown."""
    quiet = sorted(_stretches(trace), key=lambda s: s[1] - s[0])
    shown = trace.end - trace.start - sum(end - begin for begin, end in quiet)
    while quiet and quiet[0][1] - quiet[0][0] <= shown:
        begin, end = quiet.pop(0)
        shown += end - begin
    # Keep a little of the program on both sides, so that its bar is seen to go on.
    margin = shown // 20
    found = sorted(quiet[-MOST_CUTS:])
    return [(b + margin - trace.start, e - margin - trace.start) for b, e in found]


def _stretches(trace: Trace) -> Iterator[tuple[int, int]]:
    """From one stamp to the next where only a program runs, or nothing does."""
    programs = [span for span in trace.spans if span.name == PROGRAM]
    stamps = sorted({moment for span in trace.spans for moment in (span.start, span.end)})
    reached = trace.start
    starts = sorted((span.start, span.end) for span in trace.spans if span.name != PROGRAM)
    for begin, end in pairwise(stamps):
        while starts and starts[0][0] <= begin:
            reached = max(reached, starts.pop(0)[1])
        if reached <= begin or any(p.start <= begin and end <= p.end for p in programs):
            yield begin, end


def duration(ns: int) -> str:
    """Three digits and a unit: 0, 812 ns, 4.20 µs, 15.3 ms, 2.81 s."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        value = ns / size
        if value >= 0.9995:  # from here on, three digits of it would round up to 1.00
            return f"{value:.{max(0, 3 - len(str(int(value))))}f} {unit}"
    return f"{ns} ns" if ns else "0"
