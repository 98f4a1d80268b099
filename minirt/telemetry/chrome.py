"""The Trace Event format, for Perfetto, chrome://tracing and speedscope: one track a side.

A viewer draws a track's spans as nested boxes, so spans of one side that overlap without
nesting (two processes' system calls) go to further tracks of that side.
"""

from __future__ import annotations

from minirt import codec
from minirt.spans import SIDES
from minirt.telemetry.otlp_file import shown_attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from minirt.codec import Json
    from minirt.telemetry.model import Record, Trace

TRACKS_A_SIDE = 100


def chrome(traces: Sequence[Trace], *, titles: Sequence[str] = ()) -> str:
    """The traces as one JSON document: each is a process, from its own start, times in µs."""
    events: list[Json] = []
    for number, trace in enumerate(traces, 1):
        title = titles[number - 1] if number <= len(titles) else "minirt"
        events.append(_name("process_name", number, 0, title))
        for side in SIDES:
            spans = [span for span in trace.spans if span.side == side]
            events += _side(number, side, spans, trace.start)
    return codec.dumps({"traceEvents": events, "displayTimeUnit": "ms"})


def _side(process: int, side: str, spans: Sequence[Record], origin: int) -> list[Json]:
    events: list[Json] = []
    lanes: list[list[Record]] = []
    first = SIDES.index(side) * TRACKS_A_SIDE + 1
    for span in sorted(spans, key=lambda s: (s.start, -s.end)):
        events += _span(process, first + _lane(lanes, span), span, origin)
    for lane in range(len(lanes)):
        name = f"{side} {lane + 1}" if lane else side
        events.append(_name("thread_name", process, first + lane, name))
    return events


def _lane(lanes: list[list[Record]], span: Record) -> int:
    """The first lane in which `span` nests in what is open, or nothing is open."""
    for number, open_spans in enumerate(lanes):
        while open_spans and open_spans[-1].end <= span.start:
            open_spans.pop()
        if not open_spans or span.end <= open_spans[-1].end:
            open_spans.append(span)
            return number
    lanes.append([span])
    return len(lanes) - 1


def _span(process: int, track: int, span: Record, origin: int) -> list[Json]:
    place: dict[str, Json] = {"pid": process, "tid": track, "cat": span.side}
    arguments: dict[str, Json] = {**shown_attributes(span), "span_id": span.span_id}
    box: dict[str, Json] = {
        "ph": "X",
        "name": span.name,
        "ts": (span.start - origin) / 1000,
        "dur": span.takes / 1000,
        "args": arguments,
    }
    instants: list[Json] = [
        {"ph": "i", "s": "t", "name": name, "ts": (at - origin) / 1000, **place}
        for name, at in span.events
    ]
    return [{**box, **place}, *instants]


def _name(kind: str, process: int, track: int, text: str) -> dict[str, Json]:
    return {"ph": "M", "name": kind, "pid": process, "tid": track, "args": {"name": text}}
