"""Recorded spans as spans of opentelemetry-sdk, made through its public API with their own times.

The SDK never sees a running container: it comes after, so that its import, its thread and its
fork handlers cost the container nothing and break no clone. What it hands to an exporter has the
ids, parents and times that were recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

import minirt
from minirt.spans import CLIENT, INTERNAL
from minirt.telemetry.otlp_file import shown_attributes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import Tracer

    from minirt.telemetry.model import Record, Trace

KINDS = {INTERNAL: SpanKind.INTERNAL, CLIENT: SpanKind.CLIENT}
SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class RecordedIds(IdGenerator):
    """Hands out the ids that were recorded; the caller sets them before each span."""

    def __init__(self, trace_id: str) -> None:
        self.trace_id = int(trace_id, 16)
        self.span_id = 0

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return self.span_id


def replay(trace: Trace) -> Sequence[ReadableSpan]:
    """The spans of `trace` as the SDK's own, in the order of the record."""
    memory = InMemorySpanExporter()
    ids = RecordedIds(trace.trace_id)
    provider = TracerProvider(
        sampler=ALWAYS_ON,
        resource=Resource(trace.resource),
        id_generator=ids,
        shutdown_on_exit=False,
    )
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("minirt", minirt.__version__)
    known = {span.span_id for span in trace.spans}
    for record in trace.spans:
        ids.span_id = int(record.span_id, 16)
        _replay_one(tracer, trace, record, remote=record.parent not in known)
    return memory.get_finished_spans()


def _replay_one(tracer: Tracer, trace: Trace, record: Record, *, remote: bool) -> None:
    span = tracer.start_span(
        record.name,
        context=_parent(trace, record, remote=remote),
        kind=KINDS[record.kind],
        attributes=shown_attributes(record),
        links=[Link(_context(*link, remote=True)) for link in record.links],
        start_time=record.start,
        record_exception=False,
    )
    for name, at in record.events:
        span.add_event(name, timestamp=at)
    if record.error:
        span.set_status(Status(StatusCode.ERROR, record.message))
    span.end(end_time=record.end)


def _parent(trace: Trace, record: Record, *, remote: bool) -> Context:
    parent = record.parent or "0"
    context = _context(trace.trace_id, parent, remote=remote, state=trace.tracestate)
    return set_span_in_context(NonRecordingSpan(context))


def _context(trace_id: str, span_id: str, *, remote: bool, state: str = "") -> SpanContext:
    carried = TraceState.from_header([state]) if state else None
    return SpanContext(int(trace_id, 16), int(span_id, 16), remote, SAMPLED, carried)
