"""OTLP JSON lines: one ExportTraceServiceRequest a line, as OpenTelemetry's file exporter has it.

ids are hexadecimal, 64-bit integers are text, field names are camelCase (OTLP specification,
"JSON Protobuf Encoding"). A line is written by one write(2) to a file opened for appending, so
that concurrent commands can share a file.
"""

from __future__ import annotations

import os

import minirt
from minirt import codec
from minirt.errors import ConfigError
from minirt.spans import CLIENT, HOST, INTERNAL, SIDES
from minirt.telemetry.model import SIDE, Record, Trace, merge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from minirt.codec import Json
    from minirt.spans import Attribute

KINDS = {INTERNAL: 1, CLIENT: 3}
STATUS_ERROR = 2
HAS_IS_REMOTE, IS_REMOTE = 0x100, 0x200


def append(path: str, trace: Trace | str) -> None:
    """Add `trace`, encoded or not, as one line; a new file is only for its owner (0600)."""
    line = trace if isinstance(trace, str) else encode(trace)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, f"{line}\n".encode())
    finally:
        os.close(fd)


def read(file: TextIO, name: str) -> list[Trace]:
    """Every trace of a file of OTLP JSON lines, oldest first; ConfigError names a bad line."""
    traces: list[Trace] = []
    for number, line in enumerate(file, 1):
        try:
            traces += decode(codec.loads(line)) if line.strip() else []
        except (ValueError, RecursionError):
            raise ConfigError(
                f"line {number} is not a trace in OTLP JSON",
                pointer=name,
                hint="give a file that --trace wrote",
            ) from None
    return merge(traces)


def encode(trace: Trace) -> str:
    """The trace as one line of OTLP JSON."""
    known = {span.span_id for span in trace.spans}
    spans: list[Json] = [_span(span, trace, known) for span in trace.spans]
    scope: dict[str, Json] = {"name": "minirt", "version": minirt.__version__}
    group: dict[str, Json] = {
        "resource": {"attributes": _attributes(trace.resource)},
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }
    return codec.dumps({"resourceSpans": [group]})


def _span(span: Record, trace: Trace, known: set[str]) -> dict[str, Json]:
    remote = span.parent and span.parent not in known
    attributes = shown_attributes(span)
    return {
        "traceId": trace.trace_id,
        "spanId": span.span_id,
        **({"parentSpanId": span.parent} if span.parent else {}),
        **({"traceState": trace.tracestate} if trace.tracestate else {}),
        "flags": HAS_IS_REMOTE | (IS_REMOTE if remote else 0),
        "name": span.name,
        "kind": KINDS[span.kind],
        "startTimeUnixNano": str(span.start),
        "endTimeUnixNano": str(span.end),
        "attributes": _attributes(attributes),
        "events": [{"timeUnixNano": str(at), "name": name} for name, at in span.events],
        "links": [_link(*link) for link in span.links],
        "status": {"code": STATUS_ERROR, "message": span.message} if span.error else {},
    }


def _link(trace_id: str, span_id: str) -> dict[str, Json]:
    # A link always leads to the span of another process.
    return {"traceId": trace_id, "spanId": span_id, "flags": HAS_IS_REMOTE | IS_REMOTE}


def shown_attributes(span: Record) -> dict[str, Attribute]:
    """The span's attributes with those that OTLP has no field for: its side, its error."""
    error = {"error.type": span.error} if span.error else {}
    return {SIDE: span.side, **span.attributes, **error}


def _attributes(attributes: Mapping[str, Attribute]) -> list[Json]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Attribute) -> dict[str, Json]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    return {"arrayValue": {"values": [{"stringValue": item} for item in value]}}


def decode(document: Json) -> list[Trace]:
    """The traces of one ExportTraceServiceRequest; ValueError when it is none."""
    traces: dict[str, Trace] = {}
    for group in _objects(_object(document), "resourceSpans"):
        resource = _plain(_object(group.get("resource") or {}))
        for scope in _objects(group, "scopeSpans"):
            for span in _objects(scope, "spans"):
                trace_id = _text(span, "traceId").lower()
                state = _text(span, "traceState")
                trace = traces.setdefault(trace_id, Trace(trace_id, resource, state))
                trace.spans.append(_decode_span(span))
    return list(traces.values())


def _decode_span(span: Mapping[str, Json]) -> Record:
    record = Record(
        _text(span, "name"),
        _text(span, "spanId").lower(),
        _text(span, "parentSpanId").lower(),
        _number(span, "startTimeUnixNano"),
        _number(span, "endTimeUnixNano"),
    )
    record.attributes = _plain(span)
    side = record.attributes.pop(SIDE, HOST)
    record.side = side if isinstance(side, str) and side in SIDES else HOST
    record.kind = CLIENT if _number(span, "kind") == KINDS[CLIENT] else INTERNAL
    for event in _objects(span, "events"):
        record.events.append((_text(event, "name"), _number(event, "timeUnixNano")))
    for link in _objects(span, "links"):
        record.links.append((_text(link, "traceId"), _text(link, "spanId")))
    status = _object(span.get("status") or {})
    error = str(record.attributes.pop("error.type", ""))
    if _number(status, "code") == STATUS_ERROR:
        record.error = error or "error"
        record.message = _text(status, "message")
    return record


def _plain(holder: Mapping[str, Json]) -> dict[str, Attribute]:
    """The OTLP attributes of `holder` as Python values; a kind that minirt never writes as text."""
    plain: dict[str, Attribute] = {}
    for item in _objects(holder, "attributes"):
        value = _object(item.get("value") or {})
        plain[_text(item, "key")] = _plain_value(value)
    return plain


def _plain_value(value: Mapping[str, Json]) -> Attribute:
    if "intValue" in value:
        return _number(value, "intValue")
    if "arrayValue" in value:
        return [str(_plain_value(v)) for v in _objects(_object(value["arrayValue"]), "values")]
    plain = next(iter(value.values()), "")
    return plain if isinstance(plain, (bool, float, str)) else codec.dumps(plain)


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004  (one kind of error for a bad file)
    return value


def _objects(holder: Mapping[str, Json], key: str) -> list[Mapping[str, Json]]:
    items = holder.get(key) or []
    if not isinstance(items, list):
        raise ValueError(key)  # noqa: TRY004
    return [_object(item) for item in items]


def _text(holder: Mapping[str, Json], key: str) -> str:
    return str(holder.get(key) or "")


def _number(holder: Mapping[str, Json], key: str) -> int:
    # OTLP writes 64-bit integers as text, but a reader must take both.
    value = holder.get(key) or 0
    return int(value) if isinstance(value, (int, str)) else 0
