"""A trace as every view and exporter reads it: spans on the wall clock, ids in hexadecimal.

It is made from a recorder, or read back from an OTLP JSON file. Nothing here imports
OpenTelemetry: writing a trace to a file must not cost a container 60 ms.
"""

from __future__ import annotations

import os
import sys
from time import monotonic_ns

import minirt
from minirt.linux.mountinfo import mounts
from minirt.spans import HOST, INTERNAL, NO_PARENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from minirt.spans import Attribute, Recorder, Span

# The names of OpenTelemetry's semantic conventions (GOARCH spellings).
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
SIDE = "minirt.side"
LONGEST_FAILURE = 30  # characters beside a span's name


class Record:
    """One span: times in ns since the epoch, ids as hexadecimal text, "" for no parent."""

    __slots__ = (
        "attributes", "end", "error", "events", "kind", "links", "message", "name", "parent",
        "side", "span_id", "start",
    )  # fmt: skip

    def __init__(self, name: str, span_id: str, parent: str, start: int, end: int) -> None:
        self.name = name
        self.span_id = span_id
        self.parent = parent
        self.start = start
        self.end = end
        self.kind = INTERNAL
        self.side = HOST
        self.attributes: dict[str, Attribute] = {}
        self.events: list[tuple[str, int]] = []
        self.links: list[tuple[str, str]] = []
        self.error = ""
        self.message = ""

    @property
    def takes(self) -> int:
        """Its duration in ns."""
        return self.end - self.start

    @property
    def failure(self) -> str:
        """What a picture says of a failed span: the errno, else the status's words if they are few.

        A foreign program's may be long.
        """
        if self.error.isupper() or not 0 < len(self.message) <= LONGEST_FAILURE:
            return self.error
        return self.message


class Row:
    """One line of a drawn tree: a span, and for each level whether it is the last there."""

    __slots__ = ("last", "record")

    def __init__(self, record: Record, last: tuple[bool, ...]) -> None:
        self.record = record
        self.last = last


class Trace:
    """The spans of one trace id, and the resource that they come from."""

    __slots__ = ("resource", "spans", "trace_id", "tracestate")

    def __init__(self, trace_id: str, resource: dict[str, Attribute], tracestate: str = "") -> None:
        self.trace_id = trace_id
        self.resource = resource
        self.tracestate = tracestate
        self.spans: list[Record] = []

    @property
    def start(self) -> int:
        return min((span.start for span in self.spans), default=0)

    @property
    def end(self) -> int:
        return max((span.end for span in self.spans), default=0)

    def rows(self) -> list[Row]:
        """Depth first, siblings by start; a span whose parent is not here is a root.

        A file may come from anywhere: a circle of parents must not lose a span or hang.
        """
        children: dict[str, list[Record]] = {}
        known = {span.span_id for span in self.spans}
        for span in sorted(self.spans, key=lambda s: (s.start, -s.end)):
            parent = span.parent if span.parent in known else ""
            children.setdefault(parent, []).append(span)
        drawn: list[Row] = []
        _descend(children, drawn, set())
        seen = {id(row.record) for row in drawn}
        return drawn + [Row(span, ()) for span in self.spans if id(span) not in seen]


def _descend(children: dict[str, list[Record]], drawn: list[Row], seen: set[str]) -> None:
    stack = [Row(root, ()) for root in reversed(children.get("", []))]
    while stack:
        row = stack.pop()
        drawn.append(row)
        if row.record.span_id in seen:
            continue
        seen.add(row.record.span_id)
        below = children.get(row.record.span_id, [])
        rows = [Row(span, (*row.last, span is below[-1])) for span in below]
        stack.extend(reversed(rows))


def from_recorder(recorder: Recorder) -> Trace:
    """What `recorder` holds, on the wall clock; a span still open ends now, and says so."""
    trace = Trace(recorder.trace_id.hex(), resource(), recorder.tracestate)
    at_monotonic, at_wall = recorder.anchor
    now = monotonic_ns()
    trace.spans = [_record(span, at_wall - at_monotonic, now) for span in recorder.spans]
    return trace


def _record(span: Span, shift: int, now: int) -> Record:
    parent = "" if span.parent == NO_PARENT else span.parent.hex()
    end = span.end or now
    record = Record(span.name, span.span_id.hex(), parent, span.start + shift, end + shift)
    record.kind = span.kind
    record.side = span.side
    record.attributes = dict(span.attributes)
    record.events = [(name, at + shift) for name, at in span.events]
    record.links = [(trace_id.hex(), span_id.hex()) for trace_id, span_id in span.links]
    record.error = span.error or ("" if span.end else "Unfinished")
    record.message = span.message or ("" if span.end else "unfinished")
    return record


def resource() -> dict[str, Attribute]:
    """What produced the spans, in OpenTelemetry's words.

    Set by hand: the SDK's detectors take 64 ms, and OTEL_SERVICE_NAME is inherited from
    containerd, whose shim it names.
    """
    system = os.uname()
    return {
        "service.name": "minirt",
        "service.version": minirt.__version__,
        "container.runtime.name": "minirt",
        "container.runtime.version": minirt.__version__,
        "host.arch": ARCHITECTURES.get(system.machine, system.machine),
        "os.type": "linux",
        "os.version": system.release,
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": ".".join(str(part) for part in sys.version_info[:3]),
        "minirt.cgroup.mode": cgroup_mode(mount.fstype for mount in mounts()),
    }


def cgroup_mode(fstypes: Iterable[str]) -> str:
    """v1, v2, hybrid or none, from the types of all mounted file systems."""
    present = {"cgroup", "cgroup2"} & set(fstypes)
    return {0: "none", 2: "hybrid"}.get(len(present), "v2" if "cgroup2" in present else "v1")


def merge(traces: Sequence[Trace]) -> list[Trace]:
    """One trace for each trace id: create, start and delete are separate invocations."""
    merged: dict[str, Trace] = {}
    for trace in traces:
        first = merged.setdefault(trace.trace_id, trace)
        if first is not trace:
            first.spans.extend(trace.spans)
    return list(merged.values())
